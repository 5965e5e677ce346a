"""The OpenBLAS that NumPy computes matrix products with, through the functions it exports.

With another BLAS (MKL, Accelerate) there is nothing to call, and its threads are left as they are.
"""

import ctypes
import os
import threading
from collections.abc import Callable

import numpy as np

try:
    _library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # finds the symbols of what this is linked with too
except (AttributeError, OSError):
    _library = None


def _function(name: str, kind: str = "openblas") -> Callable | None:
    for form in ("scipy_{}_{}64_", "scipy_{}_{}", "{}_{}64_", "{}_{}"):  # by build
        if hasattr(_library, form.format(kind, name)):
            return getattr(_library, form.format(kind, name))
    return None


set_num_threads, get_num_threads = _function("set_num_threads"), _function("get_num_threads")

sgemm = _function("sgemm", "cblas") if set_num_threads else None
"""The product of float32 matrices, for compiled loops."""
LONG_INTEGERS = sgemm is not None and sgemm.__name__.endswith("64_")
"""Whether it takes sizes as int64, not int32."""


def sleep_between_products() -> bool:
    """Let OpenBLAS's threads sleep until the next product comes; says whether they were told so."""
    named = ("openblas_read_env", "blas_thread_shutdown_", "blas_thread_init")
    if "OPENBLAS_THREAD_TIMEOUT" in os.environ or threading.active_count() > 1 or not all(
            hasattr(_library, name) for name in named):
        return False
    read_environment, stop, start = [getattr(_library, name) for name in named]
    os.environ["OPENBLAS_THREAD_TIMEOUT"] = "16"  # they spin for 2¹⁶ cycles: products in a row find them awake
    read_environment()
    stop()
    start()
    del os.environ["OPENBLAS_THREAD_TIMEOUT"]
    return True
