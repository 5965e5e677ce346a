"""Sums along rows and columns as products with ones: BLAS takes them two to ten times as fast as NumPy's sums."""

import math
from collections.abc import Sequence

import numpy as np

WORTHWHILE = 1 << 14
"""Numbers from which on it pays."""
LONG = 1 << 10
"""Longer rows and columns are summed in parts, for the sake of accuracy."""


def added(x: np.ndarray, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> np.ndarray:
    """`x.sum(axis, keepdims=keepdims)` of floating-point numbers, in their dtype."""
    if x.size < WORTHWHILE or x.dtype.char not in "fd":
        return np.add.reduce(x, axis=axis if axis is None or isinstance(axis, int) else tuple(axis), keepdims=keepdims)
    ndim = x.ndim
    among = set(range(ndim)) if axis is None else {i % ndim for i in ([axis] if isinstance(axis, int) else axis)}
    out = _equal(x, among)
    if out is None and x.flags.c_contiguous:
        out = _at_the_ends(x, among)
    if out is None:
        return np.add.reduce(x, axis=tuple(sorted(among)), keepdims=keepdims)
    shape = [1 if i in among else n for i, n in enumerate(x.shape) if keepdims or i not in among]
    return out.reshape(shape) if shape else out.reshape(-1)[0]


def _equal(x: np.ndarray, among: set[int]) -> np.ndarray | None:
    """The sum where all that is added is one number, as in what was broadcast."""
    if any(x.strides[i] and x.shape[i] > 1 for i in among):
        return None
    count = math.prod(x.shape[i] for i in among)
    return x[tuple(slice(0, 1) if i in among else slice(None) for i in range(x.ndim))] * x.dtype.type(count)


def _at_the_ends(x: np.ndarray, among: set[int]) -> np.ndarray | None:
    """The sum over the first axes, the last, or both; None if others are among them."""
    first, last = 0, x.ndim
    while last and last - 1 in among:
        last -= 1
    while first < last and first in among:
        first += 1
    if first + x.ndim - last != len(among):
        return None
    rows, columns = math.prod(x.shape[:first]), math.prod(x.shape[first:last])
    if last < x.ndim:
        x = _of_rows(x.reshape(rows * columns, -1))
    if not first:
        return x
    return _of_rows(x.reshape(1, -1)) if columns == 1 else _of_columns(x.reshape(rows, columns))


def _of_columns(x: np.ndarray) -> np.ndarray:
    rows, columns = x.shape
    whole = rows - rows % LONG
    out = np.ones(rows - whole, x.dtype) @ x[whole:]
    if whole:
        out += np.add.reduce(np.ones(LONG, x.dtype) @ x[:whole].reshape(-1, LONG, columns), axis=0)
    return out


def _of_rows(x: np.ndarray) -> np.ndarray:
    rows, n = x.shape
    if n < 4:
        return np.add.reduce(x, axis=1)
    whole = n - n % LONG if n > LONG else n
    part = min(n, LONG)
    if whole == n:
        out = (x.reshape(-1, part) @ np.ones(part, x.dtype)).reshape(rows, -1)
    elif rows == 1:
        out = np.append(x[0, :whole].reshape(-1, part) @ np.ones(part, x.dtype), x[0, whole:].sum())[None]
    else:
        return np.add.reduce(x, axis=1)
    return out[:, 0] if out.shape[1] == 1 else np.add.reduce(out, axis=1)
