"""Matrix products in pieces that OpenBLAS reads where they lie.

For a large product it first copies both factors into an order of its own. With few rows that copy of the second factor
takes longer than the product; with few columns, that of the first. Up to a million multiplications it multiplies at
once (AVX-512): a product in such pieces is up to four times as fast, and elsewhere (AVX2) no slower.
"""

import numpy as np

from autograd import openblas

SMALL = 1_000_000 if openblas.set_num_threads else 0
"""How many multiplications OpenBLAS does at once."""
COLUMNS = 64
"""How many columns such a product has at best."""


def in_columns(matrix: np.ndarray) -> np.ndarray:
    """A matrix (..., K, N), or several, as blocks of neighbouring columns (..., B, K, N / B), each contiguous."""
    *lead, depth, width = matrix.shape
    columns = COLUMNS if width % COLUMNS == 0 and 8 * depth * COLUMNS <= SMALL else width
    return np.ascontiguousarray(matrix.reshape(*lead, depth, -1, columns).swapaxes(-3, -2))


def product(rows: np.ndarray, blocks: np.ndarray, out: np.ndarray) -> np.ndarray:
    """rows (..., P, K) times the matrix in blocks of columns (..., B, K, N / B), into out (..., P, N)."""
    count, (parts, depth, columns) = rows.shape[-2], blocks.shape[-3:]
    fitting = SMALL // max(1, depth * columns)  # so many rows make a small product
    each = min(count, fitting - fitting % (16 if fitting >= 16 else 8)) or max(1, count)
    whole = count - count % each
    _in_pieces(rows[..., :whole, :], blocks, out[..., :whole, :], each)
    if whole < count:
        _in_pieces(rows[..., whole:, :], blocks, out[..., whole:, :], count - whole)
    return out


def _in_pieces(rows, blocks, out, each):
    *lead, count, depth = rows.shape
    parts, _, columns = blocks.shape[-3:]
    pieces = rows.reshape(*lead, count // each, 1, each, depth, copy=False)
    places = out.reshape(*lead, count // each, each, parts, columns, copy=False).swapaxes(-3, -2)
    np.matmul(pieces, np.expand_dims(blocks, -4), out=places)
