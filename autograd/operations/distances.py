"""Distances between the rows of matrices."""

import numpy as np

from autograd.errors import ShapeError
from autograd.operations.joining import cat
from autograd.operations.norms import vector_norm
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike

BLOCK = 1 << 22
"""So many differences are taken at once."""


@operation(methods="", samples=lambda draw: call(draw.array((2, 3)), draw.array((3, 3)), draw.choice([2.0, 1.5, 3.0])))
def cdist(x1: TensorLike, x2: TensorLike, p: float = 2.0, compute_mode: str | None = None) -> Tensor:
    """The distances of all rows of x1, (..., n, d), from all rows of x2, (..., m, d), by the p-norm: (..., n, m).

    At a distance of 0 the gradient is 0. The differences are taken, which is exact, for some rows after others: beside
    the result there is only a block of them, but those that a gradient needs are kept. (`compute_mode` is PyTorch's,
    and changes nothing.)
    """
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"x1 and x2 hold vectors of one length in their rows, not shapes {x1.shape} and {x2.shape}")
    if p < 0:
        raise ValueError(f"p must be at least 0, not {p}")
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
