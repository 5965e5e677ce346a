"""Normalization of rows, and of channels over the whole batch."""

import numpy as np

from autograd.compiled.loops import all_float32, loop
from autograd.runtime.threads import in_parallel
from nn.functional.linear import rows
from nn.functional.normalization import as_channels, as_matrix, input_gradient, of_channel, repeated

ROWS = 64
"""How many rows are added up in float32; their sums are in float64."""


def normalize_rows(x, weight=None, bias=None, *, eps):
    if not all_float32(x, weight, bias):
        return NotImplemented
    x_rows, width = np.ascontiguousarray(rows(x)), x.shape[-1]
    out, (mean, variance) = np.empty_like(x_rows), np.empty((2, *x.shape[:-1], 1), x.dtype)
    means, variances = mean.reshape(-1), variance.reshape(-1)
    scale, shift = _row(weight, width, 1), _row(bias, width, 0)

    def work(few):
        _normalize_rows(x_rows[few], scale, shift, eps, out[few], means[few], variances[few])

    in_parallel(work, len(x_rows), x.size)
    return out.reshape(x.shape), mean, variance


def _row(parameter, width, value):
    return np.full(width, value, np.float32) if parameter is None else np.ascontiguousarray(parameter)


@loop
def _normalize_rows(x, weight, bias, eps, out, mean, variance):
    count = np.float32(max(x.shape[1], 1))
    for i in range(x.shape[0]):
        total = np.float32(0)
        for j in range(x.shape[1]):
            total += x[i, j]
        center = total / count
        squares = np.float32(0)
        for j in range(x.shape[1]):
            squares += (x[i, j] - center) * (x[i, j] - center)
        mean[i], variance[i] = center, squares / count
        inverse = np.float32(1 / np.sqrt(variance[i] + eps))
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - center) * inverse * weight[j] + bias[j]


def normalize_rows_vjp(g, out, x, weight, bias, *, eps, needs_input_grad):
    (g, g_mean, g_variance), (_, mean, variance) = g, out
    if not all_float32(g, x, weight) or g_mean.any() or g_variance.any():
        return NotImplemented
    x_rows, g_rows = np.ascontiguousarray(rows(x)), np.ascontiguousarray(rows(g))
    dx, scale = np.empty_like(x_rows), _row(weight, x.shape[-1], 1)
    means, variances = mean.reshape(-1), variance.reshape(-1)

    def work(few):
        return _normalize_rows_back(x_rows[few], g_rows[few], scale, eps, means[few], variances[few], dx[few])

    d_weight, d_bias = sum(in_parallel(work, len(x_rows), 2 * x.size))
    gradients = dx.reshape(x.shape), d_weight.astype(x.dtype), d_bias.astype(x.dtype)
    return [gradient if needed else None for gradient, needed in zip(gradients, needs_input_grad, strict=True)]


@loop
def _normalize_rows_back(x, g, weight, eps, mean, variance, dx):
    """Fills dx; returns the gradients of weight and bias."""
    parameters = np.zeros((2, x.shape[1]))
    width, count = x.shape[1], np.float32(max(x.shape[1], 1))
    for start in range(0, len(x), ROWS):
        few_weight, few_bias = np.zeros(width, np.float32), np.zeros(width, np.float32)
        for i in range(start, min(start + ROWS, len(x))):
            center, inverse = mean[i], np.float32(1 / np.sqrt(variance[i] + eps))
            along, total = np.float32(0), np.float32(0)
            for j in range(width):
                normal = (x[i, j] - center) * inverse
                few_weight[j] += g[i, j] * normal
                few_bias[j] += g[i, j]
            for j in range(width):
                along += g[i, j] * weight[j] * (x[i, j] - center) * inverse
                total += g[i, j] * weight[j]
            along /= count
            total /= count
            for j in range(width):
                dx[i, j] = (g[i, j] * weight[j] - (x[i, j] - center) * inverse * along - total) * inverse
        parameters[0] += few_weight
        parameters[1] += few_bias
    return parameters


def _over_rows(sums, matrix):
    return sum(in_parallel(sums, len(matrix), matrix.size))


def normalize_channels(x, weight=None, bias=None, *, eps):
    if not all_float32(x, weight, bias):
        return NotImplemented
    channels, matrix = x.shape[1], as_matrix(x)
    repeats, count, out = matrix.shape[1] // channels, x.size // channels, np.empty_like(matrix)
    sums = _over_rows(lambda few: _sums(matrix[few]), matrix)
    mean = (of_channel(sums, channels) / count).astype(x.dtype)
    means = repeated(mean, repeats)
    squares = _over_rows(lambda few: _squares(matrix[few], means), matrix)
    variance = (of_channel(squares, channels) / count).astype(x.dtype)
    scale = 1 / np.sqrt(variance + eps)
    scales = repeated(scale if weight is None else scale * weight, repeats)
    shifts = np.zeros_like(means) if bias is None else repeated(bias, repeats)
    in_parallel(lambda few: _scale_and_shift(matrix[few], means, scales, shifts, out[few]), len(matrix), x.size)
    return as_channels(out, x), mean, variance


@loop
def _sums(x):
    total = np.zeros(x.shape[1])
    for start in range(0, len(x), ROWS):
        few = np.zeros(x.shape[1], np.float32)
        for i in range(start, min(start + ROWS, len(x))):
            for j in range(x.shape[1]):
                few[j] += x[i, j]
        total += few
    return total


@loop
def _squares(x, means):
    total = np.zeros(x.shape[1])
    for start in range(0, len(x), ROWS):
        few = np.zeros(x.shape[1], np.float32)
        for i in range(start, min(start + ROWS, len(x))):
            for j in range(x.shape[1]):
                deviation = x[i, j] - means[j]
                few[j] += deviation * deviation
        total += few
    return total


@loop
def _scale_and_shift(x, means, scales, shifts, out):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - means[j]) * scales[j] + shifts[j]


def normalize_channels_vjp(g, out, x, weight, bias, *, eps, needs_input_grad):
    (g, g_mean, g_variance), (_, mean, variance) = g, out
    if not all_float32(g, x, weight):
        return NotImplemented
    channels, matrix, g_matrix = x.shape[1], as_matrix(x), as_matrix(g)
    repeats, count = matrix.shape[1] // channels, x.size // channels
    inverse, means = 1 / np.sqrt(variance + eps), repeated(mean, repeats)
    sums = _over_rows(lambda few: _sums_along(matrix[few], g_matrix[few], means), matrix)
    d_bias, along = [of_channel(total, channels).astype(x.dtype) for total in sums]
    d_weight = along * inverse
    if not needs_input_grad[0]:
        return None, d_weight, d_bias
    terms = input_gradient(g_mean, g_variance, d_weight, d_bias, inverse, weight, count)
    dx, terms = np.empty_like(matrix), [repeated(v, repeats) for v in terms]
    in_parallel(lambda few: _combine(matrix[few], g_matrix[few], means, *terms, dx[few]), len(matrix), x.size)
    return as_channels(dx, x), d_weight, d_bias


@loop
def _sums_along(x, g, means):
    total = np.zeros((2, x.shape[1]))
    for start in range(0, len(x), ROWS):
        few, few_along = np.zeros(x.shape[1], np.float32), np.zeros(x.shape[1], np.float32)
        for i in range(start, min(start + ROWS, len(x))):
            for j in range(x.shape[1]):
                few[j] += g[i, j]
                few_along[j] += g[i, j] * (x[i, j] - means[j])
        total[0] += few
        total[1] += few_along
    return total


@loop
def _combine(x, g, means, of_deviation, of_g, shifts, out):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - means[j]) * of_deviation[j] + g[i, j] * of_g[j] + shifts[j]
