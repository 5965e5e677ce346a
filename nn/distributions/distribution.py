"""The base of distributions, and how they read their parameters."""

import copy
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

import autograd
from autograd import Tensor, no_grad
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint

EULER = 0.5772156649015329
"""Euler's constant, −ψ(1)."""


def _no_support(self: Any) -> Constraint:
    raise NotImplementedError(f"{type(self).__name__} needs an attribute support, such as constraints.real")


class Distribution:
    """Base of distributions.

    One of your own sets its parameters, names their domains in `arg_constraints`, and has `support`, `rsample` (or
    `sample`) and `log_prob`.

    Args:
        batch_shape: of the independent copies.
        event_shape: of one draw of one copy.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.

    Attributes:
        has_rsample: whether draws are differentiable.
        has_enumerate_support: whether all values can be listed.
        arg_constraints: the domains of the parameters, by name.
        support: the domain of the draws.
    """

    has_rsample: bool = False
    has_enumerate_support: bool = False
    arg_constraints: ClassVar[dict[str, Constraint]] = {}
    support: Any = constraints.dependent_property(_no_support)
    _validate_args: bool = __debug__
    _shared: ClassVar[frozenset[str]] = frozenset()
    """Attributes that are the same for all copies."""
    _derived: str = ""
    """The parameter that follows from another one."""

    def __init__(self, batch_shape: Sequence[int] = (), event_shape: Sequence[int] = (),
                 validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = tuple(batch_shape), tuple(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self.arg_constraints.items():
                if name in vars(self) and not constraints.is_dependent(constraint):
                    self._require(name, vars(self)[name], constraint)

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions refuse what lies outside a domain if they are not told; True, but under `python -O`."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: value must be True or False, not {value!r}")
        Distribution._validate_args = value

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape of the independent copies."""
        return self._batch_shape

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw of one copy."""
        return self._event_shape

    def expand(self, batch_shape: Sequence[int], _instance: Self | None = None) -> Self:
        """The same distribution with its copies broadcast to `batch_shape`; the parameters share their memory.

        What is broadcast is every attribute that is a Tensor, or a distribution. One of your own that has such
        attributes of other shapes than its copies' overrides this.

        >>> Normal(autograd.zeros(3), 1.0).expand((5, 3)).batch_shape
        (5, 3)
        """
        batch_shape = tuple(batch_shape)
        try:
            fits = np.broadcast_shapes(self.batch_shape, batch_shape) == batch_shape
        except ValueError:
            fits = False
        if not fits:
            raise ShapeError(f"{type(self).__name__}: batch_shape {self.batch_shape} cannot be expanded to "
                             f"{batch_shape}; axes may be added in front, and those of length 1 stretched")
        new = copy.copy(self)
        new._batch_shape = batch_shape
        for name, value in vars(self).items():  # parameters, and the distributions that this one is made of
            if isinstance(value, Distribution):
                setattr(new, name, value.expand(batch_shape + value.batch_shape[len(self.batch_shape):]))
            elif isinstance(value, Tensor) and name not in self._shared:
                setattr(new, name, _stretched(value, batch_shape + value.shape[len(self.batch_shape):]))
        if _instance is None:
            return new
        vars(_instance).update(vars(new))  # made by the `expand` of a class of one's own, as in PyTorch
        return _instance

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

    def _shape(self, sample_shape: Sequence[int] = ()) -> tuple[int, ...]:
        """Of draws."""
        return (*sample_shape, *self.batch_shape, *self.event_shape)

    @property
    def _dtype(self) -> np.dtype:
        """Of the parameters."""
        return next((v.dtype if isinstance(v, Tensor) else v._dtype for v in vars(self).values()
                     if isinstance(v, (Tensor, Distribution))), np.dtype(autograd.get_default_dtype()))

    def _take(self, **parameters: Any) -> tuple[int, ...]:
        """Make attributes of parameters, as floating Tensors with their batch axes broadcast; returns those axes."""
        tensors = dict(zip(parameters, floating(*parameters.values()), strict=True))
        own = {name: self.arg_constraints[name].event_dim if name in self.arg_constraints else 0 for name in tensors}
        for name, tensor in tensors.items():
            if tensor.ndim < own[name]:
                raise ShapeError(f"{type(self).__name__}: {name} needs {own[name]} last axes, of one draw; its shape "
                                 f"is {tensor.shape}")
        try:
            batch = np.broadcast_shapes(*(t.shape[:t.ndim - own[name]] for name, t in tensors.items()))
        except ValueError:
            raise ShapeError(f"{type(self).__name__}: the shapes of its parameters do not broadcast: "
                             + ", ".join(f"{name} {t.shape}" for name, t in tensors.items())) from None
        for name, tensor in tensors.items():
            setattr(self, name, _stretched(tensor, batch + tensor.shape[tensor.ndim - own[name]:]))
        return batch

    def _require(self, what: str, values: Tensor, constraint: Constraint) -> None:
        """Refuse values outside a domain (NaN is in none)."""
        wrong = ~np.asarray(constraint.check(values.detach()).array)
        if wrong.any():
            where = tuple(map(int, np.argwhere(wrong)[0]))
            array = np.asarray(values.detach().array)
            array = np.broadcast_to(array, wrong.shape + array.shape[array.ndim - constraint.event_dim:])
            raise ValueError(f"{type(self).__name__}: {what} must be {constraint}, but there is "
                             f"{' '.join(str(array[where]).split())} at position {where} of shape {array.shape}")

    def _value(self, value: TensorLike, validate: bool = True, floating: bool = True) -> Tensor:
        """A value that draws could have: by its shape and, if arguments are validated, by the support."""
        if not isinstance(value, Tensor):
            value = autograd.tensor(value, dtype=self._dtype)
        elif floating and not value.is_floating_point():
            value = value.to(self._dtype)
        own = self.batch_shape + self.event_shape
        try:
            np.broadcast_shapes(value.shape, own)
            fits = not self.event_shape or value.shape[-len(self.event_shape):] == self.event_shape
        except ValueError:
            fits = False
        if not fits:
            raise ShapeError(f"{type(self).__name__}: a value of shape {value.shape} does not fit draws of shape "
                             f"(..., {', '.join(map(str, own))}): batch_shape {self.batch_shape} and event_shape "
                             f"{self.event_shape}")
        if validate and self._validate_args:
            self._require("the value", value, self.support)
        return value

    def _level(self, value: TensorLike) -> Tensor:
        """An argument of `icdf`."""
        return self._value(value, validate=False)

    def _full(self, value: float) -> Tensor:
        """A number for each element of a draw."""
        return autograd.full(self._shape(), value, dtype=self._dtype)

    def _listed(self, values: Tensor, expand: bool) -> Tensor:
        """Values along a new first axis, for `enumerate_support`."""
        own = values.shape[1:]
        values = values.reshape(len(values), *[1] * len(self.batch_shape), *own)
        return autograd.broadcast_to(values, (len(values), *self.batch_shape, *own)) if expand else values

    def __repr__(self) -> str:
        shown = {name: vars(self)[name] for name in self.arg_constraints if name in vars(self)
                 and name != self._derived}
        return f"{type(self).__name__}({', '.join(f'{n}: {_in_short(v.detach())}' for n, v in shown.items())})"


def _in_short(value: Tensor) -> Any:
    return value.shape if value.numel() != 1 else value if value.ndim else value.item()


def _stretched(value: Tensor, shape: tuple[int, ...]) -> Tensor:
    return value if value.shape == shape else autograd.broadcast_to(value, shape)


class ExponentialFamily(Distribution):
    """Base of distributions whose density is h(x) exp(ηᵀ t(x) − A(η)).

    One of your own says what its natural parameters η are, A, and the mean of log h(x); then its entropy is known, by
    the derivative of A (Nielsen and Nock, "Entropies and cross-entropies of exponential families", 2010), and the
    divergence of two of the same type, which is Bregman's of A.
    """

    _mean_carrier_measure: float

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        """η."""
        raise NotImplementedError(f"{type(self).__name__} needs a property _natural_params: a tuple of Tensors")

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        """A(η)."""
        raise NotImplementedError(f"{type(self).__name__} needs a method _log_normalizer(self, *natural_params)")

    def _moments(self) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """A, and each natural parameter with the derivative of A in it, all differentiable in the parameters."""
        with autograd.enable_grad():
            natural = [eta if eta.requires_grad else eta.detach().requires_grad_() for eta in self._natural_params]
            log_normalizer = self._log_normalizer(*natural)
            slopes = autograd.grad(log_normalizer.sum(), natural, create_graph=True)
        return log_normalizer, list(zip(natural, slopes, strict=True))

    def entropy(self) -> Tensor:
        """A − Σ η ∂A/∂η − E[log h]."""
        result, pairs = self._moments()
        for eta, slope in pairs:
            result = result - sum_last(eta * slope, eta.ndim - len(self.batch_shape))
        tracked = any(eta.requires_grad for eta in self._natural_params)
        return (result if tracked else result.detach()) - self._mean_carrier_measure


def sum_last(values: Tensor, count: int) -> Tensor:
    """The sum over the last axes."""
    return values.sum(tuple(range(-count, 0))) if count else values


def floating(*values: Any) -> list[Tensor]:
    """Parameters as floating Tensors; numbers take the dtype of the Tensors beside them."""
    known = [v.dtype for v in values if isinstance(v, (Tensor, np.ndarray)) and v.dtype.kind == "f"]
    dtype = np.result_type(*known) if known else autograd.get_default_dtype()
    return [v.to(dtype) if isinstance(v, Tensor) else autograd.tensor(v, dtype=dtype) for v in values]


def one_of(name: str, **given: Any) -> dict[str, Any]:
    """The one way in which the parameters of `name` were given; more or fewer are refused."""
    chosen = {key: value for key, value in given.items() if value is not None}
    if len(chosen) != 1:
        raise ValueError(f"{name}: give exactly one of {', '.join(given)}, not {list(chosen) or 'none'}")
    return chosen


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities off 0 and 1, so that their logarithms are finite; PyTorch does the same."""
    tiny = float(np.finfo(probs.dtype).eps)
    return probs.clamp(tiny, 1 - tiny)


class Odds(Distribution):
    """Base of what is given by one probability, `probs`, or by its log odds, `logits`; it has both."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": constraints.unit_interval, "logits": constraints.real}
    probs: Tensor
    logits: Tensor

    def __init__(self, probs: TensorLike | None, logits: TensorLike | None, validate_args: bool | None,
                 **others: Any) -> None:
        batch = self._take(**others, **one_of(type(self).__name__, probs=probs, logits=logits))
        super().__init__(batch, (), validate_args)
        self._derived = "probs" if probs is None else "logits"
        if probs is None:
            self.probs = self.logits.sigmoid()
        else:
            clamped = clamp_probs(self.probs)
            self.logits = clamped.log() - (-clamped).log1p()

    @property
    def param_shape(self) -> tuple[int, ...]:
        """Of `probs` and `logits`."""
        return self.probs.shape


class LocationScale(Distribution):
    """Base of what is given by where it lies, `loc`, and how wide it is, `scale`."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    loc: Tensor
    scale: Tensor

    def __init__(self, loc: TensorLike, scale: TensorLike, validate_args: bool | None = None) -> None:
        super().__init__(self._take(loc=loc, scale=scale), (), validate_args)
