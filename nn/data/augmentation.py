"""Augmentation: batches of images (N, C, H, W) changed at random, each image in its own way (CS231n notes).

Each function takes an array or a Tensor and gives a Tensor of the same dtype, and of the same shape unless a size is
given; call them on the batches of a DataLoader, or in its collate_fn for workers to do it, and in training only.
"""

import math

import numpy as np

import autograd
from autograd import Generator, Tensor, as_tensor
from autograd.errors import ShapeError
from autograd.random import numpy_generator


def _images(name: str, images: Tensor | np.ndarray) -> np.ndarray:
    x = np.asarray(as_tensor(images).detach().array)
    if x.ndim != 4:
        raise ShapeError(f"{name}: images must have shape (N, C, H, W), not {x.shape}")
    return x


def _floating_images(name: str, images: Tensor | np.ndarray) -> np.ndarray:
    x = _images(name, images)
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: images must be floating, not {x.dtype}; write images.float()")
    return x


def random_flip(images: Tensor | np.ndarray, p: float = 0.5, generator: Generator | None = None) -> Tensor:
    """Each image mirrored left to right with probability p."""
    x = _images("random_flip", images)
    mirrored = numpy_generator(generator).random((len(x), 1, 1, 1)) < p
    return as_tensor(np.where(mirrored, x[..., ::-1], x))


def random_crop(images: Tensor | np.ndarray, padding: int, generator: Generator | None = None) -> Tensor:
    """Each image moved by up to `padding` pixels up or down and left or right; what comes in is 0."""
    x = _images("random_crop", images)
    if padding < 0:
        raise ValueError(f"random_crop: padding must be at least 0, not {padding}")
    height, width = x.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    top, left = numpy_generator(generator).integers(0, 2 * padding + 1, (2, len(x), 1, 1))
    rows, columns = top + np.arange(height)[:, None], left + np.arange(width)
    return as_tensor(np.moveaxis(padded[np.arange(len(x))[:, None, None], :, rows, columns], -1, 1).copy())


def random_resized_crop(images: Tensor | np.ndarray, size: int | tuple[int, int],
                        scale: tuple[float, float] = (0.08, 1.0), ratio: tuple[float, float] = (3 / 4, 4 / 3),
                        generator: Generator | None = None) -> Tensor:
    """A random rectangle of each image, scaled to one size (Szegedy et al. 2015; torchvision's RandomResizedCrop).

    Args:
        images: (N, C, H, W), floating.
        size: of the result, (height, width) or one number for both.
        scale: the least and the largest share of the image's area, uniform between.
        ratio: the least and the largest width/height, its logarithm uniform between. Of ten rectangles drawn the first
            that fits into the image is taken; if none does, the whole image.
        generator: of the random numbers.

    Scaling is bilinear; where it makes smaller, the weights widen to cover all pixels (antialiasing).

    >>> random_resized_crop(rand(8, 3, 32, 32), 24, scale=(0.5, 1.0)).shape
    (8, 3, 24, 24)
    """
    x = _floating_images("random_resized_crop", images)
    size = (size, size) if isinstance(size, int) else tuple(size)
    if len(size) != 2 or min(size) < 1 or not 0 < scale[0] <= scale[1] <= 1 or not 0 < ratio[0] <= ratio[1]:
        raise ValueError("random_resized_crop: size must be at least 1, scale two shares of the area in order, within "
                         f"(0, 1], and ratio two positive numbers in order, not {size}, {scale} and {ratio}")
    count, _, height, width = x.shape
    rng, image = numpy_generator(generator), np.arange(count)
    area = height * width * rng.uniform(*scale, (10, count))
    aspect = np.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1]), (10, count)))
    heights, widths = np.rint(np.sqrt(area / aspect)), np.rint(np.sqrt(area * aspect))
    fits = (heights >= 1) & (heights <= height) & (widths >= 1) & (widths <= width)
    first, found = fits.argmax(0), fits.any(0)
    h = np.where(found, heights[first, image], height).astype(int)
    w = np.where(found, widths[first, image], width).astype(int)
    top, left = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    rows, columns = _scaling(top, h, height, size[0]), _scaling(left, w, width, size[1])
    return as_tensor(rows.astype(x.dtype)[:, None] @ x @ columns.astype(x.dtype)[:, None].swapaxes(2, 3))


def _scaling(start: np.ndarray, length: np.ndarray, pixels: int, size: int) -> np.ndarray:
    """Matrices (N, size, pixels) that scale pixels start to start + length of each image, with triangles as weights."""
    start, length = start[:, None, None], length[:, None, None]
    factor, pixel = length / size, np.arange(pixels)
    distance = start + (np.arange(size)[:, None] + 0.5) * factor - (pixel + 0.5)
    weights = np.maximum(0, 1 - np.abs(distance) / np.maximum(factor, 1))
    weights = np.where((pixel >= start) & (pixel < start + length), weights, 0)
    return weights / weights.sum(2, keepdims=True)


def color_jitter(images: Tensor | np.ndarray, brightness: float = 0.0, contrast: float = 0.0,
                 generator: Generator | None = None) -> Tensor:
    """Each image b·(m + c·(x − m)): m its mean, c and b uniform within 1 ± contrast and 1 ± brightness."""
    x = _floating_images("color_jitter", images)
    b, c = numpy_generator(generator).uniform(-1, 1, (2, len(x), 1, 1, 1))
    mean = x.mean((1, 2, 3), keepdims=True, dtype=np.float64)
    return as_tensor(((1 + brightness * b) * (mean + (1 + contrast * c) * (x - mean))).astype(x.dtype))


def cutout(images: Tensor | np.ndarray, size: int, generator: Generator | None = None) -> Tensor:
    """A square of 0 in each image, its center anywhere: it may reach over the edge (DeVries and Taylor 2017)."""
    x = _images("cutout", images)
    height, width = x.shape[2:]
    rng = numpy_generator(generator)
    top = rng.integers(0, height, (len(x), 1)) - size // 2
    left = rng.integers(0, width, (len(x), 1)) - size // 2
    rows, columns = np.arange(height), np.arange(width)
    inside = (((rows >= top) & (rows < top + size))[:, None, :, None]
              & ((columns >= left) & (columns < left + size))[:, None, None, :])
    return as_tensor(np.where(inside, x.dtype.type(0), x))


def mixup(images: Tensor | np.ndarray, targets: Tensor | np.ndarray, alpha: float = 0.2,
          generator: Generator | None = None) -> tuple[Tensor, Tensor]:
    """Each example λ·(its own) + (1 − λ)·(another's), λ ~ Beta(alpha, alpha) (Zhang et al. 2018).

    Args:
        images: (N, *), floating.
        targets: (N, C), class probabilities, as cross_entropy takes them; of labels: nn.functional.one_hot(y).float().
        alpha: greater than 0; the smaller, the less is mixed.
        generator: of the random numbers.
    """
    x, y = autograd.as_tensor(images).detach(), autograd.as_tensor(targets).detach()
    if len(x) != len(y) or y.ndim != 2 or not (x.is_floating_point() and y.is_floating_point()):
        raise ShapeError(f"mixup: images (N, *) and targets (N, C) must be floating and of one length, not {x.dtype} "
                         f"{x.shape} and {y.dtype} {y.shape}; of labels make nn.functional.one_hot(y).float()")
    rng = numpy_generator(generator)
    share, other = rng.beta(alpha, alpha, len(x)), rng.permutation(len(x))

    def mixed(a: np.ndarray) -> Tensor:
        part = share.reshape(-1, *[1] * (a.ndim - 1)).astype(a.dtype)
        return as_tensor(part * a + (1 - part) * a[other])
    return mixed(x.numpy()), mixed(y.numpy())
