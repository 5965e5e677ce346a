"""The categorical distribution: one of K, as a number or as a vector of zeros and a 1."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn import functional as F
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import Distribution, clamp_probs, floating, one_of


class Categories(Distribution):
    """Base of what is given by probabilities of K categories, `probs`, or their logarithms, `logits`; it has both."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    probs: Tensor
    logits: Tensor

    def __init__(self, probs: TensorLike | None, logits: TensorLike | None, validate_args: bool | None,
                 vectors: bool = True) -> None:
        name = type(self).__name__
        given, = floating(*one_of(name, probs=probs, logits=logits).values())
        if not given.ndim:
            raise ShapeError(f"{name}: probabilities need a last axis, of the categories; their shape is ()")
        super().__init__(given.shape[:-1], given.shape[-1:] if vectors else (), validate_args)
        self._derived = "probs" if probs is None else "logits"
        if probs is None:
            self.logits = given - given.logsumexp(-1, keepdim=True)
            if self._validate_args:
                self._require("logits", self.logits, _LogProbabilities())
            self.probs = self.logits.exp()
        else:
            if self._validate_args:
                self._require("probs", given, _Weights())
            self.probs = given / given.sum(-1, keepdim=True)
            self.logits = clamp_probs(self.probs).log()

    @property
    def param_shape(self) -> tuple[int, ...]:
        """Of `probs` and `logits`."""
        return self.probs.shape

    def _indices(self, sample_shape: Sequence[int]) -> Tensor:
        """Drawn categories."""
        rows = self.probs.detach().reshape(-1, self.probs.shape[-1])
        shape, count = (*sample_shape, *self.batch_shape), math.prod(sample_shape)
        if not count or not len(rows):
            return autograd.zeros(shape, dtype=autograd.int64)
        return autograd.multinomial(rows, count, replacement=True).t().reshape(shape)

    def _log_prob_of(self, index: Tensor) -> Tensor:
        """Of categories."""
        shape = np.broadcast_shapes(index.shape, self.batch_shape)
        index = autograd.broadcast_to(index, shape).unsqueeze(-1)
        return autograd.broadcast_to(self.logits, (*shape, self.probs.shape[-1])).gather(-1, index).squeeze(-1)

    def _entropy(self) -> Tensor:
        return -(self.logits.clamp(min=float(np.finfo(self.logits.dtype).min)) * self.probs).sum(-1)


class _Weights(Constraint):
    """What can be made probabilities by division."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) > 0)

    def __str__(self) -> str:
        return "at least 0 and not all 0"


class _LogProbabilities(Constraint):
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (~value.isnan()).all(-1)

    def __str__(self) -> str:
        return "numbers, and not all −∞"


class Categorical(Categories):
    """One of K categories, 0 to K − 1.

    Args:
        probs: (*batch, K), at least 0; they are divided by their sum.
        logits: (*batch, K), log probabilities up to a constant; give one of the two.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_enumerate_support = True

    def __init__(self, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args, vectors=False)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Constraint:
        """Whole numbers below K."""
        return constraints.integer_interval(0, self.probs.shape[-1] - 1)

    @property
    def mean(self) -> Tensor:
        """NaN: categories are no quantities."""
        return self._full(math.nan)

    variance = mean  # pyright: ignore[reportIncompatibleMethodOverride]

    @property
    def mode(self) -> Tensor:
        """The most probable category."""
        return self.probs.argmax(-1)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Categories, int64."""
        return self._indices(sample_shape)

    def log_prob(self, value: TensorLike) -> Tensor:
        """The logarithm of the probability of category `value`."""
        return self._log_prob_of(self._value(value, floating=False).long())

    def entropy(self) -> Tensor:
        """−Σ p log p."""
        return self._entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All categories along a new first axis."""
        return self._listed(autograd.arange(self.probs.shape[-1]), expand)


class OneHotCategorical(Categories):
    """One of K categories, as a vector with a 1 in its place.

    Args:
        probs: (*batch, K), at least 0; they are divided by their sum.
        logits: (*batch, K), log probabilities up to a constant; give one of the two.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_enumerate_support = True
    support = constraints.one_hot

    def __init__(self, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args)

    def _one_hot(self, index: Tensor) -> Tensor:
        return F.one_hot(index, self.event_shape[0]).to(self._dtype)

    @property
    def mean(self) -> Tensor:
        """probs."""
        return self.probs

    @property
    def variance(self) -> Tensor:
        """probs·(1 − probs)."""
        return self.probs * (1 - self.probs)

    @property
    def mode(self) -> Tensor:
        """The most probable category."""
        return self._one_hot(self.probs.argmax(-1))

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Vectors of zeros and a 1."""
        return self._one_hot(self._indices(sample_shape))

    def log_prob(self, value: TensorLike) -> Tensor:
        """The logarithm of the probability of the category that has the 1."""
        return self._log_prob_of(self._value(value).argmax(-1))

    def entropy(self) -> Tensor:
        """−Σ p log p."""
        return self._entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All categories along a new first axis."""
        return self._listed(autograd.eye(self.event_shape[0], dtype=self._dtype), expand)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """OneHotCategorical, whose draws pass on their gradient as if they were the probabilities.

    (The straight-through estimator of Bengio, Léonard and Courville, "Estimating or Propagating Gradients Through
    Stochastic Neurons", 2013. It is biased.)
    """

    has_rsample = True

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Vectors of zeros and a 1, with the derivative of probs."""
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
