"""Probability distributions: samples, log densities, entropies and divergences, all differentiable in the parameters.

A distribution has `batch_shape`, the shape of its independent copies, and `event_shape`, that of one draw. A sample has
the shape sample_shape + batch_shape + event_shape; a log density sample_shape + batch_shape.

`rsample` is differentiable (the reparameterization of Kingma and Welling, "Auto-Encoding Variational Bayes", 2014);
`sample` is not, and goes with `log_prob` into a score-function estimate (Williams 1992):

>>> q = Normal(model(x), 1.0); z = q.rsample(); loss = kl_divergence(q, Normal(0.0, 1.0)).sum()  # of an autoencoder
>>> policy = Categorical(logits=model(x)); action = policy.sample(); loss = -policy.log_prob(action)  # times the reward
"""

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np

import autograd
from autograd import Tensor, no_grad
from nn import functional as F

_LOG_2PI = math.log(2 * math.pi)


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
            raise ValueError(f"{type(self).__name__}: batch_shape {self.batch_shape} cannot be expanded to "
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

    def log_prob(self, value: Any) -> Tensor:
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

    def cdf(self, value: Any) -> Tensor:
        """The probability of at most `value`."""
        raise NotImplementedError(f"the distribution function of {type(self).__name__} is not known")

    def icdf(self, value: Any) -> Tensor:
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

    def _value(self, value: Any, like: Tensor) -> Tensor:
        """A value that draws could have, by its shape."""
        value = value if isinstance(value, Tensor) else autograd.tensor(value, dtype=like.dtype)
        own = self.batch_shape + self.event_shape
        try:
            fits = np.broadcast_shapes(value.shape, own)
            fits = not self.event_shape or value.shape[-len(self.event_shape):] == self.event_shape
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"{type(self).__name__}: a value of shape {value.shape} does not fit draws of shape "
                             f"(..., {', '.join(map(str, own))}): batch_shape {self.batch_shape} and event_shape "
                             f"{self.event_shape}")
        return value

    def __repr__(self) -> str:
        return f"{type(self).__name__}(batch_shape={self.batch_shape}, event_shape={self.event_shape})"


def _floating(*values: Any) -> list[Tensor]:
    """Parameters as floating Tensors; numbers take the dtype of the Tensors beside them."""
    known = [v.dtype for v in values if isinstance(v, (Tensor, np.ndarray)) and v.dtype.kind == "f"]
    dtype = np.result_type(*known) if known else autograd.get_default_dtype()
    return [v.to(dtype) if isinstance(v, Tensor) else autograd.tensor(v, dtype=dtype) for v in values]


def _one_of(name: str, **given: Any) -> None:
    if sum(v is not None for v in given.values()) != 1:
        raise ValueError(f"{name}: give exactly one of {', '.join(given)}, not "
                         f"{[key for key, value in given.items() if value is not None] or 'none'}")


def _clamped(probs: Tensor) -> Tensor:
    """Probabilities off 0 and 1, so that their logarithms are finite; PyTorch does the same."""
    tiny = float(np.finfo(probs.dtype).eps)
    return probs.clamp(tiny, 1 - tiny)


class Normal(Distribution):
    """N(loc, scale²).

    Args:
        loc: the mean.
        scale: the standard deviation; both broadcast.
        validate_args: refuse parameters and values outside their domain; None means True.
    """

    has_rsample = True
    parameters: ClassVar[dict[str, int]] = {"loc": 0, "scale": 0}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = autograd.broadcast_tensors(*_floating(loc, scale))
        super().__init__(self.loc.shape, (), validate_args)
        self._require("loc", self.loc, np.isfinite, "finite")
        self._require("scale", self.scale, lambda s: s > 0, "greater than 0")

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    mode = mean

    @property
    def variance(self) -> Tensor:
        """scale²."""
        return self.scale ** 2

    @property
    def stddev(self) -> Tensor:
        """The scale."""
        return self.scale

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """loc + scale·ε with ε ~ N(0, 1)."""
        return self.loc + self.scale * autograd.randn(self._shape(sample_shape), dtype=self.loc.dtype)

    def log_prob(self, value: Any) -> Tensor:
        """−(x − loc)² / (2 scale²) − log scale − ½ log 2π."""
        value = self._value(value, self.loc)
        self._require("the value", value, np.isfinite, "finite")
        return -0.5 * ((value - self.loc) / self.scale) ** 2 - self.scale.log() - 0.5 * _LOG_2PI

    def entropy(self) -> Tensor:
        """½ + ½ log 2π + log scale."""
        return 0.5 + 0.5 * _LOG_2PI + self.scale.log()

    def cdf(self, value: Any) -> Tensor:
        """The probability of at most `value`."""
        return autograd.special.ndtr((self._value(value, self.loc) - self.loc) / self.scale)

    def icdf(self, value: Any) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        return self.loc + self.scale * autograd.special.ndtri(self._value(value, self.loc))


class Uniform(Distribution):
    """The uniform distribution on [low, high).

    Args:
        low: the lower end.
        high: the upper end, greater than `low`; both broadcast.
        validate_args: refuse parameters and values outside their domain; None means True.
    """

    has_rsample = True
    parameters: ClassVar[dict[str, int]] = {"low": 0, "high": 0}

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = autograd.broadcast_tensors(*_floating(low, high))
        super().__init__(self.low.shape, (), validate_args)
        self._require("high − low", (self.high - self.low).detach(), lambda width: width > 0, "greater than 0")

    @property
    def mean(self) -> Tensor:
        """The middle."""
        return (self.low + self.high) / 2

    @property
    def variance(self) -> Tensor:
        """(high − low)² / 12."""
        return (self.high - self.low) ** 2 / 12

    @property
    def mode(self) -> Tensor:
        """NaN: all values are equally probable."""
        return autograd.full_like(self.high.detach(), math.nan)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """low + (high − low)·u with u uniform on [0, 1)."""
        return self.low + (self.high - self.low) * autograd.rand(self._shape(sample_shape), dtype=self.low.dtype)

    def log_prob(self, value: Any) -> Tensor:
        """−log(high − low); −∞ outside, which only validate_args=False lets in, and at `high`."""
        value = self._value(value, self.low)
        x, low, high = (np.asarray(t.detach().array) for t in (value, self.low, self.high))
        if self._validates and not np.all((low <= x) & (x <= high)):
            raise ValueError(f"Uniform: the value must be between low and high, but these are values from {x.min()} to "
                             f"{x.max()} for low from {low.min()} and high up to {high.max()}; with "
                             "validate_args=False their log_prob is -inf")
        result = -(self.high - self.low).log()
        return autograd.where((low <= x) & (x < high), result, -math.inf)

    def entropy(self) -> Tensor:
        """log(high − low)."""
        return (self.high - self.low).log()

    def cdf(self, value: Any) -> Tensor:
        """The probability of at most `value`."""
        return ((self._value(value, self.low) - self.low) / (self.high - self.low)).clamp(0, 1)

    def icdf(self, value: Any) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        return self.low + (self.high - self.low) * self._value(value, self.low)


class Bernoulli(Distribution):
    """1 with probability `probs`, otherwise 0.

    Args:
        probs: probabilities of 1.
        logits: their log odds, log(probs / (1 − probs)); give one of the two.
        validate_args: refuse parameters and values outside their domain; None means True.
    """

    has_enumerate_support = True
    parameters: ClassVar[dict[str, int]] = {"probs": 0, "logits": 0}

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        _one_of("Bernoulli", probs=probs, logits=logits)
        if probs is not None:
            self.probs, = _floating(probs)
            clamped = _clamped(self.probs)
            self.logits = clamped.log() - (-clamped).log1p()
        else:
            self.logits, = _floating(logits)
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

    def log_prob(self, value: Any) -> Tensor:
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


class Categorical(Distribution):
    """One of K categories, 0 to K − 1.

    Args:
        probs: (*batch, K), at least 0; they are divided by their sum.
        logits: (*batch, K), log probabilities up to a constant; give one of the two.
        validate_args: refuse parameters and values outside their domain; None means True.
    """

    has_enumerate_support = True
    parameters: ClassVar[dict[str, int]] = {"probs": 1, "logits": 1}

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        _one_of("Categorical", probs=probs, logits=logits)
        given, = _floating(logits if probs is None else probs)
        if not given.ndim:
            raise ValueError("Categorical: probabilities need a last axis, of the categories; their shape is ()")
        super().__init__(given.shape[:-1], (), validate_args)
        if probs is None:
            self.logits = given - given.logsumexp(-1, keepdim=True)
            self.probs = self.logits.exp()
            self._require("logits", self.probs, lambda p: p >= 0, "numbers, and not all −∞")
        else:
            self._require("probs", given, lambda p: (p >= 0) & (p.sum(-1, keepdims=True) > 0),
                          "at least 0 and not all 0")
            self.probs = given / given.sum(-1, keepdim=True)
            self.logits = _clamped(self.probs).log()

    @property
    def param_shape(self) -> tuple[int, ...]:
        """Of `probs` and `logits`."""
        return self.probs.shape

    @property
    def mean(self) -> Tensor:
        """NaN: categories are no quantities."""
        return autograd.full(self.batch_shape, math.nan, dtype=self.probs.dtype)

    variance = mean

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

    def log_prob(self, value: Any) -> Tensor:
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


class MultivariateNormal(Distribution):
    """N(loc, Σ) in D dimensions.

    For a diagonal Σ, `Independent(Normal(loc, std), 1)` is the same without matrices.

    Args:
        loc: (*batch, D), the mean.
        covariance_matrix: Σ, (*batch, D, D), symmetric and positive definite.
        precision_matrix: its inverse.
        scale_tril: its Cholesky factor L, lower triangular with a positive diagonal, Σ = L Lᵀ; give one of the three.
        validate_args: refuse parameters and values outside their domain; None means True.

    Raises:
        ValueError: a matrix is not of that kind.
    """

    has_rsample = True
    parameters: ClassVar[dict[str, int]] = {"loc": 1, "scale_tril": 2}

    def __init__(self, loc: Any, covariance_matrix: Any = None, precision_matrix: Any = None, scale_tril: Any = None,
                 validate_args: bool | None = None) -> None:
        matrices = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix,
                    "scale_tril": scale_tril}
        _one_of("MultivariateNormal", **matrices)
        (name, matrix), = [(name, m) for name, m in matrices.items() if m is not None]
        loc, matrix = _floating(loc, matrix)
        if not loc.ndim or matrix.ndim < 2 or matrix.shape[-2:] != (loc.shape[-1],) * 2:
            raise ValueError(f"MultivariateNormal: loc must have shape (..., D) and {name} (..., D, D), not "
                             f"{loc.shape} and {matrix.shape}")
        size = loc.shape[-1]
        batch = np.broadcast_shapes(loc.shape[:-1], matrix.shape[:-2])
        super().__init__(batch, (size,), validate_args)
        self.loc = autograd.broadcast_to(loc, (*batch, size))
        self.scale_tril = autograd.broadcast_to(self._factor(name, matrix), (*batch, size, size))

    def _factor(self, name: str, matrix: Tensor) -> Tensor:
        """L of Σ = L Lᵀ."""
        array = np.asarray(matrix.detach().array)
        if name == "scale_tril":
            if self._validates and (np.triu(array, 1).any()
                                    or not (np.diagonal(array, axis1=-2, axis2=-1) > 0).all()):
                raise ValueError("MultivariateNormal: scale_tril must be lower triangular with a positive diagonal; "
                                 "for a covariance matrix write covariance_matrix=...")
            return matrix.tril()  # so that a gradient step keeps it triangular
        if self._validates and not np.allclose(array, array.swapaxes(-1, -2), atol=1e-6):
            raise ValueError(f"MultivariateNormal: {name} must be symmetric; the greatest difference to its transpose "
                             f"is {np.abs(array - array.swapaxes(-1, -2)).max()}")
        try:
            if name == "covariance_matrix":
                return autograd.linalg.cholesky(matrix)
            # P = U Uᵀ with U upper triangular, a Cholesky factor seen from the other corner; then L = U⁻ᵀ.
            upper = autograd.flip(autograd.linalg.cholesky(autograd.flip(matrix, (-2, -1))), (-2, -1))
            identity = autograd.eye(matrix.shape[-1], dtype=matrix.dtype)
            return autograd.linalg.solve_triangular(upper.transpose(-2, -1), identity, upper=False)
        except np.linalg.LinAlgError as error:
            raise ValueError(f"MultivariateNormal: {name} must be positive definite; its least eigenvalue is "
                             f"{np.linalg.eigvalsh(array).min()}") from error

    @property
    def covariance_matrix(self) -> Tensor:
        """Σ = L Lᵀ."""
        return self.scale_tril @ self.scale_tril.transpose(-2, -1)

    @property
    def precision_matrix(self) -> Tensor:
        """Σ⁻¹."""
        return autograd.linalg.inv(self.covariance_matrix)

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    mode = mean

    @property
    def variance(self) -> Tensor:
        """The diagonal of Σ."""
        return (self.scale_tril ** 2).sum(-1)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """loc + Lε with ε ~ N(0, I)."""
        noise = autograd.randn(self._shape(sample_shape), dtype=self.loc.dtype)
        return self.loc + (self.scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def _half_log_det(self) -> Tensor:
        """½ log det Σ = Σ log Lᵢᵢ."""
        return autograd.diagonal(self.scale_tril, dim1=-2, dim2=-1).log().sum(-1)

    def _mahalanobis(self, difference: Tensor) -> Tensor:
        """|L⁻¹ d|²; all draws of a copy are solved for together, as the columns of one matrix."""
        count = difference.ndim - 1 - len(self.batch_shape)
        draws, copies = difference.shape[:count], difference.shape[count:-1]
        columns = difference.reshape(math.prod(draws), *copies, difference.shape[-1]).movedim(0, -1)
        whitened = autograd.linalg.solve_triangular(self.scale_tril, columns, upper=False)  # (*copies, D, draws)
        return (whitened ** 2).sum(-2).movedim(-1, 0).reshape((*draws, *copies))

    def log_prob(self, value: Any) -> Tensor:
        """−½ (x − loc)ᵀ Σ⁻¹ (x − loc) − ½ log det Σ − ½ D log 2π."""
        value = self._value(value, self.loc)
        self._require("the value", value, np.isfinite, "finite")
        return (-0.5 * self._mahalanobis(value - self.loc) - self._half_log_det()
                - 0.5 * self.event_shape[0] * _LOG_2PI)

    def entropy(self) -> Tensor:
        """½ D (1 + log 2π) + ½ log det Σ."""
        return 0.5 * self.event_shape[0] * (1 + _LOG_2PI) + self._half_log_det()


class Independent(Distribution):
    """Copies of a distribution taken as the parts of one draw: the last batch axes become event axes.

    Args:
        base_distribution: of the parts.
        reinterpreted_batch_ndims: how many axes.
        validate_args: has no parameters to check; as in PyTorch.

    >>> Independent(Normal(zeros(5, 3), ones(5, 3)), 1).event_shape  # normal vectors, with diagonal covariance
    (3,)
    """

    def __init__(self, base_distribution: Distribution, reinterpreted_batch_ndims: int,
                 validate_args: bool | None = None) -> None:
        batch = base_distribution.batch_shape
        if not 0 <= reinterpreted_batch_ndims <= len(batch):
            raise ValueError(f"Independent: reinterpreted_batch_ndims must be from 0 to {len(batch)}, the axes of "
                             f"batch_shape {batch}, not {reinterpreted_batch_ndims}")
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, reinterpreted_batch_ndims
        count = len(batch) - reinterpreted_batch_ndims
        super().__init__(batch[:count], batch[count:] + base_distribution.event_shape, validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether draws of the parts are differentiable."""
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        """Whether all values can be listed: those of the parts, if no axis was taken from them."""
        return not self.reinterpreted_batch_ndims and self.base_dist.has_enumerate_support

    def expand(self, batch_shape: Sequence[int]) -> Self:
        """The same distribution with its copies broadcast to `batch_shape`."""
        batch_shape = self._checked_expansion(batch_shape)
        new = copy.copy(self)
        new.batch_shape = batch_shape
        new.base_dist = self.base_dist.expand(batch_shape + self.event_shape[:self.reinterpreted_batch_ndims])
        return new

    @property
    def mean(self) -> Tensor:
        """Of the parts."""
        return self.base_dist.mean

    @property
    def variance(self) -> Tensor:
        """Of the parts."""
        return self.base_dist.variance

    @property
    def mode(self) -> Tensor:
        """Of the parts."""
        return self.base_dist.mode

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Differentiable draws of all parts."""
        return self.base_dist.rsample(sample_shape)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws of all parts."""
        return self.base_dist.sample(sample_shape)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of the parts, if no axis was taken from them."""
        if self.reinterpreted_batch_ndims:
            raise NotImplementedError("the values of Independent cannot be listed: there is one for each choice of the "
                                      f"{self.reinterpreted_batch_ndims} axes that it takes together")
        return self.base_dist.enumerate_support(expand)

    def _summed(self, values: Tensor) -> Tensor:
        count = self.reinterpreted_batch_ndims
        return values.sum(tuple(range(-count, 0))) if count else values

    def log_prob(self, value: Any) -> Tensor:
        """The sum over the parts."""
        return self._summed(self.base_dist.log_prob(value))

    def entropy(self) -> Tensor:
        """The sum over the parts."""
        return self._summed(self.base_dist.entropy())


# Divergences

_DIVERGENCES: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Callable], Callable]:
    """A decorator: the function gives `kl_divergence` for these two types and what inherits from them."""
    def register(function: Callable[[Any, Any], Tensor]) -> Callable:
        _DIVERGENCES[type_p, type_q] = function
        return function
    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p ‖ q) = E_p[log p − log q] ≥ 0 of each copy, in nats.

    Raises:
        NotImplementedError: there is no formula for these two types; `register_kl` adds one.
    """
    for type_p in type(p).__mro__:
        for type_q in type(q).__mro__:
            if (type_p, type_q) in _DIVERGENCES:
                return _DIVERGENCES[type_p, type_q](p, q)
    known = ", ".join(f"{a.__name__} ‖ {b.__name__}" for a, b in _DIVERGENCES)
    raise NotImplementedError(f"kl_divergence: no formula for {type(p).__name__} ‖ {type(q).__name__}, only for "
                              f"{known}; add one with register_kl, or estimate it: "
                              "(p.log_prob(x) - q.log_prob(x)).mean() of x = p.rsample((n,))")


@register_kl(Normal, Normal)
def _normal_normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log())


@register_kl(Uniform, Uniform)
def _uniform_uniform(p: Uniform, q: Uniform) -> Tensor:
    outside = (q.low.detach() > p.low.detach()) | (q.high.detach() < p.high.detach())
    return autograd.where(outside, math.inf, ((q.high - q.low) / (p.high - p.low)).log())


@register_kl(Uniform, Normal)
def _uniform_normal(p: Uniform, q: Normal) -> Tensor:
    second_moment = p.variance + (p.mean - q.loc) ** 2  # E_p[(x − loc)²]
    return second_moment / (2 * q.scale ** 2) + q.scale.log() + 0.5 * _LOG_2PI - p.entropy()


@register_kl(Normal, Uniform)
def _normal_uniform(p: Normal, q: Uniform) -> Tensor:
    return autograd.full(np.broadcast_shapes(p.batch_shape, q.batch_shape), math.inf, dtype=p.loc.dtype)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    def part(prob_p: Tensor, prob_q: Tensor, log_ratio: Tensor) -> Tensor:
        """P log(P / Q) with 0 log 0 = 0."""
        finite = autograd.where(prob_p.detach() == 0, 0.0, prob_p * log_ratio)
        return autograd.where((prob_q.detach() == 0) & (prob_p.detach() > 0), math.inf, finite)
    return (part(p.probs, q.probs, F.logsigmoid(p.logits) - F.logsigmoid(q.logits))
            + part(1 - p.probs, 1 - q.probs, F.logsigmoid(-p.logits) - F.logsigmoid(-q.logits)))


@register_kl(Categorical, Categorical)
def _categorical_categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = autograd.where(p.probs.detach() == 0, 0.0, p.probs * (p.logits - q.logits))
    impossible = (q.probs.detach() == 0) & (p.probs.detach() > 0)
    return autograd.where(impossible, math.inf, terms).sum(-1)


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_multivariate(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(f"kl_divergence: the distributions have {p.event_shape[0]} and {q.event_shape[0]} dimensions")
    whitened = autograd.linalg.solve_triangular(q.scale_tril, p.scale_tril, upper=False)
    trace = (whitened ** 2).sum((-2, -1))  # of Σ_q⁻¹ Σ_p
    distance = q._mahalanobis(p.loc - q.loc)
    return 0.5 * (trace + distance - p.event_shape[0]) + q._half_log_det() - p._half_log_det()


@register_kl(Independent, Independent)
def _independent_independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(f"kl_divergence: the distributions are Independent along "
                                  f"{p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims} axes")
    return p._summed(kl_divergence(p.base_dist, q.base_dist))
