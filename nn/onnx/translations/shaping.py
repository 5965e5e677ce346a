"""Operations that move elements: shapes, axes, parts, joining, indices."""

import itertools
from types import EllipsisType

import numpy as np

from nn.onnx.writing import Size, Value

SIMPLE: dict = {}
_END = np.iinfo(np.int64).max


def reshape(write, x, **_):
    """Lengths that depend on the inputs: -1 if there is one, computed if there are more."""
    sizes = write.result.sizes
    varying = [i for i, n in enumerate(sizes) if isinstance(n, Size)]
    if varying and 0 not in sizes:
        entries = [-1 if i == varying[-1] else n for i, n in enumerate(sizes)]
        return write("Reshape", x, write.shape(entries))
    return write("Reshape", x, write.shape(sizes), allowzero=1 if 0 in sizes else None)


flatten = reshape


def unsqueeze(write, x, *, dim):
    return write("Unsqueeze", x, np.array(dim if isinstance(dim, (tuple, list)) else [dim]))


def squeeze(write, x, *, dim=None):
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    dims = [axis % x.ndim for axis in dims if x.shape[axis] == 1]
    if any(isinstance(x.size(axis), Size) for axis in dims if isinstance(x, Value)):
        raise write.refused("the axis that it takes away has length 1 for some inputs only")
    return write("Squeeze", x, np.array(dims)) if dims else write("Identity", x)


def permute(write, x, *, dims):
    if not x.ndim:
        return write("Identity", x)
    return write("Transpose", x, perm=[axis % x.ndim for axis in dims])


def transpose(write, x, *, dim0, dim1):
    axes = list(range(x.ndim))
    axes[dim0], axes[dim1] = axes[dim1], axes[dim0]
    return write("Transpose", x, perm=axes)


def expand(write, x, *, shape):
    return write("Expand", x, write.shape(write.result.sizes))


def tile(write, x, *, sizes):
    sizes = sizes if isinstance(sizes, (tuple, list)) else [sizes]
    if x.ndim < len(sizes):
        return write("Tile", write("Unsqueeze", x, np.arange(len(sizes) - x.ndim)), write.shape(sizes))
    return write("Tile", x, write.shape([1] * (x.ndim - len(sizes)) + list(sizes)))


def tril(write, x, *, diagonal):
    return _triangle(write, x, diagonal, 0)


def triu(write, x, *, diagonal):
    return _triangle(write, x, diagonal, 1)


def _triangle(write, x, diagonal, upper):
    if x.dtype == bool:
        return write.cast(write("Trilu", write.cast(x, np.int64), write.number(diagonal), upper=upper), bool)
    return write("Trilu", x, write.number(diagonal), upper=upper)


def flip(write, x, *, dims):
    axes = range(x.ndim) if dims is None else [
        axis % x.ndim for axis in (dims if isinstance(dims, (tuple, list)) else (dims,))]
    count = len(axes)
    if not count:
        return write("Identity", x)
    return write("Slice", x, np.full(count, -1), np.full(count, -_END), np.array(axes), np.full(count, -1))


def roll(write, x, *, shifts, dims=None):
    if dims is None:
        flat = write("Reshape", x, np.array([-1]))
        return write("Reshape", _rolled(write, flat, shifts, 0), write("Shape", x))
    pairs = zip(shifts, dims, strict=True) if isinstance(dims, (tuple, list)) else [(shifts, dims)]
    for shift, axis in pairs:
        x = _rolled(write, x, shift, axis)
    return x


def _rolled(write, x, shift, axis):
    """The last `shift` elements first."""
    if not shift:
        return write("Identity", x)
    at = [np.array([-shift]), np.array([axis])]
    last = write("Slice", x, at[0], np.array([_END]), at[1])
    first = write("Slice", x, np.array([0]), at[0], at[1])
    return write("Concat", last, first, axis=axis)


def diagonal(write, x, *, offset, dim1, dim2):
    if isinstance(x, Value) and any(isinstance(x.size(axis), Size) for axis in (dim1, dim2)):
        raise write.refused("the length of the diagonal would depend on the size of the inputs")
    rest = [axis for axis in range(x.ndim) if axis not in (dim1 % x.ndim, dim2 % x.ndim)]
    rows, columns = x.shape[dim1], x.shape[dim2]
    moved = write("Transpose", x, perm=[dim1 % x.ndim, dim2 % x.ndim, *rest])
    at = np.diagonal(np.arange(rows * columns).reshape(rows, columns), offset)
    picked = write("GatherND", moved, np.stack(np.unravel_index(at, (rows, columns)), axis=-1))
    return write("Transpose", picked, perm=[*range(1, len(rest) + 1), 0])


# Joining and splitting

def cat(write, *tensors, dim):
    tensors = [t for t in tensors if t.shape != (0,)] or tensors
    return write("Concat", *[write.cast(t, write.dtype) for t in tensors], axis=dim)


def stack(write, *tensors, dim):
    axis = dim % (tensors[0].ndim + 1)
    parts = [write("Unsqueeze", write.cast(t, write.dtype), np.array([axis])) for t in tensors]
    return write("Concat", *parts, axis=axis)


def split(write, x, *, sizes, dim):
    if isinstance(x, Value) and isinstance(x.size(dim), Size):
        raise write.refused(f"it splits axis {dim}, whose length depends on the size of the inputs")
    ends = np.cumsum([0, *[part.shape[dim] for part in write.call.results]])
    return tuple([write("Slice", x, np.array([start]), np.array([end]), np.array([dim]))
                  for start, end in itertools.pairwise(ends)])


def unbind(write, x, *, dim):
    return tuple([write("Gather", x, np.array(i), axis=dim) for i in range(len(write.call.results))])


def constant_pad(write, x, *, before, after, value):
    return write("Pad", x, write.shape([*before, *after]), np.asarray(value, write.dtype))


def framed(write, x, *, amounts, mode):
    out, ends, modes = x, np.zeros((2, x.ndim), np.int64), {"reflect": "reflect", "replicate": "edge"}
    for axis, before, after in amounts:
        ends[:, axis] = before, after
        if mode == "circular" and isinstance(x.size(axis), Size):
            raise write.refused(f"it goes around axis {axis}, whose length depends on the size of the inputs")
        if mode == "circular":
            out = write("Gather", out, np.arange(-before, x.shape[axis] + after) % x.shape[axis], axis=axis)
    return out if mode == "circular" else write("Pad", x, ends.reshape(-1), mode=modes[mode])


# Indices

def getitem(write, x, *, index):
    """Slices by Slice, numbers and arrays by Gather; of a constant mask, the places where it is true."""
    index = [place for part in (index if isinstance(index, tuple) else (index,)) for place in (
        np.nonzero(part) if isinstance(part, np.ndarray) and part.dtype == bool and part.ndim else (part,))]
    rank = x.ndim + sum(part is None for part in index)
    taken = sum(part is not ... for part in index)
    new, slices, numbers, arrays = [], [], [], []
    axis = 0
    for part in index:
        if part is None:
            new.append(axis)
        elif isinstance(part, slice):
            if part != slice(None) or any(isinstance(n, Size) for n in (part.start, part.stop, part.step)):
                step = 1 if part.step is None else part.step
                slices.append(((0 if step > 0 else -1) if part.start is None else part.start,
                               (_END if step > 0 else -_END) if part.stop is None else part.stop, axis, step))
        elif isinstance(part, (int, np.integer)) and not isinstance(part, (bool, np.bool_)):
            numbers.append((axis, part))
        elif isinstance(part, (Value, np.ndarray)) and part.dtype.kind in "iu":
            arrays.append((axis, part))
        elif not isinstance(part, EllipsisType):
            raise write.refused(f"an index of {type(part).__name__} ({getattr(part, 'dtype', part)})")
        axis += rank - taken if part is ... else 1
    out = write("Unsqueeze", x, np.array(new)) if new else x
    if slices:
        starts, ends, axes, steps = zip(*slices, strict=True)
        out = write("Slice", out, write.shape(starts), write.shape(ends), np.array(axes), write.shape(steps))
    if len(arrays) > 1:
        return _at_several(write, out, rank, numbers, arrays)
    for place, part in arrays:  # one alone stands where it stood
        out = write("Gather", out, part, axis=place)
        numbers = [(n + (part.ndim - 1 if n > place else 0), number) for n, number in numbers]
    for place, number in sorted(numbers, key=lambda pair: pair[0], reverse=True):
        out = write("Gather", out, write.number(number), axis=place)
    return write("Identity", out) if out is x else out


def _at_several(write, x, rank, numbers, arrays):
    """Arrays for several axes meet: with these axes in front, one GatherND."""
    parts = [*arrays, *[(axis, np.asarray(n)) for axis, n in numbers if not isinstance(n, Size)]]
    if len(parts) < len(arrays) + len(numbers):
        raise write.refused("an index of several arrays, and a number that depends on the size of the inputs")
    parts.sort(key=lambda pair: pair[0])
    axes = [axis for axis, _ in parts]
    rest = [axis for axis in range(rank) if axis not in axes]
    shape = np.broadcast_shapes(*[part.shape for _, part in parts])
    whole = write("Transpose", x, perm=[*axes, *rest])
    columns = [write.cast(part, np.int64) for _, part in parts]
    if all(isinstance(part, np.ndarray) for part in columns):
        at = np.stack(np.broadcast_arrays(*columns), axis=-1)
    else:
        zeros = write("Mul", write("Sum", *[write.cast(part, np.float64) for _, part in parts]), np.float64(0))
        zeros = write.cast(zeros, np.int64)
        columns = [write("Unsqueeze", write("Add", part, zeros), np.array([len(shape)])) for part in columns]
        at = write("Concat", *columns, axis=-1)
    out = write("GatherND", whole, at)
    if axes == list(range(axes[0], axes[0] + len(axes))) and axes[0]:  # adjacent ones stay where they stood
        k, lead = len(shape), axes[0]
        out = write("Transpose", out, perm=[*range(k, k + lead), *range(k), *range(k + lead, k + len(rest))])
    return out


def setitem(write, x, value, *, index):
    """Constant places: ScatterND of the value, stretched to them."""
    result = write.result.array
    if (isinstance(x, Value) and any(isinstance(n, Size) for n in x.sizes)) or _varies(index):
        raise write.refused("it writes to a part of an array whose size depends on that of the inputs")
    if _has_value(index):
        raise write.refused("where it writes depends on the inputs")
    places = np.arange(result.size).reshape(result.shape)[index]
    if not places.size:
        return write("Identity", x)
    at = np.stack(np.unravel_index(places, result.shape), axis=-1)
    value = write("Expand", write.cast(value, write.dtype), write.shape(places.shape))
    return write("ScatterND", x, at, value)


def scatter(write, x, *, index, shape):
    return _added(write, np.zeros([int(n) for n in shape], write.dtype), x, index, shape)


def additem(write, x, value, *, index):
    return _added(write, x, value, index, x.sizes if isinstance(x, Value) else x.shape)


def _added(write, x, value, index, shape):
    """x, with the value added at constant places."""
    if any(isinstance(n, Size) for n in shape) or _varies(index) or _has_value(index):
        raise write.refused("it writes to places that depend on the inputs or their size")
    places = np.arange(x.size if isinstance(x, np.ndarray) else x.array.size).reshape(x.shape)[index]
    value = write("Expand", write.cast(value, write.dtype), write.shape(places.shape))
    return write("ScatterND", x, np.stack(np.unravel_index(places, x.shape), axis=-1), value, reduction="add")


def _parts(index):
    return [n for part in (index if isinstance(index, tuple) else (index,))
            for n in ((part.start, part.stop, part.step) if isinstance(part, slice) else (part,))]


def _varies(index):
    return any(isinstance(part, Size) for part in _parts(index))


def _has_value(index):
    return any(isinstance(part, Value) for part in _parts(index))


def gather(write, x, *, dim, index):
    if index.shape[:dim] + index.shape[dim + 1:] != x.shape[:dim] + x.shape[dim + 1:]:
        fits = [slice(0, n) if axis != dim % x.ndim else slice(None) for axis, n in enumerate(index.shape)]
        x = getitem(write, x, index=tuple(fits))
    return write("GatherElements", x, index, axis=dim)
