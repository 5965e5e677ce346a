"""Sorting, and extremes along an axis. The gradient goes to the elements that were taken."""

import numpy as np

from autograd.dtypes import float32
from autograd.errors import ShapeError
from autograd.notation import Notation
from autograd.operations.indexing import grid, picked, scatter_along
from autograd.operations.pointwise import MANY, maximum, minimum
from autograd.operations.reductions import amax, amin, extreme_vjp
from autograd.operations.shaping import as_row, axis
from autograd.runtime.copies import contiguous
from autograd.runtime.threads import in_parallel, pieces
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike, ValuesIndices


def _distinct(draw):
    x = draw.array(min_dims=1, min_side=1, distinct=True)
    return call(x, dim=draw.dim(x.ndim))


def _along_rows(method):
    """The same; of many numbers NumPy compares several at once only along the last axis."""
    def position(x, axis, **options):
        if axis is None or axis % x.ndim == x.ndim - 1 or x.size <= MANY:
            return method(x, axis=axis, **options)
        return _for_rows(lambda rows: method(rows, -1)[:, None], x, axis).squeeze(axis)
    return position


_argmax, _argmin = _along_rows(np.argmax), _along_rows(np.argmin)


def _position(method):
    def forward(x, *, dim: int | None = None, keepdim: bool = False):
        along = None if dim is None else axis(dim, x.ndim)
        if along is None or not x.ndim:
            return np.asarray(method(x, None, keepdims=keepdim))
        found = np.asarray(method(x, along))
        return np.expand_dims(found, along) if keepdim else found
    return forward


argmax = operation(
    _position(_argmax), vjps=(None,), names="argmax", numpy=np.argmax,
    doc="The position of the largest element: along `dim`, or in x flattened.")
argmin = operation(
    _position(_argmin), vjps=(None,), names="argmin", numpy=np.argmin,
    doc="The position of the smallest element: along `dim`, or in x flattened.")


# Sorting

def _order(x, dim, descending=False):
    """The positions in order of size. Equal elements stay in order, whichever the direction; nan counts as largest."""
    if x.dtype is float32 and x.size > MANY:
        return _for_rows(lambda rows: _order_of_rows(rows, descending), x, dim)
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    return np.flip(x.shape[dim] - 1 - np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)


def _for_rows(positions, x, dim):
    """`positions` of few rows along `dim` at a time, which threads share."""
    rows = contiguous(np.moveaxis(x, dim, -1)).reshape(-1, x.shape[dim])
    found = []

    def work(part):
        return [positions(rows[few]) for few in pieces(part, rows.shape[-1])]

    for several in in_parallel(work, len(rows), 16 * x.size):
        found += several
    found = np.concatenate(found)
    lead = [n for i, n in enumerate(x.shape) if i != dim]
    return contiguous(np.moveaxis(found.reshape(*lead, -1), -1, dim))


_ALL_BUT_SIGN, _LOW = np.int32(0x7FFFFFFF), np.int64(0xFFFFFFFF)


def _order_of_rows(x, descending):
    """By integers in the same order, of which the positions are the lower half: NumPy sorts such ones, all different,
    five times as fast as it finds a stable order.
    """
    x = x + float32.type(0)  # -0 is 0
    x[np.isnan(x)] = np.nan  # of whatever sign
    bits = x.view(np.int32)
    bits ^= (bits >> 31) & _ALL_BUT_SIGN  # of negative numbers the larger ones are nearer to 0
    keys = (~bits if descending else bits).astype(np.int64)
    keys <<= 32
    keys |= np.arange(x.shape[1])
    keys.sort()
    keys &= _LOW
    return keys


def _order_of_all(a, axis=-1, **_):
    return argsort(a.reshape(-1) if axis is None else a, axis or 0)


@operation(vjps=(None,), numpy={np.argsort: _order_of_all})
def argsort(x, *, dim: int = -1, descending: bool = False, stable: bool = False):
    """The positions of the elements in order of size along `dim`. Equal elements stay in order."""
    return _order(as_row(x), axis(dim, x.ndim), descending).reshape(x.shape)


def _sorted(a, axis=-1):
    return sort(a.reshape(-1) if axis is None else a, axis or 0).values


@operation(vjps=lambda g, out, x, dim, descending, stable: _put_back(g, out, dim, x.shape), outputs="values indices",
           samples=_distinct, numpy={np.sort: _sorted})
def sort(x, *, dim: int = -1, descending: bool = False, stable: bool = False):
    """The elements in order of size along `dim`, and where they were: (values, indices). Equal ones stay in order."""
    row, dim = as_row(x), axis(dim, x.ndim)
    indices = _order(row, dim, descending)
    return _taken(row, indices, dim).reshape(x.shape), indices.reshape(x.shape)


def _taken(x, indices, dim):
    return picked(x, grid(indices, dim)) if x.size > MANY else np.take_along_axis(x, indices, dim)


def _put_back(g, out, dim, shape):
    """The gradients of taken elements, at their places."""
    return scatter_along(g[0], np.asarray(out[1]), dim, shape)


@operation(samples=lambda draw: call(draw.array(min_side=1, distinct=True)))
def msort(x: TensorLike) -> Tensor:
    """The elements in order of size along the first axis."""
    return sort(x, dim=0).values


FEW = 16


def _one_by_one(x, k, dim, largest):
    """The k extremes, each the extreme of what the others have left; None where NaN or inf is in the way."""
    taken = -np.inf if largest else np.inf
    left, values, indices = np.moveaxis(x, dim, -1).copy(), [], []
    for _ in range(k):
        index = np.expand_dims((np.argmax if largest else np.argmin)(left, axis=-1), -1)
        indices.append(index)
        values.append(np.take_along_axis(left, index, -1))
        np.put_along_axis(left, index, taken, -1)
    values = np.concatenate(values, -1)
    if np.isnan(values).any() or (values == taken).any():
        return None
    return tuple([contiguous(np.moveaxis(found, -1, dim)) for found in (values, np.concatenate(indices, -1))])


def _topk_samples(draw):
    x = draw.array(min_dims=1, min_side=1, distinct=True)
    dim = draw.dim(x.ndim)
    return call(x, k=draw.integer(0, x.shape[dim]), dim=dim, largest=draw.boolean())


@operation(vjps=lambda g, out, x, k, dim, largest, sorted: _put_back(g, out, dim, x.shape), outputs="values indices",
           samples=_topk_samples)
def topk(x, *, k: int, dim: int = -1, largest: bool = True, sorted: bool = True):
    """The k largest (or smallest) elements along `dim`, in order, and where they were: (values, indices)."""
    shape, dim, x = x.shape, axis(dim, x.ndim), as_row(x)
    n = x.shape[dim]
    if not 0 <= k <= n:
        raise ShapeError(f"k={k} is out of range for {n} elements along dim={dim}")
    if 0 < k <= FEW and n > 16 * FEW and x.size > 8 * MANY and x.dtype.kind == "f":
        found = _one_by_one(x, k, dim, largest)
        if found is not None:
            return found
    places = range(n - k, n) if largest else range(k)  # in order of size
    ends = [p for p in (places.start, places.stop - 1) if 0 <= p < n]
    indices = np.argpartition(x, np.array(ends, np.int64), axis=dim)
    indices = np.sort(np.take(indices, places, axis=dim), axis=dim)
    values = np.take_along_axis(x, indices, dim)
    order = _order(values, dim, descending=largest)
    values, indices = np.take_along_axis(values, order, dim), np.take_along_axis(indices, order, dim)
    return (values, indices) if shape or k != 1 else (values.reshape(()), indices.reshape(()))


# One element along an axis

def selection(choose, name, doc, samples=_distinct, notation=None):
    """The operation that takes the element at `choose(x, axis)`, a position along each row."""
    def forward(x, *, dim: int, keepdim: bool = False):
        row, dim = as_row(x), axis(dim, x.ndim)
        if not row.shape[dim]:
            raise IndexError(f"there is no element to take along dim={dim} of a tensor of shape {x.shape}")
        indices = np.expand_dims(choose(row, dim), dim)
        values = np.take_along_axis(row, indices, dim)
        return (values, indices) if keepdim and x.ndim else (values.squeeze(dim), indices.squeeze(dim))

    def vjp(g, out, x, dim, keepdim):
        g, indices = g[0], np.asarray(out[1])
        if not keepdim and x.ndim:
            g, indices = np.expand_dims(g, dim), np.expand_dims(indices, dim)
        return scatter_along(g, indices, dim, x.shape)

    return operation(forward, vjps=vjp, outputs="values indices", names=name, samples=samples, doc=doc,
                     notation=notation)


def _first_nan_or(position):
    """nan is contagious, as in every other reduction."""
    def choose(x, dim):
        chosen = position(x, dim)
        missing = np.isnan(x)
        return np.where(missing.any(axis=dim), missing.argmax(axis=dim), chosen) if missing.any() else chosen
    return choose


def _position_of_lower_median(x, dim):
    middle = (x.shape[dim] - 1) // 2
    if x.dtype.kind == "f" and x.size > MANY:
        return _for_rows(lambda rows: _first_equal(rows, middle), x, dim).squeeze(dim)
    return np.take(np.argpartition(x, middle, axis=dim), middle, axis=dim)


def _first_equal(rows, place):
    """The position of the element that has `place` others before it in order of size: NumPy partitions numbers twice as
    fast as their positions.
    """
    values = np.partition(rows, place)[:, place:place + 1]
    return (rows == values).argmax(1)[:, None]


def _extreme_along(sign, extreme):
    """How it is written, and that one of equal elements has to be chosen."""
    def tie(x, *, dim, keepdim):
        return (x == extreme(x, axis=dim, keepdims=True)).sum(axis=dim) > 1
    return Notation(sign, f"{sign} {{x}}", elementwise=False,
                    kink=(tie, "a tie: the first of the equal ones has the gradient"))


_max_along = selection(_argmax, "_max_along", "The largest element along `dim`.",
                       notation=_extreme_along("max", np.max))
_min_along = selection(_argmin, "_min_along", "The smallest element along `dim`.",
                       notation=_extreme_along("min", np.min))
_median_along = selection(_first_nan_or(_position_of_lower_median), "_median_along", "The median along `dim`.")


@operation(samples=lambda draw: call(draw.array(min_side=1, distinct=True)))
def max(x: TensorLike, dim: int | Tensor | None = None, keepdim: bool = False) -> Tensor | ValuesIndices:
    """The largest element; with `dim`, the pair (values, indices) along it; with a Tensor in its place, `maximum`.

    The gradient goes to the element at the index; without `dim`, equal ones share it.
    """
    if isinstance(dim, (Tensor, np.ndarray)):
        return maximum(x, dim)
    return amax(x) if dim is None else _max_along(x, dim=dim, keepdim=keepdim)


@operation(samples=lambda draw: call(draw.array(min_side=1, distinct=True)))
def min(x: TensorLike, dim: int | Tensor | None = None, keepdim: bool = False) -> Tensor | ValuesIndices:
    """The smallest element; with `dim`, the pair (values, indices) along it; with a Tensor in its place, `minimum`.

    The gradient goes to the element at the index; without `dim`, equal ones share it.
    """
    if isinstance(dim, (Tensor, np.ndarray)):
        return minimum(x, dim)
    return amin(x) if dim is None else _min_along(x, dim=dim, keepdim=keepdim)


def _median_of_all(x):
    return _median_along(x.reshape(-1), dim=0)[0] if x.size else np.full((), np.nan, x.dtype)


_median = operation(
    _median_of_all, vjps=lambda g, out, x: extreme_vjp(g, out, x, None, False),
    names="_median", samples=lambda draw: call(draw.array(min_side=1, distinct=True)))


@operation(samples=lambda draw: call(draw.array(min_side=1, distinct=True)))
def median(x: TensorLike, dim: int | None = None, keepdim: bool = False) -> Tensor | ValuesIndices:
    """The median, which is the lower of the two in the middle; with `dim`, the pair (values, indices) along it.

    The gradient goes to the element at the index; without `dim`, equal ones share it.
    """
    if dim is None:
        return _median(x)
    return _median_along(x, dim=dim, keepdim=keepdim)


def _kth_samples(draw):
    x = draw.array(min_dims=1, min_side=1, distinct=True)
    dim = draw.dim(x.ndim)
    return call(x, k=draw.integer(1, x.shape[dim]), dim=dim, keepdim=draw.boolean())


@operation(samples=_kth_samples)
def kthvalue(x: TensorLike, k: int, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The k-th smallest element along `dim` (k from 1) and where it is: (values, indices)."""
    smallest = topk(x, k, dim, largest=False)
    last = [part.narrow(dim, k - 1, 1) if x.ndim else part for part in smallest]
    last = last if keepdim or not x.ndim else [part.squeeze(dim) for part in last]
    return type(smallest)(*[part.contiguous() for part in last])
