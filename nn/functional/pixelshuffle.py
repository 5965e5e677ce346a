"""Channels of an image rearranged as pixels, and back."""

import numpy as np

from autograd import Tensor, as_tensor, operation
from autograd.errors import ShapeError
from autograd.samples import call
from autograd.typing import TensorLike


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
                    samples=_shuffle_samples((2, 0, 0)), flops=0)
_channels = operation(_to_channels, vjps=lambda g, out, x, factor: _pixels(g, factor=factor), names="_to_channels",
                      samples=_shuffle_samples((0, 1, 1)), flops=0)


def _check_shuffle(x, role, factor):
    if x.ndim < 3:
        raise ShapeError(f"the input must have shape (*, C, H, W), not {x.shape}")
    if factor < 1:
        raise ValueError(f"{role} must be at least 1, not {factor}")


def pixel_shuffle(input: TensorLike, upscale_factor: int) -> Tensor:
    """(*, C r², H, W) -> (*, C, H r, W r) (Shi et al. 2016)."""
    x, r = as_tensor(input), upscale_factor
    _check_shuffle(x, "upscale_factor", r)
    if x.shape[-3] % (r * r):
        raise ShapeError(f"{x.shape[-3]} channels are not divisible by upscale_factor² = {r * r}")
    return _pixels(x, factor=r)


def pixel_unshuffle(input: TensorLike, downscale_factor: int) -> Tensor:
    """(*, C, H r, W r) -> (*, C r², H, W): the inverse of `pixel_shuffle`."""
    x, r = as_tensor(input), downscale_factor
    _check_shuffle(x, "downscale_factor", r)
    h, w = x.shape[-2:]
    if h % r or w % r:
        raise ValueError(f"the size {h, w} is not divisible by downscale_factor {r}")
    return _channels(x, factor=r)


def channel_shuffle(input: TensorLike, groups: int) -> Tensor:
    """(N, C, ...) with the channels of all groups in turn: the first of each, then the second … (Zhang et al. 2018)."""
    x = as_tensor(input)
    if x.ndim < 3:
        raise ShapeError(f"the input must have shape (N, C, ...) with at least 3 axes, not {x.shape}")
    if groups < 1 or x.shape[1] % groups:
        raise ShapeError(f"{x.shape[1]} channels cannot be divided into groups={groups}")
    if groups == 1:
        return x.clone()
    return x.unflatten(1, (groups, x.shape[1] // groups)).transpose(1, 2).flatten(1, 2)
