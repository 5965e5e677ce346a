"""Mixtures."""

from collections.abc import Sequence

import autograd
from autograd import Tensor, no_grad
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.categorical import Categorical
from nn.distributions.constraints import Constraint, MixtureSameFamilyConstraint
from nn.distributions.distribution import Distribution


class MixtureSameFamily(Distribution):
    """A draw from one of K components of the same family, chosen at random.

    Args:
        mixture_distribution: which component: a Categorical of K categories.
        component_distribution: the components, along the last axis of its batch_shape, (*batch, K).
        validate_args: refuse values outside the support; None means as `set_default_validate_args` says.

    >>> weights, means = Categorical(probs=ones(3)), tensor([-2.0, 0.0, 2.0])
    >>> MixtureSameFamily(weights, Normal(means, 0.5)).sample((4,)).shape
    (4,)
    """

    def __init__(self, mixture_distribution: Categorical, component_distribution: Distribution,
                 validate_args: bool | None = None) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError("MixtureSameFamily: mixture_distribution must be a Categorical, not "
                             f"{mixture_distribution!r}")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("MixtureSameFamily: component_distribution must be a Distribution, not "
                             f"{component_distribution!r}")
        count, shape = mixture_distribution.probs.shape[-1], component_distribution.batch_shape
        if not shape or shape[-1] != count:
            raise ShapeError(f"MixtureSameFamily: mixture_distribution has {count} categories, so the batch_shape of "
                             f"component_distribution must be (..., {count}), not {shape}")
        try:
            mixture_distribution = mixture_distribution.expand(shape[:-1])
        except ShapeError:
            raise ShapeError(f"MixtureSameFamily: the batch_shape {mixture_distribution.batch_shape} of "
                             "mixture_distribution cannot be expanded to that of component_distribution without the "
                             f"last axis, {shape[:-1]}") from None
        self.mixture_distribution, self.component_distribution = mixture_distribution, component_distribution
        super().__init__(shape[:-1], component_distribution.event_shape, validate_args)

    @constraints.dependent_property
    def support(self) -> Constraint:
        """What lies in the support of all components."""
        return MixtureSameFamilyConstraint(self.component_distribution.support)

    def _weights(self) -> Tensor:
        """Of the components, with axes for the elements of a draw."""
        probs = self.mixture_distribution.probs
        return probs.reshape(probs.shape + (1,) * len(self.event_shape))

    @property
    def _axis(self) -> int:
        """Of the components, among those of their draws."""
        return -1 - len(self.event_shape)

    @property
    def mean(self) -> Tensor:
        """That of the components, weighted."""
        return (self._weights() * self.component_distribution.mean).sum(self._axis)

    @property
    def variance(self) -> Tensor:
        """Within the components and between them."""
        within, means = self.component_distribution.variance, self.component_distribution.mean
        return (self._weights() * (within + (means - self.mean.unsqueeze(self._axis)) ** 2)).sum(self._axis)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws of all components, and of each place one of them."""
        with no_grad():
            shape, axis = self._shape(sample_shape), len(sample_shape) + len(self.batch_shape)
            chosen = self.mixture_distribution.sample(sample_shape)
            draws = self.component_distribution.sample(sample_shape)
            index = chosen.reshape(chosen.shape + (1,) * (1 + len(self.event_shape)))
            index = autograd.broadcast_to(index, (*shape[:axis], 1, *shape[axis:]))
            return draws.gather(axis, index).squeeze(axis)

    def log_prob(self, value: TensorLike) -> Tensor:
        """log Σ weight·density, over the components."""
        each = self.component_distribution.log_prob(self._value(value).unsqueeze(self._axis))
        return (each + self.mixture_distribution.logits).logsumexp(-1)

    def cdf(self, value: TensorLike) -> Tensor:
        """That of the components, weighted; of numbers."""
        return (self.component_distribution.cdf(self._value(value).unsqueeze(-1))
                * self.mixture_distribution.probs).sum(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self.mixture_distribution},\n  {self.component_distribution})"
