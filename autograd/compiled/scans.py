"""Running sums and products as loops, in float64: rows side by side, since each number waits for the one before."""

import math

import numpy as np

from autograd.compiled.loops import all_float32, parallel
from autograd.operations.shaping import axis

SIDE_BY_SIDE = 8
"""Rows of one item."""
COLUMNS = 64
"""Columns of one item."""


def accumulated(x, method, dim, dtype=None, from_end=False):
    if not all_float32(x) or dtype not in (None, np.float32) or not x.size:
        return NotImplemented
    seen, out = _around(x, dim), np.empty(x.shape, x.dtype)
    loop = _along_rows if seen.shape[2] == 1 else _along_columns
    loop(_items(seen), 2 * x.size, seen, out.reshape(seen.shape), method is np.cumprod, from_end)
    return out


def running_back(g, factor, dim):
    if not all_float32(g, factor) or not g.size:
        return NotImplemented
    seen, out = _around(factor, dim), np.empty(g.shape, g.dtype)
    g = _around(g if any(g.strides) else g[(slice(0, 1),) * g.ndim], dim)  # or one number, as the gradient of a sum
    loop = _back_along_rows if seen.shape[2] == 1 else _back_along_columns
    loop(_items(seen), 4 * seen.size, g, int(g.size > 1), seen, out.reshape(seen.shape))
    return out if np.isfinite(out).all() else NotImplemented


def _around(x, dim):
    """x as (lead, n, rest)."""
    dim = axis(dim, x.ndim)
    return np.ascontiguousarray(x).reshape(math.prod(x.shape[:dim]), -1, math.prod(x.shape[dim + 1:]))


def _items(seen):
    lead, _, rest = seen.shape
    return -(-lead // SIDE_BY_SIDE) if rest == 1 else lead * -(-rest // COLUMNS)


@parallel
def _along_rows(first, last, x, out, multiplies, from_end):
    n, total = x.shape[1], np.empty(SIDE_BY_SIDE)
    for item in range(first, last):
        rows, results = x[item * SIDE_BY_SIDE:(item + 1) * SIDE_BY_SIDE], out[item * SIDE_BY_SIDE:]
        total[:] = multiplies
        for step in range(n):
            j = np.uint64(n - 1 - step if from_end else step)
            for i in range(len(rows)):
                total[i] = total[i] * rows[i, j, 0] if multiplies else total[i] + rows[i, j, 0]
                results[i, j, 0] = total[i]


@parallel
def _along_columns(first, last, x, out, multiplies, from_end):
    n, total = x.shape[1], np.empty(COLUMNS)
    blocks = -(-x.shape[2] // COLUMNS)
    for item in range(first, last):
        i, start = item // blocks, item % blocks * COLUMNS
        total[:] = multiplies
        for step in range(n):
            j = n - 1 - step if from_end else step
            row, result = x[i, j, start:start + COLUMNS], out[i, j, start:start + COLUMNS]
            for k in range(row.size):
                total[k] = total[k] * row[k] if multiplies else total[k] + row[k]
                result[k] = total[k]


@parallel
def _back_along_rows(first, last, g, step, factor, out):
    n, total = factor.shape[1], np.empty(SIDE_BY_SIDE)
    for item in range(first, last):
        start = item * SIDE_BY_SIDE
        rows, factors, results = g[start * step:], factor[start:start + SIDE_BY_SIDE], out[start:]
        for i in range(len(factors)):
            total[i] = rows[i * step, (n - 1) * step, 0]
            results[i, n - 1, 0] = total[i]
        for j in range(n - 2, -1, -1):
            for i in range(len(factors)):
                by = factors[i, j + 1, 0]
                total[i] = rows[i * step, j * step, 0] + (total[i] * by if by else 0.0)
                results[i, j, 0] = total[i]


@parallel
def _back_along_columns(first, last, g, step, factor, out):
    n, total = factor.shape[1], np.zeros(COLUMNS)
    blocks = -(-factor.shape[2] // COLUMNS)
    for item in range(first, last):
        i, start = item // blocks, item % blocks * COLUMNS
        for j in range(n - 1, -1, -1):
            row, result = g[i * step, j * step, start * step:], out[i, j, start:start + COLUMNS]
            by = factor[i, min(j + 1, n - 1), start:start + COLUMNS]
            for k in range(result.size):
                before = total[k] * by[k] if j < n - 1 and by[k] else 0.0
                total[k] = row[k * step] + before
                result[k] = total[k]
