"""The matrix product of NumPy's own OpenBLAS, inside loops, and with threads that share a product."""

import ctypes

import llvmlite.binding
import numpy as np
from numba import types

from autograd.compiled.loops import all_float32, parallel
from autograd.runtime import blas
from autograd.runtime.threads import get_num_threads, one_blas_thread

HAS_PRODUCTS = blas.sgemm is not None
"""Whether loops may call NumPy's own matrix product, which another BLAS than OpenBLAS hides."""

ROW_MAJOR, AS_IT_IS, TRANSPOSED = 101, 111, 112  # of cblas.h
_integer = types.int64 if blas.LONG_INTEGERS else types.int32
if HAS_PRODUCTS:
    llvmlite.binding.add_symbol("gradcircuit_sgemm", ctypes.cast(blas.sgemm, ctypes.c_void_p).value)
sgemm = types.ExternalFunction("gradcircuit_sgemm", types.void(
    *[types.int32] * 3, *[_integer] * 3, types.float32, types.intp, _integer, types.intp, _integer,
    types.float32, types.intp, _integer))


def shared(a, b):
    layouts = [_layout(x) for x in (a, b)]
    if not HAS_PRODUCTS or not all_float32(a, b) or None in layouts:
        return NotImplemented
    (order_a, row_a), (order_b, row_b) = layouts
    out = np.empty((len(a), b.shape[1]), np.float32)
    by_rows, parts = len(a) >= b.shape[1], get_num_threads()
    each = -(-max(out.shape) // parts)
    with one_blas_thread():
        _multiply(parts, a.size * b.shape[1] // 8, by_rows, each, len(b), out, order_a, a.ctypes.data, row_a,
                  order_b, b.ctypes.data, row_b)
    return out


def _layout(x):
    """How BLAS has to take a matrix, and how far apart its rows, or columns, are; None where it cannot."""
    if x.ndim != 2:
        return None
    for order, (apart, beside), length in ((AS_IT_IS, x.strides, x.shape[1]), (TRANSPOSED, x.strides[::-1], len(x))):
        if beside == x.itemsize and apart % x.itemsize == 0 and apart // x.itemsize >= max(length, 1):
            return order, apart // x.itemsize
    return None


@parallel
def _multiply(first, last, by_rows, each, depth, out, order_a, a, row_a, order_b, b, row_b):
    """`each` rows, or columns, of a product of matrices at addresses."""
    rows, columns = out.shape
    begin = min(first * each, rows if by_rows else columns)
    end = min(last * each, rows if by_rows else columns)
    into = out.ctypes.data + 4 * begin * (columns if by_rows else 1)
    if by_rows:
        rows = end - begin
        a += 4 * begin * (row_a if order_a == AS_IT_IS else 1)
    else:
        b += 4 * begin * (1 if order_b == AS_IT_IS else row_b)
        columns = end - begin
    if begin < end:
        sgemm(ROW_MAJOR, order_a, order_b, rows, columns, depth, np.float32(1), a, row_a, b, row_b,
              np.float32(0), into, out.shape[1])
