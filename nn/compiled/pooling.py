"""Maxima of windows of images: channels side by side, and the gradient put where each maximum stood."""

import math

import numpy as np

from autograd.compiled.loops import all_float32, loop, parallel
from autograd.operations.shaping import in_order
from nn.functional.geometry import channels_first, channels_last, contiguous_channels_last, output_size


def _lies_last(x):
    return channels_last(x).flags.c_contiguous and not x.flags.c_contiguous


def max_pool_forward(x, *, kernel, stride, padding, dilation):
    if len(kernel) != 2 or math.prod(kernel) > 256 or not all_float32(x) or not (x.flags.c_contiguous or _lies_last(x)):
        return NotImplemented
    out = output_size(x.shape[2:], kernel, stride, padding, dilation)
    shape = len(x), *out, x.shape[1]
    values, winner = np.empty(shape, x.dtype), np.empty(shape, np.int32)
    geometry = np.array([*kernel, *stride, *dilation, *[before for before, _ in padding]])
    _pool(len(x) * out[0], values.size * math.prod(kernel), contiguous_channels_last(x), values, winner, geometry)
    if _lies_last(x):
        return channels_first(values), channels_first(winner.astype(np.uint8))
    number = in_order(channels_first(winner.view(np.float32))).view(np.int32)
    return in_order(channels_first(values)), number.astype(np.uint8)


@parallel
def _pool(first, last, x, values, winner, geometry):
    height, width = x.shape[1:3]
    channels = np.uint64(x.shape[3])
    for item in range(first, last):
        n, i = item // values.shape[1], item % values.shape[1]
        top = i * geometry[2] - geometry[6]
        for j in range(values.shape[2]):
            left = j * geometry[3] - geometry[7]
            best, number = values[n, i, j], winner[n, i, j]
            best[:] = -np.inf
            number[:] = _inside(top, geometry[4], geometry[0]) * geometry[1] + _inside(left, geometry[5], geometry[1])
            for a in range(geometry[0]):
                for b in range(geometry[1]):
                    row, column = top + a * geometry[4], left + b * geometry[5]
                    if 0 <= row < height and 0 <= column < width:
                        other, k = x[n, row, column], np.int32(a * geometry[1] + b)
                        for c in range(channels):  # of equal ones the first; of those that are no number the last
                            larger = other[c] > best[c] or other[c] != other[c]
                            best[c] = other[c] if larger else best[c]
                            number[c] = k if larger else number[c]


@loop
def _inside(start, dilation, count):
    """The first of `count` elements of a window that does not lie in the padding."""
    return min(max(-(start // dilation), 0), count - 1)


def put_forward(y, *, winner, size, kernel, stride, padding, dilation):
    if len(kernel) != 2 or not all_float32(y) or winner.dtype != np.uint8 or not (
            winner.flags.c_contiguous or _lies_last(winner)):
        return NotImplemented
    out = np.zeros((len(y), *size, y.shape[1]), y.dtype)
    geometry = np.array([*kernel, *stride, *dilation, *[before for before, _ in padding]])
    if _lies_last(winner):
        _put(len(y), y.size * math.prod(kernel), contiguous_channels_last(y), channels_last(winner), out, geometry)
        return channels_first(out)
    number = contiguous_channels_last(winner.astype(np.int32).view(np.float32)).view(np.int32).astype(np.uint8)
    _put(len(y), y.size * math.prod(kernel), contiguous_channels_last(y), number, out, geometry)
    return in_order(channels_first(out))


@parallel
def _put(first, last, y, winner, out, geometry):
    height, width = out.shape[1:3]
    channels = np.uint64(out.shape[3])
    for n in range(first, last):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                of, number = y[n, i, j], winner[n, i, j]
                for a in range(geometry[0]):
                    for b in range(geometry[1]):
                        row = i * geometry[2] - geometry[6] + a * geometry[4]
                        column = j * geometry[3] - geometry[7] + b * geometry[5]
                        if 0 <= row < height and 0 <= column < width:
                            into, k = out[n, row, column], np.uint8(a * geometry[1] + b)
                            for c in range(channels):
                                into[c] += of[c] if number[c] == k else np.float32(0)
