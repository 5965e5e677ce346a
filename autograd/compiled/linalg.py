"""Systems of equations with stacks of small matrices: for each, LAPACK takes longer to begin than to solve.

In float64, as NumPy does it.
"""

import math

import numpy as np

from autograd.compiled.loops import parallel

LARGEST = 32
"""Rows of a matrix up to which it pays."""


def solved(a, b):
    n = a.shape[-1] if a.ndim > 2 else 0
    if (not 0 < n <= LARGEST or a.dtype not in (np.float32, np.float64) or b.dtype != a.dtype
            or a.shape[-2] != n or b.ndim != a.ndim or b.shape[:-1] != a.shape[:-1] or not b.size):
        return NotImplemented
    stack, rows, out = math.prod(a.shape[:-2]), a.astype(np.float64, order="C"), b.astype(np.float64, order="C")
    regular = np.zeros(stack, np.bool_)
    _eliminate(stack, stack * n * n * (n // 3 + b.shape[-1]), rows.reshape(stack, n, n), out.reshape(stack, n, -1),
               regular)
    if not regular.all() or not np.isfinite(out).all():  # for NumPy to say, or to find what else is no number
        return NotImplemented
    return out.astype(a.dtype, copy=False)


def inverted(a):
    if a.ndim < 3 or not a.size:
        return NotImplemented
    return solved(a, np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape))


@parallel
def _eliminate(first, last, a, x, regular):
    """Gauss's elimination with the largest pivot of a column; of singular matrices no solution is found."""
    n = a.shape[1]
    for item in range(first, last):
        rows, values = a[item], x[item]
        regular[item] = True
        for i in range(n):
            best = i
            for j in range(i + 1, n):
                if abs(rows[j, i]) > abs(rows[best, i]):
                    best = j
            if rows[best, i] == 0:
                regular[item] = False
                break
            if best != i:
                for k in range(n):
                    rows[i, k], rows[best, k] = rows[best, k], rows[i, k]
                for k in range(values.shape[1]):
                    values[i, k], values[best, k] = values[best, k], values[i, k]
            for j in range(i + 1, n):
                factor = rows[j, i] / rows[i, i]
                row, pivot, value, known = rows[j, i + 1:], rows[i, i + 1:], values[j], values[i]
                for k in range(row.size):
                    row[k] -= factor * pivot[k]
                for k in range(value.size):
                    value[k] -= factor * known[k]
        if regular[item]:
            for i in range(n - 1, -1, -1):
                value = values[i]
                for j in range(i + 1, n):
                    factor, known = rows[i, j], values[j]
                    for k in range(value.size):
                        value[k] -= factor * known[k]
                for k in range(value.size):
                    value[k] /= rows[i, i]
