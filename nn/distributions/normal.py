"""The normal distribution."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions.distribution import Distribution, floating

LOG_2PI = math.log(2 * math.pi)


class Normal(Distribution):
    """N(loc, scale²).

    Args:
        loc: the mean.
        scale: the standard deviation; both broadcast.
        validate_args: refuse parameters and values outside their domain; None means True.
    """

    has_rsample = True
    parameters: ClassVar[dict[str, int]] = {"loc": 0, "scale": 0}

    def __init__(self, loc: TensorLike, scale: TensorLike, validate_args: bool | None = None) -> None:
        self.loc, self.scale = autograd.broadcast_tensors(*floating(loc, scale))
        super().__init__(self.loc.shape, (), validate_args)
        self._require("loc", self.loc, np.isfinite, "finite")
        self._require("scale", self.scale, lambda s: s > 0, "greater than 0")

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
        return self.loc + self.scale * autograd.randn(self._shape(sample_shape), dtype=self.loc.dtype)

    def log_prob(self, value: TensorLike) -> Tensor:
        """−(x − loc)² / (2 scale²) − log scale − ½ log 2π."""
        value = self._value(value, self.loc)
        self._require("the value", value, np.isfinite, "finite")
        return -0.5 * ((value - self.loc) / self.scale) ** 2 - self.scale.log() - 0.5 * LOG_2PI

    def entropy(self) -> Tensor:
        """½ + ½ log 2π + log scale."""
        return 0.5 + 0.5 * LOG_2PI + self.scale.log()

    def cdf(self, value: TensorLike) -> Tensor:
        """The probability of at most `value`."""
        return autograd.special.ndtr((self._value(value, self.loc) - self.loc) / self.scale)

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        return self.loc + self.scale * autograd.special.ndtri(self._value(value, self.loc))
