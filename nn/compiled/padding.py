"""A constant around the last axes, row by row where rows are long: NumPy begins short ones faster."""

import math

import numpy as np

from autograd.compiled.loops import all_float32, parallel

AXES = 4
LONG = 128


def constant_pad_forward(x, *, before, after, value):
    if not all_float32(x) or not x.flags.c_contiguous or x.shape[-1] < LONG or any(
            before[:1 - AXES] + after[:1 - AXES]):
        return NotImplemented
    out = np.empty([n + b + a for n, b, a in zip(x.shape, before, after, strict=True)], x.dtype)
    last = (0,) * (AXES - 1) + before
    _pad(math.prod(out.shape[:-1]), out.size, _of_four_axes(x), np.array(last[1 - AXES:], np.int64),
         np.float32(value), _of_four_axes(out))
    return out


def _of_four_axes(x):
    """x with those before the last three as one."""
    last = x.shape[1 - AXES:]
    return x.reshape(math.prod(x.shape[:1 - AXES]), *(1,) * (AXES - 1 - len(last)), *last)


@parallel
def _pad(first, last, x, before, value, out):
    depth, height, width = out.shape[1:]
    i, j, k = first // height // depth, first // height % depth, first % height
    for _ in range(first, last):
        row, front, above, start, stop = out[i, j, k], j - before[0], k - before[1], width, width
        if 0 <= front < x.shape[1] and 0 <= above < x.shape[2]:
            start, stop = before[2], before[2] + x.shape[3]
            source, inside = x[i, front, above], row[start:stop]
            for m in range(source.size):
                inside[m] = source[m]
        for m in range(start):
            row[m] = value
        for m in range(stop, width):
            row[m] = value
        k += 1
        if k == height:
            j, k = j + 1, 0
        if j == depth:
            i, j = i + 1, 0
