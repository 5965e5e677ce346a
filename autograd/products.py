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
    return np.ascontiguousarray(matrix.reshape(*lead, depth, width // max(1, columns), columns).swapaxes(-3, -2))


def product(rows: np.ndarray, blocks: np.ndarray, out: np.ndarray) -> np.ndarray:
    """rows (..., P, K) times the matrix in blocks of columns (..., B, K, N / B), into out (..., P, N)."""
    count, (_, depth, columns) = rows.shape[-2], blocks.shape[-3:]
    fitting = SMALL // max(1, depth * columns)
    each = min(count, fitting - fitting % (16 if fitting >= 16 else 8)) or max(1, count)
    whole = count - count % each
    beside = blocks[..., None, :, :, :]
    np.matmul(_pieces(rows, whole, each)[..., None, :, :], beside, out=_places(out, whole, each, blocks))
    if whole < count:
        rest = rows[..., None, None, whole:, :]
        np.matmul(rest, beside, out=_places(out[..., whole:, :], count - whole, count - whole, blocks))
    return out


def transposed_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """leftᵀ right for left (..., P, K) and right (..., P, N): (..., K, N)."""
    count, depth, width = *left.shape[-2:], right.shape[-1]
    fitting = SMALL // max(1, depth * width)
    each = min(256, fitting - fitting % 32)
    if each < 64 or count < 2 * each:  # adding the pieces up would take longer than they save
        return left.swapaxes(-1, -2) @ right
    whole = count - count % each
    total = np.matmul(_pieces(left, whole, each).swapaxes(-1, -2), _pieces(right, whole, each)).sum(axis=-3)
    if whole < count:
        total += left[..., whole:, :].swapaxes(-1, -2) @ right[..., whole:, :]
    return total


def _pieces(rows, whole, each):
    return rows[..., :whole, :].reshape(*rows.shape[:-2], whole // each, each, rows.shape[-1], copy=False)


def _places(out, whole, each, blocks):
    """Where the products of pieces of rows and blocks of columns belong: (..., pieces, B, each, N / B)."""
    parts, _, columns = blocks.shape[-3:]
    places = out[..., :whole, :].reshape(*out.shape[:-2], whole // each, each, parts, columns, copy=False)
    return places.swapaxes(-3, -2)
