"""Shapes, parts, positions: everything that moves numbers and computes none."""

from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from nn.onnx.operators.values import axis_of, dtype_of, number, whole

_PADDING = {"constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}


def Constant(*, value=None, value_float=None, value_floats=None, value_int=None, value_ints=None):
    if value is not None:
        return value
    floats, ints = (given[0] if given[0] is not None else given[1] for given in (
        (value_float, value_floats), (value_int, value_ints)))
    return autograd.tensor(floats, dtype=np.float32) if floats is not None else autograd.tensor(ints, dtype=np.int64)


def ConstantOfShape(shape, *, value=None):
    value = autograd.zeros(1, dtype=np.float32) if value is None else value
    return autograd.full(whole(shape), value.item(), dtype=value.dtype)


def Shape(x, *, start=0, end=None):
    return autograd.tensor(list(x.shape[start:end]), dtype=np.int64)


def Size(x):
    return autograd.tensor(x.numel(), dtype=np.int64)


def Reshape(x, shape, *, allowzero=0):
    lengths = whole(shape)
    return x.reshape(lengths if allowzero else [n or x.shape[i] for i, n in enumerate(lengths)])


def Flatten(x, *, axis=1):
    first = int(np.prod(x.shape[:axis_of(axis, x.ndim)], dtype=np.int64))
    return x.reshape(first, x.numel() // first if first else 0)


def Squeeze(x, axes=None):
    dims = [axis_of(axis, x.ndim) for axis in whole(axes)] or [i for i, n in enumerate(x.shape) if n == 1]
    if any(x.shape[i] != 1 for i in dims):
        raise ShapeError(f"axes {dims} of shape {x.shape} are to be left out, and not all of them have length 1")
    return x.reshape([n for i, n in enumerate(x.shape) if i not in dims])


def Unsqueeze(x, axes):
    dims = sorted(axis_of(axis, x.ndim + len(whole(axes))) for axis in whole(axes))
    for dim in dims:
        x = x.unsqueeze(dim)
    return x


def Transpose(x, *, perm=None):
    return x.permute(*(perm if perm is not None else range(x.ndim)[::-1]))


def Expand(x, shape):
    return x.broadcast_to(np.broadcast_shapes(x.shape, tuple(whole(shape))))


def Tile(x, repeats):
    return x.tile(whole(repeats))


def Concat(*inputs, axis):
    return autograd.cat(inputs, axis)


def Split(x, split=None, *, axis=0, num_outputs=None, outputs):
    sizes = whole(split)
    if not sizes:
        each = -(-x.shape[axis] // (num_outputs or outputs))
        sizes = [min(each, x.shape[axis] - start) for start in range(0, x.shape[axis], each)]
    return tuple(x.split(sizes, axis))


def Slice(x, starts=None, ends=None, axes=None, steps=None, **attributes):
    starts, ends, axes = (whole(attributes.get(name) if given is None else given) for name, given in (
        ("starts", starts), ("ends", ends), ("axes", axes)))
    axes = axes or range(len(starts))
    index: list[Any] = [slice(None)] * x.ndim
    flipped = []
    for start, end, axis, step in zip(starts, ends, axes, whole(steps) or [1] * len(starts), strict=True):
        axis = axis_of(axis, x.ndim)
        index[axis] = places = slice(*_limits(start, end, step, x.shape[axis]), step)
        if step < 0:  # the same, from the other side
            there = range(x.shape[axis])[places]
            index[axis] = slice(there[-1], there[0] + 1, -step) if len(there) else slice(0, 0)
            flipped.append(axis)
    part = x[tuple(index)]
    return part.flip(flipped) if flipped else part


def _limits(start, end, step, length):
    if step > 0:
        return start, end
    start = min(start + length if start < 0 else start, length - 1)
    end = end + length if -length <= end < 0 else end
    return max(start, -1), None if end < 0 else end


def Gather(x, indices, *, axis=0):
    axis = axis_of(axis, x.ndim)
    return x[(*[slice(None)] * axis, _positive(indices, x.shape[axis]))]


def _positive(indices: Tensor, length: int) -> np.ndarray:
    positions = indices.numpy()
    if positions.size and (positions.min() < -length or positions.max() >= length):
        raise IndexError(f"positions from {positions.min()} to {positions.max()} in an axis of length {length}")
    return np.where(positions < 0, positions + length, positions)


def GatherElements(x, indices, *, axis=0):
    axis = axis_of(axis, x.ndim)
    return x.gather(axis, Tensor(_positive(indices, x.shape[axis])))


def GatherND(x, indices, *, batch_dims=0):
    places = indices.numpy()
    batch = np.indices(x.shape[:batch_dims]).reshape(batch_dims, *x.shape[:batch_dims],
                                                     *[1] * (places.ndim - 1 - batch_dims))
    return x[(*batch, *np.moveaxis(places, -1, 0))]


def ScatterElements(x, indices, updates, *, axis=0, reduction="none"):
    axis = axis_of(axis, x.ndim)
    index = Tensor(_positive(indices, x.shape[axis]))
    if reduction == "none":
        return x.scatter(axis, index, updates)
    return x.scatter_reduce(axis, index, updates, _REDUCE[reduction], include_self=True)


_REDUCE = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}
Scatter = ScatterElements


def ScatterND(x, indices, updates, *, reduction="none"):
    places = indices.numpy()
    depth = places.shape[-1]
    flat = np.ravel_multi_index(tuple(_positive(Tensor(part), n) for part, n in zip(
        np.moveaxis(places, -1, 0), x.shape, strict=False)), x.shape[:depth]).reshape(-1)
    rows = x.reshape(-1, *x.shape[depth:])
    given = updates.reshape(len(flat), *x.shape[depth:])
    if reduction == "none":
        return rows.index_put((flat,), given).reshape(x.shape)
    index = Tensor(np.broadcast_to(flat.reshape(-1, *[1] * (rows.ndim - 1)), given.shape).copy())
    return rows.scatter_reduce(0, index, given, _REDUCE[reduction], include_self=True).reshape(x.shape)


def TensorScatter(past, update, write_indices=None, *, axis=-2, mode="linear"):
    axis = axis_of(axis, past.ndim)
    starts = whole(write_indices) or [0] * past.shape[0]
    index = np.arange(update.shape[axis]) + np.array(starts)[:, None]
    index = index % past.shape[axis] if mode == "circular" else index
    shape = [past.shape[0], *[1] * (past.ndim - 1)]
    shape[axis] = update.shape[axis]
    return past.scatter(axis, Tensor(np.broadcast_to(index.reshape(shape), update.shape).copy()), update)


def OneHot(indices, depth, values, *, axis=-1):
    count = whole(depth)[0]
    places = indices.numpy()
    axis = axis_of(axis, places.ndim + 1)
    shape = [1] * (places.ndim + 1)
    shape[axis] = count
    hot = np.expand_dims(np.where(places < 0, places + count, places), axis) == np.arange(count).reshape(shape)
    return autograd.where(Tensor(hot), values[1], values[0])


def NonZero(x):
    return Tensor(np.array(np.nonzero(x.detach().numpy()), np.int64).reshape(x.ndim, -1))


def Compress(x, condition, *, axis=None):
    chosen = np.nonzero(condition.numpy())[0]
    return x.reshape(-1)[chosen] if axis is None else x[(*[slice(None)] * axis_of(axis, x.ndim), chosen)]


def Range(start, limit, delta):
    return Tensor(np.arange(start.item(), limit.item(), delta.item()).astype(start.dtype))


def EyeLike(x, *, dtype=None, k=0):
    return Tensor(np.eye(*x.shape, k=k, dtype=x.dtype if dtype is None else dtype_of(dtype)))


def Trilu(x, k=None, *, upper=1):
    return (autograd.triu if upper else autograd.tril)(x, diagonal=0 if k is None else whole(k)[0])


def Pad(x, pads=None, constant_value=None, axes=None, *, mode="constant", value=0.0, **attributes):
    sizes = whole(attributes.get("pads") if pads is None else pads)
    dims = [axis_of(axis, x.ndim) for axis in whole(axes)] if axes is not None else list(range(x.ndim))
    half = len(sizes) // 2
    before, after = dict(zip(dims, sizes[:half], strict=True)), dict(zip(dims, sizes[half:], strict=True))
    cut = tuple(slice(max(-before.get(i, 0), 0), n - max(-after.get(i, 0), 0)) for i, n in enumerate(x.shape))
    x = x[cut]
    grown = [(max(before.get(i, 0), 0), max(after.get(i, 0), 0)) for i in range(x.ndim)]
    if mode == "constant":
        filling = value if constant_value is None else constant_value.item()
        shape = [n + sum(size) for n, size in zip(x.shape, grown, strict=True)]
        there = tuple(slice(start, start + n) for n, (start, _) in zip(x.shape, grown, strict=True))
        whole_of_it = autograd.full(shape, filling, dtype=x.dtype)
        whole_of_it[there] = x
        return whole_of_it
    for axis, size in enumerate(grown):  # where each number comes from
        if size != (0, 0):
            x = x[(*[slice(None)] * axis, np.pad(np.arange(x.shape[axis]), size, mode=mode))]
    return x


def ReverseSequence(x, sequence_lens, *, batch_axis=1, time_axis=0):
    places = np.arange(x.shape[time_axis])[:, None] + np.zeros(x.shape[batch_axis], np.int64)
    lengths = sequence_lens.numpy()
    places = np.where(places < lengths, lengths - 1 - places, places)
    moved = x.movedim((time_axis, batch_axis), (0, 1))
    return moved[places, np.arange(x.shape[batch_axis])].movedim((0, 1), (time_axis, batch_axis))


def DepthToSpace(x, *, blocksize, mode="DCR"):
    n, c, h, w = x.shape
    small = c // blocksize ** 2
    if mode == "CRD":
        return x.reshape(n, small, blocksize, blocksize, h, w).permute(0, 1, 4, 2, 5, 3).reshape(
            n, small, h * blocksize, w * blocksize)
    return x.reshape(n, blocksize, blocksize, small, h, w).permute(0, 3, 4, 1, 5, 2).reshape(
        n, small, h * blocksize, w * blocksize)


def SpaceToDepth(x, *, blocksize, mode="DCR"):
    n, c, h, w = x.shape
    blocks = x.reshape(n, c, h // blocksize, blocksize, w // blocksize, blocksize)
    return blocks.permute(*((0, 1, 3, 5, 2, 4) if mode == "CRD" else (0, 3, 5, 1, 2, 4))).reshape(
        n, c * blocksize ** 2, h // blocksize, w // blocksize)


def NonMaxSuppression(boxes, scores, max_output_boxes_per_class=None, iou_threshold=None, score_threshold=None, *,
                      center_point_box=0):
    most = int(number(max_output_boxes_per_class) or 0) if max_output_boxes_per_class is not None else 0
    overlap = float(number(iou_threshold)) if iou_threshold is not None else 0.0
    least = float(number(score_threshold)) if score_threshold is not None else -np.inf
    chosen = []
    for image, (places, classes) in enumerate(zip(boxes.detach().numpy(), scores.detach().numpy(), strict=True)):
        a, b = (places[:, :2], places[:, 2:])
        low, high = ((a - b / 2, a + b / 2) if center_point_box else (np.minimum(a, b), np.maximum(a, b)))
        areas = np.prod(high - low, 1)
        for kind, values in enumerate(classes):
            kept: list[int] = []
            for i in np.argsort(-values, kind="stable"):
                if values[i] <= least or len(kept) >= most:
                    break
                common = np.prod(np.maximum(np.minimum(high[i], high[kept]) - np.maximum(low[i], low[kept]), 0), 1)
                if not (common > overlap * (areas[i] + areas[kept] - common)).any():
                    kept.append(int(i))
            chosen += [(image, kind, i) for i in kept]
    return Tensor(np.array(chosen, np.int64).reshape(-1, 3))
