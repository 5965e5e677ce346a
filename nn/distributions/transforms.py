"""Differentiable maps, with their inverses and what they do to a volume, for `TransformedDistribution`.

>>> t = ComposeTransform([AffineTransform(1.0, 2.0), ExpTransform()])
>>> t.inv(t(autograd.tensor(0.5)))
tensor(0.5000)
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn import functional as F
from nn.distributions import constraints
from nn.distributions.constraints import Constraint, dependent_property
from nn.distributions.distribution import Distribution, floating, sum_last

__all__ = ["AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform",
           "CumulativeDistributionTransform", "ExpTransform", "IndependentTransform", "LowerCholeskyTransform",
           "PositiveDefiniteTransform", "PowerTransform", "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform",
           "SoftplusTransform", "StackTransform", "StickBreakingTransform", "TanhTransform", "Transform",
           "identity_transform"]

Shape = tuple[int, ...]


def _no_sign(self: Any) -> Any:
    raise NotImplementedError(f"{type(self).__name__} is neither increasing nor decreasing")


class Transform:
    """Base of maps y = t(x).

    One of your own has `domain`, `codomain`, `_call(x)`, and for densities `bijective = True`, `_inverse(y)` and
    `log_abs_det_jacobian(x, y)`.

    Args:
        cache_size: 1 to remember the last x and its y, so that `inv` of that very y costs nothing and is exact; or 0.

    Attributes:
        domain: where x may lie.
        codomain: where y may lie.
        bijective: whether there is one x for each y.
        sign: of a bijective map of numbers, 1 if it is increasing and −1 if it is decreasing.
    """

    bijective: bool = False
    domain: Any
    codomain: Any
    sign: Any = property(_no_sign)

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError(f"{type(self).__name__}: cache_size must be 0 or 1, not {cache_size}")
        self._cache_size = cache_size
        self._last: tuple[Any, Any] = (None, None)

    def _arguments(self) -> tuple[Any, ...] | None:
        """What `__init__` was given before cache_size; transforms of the same type and arguments are equal.

        None if that is not known; then a transform is equal to itself alone.
        """
        return () if type(self).__init__ is Transform.__init__ else None

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} needs a method _call(self, x)")

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no inverse")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |det dy/dx|, without the axes of a member of the domain."""
        raise NotImplementedError(f"{type(self).__name__} has no log_abs_det_jacobian, so that no density can be "
                                  "transformed")

    def __call__(self, x: Tensor) -> Tensor:
        if self._cache_size and x is self._last[0]:
            return self._last[1]
        y = self._call(x)
        if self._cache_size:
            self._last = x, y
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._cache_size and y is self._last[1]:
            return self._last[0]
        x = self._inverse(y)
        if self._cache_size:
            self._last = x, y
        return x

    @property
    def event_dim(self) -> int:
        """How many last axes belong together, where those are as many before and after."""
        if self.domain.event_dim != self.codomain.event_dim:
            raise ValueError(f"{type(self).__name__}: write domain.event_dim or codomain.event_dim, which differ")
        return self.domain.event_dim

    @property
    def inv(self) -> "Transform":
        """The inverse; t.inv.inv is t."""
        return _InverseTransform(self)

    def with_cache(self, cache_size: int = 1) -> "Transform":
        """The same map with another cache_size."""
        if self._cache_size == cache_size:
            return self
        kind: Any = type(self)
        arguments = self._arguments()
        if arguments is None:
            raise NotImplementedError(f"{kind.__name__} needs a method with_cache(self, cache_size), since it has an "
                                      "__init__")
        return kind(*arguments, cache_size=cache_size)

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        """The shape of y, of that of x."""
        return tuple(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Shape:
        """The shape of x, of that of y."""
        return tuple(shape)

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Transform) or type(self) is not type(other):
            return self is other
        ours, theirs = self._arguments(), other._arguments()
        return ours is not None and theirs is not None and all(map(_same, ours, theirs))

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _same(a: Any, b: Any) -> bool:
    equal = a == b
    return bool(equal.all()) if isinstance(equal, (Tensor, np.ndarray)) else bool(equal)


def _broadcast(shape: Sequence[int], *values: Any) -> Shape:
    return np.broadcast_shapes(tuple(shape), *(getattr(v, "shape", ()) for v in values))


def _needs(shape: Sequence[int], count: int, name: str) -> Shape:
    if len(shape) < count:
        raise ShapeError(f"{name} needs {count} last axes; the shape is {tuple(shape)}")
    return tuple(shape)


class _InverseTransform(Transform):
    def __init__(self, transform: Transform) -> None:
        super().__init__(transform._cache_size)
        self._inv = transform
        self.bijective = transform.bijective

    domain = dependent_property(lambda self: self._inv.codomain)
    codomain = dependent_property(lambda self: self._inv.domain)

    @property
    def sign(self) -> Any:
        return self._inv.sign

    @property
    def inv(self) -> Transform:
        return self._inv

    def _arguments(self) -> tuple[Any, ...]:
        return (self._inv,)

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._inv.with_cache(cache_size).inv

    def _call(self, x: Tensor) -> Tensor:
        return self._inv._inv_call(x)

    def __call__(self, x: Tensor) -> Tensor:
        return self._inv._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Shape:
        return self._inv.forward_shape(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._inv!r})"


class ComposeTransform(Transform):
    """One map after the other.

    Args:
        parts: the first one first.
        cache_size: of each part.
    """

    def __init__(self, parts: Sequence[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self._inv: Transform | None = None  # of an inverse, what it was made of
        self.parts = [part.with_cache(cache_size) for part in parts] if cache_size else list(parts)
        self.bijective = all(part.bijective for part in self.parts)

    def _arguments(self) -> tuple[Any, ...]:
        return (self.parts,)

    @dependent_property
    def domain(self) -> Constraint:
        """That of the first part, with as many axes as any part needs."""
        return _end(self.parts, [(p.domain.event_dim, p.codomain.event_dim) for p in self.parts], first=True)

    @dependent_property
    def codomain(self) -> Constraint:
        """That of the last part, with as many axes as any part needs."""
        return _end(self.parts[::-1], [(p.codomain.event_dim, p.domain.event_dim) for p in self.parts[::-1]],
                    first=False)

    @property
    def sign(self) -> Any:
        """The product of those of the parts."""
        return math.prod(part.sign for part in self.parts)

    @property
    def inv(self) -> Transform:
        """The inverse of each part, in reverse."""
        if self._inv is not None:
            return self._inv
        inverse = ComposeTransform([part.inv for part in self.parts[::-1]])
        inverse._inv = self
        return inverse

    def __call__(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    _call = __call__

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum over the parts."""
        if not self.parts:
            return autograd.zeros_like(x)
        between = [x]
        for part in self.parts[:-1]:
            between.append(part(between[-1]))
        between.append(y)
        dim, total = self.domain.event_dim, []
        for part, before, after in zip(self.parts, between[:-1], between[1:], strict=True):
            total.append(sum_last(part.log_abs_det_jacobian(before, after), dim - part.domain.event_dim))
            dim += part.codomain.event_dim - part.domain.event_dim
        return sum(total[1:], total[0])

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        """The shape of y, of that of x."""
        for part in self.parts:
            shape = part.forward_shape(shape)
        return tuple(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Shape:
        """The shape of x, of that of y."""
        for part in self.parts[::-1]:
            shape = part.inverse_shape(shape)
        return tuple(shape)

    def __repr__(self) -> str:
        return "ComposeTransform(\n    " + ",\n    ".join(map(repr, self.parts)) + "\n)"


def _end(parts: Sequence[Transform], dims: Sequence[tuple[int, int]], first: bool) -> Constraint:
    """The constraint at one end of a chain, which begins there, with the axes that the whole chain needs."""
    if not parts:
        return constraints.real
    own = parts[0].domain if first else parts[0].codomain
    dim = dims[-1][1]
    for near, far in reversed(dims):
        dim = max(dim + near - far, near)
    return constraints.independent(own, dim - own.event_dim) if dim > own.event_dim else own


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """A map of numbers (or vectors, …) taken as one of vectors: log_abs_det_jacobian is summed over further last axes.

    Args:
        base_transform: the map.
        reinterpreted_batch_ndims: how many axes.
    """

    def __init__(self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        self.bijective = base_transform.bijective

    domain = dependent_property(
        lambda self: constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims))
    codomain = dependent_property(
        lambda self: constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims))

    def _arguments(self) -> tuple[Any, ...]:
        return self.base_transform, self.reinterpreted_batch_ndims

    @property
    def sign(self) -> Any:
        """That of the map."""
        return self.base_transform.sign

    def _call(self, x: Tensor) -> Tensor:
        _needs(x.shape, self.domain.event_dim, "IndependentTransform")
        return self.base_transform(x)

    def _inverse(self, y: Tensor) -> Tensor:
        _needs(y.shape, self.codomain.event_dim, "IndependentTransform")
        return self.base_transform.inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """That of the map, summed over the further axes."""
        return sum_last(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        """The shape of y, of that of x."""
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Shape:
        """The shape of x, of that of y."""
        return self.base_transform.inverse_shape(shape)

    def __repr__(self) -> str:
        return f"IndependentTransform({self.base_transform!r}, {self.reinterpreted_batch_ndims})"


class ReshapeTransform(Transform):
    """The last axes in another shape.

    Args:
        in_shape: of x.
        out_shape: of y, with as many elements.
    """

    bijective = True

    def __init__(self, in_shape: Sequence[int], out_shape: Sequence[int], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.in_shape, self.out_shape = tuple(in_shape), tuple(out_shape)
        if math.prod(self.in_shape) != math.prod(self.out_shape):
            raise ShapeError(f"ReshapeTransform: in_shape {self.in_shape} has {math.prod(self.in_shape)} elements, "
                             f"out_shape {self.out_shape} has {math.prod(self.out_shape)}")

    domain = dependent_property(lambda self: constraints.independent(constraints.real, len(self.in_shape)))
    codomain = dependent_property(lambda self: constraints.independent(constraints.real, len(self.out_shape)))

    def _arguments(self) -> tuple[Any, ...]:
        return self.in_shape, self.out_shape

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape(self.forward_shape(x.shape))

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape(self.inverse_shape(y.shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """0."""
        return autograd.zeros(x.shape[:x.ndim - len(self.in_shape)], dtype=x.dtype)

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        """The shape of y, of that of x."""
        return self._exchanged(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Sequence[int]) -> Shape:
        """The shape of x, of that of y."""
        return self._exchanged(shape, self.out_shape, self.in_shape)

    @staticmethod
    def _exchanged(shape: Sequence[int], old: Shape, new: Shape) -> Shape:
        cut = len(_needs(shape, len(old), "ReshapeTransform")) - len(old)
        if tuple(shape[cut:]) != old:
            raise ShapeError(f"ReshapeTransform: the last axes must be {old}; the shape is {tuple(shape)}")
        return (*shape[:cut], *new)


class ExpTransform(Transform):
    """y = exp(x)."""

    domain, codomain = constraints.real, constraints.positive
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """x."""
        return x


class PowerTransform(Transform):
    """y = x ** exponent, of positive x."""

    domain, codomain = constraints.positive, constraints.positive
    bijective = True

    def __init__(self, exponent: TensorLike, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.exponent, = floating(exponent)

    def _arguments(self) -> tuple[Any, ...]:
        return (self.exponent,)

    @property
    def sign(self) -> Tensor:
        """That of the exponent."""
        return self.exponent.sign()

    def _call(self, x: Tensor) -> Tensor:
        return x ** self.exponent

    def _inverse(self, y: Tensor) -> Tensor:
        return y ** (1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |exponent · y / x|."""
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        """The shape of y, of that of x."""
        return _broadcast(shape, self.exponent)

    inverse_shape = forward_shape


class SigmoidTransform(Transform):
    """y = 1 / (1 + exp(−x)), kept off 0 and 1."""

    domain, codomain = constraints.real, constraints.unit_interval
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return _inside(x.sigmoid())

    def _inverse(self, y: Tensor) -> Tensor:
        y = _inside(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log y + log (1 − y)."""
        return F.logsigmoid(x) + F.logsigmoid(-x)


def _inside(y: Tensor) -> Tensor:
    info = np.finfo(y.dtype)
    return y.clamp(float(info.tiny), 1 - float(info.eps))


class SoftplusTransform(Transform):
    """y = log(1 + exp(x))."""

    domain, codomain = constraints.real, constraints.positive
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return F.softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-(-y).expm1()).log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """−log(1 + exp(−x))."""
        return F.logsigmoid(x)


class TanhTransform(Transform):
    """y = tanh(x), with a density that is exact where y is rounded to 1."""

    domain, codomain = constraints.real, constraints.interval(-1.0, 1.0)
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log (1 − tanh² x)."""
        return 2 * (math.log(2) - x + F.logsigmoid(2 * x))


class AbsTransform(Transform):
    """y = |x|; its inverse takes the positive x."""

    domain, codomain = constraints.real, constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """y = loc + scale · x.

    Args:
        loc: a number or a Tensor.
        scale: a number or a Tensor, not 0; it may be negative.
        event_dim: how many last axes belong together: 0 for numbers, 1 for vectors.
    """

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    domain = dependent_property(lambda self: _real(self._event_dim), is_discrete=False)
    codomain = dependent_property(lambda self: _real(self._event_dim), is_discrete=False)

    def _arguments(self) -> tuple[Any, ...]:
        return self.loc, self.scale, self._event_dim

    @property
    def sign(self) -> Any:
        """That of the scale."""
        return self.scale.sign() if isinstance(self.scale, Tensor) else int(np.sign(self.scale))

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |scale|, summed over the axes that belong together."""
        scale = self.scale if isinstance(self.scale, Tensor) else autograd.tensor(self.scale, dtype=x.dtype)
        return sum_last(autograd.broadcast_to(scale.abs().log(), _broadcast(x.shape, scale)), self._event_dim)

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        """The shape of y, of that of x."""
        return _broadcast(shape, self.loc, self.scale)

    inverse_shape = forward_shape


def _real(event_dim: int) -> Constraint:
    return constraints.independent(constraints.real, event_dim) if event_dim else constraints.real


class CorrCholeskyTransform(Transform):
    """Vectors of D (D − 1) / 2 numbers to the Cholesky factors, (D, D), of matrices of correlations.

    The numbers fill the lower triangle by rows. Each row, after tanh, breaks off a part of what is left of its length,
    1 (Stan's reference manual, "Cholesky factors of correlation matrices").
    """

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        eps = float(np.finfo(x.dtype).eps)
        r = fill_triangle(x.tanh().clamp(-1 + eps, 1 - eps), self.forward_shape(x.shape)[-1])
        left = ((1 - r * r).sqrt()).cumprod(-1)  # of the length, after each element
        return (r + autograd.eye(r.shape[-1], dtype=x.dtype)) * F.pad(left[..., :-1], (1, 0), value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        left = F.pad(1 - (y * y).cumsum(-1)[..., :-1], (1, 0), value=1.0)
        return (_triangle(y, -1) / _triangle(left, -1).sqrt()).atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Of x and the lower triangle of y."""
        left = _triangle(1 - (y * y).cumsum(-1), -2)
        of_tanh = 2 * (math.log(2) - x + F.logsigmoid(2 * x))
        return 0.5 * left.log().sum(-1) + of_tanh.sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        """(..., D (D − 1) / 2) to (..., D, D)."""
        count = _needs(shape, 1, "CorrCholeskyTransform")[-1]
        size = round((0.25 + 2 * count) ** 0.5 + 0.5)
        if size * (size - 1) // 2 != count:
            raise ShapeError(f"CorrCholeskyTransform: the last axis must have D (D − 1) / 2 elements, such as 1, 3 or "
                             f"6, not {count}")
        return (*shape[:-1], size, size)

    def inverse_shape(self, shape: Sequence[int]) -> Shape:
        """(..., D, D) to (..., D (D − 1) / 2)."""
        *batch, rows, columns = _needs(shape, 2, "CorrCholeskyTransform")
        if rows != columns:
            raise ShapeError(f"CorrCholeskyTransform: the last two axes must be equally long; the shape is "
                             f"{tuple(shape)}")
        return (*batch, rows * (rows - 1) // 2)


def _triangle(matrix: Tensor, diagonal: int) -> Tensor:
    """The elements on and below a diagonal, by rows."""
    rows, columns = np.tril_indices(matrix.shape[-1], diagonal)
    return matrix[..., rows, columns]


def fill_triangle(vector: Tensor, size: int) -> Tensor:
    """The matrix with these elements below the diagonal, by rows, and 0 elsewhere."""
    place = np.zeros((size, size), np.int64)
    place[np.tril_indices(size, -1)] = np.arange(1, vector.shape[-1] + 1)
    return F.pad(vector, (1, 0))[..., place]


class SoftmaxTransform(Transform):
    """Numbers to probabilities, y = exp(x) / Σ exp(x); its inverse takes x = log y."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        """The same."""
        return _needs(shape, 1, "SoftmaxTransform")

    inverse_shape = forward_shape


class StickBreakingTransform(Transform):
    """K − 1 numbers to K probabilities: each breaks off a part of what is left of 1.

    Where x is 0, all probabilities are equal (Stan's reference manual, "Unit simplex").
    """

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True

    @staticmethod
    def _offset(count: int, dtype: Any) -> Tensor:
        return autograd.tensor(np.log(np.arange(count, 0, -1)), dtype=dtype)

    def _call(self, x: Tensor) -> Tensor:
        _needs(x.shape, 1, "StickBreakingTransform")
        part = _inside((x - self._offset(x.shape[-1], x.dtype)).sigmoid())
        left = (1 - part).cumprod(-1)
        return F.pad(part, (0, 1), value=1.0) * F.pad(left, (1, 0), value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        left = (1 - y[..., :-1].cumsum(-1)).clamp(min=float(np.finfo(y.dtype).tiny))
        return y[..., :-1].log() - left.log() + self._offset(y.shape[-1] - 1, y.dtype)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Of x and all of y but the last."""
        x = x - self._offset(x.shape[-1], x.dtype)
        return (F.logsigmoid(-x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Shape:
        """One more."""
        *batch, count = _needs(shape, 1, "StickBreakingTransform")
        return (*batch, count + 1)

    def inverse_shape(self, shape: Sequence[int]) -> Shape:
        """One less."""
        *batch, count = _needs(shape, 1, "StickBreakingTransform")
        return (*batch, count - 1)


class LowerCholeskyTransform(Transform):
    """Square matrices to lower triangular ones with a positive diagonal, by its exponential."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Transform):
    """Square matrices to positive definite ones, by their Cholesky factors."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(autograd.linalg.cholesky(y))


class _Parts(Transform):
    """What CatTransform and StackTransform share: several maps, each of a part."""

    transforms: list[Transform]
    dim: int

    def _split(self, x: Tensor) -> Sequence[Tensor]:
        raise NotImplementedError

    def _join(self, parts: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def _call(self, x: Tensor) -> Tensor:
        return self._join([t(part) for t, part in zip(self.transforms, self._split(x), strict=True)])

    def _inverse(self, y: Tensor) -> Tensor:
        return self._join([t.inv(part) for t, part in zip(self.transforms, self._split(y), strict=True)])


class CatTransform(_Parts):
    """Maps of consecutive parts along an axis, joined again as by `cat`.

    Args:
        tseq: the maps.
        dim: the axis.
        lengths: of the parts; 1 each, if not given.
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None,
                 cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim, self.lengths = dim, [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise ValueError(f"CatTransform: {len(self.transforms)} transforms need as many lengths, not "
                             f"{len(self.lengths)}")
        self.bijective = all(t.bijective for t in self.transforms)

    domain = dependent_property(
        lambda self: constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths))
    codomain = dependent_property(
        lambda self: constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths))

    def _arguments(self) -> tuple[Any, ...]:
        return self.transforms, self.dim, self.lengths

    @property
    def event_dim(self) -> int:
        """The greatest of the maps."""
        return max(t.event_dim for t in self.transforms)

    @property
    def length(self) -> int:
        """Of all parts together."""
        return sum(self.lengths)

    def _split(self, x: Tensor) -> Sequence[Tensor]:
        if x.shape[self.dim] != self.length:
            raise ShapeError(f"CatTransform: axis {self.dim} must have {self.length} elements, those of lengths "
                             f"{self.lengths}; the shape is {x.shape}")
        return x.split(self.lengths, self.dim)

    def _join(self, parts: list[Tensor]) -> Tensor:
        return autograd.cat(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Of each part: joined, or added up if the axis belongs to a member."""
        parts = [sum_last(t.log_abs_det_jacobian(before, after), self.event_dim - t.event_dim)
                 for t, before, after in zip(self.transforms, self._split(x), self._split(y), strict=True)]
        dim = (self.dim if self.dim < 0 else self.dim - x.ndim) + self.event_dim
        return autograd.cat(parts, dim) if dim < 0 else sum(parts[1:], parts[0])


class StackTransform(_Parts):
    """Maps of the slices along an axis, joined again as by `stack`.

    Args:
        tseq: the maps, one for each slice.
        dim: the axis.
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim
        self.bijective = all(t.bijective for t in self.transforms)

    domain = dependent_property(lambda self: constraints.stack([t.domain for t in self.transforms], self.dim))
    codomain = dependent_property(lambda self: constraints.stack([t.codomain for t in self.transforms], self.dim))

    def _arguments(self) -> tuple[Any, ...]:
        return self.transforms, self.dim

    def _split(self, x: Tensor) -> Sequence[Tensor]:
        if x.shape[self.dim] != len(self.transforms):
            raise ShapeError(f"StackTransform: axis {self.dim} must have {len(self.transforms)} elements, one for each "
                             f"transform; the shape is {x.shape}")
        return x.unbind(self.dim)

    def _join(self, parts: list[Tensor]) -> Tensor:
        return autograd.stack(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Of each slice."""
        return self._join([t.log_abs_det_jacobian(before, after) for t, before, after in
                           zip(self.transforms, self._split(x), self._split(y), strict=True)])


class CumulativeDistributionTransform(Transform):
    """y = the distribution function of a distribution at x, as for copulas.

    Args:
        distribution: of numbers, with `cdf`, and for the inverse `icdf`.
    """

    codomain = constraints.unit_interval
    bijective = True
    sign = 1

    def __init__(self, distribution: Distribution, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.distribution = distribution

    domain = dependent_property(lambda self: self.distribution.support)

    def _arguments(self) -> tuple[Any, ...]:
        return (self.distribution,)

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The log density at x."""
        return self.distribution.log_prob(x)
