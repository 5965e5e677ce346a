"""Sums along rows and columns, which threads share by fixed parts: the result is the same for any number of threads."""

import numpy as np

from autograd.compiled.lines import PART, added
from autograd.compiled.loops import all_float32, parallel

ROWS = 64
"""Rows that are added up by one thread."""
SHORT = 64
"""Numbers of a row for which BLAS is as good."""


def of_rows(x):
    if not all_float32(x) or not x.flags.c_contiguous or not x.size:
        return NotImplemented
    rows, n = x.shape
    if n < SHORT:
        return NotImplemented
    if rows == 1:
        parts = np.empty(-(-n // PART))
        _of_parts(parts.size, n, x[0], parts)
        return np.add.reduce(parts, keepdims=True).astype(np.float32)
    out = np.empty(rows, np.float32)
    _of_rows(rows, x.size, x, out)
    return out


@parallel
def _of_parts(first, last, x, out):
    for i in range(first, last):
        out[i] = added(x[i * PART:(i + 1) * PART])


@parallel
def _of_rows(first, last, x, out):
    for i in range(first, last):
        out[i] = added(x[i])


def of_columns(x):
    if not all_float32(x) or not x.flags.c_contiguous or not x.size or x.shape[1] < SHORT:
        return NotImplemented
    parts = np.empty((-(-len(x) // ROWS), x.shape[1]), np.float32)
    _of_columns(len(parts), x.size, x, parts)
    return parts[0] if len(parts) == 1 else of_columns(parts)


@parallel
def _of_columns(first, last, x, out):
    for part in range(first, last):
        total, begin = out[part], part * ROWS
        total[:] = x[begin]
        for i in range(begin + 1, min(begin + ROWS, len(x))):
            row = x[i]
            for j in range(total.size):
                total[j] += row[j]
