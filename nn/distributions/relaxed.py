"""Bernoulli and categorical variables made continuous, so that their draws are differentiable.

(Maddison et al., "The Concrete Distribution", 2017; Jang, Gu and Poole, "Categorical Reparameterization with
Gumbel-Softmax", 2017.)
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn import functional as F
from nn.distributions import constraints
from nn.distributions.categorical import Categories
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import Odds, clamp_probs
from nn.distributions.transformed_distribution import TransformedDistribution
from nn.distributions.transforms import ExpTransform, SigmoidTransform


def _temperature(value: TensorLike, dtype: Any) -> Tensor:
    return value if isinstance(value, Tensor) else autograd.tensor(value, dtype=dtype)


class _Relaxed(TransformedDistribution):
    """Base of what is relaxed on another scale, and has that one's parameters."""

    has_rsample = True

    @property
    def temperature(self) -> Tensor:
        """The temperature."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The logarithms of odds, or of probabilities."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self.base_dist.probs


class LogitRelaxedBernoulli(Odds):
    """The log odds of a RelaxedBernoulli variable: (logits + a logistic number) / temperature.

    Args:
        temperature: towards 0, the draws become those of Bernoulli.
        probs: probabilities of 1.
        logits: their log odds; give one of the two.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    support = constraints.real
    _shared = frozenset(["temperature"])

    def __init__(self, temperature: TensorLike, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args)
        self.temperature = _temperature(temperature, self._dtype)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """(log odds of u + log odds of probs) / temperature, with u uniform on (0, 1)."""
        u = clamp_probs(autograd.rand(self._shape(sample_shape), dtype=self._dtype))
        p = clamp_probs(self.probs)
        return (u.log() - (-u).log1p() + p.log() - (-p).log1p()) / self.temperature

    def log_prob(self, value: TensorLike) -> Tensor:
        """d − 2 log(1 + exp(d)) + log temperature, with d = logits − temperature·x."""
        difference = self.logits - self.temperature * self._value(value)
        return self.temperature.log() + F.logsigmoid(difference) + F.logsigmoid(-difference)


class RelaxedBernoulli(_Relaxed):
    """A number between 0 and 1, near one of them for a low temperature.

    Args:
        temperature: towards 0, the draws become those of Bernoulli.
        probs: probabilities of 1.
        logits: their log odds; give one of the two.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = Odds.arg_constraints
    support = constraints.unit_interval

    def __init__(self, temperature: TensorLike, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits, validate_args)
        super().__init__(base, SigmoidTransform(), validate_args)


class ExpRelaxedCategorical(Categories):
    """The logarithm of a RelaxedOneHotCategorical variable: log softmax of (logits + Gumbel numbers) / temperature.

    Args:
        temperature: towards 0, the draws become those of OneHotCategorical.
        probs: (*batch, K), at least 0; they are divided by their sum.
        logits: (*batch, K), log probabilities up to a constant; give one of the two.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_rsample = True
    support = constraints.real_vector
    _shared = frozenset(["temperature"])

    def __init__(self, temperature: TensorLike, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args)
        self.temperature = _temperature(temperature, self._dtype)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """log softmax((logits + Gumbel numbers) / temperature)."""
        u = clamp_probs(autograd.rand(self._shape(sample_shape), dtype=self._dtype))
        return ((self.logits - (-u.log()).log()) / self.temperature).log_softmax(-1)

    def log_prob(self, value: TensorLike) -> Tensor:
        """log (K − 1)! + (K − 1) log temperature + Σ log softmax(logits − temperature·x)."""
        count = self.event_shape[0]
        score = (self.logits - self.temperature * self._value(value)).log_softmax(-1).sum(-1)
        factorial = autograd.tensor(float(count), dtype=self._dtype).lgamma()
        return score + factorial + (count - 1) * self.temperature.log()


class RelaxedOneHotCategorical(_Relaxed):
    """Probabilities of K categories, near a corner for a low temperature.

    Args:
        temperature: towards 0, the draws become those of OneHotCategorical.
        probs: (*batch, K), at least 0; they are divided by their sum.
        logits: (*batch, K), log probabilities up to a constant; give one of the two.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = Categories.arg_constraints
    support = constraints.simplex

    def __init__(self, temperature: TensorLike, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args)
        super().__init__(base, ExpTransform(), validate_args)
