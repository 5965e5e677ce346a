"""NumPy's work on many numbers, a piece after the other: a piece stays in the cache from one function to the next, and
threads share the pieces.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.runtime import threads
from autograd.runtime.formulas import trace, work_of
from autograd.tensor import Outline

MANY = 1 << 20
"""Numbers from which on one thread gains by it."""
LEAST = 3
"""Additions' time from which on it pays: putting the pieces together is one more step."""


def piecewise(plain: Callable, known: dict[tuple, tuple[int, int]], args: tuple, options: dict) -> Any:
    """`plain(*args, **options)` in pieces; NotImplemented where it is not elementwise, or where that doesn't pay.

    Args:
        plain: written for arrays of any kind.
        known: keeps how much work there is for a number, 0 where there is no way, and how many results; by the kinds
            of arguments.
        args: the arrays have one shape and lie alike, without gaps; some may be the same everywhere, or without axes.
        options: what decides how the function computes.
    """
    arrays = [a for a in args if type(a) is np.ndarray and (any(a.strides) or not a.size)]
    if not arrays:
        return NotImplemented
    shape, count = arrays[0].shape, arrays[0].size
    one_thread = threads.get_num_threads() == 1
    if (one_thread and count < MANY) or not all(a.flags.c_contiguous for a in arrays) or any(
            a.ndim and a.shape != shape for a in args if type(a) is np.ndarray):
        return NotImplemented
    kinds = tuple([_kind(a) for a in args])
    dtypes = {a.dtype for a in args if type(a) is np.ndarray and a.dtype.kind == "f"}
    if len(dtypes) != 1:
        return NotImplemented
    try:
        key = *kinds, *options.values()
        if key not in known:
            known[key] = _work(plain, kinds, options)
    except TypeError:  # an option that has no hash, such as an array
        return NotImplemented
    work, results = known[key]
    if not work or (count < MANY and work * count < 2 * threads.WORTHWHILE):
        return NotImplemented
    flat = [a if type(a) is not np.ndarray or not a.ndim else a.ravel() if any(a.strides) else
            np.broadcast_to(a[(0,) * a.ndim], (count,)) for a in args]
    dtype = dtypes.pop()
    out = [np.empty(count, dtype) for _ in range(results)]

    def compute(part: slice) -> None:
        for piece in threads.pieces(part, 1):
            found = plain(*[a[piece] if type(a) is np.ndarray and a.ndim else a for a in flat], **options)
            for whole, values in zip(out, found if results > 1 else (found,), strict=True):
                whole[piece] = values

    threads.in_parallel(compute, count, count * work)
    return out[0].reshape(shape) if results == 1 else tuple([whole.reshape(shape) for whole in out])


def _kind(argument: Any) -> str:
    if type(argument) is np.ndarray:
        return {"f": "array", "b": "mask"}.get(argument.dtype.kind, "other")
    if type(argument) is Outline:
        return "outline"
    return "none" if argument is None else "number" if type(argument) in (int, float) else "other"


def _work(plain: Callable, kinds: tuple[str, ...], options: dict) -> tuple[int, int]:
    traced = None if "other" in kinds or "array" not in kinds else trace(plain, kinds, options)
    if traced is None:
        return 0, 0
    recording, results = traced
    work = work_of(recording)
    return work if work >= LEAST else 0, len(results)
