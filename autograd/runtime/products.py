"""Matrix products, shared by threads, or in pieces that OpenBLAS reads where they lie.

OpenBLAS's own threads wait for each other: if another process has taken a processor, each product takes as long as the
system lets that process run, some 10 milliseconds. Ours take over what another thread has not begun.

Before a large product OpenBLAS copies both factors into an order of its own. With few rows that copy of the second
factor takes longer than the product; with few columns, that of the first. Up to a million multiplications it multiplies
at once (AVX-512): a product in such pieces is up to four times as fast, and elsewhere (AVX2) no slower.
"""

from typing import Any

import numpy as np

from autograd.runtime import blas
from autograd.runtime.compiled import compilable
from autograd.runtime.threads import WORTHWHILE, in_parallel

LARGE = 1 << 20
"""Multiplications from which on threads share a product."""
SMALL = 1_000_000 if blas.set_num_threads else 0
"""How many multiplications OpenBLAS does at once."""
COLUMNS = 64
"""How many columns such a product has at best."""


def matmul(a: Any, b: Any) -> Any:
    """a @ b."""
    if (type(a) is type(b) is np.ndarray and a.ndim > 1 < b.ndim and a.size * b.shape[-1] >= LARGE
            and a.dtype is b.dtype and a.dtype.char in "fd" and a.shape[-1] == b.shape[-2]):
        return _shared(a, b)
    return a @ b


@compilable("autograd.compiled.products")
def _shared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of matrices or stacks of them: each thread computes some matrices, or rows, or columns."""
    try:
        stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:  # NumPy's product says what is wrong
        return a @ b
    # OpenBLAS's own threads wake up faster than ours, for one large product, unless others keep them from running
    work = a.size * b.shape[-1] // (16 if stack else 64)
    if work < WORTHWHILE:
        return a @ b
    out = np.empty((*stack, a.shape[-2], b.shape[-1]), a.dtype)
    axis = int(np.argmax(stack or out.shape))
    a, b = (np.broadcast_to(x, (*stack, *x.shape[-2:])) for x in (a, b))

    def multiply(part: slice) -> None:
        here = (*[slice(None)] * axis, part)
        np.matmul(a[here] if stack or axis == 0 else a, b[here] if stack or axis == 1 else b, out=out[here])

    in_parallel(multiply, out.shape[axis], work)
    return out


def in_columns(matrix: np.ndarray, count: int) -> np.ndarray:
    """A matrix (..., K, N), or several, as blocks of neighboring columns (..., B, K, N / B).

    Each is contiguous, unless it is for a product with a `count` of one row, which has nothing to copy.
    """
    *lead, depth, width = matrix.shape
    if count == 1:
        return matrix[..., None, :, :]
    columns = COLUMNS if width % COLUMNS == 0 and 8 * depth * COLUMNS <= SMALL else width
    return np.ascontiguousarray(matrix.reshape(*lead, depth, width // (columns or 1), columns).swapaxes(-3, -2))


def product(rows: np.ndarray, blocks: np.ndarray, out: np.ndarray) -> np.ndarray:
    """rows (..., P, K) times the matrix in blocks of columns (..., B, K, N / B), into out (..., P, N)."""
    count, (_, depth, columns) = rows.shape[-2], blocks.shape[-3:]
    fitting = SMALL // (depth * columns or 1)
    each = fitting - fitting % (16 if fitting >= 16 else 8) or count
    if count <= each:
        np.matmul(rows[..., None, :, :], blocks, out=_beside_each_other(out, blocks))
        return out
    whole = count - count % each
    np.matmul(_pieces(rows, whole, each)[..., None, :, :], blocks[..., None, :, :, :],
              out=_beside_each_other(_pieces(out, whole, each), blocks))
    if whole < count:
        product(rows[..., whole:, :], blocks, out[..., whole:, :])
    return out


def transposed_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """leftᵀ right for left (..., P, K) and right (..., P, N): (..., K, N)."""
    count, depth, width = *left.shape[-2:], right.shape[-1]
    fitting = SMALL // (depth * width or 1)
    each = min(256, fitting - fitting % 32)
    if each < 64 or count < 2 * each:  # adding the pieces up would take longer than they save
        return left.swapaxes(-1, -2) @ right
    whole = count - count % each
    total = np.matmul(_pieces(left, whole, each).swapaxes(-1, -2), _pieces(right, whole, each)).sum(axis=-3)
    if whole < count:
        total += left[..., whole:, :].swapaxes(-1, -2) @ right[..., whole:, :]
    return total


def _pieces(rows: np.ndarray, whole: int, each: int) -> np.ndarray:
    return rows[..., :whole, :].reshape(*rows.shape[:-2], whole // each, each, rows.shape[-1])


def _beside_each_other(out: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Where in (..., P, N) the products with blocks of columns belong: (..., B, P, N / B)."""
    return out.reshape(*out.shape[:-1], blocks.shape[-3], blocks.shape[-1]).swapaxes(-3, -2)
