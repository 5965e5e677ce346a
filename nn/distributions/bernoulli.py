"""The Bernoulli distribution: 0 or 1; and one on all that lies between."""

import math
from collections.abc import Callable, Sequence

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn import functional as F
from nn.distributions import constraints
from nn.distributions.distribution import ExponentialFamily, Odds, clamp_probs
from nn.distributions.exponential import expm1_over, log1p_over


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


_MEAN = [b / math.factorial(2 * k) for k, b in enumerate(
    (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330), 1)]
"""Of 1 / (1 − exp(−η)) − 1/η − ½, by Bernoulli's numbers (NIST Digital Library of Mathematical Functions, 24.2.1)."""


class ContinuousBernoulli(Odds, ExponentialFamily):
    """A density in proportion to pˣ (1 − p)¹⁻ˣ on [0, 1].

    It is the likelihood for which binary cross-entropy is right for pixels between black and white (Loaiza-Ganem and
    Cunningham, "The continuous Bernoulli", 2019). By the log odds η it is exp(ηx) η / (exp(η) − 1).

    Args:
        probs: p, within (0, 1); not the mean.
        logits: its log odds, log(p / (1 − p)); give one of the two.
        lims: in PyTorch, between these p all but `log_prob` is an approximation; here nothing is.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    support = constraints.unit_interval
    _mean_carrier_measure = 0.0

    def __init__(self, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 lims: tuple[float, float] = (0.499, 0.501), validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args)
        self.probs = clamp_probs(self.probs)

    def _by_size(self, near: Sequence[float], far: Callable[[Tensor], Tensor]) -> Tensor:
        """A function of η: near 0 by the coefficients of a series in η², lowest first, elsewhere by a formula."""
        small = self.logits.detach().abs() < 0.5
        square = autograd.where(small, self.logits, 0.0) ** 2
        series = autograd.zeros_like(square)
        for coefficient in reversed(near):
            series = series * square + coefficient
        return autograd.where(small, series, far(autograd.where(small, 1.0, self.logits)))

    def _log_norm(self) -> Tensor:
        """The logarithm of what makes the integral 1: log(η / (2p − 1))."""
        series = (c * (4 ** k - 2) / (2 * k) for k, c in enumerate(_MEAN, 1))
        return self._by_size((math.log(2), *series), lambda eta: (eta / (0.5 * eta).tanh()).log())

    @property
    def mean(self) -> Tensor:
        """1 / (1 − exp(−η)) − 1/η; ½ where p is ½."""
        small = self.logits.detach().abs() < 0.5
        odd = self._by_size(_MEAN, lambda eta: 0 * eta)
        eta = autograd.where(small, 1.0, self.logits)
        return autograd.where(small, 0.5 + self.logits * odd, -1 / (-eta).expm1() - 1 / eta)

    @property
    def variance(self) -> Tensor:
        """1/η² − 1 / (2 sinh(η/2))²; 1/12 where p is ½."""
        return self._by_size([c * (2 * k - 1) for k, c in enumerate(_MEAN, 1)],
                             lambda eta: eta ** -2 - 0.25 * (0.5 * eta).sinh() ** -2)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """The quantile of u, uniform on [0, 1)."""
        return self.icdf(autograd.rand(self._shape(sample_shape), dtype=self._dtype))

    def log_prob(self, value: TensorLike) -> Tensor:
        """x log p + (1 − x) log(1 − p), and a constant."""
        return log_power(self.logits, self._value(value)) + self._log_norm()

    def _falling(self) -> tuple[Tensor, Tensor]:
        """Where the density rises, and η, or of the mirror image −η, so that it falls."""
        rising = self.logits.detach() > 0
        return rising, autograd.where(rising, -self.logits, self.logits)

    def cdf(self, value: TensorLike) -> Tensor:
        """(exp(ηx) − 1) / (exp(η) − 1)."""
        x, (rising, eta) = self._value(value).clamp(0, 1), self._falling()
        near = autograd.where(rising, 1 - x, x)
        below = near * expm1_over(eta * near) / expm1_over(eta)
        return autograd.where(rising, 1 - below, below)

    def icdf(self, value: TensorLike) -> Tensor:
        """log(1 + u (exp(η) − 1)) / η."""
        level, (rising, eta) = self._level(value), self._falling()
        near = autograd.where(rising, 1 - level, level)
        scale = expm1_over(eta)
        x = (near * scale * log1p_over(near * eta * scale)).clamp(max=1)
        return autograd.where(rising, 1 - x, x)

    def entropy(self) -> Tensor:
        """−E[log density]."""
        return -self.mean * self.logits - F.logsigmoid(-self.logits) - self._log_norm()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        return expm1_over(natural_params[0]).log()
