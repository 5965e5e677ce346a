"""The Bernoulli distribution: 0 or 1."""

import math
from collections.abc import Sequence
from typing import ClassVar

import autograd
from autograd import Tensor
from autograd.typing import TensorLike
from nn import functional as F
from nn.distributions.distribution import Distribution, clamp_probs, floating, one_of


class Bernoulli(Distribution):
    """1 with probability `probs`, otherwise 0.

    Args:
        probs: probabilities of 1.
        logits: their log odds, log(probs / (1 − probs)); give one of the two.
        validate_args: refuse parameters and values outside their domain; None means True.
    """

    has_enumerate_support = True
    parameters: ClassVar[dict[str, int]] = {"probs": 0, "logits": 0}

    def __init__(self, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        one_of("Bernoulli", probs=probs, logits=logits)
        if probs is not None:
            self.probs, = floating(probs)
            clamped = clamp_probs(self.probs)
            self.logits = clamped.log() - (-clamped).log1p()
        else:
            self.logits, = floating(logits)
            self.probs = self.logits.sigmoid()
        super().__init__(self.probs.shape, (), validate_args)
        self._require("probs" if logits is None else "logits", self.probs, lambda p: (p >= 0) & (p <= 1),
                      "between 0 and 1" if logits is None else "numbers")

    @property
    def param_shape(self) -> tuple[int, ...]:
        """Of `probs` and `logits`."""
        return self.probs.shape

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
        shape = self._shape(sample_shape)
        return autograd.bernoulli(autograd.broadcast_to(self.probs.detach(), shape))

    def log_prob(self, value: TensorLike) -> Tensor:
        """x log p + (1 − x) log(1 − p)."""
        value = self._value(value, self.probs)
        self._require("the value", value, lambda x: (x == 0) | (x == 1), "0 or 1")
        logits, value = autograd.broadcast_tensors(self.logits, value.to(self.logits.dtype))
        return -F.binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        """−p log p − (1 − p) log(1 − p)."""
        return F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values, 0 and 1, along a new first axis."""
        values = autograd.tensor([0.0, 1.0], dtype=self.probs.dtype).reshape(2, *[1] * len(self.batch_shape))
        return autograd.broadcast_to(values, (2, *self.batch_shape)) if expand else values
