"""Matrix products inside a compiled loop."""

import numpy as np

from autograd.compiled.loops import loop
from autograd.compiled.products import AS_IT_IS, ROW_MAJOR, TRANSPOSED, sgemm
from autograd.runtime.products import SMALL


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
        sgemm(ROW_MAJOR, AS_IT_IS, AS_IT_IS, min(each, count - start), columns, depth,
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
        sgemm(ROW_MAJOR, TRANSPOSED, AS_IT_IS, out.shape[0], out.shape[1], min(each, count - start),
               np.float32(1), a.ctypes.data + 4 * start * rows_of_a, rows_of_a,
               b.ctypes.data + 4 * start * rows_of_b, rows_of_b,
               np.float32(kept if start == 0 else 1), out.ctypes.data, _row_length(out))
