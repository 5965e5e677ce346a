"""Three settings of the process, because a training step makes the same objects over and over.

They are made by the first backward pass, optimizer step, function of many numbers or work that threads share; importing
changes nothing.

Freed memory is kept. glibc gives every large block back to the system, and faults it in again page by page when the
next array of that size is made; a step can spend most of its time so. Nothing is set where the environment already sets
something (`MALLOC_TRIM_THRESHOLD_` and the like), or where the C library is another one.

The garbage collector looks less often. It looks for reference cycles among all objects each time some hundred have been
made, and a graph is many objects without a cycle. Nothing is set if somebody has changed the threshold already.

OpenBLAS's threads go to sleep when a product is done. They wait for the next one by spinning for 25 ms, on the
processors that all other work needs. Nothing is set if `OPENBLAS_THREAD_TIMEOUT` is; and if NumPy was imported earlier,
then not if other threads run already or OpenBLAS is of the newest, which cannot be told so late (`blas.py`).

`GRADCIRCUIT_PROCESS=0` in the environment leaves all three alone.
"""

import ctypes
import gc
import os
import platform

from autograd.runtime import blas

KEPT = 512 << 20
"""Bytes of freed memory that may be kept."""
YOUNG = 20_000
"""New objects between two looks of the collector."""

_LARGEST = 32 << 20  # the largest threshold that mallopt takes: larger blocks still go straight back
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h
_USUAL_YOUNG = (700, 2000)  # Python's own threshold, up to 3.12 and since


made = os.environ.get("GRADCIRCUIT_PROCESS") == "0"
"""Whether there is nothing left to do."""


def make() -> None:
    """Make the settings, once in a process."""
    global made
    if not made:
        made = True
        keep_freed_memory()
        collect_less_often()
        blas.sleep_between_products()


def keep_freed_memory() -> bool:
    """Let malloc keep freed memory; says whether it was told so."""
    taken = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    if taken or platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST)) and bool(mallopt(_M_TRIM_THRESHOLD, KEPT))


def collect_less_often() -> bool:
    """Raise the collector's first threshold; says whether that was done."""
    young, *older = gc.get_threshold()
    if young not in _USUAL_YOUNG:
        return False
    gc.set_threshold(YOUNG, *older)
    return True
