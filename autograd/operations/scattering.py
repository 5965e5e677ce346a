"""Scattering: tensors with a part replaced, and several values combined in one place."""

import numpy as np

from autograd import dtypes
from autograd.errors import ShapeError
from autograd.operations.indexing import _additem, _setitem, as_index, first_of, grid, places
from autograd.operations.pointwise import only
from autograd.operations.shaping import as_row, axis, bare
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike

# Values that meet

_UFUNCS = {"amax": np.maximum, "amin": np.minimum}


def _extreme_at(x, src, *, index, reduce, include_self):
    out = np.array(x, order="C")  # or its numbers in a row would be copies
    if not include_self:
        out[index] = {"amax": _least(x.dtype), "amin": _greatest(x.dtype)}[reduce]
    _UFUNCS[reduce].at(out.reshape(-1), places(index, out.shape).reshape(-1), src.reshape(-1))  # which NumPy does fast
    return out


def _least(dtype):
    return -np.inf if dtype.kind == "f" else False if dtype.kind == "b" else np.iinfo(dtype).min


def _greatest(dtype):
    return np.inf if dtype.kind == "f" else True if dtype.kind == "b" else np.iinfo(dtype).max


def _winners(out, x, src, index, include_self):
    """Which elements of x and of src were taken, and among how many at each place of `out` its gradient is shared."""
    out, x, src = bare(out), bare(x), bare(src)
    touched, at = np.zeros(out.shape, bool), places(index, out.shape).reshape(-1)
    touched.reshape(-1)[at] = True
    mine = (x == out) | (np.isnan(out) & np.isnan(x)) if include_self else np.logical_not(touched)
    best = out.reshape(-1)[at].reshape(src.shape)
    theirs = (src == best) | (np.isnan(best) & np.isnan(src))
    count = mine + np.bincount(at, theirs.reshape(-1), out.size).reshape(out.shape)
    return mine, theirs, np.maximum(count, 1).astype(out.dtype)


def _extreme_vjp_x(g, out, x, src, index, reduce, include_self):
    mine, _, count = _winners(out, x, src, index, include_self)
    return only(g / count, mine)


def _extreme_vjp_src(g, out, x, src, index, reduce, include_self):
    _, theirs, count = _winners(out, x, src, index, include_self)
    return only((g / count)[index], theirs)


_scatter_extreme = operation(
    _extreme_at, vjps=(_extreme_vjp_x, _extreme_vjp_src), names="_scatter_extreme", flops=0,
    samples=lambda draw: call(draw.array((3, 2), distinct=True), draw.array((2, 2), distinct=True, low=5),
                              index=(draw.positions((3,), 0)[:1].repeat(2)[:, None], np.arange(2)), reduce="amax",
                              include_self=draw.boolean()))


def _product_at(x, src, index, include_self):
    """Every place gets a row of what meets there, padded with ones; so zeros are no special case."""
    size = x.numel()
    at = places(index, x.shape).reshape(-1)
    order = np.argsort(at, kind="stable")
    counts = np.bincount(at, minlength=size)
    column = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = Tensor(np.ones((size, counts.max(initial=0) + 1), x.dtype))
    own = x.reshape(-1) if include_self else _setitem(x.reshape(-1), Tensor(np.ones((), x.dtype)),
                                                      index=(np.flatnonzero(counts),))
    table = _setitem(table, own, index=(slice(None), 0))
    table = _setitem(table, src.reshape(-1)[order], index=(at[order], column + 1))
    return table.prod(1).to(table.dtype).reshape(x.shape)


def _reduced_at(x, src, index, reduce, include_self):
    if reduce in ("sum", "mean", "add"):
        start = x if include_self else _setitem(x, Tensor(np.zeros((), x.dtype)), index=index)
        out = _additem(start, src, index=index)
        if reduce != "mean":
            return out
        counts = np.full(x.shape, int(include_self))
        counts += np.bincount(places(index, x.shape).reshape(-1), minlength=counts.size).reshape(x.shape)
        counts = np.maximum(counts, 1)
        if out.dtype.kind != "f":
            return (out // Tensor(counts)).to(out.dtype)
        counts = counts.astype(np.result_type(out.dtype, np.float32))  # float16 may not have how many they are
        return (out / counts).to(out.dtype)
    if reduce in ("prod", "multiply"):
        return _product_at(x, src, index, include_self)
    if reduce in _UFUNCS:
        return _scatter_extreme(x, src, index=index, reduce=reduce, include_self=include_self)
    raise ValueError(f"reduce={reduce!r} is none of 'sum', 'prod', 'mean', 'amax', 'amin'")


def _scatter_samples(draw):
    x = draw.array(min_dims=1, min_side=1, distinct=True)
    dim = draw.dim(x.ndim)
    index = draw.positions(x.shape, dim)
    return call(x, dim, index, draw.array(index.shape), draw.choice(["sum", "mean", "prod"]),
                include_self=draw.boolean())


@operation(inplace=True, samples=_scatter_samples)
def scatter_reduce(x: TensorLike, dim: int, index: TensorLike, src: TensorLike, reduce: str, *,
                   include_self: bool = True) -> Tensor:
    """x with all that `scatter` would write to a place brought together there, with what was there before.

    Args:
        x: the tensor.
        dim: the axis along which `index` counts.
        index: integers, with as many axes as x.
        src: at least of the shape of `index`.
        reduce: "sum", "prod", "mean", "amax" or "amin"; equal extremes share the gradient.
        include_self: whether what x has at a place that is written to counts, too.
    """
    shape, index = x.shape, bare(index)
    if (index.ndim or 1) != (x.ndim or 1):
        raise IndexError(f"the index has shape {index.shape} and the tensor {x.shape}; they must have as many axes")
    src = src if isinstance(src, Tensor) else Tensor(np.asarray(src, x.dtype))
    x, row, src = as_row(x), as_row(index), as_row(src)
    at = grid(row, axis(dim, x.ndim))
    return _reduced_at(x, first_of(src, row.shape), at, reduce, include_self).reshape(shape)


def _slices(draw):
    x = draw.array(min_dims=1, min_side=1, distinct=True)
    dim = draw.dim(x.ndim)
    index = draw.positions((x.shape[dim],), 0)
    shape = list(x.shape)
    shape[dim] = len(index)
    return call(x, dim, index, draw.array(tuple(shape)), "prod", include_self=draw.boolean())


@operation(inplace=True, samples=_slices)
def index_reduce(x: TensorLike, dim: int, index: TensorLike, source: TensorLike, reduce: str, *,
                 include_self: bool = True) -> Tensor:
    """x with the slices of `source` brought together with slice index[i] along `dim`; see `scatter_reduce`.

    `reduce` is "prod", "mean", "amax" or "amin".
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise ValueError(f"reduce={reduce!r} is none of 'prod', 'mean', 'amax', 'amin'; to add write index_add")
    dim = axis(dim, x.ndim)
    index = bare(index).reshape([-1 if i == dim else 1 for i in range(x.ndim)])
    return scatter_reduce(x, dim, np.broadcast_to(index, source.shape), source, reduce, include_self=include_self)


# A part replaced

def _put_samples(draw):
    x = draw.array(min_dims=1, min_side=1)
    index, accumulate = draw.positions((x.shape[0],), 0), draw.boolean()
    return call(x, (index if accumulate else np.unique(index),), draw.array(x.shape[1:]), accumulate)


@operation(inplace=True, samples=_put_samples)
def index_put(x: TensorLike, indices: tuple[TensorLike, ...] | list[TensorLike], values: TensorLike,
              accumulate: bool = False) -> Tensor:
    """x with `values` at x[indices]; with `accumulate` added to what is there, also where indices repeat."""
    index = as_index(tuple(indices))
    values = values if isinstance(values, Tensor) else Tensor(np.asarray(values, x.dtype))
    return (_additem if accumulate else _setitem)(x, values, index=index)


@operation(inplace=True, samples=lambda draw: call(
    x := draw.array(min_dims=1, min_side=1), draw.positions((x.size,), 0)[:1], draw.array((1,)), draw.boolean()))
def put(x: TensorLike, index: TensorLike, source: TensorLike, accumulate: bool = False) -> Tensor:
    """x with the elements of `source` at the positions `index` of x flattened."""
    index = bare(index)
    if index.size != source.numel():
        raise ShapeError(f"there are {index.size} positions and {source.numel()} values; they must be as many")
    index = index.reshape(-1)
    return index_put(x.reshape(-1), (index,), source.reshape(-1), accumulate).reshape(x.shape)


def _masked(draw):
    x = draw.array()
    return call(x, draw.mask(like=x), draw.array((x.size,)))


@operation(inplace=True, samples=_masked)
def masked_scatter(x: TensorLike, mask: TensorLike, source: TensorLike) -> Tensor:
    """x with the first elements of `source`, in order, where the mask is true."""
    mask = bare(mask)
    if mask.dtype != dtypes.bool_:
        raise RuntimeError(f"the mask must be boolean, not {mask.dtype}; write mask.bool()")
    shape = np.broadcast_shapes(x.shape, mask.shape)
    places = np.broadcast_to(mask, shape)
    count = int(places.sum())
    if count > source.numel():
        raise ShapeError(f"the mask has {count} places, and the source {source.numel()} elements, which are too few")
    x = x.expand(shape) if x.shape != shape else x
    return _setitem(x, source.reshape(-1)[:count], index=(places,))


def _part_like(part, src, what):
    if part.shape != src.shape:
        raise ShapeError(f"the {what} has shape {part.shape}, and what is to take its place {src.shape}; they must be "
                         "equal")
    return src


def _with_one_slice(draw):
    x = draw.array((2, 3))
    dim = draw.dim(2)
    return call(x, draw.array((3, 2)[dim % 2:dim % 2 + 1]), dim, draw.choice([0, -1]))


@operation(samples=_with_one_slice)
def select_scatter(x: TensorLike, src: TensorLike, dim: int, index: int) -> Tensor:
    """x with `src` in the place of x.select(dim, index)."""
    return _setitem(x, _part_like(x.select(dim, index), src, "slice"),
                    index=(*(slice(None),) * axis(dim, x.ndim), index))


@operation(samples=lambda draw: call(draw.array((4,)), draw.array((2,)), 0, draw.choice([0, 1, -3]), None, 2))
def slice_scatter(x: TensorLike, src: TensorLike, dim: int = 0, start: int | None = None, end: int | None = None,
                  step: int = 1) -> Tensor:
    """x with `src` in the place of the elements from `start` to `end` along `dim`, every step-th."""
    index = (*(slice(None),) * axis(dim, x.ndim), slice(start, end, step))
    return _setitem(x, _part_like(x[index], src, "slice"), index=index)


@operation(samples=lambda draw: call(draw.array((2, 3)), draw.array((2,)), draw.choice([0, 1])))
def diagonal_scatter(x: TensorLike, src: TensorLike, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """x with `src` in the place of its diagonal."""
    y = x.clone()
    _part_like(x.diagonal(offset, dim1, dim2), src, "diagonal")
    y.diagonal(offset, dim1, dim2).copy_(src)
    return y


def fill_diagonal_(x: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """Every element of the main diagonal becomes `fill_value`; with `wrap`, it begins anew in a tall matrix."""
    if x.ndim < 2 or (x.ndim > 2 and len(set(x.shape)) > 1):
        raise ShapeError(f"a diagonal is that of a matrix, or of a tensor whose axes have one length, not of shape "
                         f"{x.shape}")
    step = sum(int(np.prod(x.shape[i + 1:])) for i in range(x.ndim))
    end = x.numel() if wrap or x.ndim > 2 else min(x.numel(), x.shape[1] * x.shape[1])
    at = np.unravel_index(np.arange(0, end, step), x.shape)
    x[at] = fill_value
    return x


Tensor.fill_diagonal_ = fill_diagonal_
