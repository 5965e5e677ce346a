"""The categorical distribution: one of K."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn.distributions.distribution import Distribution, clamp_probs, floating, one_of


class Categorical(Distribution):
    """One of K categories, 0 to K − 1.

    Args:
        probs: (*batch, K), at least 0; they are divided by their sum.
        logits: (*batch, K), log probabilities up to a constant; give one of the two.
        validate_args: refuse parameters and values outside their domain; None means True.
    """

    has_enumerate_support = True
    parameters: ClassVar[dict[str, int]] = {"probs": 1, "logits": 1}

    def __init__(self, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        one_of("Categorical", probs=probs, logits=logits)
        given, = floating(logits if probs is None else probs)
        if not given.ndim:
            raise ShapeError("Categorical: probabilities need a last axis, of the categories; their shape is ()")
        super().__init__(given.shape[:-1], (), validate_args)
        if probs is None:
            self.logits = given - given.logsumexp(-1, keepdim=True)
            self.probs = self.logits.exp()
            self._require("logits", self.probs, lambda p: p >= 0, "numbers, and not all −∞")
        else:
            self._require("probs", given, lambda p: (p >= 0) & (p.sum(-1, keepdims=True) > 0),
                          "at least 0 and not all 0")
            self.probs = given / given.sum(-1, keepdim=True)
            self.logits = clamp_probs(self.probs).log()

    @property
    def param_shape(self) -> tuple[int, ...]:
        """Of `probs` and `logits`."""
        return self.probs.shape

    @property
    def mean(self) -> Tensor:
        """NaN: categories are no quantities."""
        return autograd.full(self.batch_shape, math.nan, dtype=self.probs.dtype)

    variance = mean  # pyright: ignore[reportIncompatibleMethodOverride]

    @property
    def mode(self) -> Tensor:
        """The most probable category."""
        return self.probs.argmax(-1)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Categories, int64."""
        shape = self._shape(sample_shape)
        rows = self.probs.detach().reshape(-1, self.probs.shape[-1])
        count = math.prod(sample_shape)
        if not count or not len(rows):
            return autograd.zeros(shape, dtype=autograd.int64)
        return autograd.multinomial(rows, count, replacement=True).t().reshape(shape)

    def log_prob(self, value: TensorLike) -> Tensor:
        """The logarithm of the probability of category `value`."""
        value = value if isinstance(value, Tensor) else autograd.tensor(value)
        value = self._value(value, self.probs)
        count = self.probs.shape[-1]
        self._require("the value", value, lambda x: (x >= 0) & (x < count) & (x == np.floor(x)),
                      f"a whole number from 0 to {count - 1}")
        shape = np.broadcast_shapes(value.shape, self.batch_shape)
        index = autograd.broadcast_to(value.long(), shape).unsqueeze(-1)
        return autograd.broadcast_to(self.logits, (*shape, count)).gather(-1, index).squeeze(-1)

    def entropy(self) -> Tensor:
        """−Σ p log p."""
        return -(self.logits.clamp(min=float(np.finfo(self.logits.dtype).min)) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All categories along a new first axis."""
        count = self.probs.shape[-1]
        values = autograd.arange(count).reshape(count, *[1] * len(self.batch_shape))
        return autograd.broadcast_to(values, (count, *self.batch_shape)) if expand else values
