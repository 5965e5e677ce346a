"""Distances between the rows of matrices."""

import math

import numpy as np

from autograd.dtypes import float32
from autograd.errors import ShapeError
from autograd.operations.joining import cat
from autograd.operations.norms import vector_norm
from autograd.operations.pointwise import floating
from autograd.runtime.compiled import compilable
from autograd.runtime.threads import in_parallel
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike

BLOCK = 1 << 22
"""So many differences are taken at once."""
PAIRS = 1 << 15
"""So many pairs are looked at together: their squares in float64 stay in the cache."""
TERMS = 64
"""So many products are added up in float32, before their sum is added to others in float64."""


def _in_blocks(work, x1, x2):
    """`work(matrices, rows)` for parts of stacks (stack, rows, length) with few pairs; threads share the matrices."""
    (rows, length), columns = x1.shape[-2:], x2.shape[-2]
    matrices, step = max(PAIRS // max(rows * columns, 1), 1), max(PAIRS // max(columns, 1), 1)

    def over(part):
        for first in range(part.start, part.stop, matrices):
            for row in range(0, rows, step):
                work(slice(first, min(first + matrices, part.stop)), slice(row, row + step))
    in_parallel(over, len(x1), len(x1) * rows * columns * (4 + length // 4))


def _stack(*arrays):
    """(..., rows, columns) as a stack of matrices."""
    return [a.reshape(math.prod(a.shape[:-2]), *a.shape[-2:]) for a in arrays]


def _beside(dtype, x, *columns):
    """Rows x, and behind them numbers (..., 1), or one number for all rows."""
    out = np.empty((*x.shape[:-1], x.shape[-1] + len(columns)), dtype)
    out[..., :x.shape[-1]] = x
    for i, column in enumerate(columns, x.shape[-1]):
        out[..., i:i + 1] = column
    return out


def _squares(x):
    return np.einsum("...k,...k->...", x, x, dtype=np.float64)[..., None]


def _euclidean_forward(x1, x2):
    out = np.empty((*x1.shape[:-1], x2.shape[-2]), floating(x1).dtype)
    _euclidean(*_stack(x1, x2, out))
    return (out,)


@compilable("autograd.compiled.distances", many=True)
def _euclidean(x1, x2, out):
    """√(|x|² + |y|² - 2 x·y) in float64; where that cancels, and where it is no number, from the differences."""
    x_squares, y_squares = _squares(x1), _squares(x2)
    x_rows, y_rows = _beside(np.float64, x1, x_squares, 1), _beside(np.float64, -2 * x2, 1, y_squares)

    @np.errstate(invalid="ignore")  # infinities are looked at again; equal ones have no difference
    def block(matrices, rows):
        squares = x_rows[matrices, rows] @ y_rows[matrices].swapaxes(-1, -2)
        of_x, of_y = 1e-6 * x_squares[matrices, rows], 1e-6 * y_squares[matrices].swapaxes(-1, -2)
        if not squares.min(initial=np.inf) > of_x.max(initial=0) + of_y.max(initial=0):
            matrix, row, column = np.unravel_index(np.flatnonzero(~(squares > of_x + of_y)), squares.shape)
            between = x_rows[matrices, rows][matrix, row, :-2] - x2[matrices][matrix, column]
            squares[matrix, row, column] = (between * between).sum(-1)
        out[matrices, rows] = np.sqrt(squares, out=squares)

    _in_blocks(block, x1, x2)


def _euclidean_vjp(g, out, x1, x2, *, needs_input_grad):
    dx, dy = _pulls(*_stack(g[0], out[0], x1, x2), tuple(needs_input_grad))
    return dx if dx is None else dx.reshape(x1.shape), dy if dy is None else dy.reshape(x2.shape)


@compilable("autograd.compiled.distances", many=True)
def _pulls(g, distances, x1, x2, needs_input_grad):
    """Σ g (x - y) / |x - y| as products, for Σ s x - Σ s y.

    In float64, of which differences of nearly equal rows lose little; in float32 where no two rows are much nearer to
    each other than to the origin.
    """
    dx, dy = np.empty(x1.shape, x1.dtype), np.zeros(x2.shape)
    x_rows, y_rows = _beside(x1.dtype.type, x1, 1), _beside(x2.dtype.type, x2, 1)
    longest = max(_squares(x).max(initial=0) for x in (x1, x2)) ** 0.5

    def block(matrices, rows):
        shares, nearest = _quotient(g[matrices, rows], distances[matrices, rows])
        exactly = not nearest > longest / 4
        if needs_input_grad[0]:
            sums = _weighted(shares, y_rows[matrices], exactly)
            dx[matrices, rows] = x1[matrices, rows] * sums[..., -1:] - sums[..., :-1]
        if needs_input_grad[1]:
            sums = _weighted(shares.swapaxes(-1, -2), x_rows[matrices, rows], exactly)
            dy[matrices] += x2[matrices] * sums[..., -1:] - sums[..., :-1]

    _in_blocks(block, x1, x2)
    return dx if needs_input_grad[0] else None, dy.astype(x2.dtype) if needs_input_grad[1] else None


def _quotient(g, distances):
    """g / distances, and 0 where they are 0; and the shortest distance above 0."""
    shortest = distances.min(initial=np.inf)
    if shortest:
        return g / distances, shortest
    at = np.unravel_index(np.flatnonzero(distances == 0), distances.shape)
    distances = distances.copy()
    distances[at] = np.inf
    with np.errstate(invalid="ignore"):
        shares = g / distances
    shares[at] = 0
    return shares, distances.min()


def _weighted(weights, rows, exactly):
    """weights @ rows in float64, or not so exactly, but as if only `TERMS` numbers had been added up."""
    if exactly or rows.shape[-2] > 8 * TERMS:  # many short products take longer
        return weights.astype(np.float64) @ rows.astype(np.float64)
    total = np.zeros((*weights.shape[:-1], rows.shape[-1]))
    for start in range(0, rows.shape[-2], TERMS):
        total += weights[..., start:start + TERMS] @ rows[..., start:start + TERMS, :]
    return total


def _differences(x1, x2):
    return (vector_norm(x1[..., :, None, :] - x2[..., None, :, :], 2.0, -1),)


def _come_from_products(x1, x2, p):
    """Whether distances do: of few rows their differences take less time."""
    return p == 2 and x1.dtype is float32 and x2.dtype is float32 and x1.shape[-2] * x2.shape[-2] > 256


_distances = operation(_euclidean_forward, joint_vjp=_euclidean_vjp, composition=_differences, outputs="distances",
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
    if _come_from_products(x1, x2, p):
        lead = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
        return _distances(*(x.expand((*lead, *x.shape[-2:])) for x in (x1, x2)))[0]
    rows = max(BLOCK // max(x2.shape[-2] * x2.shape[-1], 1), 1)
    if x1.shape[-2] > rows:
        return cat([cdist(x1[..., i:i + rows, :], x2, p) for i in range(0, x1.shape[-2], rows)], dim=-2)
    return vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)


@operation(methods="", samples=lambda draw: call(draw.array((3, 2), distinct=True), draw.choice([2.0, 1.5])))
def pdist(x: TensorLike, p: float = 2.0) -> Tensor:
    """The distances of all pairs of rows of a matrix, by the p-norm: row 0 from 1, 2, ..., then row 1 from 2, ..."""
    if x.ndim != 2:
        raise ShapeError(f"pdist() takes a matrix, not shape {x.shape}")
    if _come_from_products(x, x, p):
        return _euclidean_pairs(x)[0]
    return vector_norm(_pair_differences(x), p, -1)


def _pair_differences(x):
    first, second = np.triu_indices(len(x), 1)
    return x[first] - x[second]


def _pairs(n):
    """Where the pairs are in a matrix of n rows and columns, flattened."""
    return np.flatnonzero(~np.tri(n, dtype=bool))


def _pairs_forward(x):
    distances = np.empty((1, len(x), len(x)), floating(x).dtype)
    _euclidean(x[None], x[None], distances)
    np.fill_diagonal(distances[0], np.inf)  # no row pulls at itself
    return distances.reshape(-1).take(_pairs(len(x))), distances


def _pairs_vjp(g, out, x):
    matrix = np.zeros((len(x), len(x)), x.dtype)
    matrix.reshape(-1)[_pairs(len(x))] = g[0]
    matrix += matrix.T.copy()
    return _pulls(matrix[None], out[1], x[None], x[None], (True, False))[0][0]


_euclidean_pairs = operation(
    _pairs_forward, joint_vjp=lambda g, out, x, needs_input_grad: (_pairs_vjp(g, out, x),),
    composition=lambda x: (vector_norm(_pair_differences(x), 2.0, -1),), outputs="distances", names="_euclidean_pairs",
    samples=lambda draw: call(draw.array((4, 3), distinct=True)))
