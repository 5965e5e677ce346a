"""The Cauchy distribution, and its half."""

import math
from collections.abc import Sequence
from typing import ClassVar

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import Distribution
from nn.distributions.sampling import cauchy
from nn.distributions.transformed_distribution import TransformedDistribution
from nn.distributions.transforms import AbsTransform


class Cauchy(Distribution):
    """loc + scale·x / y, with x and y standard normal.

    Args:
        loc: the middle.
        scale: half of the width at half of the height; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    loc: Tensor
    scale: Tensor

    def __init__(self, loc: TensorLike, scale: TensorLike, validate_args: bool | None = None) -> None:
        super().__init__(self._take(loc=loc, scale=scale), (), validate_args)

    @property
    def mean(self) -> Tensor:
        """NaN: there is none."""
        return self._full(math.nan)

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """Infinite."""
        return self._full(math.inf)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """loc + scale·ε."""
        return self.loc + self.scale * cauchy(self._shape(sample_shape), self._dtype)

    def log_prob(self, value: TensorLike) -> Tensor:
        """−log(1 + z²) − log π scale."""
        z = (self._value(value) - self.loc) / self.scale
        return -math.log(math.pi) - self.scale.log() - (z ** 2).log1p()

    def entropy(self) -> Tensor:
        """log 4π scale."""
        return math.log(4 * math.pi) + self.scale.log()

    def cdf(self, value: TensorLike) -> Tensor:
        """½ + atan(z) / π."""
        return ((self._value(value) - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        return self.loc + self.scale * (math.pi * (self._level(value) - 0.5)).tan()


class HalfCauchy(TransformedDistribution):
    """|x| of x ~ Cauchy(0, scale).

    Args:
        scale: the median.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"scale": constraints.positive}
    support = constraints.nonnegative
    scale: Tensor

    def __init__(self, scale: TensorLike, validate_args: bool | None = None) -> None:
        self._take(scale=scale)
        super().__init__(Cauchy(0.0, self.scale, validate_args=False), AbsTransform(), validate_args)

    @property
    def mean(self) -> Tensor:
        """Infinite."""
        return self._full(math.inf)

    @property
    def mode(self) -> Tensor:
        """0."""
        return autograd.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        """Infinite."""
        return self._full(math.inf)

    def log_prob(self, value: TensorLike) -> Tensor:
        """That of x, and log 2; −∞ below 0, which only validate_args=False lets in."""
        value = self._value(value)
        return autograd.where(value.detach() >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value: TensorLike) -> Tensor:
        """2 atan(value / scale) / π."""
        return 2 * self.base_dist.cdf(self._value(value)) - 1

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        return self.base_dist.icdf((self._level(value) + 1) / 2)

    def entropy(self) -> Tensor:
        """log 2π scale."""
        return self.base_dist.entropy() - math.log(2)
