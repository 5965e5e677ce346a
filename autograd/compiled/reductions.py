"""Products over lines."""

import numpy as np

from autograd.compiled.lines import Lines
from autograd.compiled.loops import all_float32, loop, parallel
from autograd.runtime.copies import contiguous


def multiplied(x, *, dtype, axis, keepdims):
    if not all_float32(x) or dtype != np.float32:
        return NotImplemented
    lines = Lines(x, axis)
    if not lines.length:
        return NotImplemented
    out = np.empty(x.size // lines.length, np.float32)
    _multiplied(out.size, x.size, lines.of(x), out)
    return lines.back_from_ends(out, keepdims)


@parallel
def _multiplied(first, last, x, out):
    for i in range(first, last):
        row, product = x[min(i, len(x) - 1)], 1.0
        for j in range(row.size):
            product *= row[j]
        out[i] = product


def products_beside(rows):
    if not all_float32(rows) or not rows.size:
        return NotImplemented
    given = contiguous(rows).reshape(-1, rows.shape[-1])
    out = np.empty_like(given)
    _products_beside(len(given), 8 * given.size, given, out)
    return out.reshape(rows.shape)


@parallel
def _products_beside(first, last, x, out):
    """As in `operations/reductions.py`: up to the product of all, half as many numbers at a time, and back."""
    length = x.shape[1]
    tree, starts, sizes = np.empty(2 * length + 64), np.zeros(64, np.int64), np.zeros(64, np.int64)
    sizes[0], top = length, 0
    while sizes[top] > 1:
        sizes[top + 1], starts[top + 1] = (sizes[top] + 1) // 2, starts[top] + sizes[top]
        top += 1
    for i in range(first, last):
        tree[:length] = x[i]
        for level in range(top):
            one, other, above = _pairs(tree, starts[level], sizes[level])
            for j in range(other.size):
                above[j] = one[j] * other[j]
            above[other.size:one.size] = one[other.size:]
        tree[starts[top]] = 1
        for level in range(top - 1, -1, -1):
            one, other, beside = _pairs(tree, starts[level], sizes[level])
            for j in range(other.size):
                product = one[j]
                one[j] = beside[j] * other[j]
                other[j] = beside[j] * product
            one[other.size:] = beside[other.size:]
        out[i] = tree[:length]


@loop
def _pairs(tree, start, size):
    """Two halves of a level (the first may be one longer), and the level above."""
    end, half = start + size, (size + 1) // 2
    return tree[start:start + half], tree[start + half:end], tree[end:end + half]
