"""Blurring, noise, and rectangles erased."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from nn import functional as F
from nn.vision.transforms.functional.conversion import on_images


def _pair(values: Any) -> list:
    values = list(values) if isinstance(values, (list, tuple)) else [values]
    return values * 2 if len(values) == 1 else values


@on_images
def gaussian_blur(image: Tensor, kernel_size: int | Sequence[int],
                  sigma: float | Sequence[float] | None = None) -> Tensor:
    """Each pixel the mean of those around, with a Gaussian as weights; at the edge the picture is mirrored.

    Args:
        image: (*, C, H, W).
        kernel_size: how many pixels count in x and y, odd.
        sigma: of the Gaussian, in x and y; default 0.15 kernel_size + 0.35.
    """
    sizes = _pair(kernel_size)
    if len(sizes) != 2 or any(size < 1 or size % 2 == 0 for size in sizes):
        raise ValueError(f"kernel_size must be odd and at least 1, one number or two, not {kernel_size}")
    sigmas = [0.15 * size + 0.35 for size in sizes] if sigma is None else _pair(sigma)
    if len(sigmas) != 2 or min(sigmas) <= 0:
        raise ValueError(f"sigma must be above 0, one number or two, not {sigma}")
    if not image.numel():
        return image
    x = image if image.is_floating_point() else image.float()
    lines = []
    for size, wide in zip(sizes, sigmas, strict=True):
        reach = (size - 1) / (2 * math.sqrt(2))
        weights = np.exp(-(np.linspace(-reach, reach, size) / wide) ** 2)
        lines.append((weights / weights.sum()).astype(x.dtype))
    kernel = np.broadcast_to(np.outer(lines[1], lines[0]), (image.shape[-3], 1, sizes[1], sizes[0])).copy()
    padded = F.pad(x.reshape(-1, *x.shape[-3:]), (sizes[0] // 2,) * 2 + (sizes[1] // 2,) * 2, mode="reflect")
    out = F.conv2d(padded, Tensor(kernel), groups=image.shape[-3]).reshape(image.shape)
    return out if image.is_floating_point() else out.round().to(image.dtype)


@on_images
def gaussian_noise(image: Tensor, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Tensor:
    """With normal noise added, whose mean and sigma are of a range of [0, 1]; `clip`: cut off to that range."""
    if sigma < 0:
        raise ValueError(f"sigma must be at least 0, not {sigma}")
    if image.is_floating_point():
        out = image + (mean + autograd.randn_like(image) * sigma)
        return out.clamp(0, 1) if clip else out
    if image.dtype != np.uint8:
        raise TypeError(f"noise is added to floating pictures and to uint8, not to {image.dtype}")
    noise = (mean * 255 + autograd.randn_like(image, dtype=np.float32) * (sigma * 255)).to(np.int16)
    out = image.to(np.int16) + noise
    return (out.clamp(0, 255) if clip else out).to(np.uint8)


@on_images
def erase(image: Tensor, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Tensor:
    """With `v` (a number, or a Tensor that fits) in the rectangle of h × w pixels from row i and column j on."""
    image = image if inplace else image.clone()
    image[..., i:i + h, j:j + w] = v
    return image
