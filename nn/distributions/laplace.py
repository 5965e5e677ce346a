"""Laplace's distribution: two exponential ones, back to back."""

import math
from collections.abc import Sequence

import numpy as np

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions.distribution import LocationScale


class Laplace(LocationScale):
    """A density in proportion to exp(−|x − loc| / scale).

    Args:
        loc: the mean.
        scale: the mean distance from it; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    mode = mean  # pyright: ignore[reportIncompatibleMethodOverride]

    @property
    def variance(self) -> Tensor:
        """2 scale²."""
        return 2 * self.scale ** 2

    @property
    def stddev(self) -> Tensor:
        """√2 scale."""
        return math.sqrt(2) * self.scale

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """loc − scale·sign(u)·log(1 − |u|) with u uniform on (−1, 1)."""
        u = autograd.empty(self._shape(sample_shape), dtype=self._dtype)
        u.uniform_(float(np.finfo(self._dtype).eps) - 1, 1)
        return self.loc - self.scale * (u.sign() * (-u.abs()).log1p())

    def log_prob(self, value: TensorLike) -> Tensor:
        """−|x − loc| / scale − log(2 scale)."""
        return -(2 * self.scale).log() - (self._value(value) - self.loc).abs() / self.scale

    def cdf(self, value: TensorLike) -> Tensor:
        """The probability of at most `value`."""
        z = (self._value(value) - self.loc) / self.scale
        return 0.5 - 0.5 * z.sign() * (-z.abs()).expm1()

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        side = self._level(value) - 0.5
        return self.loc - self.scale * side.sign() * (-2 * side.abs()).log1p()

    def entropy(self) -> Tensor:
        """1 + log(2 scale)."""
        return 1 + (2 * self.scale).log()
