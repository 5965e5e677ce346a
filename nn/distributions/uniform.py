"""The uniform distribution."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions.distribution import Distribution, floating


class Uniform(Distribution):
    """The uniform distribution on [low, high).

    Args:
        low: the lower end.
        high: the upper end, greater than `low`; both broadcast.
        validate_args: refuse parameters and values outside their domain; None means True.
    """

    has_rsample = True
    parameters: ClassVar[dict[str, int]] = {"low": 0, "high": 0}

    def __init__(self, low: TensorLike, high: TensorLike, validate_args: bool | None = None) -> None:
        self.low, self.high = autograd.broadcast_tensors(*floating(low, high))
        super().__init__(self.low.shape, (), validate_args)
        self._require("high − low", (self.high - self.low).detach(), lambda width: width > 0, "greater than 0")

    @property
    def mean(self) -> Tensor:
        """The middle."""
        return (self.low + self.high) / 2

    @property
    def variance(self) -> Tensor:
        """(high − low)² / 12."""
        return (self.high - self.low) ** 2 / 12

    @property
    def mode(self) -> Tensor:
        """NaN: all values are equally probable."""
        return autograd.full_like(self.high.detach(), math.nan)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """low + (high − low)·u with u uniform on [0, 1)."""
        return self.low + (self.high - self.low) * autograd.rand(self._shape(sample_shape), dtype=self.low.dtype)

    def log_prob(self, value: TensorLike) -> Tensor:
        """−log(high − low); −∞ outside, which only validate_args=False lets in, and at `high`."""
        value = self._value(value, self.low)
        x, low, high = (np.asarray(t.detach().array) for t in (value, self.low, self.high))
        if self._validates and not np.all((low <= x) & (x <= high)):
            raise ValueError(f"Uniform: the value must be between low and high, but these are values from {x.min()} to "
                             f"{x.max()} for low from {low.min()} and high up to {high.max()}; with "
                             "validate_args=False their log_prob is -inf")
        result = -(self.high - self.low).log()
        return autograd.where((low <= x) & (x < high), result, -math.inf)

    def entropy(self) -> Tensor:
        """log(high − low)."""
        return (self.high - self.low).log()

    def cdf(self, value: TensorLike) -> Tensor:
        """The probability of at most `value`."""
        return ((self._value(value, self.low) - self.low) / (self.high - self.low)).clamp(0, 1)

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        return self.low + (self.high - self.low) * self._value(value, self.low)
