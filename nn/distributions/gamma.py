"""The gamma distribution and what is made of it: chi-squared, inverse gamma, Student's t, Fisher and Snedecor's F."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

import autograd
from autograd import Function, Tensor, special
from autograd.operations.incomplete_gamma import quantile_slope
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import Distribution, ExponentialFamily
from nn.distributions.sampling import standard_gamma
from nn.distributions.transformed_distribution import TransformedDistribution
from nn.distributions.transforms import PowerTransform


class Draw(Function):
    """z, drawn from the gamma distribution of a shape, with the derivative of the quantile that it is."""

    @staticmethod
    def forward(ctx: Any, alpha: Tensor, z: Tensor) -> Tensor:
        """z."""
        draw = z.clone()
        ctx.save_for_backward(alpha, draw)
        return draw

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        """How it moves."""
        alpha, draw = ctx.saved_tensors
        return g * quantile_slope(alpha, draw), None


class Gamma(ExponentialFamily):
    """A density in proportion to x^(concentration − 1) exp(−rate·x).

    `rsample` has the derivative of the quantile (Figurnov, Mohamed and Mnih, "Implicit Reparameterization Gradients",
    2018).

    Args:
        concentration: the shape.
        rate: 1 / the scale; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "concentration": constraints.positive, "rate": constraints.positive}
    support: Constraint = constraints.nonnegative
    _mean_carrier_measure = 0.0
    concentration: Tensor
    rate: Tensor

    def __init__(self, concentration: TensorLike, rate: TensorLike, validate_args: bool | None = None) -> None:
        super().__init__(self._take(concentration=concentration, rate=rate), (), validate_args)

    @property
    def mean(self) -> Tensor:
        """concentration / rate."""
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        """(concentration − 1) / rate, or 0."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """concentration / rate²."""
        return self.concentration / self.rate ** 2

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Differentiable draws, at least the smallest positive normal number."""
        alpha = autograd.broadcast_to(self.concentration, self._shape(sample_shape))
        draw = Draw.apply(alpha, Tensor(standard_gamma(alpha.array))) / self.rate
        return draw.clamp(min=float(np.finfo(draw.dtype).tiny))

    def log_prob(self, value: TensorLike) -> Tensor:
        """concentration log rate + (concentration − 1) log x − rate·x − log Γ(concentration)."""
        x, alpha = self._value(value), self.concentration
        with np.errstate(divide="ignore"):
            return alpha * self.rate.log() + autograd.xlogy(alpha - 1, x) - self.rate * x - alpha.lgamma()

    def entropy(self) -> Tensor:
        """concentration − log rate + log Γ(concentration) + (1 − concentration) ψ(concentration)."""
        alpha = self.concentration
        return alpha - self.rate.log() + alpha.lgamma() + (1 - alpha) * alpha.digamma()

    def cdf(self, value: TensorLike) -> Tensor:
        """The probability of at most `value`: the incomplete gamma function; differentiable in the shape, too."""
        return special.gammainc(*autograd.broadcast_tensors(self.concentration, self.rate * self._value(value)))

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        power, rate = natural_params
        return (power + 1).lgamma() - (power + 1) * (-rate).log()


class Chi2(Gamma):
    """The sum of the squares of `df` standard normal numbers.

    Args:
        df: how many; also what is not whole.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"df": constraints.positive}
    df: Tensor

    def __init__(self, df: TensorLike, validate_args: bool | None = None) -> None:
        self._take(df=df)
        super().__init__(0.5 * self.df, 0.5, validate_args)


class InverseGamma(TransformedDistribution):
    """1 / x of x ~ Gamma(concentration, rate).

    Args:
        concentration: the shape of the gamma distribution.
        rate: its rate, and so the scale of this one; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = Gamma.arg_constraints
    support = constraints.positive
    concentration: Tensor
    rate: Tensor

    def __init__(self, concentration: TensorLike, rate: TensorLike, validate_args: bool | None = None) -> None:
        self._take(concentration=concentration, rate=rate)
        base = Gamma(self.concentration, self.rate, validate_args=False)
        super().__init__(base, PowerTransform(autograd.tensor(-1.0, dtype=self._dtype)), validate_args)

    @property
    def mean(self) -> Tensor:
        """rate / (concentration − 1), or infinite."""
        finite = self.concentration.detach() > 1
        alpha = autograd.where(finite, self.concentration, 2.0)
        return autograd.where(finite, self.rate / (alpha - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        """rate / (concentration + 1)."""
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        """rate² / ((concentration − 1)² (concentration − 2)), or infinite."""
        finite = self.concentration.detach() > 2
        alpha = autograd.where(finite, self.concentration, 3.0)
        return autograd.where(finite, self.rate ** 2 / ((alpha - 1) ** 2 * (alpha - 2)), math.inf)

    def entropy(self) -> Tensor:
        """concentration + log rate + log Γ(concentration) − (1 + concentration) ψ(concentration)."""
        alpha = self.concentration
        return alpha + self.rate.log() + alpha.lgamma() - (1 + alpha) * alpha.digamma()


class StudentT(Distribution):
    """loc + scale·x / √(v / df), with x standard normal and v ~ Chi2(df).

    Args:
        df: the degrees of freedom.
        loc: the middle.
        scale: the scale; all broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    df: Tensor
    loc: Tensor
    scale: Tensor

    def __init__(self, df: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0,
                 validate_args: bool | None = None) -> None:
        super().__init__(self._take(df=df, loc=loc, scale=scale), (), validate_args)

    @property
    def mean(self) -> Tensor:
        """loc; NaN for df up to 1."""
        return autograd.where(self.df.detach() <= 1, math.nan, self.loc)

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """scale² df / (df − 2); infinite for df up to 2, NaN up to 1."""
        finite = self.df.detach() > 2
        df = autograd.where(finite, self.df, 3.0)
        none = autograd.where(self.df.detach() > 1, math.inf, math.nan)
        return autograd.where(finite, self.scale ** 2 * df / (df - 2), none)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Differentiable draws."""
        x = autograd.randn(self._shape(sample_shape), dtype=self._dtype)
        return self.loc + self.scale * x * (Chi2(self.df, validate_args=False).rsample(sample_shape) / self.df).rsqrt()

    def log_prob(self, value: TensorLike) -> Tensor:
        """−½ (df + 1) log(1 + z² / df), and a constant."""
        z, df = (self._value(value) - self.loc) / self.scale, self.df
        norm = self.scale.log() + 0.5 * (df.log() + math.log(math.pi)) + (0.5 * df).lgamma() - (0.5 * (df + 1)).lgamma()
        return -0.5 * (df + 1) * (z ** 2 / df).log1p() - norm

    def entropy(self) -> Tensor:
        """½ (df + 1) (ψ(½ (df + 1)) − ψ(½ df)) + ½ log df + log B(½ df, ½) + log scale."""
        half, more = 0.5 * self.df, 0.5 * (self.df + 1)
        log_beta = half.lgamma() + math.lgamma(0.5) - more.lgamma()
        return self.scale.log() + more * (more.digamma() - half.digamma()) + 0.5 * self.df.log() + log_beta


class FisherSnedecor(Distribution):
    """(x₁ / df1) / (x₂ / df2), with x₁ ~ Chi2(df1) and x₂ ~ Chi2(df2).

    Args:
        df1: the degrees of freedom of the numerator.
        df2: those of the denominator; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    df1: Tensor
    df2: Tensor

    def __init__(self, df1: TensorLike, df2: TensorLike, validate_args: bool | None = None) -> None:
        super().__init__(self._take(df1=df1, df2=df2), (), validate_args)

    @property
    def mean(self) -> Tensor:
        """df2 / (df2 − 2); NaN for df2 up to 2."""
        known = self.df2.detach() > 2
        df2 = autograd.where(known, self.df2, 3.0)
        return autograd.where(known, df2 / (df2 - 2), math.nan)

    @property
    def mode(self) -> Tensor:
        """(df1 − 2) / df1 · df2 / (df2 + 2); NaN for df1 up to 2."""
        known = self.df1.detach() > 2
        return autograd.where(known, (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2), math.nan)

    @property
    def variance(self) -> Tensor:
        """2 df2² (df1 + df2 − 2) / (df1 (df2 − 2)² (df2 − 4)); NaN for df2 up to 4."""
        known = self.df2.detach() > 4
        df2 = autograd.where(known, self.df2, 5.0)
        return autograd.where(known, 2 * df2 ** 2 * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2) ** 2 * (df2 - 4)),
                              math.nan)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Differentiable draws, at least the smallest positive normal number."""
        above, below = (Gamma(0.5 * df, df, validate_args=False).rsample(sample_shape) for df in (self.df1, self.df2))
        return (above / below).clamp(min=float(np.finfo(self._dtype).tiny))

    def log_prob(self, value: TensorLike) -> Tensor:
        """½ df1 log(df1 / df2) + (½ df1 − 1) log x − ½ (df1 + df2) log(1 + x df1 / df2) − log B(½ df1, ½ df2)."""
        x, one, two, ratio = self._value(value), 0.5 * self.df1, 0.5 * self.df2, self.df1 / self.df2
        return ((one + two).lgamma() - one.lgamma() - two.lgamma() + one * ratio.log() + (one - 1) * x.log()
                - (one + two) * (ratio * x).log1p())
