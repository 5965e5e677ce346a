"""What all compiled loops are made with: the decorator, matrix products inside a loop, fast exp and tanh."""

import ctypes
from typing import Any

import llvmlite.binding
import numpy as np
from numba import types

from autograd.runtime import blas
from autograd.runtime.caching import compiler
from autograd.runtime.products import SMALL

loop = compiler(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract"})
"""Compiles a loop. Sums may be added up in another order; NaN and infinities stay what they are."""

HALF, ONE = np.float32(0.5), np.float32(1)
"""Beside numbers of float32; Python's own would make float64 of them."""


def all_float32(*arrays: Any) -> bool:
    """Whether all that are given (not None) are NumPy's arrays of float32."""
    return all(a is None or (type(a) is np.ndarray and a.dtype == np.float32) for a in arrays)


HAS_PRODUCTS = blas.sgemm is not None
"""Whether loops may call NumPy's own matrix product, which another BLAS than OpenBLAS hides."""

_ROW_MAJOR, _AS_IT_IS, _TRANSPOSED = 101, 111, 112  # of cblas.h
_integer = types.int64 if blas.LONG_INTEGERS else types.int32
if HAS_PRODUCTS:
    llvmlite.binding.add_symbol("gradcircuit_sgemm", ctypes.cast(blas.sgemm, ctypes.c_void_p).value)
_sgemm = types.ExternalFunction("gradcircuit_sgemm", types.void(
    *[types.int32] * 3, *[_integer] * 3, types.float32, types.intp, _integer, types.intp, _integer,
    types.float32, types.intp, _integer))


@loop
def _row_length(matrix):
    """How far apart rows are; BLAS wants a sensible answer of a single row and of none, too."""
    return max(matrix.strides[0] // 4, matrix.shape[1], 1)


@loop
def product(a, b, out, kept):
    """out = a b + kept · out, for matrices whose rows are contiguous; see `runtime/products.py` for the pieces."""
    count, depth, columns = len(a), b.shape[0], b.shape[1]
    rows_of_a, rows_of_out = _row_length(a), _row_length(out)
    fitting = SMALL // max(depth * columns, 1)
    each = fitting - fitting % 8
    if each == 0:
        each = max(count, 1)
    for start in range(0, count, each):
        _sgemm(_ROW_MAJOR, _AS_IT_IS, _AS_IT_IS, min(each, count - start), columns, depth,
               np.float32(1), a.ctypes.data + 4 * start * rows_of_a, rows_of_a, b.ctypes.data, _row_length(b),
               np.float32(kept), out.ctypes.data + 4 * start * rows_of_out, rows_of_out)


@loop
def product_in_columns(rows, blocks, out, kept):
    """out = rows times a matrix in blocks of columns (B, K, N / B) + kept · out."""
    columns = blocks.shape[2]
    for k in range(len(blocks)):
        product(rows, blocks[k], out[:, k * columns:(k + 1) * columns], kept)


@loop
def transposed_product(a, b, out, kept):
    """out = aᵀ b + kept · out."""
    count, rows_of_a, rows_of_b = len(a), _row_length(a), _row_length(b)
    fitting = SMALL // max(out.shape[0] * out.shape[1], 1)
    each = fitting - fitting % 32
    if each < 64:
        each = max(count, 1)
    for start in range(0, max(count, 1), each):
        _sgemm(_ROW_MAJOR, _TRANSPOSED, _AS_IT_IS, out.shape[0], out.shape[1], min(each, count - start),
               np.float32(1), a.ctypes.data + 4 * start * rows_of_a, rows_of_a,
               b.ctypes.data + 4 * start * rows_of_b, rows_of_b,
               np.float32(kept if start == 0 else 1), out.ctypes.data, _row_length(out))


@compiler(nogil=True, fastmath={"nnan", "nsz"})
def largest(numbers):
    """The largest of some numbers, -inf of none; NaN counts or doesn't."""
    top = np.float32(-np.inf)
    for i in range(len(numbers)):
        top = max(top, numbers[i])
    return top


@loop
def tanh(x):
    """tanh by a rational function, to 3e-7 (the coefficients are Eigen's): it fits into vector registers."""
    limit = np.float32(7.90531110763549805)
    clipped = limit if x > limit else -limit if x < -limit else x
    square = clipped * clipped
    p = np.float32(-2.76076847742355e-16)
    p = p * square + np.float32(2.00018790482477e-13)
    p = p * square + np.float32(-8.60467152213735e-11)
    p = p * square + np.float32(5.12229709037114e-08)
    p = p * square + np.float32(1.48572235717979e-05)
    p = p * square + np.float32(6.37261928875436e-04)
    p = p * square + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * square + np.float32(1.18534705686654e-04)
    q = q * square + np.float32(2.26843463243900e-03)
    q = q * square + np.float32(4.89352518554385e-03)
    return ONE if x > limit else -ONE if x < -limit else clipped * p / q


@loop
def exp(x):
    """exp by 2ⁿ times a polynomial, to 2e-7 (the coefficients are Cephes'); below exp(-87.3) it is 0."""
    least, most = np.float32(-87.3), np.float32(88.72284)  # the logarithms of the smallest and largest numbers
    clipped = most if x > most else least if x < least else x
    n = np.floor(clipped * np.float32(1.44269504088896341) + np.float32(0.5))
    r = clipped - n * np.float32(0.693359375) - n * np.float32(-2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * (r * r) + r + np.float32(1)
    twice = n > np.float32(127)  # 2¹²⁸ is no float32
    power = np.int32((np.int32(n) - np.int32(twice) + np.int32(127)) << np.int32(23)).view(np.float32)
    value = (p + p if twice else p) * power
    return np.float32(0) if x < least else np.float32(np.inf) if x > most else value
