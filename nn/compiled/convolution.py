"""Convolution of images: what windows have of each row of an image is laid out for a few rows at a time."""

import functools
import math

import numpy as np

from autograd.compiled.loops import all_float32, loop
from autograd.compiled.products import HAS_PRODUCTS
from autograd.runtime.copies import contiguous
from autograd.runtime.products import in_columns
from autograd.runtime.threads import in_parallel
from nn.compiled import grouped, pixels, winograd
from nn.compiled.products import product_in_columns, transposed_product
from nn.functional.convolution import as_weight, is_deep, is_depthwise, numbers, over_images, weight_matrices
from nn.functional.geometry import channels_first, contiguous_channels_last, output_size

WINDOWS = 1 << 16
"""How many numbers of windows are made at a time: they stay in a core's cache."""
MANY = 32
"""Of how many channels there must be a multiple for tiles."""
SMALL_GROUP = 32 * 32
"""How many pairs of channels there are at most in groups for which windows are not made."""


def _has_loop(weight_shape, groups, *arrays):
    """Whether there is a loop; for a kernel of one element, whose windows are the pixels, NumPy needs none."""
    return (len(weight_shape) == 4 and weight_shape[2:] != (1, 1) and HAS_PRODUCTS and all_float32(*arrays)
            and not is_depthwise(weight_shape, groups))


def _takes_only_products(weight_shape, groups):
    """Whether products of many rows are all that takes time, and NumPy's are as good."""
    return is_deep(weight_shape[1], weight_shape[2:], weight_shape[0] // groups)


def _has_small_groups(weight_shape, groups, *arrays):
    """Whether a group has so few channels that sums in registers are faster than products."""
    few = is_depthwise(weight_shape, groups) or weight_shape[1] * weight_shape[0] // groups <= SMALL_GROUP
    return len(weight_shape) == 4 and groups > 1 and few and all_float32(*arrays)


def _has_tiles(weight_shape, stride, dilation, groups, *arrays):
    """Whether products over tiles are fewer than those over windows, and make up for what they need besides."""
    return (weight_shape[2:] == (3, 3) and set(stride) == set(dilation) == {1} and groups == 1
            and weight_shape[0] % MANY == weight_shape[1] % MANY == 0 and all_float32(*arrays))


def _geometry(size, out, kernel, stride, padding, dilation):
    """What the loops need to know: kernel, stride, dilation, padding before, and a size that all windows fit into."""
    reach = [max(n + sum(p), s * (m - 1) + d * (k - 1) + 1)
             for n, p, s, m, d, k in zip(size, padding, stride, out, dilation, kernel, strict=True)]
    return np.array([*kernel, *stride, *dilation, *[before for before, _ in padding], *reach])


def _of_images(form):
    """A form that takes sequences (N, C, L) as images of one row."""
    @functools.wraps(form)
    def of_any(*arrays, padding, **geometry):
        if arrays[0].ndim != 3:
            return form(*arrays, padding=padding, **geometry)
        arrays = [a[:, :, None] if a is not None and a.ndim == 3 else a for a in arrays]
        geometry = {name: (1, *value) if isinstance(value, tuple) else value for name, value in geometry.items()}
        out = form(*arrays, padding=((0, 0), *padding), **geometry)
        return out if out is NotImplemented else out[:, :, 0]
    return of_any


@_of_images
def convolve(x, weight, bias=None, *, stride, padding, dilation, groups):
    if _has_small_groups(weight.shape, groups, x, weight, bias):
        return grouped.convolve(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)
    if pixels.has_form(weight.shape, padding, groups, x, weight, bias):
        return pixels.convolve(x, weight, bias, stride)
    if _has_tiles(weight.shape, stride, dilation, groups, x, weight, bias):
        result = winograd.convolve(x, weight, bias, padding)
        if result is not NotImplemented:
            return result
    if not _has_loop(weight.shape, groups, x, weight, bias) or _takes_only_products(weight.shape, groups):
        return NotImplemented
    kernel = weight.shape[2:]
    out = output_size(x.shape[2:], kernel, stride, padding, dilation)
    result = np.empty((len(x), *out, len(weight)), x.dtype)
    matrices = np.ascontiguousarray(in_columns(weight_matrices(weight, groups), math.prod(out)))
    bias = np.zeros(0, x.dtype) if bias is None else np.ascontiguousarray(bias)

    def work(x, padding, here):
        geometry = _geometry(x.shape[2:], result[here].shape[1:-1], kernel, stride, padding, dilation)
        _convolve(contiguous_channels_last(x), matrices, bias, result[here], geometry)

    over_images(work, x, out, numbers(result.shape, weight.shape), kernel, stride, padding, dilation)
    return channels_first(result)


@loop
def _convolve(images, matrices, bias, out, geometry):
    groups, blocks, _, columns = matrices.shape
    channels, (padded, runs) = blocks * columns, _room(images.shape[3], images.shape[3] // groups, out, geometry)
    for n in range(len(images)):
        _put_inside(images[n], padded, geometry)
        for first in range(0, out.shape[1], _rows_each(runs, geometry)):
            into = out[n, first:first + _rows_each(runs, geometry)]
            count, into = len(into), into.reshape(-1, out.shape[3])
            for group in range(groups):
                _take_runs(padded, group, first, count, runs, geometry)
                for i in range(geometry[0]):
                    of_row, length = _runs_of(i, count, runs, geometry), runs.shape[3]
                    product_in_columns(of_row, matrices[group, :, i * length:(i + 1) * length],
                                       into[:, group * channels:(group + 1) * channels], min(i, 1))
            for row in range(len(into)):
                for c in range(len(bias)):
                    into[row, c] += bias[c]


@loop
def _room(all_channels, channels, places, geometry):
    """Zeros for an image with its padding, and an array for runs (stride, rows, places of a row, run).

    A run is what a window has of one row of the image: the windows of neighboring rows share them. With a longer
    stride, those that lie a stride apart stand together.
    """
    down, below = geometry[2], geometry[4]
    run = geometry[1] * channels
    beyond = (geometry[0] - 1) * below // down
    rows = min(max(1, WINDOWS // max(down * places.shape[2] * run, 1) - beyond), places.shape[1])
    return (np.zeros((geometry[8], geometry[9], all_channels), np.float32),
            np.empty((down, rows + beyond, places.shape[2], run), np.float32))


@loop
def _rows_each(runs, geometry):
    """How many rows of places there is room for."""
    return max(1, runs.shape[1] - (geometry[0] - 1) * geometry[4] // geometry[2])


@loop
def _take_runs(padded, group, first, count, runs, geometry):
    """The runs of `count` rows of places from the first."""
    down, right, below, beside = geometry[2:6]
    columns, run = runs.shape[2:]
    channels = run // geometry[1]
    pieces, length = (1, run) if beside == 1 and channels == padded.shape[2] else (geometry[1], channels)
    source, target, step = padded.reshape(-1), runs.reshape(-1), np.uint64(length)
    for p in range(down):
        for q in range(count + (geometry[0] - 1) * below // down):
            y = (first + q) * down + p
            if y < len(padded):
                for column in range(columns):
                    for j in range(pieces):
                        x = column * right + j * beside
                        start = np.uint64((y * padded.shape[1] + x) * padded.shape[2] + group * channels)
                        put = np.uint64(((p * runs.shape[1] + q) * columns + column) * run + j * length)
                        for k in range(step):  # unsigned, so that nobody asks whether an index is negative
                            target[put + k] = source[start + k]


@loop
def _runs_of(i, count, runs, geometry):
    """The runs of kernel row i as a matrix (places, run)."""
    down, below = geometry[2], geometry[4]
    first = i * below // down
    return runs[i * below % down, first:first + count].reshape(-1, runs.shape[3])


@loop
def _put_inside(image, padded, geometry):
    top, left = geometry[6:8]
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            for c in range(image.shape[2]):
                padded[top + i, left + j, c] = image[i, j, c]


@_of_images
def correlate(x, y, *, kernel, stride, padding, dilation, groups):
    weight_shape = (y.shape[1], x.shape[1] // groups, *kernel)
    if _has_small_groups(weight_shape, groups, x, y):
        return grouped.correlate(x, y, kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups)
    if pixels.has_form(weight_shape, padding, groups, x, y):
        return pixels.correlate(x, y, stride)
    if _has_tiles(weight_shape, stride, dilation, groups, x, y):
        result = winograd.correlate(x, y, padding)
        if result is not NotImplemented:
            return result
    if not _has_loop(weight_shape, groups, x, y):
        return NotImplemented

    def work(x, padding, here):
        few = y[here[0], :, here[1]]
        geometry = _geometry(x.shape[2:], few.shape[2:], kernel, stride, padding, dilation)
        total = np.zeros((groups, y.shape[1] // groups, math.prod(weight_shape[1:])), x.dtype)
        _correlate(contiguous_channels_last(x), contiguous_channels_last(few), total, geometry)
        return total

    return as_weight(sum(over_images(work, x, y.shape[2:], numbers(y.shape, weight_shape), kernel, stride, padding,
                                     dilation)), kernel)


@loop
def _correlate(images, y, total, geometry):
    groups, channels, _ = total.shape
    padded, runs = _room(images.shape[3], images.shape[3] // groups, y, geometry)
    for n in range(len(images)):
        _put_inside(images[n], padded, geometry)
        for first in range(0, y.shape[1], _rows_each(runs, geometry)):
            few = y[n, first:first + _rows_each(runs, geometry)]
            count, few = len(few), few.reshape(-1, y.shape[3])
            for group in range(groups):
                _take_runs(padded, group, first, count, runs, geometry)
                for i in range(geometry[0]):
                    of_row, length = _runs_of(i, count, runs, geometry), runs.shape[3]
                    transposed_product(few[:, group * channels:(group + 1) * channels], of_row,
                                       total[group, :, i * length:(i + 1) * length], 1)


@_of_images
def convolve_transposed(y, weight, *, size, stride, padding, dilation, groups):
    if _has_small_groups(weight.shape, groups, y, weight):
        return grouped.convolve_transposed(
            y, weight, size=size, stride=stride, padding=padding, dilation=dilation, groups=groups)
    if set(stride) == {1} and pixels.has_form(weight.shape, padding, groups, y, weight):
        return pixels.convolve(y, weight.swapaxes(0, 1), None, stride)
    if _has_tiles(weight.shape, stride, dilation, groups, y, weight):
        result = winograd.convolve_transposed(y, weight, size, padding)
        if result is not NotImplemented:
            return result
    if (set(stride) == {1} or not _has_loop(weight.shape, groups, y, weight)
            or _takes_only_products(weight.shape, groups)):
        return NotImplemented  # with stride 1 it is a convolution
    result = np.empty((len(y), *size, weight.shape[1] * groups), y.dtype)
    matrices = in_columns(weight_matrices(weight, groups).swapaxes(1, 2), math.prod(y.shape[2:]))
    matrices = contiguous(matrices)
    geometry = _geometry(size, y.shape[2:], weight.shape[2:], stride, padding, dilation)

    def work(few):
        _convolve_transposed(contiguous_channels_last(y[few]), matrices, result[few], geometry)

    in_parallel(work, len(y), numbers(y.shape, weight.shape))
    return channels_first(result)


@loop
def _convolve_transposed(y, matrices, out, geometry):
    groups, blocks, channels, columns = matrices.shape
    depth, (top, left) = blocks * columns, geometry[6:8]
    rows = min(max(1, WINDOWS // max(y.shape[2] * depth, 1)), y.shape[1])
    padded = np.empty((geometry[8], geometry[9], out.shape[3]), np.float32)
    windows = np.empty((rows, y.shape[2], depth), np.float32)
    for n in range(len(y)):
        padded.fill(0)
        for first in range(0, y.shape[1], rows):
            few = windows[:y.shape[1] - first]
            factor = y[n, first:first + len(few)].reshape(-1, y.shape[3])
            for group in range(groups):
                product_in_columns(factor[:, group * channels:(group + 1) * channels], matrices[group],
                                   few.reshape(-1, depth), 0)
                _add_windows(few, group, first, padded, geometry)
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                for c in range(out.shape[3]):
                    out[n, i, j, c] = padded[top + i, left + j, c]


@loop
def _add_windows(windows, group, first, padded, geometry):
    """Add windows (rows, columns, kernel x channels of the group) to the image that they are windows of."""
    rows, columns, depth = windows.shape
    height, width, down, right, below, beside = geometry[:6]
    channels = depth // (height * width)
    runs, run = (1, width * channels) if beside == 1 and channels == padded.shape[2] else (width, channels)
    source, target, length = windows.reshape(-1), padded.reshape(-1), np.uint64(run)
    for row in range(rows):
        for i in range(height):
            y = (first + row) * down + i * below
            for column in range(columns):
                for j in range(runs):
                    x = column * right + j * beside
                    put = np.uint64((y * padded.shape[1] + x) * padded.shape[2] + group * channels)
                    start = np.uint64((row * columns + column) * depth + (i * runs + j) * run)
                    for k in range(length):
                        target[put + k] += source[start + k]
