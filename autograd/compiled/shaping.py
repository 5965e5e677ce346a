"""Triangles of matrices, row by row."""

import numpy as np

from autograd.compiled.loops import all_float32, parallel
from autograd.operations.shaping import is_spread


def triangle(x, diagonal, below):
    if not all_float32(x) or not (x.flags.c_contiguous or is_spread(x)):
        return NotImplemented
    height, width = x.shape[-2:]
    out, step = np.empty(x.shape, x.dtype), int(any(x.strides))
    rows = x.reshape(-1, width) if step else np.full((1, width), x[(0,) * x.ndim])
    _cut(out.size // width, x.size, rows, step, height, diagonal + below, below, out.reshape(-1, width))
    return out


@parallel
def _cut(first, last, x, step, height, diagonal, below, out):
    """Of each row, what comes before the given diagonal, or from it on."""
    for item in range(first, last):
        row, result = x[item * step], out[item]
        cut = min(max(item % height + diagonal, 0), row.size)
        start, stop = (0, cut) if below else (cut, row.size)
        result[:start] = 0
        result[stop:] = 0
        kept, copied = row[start:stop], result[start:stop]
        for j in range(copied.size):
            copied[j] = kept[j]
