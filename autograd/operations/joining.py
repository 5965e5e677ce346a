"""Joining, repeating and splitting tensors."""

import itertools
import math
import operator
from collections.abc import Sequence

import numpy as np

from autograd.errors import ShapeError
from autograd.operations.shaping import as_row, as_shape, axis, clone, expand, is_spread, meshgrid, ravel, reshape
from autograd.runtime.compiled import compilable
from autograd.runtime.copies import filled, put
from autograd.samples import call, numbers
from autograd.table import operation
from autograd.tensor import Outline, Tensor
from autograd.typing import Shape, TensorLike

# One tensor, several times.

def _tiles(shape, sizes):
    """How often x stands along each axis, and how long it is there."""
    sizes = as_shape(sizes)
    ndim = max(len(sizes), len(shape))
    return (1,) * (ndim - len(sizes)) + sizes, (1,) * (ndim - len(shape)) + shape


def _tile_vjp(g, out, x, sizes):
    pairs = [n for pair in zip(*_tiles(x.shape, sizes), strict=True) for n in pair]
    if is_spread(g):
        return np.broadcast_to(g[(0,) * g.ndim] * g.dtype.type(math.prod(pairs[::2])), x.shape)
    return g.reshape(pairs).sum(axis=tuple(range(0, len(pairs), 2))).reshape(x.shape)


@operation(vjps=_tile_vjp, flops=0, numpy=np.tile, samples=lambda draw: call(draw.array(), sizes=draw.shape(1, 3, 1)))
def tile(x, *, sizes: Shape):
    """x beside itself, sizes[i] times along axis i, counted from the last axis."""
    sizes, shape = _tiles(x.shape, sizes)
    out = np.empty([n for pair in zip(sizes, shape, strict=True) for n in pair], x.dtype)
    put(out, x.reshape([n for length in shape for n in (1, length)]))
    return out.reshape([times * n for times, n in zip(sizes, shape, strict=True)])


@operation(names="_repeat", methods="repeat", samples=lambda draw: call(draw.array((2, 1)), *draw.shape(2, 3, 1)))
def repeat(x: TensorLike, *sizes: Shape) -> Tensor:
    """x beside itself, sizes[i] times along axis i, for at least as many axes as x has."""
    sizes = as_shape(sizes[0] if len(sizes) == 1 else sizes)
    if len(sizes) < x.ndim:
        raise RuntimeError(f"{sizes} has a number for {len(sizes)} of the {x.ndim} axes of shape {x.shape}; write one "
                           "for each axis, or use tile()")
    return tile(x, sizes)


@operation(numpy={np.repeat: lambda a, repeats, axis=None: repeat_interleave(a, repeats, axis)},
           samples=lambda draw: call(x := draw.array(min_dims=1), draw.choice([2, 1, np.arange(x.shape[-1])]), -1))
def repeat_interleave(x: TensorLike, repeats: TensorLike | list[int], dim: int | None = None) -> Tensor:
    """Each element along `dim` (None: of x flattened) repeated, all as often or element i repeats[i] times."""
    if dim is None:
        x, dim = ravel(x), 0
    x, dim = as_row(x), axis(dim, x.ndim)
    repeats = np.asarray(repeats.array if isinstance(repeats, Tensor) else repeats)
    if repeats.size == 1:
        lead, rest, times = x.shape[:dim + 1], x.shape[dim + 1:], int(repeats.item())
        repeated = reshape(expand(reshape(x, (*lead, 1, *rest)), (*lead, times, *rest)),
                           (*lead[:-1], lead[-1] * times, *rest))
        return clone(repeated) if times < 2 or x.shape[dim] == 1 or not x.numel() else repeated
    return x[(slice(None),) * dim + (np.repeat(np.arange(x.shape[dim]), repeats),)]


# Several tensors

def _is_nothing(x, ndim):
    """Whether x is a vector without elements beside tensors with other axes: what a program begins to collect with."""
    return x.shape == (0,) and ndim > 1


def _cat_vjp(g, out, *tensors: Outline, dim, needs_input_grad):
    dim = axis(dim, len(g.shape))
    parts, start = [], 0
    for x in tensors:
        if _is_nothing(x, len(g.shape)):
            parts.append(g.reshape(-1)[:0])
            continue
        end = start + x.shape[dim]
        parts.append(g[(slice(None),) * dim + (slice(start, end),)])
        start = end
    return parts


@operation(joint_vjp=_cat_vjp, names="cat concatenate concat", methods="", flops=0,
           numpy={np.concatenate: lambda arrays, axis=0: _all_as_one(arrays) if axis is None else cat(arrays, axis)},
           samples=lambda draw: call(draw.alike(3, vary=(dim := draw.choice([0, -1]))), dim=dim))
def cat(*tensors, dim: int = 0):
    """Tensors joined along an axis that they have. Vectors without elements may stand among others, and add nothing."""
    most = max([x.ndim for x in tensors], default=1)
    dim, several = axis(dim, most), [x for x in tensors if not _is_nothing(x, most)]
    return joined(*(several if len(several) < len(tensors) else tensors), dim=dim)


@compilable("autograd.compiled.joining", many=True)
def joined(*arrays, dim):
    """Arrays one after the other along an axis."""
    return np.concatenate(arrays, dim)


def _all_as_one(arrays):
    return cat([ravel(x) for x in arrays])


def _stack_vjp(g, out, *tensors: Outline, dim, needs_input_grad):
    lead = (slice(None),) * axis(dim, len(g.shape))
    return [g[(*lead, i)] for i in range(len(needs_input_grad))]


@operation(joint_vjp=_stack_vjp, flops=0, methods="", numpy=np.stack,
           samples=lambda draw: call(draw.alike(3), dim=draw.choice([0, -1])))
def stack(*tensors, dim: int = 0):
    """Tensors of one shape joined along a new axis."""
    return _stacked(*tensors, dim=axis(dim, tensors[0].ndim, 1) if tensors else dim)


@compilable("autograd.compiled.joining", many=True)
def _stacked(*arrays, dim):
    return np.stack(arrays, dim)


def _with_axes(x, ndim):
    """x with at least `ndim` axes, new ones in front."""
    return x if x.ndim >= ndim else reshape(x, (1,) * (ndim - x.ndim) + x.shape)


@operation(methods="", numpy=np.hstack, samples=lambda draw: call(draw.alike(2)))
def hstack(tensors: Sequence[TensorLike]) -> Tensor:
    """Tensors joined along the second axis, vectors along their only one."""
    tensors = [_with_axes(x, 1) for x in tensors]
    return cat(tensors, dim=0 if tensors[0].ndim == 1 else 1)


@operation(methods="", names="vstack row_stack", numpy=np.vstack, samples=lambda draw: call(draw.alike(2)))
def vstack(tensors: Sequence[TensorLike]) -> Tensor:
    """Tensors joined along the first axis, vectors as rows."""
    return cat([_with_axes(x, 2) for x in tensors], dim=0)


@operation(methods="", numpy=np.dstack, samples=lambda draw: call(draw.alike(2)))
def dstack(tensors: Sequence[TensorLike]) -> Tensor:
    """Tensors joined along the third axis, of vectors (1, n, 1) and of matrices (m, n, 1)."""
    return cat(atleast_3d(tensors), dim=2)


@operation(methods="", numpy=np.column_stack, samples=lambda draw: call(draw.alike(2)))
def column_stack(tensors: Sequence[TensorLike]) -> Tensor:
    """Tensors joined along the second axis, vectors and numbers as columns."""
    return cat([x if x.ndim > 1 else x.reshape((-1, 1)) for x in tensors], dim=1)


def _for_each(name, doc, give):
    def at_least(*tensors: TensorLike) -> Tensor | tuple[Tensor, ...]:
        if len(tensors) == 1 and not isinstance(tensors[0], (list, tuple)):
            return give(tensors[0])
        return tuple([give(x) for x in (tensors[0] if len(tensors) == 1 else tensors)])
    return operation(at_least, names=name, methods="", numpy=getattr(np, name), doc=doc, samples=numbers)


def _as_3d(x):
    return x if x.ndim > 2 else reshape(x, (*x.shape, 1)) if x.ndim == 2 else reshape(x, (1, -1, 1))


atleast_1d = _for_each("atleast_1d", "Each tensor with an axis, if it had none.", lambda x: _with_axes(x, 1))
atleast_2d = _for_each("atleast_2d", "Each tensor with two axes or more, new ones in front.",
                       lambda x: _with_axes(x, 2))
atleast_3d = _for_each("atleast_3d", "Each tensor with three axes or more: (1, n, 1) of a vector, (m, n, 1) of a "
                       "matrix.", _as_3d)


def _diagonal(shapes):
    """Where blocks of such shapes lie along the diagonal of a matrix, and its shape."""
    parts, rows, columns = [], 0, 0
    for shape in shapes:
        if len(shape) > 2:
            raise ShapeError(f"the blocks are matrices, vectors or numbers, not of shapes {shapes}")
        height, width = (1, 1, *shape)[-2:]
        parts.append((slice(rows, rows + height), slice(columns, columns + width)))
        rows, columns = rows + height, columns + width
    return parts, (rows, columns)


def _block_diag_vjp(g, out, *tensors: Outline, needs_input_grad):
    parts, _ = _diagonal([x.shape for x in tensors])
    return [g[part].reshape(x.shape) for part, x in zip(parts, tensors, strict=True)]


@operation(joint_vjp=_block_diag_vjp, methods="", flops=0,
           samples=lambda draw: call(draw.array((2, 1)), draw.array((2,)), draw.array(())))
def block_diag(*tensors):
    """A matrix with the tensors along its diagonal, vectors as rows, and zeros elsewhere."""
    if not tensors:
        return np.zeros((1, 0), np.float32)
    parts, shape = _diagonal([x.shape for x in tensors])
    out = filled(shape, 0, np.result_type(*[x.dtype for x in tensors]))
    for part, x in zip(parts, tensors, strict=True):
        put(out[part], x)
    return out


@operation(methods="", samples=lambda draw: call(draw.array((2,)), draw.array((3,))))
def cartesian_prod(*tensors: TensorLike) -> Tensor:
    """All tuples with one element of each of several vectors, one in a row; of one vector, itself."""
    if any(x.ndim != 1 for x in tensors):
        raise ShapeError(f"cartesian_prod() takes vectors, not shapes {[x.shape for x in tensors]}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([x.reshape(-1) for x in meshgrid(*tensors, indexing="ij")], dim=1)


@operation(samples=lambda draw: call(draw.array((4,)), 2, draw.boolean()))
def combinations(x: TensorLike, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All sets of r elements of a vector, one in a row; with replacement, an element may be in it several times."""
    if x.ndim != 1 or r < 0:
        raise ShapeError(f"combinations() takes a vector and r ≥ 0, not shape {x.shape} and r={r}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    if not r:
        return x[:0]
    return x[np.fromiter(itertools.chain.from_iterable(choose(range(len(x)), r)), np.int64).reshape(-1, r)]


# Taking apart: all parts come from one operation, so that their gradients are joined once.

def _existing_axis(dim, x):
    """`dim` of a tensor that is to be taken apart along it."""
    dim = axis(dim, x.ndim)
    if not x.ndim:
        raise IndexError("it takes a tensor apart along an axis, and this one has none (shape ()); x.reshape(1) "
                         "has one")
    return dim


def _parts(x, *, sizes, dim):
    lead, start, parts = (slice(None),) * axis(dim, x.ndim), 0, []
    for n in sizes:
        parts.append(x[(*lead, slice(start, start + n))])
        start += n
    return tuple(parts)


def equal_parts(x, count, dim):
    """So many parts of an array along an axis, as views; `np.split` takes four times as long."""
    return _parts(x, sizes=(x.shape[dim] // count,) * count, dim=dim)


_split = operation(
    _parts, vjps=lambda g, out, x, sizes, dim: joined(*g, dim=dim), outputs="*", view=True,
    names="_split",
    samples=lambda draw: call(draw.array((2, 3)), sizes=draw.choice([(1, 2), (3,), (1, 1, 1), (0, 3)]), dim=1))


def _split_along(name, dim_of, least):
    def apart(x: TensorLike, indices_or_sections: Shape) -> tuple[Tensor, ...]:
        if x.ndim < least:
            raise ShapeError(f"{name}() needs at least {least} axes, and this tensor has {x.ndim}")
        return tensor_split(x, indices_or_sections, dim_of(x))
    return operation(apart, names=name, samples=lambda draw: call(draw.array((2, 4, 2)), 2),
                     doc=f"`tensor_split` along the axis that {name[0]}stack joins along.")


hsplit = _split_along("hsplit", lambda x: 0 if x.ndim == 1 else 1, 1)
vsplit = _split_along("vsplit", lambda x: 0, 2)
dsplit = _split_along("dsplit", lambda x: 2, 3)


@operation(samples=lambda draw: call(draw.array((3, 2)), (1, 2)))
def split_with_sizes(x: TensorLike, split_sizes: Shape, dim: int = 0) -> tuple[Tensor, ...]:
    """x in parts of these lengths along `dim`."""
    return split(x, list(split_sizes), dim)


@operation(samples=lambda draw: call(draw.array((3, 2)), draw.choice([2, 1, 5, [1, 2]])))
def split(x: TensorLike, split_size_or_sections: Shape, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of x along `dim`: of one size (the last may be smaller), or of the sizes in a list. Views."""
    dim = _existing_axis(dim, x)
    length, sizes = x.shape[dim], split_size_or_sections
    if not isinstance(sizes, (tuple, list)):
        if sizes < 1 and length:
            raise ValueError(f"split_size={sizes} must be at least 1, for an axis of length {length}")
        sizes = [min(sizes, length - start) for start in range(0, length, sizes)] if length else [0]
    if sum(sizes) != length:
        raise ValueError(f"split sizes {tuple(sizes)} add up to {sum(sizes)}, but axis {dim} has length {length} "
                         f"(shape {x.shape})")
    return _split(x, sizes=tuple(sizes), dim=dim)


@operation(samples=lambda draw: call(x := draw.array(min_dims=1), draw.integer(1, 3), draw.dim(x.ndim)))
def chunk(x: TensorLike, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` parts of x along `dim`, all but the last of one size. Views."""
    length = x.shape[_existing_axis(dim, x)]
    if chunks < 1:
        raise ValueError(f"chunks={chunks} must be at least 1")
    return split(x, -(-length // chunks) if length else [0] * chunks, dim)


def _numpys_split(ary, indices_or_sections, axis=0):
    if isinstance(indices_or_sections, int) and ary.shape[axis] % indices_or_sections:
        raise ValueError(f"axis {axis} of shape {ary.shape} does not divide into {indices_or_sections} equal parts; "
                         "np.array_split makes parts of different lengths")
    return tensor_split(ary, indices_or_sections, axis)


@operation(numpy={np.array_split: lambda ary, indices_or_sections, axis=0: tensor_split(ary, indices_or_sections, axis),
                  np.split: _numpys_split},
           samples=lambda draw: call(x := draw.array(min_dims=1), draw.choice([2, 3, [1], [1, 2], [2, 1]]),
                                     draw.dim(x.ndim)))
def tensor_split(x: TensorLike, indices_or_sections: Shape | Tensor | np.ndarray, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of x along `dim`: so many, as equal as can be, or cut at the given indices. Views."""
    dim = _existing_axis(dim, x)
    length, cuts = x.shape[dim], indices_or_sections
    if isinstance(cuts, (Tensor, np.ndarray)):
        cuts = cuts.tolist()
    if not isinstance(cuts, (tuple, list)):
        size, larger = divmod(length, cuts)
        return _split(x, sizes=(size + 1,) * larger + (size,) * (cuts - larger), dim=dim)
    ends = [slice(None, cut).indices(length)[1] for cut in cuts]
    if ends == sorted(ends):
        return _split(x, sizes=tuple(b - a for a, b in zip([0, *ends], [*ends, length], strict=True)), dim=dim)
    lead = (slice(None),) * dim
    return tuple([x[(*lead, slice(a, b))] for a, b in zip([None, *cuts], [*cuts, None], strict=True)])


def _slices(x, *, dim):
    lead = (slice(None),) * axis(dim, x.ndim)
    return tuple([x[(*lead, i, ...)] for i in range(x.shape[dim])])


_unbind = operation(
    _slices, vjps=lambda g, out, x, dim: _stacked(*g, dim=dim), outputs="*", view=True, names="_unbind",
    samples=lambda draw: call(draw.array((2, 3)), dim=draw.choice([0, 1])))


@operation(samples=lambda draw: call(x := draw.array(min_dims=1), draw.dim(x.ndim)))
def unbind(x: TensorLike, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices of x along `dim`, without that axis. Views."""
    dim = _existing_axis(dim, x)
    return _unbind(x, dim=dim) if x.shape[dim] else ()


@operation(samples=lambda draw: call(x := draw.array(min_dims=1, min_side=1), dim := draw.dim(x.ndim),
                                     draw.integer(-x.shape[dim], x.shape[dim] - 1)))
def select(x: TensorLike, dim: int, index: int) -> Tensor:
    """The slice of x at `index` along `dim`. A view."""
    return x[(slice(None),) * _existing_axis(dim, x) + (index,)]


@operation(samples=lambda draw: call(x := draw.array(min_dims=1, min_side=1), dim := draw.dim(x.ndim),
                                     start := draw.integer(0, x.shape[dim] - 1),
                                     draw.integer(0, x.shape[dim] - start)))
def narrow(x: TensorLike, dim: int, start: int, length: int) -> Tensor:
    """The `length` slices of x from `start` on along `dim`. A view."""
    dim = _existing_axis(dim, x)
    first = operator.index(start) + (x.shape[dim] if start < 0 else 0)
    if not 0 <= first <= first + length <= x.shape[dim]:
        raise IndexError(f"start={start} and length={length} reach beyond the shape {x.shape}")
    return x[(slice(None),) * dim + (slice(first, first + length),)]
