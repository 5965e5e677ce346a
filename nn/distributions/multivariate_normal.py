"""The normal distribution in several dimensions, with a full covariance matrix or one of few factors."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
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
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky}
    support = constraints.real_vector
    loc: Tensor
    scale_tril: Tensor

    def __init__(self, loc: TensorLike, covariance_matrix: TensorLike | None = None,
                 precision_matrix: TensorLike | None = None, scale_tril: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        self._validate_args = self._validate_args if validate_args is None else validate_args
        loc, factor = with_factor(self, loc, covariance_matrix=covariance_matrix, precision_matrix=precision_matrix,
                                   scale_tril=scale_tril)
        if not loc.ndim or loc.shape[-1] != factor.shape[-1]:
            raise ShapeError(f"MultivariateNormal: loc must have shape (..., D) and the matrix (..., D, D), not "
                             f"{loc.shape} and {factor.shape}")
        super().__init__(self._take(loc=loc, scale_tril=factor), loc.shape[-1:], validate_args)

    @property
    def covariance_matrix(self) -> Tensor:
        """Σ = L Lᵀ."""
        return self.scale_tril @ self.scale_tril.transpose(-2, -1)

    @property
    def precision_matrix(self) -> Tensor:
        """Σ⁻¹."""
        return inverse_of(self.scale_tril)

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
        return self.loc + apply_to(self.scale_tril, autograd.randn(self._shape(sample_shape), dtype=self._dtype))

    def _half_log_det(self) -> Tensor:
        """½ log det Σ."""
        return half_log_det(self.scale_tril)

    def _mahalanobis(self, difference: Tensor) -> Tensor:
        """dᵀ Σ⁻¹ d = |L⁻¹ d|²; all draws of a copy are solved for together, as the columns of one matrix."""
        count = difference.ndim - 1 - len(self.batch_shape)
        draws, copies = difference.shape[:count], difference.shape[count:-1]
        columns = difference.reshape(math.prod(draws), *copies, difference.shape[-1]).movedim(0, -1)
        whitened = autograd.linalg.solve_triangular(self.scale_tril, columns, upper=False)  # (*copies, D, draws)
        return (whitened ** 2).sum(-2).movedim(-1, 0).reshape((*draws, *copies))

    def _factor(self) -> Tensor:
        """F of Σ = F Fᵀ."""
        return self.scale_tril

    def _trace(self, factor: Tensor) -> Tensor:
        """Of Σ⁻¹ F Fᵀ."""
        return (autograd.linalg.solve_triangular(self.scale_tril, factor, upper=False) ** 2).sum((-2, -1))

    def log_prob(self, value: TensorLike) -> Tensor:
        """−½ (x − loc)ᵀ Σ⁻¹ (x − loc) − ½ log det Σ − ½ D log 2π."""
        return (-0.5 * self._mahalanobis(self._value(value) - self.loc) - self._half_log_det()
                - 0.5 * self.event_shape[0] * LOG_2PI)

    def entropy(self) -> Tensor:
        """½ D (1 + log 2π) + ½ log det Σ."""
        return 0.5 * self.event_shape[0] * (1 + LOG_2PI) + self._half_log_det()


class LowRankMultivariateNormal(Distribution):
    """N(loc, W Wᵀ + diag(d)) in D dimensions, with W of few columns; log densities cost D·R², not D³.

    Args:
        loc: (*batch, D), the mean.
        cov_factor: W, (*batch, D, R).
        cov_diag: d, (*batch, D), positive.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1)}
    support = constraints.real_vector
    loc: Tensor
    cov_factor: Tensor
    cov_diag: Tensor

    def __init__(self, loc: TensorLike, cov_factor: TensorLike, cov_diag: TensorLike,
                 validate_args: bool | None = None) -> None:
        loc, cov_factor, cov_diag = floating(loc, cov_factor, cov_diag)
        if not loc.ndim or cov_factor.ndim < 2 or not loc.shape[-1:] == cov_factor.shape[-2:-1] == cov_diag.shape[-1:]:
            raise ShapeError("LowRankMultivariateNormal: loc must have shape (..., D), cov_factor (..., D, R) and "
                             f"cov_diag (..., D), not {loc.shape}, {cov_factor.shape} and {cov_diag.shape}")
        super().__init__(self._take(loc=loc, cov_factor=cov_factor, cov_diag=cov_diag), loc.shape[-1:], validate_args)
        scaled = cov_factor.mT / cov_diag.unsqueeze(-2)
        identity = autograd.eye(cov_factor.shape[-1], dtype=self._dtype)
        factor = autograd.linalg.cholesky(identity + scaled @ cov_factor)
        # Of I + Wᵀ diag(d)⁻¹ W.
        self._capacitance = autograd.broadcast_to(factor, (*self.batch_shape, *factor.shape[-2:]))

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    mode = mean  # pyright: ignore[reportIncompatibleMethodOverride]

    @property
    def variance(self) -> Tensor:
        """The diagonal of the covariance matrix."""
        return (self.cov_factor ** 2).sum(-1) + self.cov_diag

    @property
    def covariance_matrix(self) -> Tensor:
        """W Wᵀ + diag(d)."""
        return self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()

    @property
    def precision_matrix(self) -> Tensor:
        """Its inverse, by Woodbury's formula."""
        whitened = self._whitening()
        return (1 / self.cov_diag).diag_embed() - whitened.mT @ whitened

    @property
    def scale_tril(self) -> Tensor:
        """Its Cholesky factor."""
        deviation = self.cov_diag.sqrt().unsqueeze(-1)
        scaled = self.cov_factor / deviation
        identity = autograd.eye(scaled.shape[-2], dtype=self._dtype)
        return deviation * autograd.linalg.cholesky(identity + scaled @ scaled.mT)

    def _whitening(self) -> Tensor:
        """A of Σ⁻¹ = diag(d)⁻¹ − Aᵀ A, (*batch, R, D)."""
        scaled = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        return autograd.linalg.solve_triangular(self._capacitance, scaled, upper=False)

    def _half_log_det(self) -> Tensor:
        return half_log_det(self._capacitance) + 0.5 * self.cov_diag.log().sum(-1)

    def _mahalanobis(self, difference: Tensor) -> Tensor:
        part = apply_to(self._whitening(), difference)
        return (difference ** 2 / self.cov_diag).sum(-1) - (part ** 2).sum(-1)

    def _factor(self) -> Tensor:
        return autograd.cat([self.cov_factor, self.cov_diag.sqrt().diag_embed()], -1)

    def _trace(self, factor: Tensor) -> Tensor:
        return ((factor ** 2).sum(-1) / self.cov_diag).sum(-1) - ((self._whitening() @ factor) ** 2).sum((-2, -1))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """loc + Wε + √d·δ, with ε and δ standard normal."""
        shape = self._shape(sample_shape)
        of_factors = autograd.randn(*shape[:-1], self.cov_factor.shape[-1], dtype=self._dtype)
        own = autograd.randn(shape, dtype=self._dtype)
        return self.loc + apply_to(self.cov_factor, of_factors) + self.cov_diag.sqrt() * own

    def log_prob(self, value: TensorLike) -> Tensor:
        """−½ (x − loc)ᵀ Σ⁻¹ (x − loc) − ½ log det Σ − ½ D log 2π."""
        return (-0.5 * self._mahalanobis(self._value(value) - self.loc) - self._half_log_det()
                - 0.5 * self.event_shape[0] * LOG_2PI)

    def entropy(self) -> Tensor:
        """½ D (1 + log 2π) + ½ log det Σ."""
        return 0.5 * self.event_shape[0] * (1 + LOG_2PI) + self._half_log_det()


def with_factor(distribution: Distribution, other: TensorLike, **matrices: TensorLike | None) -> tuple[Tensor, Tensor]:
    """Another parameter, and L of Σ = L Lᵀ, in the same dtype."""
    (name, given), = one_of(type(distribution).__name__, **matrices).items()
    other, matrix = floating(other, given)
    return other, _factor(distribution, name, matrix)


def _factor(distribution: Any, name: str, matrix: Tensor) -> Tensor:
    kind, array = type(distribution).__name__, np.asarray(matrix.detach().array)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ShapeError(f"{kind}: {name} must have shape (..., D, D), not {matrix.shape}")
    if name == "scale_tril":
        if distribution._validate_args and not np.asarray(constraints.lower_cholesky.check(matrix).array).all():
            raise ValueError(f"{kind}: scale_tril must be lower triangular with a positive diagonal; for a covariance "
                             "matrix write covariance_matrix=...")
        return matrix.tril()  # so that a gradient step keeps it triangular
    if distribution._validate_args and not np.allclose(array, array.swapaxes(-1, -2), atol=1e-6):
        raise ValueError(f"{kind}: {name} must be symmetric; the greatest difference to its transpose is "
                         f"{np.abs(array - array.swapaxes(-1, -2)).max()}")
    try:
        if name == "covariance_matrix":
            return autograd.linalg.cholesky(matrix)
        # P = U Uᵀ with U upper triangular, a Cholesky factor seen from the other corner; then L = U⁻ᵀ.
        upper = autograd.flip(autograd.linalg.cholesky(autograd.flip(matrix, (-2, -1))), (-2, -1))
        identity = autograd.eye(matrix.shape[-1], dtype=matrix.dtype)
        return autograd.linalg.solve_triangular(upper.mT, identity, upper=False).tril()
    except np.linalg.LinAlgError as error:
        raise ValueError(f"{kind}: {name} must be positive definite; its least eigenvalue is "
                         f"{np.linalg.eigvalsh(array).min()}") from error


def apply_to(matrix: Tensor, vector: Tensor) -> Tensor:
    """The product of matrices and vectors."""
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def inverse_of(factor: Tensor) -> Tensor:
    """(L Lᵀ)⁻¹."""
    identity = autograd.eye(factor.shape[-1], dtype=factor.dtype)
    root = autograd.linalg.solve_triangular(factor, identity, upper=False)
    return root.mT @ root


def half_log_det(factor: Tensor) -> Tensor:
    """½ log det Σ = Σ log Lᵢᵢ."""
    return autograd.diagonal(factor, dim1=-2, dim2=-1).log().sum(-1)
