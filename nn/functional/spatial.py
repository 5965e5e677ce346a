"""Resizing and rearranging images, in any number of dimensions."""

import math

import numpy as np

from autograd import as_tensor, operation
from autograd.samples import call
from nn.functional.convolution import convolution, of_input
from nn.functional.geometry import output_size as places_of
from nn.functional.geometry import tuple_of

# Padding

def _pad_samples(draw):
    x = draw.array(min_dims=1)
    before, after = (tuple([draw.integer(0, 2) for _ in x.shape]) for _ in range(2))
    return call(x, before=before, after=after)


def _zero_pad_forward(x, *, before, after):
    out = np.zeros([n + b + a for n, b, a in zip(x.shape, before, after, strict=True)], x.dtype)
    out[tuple([slice(b, b + n) for n, b in zip(x.shape, before, strict=True)])] = x
    return out


_zero_pad = operation(
    _zero_pad_forward, names="_zero_pad", samples=_pad_samples,
    vjps=lambda g, out, x, before, after: g[tuple([slice(b, b + n) for n, b in zip(x.shape, before, strict=True)])])


def pad(input, pad, mode="constant", value=None):
    """More elements around the last axes.

    Args:
        input: of any shape.
        pad: (before, after) of the last axis, then of the one before it, and so on; negative numbers cut off.
        mode: "constant"; or, from what is inside, "reflect" (without the border), "replicate", "circular".
        value: of the constant; default 0.
    """
    x = as_tensor(input)
    pad = (pad,) if isinstance(pad, int) else tuple(pad)
    if len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ValueError(f"pad: `pad` must have two numbers for each of at most {x.ndim} axes, from the last one on, "
                         "not "
                         f"{pad}")
    amounts = {x.ndim - 1 - i: pad[2 * i:2 * i + 2] for i in range(len(pad) // 2)}
    sizes = {axis: (x.shape[axis], *amount) for axis, amount in amounts.items()}
    if mode == "constant":
        cut = tuple([slice(max(-amounts.get(i, (0, 0))[0], 0), n - max(-amounts.get(i, (0, 0))[1], 0))
                     for i, n in enumerate(x.shape)])
        x = x[cut] if min(pad, default=0) < 0 else x
        before, after = ([max(amounts.get(i, (0, 0))[side], 0) for i in range(x.ndim)] for side in (0, 1))
        out = _zero_pad(x, before=tuple(before), after=tuple(after))
        if value:
            around = np.full(out.shape, value, x.dtype)
            around[tuple([slice(b, b + n) for n, b in zip(x.shape, before, strict=True)])] = 0
            out = out + around
        return out
    for axis, (n, before, after) in sizes.items():
        positions = np.arange(-before, n + after)
        if mode == "reflect":
            if max(before, after) >= n:
                raise ValueError(f"pad: mode 'reflect' can add at most {n - 1} elements to an axis of {n}, not "
                                 f"{(before, after)}")
            positions = n - 1 - np.abs(n - 1 - np.abs(positions))
        elif mode == "replicate":
            positions = np.clip(positions, 0, n - 1)
        elif mode == "circular":
            positions = positions % n
        else:
            raise ValueError(f"pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', not {mode!r}")
        x = x[(slice(None),) * axis + (positions,)]
    return x


# Windows as columns: convolution with the kernels that pick one element each

def _pickers(channels, kernel, dtype):
    each = np.eye(math.prod(kernel), dtype=dtype).reshape(-1, 1, *kernel)
    return np.tile(each, (channels, *(1,) * (each.ndim - 1)))


def _geometry(channels, dilation, padding, stride):
    return {"stride": tuple_of(stride, 2, "stride"), "dilation": tuple_of(dilation, 2, "dilation"), "groups": channels,
            "padding": tuple([(p, p) for p in tuple_of(padding, 2, "padding")])}


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of (N, C, H, W) as columns: (N, C · kH · kW, places)."""
    x = as_tensor(input)
    if x.ndim == 3:
        return unfold(x.unsqueeze(0), kernel_size, dilation, padding, stride).squeeze(0)
    kernel = tuple_of(kernel_size, 2, "kernel_size")
    geometry = _geometry(x.shape[1], dilation, padding, stride)
    out = convolution(x, _pickers(x.shape[1], kernel, x.dtype), None, **geometry)
    return out.reshape((*out.shape[:2], math.prod(out.shape[2:])))


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns (N, C · kH · kW, places) added up where windows lie on an image (N, C, H, W): the adjoint of `unfold`."""
    x = as_tensor(input)
    if x.ndim == 2:
        return fold(x.unsqueeze(0), output_size, kernel_size, dilation, padding, stride).squeeze(0)
    kernel, size = tuple_of(kernel_size, 2, "kernel_size"), tuple_of(output_size, 2, "output_size")
    channels, rest = divmod(x.shape[1], math.prod(kernel))
    geometry = _geometry(channels, dilation, padding, stride)
    out = places_of(size, kernel, geometry["stride"], geometry["padding"], geometry["dilation"])
    if rest or math.prod(out) != x.shape[2]:
        raise ValueError(f"fold: an image of size {size} has {math.prod(out)} windows of {kernel}, so the input must "
                         "have "
                         f"shape (N, C · {math.prod(kernel)}, {math.prod(out)}), not {x.shape}")
    return of_input(x.reshape((*x.shape[:2], *out)), _pickers(channels, kernel, x.dtype), size=size, **geometry)


# Channels to pixels

def pixel_shuffle(input, upscale_factor):
    """(*, C r², H, W) -> (*, C, H r, W r) (Shi et al. 2016)."""
    x, r = as_tensor(input), upscale_factor
    *lead, channels, h, w = x.shape
    if channels % (r * r):
        raise ValueError(f"pixel_shuffle: {channels} channels are not divisible by upscale_factor² = {r * r}")
    n = len(lead)
    x = x.reshape((*lead, channels // (r * r), r, r, h, w))
    return x.permute((*range(n), n, n + 3, n + 1, n + 4, n + 2)).reshape((*lead, channels // (r * r), h * r, w * r))


def pixel_unshuffle(input, downscale_factor):
    """(*, C, H r, W r) -> (*, C r², H, W): the inverse of `pixel_shuffle`."""
    x, r = as_tensor(input), downscale_factor
    *lead, channels, h, w = x.shape
    if h % r or w % r:
        raise ValueError(f"pixel_unshuffle: the size {h, w} is not divisible by downscale_factor {r}")
    n = len(lead)
    x = x.reshape((*lead, channels, h // r, r, w // r, r))
    return x.permute((*range(n), n, n + 2, n + 4, n + 1, n + 3)).reshape((*lead, channels * r * r, h // r, w // r))


# Resizing: one matrix for each axis

_MODES = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "linear": (1,), "bilinear": (2,), "trilinear": (3,),
          "bicubic": (2,), "area": (1, 2, 3)}


def _cubic(distance, a=-0.75):
    """Keys' cubic convolution kernel (1981)."""
    t = np.abs(distance)
    return np.where(t <= 1, ((a + 2) * t - (a + 3)) * t * t + 1, np.where(t < 2, a * (((t - 5) * t + 8) * t - 4), 0))


def _resizing_matrix(n, count, mode, align_corners, scale):
    """(n, count): what each input contributes to each output."""
    out = np.arange(count)
    matrix = np.zeros((n, count))
    if mode.startswith("nearest"):
        half = 0.5 if mode == "nearest-exact" else 0
        source = np.minimum(np.floor((out + half) * scale).astype(int), n - 1)
        matrix[source, out] = 1
        return matrix
    if align_corners:
        source = out * ((n - 1) / (count - 1) if count > 1 else 0)
    else:
        source = (out + 0.5) * scale - 0.5
        if mode != "bicubic":
            source = np.maximum(source, 0)
    low = np.floor(source).astype(int)
    for tap in range(-1, 3) if mode == "bicubic" else (0, 1):
        distance = source - (low + tap)
        weight = _cubic(distance) if mode == "bicubic" else 1 - np.abs(distance)
        np.add.at(matrix, (np.clip(low + tap, 0, n - 1), out), weight)
    return matrix


def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """(N, C, ...) in another size.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: of the output, a number or one a dimension; or
        scale_factor: by which the size is multiplied.
        mode: "nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area".
        align_corners: whether the middle points of the corners (True) or the corners themselves are kept in place.
    """
    x = as_tensor(input)
    ndim = x.ndim - 2
    if mode not in _MODES or ndim not in _MODES[mode]:
        fits = [name for name, dims in _MODES.items() if ndim in dims]
        raise ValueError(f"interpolate: an input of shape {x.shape} can have mode {fits}, not {mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give either size or scale_factor")
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(f"interpolate: align_corners has no meaning with mode {mode!r}")
    if size is not None:
        counts = tuple_of(size, ndim, "size")
        scales = [n / count for n, count in zip(x.shape[2:], counts, strict=True)]
    else:
        factors = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * ndim
        counts = [math.floor(n * f) for n, f in zip(x.shape[2:], factors, strict=True)]
        scales = [1 / f for f in factors]
    if mode == "area":
        from nn.functional import pooling
        return getattr(pooling, f"adaptive_avg_pool{ndim}d")(x, tuple(counts))
    for axis, (count, scale) in enumerate(zip(counts, scales, strict=True), 2):
        matrix = _resizing_matrix(x.shape[axis], count, mode, bool(align_corners), scale).astype(x.dtype)
        x = (x.transpose(axis, -1) @ matrix).transpose(axis, -1)
    return x
