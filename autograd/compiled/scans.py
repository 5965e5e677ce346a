"""Running sums and products as loops, in float64: rows side by side, since each number waits for the one before."""

import math

import numpy as np

from autograd.compiled.loops import all_float32, loop, parallel
from autograd.operations.pointwise import times
from autograd.operations.scans import before
from autograd.operations.shaping import axis
from autograd.runtime.copies import contiguous

SIDE_BY_SIDE = 4
"""Rows of one item."""
COLUMNS = 64
"""Columns of one item."""


def accumulated(x, method, dim, dtype=None, from_end=False):
    if not all_float32(x) or not (dtype is None or dtype == np.float32) or not x.size:
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


def products_back(g, out, x, dim):
    sums = running_back(g, x, dim)
    return sums if sums is NotImplemented else times(sums, before(out, 1, dim))


def _around(x, dim):
    """x as (lead, n, rest)."""
    dim = axis(dim, x.ndim)
    return contiguous(x).reshape(math.prod(x.shape[:dim]), -1, math.prod(x.shape[dim + 1:]))


def _items(seen, side_by_side=SIDE_BY_SIDE):
    lead, _, rest = seen.shape
    return -(-lead // side_by_side) if rest == 1 else lead * -(-rest // COLUMNS)


@loop
def _columns(item, x):
    """Of which part of x an item is a block of columns, and where they begin."""
    blocks = -(-x.shape[2] // COLUMNS)
    return item // blocks, item % blocks * COLUMNS


@loop
def _side_by_side(item, x):
    """The rows of an item, the last one several times where there are no more."""
    first, last = item * SIDE_BY_SIDE, len(x) - 1
    return x[first, :, 0], x[min(first + 1, last), :, 0], x[min(first + 2, last), :, 0], x[min(first + 3, last), :, 0]


@parallel
def _along_rows(first, last, x, out, multiplies, from_end):
    n = x.shape[1]
    for item in range(first, last):
        (a, b, c, d), (e, f, g, h) = _side_by_side(item, x), _side_by_side(item, out)
        p = q = r = s = np.float64(multiplies)
        for step in range(n):
            j = np.uint64(n - 1 - step if from_end else step)
            if multiplies:
                p, q, r, s = p * a[j], q * b[j], r * c[j], s * d[j]
            else:
                p, q, r, s = p + a[j], q + b[j], r + c[j], s + d[j]
            e[j], f[j], g[j], h[j] = p, q, r, s


@parallel
def _along_columns(first, last, x, out, multiplies, from_end):
    n, total = x.shape[1], np.empty(COLUMNS)
    for item in range(first, last):
        i, start = _columns(item, x)
        total[:] = multiplies
        for step in range(n):
            j = n - 1 - step if from_end else step
            row, result = x[i, j, start:start + COLUMNS], out[i, j, start:start + COLUMNS]
            for k in range(row.size):
                total[k] = total[k] * row[k] if multiplies else total[k] + row[k]
                result[k] = total[k]


@loop
def _next(g, factor, total):
    return g + (factor * total if factor else 0.0)


@parallel
def _back_along_rows(first, last, g, step, factor, out):
    n = factor.shape[1]
    for item in range(first, last):
        (a, b, c, d), (e, f, k, h) = _side_by_side(item, factor), _side_by_side(item, out)
        v, w, x, y = _side_by_side(item * step, g)
        p = q = r = s = np.float64(0)
        for j in range(n - 1, -1, -1):
            i, following = np.uint64(j * step), np.uint64(min(j + 1, n - 1))
            p, q = _next(v[i], a[following], p), _next(w[i], b[following], q)
            r, s = _next(x[i], c[following], r), _next(y[i], d[following], s)
            e[j], f[j], k[j], h[j] = p, q, r, s


@parallel
def _back_along_columns(first, last, g, step, factor, out):
    n, total = factor.shape[1], np.empty(COLUMNS)
    for item in range(first, last):
        i, start = _columns(item, factor)
        total[:] = 0
        for j in range(n - 1, -1, -1):
            row, result = g[i * step, j * step, start * step:], out[i, j, start:start + COLUMNS]
            by = factor[i, min(j + 1, n - 1), start:start + COLUMNS]
            for k in range(result.size):
                total[k] = _next(row[k * step], by[k], total[k])
                result[k] = total[k]


def extremes(x, ufunc, dim):
    if not all_float32(x) or not x.size:
        return NotImplemented
    seen, values, indices = _around(x, dim), np.empty(x.shape, x.dtype), np.empty(x.shape, np.int64)
    loop = _extremes_of_rows if seen.shape[2] == 1 else _extremes_of_columns
    loop(_items(seen, 1), 4 * x.size, seen, ufunc is np.maximum, values.reshape(seen.shape),
         indices.reshape(seen.shape))
    return values, indices


@loop
def _replaces(number, best, largest):
    """As a later one of equal ones does, or NaN."""
    return (number >= best if largest else number <= best) or np.isnan(number)


@parallel
def _extremes_of_rows(first, last, x, largest, values, indices):
    for i in range(first, last):
        row, to, at = x[i].reshape(-1), values[i].reshape(-1), indices[i].reshape(-1)
        best, place = np.float32(-np.inf if largest else np.inf), 0
        for j in range(row.size):
            number = row[j]
            replaces = _replaces(number, best, largest)
            best, place = number if replaces else best, j if replaces else place
            to[j] = best
            at[j] = place


@parallel
def _extremes_of_columns(first, last, x, largest, values, indices):
    best, place = np.empty(COLUMNS, np.float32), np.empty(COLUMNS, np.int64)
    for item in range(first, last):
        i, start = _columns(item, x)
        best[:] = -np.inf if largest else np.inf
        place[:] = 0
        for j in range(x.shape[1]):
            row, to = x[i, j, start:start + COLUMNS], values[i, j, start:start + COLUMNS]
            at = indices[i, j, start:start + COLUMNS]
            for k in range(row.size):
                if _replaces(row[k], best[k], largest):
                    best[k], place[k] = row[k], j
                to[k], at[k] = best[k], place[k]
