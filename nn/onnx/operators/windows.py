"""Convolution, pooling, resizing and sampling."""

import math

import numpy as np

import autograd
from autograd import Tensor
from nn import functional as F
from nn.onnx.operators.shaping import Pad
from nn.onnx.operators.values import axis_of, whole
from nn.vision.ops import deform_conv2d, roi_align

_Pads = list[tuple[int, int]]


def _pads(size, kernel, strides, dilations, auto_pad, pads) -> _Pads:
    """How much to put before and after each axis."""
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        need = [max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
                for n, k, s, d in zip(size, kernel, strides, dilations, strict=True)]
        return [((p + (auto_pad == "SAME_LOWER")) // 2, (p + (auto_pad == "SAME_UPPER")) // 2) for p in need]
    given = pads or [0] * (2 * len(kernel))
    return list(zip(given[:len(kernel)], given[len(kernel):], strict=True))


def _padded(x, pads: _Pads, value=0.0):
    if not any(map(any, pads)):
        return x
    sizes = [(0, 0)] * (x.ndim - len(pads)) + list(pads)
    return Pad(x, [before for before, _ in sizes] + [after for _, after in sizes], value=value)


def Conv(x, w, b=None, *, auto_pad="NOTSET", dilations=None, group=1, kernel_shape=None, pads=None, strides=None):
    dims = x.ndim - 2
    strides, dilations = strides or [1] * dims, dilations or [1] * dims
    around = _pads(x.shape[2:], w.shape[2:], strides, dilations, auto_pad, pads)
    even = all(before == after for before, after in around)
    convolve = getattr(F, f"conv{dims}d")
    return convolve(x if even else _padded(x, around), w, b, tuple(strides),
                    tuple(before for before, _ in around) if even else 0, tuple(dilations), group)


def ConvTranspose(x, w, b=None, *, auto_pad="NOTSET", dilations=None, group=1, kernel_shape=None, output_padding=None,
                  output_shape=None, pads=None, strides=None):
    dims = x.ndim - 2
    strides, dilations = strides or [1] * dims, dilations or [1] * dims
    extra = output_padding or [0] * dims
    full = [(n - 1) * s + (k - 1) * d + 1
            for n, s, k, d in zip(x.shape[2:], strides, w.shape[2:], dilations, strict=True)]
    if output_shape or auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        wanted = (output_shape or [n * s for n, s in zip(x.shape[2:], strides, strict=True)])[-dims:]
        surplus = [n + e - want for n, e, want in zip(full, extra, wanted, strict=True)]
        around = [(p - p // 2, p // 2) if auto_pad == "SAME_LOWER" else (p // 2, p - p // 2) for p in surplus]
        extra = [e if p >= 0 else e - p for e, p in zip(extra, surplus, strict=True)]
        around = [(max(a, 0), max(b, 0)) for a, b in around]
    else:
        around = _pads(x.shape[2:], w.shape[2:], strides, dilations, "NOTSET", pads)
    out = getattr(F, f"conv_transpose{dims}d")(x, w, b, tuple(strides), 0, 0, group, tuple(dilations))
    if any(extra):  # there, nothing but the bias
        filling = autograd.zeros(out.shape[1], dtype=out.dtype) if b is None else b
        longer = [*out.shape[:2], *[n + e for n, e in zip(out.shape[2:], extra, strict=True)]]
        whole_of_it = filling.reshape(-1, *[1] * dims).broadcast_to(longer).clone()
        whole_of_it[tuple(slice(0, n) for n in out.shape)] = out
        out = whole_of_it
    return out[(slice(None), slice(None), *[slice(before, n - after) for n, (before, after) in zip(
        out.shape[2:], around, strict=True)])]


# Pooling

def _placed(x, kernel, strides, dilations, auto_pad, pads, ceil_mode, value):
    """x with all that windows reach beyond its edges, and how much of this the file asks for."""
    around = _pads(x.shape[2:], kernel, strides, dilations, auto_pad, pads)
    whole_of_it = []
    for n, k, s, d, (before, after) in zip(x.shape[2:], kernel, strides, dilations, around, strict=True):
        reach = (k - 1) * d + 1
        count = (n + before + after - reach) / s
        count = (math.ceil(count) if ceil_mode else math.floor(count)) + 1
        if ceil_mode and (count - 1) * s >= n + before:  # a window must begin within
            count -= 1
        whole_of_it.append((before, max((count - 1) * s + reach - n - before, 0) if ceil_mode else after))
    return _padded(x, whole_of_it, value), whole_of_it, around


def _sums(x, kernel, strides, dilations):
    """Of each window, channel by channel."""
    ones = autograd.ones(1, 1, *kernel, dtype=x.dtype)
    convolve = getattr(F, f"conv{len(kernel)}d")
    out = convolve(x.reshape(-1, 1, *x.shape[2:]), ones, None, tuple(strides), 0, tuple(dilations))
    return out.reshape(*x.shape[:2], *out.shape[2:])


def AveragePool(x, *, kernel_shape, auto_pad="NOTSET", ceil_mode=0, count_include_pad=0, dilations=None, pads=None,
                strides=None):
    dims = len(kernel_shape)
    strides, dilations = strides or [1] * dims, dilations or [1] * dims
    padded, beyond, around = _placed(x, kernel_shape, strides, dilations, auto_pad, pads, ceil_mode, 0.0)
    inside = autograd.ones(1, 1, *x.shape[2:], dtype=x.dtype)
    if count_include_pad:
        inside = _padded(inside, around, 1.0)
        beyond = [(0, max(all_after - after, 0)) for (_, all_after), (_, after) in zip(beyond, around, strict=True)]
    counts = _sums(_padded(inside, beyond), kernel_shape, strides, dilations)
    return _sums(padded, kernel_shape, strides, dilations) / counts


def LpPool(x, *, kernel_shape, auto_pad="NOTSET", ceil_mode=0, dilations=None, p=2, pads=None, strides=None):
    dims = len(kernel_shape)
    strides, dilations = strides or [1] * dims, dilations or [1] * dims
    padded, _, _ = _placed(x.abs() ** p, kernel_shape, strides, dilations, auto_pad, pads, ceil_mode, 0.0)
    return _sums(padded, kernel_shape, strides, dilations) ** (1 / p)


def MaxPool(x, *, kernel_shape, auto_pad="NOTSET", ceil_mode=0, dilations=None, pads=None, storage_order=0,
            strides=None, outputs=1):
    dims = len(kernel_shape)
    strides, dilations = strides or [1] * dims, dilations or [1] * dims
    floating = x if x.dtype.kind == "f" else x.to(np.float64)
    padded, beyond, _ = _placed(floating, kernel_shape, strides, dilations, auto_pad, pads, ceil_mode, -np.inf)
    pool = getattr(F, f"max_pool{dims}d")
    out, indices = pool(padded, tuple(kernel_shape), tuple(strides), 0, tuple(dilations), False, True)
    out = out.to(x.dtype)
    if outputs == 1:
        return out
    places = np.unravel_index(indices.numpy(), padded.shape[2:])
    places = [place - before for place, (before, _) in zip(places, beyond, strict=True)]
    flat = np.ravel_multi_index(places, x.shape[2:], order="F" if storage_order else "C")
    first = np.arange(math.prod(x.shape[:2])).reshape(*x.shape[:2], *[1] * dims) * math.prod(x.shape[2:])
    return out, Tensor((flat + first).astype(np.int64))


def MaxUnpool(x, indices, output_shape=None, *, kernel_shape, pads=None, strides=None):
    dims = len(kernel_shape)
    strides, pads = strides or [1] * dims, pads or [0] * (2 * dims)
    size = [(n - 1) * s + k - before - after for n, s, k, before, after in zip(
        x.shape[2:], strides, kernel_shape, pads[:dims], pads[dims:], strict=True)]
    shape = [*x.shape[:2], *size]
    flat = autograd.zeros(math.prod(shape), dtype=x.dtype).index_put((indices.numpy().reshape(-1),), x.reshape(-1))
    out = flat.reshape(shape)
    if output_shape is None:
        return out
    return _padded(out, [(0, want - n) for want, n in zip(whole(output_shape)[2:], size, strict=True)])


def GlobalAveragePool(x):
    return x.mean(tuple(range(2, x.ndim)), True)


def GlobalMaxPool(x):
    return x.flatten(2).amax(2).reshape(*x.shape[:2], *[1] * (x.ndim - 2))


def GlobalLpPool(x, *, p=2):
    return (x.abs() ** p).sum(tuple(range(2, x.ndim)), True) ** (1 / p)


# Resizing

def Resize(x, roi=None, scales=None, sizes=None, *, antialias=0, axes=None, coordinate_transformation_mode="half_pixel",
           cubic_coeff_a=-0.75, exclude_outside=0, extrapolation_value=0.0, keep_aspect_ratio_policy="stretch",
           mode="nearest", nearest_mode="round_prefer_floor"):
    dims = [axis_of(axis, x.ndim) for axis in (axes or range(x.ndim))]
    lengths = [x.shape[i] for i in dims]
    if sizes is not None and sizes.numel():
        wanted = whole(sizes)
        factors = [want / n for want, n in zip(wanted, lengths, strict=True)]
        if keep_aspect_ratio_policy != "stretch":
            factor = (min if keep_aspect_ratio_policy == "not_larger" else max)(factors)
            wanted, factors = [int(factor * n + 0.5) for n in lengths], [factor] * len(dims)
    else:
        factors = scales.detach().numpy().astype(np.float32).tolist()
        wanted = [math.floor(n * factor) for n, factor in zip(lengths, factors, strict=True)]
    corners = roi.detach().numpy().astype(np.float64) if roi is not None and roi.numel() else np.zeros(2 * len(dims))
    outside: list = []
    for k, (axis, length, want, factor) in enumerate(zip(dims, lengths, wanted, factors, strict=True)):
        crop = coordinate_transformation_mode == "tf_crop_and_resize"
        if want == length and factor == 1 and not crop:
            continue
        at = _coordinates(coordinate_transformation_mode, length, want, factor, corners[k], corners[k + len(dims)])
        if crop:
            outside.append((axis, (at < 0) | (at > length - 1)))
        x = _along(x, axis, *_taps(at, length, mode, factor if antialias else 1.0, cubic_coeff_a, nearest_mode,
                                   exclude_outside))
    for axis, mask in outside:
        x = autograd.where(Tensor(mask.reshape([-1 if i == axis else 1 for i in range(x.ndim)])),
                           Tensor(np.asarray(extrapolation_value, x.dtype)), x)
    return x


def Upsample(x, scales=None, *, mode="nearest", **attributes):
    scales = Tensor(np.array(attributes["scales"], np.float32)) if scales is None else scales
    return Resize(x, None, scales, mode=mode, coordinate_transformation_mode="asymmetric", nearest_mode="floor")


def _coordinates(kind, length, want, factor, start, end):
    """Where in the original each number of the result is."""
    i = np.arange(want, dtype=np.float64)
    match kind:
        case "asymmetric":
            return i / factor
        case "align_corners":
            return i * (length - 1) / (factor * length - 1) if want > 1 else i * 0
        case "pytorch_half_pixel" if want == 1:
            return i * 0 - 0.5
        case "half_pixel_symmetric":
            middle = length / 2 * (1 - want / (factor * length))
            return middle + (i + 0.5) / factor - 0.5
        case "tf_half_pixel_for_nn":
            return (i + 0.5) / factor
        case "tf_crop_and_resize":
            step = (end - start) * (length - 1) / (want - 1) if want > 1 else 0.0
            return start * (length - 1) + i * step if want > 1 else 0.5 * (start + end) * (length - 1) + i
    return (i + 0.5) / factor - 0.5


def _taps(at, length, mode, factor, a, nearest_mode, exclude_outside):
    """Which numbers each place is made of, and how much of each: (want, taps) both."""
    if mode == "nearest":
        rounded = {"floor": np.floor(at), "ceil": np.ceil(at), "round_prefer_ceil": np.floor(at + 0.5),
                   "round_prefer_floor": np.ceil(at - 0.5)}[nearest_mode]
        return np.clip(rounded, 0, length - 1).astype(np.int64)[:, None], None
    reach = 1 if mode == "linear" else 2
    shrink = min(factor, 1.0)
    first = np.floor(at - reach / shrink).astype(np.int64) + 1
    places = first[:, None] + np.arange(max(int(np.ceil(2 * reach / shrink)), 2 * reach))
    distance = np.abs(places - at[:, None]) * shrink
    if mode == "linear":
        weights = np.maximum(1 - distance, 0)
    else:
        near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
        far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
        weights = np.where(distance <= 1, near, np.where(distance < 2, far, 0))
    if exclude_outside or factor < 1:
        if exclude_outside:
            weights = np.where((places < 0) | (places >= length), 0, weights)
        weights = weights / weights.sum(1, keepdims=True)
    return np.clip(places, 0, length - 1), weights


def _along(x, axis, places, weights):
    if weights is None:
        return x[(*[slice(None)] * axis, places[:, 0])]
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]
    parts = [x[(*[slice(None)] * axis, places[:, k])] * Tensor(weights[:, k].astype(x.dtype).reshape(shape))
             for k in range(places.shape[1])]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


# Sampling

def GridSample(x, grid, *, align_corners=0, mode="linear", padding_mode="zeros"):
    name = {"linear": "bilinear", "cubic": "bicubic"}.get(mode, mode)
    return F.grid_sample(x, grid, name, padding_mode, bool(align_corners))


def Col2Im(x, image_shape, block_shape, *, dilations=None, pads=None, strides=None):
    size, kernel = whole(image_shape), whole(block_shape)
    dims = len(size)
    dilations, strides, pads = dilations or [1] * dims, strides or [1] * dims, pads or [0] * (2 * dims)
    padded = [n + a + b for n, a, b in zip(size, pads[:dims], pads[dims:], strict=True)]
    channels = x.shape[1] // math.prod(kernel)
    counts = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in zip(padded, kernel, dilations, strides, strict=True)]
    at = np.zeros(kernel + counts, np.int64)
    for i, (k, c) in enumerate(zip(kernel, counts, strict=True)):
        places = (np.arange(k) * dilations[i]).reshape([-1 if j == i else 1 for j in range(2 * dims)]) + (
            np.arange(c) * strides[i]).reshape([-1 if j == i + dims else 1 for j in range(2 * dims)])
        at = at * padded[i] + places
    flat = autograd.zeros(x.shape[0], channels, math.prod(padded), dtype=x.dtype).index_put(
        (np.arange(x.shape[0])[:, None, None], np.arange(channels)[:, None], at.reshape(-1)),
        x.reshape(x.shape[0], channels, -1), accumulate=True)
    return flat.reshape(x.shape[0], channels, *padded)[(slice(None), slice(None), *[
        slice(before, before + n) for before, n in zip(pads[:dims], size, strict=True)])]


# Detection

def RoiAlign(x, rois, batch_indices, *, coordinate_transformation_mode="half_pixel", mode="avg", output_height=1,
             output_width=1, sampling_ratio=0, spatial_scale=1.0, opset):
    if mode == "max":
        raise NotImplementedError("RoiAlign is available with mode 'avg', not 'max'")
    boxes = autograd.cat([batch_indices.to(rois.dtype).unsqueeze(1), rois], 1)
    aligned = coordinate_transformation_mode == "half_pixel" and opset >= 16
    return roi_align(x, boxes, (output_height, output_width), spatial_scale, sampling_ratio or -1, aligned)


def DeformConv(x, w, offset, b=None, mask=None, *, dilations=None, group=1, kernel_shape=None, offset_group=1,
               pads=None, strides=None):
    pads = pads or [0] * 4
    return deform_conv2d(_padded(x, list(zip(pads[:2], pads[2:], strict=True))), offset, w, b, tuple(strides or (1, 1)),
                         0, tuple(dilations or (1, 1)), mask)
