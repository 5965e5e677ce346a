"""Convolution of images with kernels of 3 x 3 by fewer products (Winograd's F(2 x 2, 3 x 3)).

From a tile of 4 x 4 pixels d and a kernel g of 3 x 3, Y = Aᵀ ((G g Gᵀ) ⊙ (Bᵀ d B)) A are the 2 x 2 results by 16
multiplications in place of 36 (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2015). Over channels
these are 16 matrix products (tiles, C_in) (C_in, C_out). What is between the image and the result is made for so few
tiles that it stays in a core's cache.

Gradients are the adjoints: of the image, the same with the kernels turned; of the kernels,
Gᵀ (Σ (Bᵀ d B) ⊙ (A ȳ Aᵀ)) G.
"""

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from autograd.compiled.copies import SIDE, turn
from autograd.compiled.loops import loop, parallel
from autograd.runtime.threads import get_num_threads
from nn.functional.geometry import channels_first, contiguous_channels_last, output_size

LANES, ROWS = (16, 8) if llvmlite.binding.get_host_cpu_features().get("avx512f") else (8, 4)
"""How many numbers a register has, and how many rows of a product there are registers for."""
PANEL = 2 * LANES
"""How many columns a product has."""
GAP = 16
"""Numbers behind each row (and a row behind the last): what is a power of two apart shares few places of a cache."""
TOGETHER = 32
"""How many tiles are transformed at a time: their products read them from a near cache."""

DEPTH = 128
"""How many products are added up before they are added to others: sums of sums have smaller errors."""
KERNELS = 1 << 21
"""About how many numbers of transformed kernels are made at a time."""

_B = (1, 0, 0, 0), (0, 1, -1, 1), (-1, 1, 1, 0), (0, 0, 0, -1)
_G = (1, 0, 0), (.5, .5, .5), (.5, -.5, .5), (0, 0, 1)
_A = (1, 0), (1, 1), (1, -1), (0, -1)


def _transform(matrix):
    """A function for compiled loops: matrix X matrixᵀ, where each element of X is a row of numbers (channels).

    Its arguments are an address and how many numbers apart rows and columns are, of the result and of X, and how many
    channels there are, a multiple of LANES.
    """
    vector = ir.VectorType(ir.FloatType(), LANES)

    def combined(builder, factors, terms):
        total = None
        for factor, term in zip(factors, terms, strict=True):
            if factor and total is None:
                total = term if factor == 1 else builder.fmul(term, ir.Constant(vector, [factor] * LANES))
            elif abs(factor) == 1:
                total = (builder.fadd if factor == 1 else builder.fsub)(total, term)
            elif factor:
                product = builder.fmul(term, ir.Constant(vector, [factor] * LANES), flags=["contract"])
                total = builder.fadd(total, product, flags=["contract"])
        return total

    @intrinsic
    def transform(context, out, out_row, out_column, x, x_row, x_column, channels):
        def generate(context, builder, signature, args):
            def at(base, row, column, i, j):
                place = builder.add(builder.mul(row, row.type(i)), builder.mul(column, column.type(j)))
                place = builder.add(base, builder.mul(builder.add(place, start), start.type(4)))
                return builder.inttoptr(place, vector.as_pointer())

            out, out_row, out_column, x, x_row, x_column, channels = args
            lanes = channels.type(LANES)
            with cgutils.for_range(builder, builder.sdiv(channels, lanes)) as over:
                start = builder.mul(over.index, lanes)
                size = range(len(matrix[0]))
                columns = [[builder.load(at(x, x_row, x_column, i, j), align=4) for i in size] for j in size]
                half = [[combined(builder, factors, column) for column in columns] for factors in matrix]
                for i, row in enumerate(half):
                    for j, factors in enumerate(matrix):
                        builder.store(combined(builder, factors, row), at(out, out_row, out_column, i, j), align=4)
            return context.get_dummy_value()
        return types.void(*[types.int64] * 7), generate
    return transform


def _transposed(matrix):
    return tuple(zip(*matrix, strict=True))


_of_image, _of_gradient, _of_kernel = _transform(_transposed(_B)), _transform(_A), _transform(_G)
_to_result, _to_kernel = _transform(_transposed(_A)), _transform(_transposed(_G))


@intrinsic
def _multiply(context, out, out_row, start, start_row, a, a_row, a_column, b, b_row, depth):
    """out (ROWS, PANEL) = start + a (ROWS, depth) b (depth, PANEL): addresses, each with how many numbers apart its
    rows are."""
    def generate(context, builder, signature, args):
        vector = ir.VectorType(ir.FloatType(), LANES)
        out, out_row, start, start_row, a, a_row, a_column, b, b_row, depth = args

        def at(base, *steps, kind=vector):
            numbers = depth.type(0)
            for step, count in steps:
                numbers = builder.add(numbers, builder.mul(step, count if isinstance(count, ir.Value) else
                                                           step.type(count)))
            place = builder.add(base, builder.mul(numbers, numbers.type(4)))
            return builder.inttoptr(place, kind.as_pointer())

        lanes = depth.type(LANES)
        totals = [[cgutils.alloca_once_value(builder, vector([0.0] * LANES)) for _ in range(2)] for _ in range(ROWS)]
        with cgutils.for_range(builder, depth) as over:
            of_b = [builder.load(at(b, (b_row, over.index), (lanes, v)), align=4) for v in range(2)]
            for r, of_row in enumerate(totals):
                number = builder.load(at(a, (a_row, r), (a_column, over.index), kind=ir.FloatType()), align=4)
                first = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
                number = builder.shuffle_vector(first, first, ir.VectorType(ir.IntType(32), LANES)([0] * LANES))
                for total, factor in zip(of_row, of_b, strict=True):
                    product = builder.fmul(number, factor, flags=["contract"])
                    builder.store(builder.fadd(builder.load(total), product, flags=["contract"]), total)
        for r, of_row in enumerate(totals):
            for v, total in enumerate(of_row):
                before = builder.load(at(start, (start_row, r), (lanes, v)), align=4)
                builder.store(builder.fadd(before, builder.load(total)), at(out, (out_row, r), (lanes, v)), align=4)
        return context.get_dummy_value()
    return types.void(*[types.int64] * 10), generate


def convolve(x, weight, bias, padding):
    """The convolution; NotImplemented if something is not finite: tiles would spread it."""
    out = output_size(x.shape[2:], (3, 3), (1, 1), padding, (1, 1))
    start = np.zeros(len(weight), np.float32) if bias is None else np.ascontiguousarray(bias)
    weight = np.ascontiguousarray(weight)
    return _convolved(x, weight.reshape(*weight.shape[:2], 9), False, start, out, padding)


def convolve_transposed(y, weight, size, padding):
    around = [(2 - before, n - m + before) for (before, _), n, m in zip(padding, size, y.shape[2:], strict=True)]
    weight = np.ascontiguousarray(weight)
    start = np.zeros(weight.shape[1], np.float32)
    return _convolved(y, weight.reshape(*weight.shape[:2], 9), True, start, size, around)


def _tiles(images, out, padding, threads=1):
    """How many groups of tiles there are; how many tiles in a group, in columns, in rows; and the padding before."""
    down, across = -(-out[0] // 2), -(-out[1] // 2)
    count = images * down * across
    each = max(-(-count // threads), 1)
    together = min(each + -each % ROWS, TOGETHER)
    return -(-count // together), np.array([together, down, across, padding[0][0], padding[1][0]])


def _convolved(x, weight, turned, bias, out, padding):
    depth, channels = x.shape[1], len(bias)
    result = np.empty((len(x), *out, channels), np.float32)
    panels = channels // PANEL
    kernels = np.empty((min(panels, max(1, KERNELS // (16 * depth * PANEL))), 16, depth, PANEL), np.float32)
    groups, tiles = _tiles(len(x), out, padding, get_num_threads())
    finite = np.empty((-(-panels // len(kernels)), groups), np.bool_)
    images = contiguous_channels_last(x)
    for i, of_part in enumerate(finite):
        panel = i * len(kernels)
        few = kernels[:panels - panel]
        _transform_kernels(len(few), 4 * few.size, weight, turned, panel, few)
        _convolve(groups, few.size * groups, images, few, panel, bias, result, of_part, tiles)
    return channels_first(result) if finite.all() else NotImplemented


@parallel
def _transform_kernels(first, last, weight, turned, start, kernels):
    """Panels of G g Gᵀ, for a convolution or for its adjoint."""
    depth, row = kernels.shape[2], 9 * weight.shape[1]
    taps = np.empty((9 * SIDE, PANEL), np.float32)
    for panel in range(first, last):
        for d in range(0, depth, SIDE):
            for lane in range(0, PANEL, SIDE):
                if turned:
                    for e in range(SIDE):
                        source = weight.ctypes.data + 4 * ((d + e) * row + 9 * ((start + panel) * PANEL + lane))
                        turn(source, 36, taps.ctypes.data + 4 * (9 * e * PANEL + lane), 4 * PANEL)
                        for k in range(lane, lane + SIDE):
                            taps[9 * e + 8, k] = weight[d + e, (start + panel) * PANEL + k, 8]
                else:
                    source = weight.ctypes.data + 4 * (((start + panel) * PANEL + lane) * row + 9 * d)
                    for k in range(0, 9 * SIDE, SIDE):
                        turn(source + 4 * k, 4 * row, taps.ctypes.data + 4 * (k * PANEL + lane), 4 * PANEL)
            for e in range(SIDE):
                tap, step = (9 * e + 8, -PANEL) if turned else (9 * e, PANEL)
                _of_kernel(kernels.ctypes.data + 4 * PANEL * (panel * 16 * depth + d + e),
                           4 * depth * PANEL, depth * PANEL, taps.ctypes.data + 4 * tap * PANEL, 3 * step, step, PANEL)


@loop
def _place(tile, tiles):
    """Which image a tile is of, and the row and column of its first result."""
    down, across = tiles[1:3]
    return tile // (down * across), tile // across % down * 2, tile % across * 2


@loop
def _pixels(images, n, row, column, size, around):
    """Where size x size pixels are, and how many numbers apart rows and columns of them; copied with zeros `around`
    if some lie outside."""
    channels = images.shape[3]
    if 0 <= row <= images.shape[1] - size and 0 <= column <= images.shape[2] - size:
        first = (n * images.shape[1] + row) * images.shape[2] + column
        return images.ctypes.data + 4 * channels * first, images.shape[2] * channels, channels
    for i in range(size):
        for j in range(size):
            into = around[i * size + j]
            if 0 <= row + i < images.shape[1] and 0 <= column + j < images.shape[2]:
                given = images[n, row + i, column + j]
                for c in range(channels):
                    into[c] = given[c]
            else:
                into[:] = 0
    return around.ctypes.data, size * channels, channels


@loop
def _transform_images(images, begin, count, given, around, tiles):
    """Bᵀ d B of some tiles."""
    _, apart, row = given.shape
    for t in range(count):
        n, i, j = _place(begin + t, tiles)
        pixels, down, right = _pixels(images, n, i - tiles[3], j - tiles[4], 4, around)
        _of_image(given.ctypes.data + 4 * row * t, 4 * apart * row, apart * row, pixels, down, right,
                  images.shape[3])


@parallel
def _convolve(first, last, images, kernels, start, bias, out, finite, tiles):
    """Groups of tiles."""
    panels, _, depth, _ = kernels.shape
    channels, together, skipped = panels * PANEL, tiles[0], start * PANEL
    around = np.empty((16, depth), np.float32)
    results = np.empty((4, channels), np.float32)
    given = np.zeros((16, together + 1, depth + GAP), np.float32)
    made = np.empty((16, together + 1, channels + GAP), np.float32)
    zeros = np.zeros(PANEL, np.float32)
    of_given, of_made, apart = depth + GAP, channels + GAP, together + 1
    for group in range(first, last):
        begin = group * together
        count = min(together, len(images) * tiles[1] * tiles[2] - begin)
        _transform_images(images, begin, count, given, around, tiles)
        for p in range(16):
            for panel in range(panels):
                for d in range(0, depth, DEPTH):
                    factor = kernels.ctypes.data + 4 * PANEL * (depth * (panel * 16 + p) + d)
                    for t in range(0, count, ROWS):
                        sums = made.ctypes.data + 4 * ((p * apart + t) * of_made + panel * PANEL)
                        begin_with, next_row = (sums, of_made) if d else (zeros.ctypes.data, 0)
                        _multiply(sums, of_made, begin_with, next_row,
                                  given.ctypes.data + 4 * ((p * apart + t) * of_given + d), of_given, 1,
                                  factor, PANEL, min(DEPTH, depth - d))
        wrong = np.float32(0)
        for t in range(count):
            n, i, j = _place(begin + t, tiles)
            _to_result(results.ctypes.data, 2 * channels, channels, made.ctypes.data + 4 * of_made * t,
                       4 * apart * of_made, apart * of_made, channels)
            for k in range(4):
                if i + k // 2 < out.shape[1] and j + k % 2 < out.shape[2]:
                    into, result = out[n, i + k // 2, j + k % 2, skipped:skipped + channels], results[k]
                    for c in range(into.size):
                        value = result[c] + bias[skipped + c]
                        into[c] = value
                        wrong += value * np.float32(0)
        finite[group] = wrong == 0


def correlate(x, y, padding):
    """The gradient of the kernels (C_out, C_in, 3, 3); NotImplemented if something is not finite."""
    c_in, c_out = x.shape[1], y.shape[1]
    _, tiles = _tiles(len(x), y.shape[2:], padding)
    out = np.empty((c_out, c_in, 9), np.float32)
    finite = np.empty(c_out // _rows_together(c_out), np.bool_)
    _correlate(len(finite), y.size * c_in // 8, contiguous_channels_last(x), contiguous_channels_last(y), out, finite,
               tiles)
    return out.reshape(c_out, c_in, 3, 3) if finite.all() else NotImplemented


def _rows_together(c_out):
    """How many channels of y a thread takes at a time: many, since for each such part images are transformed again."""
    return next((rows for rows in (128, 64) if c_out % (rows * get_num_threads()) == 0), PANEL)


@parallel
def _correlate(first, last, images, y, out, finite, tiles):
    """Parts of the channels of y."""
    depth, together, rows = images.shape[3], tiles[0], len(out) // len(finite)
    around = np.empty((16, depth), np.float32)
    around_y = np.empty((4, y.shape[3]), np.float32)
    given = np.empty((16, together + 1, depth + GAP), np.float32)
    gradients = np.empty((16, together + 1, rows + GAP), np.float32)
    total = np.empty((16, rows, depth + GAP), np.float32)
    taps = np.empty((9, depth), np.float32)
    of_given, of_gradients, apart = depth + GAP, rows + GAP, together + 1
    count = len(images) * tiles[1] * tiles[2]
    for part in range(first, last):
        total.fill(0)
        for begin in range(0, count, together):
            few = min(together, count - begin)
            _transform_images(images, begin, few, given, around, tiles)
            for t in range(few):
                n, i, j = _place(begin + t, tiles)
                pixels, down, right = _pixels(y, n, i, j, 2, around_y)
                _of_gradient(gradients.ctypes.data + 4 * of_gradients * t, 4 * apart * of_gradients,
                             apart * of_gradients, pixels + 4 * part * rows, down, right, rows)
            for p in range(16):
                for column in range(0, depth, PANEL):
                    for row in range(0, rows, ROWS):
                        sums = total.ctypes.data + 4 * ((p * rows + row) * of_given + column)
                        _multiply(sums, of_given, sums, of_given,
                                  gradients.ctypes.data + 4 * (p * apart * of_gradients + row), 1, of_gradients,
                                  given.ctypes.data + 4 * (p * apart * of_given + column), of_given, few)
        wrong = np.float32(0)
        for row in range(rows):
            _to_kernel(taps.ctypes.data, 3 * depth, depth, total.ctypes.data + 4 * of_given * row,
                       4 * rows * of_given, rows * of_given, depth)
            into = out[part * rows + row]
            for c in range(0, depth, SIDE):
                turn(taps.ctypes.data + 4 * c, 4 * depth, into[c].ctypes.data, 36)
                for k in range(c, c + SIDE):
                    into[k, 8] = taps[8, k]
            every = taps.reshape(-1)
            for k in range(every.size):
                wrong += every[k] * np.float32(0)
        finite[part] = wrong == 0
