"""Distances from differences: of a row from several columns at once, which is as exact as float32 and needs no second
look."""

import numpy as np

from autograd.compiled.loops import all_float32, loop, parallel
from autograd.operations.shaping import in_order
from autograd.runtime.copies import contiguous

ROWS, COLUMNS = 16, 256
"""How many rows are compared with how many others, which stay in the cache meanwhile."""
TERMS = 1 << 10
"""So many numbers are added up in float32, their sums in float64."""
WIDE = 16
"""From so many numbers of a row on, several are taken at once, and not several rows."""
SMALL, INFINITY = np.float32(1e-15), np.float32(np.inf)


def euclidean(x1, x2, out):
    if not all_float32(x1, x2, out) or not x1.size:
        return NotImplemented
    items = len(x1) * -(-x1.shape[1] // ROWS)
    _measure(items, out.size * x1.shape[2], contiguous(x1), _columns(x2), out)
    return None


def pulls(g, distances, x1, x2, needs_input_grad):
    if not all_float32(g, distances, x1, x2) or not distances.size or not x1.size:
        return NotImplemented
    shares, work = np.empty(distances.shape, np.float32), distances.size * x1.shape[2]
    step = int(any(g.strides))
    rows = contiguous(g) if step else np.full((1, 1, g.shape[2]), g[0, 0, 0])
    _share(len(g) * g.shape[1], 4 * g.size, rows, step, contiguous(distances), shares)

    def pulled(x, y, shares):
        out, x = np.empty(x.shape, np.float32), contiguous(x)
        if x.shape[2] < WIDE:
            _pull(len(x) * x.shape[1], work, shares, x, _columns(y), out)
        else:
            _pull_wide(len(x) * x.shape[1], work, shares, x, contiguous(y), out)
        return out

    return (pulled(x1, x2, shares) if needs_input_grad[0] else None,
            pulled(x2, x1, _columns(shares)) if needs_input_grad[1] else None)


def _columns(x):
    return in_order(x.swapaxes(1, 2))


@parallel
def _measure(first, last, x, columns, out):
    """Items are blocks of rows."""
    blocks = (x.shape[1] + ROWS - 1) // ROWS
    for item in range(first, last):
        n, begin = item // blocks, item % blocks * ROWS
        for start in range(0, out.shape[2], COLUMNS):
            for i in range(begin, min(begin + ROWS, x.shape[1])):
                row, total = x[n, i], out[n, i, start:start + COLUMNS]
                total[:] = 0
                whole = row.size - row.size % 4
                for k in range(0, whole, 4):
                    a, b, c, d = row[k], row[k + 1], row[k + 2], row[k + 3]
                    of_a, of_b = columns[n, k, start:start + COLUMNS], columns[n, k + 1, start:start + COLUMNS]
                    of_c, of_d = columns[n, k + 2, start:start + COLUMNS], columns[n, k + 3, start:start + COLUMNS]
                    for j in range(total.size):
                        total[j] += ((a - of_a[j]) * (a - of_a[j]) + (b - of_b[j]) * (b - of_b[j])
                                     + (c - of_c[j]) * (c - of_c[j]) + (d - of_d[j]) * (d - of_d[j]))
                for k in range(whole, row.size):
                    a, of_a = row[k], columns[n, k, start:start + COLUMNS]
                    for j in range(total.size):
                        total[j] += (a - of_a[j]) * (a - of_a[j])
                odd = 0
                for j in range(total.size):
                    odd += not SMALL * SMALL < total[j] < INFINITY
                    total[j] = np.sqrt(total[j])
                if odd:
                    for j in range(total.size):
                        if not SMALL < total[j] < INFINITY:
                            total[j] = _distance(row, columns[n], start + j)


@loop
def _distance(row, columns, j):
    """From one column, in float64: squares may be too small or too large."""
    total = 0.0
    for k in range(row.size):
        difference = np.float64(row[k]) - np.float64(columns[k, j])
        total += difference * difference
    return np.float32(np.sqrt(total))


@parallel
def _share(first, last, g, step, distances, out):
    """g / distances, and 0 where they are 0."""
    for item in range(first, last):
        n, i = item // out.shape[1], item % out.shape[1]
        given, distance, share = g[n * step, i * step], distances[n, i], out[n, i]
        for j in range(share.size):
            share[j] = given[j] / distance[j] if distance[j] != 0 else np.float32(0)


@parallel
def _pull(first, last, shares, x, columns, out):
    """Σ share (x - y) of each row, over the columns y."""
    for item in range(first, last):
        n, i = item // x.shape[1], item % x.shape[1]
        for k in range(x.shape[2]):
            value, total = x[n, i, k], 0.0
            for start in range(0, columns.shape[2], TERMS):
                share, column = shares[n, i, start:start + TERMS], columns[n, k, start:start + TERMS]
                part = np.float32(0)
                for j in range(share.size):
                    part += share[j] * (value - column[j])
                total += part
            out[n, i, k] = total


@parallel
def _pull_wide(first, last, shares, x, y, out):
    part = np.empty(x.shape[2], np.float32)
    total = np.empty(x.shape[2], np.float64)
    for item in range(first, last):
        n, i = item // x.shape[1], item % x.shape[1]
        row, result = x[n, i], out[n, i]
        total[:] = 0
        for start in range(0, y.shape[1], TERMS):
            share, others = shares[n, i, start:start + TERMS], y[n, start:start + TERMS]
            whole = share.size - share.size % 4
            part[:] = 0
            for j in range(0, whole, 4):
                a, b, c, d = share[j], share[j + 1], share[j + 2], share[j + 3]
                of_a, of_b, of_c, of_d = others[j], others[j + 1], others[j + 2], others[j + 3]
                for k in range(part.size):
                    part[k] += (a * (row[k] - of_a[k]) + b * (row[k] - of_b[k])
                                + c * (row[k] - of_c[k]) + d * (row[k] - of_d[k]))
            for j in range(whole, share.size):
                a, of_a = share[j], others[j]
                for k in range(part.size):
                    part[k] += a * (row[k] - of_a[k])
            for k in range(part.size):
                total[k] += part[k]
        for k in range(part.size):
            result[k] = total[k]
