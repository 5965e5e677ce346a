"""Windows over images: convolution, pooling, resampling, columns, pixels."""

import math

import numpy as np

SIMPLE: dict = {}


def _around(padding):
    """((before, after), ...) in ONNX's order."""
    return [before for before, _ in padding] + [after for _, after in padding]


def convolution(write, x, weight, bias, *, stride, padding, dilation, groups):
    return write("Conv", x, weight, bias, strides=list(stride), pads=_around(padding), dilations=list(dilation),
                 group=groups)


def transposed_convolution(write, y, weight, *, size, stride, padding, dilation, groups):
    extra = [n - ((m - 1) * s + d * (k - 1) + 1 - before - after) for n, m, s, d, k, (before, after) in zip(
        size, y.shape[2:], stride, dilation, weight.shape[2:], padding, strict=True)]
    return write("ConvTranspose", y, weight, None, strides=list(stride), pads=_around(padding),
                 dilations=list(dilation), group=groups, output_padding=[int(n) for n in extra])


def max_pool(write, x, *, kernel, stride, padding, dilation):
    pooled = write("MaxPool", x, kernel_shape=list(kernel), strides=list(stride), pads=_around(padding),
                   dilations=list(dilation))
    return (pooled,)


def average_pooling(write, x, *, kernel, stride, padding, counted):
    return write("AveragePool", x, kernel_shape=list(kernel), strides=list(stride), pads=_around(padding),
                 count_include_pad=int(counted))


def adaptive_maximum(write, x, *, counts):
    """Of regions that cover each axis evenly: each is filled up with its last element."""
    out = x
    for axis, count in enumerate(counts, 2):
        n = x.size(axis)
        if type(n) is not int:
            raise write.refused("the regions that it divides an image into would depend on the size of the inputs")
        starts, ends = np.arange(count) * n // count, -(-np.arange(1, count + 1) * n // count)
        places = np.minimum(starts[:, None] + np.arange((ends - starts).max()), ends[:, None] - 1)
        out = write("ReduceMax", write("Gather", out, places, axis=axis), np.array([axis + 1]), keepdims=0)
    return out


def global_average(write, x):
    return write("GlobalAveragePool", x)


def resizing(write, x, *, size, scales, mode, align_corners):
    rule = {"nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
            "nearest-exact": {"mode": "nearest", "coordinate_transformation_mode": "half_pixel",
                              "nearest_mode": "round_prefer_ceil"}}.get(mode) or {
        "mode": "cubic" if mode == "bicubic" else "linear", "cubic_coeff_a": -0.75,
        "coordinate_transformation_mode": "align_corners" if align_corners else "pytorch_half_pixel"}
    if scales is not None:
        return write("Resize", x, None, np.array([1, 1, *scales], np.float32), **rule)
    sizes = write("Concat", write("Shape", x, start=0, end=2), np.array(size, np.int64), axis=0)
    return write("Resize", x, None, None, sizes, **rule)


def resample(write, x, *, taps, before, after):
    """What each output takes of an axis, as a matrix."""
    out, rank = x, x.ndim
    if before is not None:
        out = write("Div", out, before.astype(write.dtype))
    for axis, along in enumerate(taps, 2):
        if along is not None:
            moved = [*[i for i in range(rank) if i != axis], axis]
            out = out if axis == rank - 1 else write("Transpose", out, perm=moved)
            out = write("MatMul", out, np.ascontiguousarray(along.matrix(write.dtype).T))
            out = out if axis == rank - 1 else write("Transpose", out, perm=np.argsort(moved).tolist())
    return out if after is None else write("Div", out, np.asarray(after, write.dtype))


def columns(write, x, *, kernel, stride, padding, dilation):
    """(N, C, kernel, *places): a convolution with kernels of a single one."""
    count, channels = math.prod(kernel), x.shape[1]
    ones = np.tile(np.eye(count, dtype=write.dtype).reshape(count, 1, *kernel), (channels, *[1] * (len(kernel) + 1)))
    out = write("Conv", x, ones, strides=list(stride), pads=_around(padding), dilations=list(dilation), group=channels)
    places = write.result.sizes[3:]
    return write("Reshape", out, write.shape([0, channels, count, *places]))


def from_columns(write, y, *, size, kernel, stride, padding, dilation):
    """The transposed convolution with the same kernels."""
    count, channels = math.prod(kernel), y.shape[1]
    ones = np.tile(np.eye(count, dtype=write.dtype).reshape(count, 1, *kernel), (channels, *[1] * (len(kernel) + 1)))
    stacked = write("Reshape", y, write.shape([0, channels * count, *y.sizes[3:]]))
    extra = [n - ((m - 1) * s + d * (k - 1) + 1 - before - after) for n, m, s, d, k, (before, after) in zip(
        size, y.shape[3:], stride, dilation, kernel, padding, strict=True)]
    return write("ConvTranspose", stacked, ones, None, strides=list(stride), pads=_around(padding),
                 dilations=list(dilation), group=channels, output_padding=extra)


def to_pixels(write, x, *, factor):
    return _as_image(write, x, lambda image: write("DepthToSpace", image, blocksize=factor, mode="CRD"))


def to_channels(write, x, *, factor):
    def moved(image):
        channels, (h, w), r = x.shape[-3], x.shape[-2:], factor
        split = write("Reshape", image, np.array([-1, channels, h // r, r, w // r, r]))
        return write("Reshape", write("Transpose", split, perm=[0, 1, 3, 5, 2, 4]),
                     np.array([-1, channels * r * r, h // r, w // r]))
    return _as_image(write, x, moved)


def _as_image(write, x, function):
    """function of x (..., C, H, W) as (N, C, H, W)."""
    if x.ndim == 4:
        return function(x)
    out = function(write("Reshape", x, write.shape([-1, *x.sizes[-3:]])))
    return write("Reshape", out, write.shape(write.result.sizes))


def unfold(write, x, *, dimension, size, step):
    """Windows along an axis, their elements along a new last one."""
    if not x.ndim:
        return write("Unsqueeze", x, np.array([0]))
    axis, count = dimension % x.ndim, write.result.shape[dimension % x.ndim]
    if type(write.result.sizes[axis]) is not int:
        raise write.refused("how many windows there are would depend on the size of the inputs")
    places = np.arange(count)[:, None] * step + np.arange(size)
    taken = write("Gather", x, places, axis=axis)
    rank = x.ndim + 1
    return write("Transpose", taken, perm=[*[i for i in range(rank) if i != axis + 1], axis + 1])
