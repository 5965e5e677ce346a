"""The Poisson distribution: how many of many rare things happen."""

from collections.abc import Sequence
from typing import ClassVar

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import ExponentialFamily
from nn.distributions.sampling import poisson


class Poisson(ExponentialFamily):
    """Numbers of events that happen at a rate, independently.

    Args:
        rate: their mean, at least 0.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer
    rate: Tensor

    def __init__(self, rate: TensorLike, validate_args: bool | None = None) -> None:
        super().__init__(self._take(rate=rate), (), validate_args)

    @property
    def mean(self) -> Tensor:
        """The rate."""
        return self.rate

    @property
    def mode(self) -> Tensor:
        """⌊rate⌋."""
        return self.rate.detach().floor()

    @property
    def variance(self) -> Tensor:
        """The rate."""
        return self.rate

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Whole numbers, in the dtype of the rate."""
        return poisson(autograd.broadcast_to(self.rate.detach(), self._shape(sample_shape)))

    def log_prob(self, value: TensorLike) -> Tensor:
        """x log rate − rate − log x!."""
        x = self._value(value)
        return autograd.xlogy(x, self.rate) - self.rate - (x + 1).lgamma()

    def entropy(self) -> Tensor:
        """Not known in closed form."""
        raise NotImplementedError("the entropy of Poisson is not known in closed form; estimate it: "
                                  "-p.log_prob(p.sample((n,))).mean(0)")

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.rate.log(),)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        return natural_params[0].exp()
