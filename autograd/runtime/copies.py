"""Numbers put where they belong, however they lie in memory."""

from typing import Any

import numpy as np

from autograd.runtime.compiled import compilable
from autograd.runtime.threads import in_parallel

MANY = 1 << 15
"""Numbers that NumPy does not copy before others could begin."""
STRIP = 8
"""Columns read together of rows so far apart that the cache could not hold one of each."""


def put(out: np.ndarray, values: Any) -> None:
    """`out[...] = values`: a number, or an array that shares no memory with `out`."""
    if out.size < MANY:
        out[...] = values
    else:
        _put_many(out, values)


@compilable("autograd.compiled.copies")
def _put_many(out: np.ndarray, values: Any) -> None:
    if out.ndim < 2 or getattr(values, "shape", ()) != out.shape:
        out[...] = values
        return
    width, step = out.shape[-1], values.strides[-1]
    strip = STRIP if step and step % 4096 == 0 else width

    def copy(part: slice) -> None:
        for i in range(0, width, strip):
            out[part, ..., i:i + strip] = values[part, ..., i:i + strip]

    in_parallel(copy, len(out), out.size * (1 if step in (0, out.itemsize) else 4))


def contiguous(x: np.ndarray) -> np.ndarray:
    """x, or a copy, without gaps and in the order of its axes. `np.ascontiguousarray` takes ten times as long for many
    numbers that lie in another order.
    """
    if x.flags.c_contiguous:
        return x
    out = np.empty(x.shape, x.dtype)
    put(out, x)
    return out


def everywhere(number: Any, shape: tuple[int, ...]) -> np.ndarray:
    """`np.broadcast_to` of one number, in a tenth of the time: an array that cannot be written to."""
    out: np.ndarray = np.ndarray(shape, number.dtype, number, 0, (0,) * len(shape))
    out.flags.writeable = False
    return out


def filled(shape: Any, value: Any, dtype: Any) -> np.ndarray:
    """An array of one number."""
    out = np.empty(shape, dtype)
    if out.size < MANY:
        out.fill(value)
    else:
        _put_many(out, value)
    return out


def in_memory_order(x: np.ndarray, dtype: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An empty array of x's outline, its numbers one after the other as they lie in memory, and x's in the same order.
    """
    out = np.empty_like(x, dtype)
    steps = [step // out.itemsize * x.itemsize for step in out.strides]
    if not x.flags.c_contiguous and list(x.strides) != steps:  # it has gaps, or repeats what may lie in any order
        x = contiguous(x)
        out = np.empty_like(x, dtype)
    return out, out.ravel(order="K"), x.ravel(order="K")
