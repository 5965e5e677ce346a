"""Shapes: the same elements in another shape or order."""

import itertools
import math
import operator
import sys
from collections.abc import Sequence

import numpy as np

from autograd.errors import ShapeError, no_axis
from autograd.notation import Notation
from autograd.runtime.compiled import compilable
from autograd.runtime.copies import everywhere, put
from autograd.samples import call, numbers
from autograd.sharing import memory, relatives
from autograd.table import NUMPY, operation
from autograd.tensor import Tensor
from autograd.typing import Dims, Shape, TensorLike

_ALL = slice(None)
FEW = 1 << 12
"""Numbers that NumPy copies before others could begin."""


def as_shape(shape):
    """A shape given as a number or as a sequence."""
    return tuple([operator.index(n) for n in shape]) if isinstance(shape, (tuple, list)) else (operator.index(shape),)


def axis(dim, ndim, extra=0):
    """`dim` as a non-negative number; a tensor without axes is taken to have one. Every `dim` of the table goes through
    here.

    Raises:
        IndexError: there is no such axis.
    """
    end, dim = ndim + extra or 1, operator.index(dim)
    if not -end <= dim < end:
        raise no_axis(dim, ndim, extra)
    return dim % end


def axes(dims, ndim):
    """`dims`, a number or several, as non-negative numbers.

    Raises:
        IndexError: there is no such axis.
        ShapeError: an axis is named twice.
    """
    found = [axis(d, ndim) for d in (dims if isinstance(dims, (tuple, list)) else (dims,))]
    if len(set(found)) < len(found):
        raise ShapeError(f"dims={dims} names an axis twice, for a tensor with {ndim} axes")
    return found


def reduced(dim, ndim):
    """The axes that a reduction over `dim` (an axis, several, or None for all) takes, in NumPy's form: None for all.

    An empty sequence means all axes, as in PyTorch.
    """
    if dim is None:
        return None
    found = axes(dim, ndim)
    return (found[0] if len(found) == 1 else tuple(found)) if ndim and found else None


def beside(values, shape, dim):
    """The result of a reduction over `dim` (or its gradient) with axes of 1, to stand beside what it was made from."""
    among = axes(dim, len(shape)) if dim is not None else ()
    return values.reshape([1 if not among or i in among else n for i, n in enumerate(shape)])


def spread(values, shape, dim):
    """The result of a reduction over `dim` (or its gradient) beside every element it was made from."""
    if dim is None and isinstance(values, (np.ndarray, np.generic)):
        return everywhere(values, shape)
    return np.broadcast_to(beside(values, shape, dim), shape)


def is_spread(x):
    """Whether this is an array that is one number everywhere, as the gradient of a sum."""
    return type(x) is np.ndarray and x.size > 1 and not any(x.strides)


def once(x):
    """One number, beside others, for an array that is one number everywhere; any other as it is."""
    return x[(slice(0, 1),) * x.ndim] if is_spread(x) else x


def bare(x):
    """The values of a Tensor or of anything else, as an array: for what isn't recorded."""
    return np.asarray(x.array if isinstance(x, Tensor) else x)


def as_row(x):
    """x, with one axis if it has none."""
    return x if x.ndim else x.reshape(1)


NUMPY.update({np.shape: lambda a: a.shape, np.ndim: lambda a: a.ndim,
              np.size: lambda a, axis=None: math.prod(a.shape) if axis is None else a.shape[axis]})


# Another shape: the result is a view of x.

def _back(g, out, x, **options):
    return g.reshape(x.shape)


def _shape_and(draw, **options):
    return call(draw.array(min_dims=1, min_side=1), **options)


@operation(vjps=_back, view=True, methods="reshape",
           numpy={np.reshape: lambda a, shape, order="C": reshape(a, shape)},
           samples=lambda draw: call(x := draw.array(min_side=1), shape=draw.choice([-1, (1, *x.shape), (x.size, 1)])))
def reshape(x, *, shape: Shape):
    """The same elements, in order, in another shape; one entry may be -1, for whatever is left."""
    if x.size >= FEW and not x.flags.c_contiguous:
        try:
            return x.reshape(shape, copy=False)
        except ValueError:
            x = in_order(x)
    return x.reshape(shape)


@operation(names="_reshape_as", methods="reshape_as",
           samples=lambda draw: call(x := draw.array(), np.zeros(x.size)))
def reshape_as(x: TensorLike, other: Tensor) -> Tensor:
    """x in the shape of another tensor."""
    return reshape(x, other.shape)


def view(x: Tensor, *shape: Shape) -> Tensor:
    """`reshape` without copying: the result always shares the memory of x.

    Raises:
        RuntimeError: x lies in memory in such an order that it cannot.
    """
    out = reshape(x, *shape)
    if out.view_of is None:
        own = x.node is not None or (x.array.base is None and sys.getrefcount(x.array) == 2)
        if relatives(x) or not own:
            raise RuntimeError(f"view() of a tensor of shape {x.shape} in shape {out.shape} would have to copy, since "
                               "its elements do not lie in memory in this order; write x.reshape(...)")
        x.array = np.ascontiguousarray(x.array)  # no one else has this memory
        out = reshape(x, *shape)
    return out


def view_as(x: Tensor, other: Tensor) -> Tensor:
    """`view` in the shape of another tensor."""
    return view(x, other.shape)


Tensor.view, Tensor.view_as = view, view_as


def _with_ones(shape, dim):
    if not isinstance(dim, (tuple, list)):
        dim = axis(dim, len(shape), 1)
        return (*shape[:dim], 1, *shape[dim:])
    several = dim
    new = axes([axis(d, len(shape), len(several)) for d in several], len(shape) + len(several))
    lengths = iter(shape)
    return [1 if i in new else next(lengths) for i in range(len(shape) + len(several))]


@operation(vjps=_back, view=True, inplace=True, numpy=np.expand_dims,
           samples=lambda draw: call(x := draw.array(), dim=draw.dim(x.ndim + 1)))
def unsqueeze(x, *, dim: Dims):
    """A new axis of length 1 at position `dim` (or several)."""
    return x.reshape(_with_ones(x.shape, dim))


@operation(vjps=_back, view=True, inplace=True, numpy=np.squeeze,
           samples=lambda draw: call(x := draw.array(min_dims=1), dim=draw.dims(x.ndim)))
def squeeze(x, *, dim: Dims | None = None):
    """Without the axes of length 1: all of them, or those among `dim`."""
    among = range(x.ndim) if dim is None else axes(dim, x.ndim)
    return x.reshape([n for i, n in enumerate(x.shape) if n != 1 or i not in among])


@operation(vjps=_back, view=True, samples=lambda draw: call(x := draw.array(), start_dim=draw.dim(x.ndim)))
def flatten(x, *, start_dim: int = 0, end_dim: int = -1):
    """The axes from `start_dim` to `end_dim` as one."""
    shape = x.shape or (1,)
    start, end = axis(start_dim, len(shape)), axis(end_dim, len(shape))
    if start > end:
        raise ValueError(f"start_dim={start_dim} comes after end_dim={end_dim} in a tensor with {len(shape)} axes")
    return x.reshape((*shape[:start], math.prod(shape[start:end + 1]), *shape[end + 1:]))


@operation(samples=numbers, numpy=np.ravel)
def ravel(x: TensorLike) -> Tensor:
    """All axes as one."""
    return reshape(x, -1)


@operation(samples=lambda draw: call(draw.array((draw.integer(1, 2), 4)), dim=1, sizes=draw.choice([(2, 2), (-1, 1)])))
def unflatten(x: TensorLike, dim: int, sizes: Shape) -> Tensor:
    """Axis `dim` as several, of lengths `sizes`; one of them may be -1."""
    x, dim = as_row(x), axis(dim, x.ndim)
    sizes = [math.prod(x.shape[dim:dim + 1]) // -math.prod(sizes) if n == -1 else n for n in sizes]
    if math.prod(sizes) != x.shape[dim]:
        raise ValueError(f"sizes={tuple(sizes)} do not multiply to the length of axis {dim}: the shape is {x.shape}")
    return reshape(x, (*x.shape[:dim], *sizes, *x.shape[dim + 1:]))


# Another order of the axes: a view too.

def _order(dims, ndim):
    """The order of all axes that `permute` is given."""
    order = axes(dims, ndim)
    if len(order) != ndim:
        raise ShapeError(f"dims={dims} must name each of the tensor's {ndim} axes once")
    return order


def _inverse(order):
    return sorted(range(len(order)), key=order.__getitem__)


@operation(vjps=lambda g, out, x, dims: np.transpose(g, _inverse(_order(dims, x.ndim))), view=True,
           numpy={np.transpose: lambda a, axes=None: permute(a, tuple(range(a.ndim))[::-1] if axes is None else axes)},
           samples=lambda draw: call(x := draw.array(), dims=draw.permutation(x.ndim)))
def permute(x, *, dims: Dims):
    """The axes in another order: axis i of the result is axis dims[i] of x."""
    return x.transpose(_order(dims, x.ndim))


@operation(vjps=lambda g, out, x, dim0, dim1: np.swapaxes(g, dim0, dim1) if x.ndim else g, view=True, inplace=True,
           names="transpose swapaxes swapdims", numpy=np.swapaxes,
           samples=lambda draw: call(x := draw.array(min_dims=1), dim0=draw.dim(x.ndim), dim1=draw.dim(x.ndim)))
def transpose(x, *, dim0: int, dim1: int):
    """Two axes exchanged."""
    dim0, dim1 = axis(dim0, x.ndim), axis(dim1, x.ndim)
    return x.swapaxes(dim0, dim1) if x.ndim else x.view()


@operation(samples=lambda draw: call(draw.array(draw.shape(max_dims=2))))
def t(x: TensorLike) -> Tensor:
    """The transpose of a matrix; tensors with fewer axes stay as they are."""
    if x.ndim > 2:
        raise RuntimeError(f"it transposes matrices, this tensor has {x.ndim} axes (shape {x.shape}); write x.mT for "
                           "the last two axes, or x.transpose(dim0, dim1)")
    return transpose(x, 0, 1) if x.ndim == 2 else x[...]


def t_(x: Tensor) -> Tensor:
    """`t` in place."""
    return x.transpose_(0, 1) if x.ndim == 2 else x.transpose_(0, 0) if x.ndim < 2 else t(x)


Tensor.t_ = t_


@operation(names="movedim moveaxis", numpy=np.moveaxis,
           samples=lambda draw: call(x := draw.array(min_dims=1), draw.dim(x.ndim), draw.dim(x.ndim)))
def movedim(x: TensorLike, source: Dims, destination: Dims) -> Tensor:
    """The axis (or axes) `source` at position `destination`, the others in order."""
    source, destination = axes(source, x.ndim), axes(destination, x.ndim)
    order = [i for i in range(x.ndim or 1) if i not in source]
    for place, i in sorted(zip(destination, source, strict=True)):
        order.insert(place, i)
    return permute(x, order if x.ndim else ())


Tensor.T = property(lambda self: permute(self, tuple(range(self.ndim))[::-1]), doc="The axes in reverse order.")
Tensor.mT = property(lambda self: transpose(self, -2, -1), doc="The last two axes exchanged.")
Tensor.H = property(t, doc="The transpose of a matrix; for real numbers the same as `t()`.")
Tensor.mH = Tensor.mT


# More, without copying: axes of stride 0, windows that overlap.

def _expanded(x, shape):
    shape = as_shape(shape)
    lead = len(shape) - x.ndim
    return tuple([x.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(shape)])


@operation(vjps=lambda g, out, x, shape: g, view=True, names="expand broadcast_to", numpy=np.broadcast_to,
           samples=lambda draw: call(x := draw.array(), shape=draw.stretched(x.shape)))
def expand(x, *, shape: Shape):
    """x with axes of length 1 repeated, and new ones in front, to `shape`; -1 keeps a length. No memory is copied."""
    out = np.broadcast_to(x, _expanded(x, shape))
    if out.size == x.size:  # nothing is repeated
        out.flags.writeable = x.flags.writeable
    return out


@operation(names="_expand_as", methods="expand_as",
           samples=lambda draw: call(x := draw.array(), np.zeros(draw.stretched(x.shape))))
def expand_as(x: TensorLike, other: Tensor) -> Tensor:
    """x expanded to the shape of another tensor."""
    return expand(x, other.shape)


@operation(methods="", numpy=np.broadcast_arrays, samples=lambda draw: call(*draw.broadcastable(3)))
def broadcast_tensors(*tensors: TensorLike) -> tuple[Tensor, ...]:
    """The tensors, expanded to the one shape that they broadcast to."""
    shape = np.broadcast_shapes(*[x.shape for x in tensors])
    return tuple([expand(x, shape) for x in tensors])


@operation(methods="", numpy={np.meshgrid: lambda *xi, indexing="xy", **_: meshgrid(*xi, indexing=indexing)},
           samples=lambda draw: call(*[draw.array((draw.integer(1, 3),)) for _ in range(draw.integer(1, 3))],
                                     indexing=draw.choice(["ij", "xy"])))
def meshgrid(*tensors: TensorLike | Sequence[TensorLike], indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinates of a grid: each vector along an axis of its own, expanded over the others' (`"xy"` swaps the first
    two axes)."""
    tensors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    if indexing not in ("ij", "xy"):
        raise ValueError(f"indexing={indexing!r} must be 'ij' (axis i for vector i) or 'xy' (the first two swapped)")
    places = list(range(len(tensors)))
    if indexing == "xy":
        places[:2] = places[:2][::-1]
    columns = [reshape(x, [-1 if i == place else 1 for i in range(len(tensors))])
               for x, place in zip(tensors, places, strict=True)]
    return broadcast_tensors(*columns)


def _windows(draw):
    x = draw.array(min_side=1)
    dim = draw.dim(x.ndim) if x.ndim else 0
    return call(x, dimension=dim, size=draw.integer(1, (x.shape or (1,))[dim]), step=draw.integer(1, 2))


def _starts(shape, dimension, size, step):
    """For each place within a window, where in axis `dimension` it lies in the first, second, … window."""
    windows = (shape[dimension] - size) // step + 1
    lead = (slice(None),) * dimension
    return [(*lead, slice(i, i + step * (windows - 1) + 1, step)) for i in range(size)]


def _add_windows(w, *, shape, dimension, size, step):
    if step >= size and shape:  # each element is in one window
        out = np.zeros(shape, w.dtype)
        _unfold.operation.forward(out, dimension=dimension, size=size, step=step)[...] = w
        return out
    out = np.zeros(shape or 1, np.float32 if w.dtype == np.float16 else w.dtype)  # float16 stops adding up at 2048
    for i, place in enumerate(_starts(out.shape, axis(dimension, len(shape)), size, step)):
        out[place] += w[..., i]
    return out.reshape(shape).astype(w.dtype, copy=False)


@operation(vjps=lambda g, out, x, **window: _fold(g, shape=x.shape, **window), view=True, samples=_windows,
           names="_unfold", methods="unfold")
def _unfold(x, *, dimension: int, size: int, step: int):
    """Windows of `size` elements along an axis, one every `step`; a new last axis runs through each window."""
    shape, dimension, x = x.shape, axis(dimension, x.ndim), as_row(x)
    if not 0 <= size <= x.shape[dimension] or step < 1:
        raise ValueError(f"windows of size {size} every {step} do not fit axis {dimension} of shape {shape}; "
                         "size must be at least 0 and at most the length, step at least 1")
    apart = step >= size or x.shape[dimension] < size + step or not x.size  # windows that overlap are not written to
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=dimension, writeable=apart and x.flags.writeable)
    windows = windows[(slice(None),) * dimension + (slice(None, None, step),)]
    return windows if shape else windows[0]


def _folded(draw):
    (x,), window = _windows(draw)
    return call(np.array(_unfold.operation.forward(x, **window)), shape=x.shape, **window)


_fold = operation(_add_windows, vjps=lambda g, out, w, shape, **window: _unfold(g, **window), names="_fold",
                  samples=_folded)


def _strided_places(shape, size, stride, storage_offset):
    """The flat positions of elements that lie at distances `stride`."""
    size, stride, storage_offset = as_shape(size), as_shape(stride), storage_offset or 0
    places = np.full(size, storage_offset, np.intp)
    for i, (length, step) in enumerate(zip(size, stride, strict=True)):
        places += (np.arange(length) * step).reshape([-1 if j == i else 1 for j in range(len(size))])
    if places.size and not 0 <= places.min() <= places.max() < math.prod(shape):
        raise ValueError(f"size {size} at distances {stride} from {storage_offset} reaches past the {math.prod(shape)} "
                         "elements of this tensor")
    return places


def _add_strided(g, *, shape, size, stride, storage_offset):
    places = _strided_places(shape, size, stride, storage_offset).reshape(-1)
    return np.bincount(places, g.reshape(-1), math.prod(shape)).astype(g.dtype).reshape(shape)


@operation(vjps=lambda g, out, x, **layout: _of_strided(g, shape=x.shape, **layout), view=True, methods="as_strided",
           names="as_strided", flops=0)  # without samples: how x lies in memory is what it is about
def as_strided(x, *, size: Shape, stride: Shape, storage_offset: int | None = None):
    """A view of those elements of x, one after the other, that lie at distances `stride` from the first.

    Raises:
        ValueError: x doesn't lie in memory one element after the other, from its beginning; or it ends before.
    """
    if not x.flags.c_contiguous or (storage_offset is not None and x.ctypes.data != memory(x).ctypes.data):
        raise ValueError(f"this tensor (shape {x.shape}) is a view that lies scattered in memory, or not at its "
                         "beginning, where distances have no single meaning; write x.contiguous() or x.clone() first")
    _strided_places(x.shape, size, stride, storage_offset)
    return np.lib.stride_tricks.as_strided(x.reshape(-1)[storage_offset or 0:], as_shape(size),
                                           [step * x.itemsize for step in as_shape(stride)])


_of_strided = operation(
    _add_strided, vjps=lambda g, out, x, shape, **layout: as_strided(g.copy(), **layout), names="_of_strided",
    samples=lambda draw: call(draw.array(shape=(2, 3)), shape=(4,), size=(2, 3), stride=(1, 1), storage_offset=0))


@operation(vjps=lambda g, out, x, offset, dim1, dim2: _on_diagonal(g, x.shape, offset, dim1, dim2), view=True,
           numpy={np.diagonal: lambda a, offset=0, axis1=0, axis2=1: diagonal(a, offset, axis1, axis2)},
           samples=lambda draw: call(draw.array(min_dims=2, min_side=1), offset=draw.integer(-1, 1),
                                     dim1=draw.choice([0, -2]), dim2=-1))
def diagonal(x, *, offset: int = 0, dim1: int = 0, dim2: int = 1):
    """The elements whose index along `dim2` is `offset` more than along `dim1`, as the last axis."""
    out = x.diagonal(offset, *axes((dim1, dim2), x.ndim))
    out.flags.writeable = x.flags.writeable
    return out


def _embedded(x, *, shape, offset, dim1, dim2):
    out = np.zeros(shape, x.dtype)
    along = np.arange(x.shape[-1])
    np.moveaxis(out, (dim1, dim2), (-2, -1))[..., along + max(-offset, 0), along + max(offset, 0)] = x
    return out


_embed = operation(_embedded, names="_diag_embed", flops=0,
                   vjps=lambda g, out, x, shape, offset, dim1, dim2: diagonal(g, offset=offset, dim1=dim1, dim2=dim2))


def _on_diagonal(x, shape, offset, dim1, dim2):
    return _embed(x, shape=shape, offset=offset, dim1=dim1, dim2=dim2)


@operation(samples=lambda draw: call(draw.array(min_dims=1), offset=draw.integer(-1, 1), dim1=draw.choice([-2, 0]),
                                     dim2=-1))
def diag_embed(x: TensorLike, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last axis of x on a diagonal and zeros elsewhere; the inverse of `diagonal`."""
    first, second = axes((dim1, dim2), x.ndim + 1)
    side = x.shape[-1] + abs(offset)
    lengths = iter(x.shape[:-1])
    shape = [side if i in (first, second) else next(lengths) for i in range(x.ndim + 1)]
    return _on_diagonal(x, shape, offset, first, second)


@operation(numpy={np.diag: lambda v, k=0: diag(v, k)}, samples=lambda draw: call(
    draw.array(draw.shape(min_dims=1, max_dims=2, min_side=1)), draw.integer(-1, 1)))
def diag(x: TensorLike, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, a copy; of a vector, the matrix that has it as its diagonal."""
    if x.ndim not in (1, 2):
        raise RuntimeError(f"it takes a vector or a matrix, this tensor has shape {x.shape}; for stacks there "
                           "are diag_embed() and diagonal()")
    return diag_embed(x, diagonal) if x.ndim == 1 else clone(x.diagonal(diagonal))


@operation(samples=lambda draw: call(draw.array((2, 2)), draw.integer(-1, 1)))
def diagflat(x: TensorLike, offset: int = 0) -> Tensor:
    """The matrix that has x, flattened, as its diagonal."""
    return diag_embed(x.reshape(-1), offset)


# Copies

@operation(vjps=lambda g, out, x: g, names="clone", methods="clone copy", numpy=np.copy, samples=numbers,
           flops=0, notation=Notation("copy", "{x}", ("1",)))
def clone(x):
    """A copy of the values, with x as its origin."""
    return in_order(x)


def in_order(x):
    """A copy whose elements lie in memory in order."""
    if x.size < FEW:
        return x.copy()
    out = np.empty(x.shape, x.dtype)
    put(out, x)
    return out


@operation(names="_contiguous", methods="contiguous", samples=numbers)
def contiguous(x: TensorLike) -> Tensor:
    """x itself if its elements lie in memory in order, otherwise a copy."""
    return x if x.is_contiguous() else clone(x)


def _masked(x, mask):
    if x.dtype.kind != "f":
        return np.where(mask, x, np.zeros((), x.dtype))
    bits = x.view(f"i{x.itemsize}")
    return (bits * mask.astype(bits.dtype)).view(x.dtype)


STRIP = 64


@compilable("autograd.compiled.shaping", many=True)
def _triangle(x, diagonal, below):
    """Zeros, and x below the given diagonal, or above it; by strips of rows, of which only few columns are mixed."""
    rows, columns = x.shape[-2:]
    if min(rows, columns) < 4 * STRIP:
        low = np.tri(rows, columns, diagonal - (not below), bool)
        return _masked(x, low if below else ~low)
    out = np.zeros(x.shape, x.dtype)
    for start in range(0, rows, STRIP):
        stop = min(start + STRIP, rows)
        first, last = (min(max(i + diagonal + below, 0), columns) for i in (start, stop - 1))
        strip, whole, mixed = slice(start, stop), slice(0, first) if below else slice(last, columns), slice(first, last)
        out[..., strip, whole] = x[..., strip, whole]
        among = np.tri(stop - start, last - first, start + diagonal - first - (not below), bool)
        out[..., strip, mixed] = _masked(x[..., strip, mixed], among if below else ~among)
    return out


def _matrices(draw):
    return call(draw.array(min_dims=2), diagonal=draw.integer(-2, 2))


@operation(vjps=lambda g, out, x, diagonal: tril(g, diagonal), numpy={np.tril: lambda m, k=0: tril(m, k)},
           inplace=True, flops=0, samples=_matrices)
def tril(x, *, diagonal: int = 0):
    """Matrices with zeros above the given diagonal."""
    return _triangle(x, diagonal, True)


@operation(vjps=lambda g, out, x, diagonal: triu(g, diagonal), numpy={np.triu: lambda m, k=0: triu(m, k)},
           inplace=True, flops=0, samples=_matrices)
def triu(x, *, diagonal: int = 0):
    """Matrices with zeros below the given diagonal."""
    return _triangle(x, diagonal, False)


@operation(vjps=lambda g, out, x, dims: g if is_spread(g) else flip(g, dims), flops=0,
           numpy={np.flip: lambda m, axis=None: flip(m, axis)},
           samples=lambda draw: call(x := draw.array(), dims=draw.dims(x.ndim)))
def flip(x, *, dims: Dims):
    """The elements in reverse order along `dims`; a copy."""
    along = range(x.ndim) if dims is None else axes(dims, x.ndim)
    return in_order(np.flip(x, tuple(along) if x.ndim else ()))


def _rolled(x, moves):
    out, places = np.empty_like(x), [[(_ALL, _ALL)] for _ in x.shape]  # along each axis: from where, and where to
    for dim, n in enumerate(x.shape):
        shift = sum([int(shift) for along, shift in moves if along == dim]) % max(n, 1)
        if shift:
            places[dim] = [(slice(n - shift), slice(shift, n)), (slice(n - shift, n), slice(shift))]
    for pairs in itertools.product(*places):
        put(out[tuple([into for _, into in pairs])], x[tuple([given for given, _ in pairs])])
    return out


@operation(vjps=lambda g, out, x, shifts, dims: g if is_spread(g) else roll(
               g, tuple(-n for n in as_shape(shifts)), dims),
           numpy={np.roll: lambda a, shift, axis=None: roll(a, shift, axis)}, flops=0,
           samples=lambda draw: call(x := draw.array(min_dims=1), shifts=draw.integer(-4, 4),
                                     dims=draw.choice([None, draw.dim(x.ndim)])))
def roll(x, *, shifts: Dims, dims: Dims | None = None):
    """The elements moved on by `shifts` along `dims` (None: in x flattened); those pushed out come in at the front."""
    if dims is None or not x.ndim:
        return _rolled(x.reshape(-1), [(0, shift) for shift in as_shape(shifts)]).reshape(x.shape)
    return _rolled(x, [(axis(d, x.ndim), shift) for shift, d in np.broadcast(shifts, dims)])


@operation(numpy={np.rot90: lambda m, k=1, axes=(0, 1): rot90(m, k, axes)},
           samples=lambda draw: call(draw.array(min_dims=2), draw.integer(-2, 4), draw.choice([(0, 1), (1, 0)])))
def rot90(x: TensorLike, k: int = 1, dims: tuple[int, int] = (0, 1)) -> Tensor:
    """x rotated by k quarter turns, from axis dims[0] towards axis dims[1]."""
    first, second = axes(dims, x.ndim)
    turns = [clone, lambda x: transpose(flip(x, second), first, second), lambda x: flip(x, (first, second)),
             lambda x: flip(transpose(x, first, second), second)]
    return turns[k % 4](x)


def _flipped(name, dim, least):
    def forward(x: TensorLike) -> Tensor:
        if x.ndim < least:
            raise ShapeError(f"it needs at least {least} axes, and this tensor has shape {x.shape}")
        return flip(x, dims=(dim,))
    return operation(forward, names=name, numpy=getattr(np, name), samples=lambda draw: call(draw.array((2, 3))),
                     doc=f"x with its {'columns' if dim else 'rows'} in reverse order.")


fliplr, flipud = _flipped("fliplr", 1, 2), _flipped("flipud", 0, 1)
