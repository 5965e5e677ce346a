"""The normal distribution, and what becomes of it: half-normal, lognormal, logistic-normal."""

import math
from collections.abc import Sequence
from typing import ClassVar

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import LocationScale
from nn.distributions.transformed_distribution import Folded, TransformedDistribution
from nn.distributions.transforms import ExpTransform, StickBreakingTransform

LOG_2PI = math.log(2 * math.pi)


class Normal(LocationScale):
    """N(loc, scale²).

    Args:
        loc: the mean.
        scale: the standard deviation; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    mode = mean  # pyright: ignore[reportIncompatibleMethodOverride]

    @property
    def variance(self) -> Tensor:
        """scale²."""
        return self.scale ** 2

    @property
    def stddev(self) -> Tensor:
        """The scale."""
        return self.scale

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """loc + scale·ε with ε ~ N(0, 1)."""
        return self.loc + self.scale * autograd.randn(self._shape(sample_shape), dtype=self._dtype)

    def log_prob(self, value: TensorLike) -> Tensor:
        """−(x − loc)² / (2 scale²) − log scale − ½ log 2π."""
        return -0.5 * ((self._value(value) - self.loc) / self.scale) ** 2 - self.scale.log() - 0.5 * LOG_2PI

    def entropy(self) -> Tensor:
        """½ + ½ log 2π + log scale."""
        return 0.5 + 0.5 * LOG_2PI + self.scale.log()

    def cdf(self, value: TensorLike) -> Tensor:
        """The probability of at most `value`."""
        return autograd.special.ndtr((self._value(value) - self.loc) / self.scale)

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        return self.loc + self.scale * autograd.special.ndtri(self._level(value))


class HalfNormal(Folded):
    """|x| of x ~ N(0, scale²).

    Args:
        scale: the standard deviation of x.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    _folds = Normal

    @property
    def mean(self) -> Tensor:
        """scale √(2/π)."""
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        """scale² (1 − 2/π)."""
        return self.scale ** 2 * (1 - 2 / math.pi)


class LogNormal(TransformedDistribution):
    """exp(x) of x ~ N(loc, scale²).

    Args:
        loc: the mean of x.
        scale: the standard deviation of x; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.positive
    loc: Tensor
    scale: Tensor

    def __init__(self, loc: TensorLike, scale: TensorLike, validate_args: bool | None = None) -> None:
        self._take(loc=loc, scale=scale)
        super().__init__(Normal(self.loc, self.scale, validate_args=False), ExpTransform(), validate_args)

    @property
    def mean(self) -> Tensor:
        """exp(loc + scale² / 2)."""
        return (self.loc + self.scale ** 2 / 2).exp()

    @property
    def mode(self) -> Tensor:
        """exp(loc − scale²)."""
        return (self.loc - self.scale ** 2).exp()

    @property
    def variance(self) -> Tensor:
        """(exp(scale²) − 1) exp(2 loc + scale²)."""
        return (self.scale ** 2).expm1() * (2 * self.loc + self.scale ** 2).exp()

    def entropy(self) -> Tensor:
        """½ + ½ log 2π + log scale + loc."""
        return self.base_dist.entropy() + self.loc


class LogisticNormal(TransformedDistribution):
    """Probabilities of K + 1 things, by breaking a stick at logistic-normal places: StickBreakingTransform of normals.

    (Aitchison and Shen, "Logistic-normal distributions", 1980, who take a softmax.)

    Args:
        loc: (*batch, K), the means.
        scale: (*batch, K), the standard deviations; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "loc": constraints.real_vector, "scale": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex

    def __init__(self, loc: TensorLike, scale: TensorLike, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args)
        super().__init__(base if base.batch_shape else base.expand((1,)), StickBreakingTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The means of the normals."""
        return self.base_dist.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The standard deviations of the normals."""
        return self.base_dist.base_dist.scale
