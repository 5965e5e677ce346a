"""Distances between the rows of matrices."""

import math

import numpy as np

from autograd.dtypes import float32
from autograd.errors import ShapeError
from autograd.operations.joining import cat
from autograd.operations.norms import vector_norm
from autograd.operations.pointwise import floating, only
from autograd.runtime.sums import added
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike

BLOCK = 1 << 22
"""So many differences are taken at once."""


def _blocks(x1, x2):
    """Parts of the rows of x1, so that there are not too many pairs with rows of x2 at once."""
    step = max(BLOCK // max(math.prod(x1.shape[:-2]) * x2.shape[-2], 1), 1)
    return [(..., slice(i, i + step), slice(None)) for i in range(0, x1.shape[-2], step)]


def _euclidean_forward(x1, x2):
    """√(|x|² + |y|² - 2 x·y) in float64; where that cancels, and where it is no number, from the differences."""
    out, y = np.empty((*x1.shape[:-1], x2.shape[-2]), floating(x1).dtype), x2.astype(np.float64)
    y_squares = (y * y).sum(-1)[..., None, :]
    for block in _blocks(x1, x2):
        x = x1[block].astype(np.float64)
        x_squares = (x * x).sum(-1)[..., None]
        squares = (x * -2) @ np.swapaxes(y, -1, -2)
        squares += x_squares
        squares += y_squares
        unclear = np.flatnonzero(~(squares > 1e-6 * x_squares + 1e-6 * y_squares))
        unclear = np.unravel_index(unclear, squares.shape)
        between = x[unclear[:-1]] - y[(*unclear[:-2], unclear[-1])]
        squares[unclear] = (between * between).sum(-1)
        out[block] = np.sqrt(squares, out=squares)
    return (out,)


def _euclidean_vjp(g, out, x1, x2, *, needs_input_grad):
    """Σ g (x - y) / |x - y| as products, in float64: differences of nearly equal rows lose little of it."""
    (g,), (distances,) = g, out
    y, dy, dx = x2.astype(np.float64), np.zeros(x2.shape), np.empty_like(x1)
    for block in _blocks(x1, x2):
        x, d = x1[block].astype(np.float64), distances[block].astype(np.float64)
        shares = g[block] / d if d.all() else only(g[block] / np.where(d == 0, 1, d), d != 0)
        dx[block] = x * added(shares, -1)[..., None] - shares @ y
        dy += y * added(shares, -2)[..., None] - np.swapaxes(shares, -1, -2) @ x
    return dx, dy.astype(x2.dtype)


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
