"""Running sums, products and extremes along an axis, and differences."""

import math
import operator
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.errors import ShapeError
from autograd.operations.indexing import scatter_along
from autograd.operations.joining import cat
from autograd.operations.pointwise import MANY, ahead, times
from autograd.operations.reductions import in_parts, in_range, sum, summed, widened
from autograd.operations.shaping import as_row, axes, axis, bare, clone
from autograd.runtime.compiled import compilable
from autograd.runtime.copies import put
from autograd.runtime.elementwise import SIMPLE, as_loop
from autograd.samples import along_one, call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import Dims, DTypeLike, TensorLike


def _part(dim, start, stop=None, step=None):
    """The index of a slice along one axis."""
    return (*[slice(None)] * dim, slice(start, stop, step)) if dim >= 0 else (
        ..., slice(start, stop, step), *[slice(None)] * (-1 - dim))


def _flat_without_axis(a, axis):
    """What NumPy's running sums and products go over."""
    return (a.reshape(-1), 0) if axis is None else (a, axis)


@compilable("autograd.compiled.scans", many=True)
def _accumulated(x, method, dim, dtype=None, from_end=False):
    """A running sum or product, in the wider type: the last of many elements would hardly add to a float32."""
    row, dim = as_row(x), axis(dim, x.ndim)
    if from_end:
        return np.flip(_accumulated(np.flip(row, dim), method, dim, dtype), dim).reshape(x.shape)
    if (x.dtype if dtype is None else np.dtype(dtype)) is dtypes.float32:
        if method is np.cumsum and x.dtype is dtypes.float32 and x.size > MANY:
            out = _sums_in_parts(row, dim)
            if np.isfinite(out).all():  # or a product with 0 may have spread what is not
                return out.reshape(x.shape)
        quick = method is np.cumprod and x.dtype is dtypes.float32 and x.size > MANY
        along = _running_products if quick else lambda row, dim: method(row, axis=dim, dtype=np.float64)
        return in_parts(lambda row: along(row, dim).astype(np.float32), dim, row).reshape(x.shape)
    return summed(method, row, dtype, axis=dim).reshape(x.shape)


PART = 16


def _sums_in_parts(x, dim):
    """The running sum of float32: within parts as products with a triangle of ones, the parts' ends in float64."""
    lead, n, rest = math.prod(x.shape[:dim]), x.shape[dim], math.prod(x.shape[dim + 1:])
    x = x.reshape(lead, n, rest)
    if n % PART:
        x = np.concatenate([x, np.zeros((lead, -n % PART, rest), x.dtype)], 1)
    parts, ones = x.shape[1] // PART, np.tri(PART, dtype=x.dtype)
    out = x.reshape(lead * parts, PART) @ ones.T if rest == 1 else ones @ x.reshape(lead * parts, PART, rest)
    out = out.reshape(lead, parts, PART, rest)
    ends = np.cumsum(out[:, :, -1], axis=1, dtype=np.float64).astype(x.dtype)
    out[:, 1:] += ends[:, :-1, None]
    return out.reshape(lead, parts * PART, rest)[:, :n]


WIDE = 64
"""Numbers side by side from which on one call for each row takes less time than NumPy's number after number."""


def _accumulated_rows(method, x, dim):
    """`method.accumulate(x, axis=dim)`, row after row where rows are wide."""
    if math.prod(x.shape[dim + 1:]) < WIDE:
        return method.accumulate(x, axis=dim)
    rows, out = np.moveaxis(x, dim, 0), np.empty(x.shape, x.dtype)
    results = np.moveaxis(out, dim, 0)
    results[:1] = rows[:1]
    for j in range(1, len(rows)):
        method(results[j - 1], rows[j], out=results[j])
    return out


def _by_twos(method, x, dim):
    """`method.accumulate(x, dim)`: every second result is one of pairs, in half as many steps that wait for the last.
    """
    n = x.shape[dim]
    if n <= PART or math.prod(x.shape[dim + 1:]) >= WIDE:
        return _accumulated_rows(method, x, dim)
    first, odd, even = _part(dim, 0, 1), _part(dim, 1, None, 2), _part(dim, 2, None, 2)
    of_pairs = _by_twos(method, method(x[_part(dim, 0, n - 1, 2)], x[odd]), dim)
    out = np.empty_like(x)
    out[first], out[odd] = x[first], of_pairs
    method(of_pairs[_part(dim, 0, (n - 1) // 2)], x[even], out=out[even])
    return out


FAR = 1e150
"""In products of float32 that stay below it, what is lost where parts of them underflow is nothing in float32."""


def _running_products(x, dim):
    """The running product of float32, in float64."""
    wide = in_range(x)
    with np.errstate(all="ignore"):
        out = _by_twos(np.multiply, wide, dim)
    if out.size and not (out.max() < FAR and out.min() > -FAR):
        return _accumulated_rows(np.multiply, wide, dim)
    return out


# The sum of what follows is the adjoint of the sum of what came before.

def _one_row(x, dim):
    """The part of x from which the others along all axes but `dim` do not differ, as in the gradient of a sum."""
    return x[tuple([slice(None) if step or i == dim else slice(0, 1) for i, step in enumerate(x.strides)])]


def _from_the_end(x, *, dim):
    different = _one_row(x, axis(dim, x.ndim))
    return np.broadcast_to(_accumulated(different, np.cumsum, dim, None, True), x.shape)


_sum_of_following = operation(
    _from_the_end, vjps=lambda g, out, x, dim: cumsum(g, dim=dim), samples=along_one, names="_sum_of_following")


@operation(vjps=lambda g, out, x, dim, dtype: _sum_of_following(g, dim=dim), samples=along_one, inplace=True,
           numpy={np.cumsum: lambda a, axis=None, dtype=None: cumsum(*_flat_without_axis(a, axis), dtype)})
def cumsum(x, *, dim: int, dtype: DTypeLike | None = None):
    """The sum of all elements up to each one along `dim`."""
    return _accumulated(x, np.cumsum, dim, dtype)


@compilable("autograd.compiled.scans", many=True)
def _running_back(g, factor, dim):
    """s[i] = g[i] + factor[i + 1] s[i + 1] along `dim`, from the end: what a running product or sum of exponentials
    needs backward, without dividing by what may be 0. Pairs first, as in Blelloch's scans (1990): every second sum
    follows from every fourth. Where products of factors leave the range, it is taken one after the other.
    """
    if not g.ndim or not g.shape[dim]:
        return g
    dim %= g.ndim
    sums = in_parts(lambda g, factor: _by_pairs(in_range(g), in_range(factor), dim).astype(g.dtype), dim, g, factor)
    if np.isfinite(bare(sums)).all():
        return sums
    sums = [g[_part(dim, -1, None)]]
    for i in range(g.shape[dim] - 2, -1, -1):
        sums.append(g[_part(dim, i, i + 1)] + times(sums[-1], factor[_part(dim, i + 1, i + 2)]))
    return np.concatenate(sums[::-1], dim)


def _by_pairs(g, factor, dim):
    n = g.shape[dim]
    if n == 1:
        return g
    if n % 2:
        end = _part(dim, -1, None)
        g, factor = (np.concatenate([x, np.zeros(x[end].shape, x.dtype)], dim) for x in (g, factor))
    even, odd, later, earlier = _part(dim, 0, None, 2), _part(dim, 1, None, 2), _part(dim, 1), _part(dim, 0, -1)
    onto_even, onto_odd = factor[even], factor[odd]  # what the sums at these places are multiplied by for those before
    within = np.concatenate([onto_even[_part(dim, 0, 1)], onto_odd[earlier] * onto_even[later]], dim)
    sums = _by_pairs(g[even] + onto_odd * g[odd], within, dim)
    others = np.concatenate([g[odd][earlier] + onto_even[later] * sums[later], g[_part(dim, -1, None)]], dim)
    return np.stack([sums, others], dim + 1).reshape(g.shape)[_part(dim, 0, n)]


def before(out, first, dim):
    """`out` moved on by one place, with `first` at the beginning."""
    if not out.ndim:
        return np.full((), first, out.dtype)
    return np.concatenate([np.full(out[_part(dim, 0, 1)].shape, first, out.dtype), out[_part(dim, 0, -1)]], dim)


def _products_back_by_division(g, x, dim):
    """The gradient of a running product of float32: Σ g · product over what follows, divided by x. NaN where x is 0
    somewhere, or where it isn't known to be exact.
    """
    products = _running_products(x, dim)
    if not (x.all() and products.max() < FAR and products.min() > -FAR):
        return np.full_like(x, np.nan)
    products *= g
    backward = _part(dim, None, None, -1)
    sums = _by_twos(np.add, products[backward], dim)[backward]
    sums /= x
    return sums.astype(x.dtype)


@compilable("autograd.compiled.scans", many=True)
def _products_back(g, out, x, dim):
    """The gradient of a running product."""
    if type(g) is np.ndarray and g.dtype is x.dtype is dtypes.float32 and x.size > MANY:
        with np.errstate(all="ignore"):
            dx = in_parts(lambda g, x: _products_back_by_division(g, x, axis(dim, x.ndim)), dim, g, x)
        if np.isfinite(dx).all():
            return dx
    return times(_running_back(g, x, dim), before(out, 1, dim))


def _cumprod_vjp(g, out, x, dim, dtype):
    return _products_back(g, out, x, dim)


@operation(vjps=_cumprod_vjp, samples=along_one, inplace=True,
           numpy={np.cumprod: lambda a, axis=None, dtype=None: cumprod(*_flat_without_axis(a, axis), dtype)})
def cumprod(x, *, dim: int, dtype: DTypeLike | None = None):
    """The product of all elements up to each one along `dim`; its gradient is right where elements are 0."""
    return _accumulated(x, np.cumprod, dim, dtype)


def _logcumsumexp_vjp(g, out, x, dim):
    decay = np.exp(ahead(before(out, -np.inf, dim), out))
    return times(_running_back(g, decay, dim), np.exp(ahead(x, out)))


@operation(vjps=_logcumsumexp_vjp, samples=along_one)
def logcumsumexp(x, *, dim: int):
    """log(cumsum(exp(x))) along `dim`, without overflow."""
    row, dim = as_row(x if x.dtype.kind == "f" else widened(x)), axis(dim, x.ndim)

    def along(row):  # in the wider type, as sums
        return np.logaddexp.accumulate(in_range(row), axis=dim).astype(row.dtype)
    return in_parts(along, dim, row).reshape(x.shape)


# Running extremes: of equal elements the last has the gradient.

def _distinct_along_one(draw):
    x = draw.array(min_dims=1, min_side=1, distinct=True)
    return call(x, dim=draw.dim(x.ndim))


@compilable("autograd.compiled.scans", many=True)
def _extremes(x, ufunc, dim):
    row, dim = as_row(x), axis(dim, x.ndim)
    values = _accumulated_rows(ufunc, row, dim)
    places = np.arange(row.shape[dim]).reshape([-1 if i == dim else 1 for i in range(row.ndim)])
    indices = _accumulated_rows(np.maximum, ((row == values) | np.isnan(row)) * places, dim)
    return values.reshape(x.shape), indices.reshape(x.shape)


def _running_extreme(ufunc, name, adjective):
    def forward(x, *, dim: int):
        return _extremes(x, ufunc, dim)

    return operation(forward, vjps=lambda g, out, x, dim: scatter_along(g[0], np.asarray(out[1]), dim, x.shape),
                     outputs="values indices", names=name, samples=_distinct_along_one,
                     doc=f"The {adjective} element up to each one along `dim`, and its position: (values, indices).")


cummax = _running_extreme(np.maximum, "cummax", "largest")
cummin = _running_extreme(np.minimum, "cummin", "smallest")


# Differences and areas

_minus = as_loop(operator.sub)


def _neighbors(x, *, dim):
    dim = axis(dim, x.ndim)
    after, before = x[_part(dim, 1)], x[_part(dim, 0, -1)]
    if x.dtype == bool:
        return after != before
    return _minus(after, before) if x.size >= SIMPLE else after - before


def _neighbors_back(g, *, dim):
    """g at what it is the difference of, the other way round at what was subtracted."""
    dim = axis(dim, g.ndim)
    inside = -_neighbors(_one_row(g, dim), dim=dim) if g.shape[dim] > 1 else 0
    out = np.empty([n + (i == dim) for i, n in enumerate(g.shape)], g.dtype)
    put(out[_part(dim, 1, -1)], inside)
    out[_part(dim, 0, 1)], out[_part(dim, -1)] = -g[_part(dim, 0, 1)], g[_part(dim, -1)]
    return out


_differences = operation(
    _neighbors, names="_differences", vjps=lambda g, out, x, dim: _from_differences(g, dim=dim),
    samples=lambda draw: call(x := draw.array(min_dims=1, min_side=2), dim=draw.integer(0, x.ndim - 1)))

_from_differences = operation(
    _neighbors_back, names="_from_differences", vjps=lambda g, out, x, dim: _differences(g, dim=dim),
    samples=lambda draw: call(x := draw.array(min_dims=1, min_side=1), dim=draw.integer(0, x.ndim - 1)))


@operation(numpy=np.diff, samples=lambda draw: call(
    x := draw.array(min_dims=1, min_side=1), n=draw.choice([1, 2]), dim=draw.dim(x.ndim)))
def diff(x: TensorLike, n: int = 1, dim: int = -1, prepend: TensorLike | None = None,
         append: TensorLike | None = None) -> Tensor:
    """The differences of neighbors along `dim`, taken n times."""
    if not x.ndim:
        raise RuntimeError("it takes differences along an axis, and this tensor has none (shape ())")
    dim, parts = axis(dim, x.ndim), [part for part in (prepend, x, append) if part is not None]
    x = np.concatenate(parts, dim) if len(parts) > 1 else x
    for _ in range(n):
        x = _differences(x, dim=dim) if x.shape[dim] > 1 else clone(x[_part(dim, 1)])
    return x if n or len(parts) > 1 else clone(x)


def _slopes(x, at, dim, edge_order):
    """The derivative along an axis by differences of second order, at its ends of `edge_order`, where the positions are
    `at`, a distance or a vector.
    """
    if x.shape[dim] <= edge_order:
        raise ShapeError(f"derivatives of edge_order {edge_order} need more than {edge_order} elements along axis "
                         f"{dim}, and this tensor has shape {x.shape}")
    widths = np.diff(np.asarray(at)) if np.ndim(at) else np.full(x.shape[dim] - 1, at)
    widths = widths.astype(x.dtype if x.dtype.kind == "f" else dtypes.get_default_dtype())
    if len(widths) != x.shape[dim] - 1:
        raise ShapeError(f"along axis {dim} of shape {x.shape} there are {len(widths) + 1} positions")
    along = [-1 if i == dim else 1 for i in range(x.ndim)]
    before, after = widths[:-1].reshape(along), widths[1:].reshape(along)
    steps = diff(x, dim=dim) / widths.reshape(along)
    first, last = steps[_part(dim, 0, 1)], steps[_part(dim, -1)]
    if np.ndim(at):
        inner = (steps[_part(dim, 0, -1)] * after + steps[_part(dim, 1)] * before) / (before + after)
    else:  # the one between has no part in it
        inner = (x[_part(dim, 2)] - x[_part(dim, 0, -2)]) / (2 * before)
    if edge_order == 2:
        one, two = widths[0], widths[1]
        first = first + (first - steps[_part(dim, 1, 2)]) * (one / (one + two))
        one, two = widths[-1], widths[-2]
        last = last + (last - steps[_part(dim, -2, -1)]) * (one / (one + two))
    return cat((first, inner, last), dim)


@operation(methods="", samples=lambda draw: call(draw.array(min_dims=1, min_side=3), edge_order=draw.choice([1, 2]),
                                                 spacing=0.5))
def gradient(x: TensorLike, *, spacing: Any = 1, dim: Dims | None = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """Derivatives of a function whose values are x, along each axis of `dim` (None: all), by differences.

    Args:
        x: the values.
        spacing: the distance of neighbors, or one of each axis; or a vector of positions of each axis.
        dim: the axes.
        edge_order: 1 or 2, the order at the ends; inside it is 2.
    """
    along = range(x.ndim) if dim is None else axes(dim, x.ndim)
    spacings = spacing if isinstance(spacing, (list, tuple)) else [spacing] * len(along)
    if len(spacings) != len(along):
        raise ValueError(f"there are {len(along)} axes, and {len(spacings)} spacings")
    return tuple([_slopes(x, at, i, edge_order) for at, i in zip(spacings, along, strict=True)])


def _trapezoids(y, x, dim):
    """The heights and the widths (None: all alike) of the trapezoids under y, and their axis."""
    dim = axis(dim, y.ndim)
    heights = (y[_part(dim, 1)] + y[_part(dim, 0, -1)]) / 2
    if x is not None and x.ndim == 1 and y.ndim > 1:  # positions along `dim`
        x = x.reshape([-1 if i == dim % y.ndim else 1 for i in range(y.ndim)])
    return heights, None if x is None else diff(x, dim=dim), dim


@operation(names="trapezoid trapz", methods="",
           numpy={np.trapezoid: lambda y, x=None, dx=1.0, axis=-1: trapezoid(y, x, dx=dx, dim=axis)},
           samples=lambda draw: call(y := draw.array(min_dims=1, min_side=1), draw.array(shape=y.shape)))
def trapezoid(y: TensorLike, x: TensorLike | None = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """The area under y along `dim` by trapezoids, at positions x or at distances dx."""
    heights, widths, dim = _trapezoids(y, x, dim)
    return sum(heights, dim=dim) * dx if widths is None else sum(heights * widths, dim=dim)


@operation(methods="", samples=lambda draw: call(y := draw.array(min_dims=1, min_side=1), draw.array(shape=y.shape)))
def cumulative_trapezoid(y: TensorLike, x: TensorLike | None = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """The area under y up to each position but the first; see `trapezoid`."""
    heights, widths, dim = _trapezoids(y, x, dim)
    return cumsum(heights * (dx if widths is None else widths), dim=dim)
