"""Sums along rows and columns as products with ones: BLAS takes them two to ten times as fast as NumPy's sums."""

import contextlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.runtime import threads
from autograd.runtime.compiled import compilable
from autograd.runtime.copies import put

_reduce: Any = np.add.reduce  # x.sum() without what its method adds

WORTHWHILE = 1 << 14
"""Numbers from which on it pays."""
NEAR = 1 << 23
"""Bytes up to which one thread adds: they lie in its cache, and another would have to fetch them from there."""
LONG = 1 << 8
"""Longer rows and columns are summed in parts, for the sake of accuracy."""


def added(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """`x.sum(axis, keepdims=keepdims)` of floating-point numbers, in their dtype; of a Tensor, too, as rules want."""
    if not isinstance(x, (np.ndarray, np.generic)):
        return x.sum(axis=axis, keepdims=keepdims)
    if x.dtype.char == "e":  # NumPy's sums of it stop growing at 2048
        return added(x.astype(np.float32), axis, keepdims).astype(x.dtype)
    if x.size < WORTHWHILE or x.dtype.char not in "fd":
        return _reduce(x, axis=axis if axis is None or isinstance(axis, int) else tuple(axis), keepdims=keepdims)
    return _by_products(x, axis, keepdims)


def _near(x: np.ndarray) -> contextlib.AbstractContextManager:
    """Leaves products to one thread, if x is small."""
    return contextlib.nullcontext() if x.nbytes > NEAR or threads.get_num_threads() == 1 else threads.one_blas_thread()


def _by_products(x: Any, axis: int | Sequence[int] | None, keepdims: bool) -> Any:
    if axis is None and not keepdims and x.flags.c_contiguous:
        return _of_rows(x.reshape(1, x.size))[0]
    ndim = x.ndim
    among = set(range(ndim)) if axis is None else {i % ndim for i in ([axis] if isinstance(axis, int) else axis)}
    same = [i for i in range(ndim) if i not in among and not x.strides[i] and x.shape[i] > 1]
    if same:  # one sum for all
        one = _by_products(x[tuple([slice(0, 1) if i in same else slice(None) for i in range(ndim)])], axis, True)
        whole = np.broadcast_to(one, [1 if i in among else n for i, n in enumerate(x.shape)])
        return whole if keepdims else whole.squeeze(tuple(among))
    out = _equal(x, among)
    if out is None:
        out = _as_products(x, among)
    if out is None and (run := _last_run(among)) != among:
        out = added(_by_products(x, sorted(run), False), sorted(among - run))
    if out is None:
        return _reduce(x, axis=tuple(sorted(among)), keepdims=keepdims)
    shape = [1 if i in among else n for i, n in enumerate(x.shape) if keepdims or i not in among]
    return out.reshape(shape) if shape else out.reshape(-1)[0]


def _last_run(axes: set[int]) -> set[int]:
    """The last of them, and those that lie side by side with it."""
    run = {max(axes)}
    while min(run) - 1 in axes:
        run.add(min(run) - 1)
    return run


def _equal(x: np.ndarray, among: set[int]) -> np.ndarray | None:
    """The sum where all that is added is one number, as in what was broadcast."""
    if any(x.strides[i] and x.shape[i] > 1 for i in among):
        return None
    count = math.prod(x.shape[i] for i in among)
    return x[tuple(slice(0, 1) if i in among else slice(None) for i in range(x.ndim))] * x.dtype.type(count)


def _as_products(x: np.ndarray, among: set[int]) -> np.ndarray | None:
    """The sum over axes that lie side by side, or at both ends, in an array without gaps or a small one; None for any
    other."""
    order = list(range(x.ndim))
    if not x.flags.c_contiguous:  # such as channels last
        order.sort(key=lambda i: -x.strides[i])
        x = x.transpose(order)
        if not x.flags.c_contiguous and x.nbytes <= NEAR:
            gaps, x = x, np.empty(x.shape, x.dtype)
            put(x, gaps)
        if not x.flags.c_contiguous:
            return None
    summed = [axis in among for axis in order]
    first = summed.index(False) if not all(summed) else 0
    last = x.ndim - (summed[::-1].index(False) if not all(summed) else x.ndim)
    middle = [i for i in range(first, last) if summed[i]]
    if middle and (first or last < x.ndim or middle[-1] - middle[0] >= len(middle)):
        return None
    if middle:
        lead, count = math.prod(x.shape[:middle[0]]), math.prod(x.shape[i] for i in middle)
        with _near(x):
            out = np.ones(count, x.dtype) @ x.reshape(lead, count, -1)
    else:
        rows, columns, out = math.prod(x.shape[:first]), math.prod(x.shape[first:last]), x
        if last < x.ndim:
            out = _of_rows(x.reshape(rows * columns, -1))
        if first:
            out = _of_rows(out.reshape(1, -1)) if columns == 1 else _of_columns(out.reshape(rows, columns))
    kept = [i for i in order if i not in among]
    out = out.reshape([n for n, gone in zip(x.shape, summed, strict=True) if not gone])
    return out if kept == sorted(kept) else out.transpose([kept.index(i) for i in sorted(kept)])


@compilable("autograd.compiled.sums", many=True)
def _of_columns(x: np.ndarray) -> np.ndarray:
    rows, columns = x.shape
    whole = rows - rows % LONG
    with _near(x):
        out = np.ones(rows - whole, x.dtype) @ x[whole:]
        if whole:
            out += _reduce(np.ones(LONG, x.dtype) @ x[:whole].reshape(-1, LONG, columns), axis=0)
    return out


@compilable("autograd.compiled.sums", many=True)
def _of_rows(x: np.ndarray) -> np.ndarray:
    with _near(x):
        return _rows_as_products(x)


def _rows_as_products(x: np.ndarray) -> np.ndarray:
    rows, n = x.shape
    if n < 2:
        return _reduce(x, axis=1)
    if n <= LONG:
        return x @ np.ones(n, x.dtype)
    length = LONG if x.nbytes <= NEAR else 4 * LONG  # from memory, long parts come faster
    least = -(-n // length)
    if rows == 1 and (rest := n % length):
        parts = x[0, :-rest].reshape(-1, length) @ np.ones(length, x.dtype)
        return (_reduce(parts) + _reduce(x[0, -rest:])).reshape(1)
    if count := next((count for count in range(least, least + 8) if not n % count), 0):
        parts = (x.reshape(-1, n // count) @ np.ones(n // count, x.dtype)).reshape(rows, count)
        return _rows_as_products(parts) if count <= 8 else _reduce(parts, axis=1)
    parts, ones = np.empty((least, rows), x.dtype), np.ones(length, x.dtype)
    for i, start in enumerate(range(0, n, length)):
        part = x[:, start:start + length]
        np.matmul(part, ones[:part.shape[1]], out=parts[i])
    return _reduce(parts, axis=0)
