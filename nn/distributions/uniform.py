"""The uniform distribution."""

import math
from collections.abc import Sequence
from typing import ClassVar

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import Distribution


class Uniform(Distribution):
    """The uniform distribution on [low, high).

    Args:
        low: the lower end.
        high: the upper end, greater than `low`; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        name: constraints.dependent(is_discrete=False, event_dim=0) for name in ("low", "high")}
    low: Tensor
    high: Tensor

    def __init__(self, low: TensorLike, high: TensorLike, validate_args: bool | None = None) -> None:
        super().__init__(self._take(low=low, high=high), (), validate_args)
        if self._validate_args:
            self._require("high − low", self.high - self.low, constraints.positive)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Constraint:
        """Between low and high."""
        return constraints.interval(self.low, self.high)

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
        return self._full(math.nan)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """low + (high − low)·u with u uniform on [0, 1)."""
        return self.low + (self.high - self.low) * autograd.rand(self._shape(sample_shape), dtype=self._dtype)

    def log_prob(self, value: TensorLike) -> Tensor:
        """−log(high − low); −∞ outside, which only validate_args=False lets in, and at `high`."""
        value = self._value(value).detach()
        inside = (self.low.detach() <= value) & (value < self.high.detach())
        return autograd.where(inside, -(self.high - self.low).log(), -math.inf)

    def entropy(self) -> Tensor:
        """log(high − low)."""
        return (self.high - self.low).log()

    def cdf(self, value: TensorLike) -> Tensor:
        """The probability of at most `value`."""
        return ((self._value(value) - self.low) / (self.high - self.low)).clamp(0, 1)

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        return self.low + (self.high - self.low) * self._level(value)
