"""The Bernoulli distribution: 0 or 1; and one on all that lies between."""

import math
from collections.abc import Sequence

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn import functional as F
from nn.distributions import constraints
from nn.distributions.distribution import ExponentialFamily, Odds, clamp_probs


class Bernoulli(Odds, ExponentialFamily):
    """1 with probability `probs`, otherwise 0.

    Args:
        probs: probabilities of 1.
        logits: their log odds, log(probs / (1 − probs)); give one of the two.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_enumerate_support = True
    support = constraints.boolean
    _mean_carrier_measure = 0.0

    def __init__(self, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args)

    @property
    def mean(self) -> Tensor:
        """The probability of 1."""
        return self.probs

    @property
    def variance(self) -> Tensor:
        """probs·(1 − probs)."""
        return self.probs * (1 - self.probs)

    @property
    def mode(self) -> Tensor:
        """The more probable value; NaN where both are equally so."""
        p = self.probs.detach()
        return autograd.where(p == 0.5, math.nan, (p > 0.5).to(p.dtype))

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """0.0 and 1.0."""
        return autograd.bernoulli(autograd.broadcast_to(self.probs.detach(), self._shape(sample_shape)))

    def log_prob(self, value: TensorLike) -> Tensor:
        """x log p + (1 − x) log(1 − p)."""
        return log_power(self.logits, self._value(value))

    def entropy(self) -> Tensor:
        """−p log p − (1 − p) log(1 − p)."""
        return -log_power(self.logits, self.probs)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values, 0 and 1, along a new first axis."""
        return self._listed(autograd.tensor([0.0, 1.0], dtype=self._dtype), expand)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        return -F.logsigmoid(-natural_params[0])


def log_power(logits: Tensor, value: Tensor) -> Tensor:
    """x log p + (1 − x) log(1 − p), by the log odds of p."""
    logits, value = autograd.broadcast_tensors(logits, value)
    return -F.binary_cross_entropy_with_logits(logits, value, reduction="none")


class ContinuousBernoulli(Odds, ExponentialFamily):
    """A density in proportion to pˣ (1 − p)¹⁻ˣ on [0, 1].

    It is the likelihood for which binary cross-entropy is right for pixels between black and white (Loaiza-Ganem and
    Cunningham, "The continuous Bernoulli", 2019).

    Args:
        probs: p, within (0, 1); not the mean.
        logits: its log odds, log(p / (1 − p)); give one of the two.
        lims: around ½, between these p, Taylor series take the place of formulas that are 0/0 there.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    support = constraints.unit_interval
    _mean_carrier_measure = 0.0

    def __init__(self, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 lims: tuple[float, float] = (0.499, 0.501), validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args)
        self.probs, self._lims = clamp_probs(self.probs), lims

    def _near_half(self) -> Tensor:
        p = self.probs.detach()
        return (p > self._lims[0]) & (p <= self._lims[1])

    def _away(self) -> tuple[Tensor, Tensor]:
        """p and its log odds, and those of another p where it is near ½."""
        near, low = self._near_half(), self._lims[0]
        return (autograd.where(near, low, self.probs),
                autograd.where(near, math.log(low / (1 - low)), self.probs.log() - (-self.probs).log1p()))

    def _log_norm(self) -> Tensor:
        """The logarithm of what makes the integral 1: log(odds / (2p − 1))."""
        p, logits = self._away()
        square = (self.probs - 0.5) ** 2
        near = math.log(2) + (4 / 3 + 104 / 45 * square) * square
        return autograd.where(self._near_half(), near, (logits / (2 * p - 1)).log())

    @property
    def mean(self) -> Tensor:
        """p / (2p − 1) − 1 / log(p / (1 − p)); ½ at ½."""
        p, logits = self._away()
        x = self.probs - 0.5
        return autograd.where(self._near_half(), 0.5 + (1 / 3 + 16 / 45 * x ** 2) * x, p / (2 * p - 1) - 1 / logits)

    @property
    def variance(self) -> Tensor:
        """p (p − 1) / (1 − 2p)² + 1 / log²(p / (1 − p)); 1/12 at ½."""
        p, logits = self._away()
        square = (self.probs - 0.5) ** 2
        return autograd.where(self._near_half(), 1 / 12 - (1 / 15 - 128 / 945 * square) * square,
                              p * (p - 1) / (1 - 2 * p) ** 2 + 1 / logits ** 2)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """The quantile of u, uniform on [0, 1)."""
        return self.icdf(autograd.rand(self._shape(sample_shape), dtype=self._dtype))

    def log_prob(self, value: TensorLike) -> Tensor:
        """x log p + (1 − x) log(1 − p), and a constant."""
        return log_power(self.logits, self._value(value)) + self._log_norm()

    def cdf(self, value: TensorLike) -> Tensor:
        """The probability of at most `value`."""
        x, (p, logits) = self._value(value), self._away()
        inside = x.clamp(0, 1)
        return autograd.where(self._near_half(), inside, (1 - p) * (inside * logits).expm1() / (2 * p - 1))

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        level, (p, logits) = self._level(value), self._away()
        far = ((1 - p + level * (2 * p - 1)).log() - (-p).log1p()) / logits
        return autograd.where(self._near_half(), level, far)

    def entropy(self) -> Tensor:
        """−E[log density]."""
        return -self.mean * self.logits - (-self.probs).log1p() - self._log_norm()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        """log((exp(η) − 1) / η)."""
        eta = natural_params[0]
        near = eta.detach().abs() < 4e-3
        away = autograd.where(near, 1.0, eta)
        return autograd.where(near, 0.5 * eta + eta ** 2 / 24 - eta ** 4 / 2880, (away.expm1() / away).log())

