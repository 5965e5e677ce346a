"""The normal distribution in several dimensions."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn.distributions.distribution import Distribution, floating, one_of
from nn.distributions.normal import LOG_2PI


class MultivariateNormal(Distribution):
    """N(loc, Σ) in D dimensions.

    For a diagonal Σ, `Independent(Normal(loc, std), 1)` is the same without matrices.

    Args:
        loc: (*batch, D), the mean.
        covariance_matrix: Σ, (*batch, D, D), symmetric and positive definite.
        precision_matrix: its inverse.
        scale_tril: its Cholesky factor L, lower triangular with a positive diagonal, Σ = L Lᵀ; give one of the three.
        validate_args: refuse parameters and values outside their domain; None means True.

    Raises:
        ValueError: a matrix is not of that kind.
    """

    has_rsample = True
    parameters: ClassVar[dict[str, int]] = {"loc": 1, "scale_tril": 2}

    def __init__(self, loc: TensorLike, covariance_matrix: TensorLike | None = None,
                 precision_matrix: TensorLike | None = None, scale_tril: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        matrices = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix,
                    "scale_tril": scale_tril}
        one_of("MultivariateNormal", **matrices)
        (name, matrix), = [(name, m) for name, m in matrices.items() if m is not None]
        loc, matrix = floating(loc, matrix)
        if not loc.ndim or matrix.ndim < 2 or matrix.shape[-2:] != (loc.shape[-1],) * 2:
            raise ShapeError(f"MultivariateNormal: loc must have shape (..., D) and {name} (..., D, D), not "
                             f"{loc.shape} and {matrix.shape}")
        size = loc.shape[-1]
        batch = np.broadcast_shapes(loc.shape[:-1], matrix.shape[:-2])
        super().__init__(batch, (size,), validate_args)
        self.loc = autograd.broadcast_to(loc, (*batch, size))
        self.scale_tril = autograd.broadcast_to(self._factor(name, matrix), (*batch, size, size))

    def _factor(self, name: str, matrix: Tensor) -> Tensor:
        """L of Σ = L Lᵀ."""
        array = np.asarray(matrix.detach().array)
        if name == "scale_tril":
            if self._validates and (np.triu(array, 1).any()
                                    or not (np.diagonal(array, axis1=-2, axis2=-1) > 0).all()):
                raise ValueError("MultivariateNormal: scale_tril must be lower triangular with a positive diagonal; "
                                 "for a covariance matrix write covariance_matrix=...")
            return matrix.tril()  # so that a gradient step keeps it triangular
        if self._validates and not np.allclose(array, array.swapaxes(-1, -2), atol=1e-6):
            raise ValueError(f"MultivariateNormal: {name} must be symmetric; the greatest difference to its transpose "
                             f"is {np.abs(array - array.swapaxes(-1, -2)).max()}")
        try:
            if name == "covariance_matrix":
                return autograd.linalg.cholesky(matrix)
            # P = U Uᵀ with U upper triangular, a Cholesky factor seen from the other corner; then L = U⁻ᵀ.
            upper = autograd.flip(autograd.linalg.cholesky(autograd.flip(matrix, (-2, -1))), (-2, -1))
            identity = autograd.eye(matrix.shape[-1], dtype=matrix.dtype)
            return autograd.linalg.solve_triangular(upper.transpose(-2, -1), identity, upper=False)
        except np.linalg.LinAlgError as error:
            raise ValueError(f"MultivariateNormal: {name} must be positive definite; its least eigenvalue is "
                             f"{np.linalg.eigvalsh(array).min()}") from error

    @property
    def covariance_matrix(self) -> Tensor:
        """Σ = L Lᵀ."""
        return self.scale_tril @ self.scale_tril.transpose(-2, -1)

    @property
    def precision_matrix(self) -> Tensor:
        """Σ⁻¹."""
        return autograd.linalg.inv(self.covariance_matrix)

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    mode = mean  # pyright: ignore[reportIncompatibleMethodOverride]

    @property
    def variance(self) -> Tensor:
        """The diagonal of Σ."""
        return (self.scale_tril ** 2).sum(-1)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """loc + Lε with ε ~ N(0, I)."""
        noise = autograd.randn(self._shape(sample_shape), dtype=self.loc.dtype)
        return self.loc + (self.scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def _half_log_det(self) -> Tensor:
        """½ log det Σ = Σ log Lᵢᵢ."""
        return autograd.diagonal(self.scale_tril, dim1=-2, dim2=-1).log().sum(-1)

    def _mahalanobis(self, difference: Tensor) -> Tensor:
        """|L⁻¹ d|²; all draws of a copy are solved for together, as the columns of one matrix."""
        count = difference.ndim - 1 - len(self.batch_shape)
        draws, copies = difference.shape[:count], difference.shape[count:-1]
        columns = difference.reshape(math.prod(draws), *copies, difference.shape[-1]).movedim(0, -1)
        whitened = autograd.linalg.solve_triangular(self.scale_tril, columns, upper=False)  # (*copies, D, draws)
        return (whitened ** 2).sum(-2).movedim(-1, 0).reshape((*draws, *copies))

    def log_prob(self, value: TensorLike) -> Tensor:
        """−½ (x − loc)ᵀ Σ⁻¹ (x − loc) − ½ log det Σ − ½ D log 2π."""
        value = self._value(value, self.loc)
        self._require("the value", value, np.isfinite, "finite")
        return (-0.5 * self._mahalanobis(value - self.loc) - self._half_log_det()
                - 0.5 * self.event_shape[0] * LOG_2PI)

    def entropy(self) -> Tensor:
        """½ D (1 + log 2π) + ½ log det Σ."""
        return 0.5 * self.event_shape[0] * (1 + LOG_2PI) + self._half_log_det()
