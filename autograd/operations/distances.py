"""Distances between the rows of matrices."""

import math

import numpy as np

from autograd.dtypes import float32
from autograd.errors import ShapeError
from autograd.operations.joining import cat
from autograd.operations.norms import vector_norm
from autograd.operations.pointwise import floating
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike

BLOCK = 1 << 22
"""So many differences are taken at once."""
PAIRS = 1 << 15
"""So many pairs are looked at together: their squares in float64 stay in the cache."""


def _blocks(x1, x2):
    """Parts of stacks (stack, rows, length) with few pairs: some matrices of both, and some rows of the first."""
    rows, columns = x1.shape[-2], x2.shape[-2]
    matrices, step = max(PAIRS // max(rows * columns, 1), 1), max(PAIRS // max(columns, 1), 1)
    for first in range(0, len(x1), matrices):
        for row in range(0, rows, step):
            yield slice(first, first + matrices), slice(row, row + step)


def _stack(*arrays):
    """(..., rows, columns) as a stack of matrices."""
    return [a.reshape(math.prod(a.shape[:-2]), *a.shape[-2:]) for a in arrays]


def _beside(*columns):
    """In float64, what stands beside each other in rows; a number for a column of it."""
    first = next(c for c in columns if np.ndim(c))
    columns = [c if np.ndim(c) else np.broadcast_to(np.float64(c), (*first.shape[:-1], 1)) for c in columns]
    return np.concatenate(columns, -1, dtype=np.float64)


def _squares(x):
    return np.einsum("...k,...k->...", x, x, dtype=np.float64)[..., None]


def _euclidean_forward(x1, x2):
    """√(|x|² + |y|² - 2 x·y) in float64; where that cancels, and where it is no number, from the differences."""
    out = np.empty((*x1.shape[:-1], x2.shape[-2]), floating(x1).dtype)
    x1, x2, into = _stack(x1, x2, out)
    x_squares, y_squares = _squares(x1), _squares(x2)
    x_rows, y_rows = _beside(x1, x_squares, 1), _beside(-2 * x2, 1, y_squares)
    for matrices, rows in _blocks(x1, x2):
        with np.errstate(invalid="ignore"):  # infinities are looked at again
            squares = x_rows[matrices, rows] @ y_rows[matrices].swapaxes(-1, -2)
        of_x, of_y = 1e-6 * x_squares[matrices, rows], 1e-6 * y_squares[matrices].swapaxes(-1, -2)
        if not squares.min(initial=np.inf) > of_x.max(initial=0) + of_y.max(initial=0):
            matrix, row, column = np.unravel_index(np.flatnonzero(~(squares > of_x + of_y)), squares.shape)
            between = x_rows[matrices, rows][matrix, row, :-2] - x2[matrices][matrix, column]
            squares[matrix, row, column] = (between * between).sum(-1)
        into[matrices, rows] = np.sqrt(squares, out=squares)
    return (out,)


def _euclidean_vjp(g, out, x1, x2, *, needs_input_grad):
    """Σ g (x - y) / |x - y| as products, in float64: differences of nearly equal rows lose little of it."""
    dx, dy = np.empty(x1.shape, x1.dtype), np.zeros(x2.shape)
    x1, x2, g, distances, into_x, into_y = _stack(x1, x2, g[0], out[0], dx, dy)
    x_rows, y_rows = _beside(x1, 1), _beside(x2, 1)
    for matrices, rows in _blocks(x1, x2):
        shares = _quotient(g[matrices, rows], distances[matrices, rows]).astype(np.float64)
        if needs_input_grad[0]:
            sums = shares @ y_rows[matrices]
            into_x[matrices, rows] = x1[matrices, rows] * sums[..., -1:] - sums[..., :-1]
        if needs_input_grad[1]:
            sums = shares.swapaxes(-1, -2) @ x_rows[matrices, rows]
            into_y[matrices] += x2[matrices] * sums[..., -1:] - sums[..., :-1]
    return dx if needs_input_grad[0] else None, dy.astype(x2.dtype) if needs_input_grad[1] else None


def _quotient(g, distances):
    """g / distances, and 0 where they are 0."""
    if distances.all():
        return g / distances
    at = np.unravel_index(np.flatnonzero(distances == 0), distances.shape)
    distances = distances.copy()
    distances[at] = 1
    shares = g / distances
    shares[at] = 0
    return shares


def _differences(x1, x2):
    return (vector_norm(x1[..., :, None, :] - x2[..., None, :, :], 2.0, -1),)


_euclidean = operation(_euclidean_forward, joint_vjp=_euclidean_vjp, composition=_differences, outputs="distances",
                       names="_euclidean", samples=lambda draw: call(draw.array((2, 3)), draw.array((3, 3))))


@operation(methods="", samples=lambda draw: call(draw.array((2, 3)), draw.array((3, 3)), draw.choice([2.0, 1.5, 3.0])))
def cdist(x1: TensorLike, x2: TensorLike, p: float = 2.0, compute_mode: str | None = None) -> Tensor:
    """The distances of all rows of x1, (..., n, d), from all rows of x2, (..., m, d), by the p-norm: (..., n, m).

    At a distance of 0 the gradient is 0. Euclidean distances of float32 come from products in float64. For others the
    differences are taken, for some rows after others: beside the result there is only a block of them, but those that a
    gradient needs are kept. (`compute_mode` is PyTorch's, and changes nothing.)
    """
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"x1 and x2 hold vectors of one length in their rows, not shapes {x1.shape} and {x2.shape}")
    if p < 0:
        raise ValueError(f"p must be at least 0, not {p}")
    if p == 2 and x1.dtype is float32 and x2.dtype is float32 and x1.shape[-2] * x2.shape[-2] > 256:
        lead = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
        return _euclidean(*(x.expand((*lead, *x.shape[-2:])) for x in (x1, x2)))[0]
    rows = max(BLOCK // max(x2.shape[-2] * x2.shape[-1], 1), 1)
    if x1.shape[-2] > rows:
        return cat([cdist(x1[..., i:i + rows, :], x2, p) for i in range(0, x1.shape[-2], rows)], dim=-2)
    return vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)


@operation(methods="", samples=lambda draw: call(draw.array((3, 2), distinct=True), draw.choice([2.0, 1.5])))
def pdist(x: TensorLike, p: float = 2.0) -> Tensor:
    """The distances of all pairs of rows of a matrix, by the p-norm: row 0 from 1, 2, ..., then row 1 from 2, ..."""
    if x.ndim != 2:
        raise ShapeError(f"pdist() takes a matrix, not shape {x.shape}")
    first, second = np.triu_indices(x.shape[0], 1)
    return vector_norm(x[first] - x[second], p, -1)
