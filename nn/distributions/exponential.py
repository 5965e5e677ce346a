"""The exponential distribution, and its powers: Pareto and Weibull; and the generalized Pareto distribution."""

import math
from collections.abc import Sequence
from typing import ClassVar

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import EULER, Distribution, ExponentialFamily
from nn.distributions.transformed_distribution import TransformedDistribution
from nn.distributions.transforms import AffineTransform, ExpTransform, PowerTransform


class Exponential(ExponentialFamily):
    """How long one waits for what happens at a rate.

    Args:
        rate: 1 / the mean.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"rate": constraints.positive}
    support = constraints.nonnegative
    _mean_carrier_measure = 0.0
    rate: Tensor

    def __init__(self, rate: TensorLike, validate_args: bool | None = None) -> None:
        super().__init__(self._take(rate=rate), (), validate_args)

    @property
    def mean(self) -> Tensor:
        """1 / rate."""
        return 1 / self.rate

    @property
    def mode(self) -> Tensor:
        """0."""
        return autograd.zeros_like(self.rate)

    @property
    def stddev(self) -> Tensor:
        """1 / rate."""
        return 1 / self.rate

    @property
    def variance(self) -> Tensor:
        """1 / rate²."""
        return self.rate ** -2

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """ε / rate, with ε of rate 1."""
        return autograd.empty(self._shape(sample_shape), dtype=self._dtype).exponential_() / self.rate

    def log_prob(self, value: TensorLike) -> Tensor:
        """log rate − rate·x."""
        return self.rate.log() - self.rate * self._value(value)

    def cdf(self, value: TensorLike) -> Tensor:
        """1 − exp(−rate·x)."""
        return -(-self.rate * self._value(value)).expm1()

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        return _wait(self._level(value)) / self.rate

    def entropy(self) -> Tensor:
        """1 − log rate."""
        return 1 - self.rate.log()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (-self.rate,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        return -(-natural_params[0]).log()


class Pareto(TransformedDistribution):
    """A density in proportion to x^−(alpha + 1), from `scale` on.

    Args:
        scale: the least value.
        alpha: how fast the tail falls; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"alpha": constraints.positive, "scale": constraints.positive}
    alpha: Tensor
    scale: Tensor

    def __init__(self, scale: TensorLike, alpha: TensorLike, validate_args: bool | None = None) -> None:
        self._take(scale=scale, alpha=alpha)
        super().__init__(Exponential(self.alpha, validate_args=False), [ExpTransform(), AffineTransform(0, self.scale)],
                         validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Constraint:
        """From scale on."""
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        """alpha·scale / (alpha − 1), or infinite."""
        finite = self.alpha.detach() > 1
        alpha = autograd.where(finite, self.alpha, 2.0)
        return autograd.where(finite, alpha * self.scale / (alpha - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        """scale."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """scale²·alpha / ((alpha − 1)² (alpha − 2)), or infinite."""
        finite = self.alpha.detach() > 2
        alpha = autograd.where(finite, self.alpha, 3.0)
        return autograd.where(finite, self.scale ** 2 * alpha / ((alpha - 1) ** 2 * (alpha - 2)), math.inf)

    def entropy(self) -> Tensor:
        """log(scale / alpha) + 1 + 1 / alpha."""
        return (self.scale / self.alpha).log() + 1 + 1 / self.alpha


class Weibull(TransformedDistribution):
    """scale times the power 1 / concentration of an exponential number.

    Args:
        scale: the scale.
        concentration: the shape, 1 for the exponential distribution; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive
    scale: Tensor
    concentration: Tensor

    def __init__(self, scale: TensorLike, concentration: TensorLike, validate_args: bool | None = None) -> None:
        self._take(scale=scale, concentration=concentration)
        super().__init__(Exponential(autograd.ones_like(self.scale), validate_args=False),
                         [PowerTransform(1 / self.concentration), AffineTransform(0, self.scale)], validate_args)

    @property
    def concentration_reciprocal(self) -> Tensor:
        """1 / concentration."""
        return 1 / self.concentration

    def _moment(self, n: int) -> Tensor:
        return self.scale ** n * (1 + n / self.concentration).lgamma().exp()

    @property
    def mean(self) -> Tensor:
        """scale·Γ(1 + 1/k)."""
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        """scale·((k − 1) / k)^(1/k); 0 for k up to 1."""
        rising = self.concentration.detach() > 1
        k = autograd.where(rising, self.concentration, 2.0)
        return autograd.where(rising, self.scale * ((k - 1) / k) ** (1 / k), 0.0)

    @property
    def variance(self) -> Tensor:
        """scale² (Γ(1 + 2/k) − Γ(1 + 1/k)²)."""
        return self._moment(2) - self._moment(1) ** 2

    def entropy(self) -> Tensor:
        """γ (1 − 1/k) + log(scale / k) + 1."""
        return EULER * (1 - 1 / self.concentration) + (self.scale / self.concentration).log() + 1


class GeneralizedPareto(Distribution):
    """What exceeds a high threshold: exponential for concentration 0, bounded below 0, with a heavy tail above.

    (Pickands, "Statistical Inference Using Extreme Order Statistics", 1975.)

    Args:
        loc: the threshold, the least value.
        scale: the scale.
        concentration: the shape; all broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    loc: Tensor
    scale: Tensor
    concentration: Tensor

    def __init__(self, loc: TensorLike, scale: TensorLike, concentration: TensorLike,
                 validate_args: bool | None = None) -> None:
        super().__init__(self._take(loc=loc, scale=scale, concentration=concentration), (), validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Constraint:
        """From loc to infinity or, for negative concentration, to loc − scale / concentration."""
        bounded = self.concentration.detach() < 0
        safe = autograd.where(bounded, self.concentration.detach(), -1.0)
        end = self.loc.detach() - self.scale.detach() / safe
        return constraints.interval(self.loc, autograd.where(bounded, end, math.inf))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """The quantile of u, uniform on [0, 1)."""
        return self.icdf(autograd.rand(self._shape(sample_shape), dtype=self._dtype))

    def log_survival_function(self, value: TensorLike) -> Tensor:
        """The logarithm of the probability of more than `value`: −log(1 + c z) / c."""
        z = (self._value(value) - self.loc) / self.scale
        return -z * log1p_over(self.concentration * z)

    def log_prob(self, value: TensorLike) -> Tensor:
        """−(1 + 1/c) log(1 + c z) − log scale."""
        z, c = (self._value(value) - self.loc) / self.scale, self.concentration
        flat = (c.detach() == -1) & (z.detach() == 1)  # the end of the uniform distribution, where this is 0 times ∞
        return -self.scale.log() - (c + 1) * z * log1p_over(autograd.where(flat, 0.0, c * z))

    def log_cdf(self, value: TensorLike) -> Tensor:
        """The logarithm of `cdf`."""
        return self.cdf(value).log()

    def cdf(self, value: TensorLike) -> Tensor:
        """1 − (1 + c z)^(−1/c)."""
        return -self.log_survival_function(value).expm1()

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        rise, c = _wait(self._level(value)), self.concentration
        power = c * autograd.where((c.detach() == 0) & (rise.detach() == math.inf), 0.0, rise)
        far = power.detach().abs() == math.inf  # the end, or infinity
        z = autograd.where(far, power.expm1() / autograd.where(far, c, 1.0),
                           rise * expm1_over(autograd.where(far, 0.0, power)))
        return self.loc + self.scale * z

    @property
    def mean(self) -> Tensor:
        """loc + scale / (1 − c), NaN from c = 1 on."""
        known = self.concentration.detach() < 1
        c = autograd.where(known, self.concentration, 0.5)
        return autograd.where(known, self.loc + self.scale / (1 - c), math.nan)

    @property
    def variance(self) -> Tensor:
        """scale² / ((1 − c)² (1 − 2c)), NaN from c = ½ on."""
        known = self.concentration.detach() < 0.5
        c = autograd.where(known, self.concentration, 0.25)
        return autograd.where(known, self.scale ** 2 / ((1 - c) ** 2 * (1 - 2 * c)), math.nan)

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    def entropy(self) -> Tensor:
        """log scale + c + 1."""
        return self.scale.log() + self.concentration + 1


def log1p_over(x: Tensor) -> Tensor:
    """log(1 + x) / x, and 1 at 0; infinite at −1."""
    near, end = x.detach().abs() < 1e-3, x.detach() == -1
    away = autograd.where(near | end, 1.0, x)
    series = 1 - x * (1 / 2 - x * (1 / 3 - x * (1 / 4 - x * (1 / 5 - x * (1 / 6)))))
    return autograd.where(near, series, autograd.where(end, math.inf, away.log1p() / away))


def expm1_over(x: Tensor) -> Tensor:
    """(exp(x) − 1) / x, and 1 at 0."""
    near = x.detach().abs() < 1e-3
    away = autograd.where(near, 1.0, x)
    series = 1 + x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5)))
    return autograd.where(near, series, away.expm1() / away)


def _wait(level: Tensor) -> Tensor:
    """−log(1 − level), the quantile of the exponential distribution of rate 1; infinite at 1 without a warning."""
    end = level.detach() == 1
    return autograd.where(end, math.inf, -(-autograd.where(end, 0.0, level)).log1p())
