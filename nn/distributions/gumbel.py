"""Gumbel's distribution, of the greatest of many."""

import math
from typing import ClassVar

import numpy as np

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import EULER
from nn.distributions.transformed_distribution import TransformedDistribution
from nn.distributions.transforms import AffineTransform, ExpTransform
from nn.distributions.uniform import Uniform


class Gumbel(TransformedDistribution):
    """loc − scale·log(−log u) with u uniform on (0, 1).

    Args:
        loc: the mode.
        scale: the scale; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    loc: Tensor
    scale: Tensor

    def __init__(self, loc: TensorLike, scale: TensorLike, validate_args: bool | None = None) -> None:
        self._take(loc=loc, scale=scale)
        info = np.finfo(self._dtype)
        base = Uniform(autograd.full_like(self.loc.detach(), float(info.tiny)),
                       autograd.full_like(self.loc.detach(), 1 - float(info.eps)), validate_args=False)
        logarithm = ExpTransform().inv
        super().__init__(base, [logarithm, AffineTransform(0, -autograd.ones_like(self.scale)), logarithm,
                                AffineTransform(self.loc, -self.scale)], validate_args)

    def log_prob(self, value: TensorLike) -> Tensor:
        """−z − exp(−z) − log scale."""
        y = (self.loc - self._value(value)) / self.scale
        return y - y.exp() - self.scale.log()

    @property
    def mean(self) -> Tensor:
        """loc + γ·scale, with Euler's constant γ."""
        return self.loc + EULER * self.scale

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """π / √6 · scale."""
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        """π² / 6 · scale²."""
        return self.stddev ** 2

    def entropy(self) -> Tensor:
        """log scale + 1 + γ."""
        return self.scale.log() + (1 + EULER)
