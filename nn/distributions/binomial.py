"""Numbers of successes: binomial, multinomial, geometric, negative binomial."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

import autograd
from autograd import Tensor, no_grad
from autograd.typing import TensorLike
from nn import functional as F
from nn.distributions import constraints
from nn.distributions.bernoulli import log_power
from nn.distributions.categorical import Categories
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import Odds
from nn.distributions.sampling import binomial, poisson, standard_gamma


class Binomial(Odds):
    """How many of `total_count` trials succeed.

    Args:
        total_count: how many trials, whole numbers.
        probs: of success.
        logits: its log odds, log(probs / (1 − probs)); give one of the two. All broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    has_enumerate_support = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "total_count": constraints.nonnegative_integer, **Odds.arg_constraints}
    total_count: Tensor

    def __init__(self, total_count: TensorLike = 1, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args, total_count=total_count)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Constraint:
        """Whole numbers up to total_count."""
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        """n p."""
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        """⌊(n + 1) p⌋, or n."""
        return autograd.minimum(((self.total_count + 1) * self.probs).detach().floor(), self.total_count.detach())

    @property
    def variance(self) -> Tensor:
        """n p (1 − p)."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Whole numbers, in the dtype of the parameters."""
        shape = self._shape(sample_shape)
        count, probs = (autograd.broadcast_to(t.detach(), shape) for t in (self.total_count, self.probs))
        return binomial(count, probs)

    def log_prob(self, value: TensorLike) -> Tensor:
        """log (n over x) + x log p + (n − x) log(1 − p)."""
        x, n = self._value(value), self.total_count
        choices = (n + 1).lgamma() - (x + 1).lgamma() - (n - x + 1).lgamma()
        return choices + x * self.logits + n * F.logsigmoid(-self.logits)

    def _count(self) -> int:
        counts = np.asarray(self.total_count.detach().array)
        if counts.size and counts.min() != counts.max():
            raise NotImplementedError("the values of Binomial can be listed, and its entropy be known, if total_count "
                                      f"is the same for all copies; it is from {counts.min():g} to {counts.max():g}")
        return int(counts.max(initial=0))

    def entropy(self) -> Tensor:
        """−Σ p log p over all values; total_count must be the same for all copies."""
        log_prob = self.log_prob(self.enumerate_support())
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values along a new first axis; total_count must be the same for all copies."""
        return self._listed(autograd.arange(self._count() + 1, dtype=self._dtype), expand)


class Multinomial(Categories):
    """How often each of K categories is drawn in `total_count` draws.

    Args:
        total_count: how many draws, an integer.
        probs: (*batch, K), at least 0; they are divided by their sum.
        logits: (*batch, K), log probabilities up to a constant; give one of the two.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    def __init__(self, total_count: int = 1, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("Multinomial: total_count must be an integer, the same for all copies, not "
                                      f"{total_count!r}")
        self.total_count = total_count
        super().__init__(probs, logits, validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Constraint:
        """Counts."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        """n p."""
        return self.total_count * self.probs

    @property
    def variance(self) -> Tensor:
        """n p (1 − p)."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Counts, in the dtype of the parameters."""
        shape = self._shape(sample_shape)
        drawn = np.asarray(self._indices((self.total_count, *sample_shape)).array)  # of each draw, the category
        place = drawn + self.event_shape[0] * np.arange(math.prod(shape[:-1])).reshape(shape[:-1])
        counts = np.bincount(place.ravel(), minlength=math.prod(shape))
        return Tensor(counts.reshape(shape).astype(self._dtype))

    def log_prob(self, value: TensorLike) -> Tensor:
        """log(n! / Π x!) + Σ x log p, with n = Σ x."""
        x = self._value(value)
        logits = autograd.where((x.detach() == 0) & (self.logits.detach() == -math.inf), 0.0, self.logits)
        return (x.sum(-1) + 1).lgamma() - (x + 1).lgamma().sum(-1) + (logits * x).sum(-1)

    def entropy(self) -> Tensor:
        """n times that of the categories, and what the order of the draws had told."""
        n = self.total_count
        each = Binomial(n, self.probs, validate_args=False)  # how often one category is drawn
        counts = each.enumerate_support()
        order = (each.log_prob(counts).exp() * (counts + 1).lgamma()).sum((0, -1))
        return n * self._entropy() - math.lgamma(n + 1) + order


class Geometric(Odds):
    """How many trials fail before the first success: 0, 1, 2, …

    Args:
        probs: of success, within (0, 1].
        logits: its log odds, log(probs / (1 − probs)); give one of the two.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    support = constraints.nonnegative_integer

    def __init__(self, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args)
        if self._validate_args and probs is not None:
            self._require("probs", self.probs, constraints.positive)

    @property
    def mean(self) -> Tensor:
        """1/p − 1."""
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        """0."""
        return autograd.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        """(1/p − 1) / p."""
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Whole numbers, in the dtype of the parameters."""
        dtype = self._dtype
        u = autograd.empty(self._shape(sample_shape), dtype=dtype).uniform_(float(np.finfo(dtype).tiny), 1)
        with np.errstate(divide="ignore"):  # where success is sure
            return (u.log() / (-self.probs.detach()).log1p()).floor()

    def log_prob(self, value: TensorLike) -> Tensor:
        """x log(1 − p) + log p."""
        x, p = autograd.broadcast_tensors(self._value(value), self.probs)
        with np.errstate(divide="ignore"):
            failures = autograd.where((p.detach() == 1) & (x.detach() == 0), 0.0, p)
            return x * (-failures).log1p() + p.log()

    def entropy(self) -> Tensor:
        """That of one trial, divided by p."""
        return -log_power(self.logits, self.probs) / self.probs


class NegativeBinomial(Odds):
    """How many trials succeed before `total_count` have failed.

    Args:
        total_count: how many failures end it; also what is not whole, as a shape.
        probs: of success, within [0, 1).
        logits: its log odds, log(probs / (1 − probs)); give one of the two. All broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "total_count": constraints.greater_than_eq(0), "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real}
    support = constraints.nonnegative_integer
    total_count: Tensor

    def __init__(self, total_count: TensorLike, probs: TensorLike | None = None, logits: TensorLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args, total_count=total_count)

    @property
    def mean(self) -> Tensor:
        """r p / (1 − p)."""
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        """⌊(r − 1) p / (1 − p)⌋, or 0."""
        return ((self.total_count - 1) * self.logits.exp()).detach().floor().clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """r p / (1 − p)²."""
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Whole numbers, in the dtype of the parameters: Poisson, of a rate drawn from a gamma distribution."""
        with no_grad():
            count = autograd.broadcast_to(self.total_count, self._shape(sample_shape))
            drawn = autograd.where(count == 0, 0.0, Tensor(standard_gamma(count.array)))
            return poisson(drawn * self.logits.exp())

    def log_prob(self, value: TensorLike) -> Tensor:
        """log Γ(r + x) − log Γ(r) − log x! + r log(1 − p) + x log p."""
        x = self._value(value)
        none = (self.total_count.detach() == 0) & (x.detach() == 0)
        r = autograd.where(none, 1.0, self.total_count)
        choices = (r + x).lgamma() - (1 + x).lgamma() - r.lgamma()
        return choices + self.total_count * F.logsigmoid(-self.logits) + x * F.logsigmoid(self.logits)
