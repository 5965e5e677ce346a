"""Where a parameter may lie, and where a draw may.

A constraint is tried by `check`, and turned into a map onto it by `biject_to` and `transform_to`:

>>> positive.check(autograd.tensor([1.0, -2.0]))
tensor([ True, False])
>>> transform_to(positive)(autograd.tensor([0.0, 1.0]))  # from all numbers to those above 0
tensor([1.0000, 2.7183])

`repr` of a constraint is as in PyTorch, `str` is the end of the sentence "the value must be …".
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

__all__ = ["Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent",
           "dependent_property", "greater_than", "greater_than_eq", "half_open_interval", "independent",
           "integer_interval", "interval", "is_dependent", "less_than", "lower_cholesky", "lower_triangular",
           "multinomial", "nonnegative", "nonnegative_integer", "one_hot", "positive", "positive_definite",
           "positive_integer", "positive_semidefinite", "real", "real_vector", "simplex", "square", "stack",
           "symmetric", "unit_interval"]


class Constraint:
    """A set of numbers, vectors or matrices.

    Attributes:
        is_discrete: whether its members lie apart from each other.
        event_dim: how many last axes make a member: 0 for numbers, 1 for vectors, 2 for matrices.
    """

    is_discrete: bool = False
    event_dim: int = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each value is a member: a boolean Tensor, without the last `event_dim` axes."""
        raise NotImplementedError(f"{type(self).__name__} needs a method check(self, value)")

    def __repr__(self) -> str:
        bounds = ", ".join(f"{name}={value}" for name, value in vars(self).items() if name.endswith("_bound"))
        return f"{type(self).__name__.lstrip('_')}({bounds})"


Bound = Any
"""A number, or a Tensor that broadcasts with the values."""


def _in_words(bound: Bound) -> str:
    """A bound; of several, the least and the greatest."""
    array = np.asarray(bound.detach().array if isinstance(bound, Tensor) else bound, np.float64)
    if array.size and array.min() == array.max():
        return f"{array.min():.6g}"
    return f"({array.min(initial=np.inf):.6g} … {array.max(initial=-np.inf):.6g})"


class _Dependent(Constraint):
    """What depends on other values, so that it cannot be checked by itself."""

    def __init__(self, *, is_discrete: bool | None = None, event_dim: int | None = None) -> None:
        self._is_discrete, self._event_dim = is_discrete, event_dim

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        if self._is_discrete is None:
            raise NotImplementedError("is_discrete of a dependent constraint is known of an instance alone")
        return self._is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        if self._event_dim is None:
            raise NotImplementedError("event_dim of a dependent constraint is known of an instance alone")
        return self._event_dim

    def __call__(self, *, is_discrete: bool | None = None, event_dim: int | None = None) -> "_Dependent":
        """The same with more of it known: dependent(is_discrete=True, event_dim=1)."""
        return _Dependent(is_discrete=self._is_discrete if is_discrete is None else is_discrete,
                          event_dim=self._event_dim if event_dim is None else event_dim)

    def check(self, value: Tensor) -> Tensor:
        raise ValueError("a dependent constraint cannot be checked by itself; take it from an instance: "
                         "distribution.support")

    __repr__ = Constraint.__repr__


def is_dependent(constraint: Constraint) -> bool:
    """Whether a constraint depends on other values, so that it cannot be checked by itself."""
    return isinstance(constraint, _Dependent)


class dependent_property(property, _Dependent):
    """A property of instances whose values are constraints; of the class, a dependent constraint.

    >>> class Above(Distribution):
    ...     @dependent_property(is_discrete=False, event_dim=0)
    ...     def support(self):
    ...         return greater_than(self.low)
    """

    def __init__(self, function: Callable[[Any], Constraint] | None = None, *, is_discrete: bool | None = None,
                 event_dim: int | None = None) -> None:
        property.__init__(self, function)
        _Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, function: Callable[[Any], Constraint]) -> "dependent_property":  # type: ignore[override]
        return dependent_property(function, is_discrete=self._is_discrete, event_dim=self._event_dim)


class _IndependentConstraint(Constraint):
    """Members of another constraint along further last axes."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        if reinterpreted_batch_ndims < 0:
            raise ValueError("independent: reinterpreted_batch_ndims must be at least 0, not "
                             f"{reinterpreted_batch_ndims}")
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        if value.ndim < self.event_dim:
            raise ValueError(f"a value needs at least {self.event_dim} axes, and has shape {value.shape}")
        result = self.base_constraint.check(value)
        return _all(result, self.reinterpreted_batch_ndims)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"

    def __str__(self) -> str:
        return str(self.base_constraint)


class MixtureSameFamilyConstraint(Constraint):
    """What lies in the support of each component of a mixture: base_constraint has a further batch axis for these."""

    def __init__(self, base_constraint: Constraint) -> None:
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        """As the support of the components."""
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        """As of the support of the components."""
        return self.base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        """Whether each value lies in the support of all components."""
        if value.ndim < self.event_dim:
            raise ValueError(f"a value needs at least {self.event_dim} axes, and has shape {value.shape}")
        return self.base_constraint.check(value.unsqueeze(-1 - self.event_dim)).all(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint!r})"

    def __str__(self) -> str:
        return str(self.base_constraint)


def _all(mask: Tensor, count: int) -> Tensor:
    """Whether all hold along the last axes."""
    return mask.flatten(-count).all(-1) if count else mask


def _whole(value: Tensor, inside: Tensor) -> Tensor:
    """Whole numbers among those that are inside."""
    return inside & (value == value.floor()) & (value < np.inf) if value.is_floating_point() else inside


# Numbers

class _Boolean(Constraint):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)

    def __str__(self) -> str:
        return "0 or 1"


class _IntegerInterval(Constraint):
    is_discrete = True

    def __init__(self, lower_bound: Bound, upper_bound: Bound) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def check(self, value: Tensor) -> Tensor:
        return _whole(value, (value >= self.lower_bound) & (value <= self.upper_bound))

    def __str__(self) -> str:
        return f"a whole number from {_in_words(self.lower_bound)} to {_in_words(self.upper_bound)}"


class _IntegerGreaterThan(Constraint):
    is_discrete = True

    def __init__(self, lower_bound: Bound) -> None:
        self.lower_bound = lower_bound

    def check(self, value: Tensor) -> Tensor:
        return _whole(value, value >= self.lower_bound)

    def __str__(self) -> str:
        return f"a whole number of at least {_in_words(self.lower_bound)}"


class _Real(Constraint):
    def check(self, value: Tensor) -> Tensor:
        return ~value.isnan()

    def __str__(self) -> str:
        return "a number, not NaN"


class _GreaterThan(Constraint):
    def __init__(self, lower_bound: Bound) -> None:
        self.lower_bound = lower_bound

    def check(self, value: Tensor) -> Tensor:
        return value > self.lower_bound

    def __str__(self) -> str:
        return f"greater than {_in_words(self.lower_bound)}"


class _GreaterThanEq(Constraint):
    def __init__(self, lower_bound: Bound) -> None:
        self.lower_bound = lower_bound

    def check(self, value: Tensor) -> Tensor:
        return value >= self.lower_bound

    def __str__(self) -> str:
        return f"at least {_in_words(self.lower_bound)}"


class _LessThan(Constraint):
    def __init__(self, upper_bound: Bound) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound

    def __str__(self) -> str:
        return f"less than {_in_words(self.upper_bound)}"


class _Interval(Constraint):
    def __init__(self, lower_bound: Bound, upper_bound: Bound) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)

    def __str__(self) -> str:
        return f"between {_in_words(self.lower_bound)} and {_in_words(self.upper_bound)}"


class _HalfOpenInterval(_Interval):
    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value < self.upper_bound)

    def __str__(self) -> str:
        return f"at least {_in_words(self.lower_bound)} and less than {_in_words(self.upper_bound)}"


# Vectors

class _OneHot(Constraint):
    is_discrete, event_dim = True, 1

    def check(self, value: Tensor) -> Tensor:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)

    def __str__(self) -> str:
        return "zeros and one 1"


class _Simplex(Constraint):
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)

    def __str__(self) -> str:
        return "at least 0 with the sum 1"


class _Multinomial(Constraint):
    is_discrete, event_dim = True, 1

    def __init__(self, upper_bound: Bound) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)

    def __str__(self) -> str:
        return f"counts of at least 0 whose sum is at most {self.upper_bound}"


# Matrices

class _Square(Constraint):
    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        return autograd.full(value.shape[:-2], value.shape[-2] == value.shape[-1], dtype=bool)

    def __str__(self) -> str:
        return "a square matrix"


class _Symmetric(_Square):
    def check(self, value: Tensor) -> Tensor:
        if value.shape[-2] != value.shape[-1]:
            return super().check(value)
        return _all(autograd.isclose(value.detach(), value.detach().mT, atol=1e-6), 2)

    def __str__(self) -> str:
        return "a symmetric matrix"


class _PositiveSemidefinite(_Symmetric):
    def check(self, value: Tensor) -> Tensor:
        symmetric = super().check(value)
        return symmetric if not symmetric.all() else Tensor((_eigenvalues(value) >= 0).all(-1))

    def __str__(self) -> str:
        return "a symmetric matrix without negative eigenvalues"


class _PositiveDefinite(_Symmetric):
    def check(self, value: Tensor) -> Tensor:
        symmetric = super().check(value)
        if symmetric.all():
            try:
                np.linalg.cholesky(np.asarray(value.detach().array))
            except np.linalg.LinAlgError:
                return Tensor((_eigenvalues(value) > 0).all(-1))
        return symmetric

    def __str__(self) -> str:
        return "a symmetric, positive definite matrix"


def _eigenvalues(value: Tensor) -> np.ndarray:
    return np.linalg.eigvalsh(np.asarray(value.detach().array))


class _LowerTriangular(Constraint):
    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        return _all(value.detach().tril() == value, 2)

    def __str__(self) -> str:
        return "a lower triangular matrix"


class _LowerCholesky(_LowerTriangular):
    def check(self, value: Tensor) -> Tensor:
        return super().check(value) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)

    def __str__(self) -> str:
        return "a lower triangular matrix with a positive diagonal"


class _CorrCholesky(_LowerCholesky):
    def check(self, value: Tensor) -> Tensor:
        size = (value.detach() ** 2).sum(-1).sqrt()
        tolerance = 10 * float(np.finfo(value.dtype).eps) * value.shape[-1]
        return super().check(value) & ((size - 1).abs() <= tolerance).all(-1)

    def __str__(self) -> str:
        return "the Cholesky factor of a matrix of correlations: lower triangular, with rows of length 1"


# Parts

class _Cat(Constraint):
    """Constraints of consecutive parts along an axis, as of `cat`."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None) -> None:
        self.cseq, self.dim = list(cseq), dim
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise ValueError(f"cat: {len(self.cseq)} constraints need as many lengths, not {len(self.lengths)}")

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return any(c.is_discrete for c in self.cseq)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return max(c.event_dim for c in self.cseq)

    def check(self, value: Tensor) -> Tensor:
        parts = zip(self.cseq, value.split(self.lengths, self.dim), strict=True)
        checked = [_all(c.check(part), self.event_dim - c.event_dim) for c, part in parts]
        dim = (self.dim if self.dim < 0 else self.dim - value.ndim) + self.event_dim
        return autograd.cat(checked, dim) if dim < 0 else autograd.stack(checked).all(0)

    def __str__(self) -> str:
        return " / ".join(map(str, self.cseq))


class _Stack(Constraint):
    """Constraints of the slices along an axis, as of `stack`."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        self.cseq, self.dim = list(cseq), dim

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return any(c.is_discrete for c in self.cseq)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        own = max(c.event_dim for c in self.cseq)
        return own + 1 if self.dim + own < 0 else own

    def check(self, value: Tensor) -> Tensor:
        parts = value.unbind(self.dim)
        return autograd.stack([c.check(part) for c, part in zip(self.cseq, parts, strict=True)], self.dim)

    def __str__(self) -> str:
        return " / ".join(map(str, self.cseq))


dependent = _Dependent()
independent = _IndependentConstraint
boolean = _Boolean()
one_hot = _OneHot()
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
integer_interval = _IntegerInterval
real = _Real()
real_vector = independent(real, 1)
positive = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
multinomial = _Multinomial
unit_interval = _Interval(0.0, 1.0)
interval = _Interval
half_open_interval = _HalfOpenInterval
simplex = _Simplex()
lower_triangular = _LowerTriangular()
lower_cholesky = _LowerCholesky()
corr_cholesky = _CorrCholesky()
square = _Square()
symmetric = _Symmetric()
positive_semidefinite = _PositiveSemidefinite()
positive_definite = _PositiveDefinite()
cat = _Cat
stack = _Stack
