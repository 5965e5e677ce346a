"""Copies of a distribution taken as the parts of one draw."""

import copy
from collections.abc import Sequence
from typing import Self

from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions.distribution import Distribution


class Independent(Distribution):
    """Copies of a distribution taken as the parts of one draw: the last batch axes become event axes.

    Args:
        base_distribution: of the parts.
        reinterpreted_batch_ndims: how many axes.
        validate_args: has no parameters to check; as in PyTorch.

    >>> Independent(Normal(zeros(5, 3), ones(5, 3)), 1).event_shape  # normal vectors, with diagonal covariance
    (3,)
    """

    def __init__(self, base_distribution: Distribution, reinterpreted_batch_ndims: int,
                 validate_args: bool | None = None) -> None:
        batch = base_distribution.batch_shape
        if not 0 <= reinterpreted_batch_ndims <= len(batch):
            raise ValueError(f"Independent: reinterpreted_batch_ndims must be from 0 to {len(batch)}, the axes of "
                             f"batch_shape {batch}, not {reinterpreted_batch_ndims}")
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, reinterpreted_batch_ndims
        count = len(batch) - reinterpreted_batch_ndims
        super().__init__(batch[:count], batch[count:] + base_distribution.event_shape, validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether draws of the parts are differentiable."""
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        """Whether all values can be listed: those of the parts, if no axis was taken from them."""
        return not self.reinterpreted_batch_ndims and self.base_dist.has_enumerate_support

    def expand(self, batch_shape: Sequence[int]) -> Self:
        """The same distribution with its copies broadcast to `batch_shape`."""
        batch_shape = self._checked_expansion(batch_shape)
        new = copy.copy(self)
        new.batch_shape = batch_shape
        new.base_dist = self.base_dist.expand(batch_shape + self.event_shape[:self.reinterpreted_batch_ndims])
        return new

    @property
    def mean(self) -> Tensor:
        """Of the parts."""
        return self.base_dist.mean

    @property
    def variance(self) -> Tensor:
        """Of the parts."""
        return self.base_dist.variance

    @property
    def mode(self) -> Tensor:
        """Of the parts."""
        return self.base_dist.mode

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Differentiable draws of all parts."""
        return self.base_dist.rsample(sample_shape)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws of all parts."""
        return self.base_dist.sample(sample_shape)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of the parts, if no axis was taken from them."""
        if self.reinterpreted_batch_ndims:
            raise NotImplementedError("the values of Independent cannot be listed: there is one for each choice of the "
                                      f"{self.reinterpreted_batch_ndims} axes that it takes together")
        return self.base_dist.enumerate_support(expand)

    def _summed(self, values: Tensor) -> Tensor:
        count = self.reinterpreted_batch_ndims
        return values.sum(tuple(range(-count, 0))) if count else values

    def log_prob(self, value: TensorLike) -> Tensor:
        """The sum over the parts."""
        return self._summed(self.base_dist.log_prob(value))

    def entropy(self) -> Tensor:
        """The sum over the parts."""
        return self._summed(self.base_dist.entropy())
