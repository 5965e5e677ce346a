"""Copies of a distribution taken as the parts of one draw."""

from collections.abc import Sequence
from typing import Any

from autograd import Tensor
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import Distribution, sum_last


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
        self.base_dist: Any = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        self.has_rsample = base_distribution.has_rsample
        self.has_enumerate_support = not reinterpreted_batch_ndims and base_distribution.has_enumerate_support
        count = len(batch) - reinterpreted_batch_ndims
        super().__init__(batch[:count], batch[count:] + base_distribution.event_shape, validate_args)

    @constraints.dependent_property
    def support(self) -> Constraint:
        """That of the parts."""
        support, count = self.base_dist.support, self.reinterpreted_batch_ndims
        return constraints.independent(support, count) if count else support

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

    def log_prob(self, value: TensorLike) -> Tensor:
        """The sum over the parts."""
        return sum_last(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        """The sum over the parts."""
        return sum_last(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def __repr__(self) -> str:
        return f"Independent({self.base_dist!r}, {self.reinterpreted_batch_ndims})"
