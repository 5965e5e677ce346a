"""The OpenBLAS that NumPy computes matrix products with, through the functions it exports.

With another BLAS (MKL, Accelerate) there is nothing to call, and its threads are left as they are.

OpenBLAS reads its environment when it is loaded, with NumPy, and the newest cannot be told to read it again. Hence
`autograd` imports this module first, and what it wants of the environment stands there meanwhile.
"""

import contextlib
import ctypes
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from autograd.runtime import requirements

_TIMEOUT = "OPENBLAS_THREAD_TIMEOUT"
_free = os.environ.get("GRADCIRCUIT_PROCESS") != "0" and _TIMEOUT not in os.environ  # nobody else has set it
_comes_first = "numpy" not in sys.modules


@contextlib.contextmanager
def _short_timeout() -> Iterator[None]:
    os.environ[_TIMEOUT] = "16"  # threads spin for 2¹⁶ cycles: products in a row find them awake
    try:
        yield
    finally:
        del os.environ[_TIMEOUT]


with _short_timeout() if _free and _comes_first else nullcontext():
    import numpy as np
requirements.check("NumPy", [int(part) for part in re.findall(r"\d+", np.__version__)[:3]], requirements.NUMPY)

try:
    _library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # finds the symbols of what this is linked with too
except (AttributeError, OSError):
    _library = None


def _function(name: str, kind: str = "openblas") -> Any:
    for form in ("scipy_{}_{}64_", "scipy_{}_{}", "{}_{}64_", "{}_{}"):  # by build
        if hasattr(_library, form.format(kind, name)):
            return getattr(_library, form.format(kind, name))
    return None


set_num_threads, get_num_threads = _function("set_num_threads"), _function("get_num_threads")

sgemm = _function("sgemm", "cblas") if set_num_threads else None
"""The product of float32 matrices, for compiled loops."""
LONG_INTEGERS = sgemm is not None and sgemm.__name__.endswith("64_")
"""Whether it takes sizes as int64, not int32."""
swap_rows = _function("", "dlaswp") if set_num_threads else None
"""LAPACK's exchange of rows, one after the other, which makes random orders; its sizes likewise."""


def sleep_between_products() -> bool:
    """Let OpenBLAS's threads sleep until the next product comes; says whether they do.

    They do if `autograd` was imported before NumPy. Afterwards the OpenBLAS of NumPy up to 2.5.2 can still be told, if
    no other threads run. A newer one cannot: then import `autograd` first, or have `OPENBLAS_THREAD_TIMEOUT=16` in the
    environment.
    """
    if not _free or set_num_threads is None:
        return False
    if _comes_first:
        return True
    named = ("openblas_read_env", "blas_thread_shutdown_", "blas_thread_init")
    if threading.active_count() > 1 or not all(hasattr(_library, name) for name in named):
        return False
    read_environment, stop, start = [getattr(_library, name) for name in named]
    with _short_timeout():
        read_environment()
        stop()
        start()
    return True
