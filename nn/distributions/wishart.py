"""Distributions of matrices: Wishart's, of covariances, and Lewandowski, Kurowicka and Joe's, of correlations."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

import autograd
from autograd import Tensor, no_grad
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.dirichlet import Beta
from nn.distributions.distribution import Distribution, ExponentialFamily
from nn.distributions.gamma import Chi2
from nn.distributions.multivariate_normal import half_log_det, inverse_of, with_factor
from nn.distributions.transforms import fill_triangle


class Wishart(ExponentialFamily):
    """The sum of `df` matrices x xᵀ with x ~ N(0, Σ), in D dimensions.

    Args:
        df: how many, greater than D − 1; also what is not whole.
        covariance_matrix: Σ, (*batch, D, D), symmetric and positive definite.
        precision_matrix: its inverse.
        scale_tril: its Cholesky factor; give one of the three.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    support = constraints.positive_definite
    _mean_carrier_measure = 0.0
    df: Tensor
    scale_tril: Tensor

    def __init__(self, df: TensorLike, covariance_matrix: TensorLike | None = None,
                 precision_matrix: TensorLike | None = None, scale_tril: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        self._validate_args = self._validate_args if validate_args is None else validate_args
        df, factor = with_factor(self, df, covariance_matrix=covariance_matrix, precision_matrix=precision_matrix,
                                 scale_tril=scale_tril)
        self._event_shape = factor.shape[-2:]
        super().__init__(self._take(df=df, scale_tril=factor), self.event_shape, validate_args)

    @property
    def arg_constraints(self) -> dict[str, Constraint]:  # type: ignore[override]
        """The domains of the parameters, by name."""
        return {"covariance_matrix": constraints.positive_definite, "precision_matrix": constraints.positive_definite,
                "scale_tril": constraints.lower_cholesky, "df": constraints.greater_than(self.event_shape[-1] - 1)}

    @property
    def covariance_matrix(self) -> Tensor:
        """Σ."""
        return self.scale_tril @ self.scale_tril.mT

    @property
    def precision_matrix(self) -> Tensor:
        """Σ⁻¹."""
        return inverse_of(self.scale_tril)

    @property
    def mean(self) -> Tensor:
        """df·Σ."""
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """(df − D − 1)·Σ; NaN if that is not positive."""
        factor = self.df - self.event_shape[-1] - 1
        return autograd.where(factor.detach() > 0, factor, math.nan)[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        """df·(Σᵢⱼ² + Σᵢᵢ Σⱼⱼ)."""
        sigma = self.covariance_matrix
        diagonal = sigma.diagonal(dim1=-2, dim2=-1)
        return self.df[..., None, None] * (sigma ** 2 + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _drawn(self, sample_shape: Sequence[int]) -> Tensor:
        """By Bartlett's decomposition ("On the theory of statistical regression", 1934)."""
        size, dtype = self.event_shape[-1], self._dtype
        squares = Chi2(self.df.unsqueeze(-1) - autograd.arange(size, dtype=dtype), validate_args=False)
        diagonal = squares.rsample(sample_shape).sqrt().clamp(min=float(np.finfo(dtype).eps))
        below = autograd.randn(*sample_shape, *self.batch_shape, size * (size - 1) // 2, dtype=dtype)
        factor = self.scale_tril @ (fill_triangle(below, size) + diagonal.diag_embed())
        return factor @ factor.mT

    def rsample(self, sample_shape: Sequence[int] = (), max_try_correction: int | None = None) -> Tensor:
        """Differentiable draws; those that are singular, by rounding, are drawn anew, `max_try_correction` times."""
        with no_grad():
            self._drawn(sample_shape)  # PyTorch takes all of these for singular; so its numbers are the next ones
        draw = self._drawn((math.prod(sample_shape),)).reshape(self._shape(sample_shape))
        for _ in range(10 if max_try_correction is None else max_try_correction):
            good = self.support.check(draw)
            if good.all():
                break
            draw = autograd.where(good[..., None, None], draw, self._drawn(sample_shape))
        return draw

    def log_prob(self, value: TensorLike) -> Tensor:
        """½ (df − D − 1) log det x − ½ tr(Σ⁻¹ x), and a constant."""
        x, size, df = self._value(value), self.event_shape[-1], self.df
        trace = (self.precision_matrix * x).sum((-2, -1))
        return (0.5 * (df - size - 1) * autograd.linalg.slogdet(x).logabsdet - 0.5 * trace
                - df * (0.5 * size * math.log(2) + half_log_det(self.scale_tril))
                - autograd.special.multigammaln(df / 2, size))

    def entropy(self) -> Tensor:
        """−E[log p]."""
        size, df = self.event_shape[-1], self.df
        psi = (df.unsqueeze(-1) / 2 - autograd.arange(size, dtype=self._dtype) / 2).digamma().sum(-1)
        return ((size + 1) * (0.5 * size * math.log(2) + half_log_det(self.scale_tril))
                + autograd.special.multigammaln(df / 2, size) - 0.5 * (df - size - 1) * psi + 0.5 * df * size)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -0.5 * self.precision_matrix, 0.5 * (self.df - self.event_shape[-1] - 1)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        matrix, power = natural_params
        size = self.event_shape[-1]
        half = power + 0.5 * (size + 1)  # df / 2
        return (half * (size * math.log(2) - autograd.linalg.slogdet(-2 * matrix).logabsdet)
                + autograd.special.multigammaln(half, size))


class LKJCholesky(Distribution):
    """Cholesky factors of matrices of correlations, with a density of these in proportion to det^(concentration − 1).

    (Lewandowski, Kurowicka and Joe, "Generating random correlation matrices based on vines and extended onion method",
    2009; draws are by the onion method. PyTorch's draws of three and more dimensions follow another distribution.)

    Args:
        dim: D, at least 2.
        concentration: 1 for all matrices alike; greater for correlations nearer to 0.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration": constraints.positive}
    support = constraints.corr_cholesky
    concentration: Tensor

    def __init__(self, dim: int, concentration: TensorLike = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"LKJCholesky: dim must be an integer of at least 2, not {dim}")
        self.dim = dim
        super().__init__(self._take(concentration=concentration), (dim, dim), validate_args)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Lower triangular matrices whose rows have length 1."""
        with no_grad():
            order = autograd.tensor([0, *range(self.dim - 1)], dtype=self._dtype)
            rest = (self.concentration + 0.5 * (self.dim - 2)).unsqueeze(-1) - 0.5 * order
            below = Beta(0.5 * order + 0.5, rest,
                         validate_args=False).sample(sample_shape)  # squared length below the diagonal
            direction = autograd.randn(self._shape(sample_shape), dtype=self._dtype).tril(-1)
            length = (direction ** 2).sum(-1, keepdim=True).sqrt()
            direction = direction / autograd.where(length == 0, 1.0, length)  # of the first row there is nothing
            factor = below.unsqueeze(-1).sqrt() * direction
            left = (1 - (factor ** 2).sum(-1)).clamp(min=float(np.finfo(self._dtype).tiny)).sqrt()
            return factor + left.diag_embed()

    def log_prob(self, value: TensorLike) -> Tensor:
        """Σ (D − i + 2 (concentration − 1)) log Lᵢᵢ over i from 2, and a constant."""
        diagonal, eta, size = self._value(value).diagonal(dim1=-2, dim2=-1)[..., 1:], self.concentration, self.dim
        order = 2 * (eta - 1).unsqueeze(-1) + size - autograd.arange(2, size + 1, dtype=self._dtype)
        alpha = eta + 0.5 * (size - 1)
        norm = (0.5 * (size - 1) * math.log(math.pi) + autograd.special.multigammaln(alpha - 0.5, size - 1)
                - (size - 1) * alpha.lgamma())
        return (order * diagonal.log()).sum(-1) - norm
