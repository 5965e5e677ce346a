"""Resizing and rearranging images, in any number of dimensions."""

import math
import numbers

import numpy as np

from autograd import as_tensor, dtypes, operation
from autograd.samples import call
from nn.functional.geometry import (
    arranged,
    check_geometry,
    inside,
    padded,
    shifted,
    tuple_of,
    widened,
    window_samples,
)
from nn.functional.geometry import output_size as places_of
from nn.functional.resampling import resample, resizing

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
                         f"not {pad}")
    amounts = {x.ndim - 1 - i: pad[2 * i:2 * i + 2] for i in range(len(pad) // 2)}
    sizes = {axis: (x.shape[axis], *amount) for axis, amount in amounts.items()}
    for axis, (n, before, after) in sizes.items():
        if min(before, after, before + after) < -n:
            raise ValueError(f"pad: {(before, after)} cuts off more than there is in axis {axis} of shape {x.shape}")
        if mode != "constant" and not n and before + after > 0:
            raise ValueError(f"pad: axis {axis} of shape {x.shape} has no elements for mode {mode!r} to take")
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
            if max(before, after) > n:
                raise ValueError(f"pad: mode 'circular' can add at most the {n} elements of an axis, not "
                                 f"{(before, after)}")
            positions = positions % n if n else positions
        else:
            raise ValueError(f"pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', not {mode!r}")
        x = x[(slice(None),) * axis + (positions,)]
    return x if sizes else x.clone()


# Windows as columns

def _columns_forward(x, *, kernel, stride, padding, dilation):
    parts = shifted(padded(x, padding, 0), kernel, stride, padding, dilation, x.shape[2:])
    out = np.empty((*x.shape[:2], len(parts), *parts[0].shape[2:]), x.dtype)
    for k, part in enumerate(parts):
        out[:, :, k] = part
    return out


@widened
def _from_columns_forward(y, *, size, kernel, stride, padding, dilation):
    total = np.zeros((*y.shape[:2], *[n + sum(p) for n, p in zip(size, padding, strict=True)]), y.dtype)
    for k, part in enumerate(shifted(total, kernel, stride, padding, dilation, size)):
        part += y[:, :, k]
    return total[(slice(None), slice(None), *inside(size, padding))]


def _columns_samples(draw):
    size, geometry = window_samples(draw)
    return call(draw.array(shape=(draw.integer(0, 2), 2, *size)), **geometry)


def _from_columns_samples(draw):
    size, geometry = window_samples(draw)
    shape = (draw.integer(0, 2), 2, math.prod(geometry["kernel"]), *places_of(size, *geometry.values()))
    return call(draw.array(shape=shape), size=size, **geometry)


_columns = operation(
    _columns_forward, names="_columns", samples=_columns_samples,
    vjps=lambda g, out, x, **geometry: _from_columns(g, size=x.shape[2:], **geometry))

_from_columns = operation(
    _from_columns_forward, names="_from_columns", samples=_from_columns_samples,
    vjps=lambda g, out, y, size, **geometry: _columns(g, **geometry))


def _geometry(name, size, kernel, dilation, padding, stride):
    """The options of the operations, and how many places there are."""
    kernel, stride, dilation = tuple_of(kernel, 2, "kernel_size"), tuple_of(stride, 2, "stride"), tuple_of(
        dilation, 2, "dilation")
    padding = tuple([(p, p) for p in tuple_of(padding, 2, "padding")])
    check_geometry(name, kernel, stride, padding, dilation)
    places = places_of(size, kernel, stride, padding, dilation)
    if min(places) < 1:
        raise ValueError(f"{name}: windows of {kernel} (dilation {dilation}) do not fit an image of size {tuple(size)} "
                         f"with padding {tuple([before for before, _ in padding])}")
    return {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}, places


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of (N, C, H, W), or (C, H, W), as columns: (N, C · kH · kW, places)."""
    x, single = arranged("unfold", as_tensor(input), 2)
    geometry, places = _geometry("unfold", x.shape[2:], kernel_size, dilation, padding, stride)
    out = _columns(x, **geometry)
    out = out.reshape((x.shape[0], x.shape[1] * out.shape[2], math.prod(places)))
    return out.squeeze(0) if single else out


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns (N, C · kH · kW, places) added up where windows lie on an image (N, C, H, W): the adjoint of `unfold`."""
    x, size = as_tensor(input), tuple_of(output_size, 2, "output_size")
    if x.ndim == 2:
        return fold(x.unsqueeze(0), size, kernel_size, dilation, padding, stride).squeeze(0)
    geometry, places = _geometry("fold", size, kernel_size, dilation, padding, stride)
    each, count = math.prod(geometry["kernel"]), math.prod(places)
    if x.ndim != 3 or x.shape[1] % each or x.shape[2] != count:
        raise ValueError(f"fold: an image of size {size} has {count} windows of {geometry['kernel']}, so the input "
                         f"must have shape (N, C · {each}, {count}), or without N, not {x.shape}")
    return _from_columns(x.reshape((x.shape[0], x.shape[1] // each, each, *places)), size=size, **geometry)


# Channels to pixels

def _to_pixels(x, *, factor):
    *lead, channels, h, w = x.shape
    n, r = len(lead), factor
    x = x.reshape(*lead, channels // (r * r), r, r, h, w)
    out = x.transpose(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return np.array(out, order="C").reshape(*lead, channels // (r * r), h * r, w * r)


def _to_channels(x, *, factor):
    *lead, channels, h, w = x.shape
    n, r = len(lead), factor
    x = x.reshape(*lead, channels, h // r, r, w // r, r)
    out = x.transpose(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return np.array(out, order="C").reshape(*lead, channels * r * r, h // r, w // r)


def _shuffle_samples(sizes):
    def samples(draw):
        r = draw.integer(1, 2)
        c, h, w = (draw.integer(1, 2) * r ** power for power in sizes)
        return call(draw.array(shape=(*draw.choice([(), (2,), (0, 1)]), c, h, w)), factor=r)
    return samples


_pixels = operation(_to_pixels, vjps=lambda g, out, x, factor: _channels(g, factor=factor), names="_to_pixels",
                    samples=_shuffle_samples((2, 0, 0)))
_channels = operation(_to_channels, vjps=lambda g, out, x, factor: _pixels(g, factor=factor), names="_to_channels",
                      samples=_shuffle_samples((0, 1, 1)))


def _check_shuffle(name, x, role, factor):
    if x.ndim < 3:
        raise ValueError(f"{name}: the input must have shape (*, C, H, W), not {x.shape}")
    if factor < 1:
        raise ValueError(f"{name}: {role} must be at least 1, not {factor}")


def pixel_shuffle(input, upscale_factor):
    """(*, C r², H, W) -> (*, C, H r, W r) (Shi et al. 2016)."""
    x, r = as_tensor(input), upscale_factor
    _check_shuffle("pixel_shuffle", x, "upscale_factor", r)
    if x.shape[-3] % (r * r):
        raise ValueError(f"pixel_shuffle: {x.shape[-3]} channels are not divisible by upscale_factor² = {r * r}")
    return _pixels(x, factor=r)


def pixel_unshuffle(input, downscale_factor):
    """(*, C, H r, W r) -> (*, C r², H, W): the inverse of `pixel_shuffle`."""
    x, r = as_tensor(input), downscale_factor
    _check_shuffle("pixel_unshuffle", x, "downscale_factor", r)
    h, w = x.shape[-2:]
    if h % r or w % r:
        raise ValueError(f"pixel_unshuffle: the size {h, w} is not divisible by downscale_factor {r}")
    return _channels(x, factor=r)


# Resizing

_MODES = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "linear": (1,), "bilinear": (2,), "trilinear": (3,),
          "bicubic": (2,), "lanczos": (2,), "area": (1, 2, 3)}
_ALONG_AN_AXIS = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}


def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None,
                antialias=False):
    """(N, C, ...) in another size.

    An output depends on the neighbors that its mode reads and on no others, so that a NaN stays where it is.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: of the output, a number or one per dimension; or
        scale_factor: by which the size is multiplied.
        mode: "nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area", "lanczos" (with
            antialias).
        align_corners: whether the middle points of the corners (True) or the corners themselves are kept in place.
        recompute_scale_factor: take positions from the sizes, of which scale_factor gives that of the output, rounded
            down, and not from scale_factor itself.
        antialias: with "bilinear", "bicubic" and "lanczos", widen the filter where the size shrinks.
    """
    x = as_tensor(input)
    ndim = x.ndim - 2
    if mode not in _MODES or ndim not in _MODES[mode]:
        fits = [name for name, dims in _MODES.items() if ndim in dims]
        raise ValueError(f"interpolate: an input of shape {x.shape} can have mode {fits}, not {mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give either size or scale_factor")
    if recompute_scale_factor and size is not None:
        raise ValueError("interpolate: with an explicit size there is no scale factor to recompute; leave out "
                         "recompute_scale_factor")
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(f"interpolate: align_corners has no meaning with mode {mode!r}")
    if (antialias and mode not in ("bilinear", "bicubic", "lanczos")) or (mode == "lanczos" and not antialias):
        raise ValueError(f"interpolate: antialias={antialias} does not go with mode {mode!r}; 'bilinear' and 'bicubic' "
                         "may have it, 'lanczos' must, others cannot")
    if mode == "lanczos" and align_corners:
        raise ValueError("interpolate: mode 'lanczos' keeps the corners, not their middle points: align_corners must "
                         "be False")
    if size is not None:
        counts, factors = tuple_of(size, ndim, "size"), (None,) * ndim
    else:
        factors = tuple_of(scale_factor, ndim, "scale_factor", numbers.Real)
        counts = tuple([math.floor(n * f) for n, f in zip(x.shape[2:], factors, strict=True)])
    if min(*counts, *x.shape[2:]) < 1:
        raise ValueError(f"interpolate: an input of size {x.shape[2:]} cannot become one of size {tuple(counts)}: both "
                         "need at least 1 in each dimension")
    if mode == "area":
        from nn.functional import pooling
        return getattr(pooling, f"adaptive_avg_pool{ndim}d")(x, counts)
    if not mode.startswith("nearest") and not x.is_floating_point():
        raise TypeError(f"interpolate: mode {mode!r} computes weighted means, which integers cannot hold, and the "
                        f"input is {x.dtype}; write input.float(), or take mode 'nearest'")
    if recompute_scale_factor or align_corners:
        factors = (None,) * ndim
    taps = [resizing(n, count, _ALONG_AN_AXIS.get(mode, mode), bool(align_corners), factor, bool(antialias),
                     dtypes.float64 if x.dtype == dtypes.float64 else dtypes.float32)
            for n, count, factor in zip(x.shape[2:], counts, factors, strict=True)]
    return resample(x, taps=tuple(taps), before=None, after=None)
