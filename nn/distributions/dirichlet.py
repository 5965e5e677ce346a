"""The Dirichlet distribution, of probabilities; the beta distribution, of one; and Kumaraswamy's, which is like it."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

import autograd
from autograd import Function, Tensor
from autograd.typing import TensorLike
from nn.distributions import constraints, incomplete
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import EULER, ExponentialFamily
from nn.distributions.gamma import Draw as GammaDraw
from nn.distributions.sampling import dirichlet
from nn.distributions.transformed_distribution import TransformedDistribution
from nn.distributions.transforms import AffineTransform, PowerTransform
from nn.distributions.uniform import Uniform


def _moved(alpha: Any, x: Any, g: Any) -> np.ndarray:
    """g times how a draw x moves with α: xⱼ with αⱼ as a quantile of its beta distribution, the rest in proportion."""
    before = np.cumsum(x, -1) - x
    after = np.cumsum(x[..., ::-1], -1)[..., ::-1] - x
    rest = np.where(x < 0.5, 1 - x, before + after)
    if x.shape[-1] == 2:
        rest = x[..., ::-1]
    others = np.maximum(alpha.sum(-1, keepdims=True, dtype=np.float64) - alpha, np.finfo(float).tiny)
    slope = incomplete.beta_slopes(x, rest, alpha, others)[0] / np.where(rest > 0, rest, 1)
    slope = np.where((x > 0) & (rest > 0), slope, 0)
    return (slope * (g - (x * g).sum(-1, keepdims=True))).astype(alpha.dtype)


class _Moved(Function):
    @staticmethod
    def forward(ctx: Any, alpha: Tensor, x: Tensor, g: Tensor) -> Tensor:
        return Tensor(_moved(alpha.array, x.array, g.array))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        raise NotImplementedError("the derivative of a draw in `concentration` cannot be differentiated again")


class Draw(GammaDraw):
    """x, drawn from the Dirichlet distribution of a concentration, each element with the derivative of a quantile."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        """How it moves."""
        return _Moved.apply(*ctx.saved_tensors, g), None


class Dirichlet(ExponentialFamily):
    """Probabilities of K things, with a density in proportion to Π x^(concentration − 1).

    `rsample` is differentiable (as Gamma's): xⱼ moves with concentrationⱼ as a quantile of its own, a beta
    distribution, and the others in proportion. That derivative has none of its own.

    Args:
        concentration: (*batch, K).
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    concentration: Tensor

    def __init__(self, concentration: TensorLike, validate_args: bool | None = None) -> None:
        batch = self._take(concentration=concentration)
        super().__init__(batch, self.concentration.shape[-1:], validate_args)

    @property
    def mean(self) -> Tensor:
        """concentration / Σ concentration."""
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def mode(self) -> Tensor:
        """concentration − 1, but at least 0, divided by the sum; a corner if all are less than 1."""
        above = (self.concentration - 1).clamp(min=0)
        corner = (self.concentration.detach() < 1).all(-1, keepdim=True)
        total = above.sum(-1, keepdim=True)
        with np.errstate(invalid="ignore"):
            inside = above / autograd.where(corner, 1.0, total)
        first = autograd.arange(self.event_shape[0]) == 0
        return autograd.where(corner, first.to(self._dtype), inside)

    @property
    def variance(self) -> Tensor:
        """m (1 − m) / (Σ concentration + 1) of the mean m."""
        total = self.concentration.sum(-1, keepdim=True)
        return self.concentration * (total - self.concentration) / (total ** 2 * (total + 1))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Differentiable draws."""
        alpha = autograd.broadcast_to(self.concentration, self._shape(sample_shape))
        return Draw.apply(alpha, Tensor(dirichlet(alpha.array)))

    def log_prob(self, value: TensorLike) -> Tensor:
        """Σ (concentration − 1) log x − log B(concentration)."""
        with np.errstate(divide="ignore"):
            powers = autograd.xlogy(self.concentration - 1, self._value(value)).sum(-1)
        return powers - self._log_normalizer(self.concentration)

    def entropy(self) -> Tensor:
        """log B(concentration) + (Σ − K) ψ(Σ) − Σ (concentration − 1) ψ(concentration), with Σ their sum."""
        alpha, total = self.concentration, self.concentration.sum(-1)
        return (self._log_normalizer(alpha) + (total - self.event_shape[0]) * total.digamma()
                - ((alpha - 1) * alpha.digamma()).sum(-1))

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        alpha = natural_params[0]
        return alpha.lgamma().sum(-1) - alpha.sum(-1).lgamma()


class Beta(ExponentialFamily):
    """A density in proportion to x^(concentration1 − 1) (1 − x)^(concentration0 − 1) on [0, 1].

    `rsample` has the derivative of the quantile; that derivative has none of its own.

    Args:
        concentration1: the weight of 1.
        concentration0: the weight of 0; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    concentration1: Tensor
    concentration0: Tensor

    def __init__(self, concentration1: TensorLike, concentration0: TensorLike,
                 validate_args: bool | None = None) -> None:
        batch = self._take(concentration1=concentration1, concentration0=concentration0)
        super().__init__(batch, (), validate_args)

    @property
    def _dirichlet(self) -> Dirichlet:
        """Of x and 1 − x."""
        return Dirichlet(autograd.stack([self.concentration1, self.concentration0], -1), validate_args=False)

    @property
    def mean(self) -> Tensor:
        """concentration1 / (concentration1 + concentration0)."""
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        """(a − 1) / (a + b − 2), or an end."""
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        """a b / ((a + b)² (a + b + 1))."""
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total ** 2 * (total + 1))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Differentiable draws."""
        return self._dirichlet.rsample(sample_shape)[..., 0]

    def log_prob(self, value: TensorLike) -> Tensor:
        """(a − 1) log x + (b − 1) log(1 − x) − log B(a, b)."""
        x = self._value(value)
        return self._dirichlet.log_prob(autograd.stack([x, 1 - x], -1))

    def entropy(self) -> Tensor:
        """log B(a, b) − (a − 1) ψ(a) − (b − 1) ψ(b) + (a + b − 2) ψ(a + b)."""
        return self._dirichlet.entropy()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration1, self.concentration0

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        a, b = natural_params
        return a.lgamma() + b.lgamma() - (a + b).lgamma()


class Kumaraswamy(TransformedDistribution):
    """A distribution on [0, 1] much like the beta distribution, with 1 − (1 − x^a)^b as the distribution function.

    (Kumaraswamy, "A generalized probability density function for double-bounded random processes", 1980.)

    Args:
        concentration1: a.
        concentration0: b; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = Beta.arg_constraints
    support = constraints.unit_interval
    concentration1: Tensor
    concentration0: Tensor

    def __init__(self, concentration1: TensorLike, concentration0: TensorLike,
                 validate_args: bool | None = None) -> None:
        self._take(concentration1=concentration1, concentration0=concentration0)
        low = autograd.zeros_like(self.concentration0.detach())
        super().__init__(Uniform(low, low + 1, validate_args=False),
                         [PowerTransform(1 / self.concentration0), AffineTransform(1.0, -1.0),
                          PowerTransform(1 / self.concentration1)], validate_args)

    def _moment(self, n: int) -> Tensor:
        b, more = self.concentration0, 1 + n / self.concentration1
        return b * (more.lgamma() + b.lgamma() - (more + b).lgamma()).exp()

    @property
    def mean(self) -> Tensor:
        """b B(1 + 1/a, b)."""
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        """((a − 1) / (a b − 1))^(1/a); NaN where a or b is less than 1, and where both are 1."""
        a, b = self.concentration1, self.concentration0
        known = (a.detach() >= 1) & (b.detach() >= 1) & (a.detach() * b.detach() > 1)
        safe_a, safe_b = autograd.where(known, a, 2.0), autograd.where(known, b, 2.0)
        return autograd.where(known, ((safe_a - 1) / (safe_a * safe_b - 1)) ** (1 / safe_a), math.nan)

    @property
    def variance(self) -> Tensor:
        """b B(1 + 2/a, b) − mean²."""
        return self._moment(2) - self._moment(1) ** 2

    def entropy(self) -> Tensor:
        """1 − 1/b + (1 − 1/a) (ψ(b + 1) + γ) − log a b."""
        a, b = self.concentration1, self.concentration0
        return 1 - 1 / b + (1 - 1 / a) * ((b + 1).digamma() + EULER) - a.log() - b.log()
