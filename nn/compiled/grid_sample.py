"""Images read between their pixels: a loop over positions, which finds the pixels at each and weighs them."""

import numpy as np

from autograd.compiled.loops import all_float32, loop, parallel
from autograd.operations.shaping import is_spread
from autograd.runtime.caching import compiler
from autograd.runtime.copies import contiguous
from nn.functional.geometry import channels_first, contiguous_channels_last
from nn.functional.grid_sample import FAR, MODES, PADDING_MODES, far, far_slope, near, near_slope

TOGETHER = 64
"""How many places are looked at first, before their pixels are."""
BILINEAR, NEAREST, BICUBIC = range(len(MODES))
ZEROS, _, REFLECTION = range(len(PADDING_MODES))
_exact = compiler(nogil=True, error_model="numpy", forceinline=True)
"""Without what else is allowed in a loop: a position at the middle between two pixels must not move."""


def _prepared(x, grid, scale, mode, padding_mode, align_corners):
    """The image as (N, D, H, W, C), the places of all, and what `_find` needs to know; a missing axis has one pixel."""
    axes = [(n, *of_axis, *((0, n - 1) if align_corners else (-0.5, n)))
            for n, of_axis in zip((1, *x.shape[2:])[-3:], ((0, 0, 0), *scale)[-3:], strict=True)]
    x = contiguous_channels_last(x)
    return (x.reshape(len(x), -1, *x.shape[-3:]), contiguous(grid).reshape(-1, grid.shape[2]),
            np.array(axes, np.float32), MODES.index(mode), PADDING_MODES.index(padding_mode))


def sampled_forward(x, grid, **options):
    if not all_float32(x, grid) or not x.size or not grid.size:
        return NotImplemented
    out = np.empty((*grid.shape[:2], x.shape[1]), x.dtype)
    images, places, *geometry = _prepared(x, grid, **options)
    _sample(len(places), 4 * out.size + 8 * grid.size, images, places, *geometry, out)
    return out


def sampled_vjp(g, out, x, grid, *, needs_input_grad, **options):
    if not all_float32(g, x, grid) or not g.size:
        return NotImplemented
    step = int(not is_spread(g))
    rows = contiguous(g) if step else np.full((1, 1, g.shape[2]), g[0, 0, 0])
    images, places, *geometry = _prepared(x, grid, **options)
    of_x, of_grid = np.empty(images.shape if needs_input_grad[0] else (0,) * 5, x.dtype), np.empty_like(places)
    _sample_back(len(x), 8 * g.size + 8 * grid.size, rows, step, images, places, *geometry, of_x, of_grid)
    return (channels_first(of_x.reshape(len(x), *x.shape[2:], -1)) if needs_input_grad[0] else None,
            of_grid.reshape(grid.shape))


@_exact
def _fold(at, edge, span):
    """A position reflected at both ends of an axis, and the derivative."""
    distance = at - edge
    folds = np.floor(abs(distance) / max(span, np.float32(1)))
    even = folds % np.float32(2) == 0
    turn = np.float32(1 if even == (distance >= 0) else -1)
    return at * turn + ((-folds if even else folds + np.float32(1)) * span + edge - turn * edge), turn


@_exact
def _brought_inside(at, n, edge, span, padding):
    """As the plain one, and the derivative."""
    slope, last = np.float32(1), n - np.float32(1)
    if padding == REFLECTION:
        at, slope = _fold(at, edge, span)
    if padding != ZEROS and not np.float32(0) < at < last:
        at, slope = np.float32(0) if at <= 0 else last if at >= last else at, np.float32(0)
    return at, slope


_near, _near_slope, _far, _far_slope = map(_exact, (near, near_slope, far, far_slope))


@_exact
def _find(places, first, count, axes, mode, padding, pixels, weights, slopes):
    """The pixels that count at some places (-1: none), their weights and the derivatives of these, axis by axis."""
    low = np.empty(TOGETHER, np.float32)
    for axis in range(3 - places.shape[1], 3):
        n, one, half, shift, edge, span = axes[axis]
        for q in range(count):  # short loops, which fit into vector registers
            position, slope = places[first + q, 2 - axis], half
            if not abs(position) <= FAR:
                slope = np.float32(0)
                position = FAR if position > 0 else -FAR if position < 0 else position
            at = (position + one) * half - shift
            if mode != BICUBIC:
                at, inner = _brought_inside(at, n, edge, span, padding)
                slope *= inner
            low[q], slopes[axis, 0, q] = np.rint(at) if mode == NEAREST else np.floor(at), slope
            weights[axis, 0, q] = at
        if mode == NEAREST:
            for q in range(count):
                t = weights[axis, 0, q]
                weights[axis, 0, q], slopes[axis, 0, q] = t if np.isnan(t) else np.float32(1), np.float32(0)
        elif mode == BILINEAR:
            for q in range(count):
                t, slope = weights[axis, 0, q] - low[q], slopes[axis, 0, q]
                weights[axis, 0, q], weights[axis, 1, q] = np.float32(1) - t, t
                slopes[axis, 0, q], slopes[axis, 1, q] = -slope, slope
        else:
            for q in range(count):
                t, slope = weights[axis, 0, q] - low[q], slopes[axis, 0, q]
                for k in range(4):
                    u = abs(t + np.float32(1 - k))
                    weights[axis, k, q], steep = (_near(u), _near_slope(u)) if 0 < k < 3 else (_far(u), _far_slope(u))
                    slopes[axis, k, q] = steep * (slope if k < 2 else -slope) if slope else slope
        for k in range(pixels.shape[1]):
            for q in range(count):
                pixel = low[q] + np.float32(k - (mode == BICUBIC))
                if mode == BICUBIC:
                    pixel, _ = _brought_inside(pixel, n, edge, span, padding)
                pixels[axis, k, q] = np.int32(pixel if 0 <= pixel < n else np.float32(-1))


@loop
def _room(mode):
    """Room for what `_find` finds on three axes; one that is missing has a single pixel."""
    taps = 1 if mode == NEAREST else 2 if mode == BILINEAR else 4
    pixels = np.full((3, taps, TOGETHER), -1, np.int32)
    pixels[:, 0] = 0
    return pixels, np.ones((3, taps, TOGETHER), np.float32), np.zeros((3, taps, TOGETHER), np.float32)


@parallel
def _sample(first, last, x, places, axes, mode, padding, out):
    depth, height, width, channels = x.shape[1:]
    numbers, sums, length = x.reshape(-1), out.reshape(-1), np.uint64(channels)
    right, down = length, np.uint64(width * channels)
    pixels, weights, slopes = _room(mode)
    each, taps = len(places) // len(x), pixels.shape[1]
    for item in range(first, last):
        q, n = (item - first) % TOGETHER, item // each
        if q == 0:
            _find(places, item, min(TOGETHER, last - item), axes, mode, padding, pixels, weights, slopes)
        put = np.uint64(item * channels)
        nothing = 0 * (weights[0, 0, q] + weights[1, 0, q] + weights[2, 0, q])  # NaN if there is no position
        for c in range(length):
            sums[put + c] = nothing
        whole = mode == BILINEAR and min(pixels[1, 0, q], pixels[1, 1, q], pixels[2, 0, q], pixels[2, 1, q]) >= 0
        for a in range(taps):
            if pixels[0, a, q] < 0:
                continue
            plane = (n * depth + pixels[0, a, q]) * height
            if whole:
                at = np.uint64(((plane + pixels[1, 0, q]) * width + pixels[2, 0, q]) * channels)
                above, below = weights[0, a, q] * weights[1, 0, q], weights[0, a, q] * weights[1, 1, q]
                w, w_right, w_down, w_both = (above * weights[2, 0, q], above * weights[2, 1, q],
                                              below * weights[2, 0, q], below * weights[2, 1, q])
                for c in range(length):
                    sums[put + c] += (w * numbers[at + c] + w_right * numbers[at + right + c]
                                      + w_down * numbers[at + down + c] + w_both * numbers[at + down + right + c])
                continue
            for b in range(taps):
                for d in range(taps):
                    if pixels[1, b, q] >= 0 and pixels[2, d, q] >= 0:
                        at = np.uint64(((plane + pixels[1, b, q]) * width + pixels[2, d, q]) * channels)
                        w = weights[0, a, q] * weights[1, b, q] * weights[2, d, q]
                        for c in range(length):
                            sums[put + c] += w * numbers[at + c]


@parallel
def _sample_back(first, last, g, step, x, places, axes, mode, padding, images, of_places):
    """Images, each of which is one thread's: places share pixels."""
    depth, height, width, channels = x.shape[1:]
    rows, numbers, sums, length = g.reshape(-1), x.reshape(-1), images.reshape(-1), np.uint64(channels)
    pixels, weights, slopes = _room(mode)
    each, taps, zero = len(places) // len(x), pixels.shape[1], np.float32(0)
    for n in range(first, last):
        images[n:n + 1] = 0
        for p in range(each):
            q, item = p % TOGETHER, n * each + p
            if q == 0:
                _find(places, item, min(TOGETHER, each - p), axes, mode, padding, pixels, weights, slopes)
            row = np.uint64(item * step * channels)
            to_z, to_y, to_x = zero, zero, zero
            for a in range(taps):
                for b in range(taps):
                    if pixels[0, a, q] < 0 or pixels[1, b, q] < 0:
                        continue
                    line = ((n * depth + pixels[0, a, q]) * height + pixels[1, b, q]) * width
                    of_z, of_y = weights[0, a, q], weights[1, b, q]
                    if mode == BILINEAR and min(pixels[2, 0, q], pixels[2, 1, q]) >= 0:  # neighbors in memory
                        at = np.uint64((line + pixels[2, 0, q]) * channels)
                        left, right, product, next_product = weights[2, 0, q], weights[2, 1, q], zero, zero
                        for c in range(length):
                            product += rows[row + c] * numbers[at + c]
                            next_product += rows[row + c] * numbers[at + length + c]
                        if sums.size:
                            w, next_w = of_z * of_y * left, of_z * of_y * right
                            for c in range(length):
                                sums[at + c] += w * rows[row + c]
                                sums[at + length + c] += next_w * rows[row + c]
                        both = left * product + right * next_product
                        to_z += slopes[0, a, q] * of_y * both
                        to_y += slopes[1, b, q] * of_z * both
                        to_x += slopes[2, 1, q] * of_z * of_y * (next_product - product)
                        continue
                    for d in range(taps):
                        if pixels[2, d, q] < 0:
                            continue
                        at, of_x = np.uint64((line + pixels[2, d, q]) * channels), weights[2, d, q]
                        w, product = of_z * of_y * of_x, zero
                        for c in range(length):
                            product += rows[row + c] * numbers[at + c]
                        if sums.size:
                            for c in range(length):
                                sums[at + c] += w * rows[row + c]
                        to_z += slopes[0, a, q] * of_y * of_x * product
                        to_y += slopes[1, b, q] * of_z * of_x * product
                        to_x += slopes[2, d, q] * of_z * of_y * product
            totals = to_x, to_y, to_z
            for i in range(places.shape[1]):
                axis, total = 2 - i, totals[i]
                if slopes[axis, 0, q] == 0 == slopes[axis, -1, q]:
                    total = zero  # nothing depends on it, whatever the numbers are
                else:  # NaN if the others have no position
                    total += slopes[axis, 0, q] * 0 * (weights[axis - 1, 0, q] + weights[axis - 2, 0, q])
                of_places[item, i] = total
