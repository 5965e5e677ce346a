"""Normalization of rows, and of channels over the whole batch."""

import numpy as np

from autograd.compiled.lines import added
from autograd.compiled.loops import all_float32, loop, parallel
from autograd.compiled.mathematics import ZERO
from autograd.runtime.copies import contiguous
from nn.functional.linear import rows
from nn.functional.normalization import Images, input_gradient

LINES = 1 << 8
"""How many columns lie side by side, at least; their sums stay in the nearest cache."""
ROWS = 1 << 6
"""How many rows are added up in float32; their sums are in float64."""


def normalize_rows(x, weight=None, bias=None, *, eps):
    if not all_float32(x, weight, bias):
        return NotImplemented
    x_rows, width = contiguous(rows(x)), x.shape[-1]
    out, (mean, variance) = np.empty_like(x_rows), np.empty((2, *x.shape[:-1], 1), np.float32)
    _normalize_rows(len(x_rows), 3 * x.size, x_rows, _parameter(weight, width, 1), _parameter(bias, width, 0), eps, out,
                    mean.reshape(-1), variance.reshape(-1))
    return out.reshape(x.shape), mean, variance


def _parameter(parameter, count, value):
    return np.full(count, value, np.float32) if parameter is None else contiguous(parameter)


@parallel
def _normalize_rows(first, last, x, weight, bias, eps, out, mean, variance):
    count = np.float32(x.shape[1])
    for i in range(first, last):
        row, into = x[i], out[i]
        center, squares = np.float32(added(row)) / count, ZERO
        for j in range(row.size):
            squares += (row[j] - center) * (row[j] - center)
        mean[i], variance[i] = center, squares / count
        inverse = np.float32(1 / np.sqrt(variance[i] + eps))
        for j in range(row.size):
            into[j] = (row[j] - center) * inverse * weight[j] + bias[j]


def normalize_rows_vjp(g, out, x, weight, bias, *, eps, needs_input_grad):
    (g, g_mean, g_variance), (_, mean, variance) = g, out
    if not all_float32(g, x, weight) or not x.size or g_mean.any() or g_variance.any():
        return NotImplemented
    x_rows, width, parameters = contiguous(rows(x)), x.shape[-1], any(needs_input_grad[1:])
    slopes = contiguous(rows(g) if any(g.strides) else np.broadcast_to(g[(0,) * g.ndim], (1, width)))
    blocks = -(-len(x_rows) // ROWS)
    dx, sums = np.empty_like(x_rows), np.empty((blocks, 2, width if parameters else 0), np.float32)
    _normalize_rows_back(blocks, 4 * x.size, x_rows, slopes, _parameter(weight, width, 1), eps, mean.reshape(-1),
                         variance.reshape(-1), dx, sums)
    d_weight, d_bias = sums.sum(0, dtype=np.float64).astype(np.float32) if parameters else (None, None)
    gradients = dx.reshape(x.shape), d_weight, d_bias
    return [gradient if needed else None for gradient, needed in zip(gradients, needs_input_grad, strict=True)]


@parallel
def _normalize_rows_back(first, last, x, g, weight, eps, mean, variance, dx, sums):
    """Fills dx, and the gradients of weight and bias (unless they have no places), a sum for each block of rows."""
    count = np.float32(x.shape[1])
    for block in range(first, last):
        of_weight, of_bias = sums[block, 0], sums[block, 1]
        of_weight[:] = ZERO
        of_bias[:] = ZERO
        for i in range(block * ROWS, min((block + 1) * ROWS, len(x))):
            row, slopes, into = x[i], g[min(i, len(g) - 1)], dx[i]
            center, inverse = mean[i], np.float32(1 / np.sqrt(variance[i] + eps))
            along, total = ZERO, ZERO
            for j in range(row.size):
                along += slopes[j] * weight[j] * (row[j] - center)
                total += slopes[j] * weight[j]
            for j in range(of_bias.size):
                of_weight[j] += slopes[j] * (row[j] - center) * inverse
                of_bias[j] += slopes[j]
            along *= inverse * inverse / count
            total /= count
            for j in range(row.size):
                into[j] = (slopes[j] * weight[j] - (row[j] - center) * along - total) * inverse


# Channels: a line is a row of an image, or a column, and belongs to channel line % channels

@loop
def _sum(x, in_rows, out):
    """Fills `out` with the sum of each line."""
    if in_rows:
        for i in range(x.shape[0]):
            out[i] = added(x[i])
        return
    out[:] = ZERO
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[j] += x[i, j]


@loop
def _sum_squares(x, mean, in_rows, out):
    """Of what lies beside the mean."""
    out[:] = ZERO
    for i in range(x.shape[0]):
        if in_rows:
            center, total = mean[i], ZERO
            for j in range(x.shape[1]):
                total += (x[i, j] - center) * (x[i, j] - center)
            out[i] = total
        else:
            for j in range(x.shape[1]):
                out[j] += (x[i, j] - mean[j]) * (x[i, j] - mean[j])


@loop
def _sum_along(x, g, mean, in_rows, sums, along):
    """Of g, and of g times what lies beside the mean."""
    sums[:] = ZERO
    along[:] = ZERO
    for i in range(x.shape[0]):
        if in_rows:
            center, total, product = mean[i], ZERO, ZERO
            for j in range(x.shape[1]):
                total += g[i, j]
                product += g[i, j] * (x[i, j] - center)
            sums[i], along[i] = total, product
        else:
            for j in range(x.shape[1]):
                sums[j] += g[i, j]
                along[j] += g[i, j] * (x[i, j] - mean[j])


@loop
def _scale_and_shift(x, mean, scale, shift, in_rows, out):
    for i in range(x.shape[0]):
        if in_rows:
            center, factor, summand = mean[i], scale[i], shift[i]
            for j in range(x.shape[1]):
                out[i, j] = (x[i, j] - center) * factor + summand
        else:
            for j in range(x.shape[1]):
                out[i, j] = (x[i, j] - mean[j]) * scale[j] + shift[j]


@loop
def _combine(x, g, mean, of_deviation, of_g, shift, in_rows, out):
    for i in range(x.shape[0]):
        if in_rows:
            center, a, b, c = mean[i], of_deviation[i], of_g[i], shift[i]
            for j in range(x.shape[1]):
                out[i, j] = (x[i, j] - center) * a + g[i, j] * b + c
        else:
            for j in range(x.shape[1]):
                out[i, j] = (x[i, j] - mean[j]) * of_deviation[j] + g[i, j] * of_g[j] + shift[j]


def _lines(images, each):
    """(C,) or (N, C) for each line: (lines,), or (N, lines)."""
    repeats = images.shape[1 if images.in_rows else 2] // images.channels
    each = each[..., None, :].astype(np.float32)
    return (each if repeats == 1 else each.repeat(repeats, axis=-2)).reshape(*each.shape[:-2], -1)


def normalize_channels(x, weight=None, bias=None, *, groups=None, eps):
    if not all_float32(x, weight, bias):
        return NotImplemented
    images = Images(x, groups, LINES)
    given, out = images.of(x), np.empty(images.shape, np.float32)
    lines = images.shape[1 if images.in_rows else 2]
    if groups is not None:
        scale, shift = [_lines(images, _parameter(*each)) for each in ((weight, x.shape[1], 1), (bias, x.shape[1], 0))]
        mean, variance = np.empty((2, len(given), groups), np.float32)
        _normalize_groups(len(given), 3 * x.size, given, images.in_rows, images.channels, scale, shift, eps, out, mean,
                          variance)
        return images.back(out), mean, variance
    means, squares = np.empty((2, len(given), images.channels), np.float32)
    _moments(len(given), 2 * x.size, given, images.in_rows, lines, means, squares)
    means, count = means.astype(np.float64), x.size // images.channels
    mean = means.mean(0)
    variance = squares.sum(0, dtype=np.float64) / count + np.square(means - mean).mean(0)
    mean, variance = mean.astype(np.float32), variance.astype(np.float32)
    scale = 1 / np.sqrt(variance + eps)
    terms = mean, scale if weight is None else scale * weight, _parameter(bias, x.shape[1], 0)
    terms = [_lines(images, each) for each in terms]
    _scale_and_shift_all(len(given), x.size, given, *terms, images.in_rows, out)
    return images.back(out), mean, variance


@parallel
def _moments(first, last, x, in_rows, lines, mean, squares):
    """The mean of each channel of each image, and the sum of squares beside it."""
    means, apart, channels = np.empty(lines, np.float32), np.empty(lines, np.float32), mean.shape[1]
    count = np.float32(x.shape[1] * x.shape[2] // lines)
    for n in range(first, last):
        _sum(x[n], in_rows, means)
        means /= count
        _sum_squares(x[n], means, in_rows, apart)
        _of_channels(means, mean[n])
        mean[n] /= np.float32(lines // channels)
        for line in range(lines):
            means[line] -= mean[n, line % channels]
            apart[line] += means[line] * means[line] * count
        _of_channels(apart, squares[n])


@loop
def _of_channels(each, out):
    """Lines, added up over those of one channel."""
    out[:] = ZERO
    for start in range(0, len(each), len(out)):
        for channel in range(len(out)):
            out[channel] += each[start + channel]


@parallel
def _scale_and_shift_all(first, last, x, mean, scale, shift, in_rows, out):
    for n in range(first, last):
        _scale_and_shift(x[n], mean, scale, shift, in_rows, out[n])


@loop
def _together(each, channels, out):
    """Adds up lines over groups of channels; `each` becomes what its group has."""
    out[:] = 0
    share = channels // len(out)
    for line in range(len(each)):
        out[line % channels // share] += each[line]
    for line in range(len(each)):
        each[line] = out[line % channels // share]


@parallel
def _normalize_groups(first, last, x, in_rows, channels, weight, bias, eps, out, mean, variance):
    lines, groups = len(weight), mean.shape[1]
    count = np.float32(x.shape[1] * x.shape[2] // groups)
    for n in range(first, last):
        means, scale = np.empty(lines, np.float32), np.empty(lines, np.float32)
        _sum(x[n], in_rows, means)
        _together(means, channels, mean[n])
        means /= count
        _sum_squares(x[n], means, in_rows, scale)
        _together(scale, channels, variance[n])
        mean[n] /= count
        variance[n] /= count
        for line in range(lines):
            scale[line] = np.float32(1 / np.sqrt(scale[line] / count + eps)) * weight[line]
        _scale_and_shift(x[n], means, scale, bias, in_rows, out[n])


def normalize_channels_vjp(g, out, x, weight, bias, *, groups=None, eps, needs_input_grad):
    (g, g_mean, g_variance), (_, mean, variance) = g, out
    if not all_float32(g, x, weight):
        return NotImplemented
    images = Images(x, groups, LINES)
    given, slopes, dx = images.of(x), images.of(g), np.empty(images.shape, np.float32)
    if not slopes.strides[0]:  # one image for all
        slopes = slopes[:1].copy()
    sums, along = np.empty((2, len(given), images.channels), np.float32)
    means, inverse = images.each(mean), 1 / np.sqrt(images.each(variance) + eps)
    if groups is not None:
        if g_mean.any() or g_variance.any():
            return NotImplemented
        lines = [_lines(images, each) for each in (means, inverse, _parameter(weight, x.shape[1], 1))]
        _normalize_groups_back(len(given), 4 * x.size, given, slopes, images.in_rows, images.channels, groups, *lines,
                               sums, along, dx)
        return images.back(dx), (along * inverse).sum(0), sums.sum(0)
    means = _lines(images, means[0])
    _sum_along_all(len(given), 2 * x.size, given, slopes, means, images.in_rows, sums, along)
    d_bias, along = [each.sum(0, dtype=np.float64).astype(np.float32) for each in (sums, along)]
    if needs_input_grad[0]:
        terms = input_gradient(images, g_mean, g_variance, along[None], d_bias[None], inverse, weight)
        _combine_all(len(given), 2 * x.size, given, slopes, means, *[_lines(images, each[0]) for each in terms],
                     images.in_rows, dx)
    return images.back(dx) if needs_input_grad[0] else None, along * inverse[0], d_bias


@parallel
def _sum_along_all(first, last, x, g, mean, in_rows, sums, along):
    sum_of_lines, along_lines = np.empty(len(mean), np.float32), np.empty(len(mean), np.float32)
    for n in range(first, last):
        _sum_along(x[n], g[min(n, len(g) - 1)], mean, in_rows, sum_of_lines, along_lines)
        _of_channels(sum_of_lines, sums[n])
        _of_channels(along_lines, along[n])


@parallel
def _combine_all(first, last, x, g, mean, of_deviation, of_g, shift, in_rows, out):
    for n in range(first, last):
        _combine(x[n], g[min(n, len(g) - 1)], mean, of_deviation, of_g, shift, in_rows, out[n])


@parallel
def _normalize_groups_back(first, last, x, g, in_rows, channels, groups, mean, inverse, weight, sums, along, out):
    lines, count = mean.shape[1], np.float32(x.shape[1] * x.shape[2] // groups)
    sum_of_lines, along_lines = np.empty(lines, np.float32), np.empty(lines, np.float32)
    for n in range(first, last):
        slopes, together = g[min(n, len(g) - 1)], np.empty(groups, np.float32)
        _sum_along(x[n], slopes, mean[n], in_rows, sum_of_lines, along_lines)
        _of_channels(sum_of_lines, sums[n])
        _of_channels(along_lines, along[n])
        scale = inverse[n] * weight
        of_deviation, shift = scale * along_lines, scale * sum_of_lines
        _together(of_deviation, channels, together)
        _together(shift, channels, together)
        for line in range(lines):
            of_deviation[line] *= -inverse[n, line] * inverse[n, line] / count
            shift[line] /= -count
        _combine(x[n], slopes, mean[n], of_deviation, scale, shift, in_rows, out[n])
