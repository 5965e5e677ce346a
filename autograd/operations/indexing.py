"""Reading and writing parts of a tensor.

Each way of reading has an adjoint that adds into zeros: the derivative of one is the other.
"""

import functools
import itertools
import math
from types import EllipsisType, NoneType
from typing import Any

import numpy as np

from autograd import dtypes, inplace
from autograd.errors import ShapeError, reason_of, shown
from autograd.grad_mode import mode
from autograd.notation import Notation
from autograd.operations.pointwise import MANY, only, select
from autograd.operations.shaping import as_row, axes, axis, bare, is_spread, movedim
from autograd.runtime.compiled import compilable
from autograd.runtime.copies import contiguous, everywhere, filled, put
from autograd.runtime.sums import added
from autograd.samples import call
from autograd.sharing import copied, own
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike

_SIMPLE = {int, slice, NoneType, EllipsisType}


def as_index(index):
    """An index whose Tensors, lists and ranges have become arrays, and those without axes numbers."""
    return tuple([_as_part(part) for part in (index if isinstance(index, tuple) else (index,))])


def _as_part(part):
    if isinstance(part, Tensor):
        own(part)
        part = part.array
    elif isinstance(part, (list, range)):
        part = np.asarray(part, np.int64 if not len(part) else None)
    return int(part) if isinstance(part, np.ndarray) and not part.ndim and part.dtype.kind in "iu" else part


_ALL = slice(None)


def is_basic(index):
    """Whether an index picks every element at most once, by numbers and slices alone."""
    return all(type(part) in _SIMPLE or isinstance(part, np.integer)
               for part in (index if type(index) is tuple else (index,)))


def in_range(part, n):
    """Whether positions count from 0 and lie within n."""
    return not part.size or part.view(f"u{part.itemsize}").max() < n  # as which negative ones are large


def _is_positions(index, shape):
    """Whether an index has an array of integers for each axis."""
    return len(index) == len(shape) and all(type(part) is np.ndarray and part.dtype.kind in "iu" for part in index)


def _flat(index, shape):
    """The positions in an array of `shape`, flattened, that an index names by arrays of integers for all axes; None for
    any other index, and for few positions in a small array.
    """
    if not _is_positions(index, shape):
        return None
    few = max([part.size for part in index], default=0) < MANY // 4 and math.prod(shape) < 8 * MANY
    if few or not all(map(in_range, index, shape)):
        return None
    at, step = index[-1].astype(np.intp, copy=False), 1
    for part, n in zip(index[-2::-1], shape[:0:-1], strict=True):
        step *= n
        at = at + part.astype(np.intp, copy=False) * step
    return at


def places(index, shape):
    """The positions in an array of `shape`, flattened, that an index names."""
    index = index if type(index) is tuple else (index,)
    at = _flat(index, shape)
    if at is not None:
        return at
    parts = _independent(index)
    if len(parts) < 2:
        return np.arange(math.prod(shape)).reshape(shape)[index]
    at, rest = 0, shape
    for part in parts:
        along, rest = (rest, ()) if part is parts[-1] else (rest[:len(part)], rest[len(part):])
        at = np.add.outer(at * math.prod(along), places(part, along))
    return at


def _independent(index):
    """An index as parts that pick whatever the others do: slices in front, arrays of integers side by side, slices."""
    kinds = [slice if type(part) is slice else np.ndarray if type(part) is np.ndarray and part.dtype.kind in "iu"
             else None for part in index]
    runs = [(kind, len([*group])) for kind, group in itertools.groupby(kinds)]
    if [kind for kind, _ in runs].count(np.ndarray) > 1 or None in kinds:
        return [index]
    ends = [0, *itertools.accumulate(count for _, count in runs)]
    return [index[start:stop] for start, stop in itertools.pairwise(ends)]


def axis_of(index):
    """The axis that an index picks from, by integers, after whole ones; None for any other index."""
    last = len(index) - 1
    if last >= 0 and type(index[last]) is np.ndarray and index[last].dtype.kind in "iu" and all(
            type(part) is slice and part == _ALL for part in index[:last]):
        return last
    return None


def _by_positions(x, index):
    """An index by a mask as one by positions in x, whose masked axes become one: at each element of a mask NumPy
    branches, which takes ten times as long where the mask is as good as random.
    """
    if _is_mask(index) and (mask := index[0]).size > MANY and x.flags.c_contiguous and (
            mask.shape == x.shape[:mask.ndim]):
        return x.reshape(mask.size, *x.shape[mask.ndim:]), (np.flatnonzero(mask),)
    return x, index


def _read(x, *, index):
    out = picked(*_by_positions(x, index)) if _has_array(index) else x[index]
    if isinstance(out, np.generic):  # a view even of a single element
        return x[(*index, ...) if type(index) is tuple else (index, ...)]
    return out


def _is_mask(index):
    return type(index) is tuple and len(index) == 1 and type(index[0]) is np.ndarray and index[0].dtype is dtypes.bool_


def _has_array(index):
    """Whether the last part of an index is an array."""
    return type(index) is tuple and index and type(index[-1]) is np.ndarray


@compilable("autograd.compiled.indexing", many=True)
def picked(x, index):
    """x[index], in order, for an index that ends with an array."""
    along = axis_of(index)
    if along is not None and along < x.ndim:
        positions, before, after = index[along], x.shape[:along], x.shape[along + 1:]
        many = (positions.size > MANY // 4 or x.size > MANY) and in_range(positions, x.shape[along])
        if many and is_spread(x):
            return filled((*before, *positions.shape, *after), x[(0,) * x.ndim], x.dtype)
        return x.take(positions, along, mode="wrap" if many else "raise")  # "raise" would copy once more
    if x.size > MANY and is_spread(x) and _is_positions(index, x.shape) and all(map(in_range, index, x.shape)):
        return filled(np.broadcast_shapes(*[part.shape for part in index]), x[(0,) * x.ndim], x.dtype)
    at = _flat(index, x.shape) if x.flags.c_contiguous else None
    return x[index] if at is None else x.reshape(-1).take(at, mode="wrap")


FEW = 32


@compilable("autograd.compiled.indexing", many=True)

def add_rows(out, index, rows, fresh=False):
    """out[index] += rows, with the rows of repeated positions added up in order; positions count from 0.

    In rounds: the first row of each position (which is written, if `out` is fresh, holding zeros), the second of each,
    ...; what is left when few positions have more rows is one sum each.
    """
    few_bits = index.astype(np.uint16) if len(out) < 1 << 16 else index  # which are sorted faster
    order = np.argsort(few_bits, kind="stable")
    ordered = index[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[:len(index)])
    targets, left = ordered[first], np.diff(np.append(first, len(index)))
    if rows.size and not rows.strides[0]:  # one row for all, as in the gradient of a sum
        wide = np.result_type(rows.dtype, np.float32)  # float16 may not have how many they are
        add_rows(out, targets, (left[:, None].astype(wide) * rows[:1]).astype(rows.dtype, copy=False), fresh)
        return
    rows = contiguous(rows)
    while len(targets) > FEW:
        next_rows = rows.take(order[first], 0, mode="wrap")
        if not fresh:
            next_rows += out.take(targets, 0, mode="wrap")
        out[targets], fresh = next_rows, False
        more = left > 1
        targets, first, left = targets[more], first[more] + 1, left[more] - 1
    for target, start, count in zip(targets, first, left, strict=True):
        out[target] += added(rows.take(order[start:start + count], 0, mode="wrap"), 0)


def _add_at(out, index, values):
    """out[index] += values, with repeated positions added up."""
    if is_basic(index):
        out[index] += values
        return
    index = index if type(index) is tuple else (index,)
    out, index = _by_positions(out, index) if _has_array(index) else (out, index)
    _add_by_arrays(out, index, values)


@compilable("autograd.compiled.indexing", many=True)
def _add_by_arrays(out, index, values):
    along = axis_of(index)
    if values.size < 64 or not out.flags.c_contiguous or (along is not None and not in_range(
            index[along], out.shape[along])):
        np.add.at(out, index, np.broadcast_to(values, out[index].shape))  # NumPy is wrong about some it broadcasts
        return
    if along is not None:
        lead, n, width = math.prod(out.shape[:along]), out.shape[along], math.prod(out.shape[along + 1:])
        at = index[along].reshape(-1).astype(np.intp, copy=False)
        values = np.broadcast_to(values, (*out.shape[:along], *index[along].shape, *out.shape[along + 1:]))
        gaps = np.flatnonzero(np.diff(at) != 1) + 1
        if len(gaps) < FEW // 4 and index[along].ndim == 1:  # runs, as where an image is reflected at its border
            lead = (_ALL,) * along
            for start, stop in itertools.pairwise([0, *gaps, len(at)]):
                out[(*lead, slice(at[start], at[start] + stop - start))] += values[(*lead, slice(start, stop))]
            return
        if lead > 1:
            at = (np.arange(0, lead * n, n)[:, None] + at).reshape(-1)
        if width > 15:
            add_rows(out.reshape(lead * n, width), at, values.reshape(-1, width))
            return
        if width > 1:
            at = at[:, None] * width + np.arange(width)
    else:
        at = places(index, out.shape)
        values = np.broadcast_to(values, at.shape)
    np.add.at(out.reshape(-1), at.reshape(-1), values.reshape(-1))  # NumPy's loop is fast for flat positions


def _add_into_zeros(x, *, index, shape):
    out = filled(shape, 0, x.dtype)
    if is_basic(index) and x.ndim:
        put(out[index], x)
    else:
        _add_at(out, index, x)
    return out


_getitem = operation(
    _read, vjps=lambda g, out, x, index: _scatter(g, index=index, shape=x.shape), view=True, names="_getitem",
    adds=lambda total, g, x, index: _add_at(total, index, g),
    samples=lambda draw: call(x := draw.array(min_dims=1), index=draw.index(x.shape)),
    notation=Notation("{index}", "{x}{index}", elementwise=False, back=("{g} at {index}, and 0 elsewhere",)))

_scatter = operation(
    _add_into_zeros, vjps=lambda g, out, x, index, shape: _getitem(g, index=index), names="_scatter",
    samples=lambda draw: call(np.array((x := draw.array(min_dims=1))[index := draw.index(x.shape)]), index=index,
                              shape=x.shape))


def _write(x, value, *, index):
    out = copied(x, x)
    if _has_array(index):
        _put_by_arrays(*_by_positions(out, index), value)
    else:
        out[index] = value
    return out


@compilable("autograd.compiled.indexing", many=True)
def _put_by_arrays(out, index, value):
    along = axis_of(index)
    if along and index[along].size > MANY // 16 and out.flags.c_contiguous and in_range(index[along], out.shape[along]):
        positions, lead, n = index[along], out.shape[:along], out.shape[along]  # the matrices as one long one
        rows = np.arange(0, math.prod(lead) * n, n)[:, None] + positions.reshape(-1)
        value = np.broadcast_to(value, (*lead, *positions.shape, *out.shape[along + 1:]))
        out.reshape(-1, *out.shape[along + 1:])[rows] = value.reshape(*rows.shape, *out.shape[along + 1:])
        return
    at = _flat(index, out.shape) if out.flags.c_contiguous else None
    if at is None:
        out[index] = value
    else:
        out.reshape(-1)[at] = value


@compilable("autograd.compiled.indexing", many=True)
def _is_last(x, index):
    """Of the elements that an index of x names, which are not named again later."""
    shape, along = x.shape, axis_of(index) if _has_array(index) else None
    if along is not None:  # whole slices
        n, positions = x.shape[along], index[along]
        return _is_last(np.empty(n), (positions % n, ...)).reshape(*positions.shape, *[1] * (x.ndim - along - 1))
    at = places(index, shape)
    order = np.arange(at.size, dtype=np.int32 if at.size < 1 << 31 else np.int64).reshape(at.shape)
    last = np.empty(math.prod(shape), order.dtype)  # what isn't written isn't read
    last[at] = order
    return last.take(at) == order


def _write_vjp_value(g, out, x, value, index):
    part = _getitem(g, index=index)
    return part if is_basic(index) or _is_mask(index) else only(part, _is_last(bare(g), index))


def _setitem_samples(draw):
    x = draw.array(min_dims=1)
    index = draw.index(x.shape)
    return call(x, draw.array(shape=x[index].shape), index=index)


_setitem = operation(
    _write, vjps=(lambda g, out, x, value, index: _setitem(g, 0.0, index=index), _write_vjp_value),
    names="_setitem", samples=_setitem_samples, flops=0)


def _plus_at(x, value, *, index):
    out = copied(x, x)
    _add_at(out, index, value)
    return out


_additem = operation(
    _plus_at, vjps=(lambda g, out, x, value, index: g, lambda g, out, x, value, index: _getitem(g, index=index)),
    names="_additem", samples=_setitem_samples)


def _arrays_in_front(index, ndim):
    """Where NumPy and PyTorch differ: x[0, :, array].

    NumPy counts the number among the arrays, finds them apart and puts their axes in front; PyTorch takes the number
    first and leaves the axes where the array stands. Returns how many axes NumPy puts in front and where they belong,
    or None where both agree.
    """
    arrays = [i for i, part in enumerate(index) if isinstance(part, (np.ndarray, bool, np.bool_))]
    numbers = [i for i, part in enumerate(index) if isinstance(part, (int, np.integer)) and not isinstance(part, bool)]
    if not numbers or not arrays:
        return None

    def adjacent(places):
        return not [i for i in range(places[0], places[-1]) if i not in arrays and i not in numbers]
    if adjacent(sorted(arrays + numbers)) or not adjacent(arrays):
        return None

    def taken(part):
        return 0 if part is None else part.ndim if isinstance(part, np.ndarray) and part.dtype.kind == "b" else 1
    rest = ndim - sum(taken(part) for part in index if part is not Ellipsis)
    before = sum(rest if part is Ellipsis else 1 for i, part in enumerate(index[:arrays[0]]) if i not in numbers)
    shapes = [(1,) if part.dtype.kind == "b" else part.shape for part in (index[i] for i in arrays)]
    return len(np.broadcast_shapes(*shapes)), before


def _get(self: Tensor, index: Any) -> Tensor:
    """self[index], with every kind of index that NumPy and PyTorch have; a view for numbers and slices."""
    try:
        if type(index) is tuple:
            for part in index:
                if type(part) not in _SIMPLE:
                    return _read_any(self, as_index(index))
        elif type(index) not in _SIMPLE:
            return _read_any(self, as_index(index))
        return _getitem(self, index=index)
    except IndexError as error:
        raise IndexError(_misplaced(index, self, error)) from None


def _misplaced(index, x, error):
    return f"index {shown(index)} does not fit a tensor of shape {x.shape}: {reason_of(error)}"


def _read_any(x, index):
    out = _getitem(x, index=index)
    if out.family is None and not out.array.flags.c_contiguous:  # NumPy leaves some results in another order
        out.array = np.ascontiguousarray(out.array)
    moved = _arrays_in_front(index, x.ndim)
    return out if moved is None else movedim(out, tuple(range(moved[0])), tuple(range(moved[1], sum(moved))))


def _set(self: Tensor, index: Any, value: TensorLike) -> None:
    """Write `value` to self[index]: in place as all in-place methods are."""
    given, index = index, as_index(index)
    own(self)
    value = value if isinstance(value, Tensor) else Tensor(dtypes.as_array(value, self.dtype))
    if value.dtype is not self.dtype:
        value = value.to(self.dtype)
    try:
        if value.family is not None and value.family is self.family and _is_the_part(value, self, index):
            return  # x[0] += 1 is: v = x[0]; v += 1; x[0] = v
        value = _fitting(self, index, value.clone() if value is self else value)
        if mode.enabled and (self.tracked or value.tracked):
            inplace.assign(self, _setitem(self, value, index=index))
        else:
            inplace.write(self, index, value.array)
    except IndexError as error:
        raise IndexError(_misplaced(given, self, error)) from None
    except ValueError as error:
        raise ShapeError(f"a value of shape {value.shape} cannot be written to index {shown(given)} of a tensor of "
                         f"shape {self.shape}: {reason_of(error)}") from None


def _is_the_part(value, x, index):
    """Whether a value is the very part of x that an index names."""
    part = _read(x.array, index=index)
    return (part.shape, part.strides) == (value.shape, value.array.strides) and (
        part.__array_interface__["data"] == value.array.__array_interface__["data"])


def _fitting(x, index, value):
    """A value as NumPy wants it for this index."""
    if value.ndim and value.shape[0] == 1:  # leading axes of length 1 do not count
        ndim = x.array[index].ndim
        while value.ndim > ndim and value.shape[0] == 1:
            value = value[0]
    moved = _arrays_in_front(index, x.ndim)
    if moved is not None and value.ndim:
        shape = x[index].shape
        value = movedim(value.expand(shape), tuple(range(moved[1], sum(moved))), tuple(range(moved[0])))
    return value


Tensor.__getitem__, Tensor.__setitem__ = _get, _set


def fill_(x: Tensor, value: TensorLike) -> Tensor:
    """Every element becomes `value`."""
    x[...] = value
    return x


def zero_(x: Tensor) -> Tensor:
    """Every element becomes 0."""
    x[...] = 0
    return x


def copy_(x: Tensor, src: TensorLike, non_blocking: bool = False) -> Tensor:
    """The elements of `src`, broadcast to the shape of x and converted to its dtype."""
    if np.ndim(src) > x.ndim:
        raise ShapeError(f"cannot write a value of shape {np.shape(src)} to a tensor of shape {x.shape}, which "
                         "has fewer axes; write t.copy_(value.reshape(t.shape))")
    x[...] = src
    return x


Tensor.fill_, Tensor.zero_, Tensor.copy_ = fill_, zero_, copy_


# Along one axis, by an array of positions

def grid(index, dim):
    """The full index that `index` along axis `dim` stands for."""
    dim, index = axis(dim, index.ndim), as_row(index)
    return tuple([index if i == dim else np.arange(n).reshape([-1 if j == i else 1 for j in range(index.ndim)])
                  for i, n in enumerate(index.shape)])


def _gather_samples(draw):
    x = draw.array(min_dims=1, min_side=1)
    dim = draw.dim(x.ndim)
    return call(x, dim=dim, index=draw.positions(x.shape, dim))


def _scatter_samples(draw):
    (x,), options = _gather_samples(draw)
    return call(x, options["dim"], options["index"], draw.array(options["index"].shape))


def scatter_along(x, index, dim, shape):
    """Zeros of `shape`, with x added at `index` along axis `dim`: the adjoint of `gather`."""
    return _scatter(as_row(x), index=grid(np.asarray(index), dim), shape=shape or (1,)).reshape(shape)


@operation(vjps=lambda g, out, x, dim, index: scatter_along(g, index, dim, x.shape), samples=_gather_samples, flops=0)
def gather(x, *, dim: int, index: TensorLike):
    """out[i][j][k] = x[i][index[i][j][k]][k] for dim=1, and so on for other axes."""
    index = np.asarray(index)
    if (index.ndim or 1) != (x.ndim or 1):
        raise IndexError(f"index has {index.ndim} axes and the tensor {x.ndim}; they must have as many")
    return _read(as_row(x), index=grid(index, dim)).reshape(index.shape)


def _at(x, dim, index, src):
    """The full index, and the part of `src` that belongs to it; of a number, as many."""
    index = index if isinstance(index, Tensor) else np.asarray(index)  # changes of a Tensor are noticed
    if (index.ndim or 1) != x.ndim:
        raise IndexError(f"the index has shape {index.shape} and the tensor {x.shape}; they must have as many axes")
    if isinstance(src, _NUMBERS):
        return grid(index, dim), Tensor(everywhere(_among(x, src), index.shape))
    src = as_row(src) if index.ndim and hasattr(src, "ndim") else src
    return grid(index, dim), first_of(src, index.shape) if getattr(src, "ndim", 0) else src


def first_of(src, shape):
    """The first part of `src` that has such a shape."""
    return src if src.shape == shape else src[tuple(map(slice, shape))]


_NUMBERS = (bool, int, float, np.generic)


def _among(x, number):
    """A number in x's dtype; an integer that this doesn't have is an OverflowError."""
    return np.asarray(number.item() if isinstance(number, np.generic) else number, x.dtype)


def _in_place_of(x, value):
    """A value that is to stand among those of x: as in place, a number does not change their dtype."""
    whole = isinstance(x, Tensor) and x.dtype.kind != "f" and isinstance(value, _NUMBERS)
    return Tensor(_among(x, value)) if whole else value


def _without_axes_too(function):
    """Let a function of x, `dim` and others take an x without axes, as if it had one."""
    @functools.wraps(function)
    def forward(x, *args, **options):
        return function(x, *args, **options) if x.ndim else function(x.reshape(1), *args, **options).reshape(())
    return forward


@operation(inplace=True, samples=_scatter_samples)
@_without_axes_too
def scatter(x: TensorLike, dim: int, index: TensorLike, src: TensorLike | None = None, *, value: float | None = None,
            reduce: str | None = None) -> Tensor:
    """x with src[i][j][k] written to [i][index[i][j][k]][k] for dim=1, and so on; where positions repeat, the last one
    stays. `src` may be a number; `reduce="add"` adds instead of writing."""
    if reduce not in (None, "add"):
        raise ValueError(f"reduce={reduce!r} is not offered; it may be None (write) or 'add'")
    at, src = _at(x, dim, index, value if src is None else src)
    return _additem(x, src, index=at) if reduce else _setitem(x, src, index=at)


@operation(inplace=True, samples=_scatter_samples)
@_without_axes_too
def scatter_add(x: TensorLike, dim: int, index: TensorLike, src: TensorLike) -> Tensor:
    """x with src[i][j][k] added at [i][index[i][j][k]][k] for dim=1, and so on; repeated positions add up."""
    at, src = _at(x, dim, index, src)
    return _additem(x, src, index=at)


@operation(numpy={np.take_along_axis: lambda arr, indices, axis=-1: take_along_dim(arr, indices, axis)},
           samples=_gather_samples)
def take_along_dim(x: TensorLike, index: TensorLike, dim: int | None = None) -> Tensor:
    """`gather`, with x and the index broadcast to each other in the other axes; dim=None means x flattened."""
    index = bare(index)
    if dim is None:
        return gather(x.reshape(-1), 0, index.reshape(-1))
    dim, shape, x, index = axis(dim, x.ndim), index.shape, as_row(x), as_row(index)
    others = np.broadcast_shapes(*[(*a.shape[:dim], 1, *a.shape[dim + 1:]) for a in (x, index)])
    lead, rest = others[:dim], others[dim + 1:]
    out = gather(x.expand((*lead, x.shape[dim], *rest)), dim, np.broadcast_to(index, (*lead, index.shape[dim], *rest)))
    return out if shape else out.reshape(())


def _slices(draw):
    x = draw.array(min_dims=1, min_side=1)
    dim = draw.dim(x.ndim)
    index = draw.positions((x.shape[dim],), 0)
    shape = list(x.shape)
    shape[dim] = len(index)
    return call(x, dim, index, draw.array(tuple(shape)))


def _along(x, dim, index):
    return (slice(None),) * axis(dim, x.ndim) + (bare(index).reshape(-1),)


@operation(samples=lambda draw: call(*_slices(draw)[0][:3]))
@_without_axes_too
def index_select(x: TensorLike, dim: int, index: TensorLike) -> Tensor:
    """The slices of x at the positions `index` along `dim`."""
    return _getitem(x, index=_along(x, dim, index))


@operation(inplace=True, samples=_slices)
@_without_axes_too
def index_add(x: TensorLike, dim: int, index: TensorLike, source: TensorLike, *, alpha: float = 1) -> Tensor:
    """x with slice i of alpha * source added to slice index[i] along `dim`; repeated positions add up."""
    return _additem(x, source if alpha == 1 else source * alpha, index=_along(x, dim, index))


@operation(inplace=True, samples=_slices)
@_without_axes_too
def index_copy(x: TensorLike, dim: int, index: TensorLike, source: TensorLike) -> Tensor:
    """x with slice index[i] along `dim` replaced by slice i of `source`."""
    return _setitem(x, source, index=_along(x, dim, index))


@operation(inplace=True, samples=lambda draw: call(*_slices(draw)[0][:3], draw.array(())))
@_without_axes_too
def index_fill(x: TensorLike, dim: int, index: TensorLike, value: TensorLike) -> Tensor:
    """x with `value` everywhere in the slices at the positions `index` along `dim`."""
    return _setitem(x, _in_place_of(x, value), index=_along(x, dim, index))


def _taken(a, indices, axis=None):
    return take(a, indices) if axis is None else a[(slice(None),) * axes(axis, a.ndim)[0] + (bare(indices),)]


@operation(numpy={np.take: _taken},
           samples=lambda draw: call(x := draw.array(min_dims=1, min_side=1), draw.positions((x.size,), 0)))
def take(x: TensorLike, index: TensorLike) -> Tensor:
    """The elements at the positions `index` of x flattened."""
    return _getitem(x.reshape(-1), index=(bare(index),))


# By a mask

def _masked(draw):
    x = draw.array()
    return call(x, draw.mask(like=x))


_masked_fill = operation(
    lambda x, mask, value: select(mask, value, x), names="_masked_fill", flops=0,
    vjps=(lambda g, out, x, mask, value: only(g, np.logical_not(mask)), None,
          lambda g, out, x, mask, value: only(g, mask)),
    samples=lambda draw: call(*_masked(draw)[0], draw.array(())))


@operation(inplace=True, samples=lambda draw: call(*_masked(draw)[0], draw.array(())))
def masked_fill(x: TensorLike, mask: TensorLike, value: TensorLike) -> Tensor:
    """x with `value` where the mask is true."""
    return _masked_fill(x, mask, _in_place_of(x, value))


@operation(samples=_masked)
def masked_select(x: TensorLike, mask: TensorLike) -> Tensor:
    """The elements where the mask is true, as a vector."""
    mask = bare(mask)
    shape = np.broadcast_shapes(x.shape, mask.shape)
    return _getitem(x.expand(shape), index=(np.broadcast_to(mask, shape),))


def _nonzero(x):
    if x.ndim < 2 or x.size < MANY:
        return np.argwhere(x)
    return np.stack(np.unravel_index(np.flatnonzero(x != 0), x.shape), 1)  # masks are looked through fastest


_argwhere = operation(_nonzero, vjps=(None,), names="argwhere", numpy=np.argwhere,
                      doc="The positions of the elements that are not 0, one per row.")


@operation(numpy={np.nonzero: lambda a: nonzero(a, as_tuple=True)})
def nonzero(x: TensorLike, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """The positions of the elements that are not 0: one per row, or (as an index) one tensor per axis."""
    return _argwhere(x).unbind(1) if as_tuple else _argwhere(x)
