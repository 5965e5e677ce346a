"""The base of distributions, and how they read their parameters."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np

import autograd
from autograd import Tensor, no_grad
from autograd.errors import ShapeError
from autograd.typing import TensorLike


class Distribution:
    """Base of distributions.

    Args:
        batch_shape: of the independent copies.
        event_shape: of one draw of one copy.
        validate_args: refuse parameters and values outside their domain; None means True.

    Attributes:
        has_rsample: whether draws are differentiable.
        has_enumerate_support: whether all values can be listed.
        parameters: the attributes that hold a parameter, and how many of their last axes belong to one copy.
    """

    has_rsample = False
    has_enumerate_support = False
    parameters: ClassVar[dict[str, int]] = {}

    def __init__(self, batch_shape: Sequence[int] = (), event_shape: Sequence[int] = (),
                 validate_args: bool | None = None) -> None:
        self.batch_shape, self.event_shape = tuple(batch_shape), tuple(event_shape)
        self._validates = validate_args is not False

    def expand(self, batch_shape: Sequence[int]) -> Self:
        """The same distribution with its copies broadcast to `batch_shape`; the parameters share their memory.

        >>> Normal(autograd.zeros(3), 1.0).expand((5, 3)).batch_shape
        (5, 3)
        """
        batch_shape = self._checked_expansion(batch_shape)
        new = copy.copy(self)
        new.batch_shape = batch_shape
        for name, own in self.parameters.items():
            value = getattr(self, name)
            setattr(new, name, autograd.broadcast_to(value, batch_shape + value.shape[value.ndim - own:]))
        return new

    def _checked_expansion(self, batch_shape: Sequence[int]) -> tuple[int, ...]:
        batch_shape = tuple(batch_shape)
        try:
            fits = np.broadcast_shapes(self.batch_shape, batch_shape) == batch_shape
        except ValueError:
            fits = False
        if not fits:
            raise ShapeError(f"{type(self).__name__}: batch_shape {self.batch_shape} cannot be expanded to "
                             f"{batch_shape}; axes may be added in front, and those of length 1 stretched")
        return batch_shape

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws that are differentiable in the parameters."""
        raise NotImplementedError(f"draws of {type(self).__name__} are not differentiable in its parameters; use "
                                  "sample() with log_prob(), or for categories nn.functional.gumbel_softmax")

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws, as constants."""
        with no_grad():
            return self.rsample(sample_shape)

    def log_prob(self, value: TensorLike) -> Tensor:
        """The logarithm of the density, or of the probability, at `value`."""
        raise NotImplementedError(f"{type(self).__name__} needs a method log_prob(self, value)")

    def entropy(self) -> Tensor:
        """The entropy, −E[log p], in nats."""
        raise NotImplementedError(f"the entropy of {type(self).__name__} is not known")

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        raise NotImplementedError(f"the mean of {type(self).__name__} is not known")

    @property
    def variance(self) -> Tensor:
        """The variance of each element."""
        raise NotImplementedError(f"the variance of {type(self).__name__} is not known")

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        raise NotImplementedError(f"the mode of {type(self).__name__} is not known")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation of each element."""
        return self.variance.sqrt()

    def cdf(self, value: TensorLike) -> Tensor:
        """The probability of at most `value`."""
        raise NotImplementedError(f"the distribution function of {type(self).__name__} is not known")

    def icdf(self, value: TensorLike) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        raise NotImplementedError(f"the quantiles of {type(self).__name__} are not known")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values along a new first axis, for discrete distributions."""
        raise NotImplementedError(f"the values of {type(self).__name__} cannot be listed")

    def perplexity(self) -> Tensor:
        """The exponential of the entropy."""
        return self.entropy().exp()

    def _shape(self, sample_shape: Sequence[int]) -> tuple[int, ...]:
        return (*sample_shape, *self.batch_shape, *self.event_shape)

    def _require(self, what: str, values: Tensor, holds: Callable[[np.ndarray], Any], domain: str) -> None:
        """Refuse values outside a domain (NaN is in none), if arguments are validated."""
        if self._validates:
            array = np.asarray(values.detach().array)
            wrong = ~np.broadcast_to(holds(array), array.shape)
            if wrong.any():
                raise ValueError(f"{type(self).__name__}: {what} must be {domain}, but there is {array[wrong][0]}"
                                 f" at position {tuple(map(int, np.argwhere(wrong)[0]))} of shape {array.shape}")

    def _value(self, value: TensorLike, like: Tensor) -> Tensor:
        """A value that draws could have, by its shape."""
        value = value if isinstance(value, Tensor) else autograd.tensor(value, dtype=like.dtype)
        own = self.batch_shape + self.event_shape
        try:
            fits = np.broadcast_shapes(value.shape, own)
            fits = not self.event_shape or value.shape[-len(self.event_shape):] == self.event_shape
        except ValueError:
            fits = False
        if not fits:
            raise ShapeError(f"{type(self).__name__}: a value of shape {value.shape} does not fit draws of shape "
                             f"(..., {', '.join(map(str, own))}): batch_shape {self.batch_shape} and event_shape "
                             f"{self.event_shape}")
        return value

    def __repr__(self) -> str:
        return f"{type(self).__name__}(batch_shape={self.batch_shape}, event_shape={self.event_shape})"


def floating(*values: Any) -> list[Tensor]:
    """Parameters as floating Tensors; numbers take the dtype of the Tensors beside them."""
    known = [v.dtype for v in values if isinstance(v, (Tensor, np.ndarray)) and v.dtype.kind == "f"]
    dtype = np.result_type(*known) if known else autograd.get_default_dtype()
    return [v.to(dtype) if isinstance(v, Tensor) else autograd.tensor(v, dtype=dtype) for v in values]


def one_of(name: str, **given: Any) -> None:
    """Refuse more or fewer than one of the ways to give the parameters of `name`."""
    if sum(v is not None for v in given.values()) != 1:
        raise ValueError(f"{name}: give exactly one of {', '.join(given)}, not "
                         f"{[key for key, value in given.items() if value is not None] or 'none'}")


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities off 0 and 1, so that their logarithms are finite; PyTorch does the same."""
    tiny = float(np.finfo(probs.dtype).eps)
    return probs.clamp(tiny, 1 - tiny)
