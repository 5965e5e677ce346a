"""Freed memory is kept for the next step: one setting of the process, made when `autograd` is imported.

glibc gives every large block back to the system, and faults it in again page by page when the next array of that size is
made. A training step makes the same arrays over and over, so it can spend most of its time in page faults: keeping the
memory makes the step of a small GPT about twice as fast. Nothing is set where the environment already sets something
(`MALLOC_TRIM_THRESHOLD_` and the like), where the C library is another one, or if `GRADCIRCUIT_MALLOC=0`.
"""

import ctypes
import os
import platform

KEPT = 512 << 20
"""Bytes of freed memory that may be kept."""
_LARGEST = 32 << 20  # the largest threshold that mallopt takes: larger blocks still go straight back
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h


def keep_freed_memory() -> bool:
    """Let malloc keep freed memory; says whether it was told so."""
    taken = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    if taken or os.environ.get("GRADCIRCUIT_MALLOC") == "0" or platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST)) and bool(mallopt(_M_TRIM_THRESHOLD, KEPT))
