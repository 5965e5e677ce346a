"""Convolution with kernels of one element: products of matrices whose rows are pixels."""

import math

import numpy as np

from autograd.compiled.loops import all_float32, parallel
from autograd.compiled.products import HAS_PRODUCTS
from autograd.runtime.copies import contiguous
from autograd.runtime.products import in_columns
from autograd.runtime.threads import get_num_threads, one_blas_thread
from nn.compiled.products import product_in_columns, transposed_product
from nn.functional.geometry import channels_first, channels_last, contiguous_channels_last


def has_form(weight_shape, padding, groups, *arrays):
    """Whether there is one."""
    return (HAS_PRODUCTS and math.prod(weight_shape[2:]) == 1 and groups == 1 and not any(map(any, padding))
            and all_float32(*arrays))


def _pixels(x, stride):
    """(N, C, *size) as (N, *size, C): every stride-th."""
    return contiguous_channels_last(x) if set(stride) == {1} else contiguous(
        channels_last(x[:, :, *[slice(None, None, step) for step in stride]]))


def convolve(x, weight, bias, stride):
    x, matrix = _pixels(x, stride), weight.reshape(weight.shape[:2]).T
    out, rows = np.empty((*x.shape[:-1], len(weight)), x.dtype), x.reshape(-1, x.shape[-1])
    bias = np.zeros(0, x.dtype) if bias is None else contiguous(bias)
    blocks = contiguous(in_columns(matrix, len(rows)))
    with one_blas_thread():
        _multiply(len(rows), x.size * len(weight) // 8, rows, blocks, bias, out.reshape(len(rows), len(weight)))
    return channels_first(out)


@parallel
def _multiply(first, last, rows, blocks, bias, out):
    into = out[first:last]
    product_in_columns(rows[first:last], blocks, into, 0)
    for row in range(len(into)):
        for c in range(len(bias)):
            into[row, c] += bias[c]


def correlate(x, y, stride):
    x, y = _pixels(x, stride), contiguous_channels_last(y)
    parts = min(get_num_threads(), len(x))
    work, x, y = x.size * y.shape[-1] // 8, x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])
    totals = np.empty((parts, y.shape[1], x.shape[1]), x.dtype)
    with one_blas_thread():
        _correlate(parts, work, parts, y, x, totals)
    return totals.sum(0).reshape(*totals.shape[1:], *[1] * len(stride))


@parallel
def _correlate(first, last, parts, y, x, totals):
    for part in range(first, last):
        begin, end = len(x) * part // parts, len(x) * (part + 1) // parts
        transposed_product(y[begin:end], x[begin:end], totals[part], 0)
