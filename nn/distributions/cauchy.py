"""The Cauchy distribution, and its half."""

import math
from collections.abc import Sequence

from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions.distribution import LocationScale
from nn.distributions.sampling import cauchy
from nn.distributions.transformed_distribution import Folded


class Cauchy(LocationScale):
    """loc + scale·x / y, with x and y standard normal.

    Args:
        loc: the middle.
        scale: half of the width at half of the height; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

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


class HalfCauchy(Folded):
    """|x| of x ~ Cauchy(0, scale).

    Args:
        scale: the median.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    _folds = Cauchy

    @property
    def mean(self) -> Tensor:
        """Infinite."""
        return self._full(math.inf)

    @property
    def variance(self) -> Tensor:
        """Infinite."""
        return self._full(math.inf)
