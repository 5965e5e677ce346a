"""Convolution of images in groups of few channels: neighbors in memory, each of which is a sum over the kernel's taps.

If a group has one channel (depthwise), the channels of all groups are computed side by side.
"""

import functools
import math

import numpy as np

from autograd.compiled.loops import loop, parallel
from nn.compiled.taps import eight_mixed, four, four_mixed, one, one_mixed, three
from nn.functional.geometry import channels_first, contiguous_channels_last, output_size


@functools.lru_cache(256)
def _met(count, n, kernel, stride, before, dilation):
    """What each of `count` places meets of n elements: its first tap, how many taps, and where the first one stands."""
    start = np.arange(count) * stride - before
    first = np.maximum(-(start // dilation), 0)
    end = np.clip((n - 1 - start) // dilation + 1, first, kernel)
    return np.stack([first, end - first, start + first * dilation], 1)


@functools.lru_cache(256)
def _meeting(n, count, kernel, stride, before, dilation):
    """The same the other way: which taps of `count` places meet each of n elements, and where the first one stands.

    Taps are `stride` apart, or places `dilation`, since one of both is 1.
    """
    at = np.arange(n) + before
    first = np.maximum(-(((count - 1) * stride - at) // dilation), 0)
    first += (at - first * dilation) % stride
    last = np.minimum(at // dilation, kernel - 1)
    return np.stack([first, np.maximum((last - first) // stride + 1, 0), (at - first * dilation) // stride], 1)


def _as_taps(weight, groups, transposed=False):
    """(C_out, C_in / groups, *kernel) -> (groups, *kernel, from, to); if depthwise, one group with all channels."""
    if weight.shape[:2] == (groups, 1):
        return np.ascontiguousarray(np.moveaxis(weight[:, 0], 0, -1)[None, :, :, None])
    split = weight.reshape(groups, -1, *weight.shape[1:])
    return np.ascontiguousarray(split.transpose((0, 3, 4, 1, 2) if transposed else (0, 3, 4, 2, 1)))


def convolve(x, weight, bias, *, stride, padding, dilation, groups):
    size, kernel = x.shape[2:], weight.shape[2:]
    out = output_size(size, kernel, stride, padding, dilation)
    result = np.empty((len(x), *out, len(weight)), x.dtype)
    rows, columns = [_met(*of_axis) for of_axis in zip(
        out, size, kernel, stride, [before for before, _ in padding], dilation, strict=True)]
    start = np.zeros(len(weight), x.dtype) if bias is None else np.ascontiguousarray(bias)
    _slide(len(x) * out[0], result.size * weight[0].size // 4, contiguous_channels_last(x), _as_taps(weight, groups),
           start, result, rows, columns, np.array([dilation, (1, 1), (1, stride[1])]))
    return channels_first(result)


def convolve_transposed(y, weight, *, size, stride, padding, dilation, groups):
    if any(s > 1 < d for s, d in zip(stride, dilation, strict=True)):
        return NotImplemented
    result = np.empty((len(y), *size, weight.shape[1] * groups), y.dtype)
    rows, columns = [_meeting(*of_axis) for of_axis in zip(
        size, y.shape[2:], weight.shape[2:], stride, [before for before, _ in padding], dilation, strict=True)]
    _slide(len(y) * size[0], y.size * weight[0].size // 4, contiguous_channels_last(y),
           _as_taps(weight, groups, transposed=True), np.zeros(result.shape[3], y.dtype), result, rows, columns,
           np.array([np.negative(dilation), stride, (stride[1], 1)]))
    return channels_first(result)


@parallel
def _slide(first, last, x, weight, start, out, rows, columns, steps):
    """Rows of `out` from those of x that the tables name.

    steps: from tap to tap in x, by rows and columns; the same in the kernel; and from one column of `out` to the next
    that meets the same taps, in `out` and in x.
    """
    groups, height, width, depth, channels = weight.shape
    mixing = groups > 1
    pixel, all_channels = x.shape[3], out.shape[3]
    row_step, column_step = pixel * steps[0, 0] * x.shape[2], pixel * steps[0, 1]
    kernel_column = depth * channels * steps[1, 1]
    kernel_row = depth * channels * steps[1, 0] * width
    apart, beside = steps[2]
    for item in range(first, last):
        n, i = item // out.shape[1], item % out.shape[1]
        for begin in range(apart):
            j = begin
            while j < out.shape[2]:
                end = j + apart  # of columns that meet the same taps
                while end < out.shape[2] and columns[end, 0] == columns[j, 0] and columns[end, 1] == columns[j, 1]:
                    end += apart
                same = (end - j) // apart
                together = 1 if same < 4 else 8 if mixing and same >= 8 else 4
                while j < end:
                    at = min(j, end - together * apart)  # the last ones may be computed twice
                    for group in range(groups):
                        target = out.ctypes.data + 4 * (
                            all_channels * (item * out.shape[2] + at) + group * channels)
                        source = x.ctypes.data + 4 * (
                            pixel * ((n * x.shape[1] + rows[i, 2]) * x.shape[2] + columns[at, 2]) + group * depth)
                        taps = weight.ctypes.data + 4 * depth * channels * (
                            (group * height + rows[i, 0]) * width + columns[at, 0])
                        begins = start.ctypes.data + 4 * group * channels
                        if not mixing and together == 4:
                            four(target, all_channels * apart, begins, 0, source, pixel * beside, row_step, column_step,
                                 taps, kernel_row, kernel_column, rows[i, 1], columns[at, 1], 1, channels)
                        elif not mixing:
                            one(target, 0, begins, 0, source, 0, row_step, column_step,
                                taps, kernel_row, kernel_column, rows[i, 1], columns[at, 1], 1, channels)
                        elif together == 8:
                            eight_mixed(
                                target, all_channels * apart, begins, 0, source, pixel * beside, row_step, column_step,
                                taps, kernel_row, kernel_column, rows[i, 1], columns[at, 1], depth, channels)
                        elif together == 4:
                            four_mixed(
                                target, all_channels * apart, begins, 0, source, pixel * beside, row_step, column_step,
                                taps, kernel_row, kernel_column, rows[i, 1], columns[at, 1], depth, channels)
                        else:
                            one_mixed(target, 0, begins, 0, source, 0, row_step, column_step,
                                      taps, kernel_row, kernel_column, rows[i, 1], columns[at, 1], depth, channels)
                    j += together * apart
                j = end


def correlate(x, y, *, kernel, stride, padding, dilation, groups):
    out = y.shape[2:]
    rows, columns = [_met(*of_axis) for of_axis in zip(
        out, x.shape[2:], kernel, stride, [before for before, _ in padding], dilation, strict=True)]
    # for each column of the kernel, from where to where its place lies inside
    taps = np.arange(kernel[1])[:, None]
    there = (columns[:, 0] <= taps) & (taps < columns[:, 0] + columns[:, 1])
    reach = np.stack([there.argmax(1), there.argmax(1) + there.sum(1)], 1)
    geometry = np.array([*stride, *dilation, padding[1][0]])
    images, y, c_in, c_out = *map(contiguous_channels_last, (x, y)), x.shape[1] // groups, y.shape[1] // groups
    if c_in == c_out == 1:
        total = np.zeros((len(x), *kernel, groups), x.dtype)
        _weigh(len(x), y.size * math.prod(kernel) // 4, images, y, total, rows, reach, geometry)
        return np.moveaxis(total.sum(axis=0), -1, 0)[:, None]
    total = np.zeros((len(x), groups, *kernel, c_in, c_out), x.dtype)
    _mix(len(x), y.size * math.prod(kernel) * c_in // 4, images, y, total, rows, reach, geometry)
    return total.sum(axis=0).transpose(0, 4, 3, 1, 2).reshape(-1, c_in, *kernel)


@parallel
def _weigh(first, last, x, y, total, rows, reach, geometry):
    """Add up, image by image, what each tap of the kernel meets times y."""
    width = total.shape[2]
    for n in range(first, last):
        for i in range(y.shape[1]):
            for tap in range(rows[i, 1]):
                row, a = rows[i, 2] + tap * geometry[2], rows[i, 0] + tap
                b = 0
                while b < width:
                    count = 4 if b + 4 <= width else 3 if b + 3 == width else 1
                    begin, end = reach[b:b + count, 0].max(), reach[b:b + count, 1].min()
                    begin, end = (begin, end) if begin < end else (0, 0)
                    _weigh_columns(x, y, total, n, i, row, a, b, count, begin, end, geometry)
                    for c in range(b, b + count):  # where not all of them lie inside
                        least, most = reach[c]
                        _weigh_columns(x, y, total, n, i, row, a, c, 1, least, min(begin, most), geometry)
                        _weigh_columns(x, y, total, n, i, row, a, c, 1, max(end, least), most, geometry)
                    b += count


@loop
def _weigh_columns(x, y, total, n, i, row, a, b, count, begin, end, geometry):
    """`count` columns of the kernel from the b-th, over places of a row."""
    if begin >= end:
        return
    channels = x.shape[3]
    step, between = channels * geometry[1], channels * geometry[3]
    put = total.ctypes.data + 4 * channels * ((n * total.shape[1] + a) * total.shape[2] + b)
    column = begin * geometry[1] - geometry[4] + b * geometry[3]
    source = x.ctypes.data + 4 * channels * ((n * x.shape[1] + row) * x.shape[2] + column)
    factor = y.ctypes.data + 4 * channels * ((n * y.shape[1] + i) * y.shape[2] + begin)
    if count == 4:
        four(put, channels, put, channels, source, between, 0, step, factor, 0, channels, 1, end - begin, 1, channels)
    elif count == 3:
        three(put, channels, put, channels, source, between, 0, step, factor, 0, channels, 1, end - begin, 1, channels)
    else:
        one(put, channels, put, channels, source, between, 0, step, factor, 0, channels, 1, end - begin, 1, channels)


@parallel
def _mix(first, last, x, y, total, rows, reach, geometry):
    """Add up, image by image, what each tap of the kernel meets times y, in groups."""
    groups, height, width, depth, channels = total.shape[1:]
    pixel, step = x.shape[3], x.shape[3] * geometry[1]
    for n in range(first, last):
        for i in range(y.shape[1]):
            for tap in range(rows[i, 1]):
                row, a = rows[i, 2] + tap * geometry[2], rows[i, 0] + tap
                for b in range(width):
                    begin, count = reach[b, 0], reach[b, 1] - reach[b, 0]
                    column = begin * geometry[1] - geometry[4] + b * geometry[3]
                    for group in range(groups):
                        source = x.ctypes.data + 4 * (
                            pixel * ((n * x.shape[1] + row) * x.shape[2] + column) + group * depth)
                        factor = y.ctypes.data + 4 * (
                            y.shape[3] * ((n * y.shape[1] + i) * y.shape[2] + begin) + group * channels)
                        d = 0
                        while d < depth:
                            put = total.ctypes.data + 4 * channels * (
                                (((n * groups + group) * height + a) * width + b) * depth + d)
                            if depth - d >= 8:
                                eight_mixed(put, channels, put, channels, source + 4 * d, 1, 0, step,
                                            factor, 0, y.shape[3], 1, count, 1, channels)
                                d += 8
                            elif depth - d >= 4:
                                four_mixed(put, channels, put, channels, source + 4 * d, 1, 0, step,
                                           factor, 0, y.shape[3], 1, count, 1, channels)
                                d += 4
                            else:
                                one_mixed(put, channels, put, channels, source + 4 * d, 1, 0, step,
                                          factor, 0, y.shape[3], 1, count, 1, channels)
                                d += 1
