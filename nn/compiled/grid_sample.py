"""Images read between their pixels: loops over positions, or over pixels where positions meet."""

import numpy as np

from autograd.compiled.loops import all_float32, parallel
from autograd.operations.shaping import is_spread
from autograd.runtime.threads import get_num_threads


def weighted_rows_forward(x, weight, *, index):
    if not all_float32(x, weight):
        return NotImplemented
    x, weight, index = map(np.ascontiguousarray, (x, weight, index))
    out = np.empty((len(index), x.shape[1]), x.dtype)
    _weigh(len(index), index.size * x.shape[1], x, weight, index, out)
    return out


@parallel
def _weigh(first, last, x, weight, index, out):
    for p in range(first, last):
        row = out[p]
        row[:] = 0
        for k in range(index.shape[1]):
            factor = weight[p, k]
            if index[p, k] < len(x):
                of = x[index[p, k]]
                for c in range(row.size):
                    row[c] += factor * of[c]
            elif not np.isfinite(factor):
                row[:] = np.nan


def _rows(y):
    """Rows, and how many it is from one to the next: where all are one number, as in the gradient of a sum, 0."""
    if is_spread(y):
        return np.full((1, y.shape[1]), y[0, 0]), 0
    return np.ascontiguousarray(y), 1


def spread_rows_forward(y, weight, *, index, count):
    if not all_float32(y, weight):
        return NotImplemented
    (y, step), weight, index = _rows(y), *map(np.ascontiguousarray, (weight, index))
    out = np.empty((count, y.shape[1]), y.dtype)
    parts = get_num_threads()  # of rows: of columns, processors would take narrow rows from each other
    _spread(parts, index.size * y.shape[1], parts, y, step, weight, index, out)
    return out


@parallel
def _spread(first, last, parts, y, step, weight, index, out):
    begin, end = len(out) * first // parts, len(out) * last // parts
    out[begin:end] = 0
    for p in range(len(index)):
        for k in range(index.shape[1]):
            if begin <= index[p, k] < end:
                of, row, factor = y[p * step], out[index[p, k]], weight[p, k]
                for c in range(of.size):
                    row[c] += factor * of[c]


def row_products_forward(y, x, *, index):
    if not all_float32(y, x):
        return NotImplemented
    (y, step), x, index = _rows(y), *map(np.ascontiguousarray, (x, index))
    out = np.zeros(index.shape, y.dtype)
    _multiply(len(index), index.size * x.shape[1], y, step, x, index, out)
    return out


@parallel
def _multiply(first, last, y, step, x, index, out):
    for p in range(first, last):
        for k in range(index.shape[1]):
            if index[p, k] < len(x):
                of, row = y[p * step], x[index[p, k]]
                total = np.float32(0)
                for c in range(of.size):
                    total += of[c] * row[c]
                out[p, k] = total
