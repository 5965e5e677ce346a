"""Names for what functions take and return, to annotate with: `def scaled(x: TensorLike, dim: Dims) -> Tensor`."""

from typing import NamedTuple, TypeAlias

import numpy as np

from autograd.tensor import Tensor

TensorLike: TypeAlias = Tensor | np.ndarray | np.generic | float
"""What an operation takes: a Tensor, or an array or a number, which is a constant."""
DTypeLike: TypeAlias = np.dtype | type | str
"""A dtype, its name or its type."""
Dims: TypeAlias = int | tuple[int, ...] | list[int]
"""An axis, or several."""
Shape: TypeAlias = int | tuple[int, ...] | list[int]
"""The length of an axis, or of several."""


# Several outputs, by their names in a declaration: `outputs="values indices"`

class ValuesIndices(NamedTuple):
    """Elements, and where they were taken from."""

    values: Tensor
    indices: Tensor


class MinMax(NamedTuple):
    """The smallest and the largest element."""

    min: Tensor
    max: Tensor


class SignLogabsdet(NamedTuple):
    """A determinant."""

    sign: Tensor
    logabsdet: Tensor


class QR(NamedTuple):
    """An orthogonal and a triangular factor."""

    Q: Tensor
    R: Tensor


class USVh(NamedTuple):
    """Singular values, and the vectors on both sides."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class EigenvaluesEigenvectors(NamedTuple):
    """Eigenvalues, and the vectors that belong to them."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class USV(NamedTuple):
    """Singular values, and the vectors on both sides as columns."""

    U: Tensor
    S: Tensor
    V: Tensor


class PLU(NamedTuple):
    """A permutation, a lower and an upper triangular factor."""

    P: Tensor
    L: Tensor
    U: Tensor


class LUPivots(NamedTuple):
    """Both triangular factors in one matrix, and the exchanges of rows."""

    LU: Tensor
    pivots: Tensor


class LUPivotsInfo(NamedTuple):
    """Both triangular factors in one matrix, the exchanges of rows, and whether a pivot was 0."""

    LU: Tensor
    pivots: Tensor
    info: Tensor


class InverseInfo(NamedTuple):
    """An inverse, and whether there was one."""

    inverse: Tensor
    info: Tensor


class ResultInfo(NamedTuple):
    """A solution, and whether there was one."""

    result: Tensor
    info: Tensor


class LInfo(NamedTuple):
    """Cholesky's factor, and whether there was one."""

    L: Tensor
    info: Tensor


class LeastSquares(NamedTuple):
    """The solution of a system in the sense of least squares, and what is known of the system."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


class SolutionCoefficient(NamedTuple):
    """The solution of a triangular system, and the triangle."""

    solution: Tensor
    cloned_coefficient: Tensor
