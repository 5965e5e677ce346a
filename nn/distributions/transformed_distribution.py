"""A distribution, mapped."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from autograd import Tensor, no_grad, where, zeros_like
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import Distribution, LocationScale, sum_last
from nn.distributions.independent import Independent
from nn.distributions.transforms import AbsTransform, ComposeTransform, Transform


class TransformedDistribution(Distribution):
    """What becomes of the draws of a distribution under maps; its density is known if they are bijective.

    Args:
        base_distribution: of x.
        transforms: from x to y, a Transform or a list of them, the first one first.
        validate_args: refuse values outside the codomain of the last transform; None means as
            `set_default_validate_args` says.

    >>> TransformedDistribution(Normal(0.0, 1.0), [ExpTransform()]).sample((2,)).shape  # of the lognormal distribution
    (2,)
    """

    def __init__(self, base_distribution: Distribution, transforms: Transform | list[Transform],
                 validate_args: bool | None = None) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else list(transforms)
        if not all(isinstance(t, Transform) for t in self.transforms):
            raise ValueError(f"{type(self).__name__}: transforms must be a Transform or a list of them, not "
                             f"{transforms!r}")
        whole, own = ComposeTransform(self.transforms), len(base_distribution.event_shape)
        shape = base_distribution.batch_shape + base_distribution.event_shape
        before, after = whole.domain.event_dim, whole.codomain.event_dim
        if len(shape) < before:
            raise ShapeError(f"{type(self).__name__}: the transforms need {before} last axes; the base distribution "
                             f"has draws of shape {shape}")
        transformed = whole.forward_shape(shape)
        stretched = whole.inverse_shape(transformed)  # where a transform has parameters of more axes
        if stretched != shape:
            base_distribution = base_distribution.expand(stretched[:len(stretched) - own])
        if before > own:
            base_distribution = Independent(base_distribution, before - own)
        self.base_dist: Any = base_distribution
        self.has_rsample = base_distribution.has_rsample
        cut = len(transformed) - max(after, own + after - before)
        super().__init__(transformed[:cut], transformed[cut:], validate_args)

    def _codomain(self) -> Constraint:
        """The codomain of the last transform."""
        if not self.transforms:
            return self.base_dist.support
        codomain = self.transforms[-1].codomain
        further = len(self.event_shape) - codomain.event_dim
        return constraints.independent(codomain, further) if further > 0 else codomain

    support: Any = constraints.dependent_property(_codomain, is_discrete=False)

    def _mapped(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws of x, mapped."""
        with no_grad():
            return self._mapped(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws of x, mapped; differentiable in the parameters of its distribution and of the transforms."""
        return self._mapped(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: TensorLike) -> Tensor:
        """log p(x) − log |det dy/dx|."""
        y, dim, volume = self._value(value), len(self.event_shape), []
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            dim += transform.domain.event_dim - transform.codomain.event_dim
            volume.append(sum_last(transform.log_abs_det_jacobian(x, y), dim - transform.domain.event_dim))
            y = x
        result = sum_last(self.base_dist.log_prob(y), dim - len(self.base_dist.event_shape))
        return sum((-v for v in volume), result)

    def _level_of_x(self, level: Tensor) -> Tensor:
        """The level of a quantile of x, from that of y, or the other way round: a decreasing map exchanges them."""
        sign = ComposeTransform(self.transforms).sign
        return level if isinstance(sign, int) and sign == 1 else sign * (level - 0.5) + 0.5

    def cdf(self, value: TensorLike) -> Tensor:
        """That of x, for monotone maps of numbers."""
        x = self._value(value)
        for transform in reversed(self.transforms):
            x = transform.inv(x)
        return self._level_of_x(self.base_dist.cdf(x))

    def icdf(self, value: TensorLike) -> Tensor:
        """Of x, mapped, for monotone maps of numbers."""
        return self._mapped(self.base_dist.icdf(self._level_of_x(self._level(value))))

    def __repr__(self) -> str:
        if self.arg_constraints:
            return super().__repr__()
        return f"{type(self).__name__}({self.base_dist!r}, {self.transforms!r})"


class Folded(TransformedDistribution):
    """Base of |x| for an x that lies on both sides of 0 alike, in a distribution given by its scale."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"scale": constraints.positive}
    support = constraints.nonnegative
    scale: Tensor
    _folds: type[LocationScale]
    """The distribution of x."""

    def __init__(self, scale: TensorLike, validate_args: bool | None = None) -> None:
        self._take(scale=scale)
        super().__init__(self._folds(0.0, self.scale, validate_args=False), AbsTransform(), validate_args)

    @property
    def mode(self) -> Tensor:
        """0."""
        return zeros_like(self.scale)

    def log_prob(self, value: TensorLike) -> Tensor:
        """That of x, and log 2; −∞ below 0, which only validate_args=False lets in."""
        value = self._value(value)
        return where(value.detach() >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value: TensorLike) -> Tensor:
        """2 P(x ≤ value) − 1."""
        return 2 * self.base_dist.cdf(self._value(value)) - 1

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        return self.base_dist.icdf((self._level(value) + 1) / 2)

    def entropy(self) -> Tensor:
        """That of x, less log 2."""
        return self.base_dist.entropy() - math.log(2)
