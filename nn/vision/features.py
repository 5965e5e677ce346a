"""Classic hand-made image features: gradients, colors, and bags of visual words."""

from collections.abc import Sequence
from typing import Self

import numpy as np

import autograd
from autograd import Generator, Tensor, as_tensor
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn.data.clustering import KMeans
from nn.functional.geometry import tuple_of
from nn.vision.transforms.functional.color import hue_saturation_value
from nn.vision.transforms.functional.conversion import to_dtype


def hog(images: TensorLike, orientations: int = 9, pixels_per_cell: int | Sequence[int] = 8,
        cells_per_block: int | Sequence[int] = 3, block_norm: str = "L2-Hys", feature_vector: bool = True) -> Tensor:
    """Histograms of oriented gradients (Dalal and Triggs 2005).

    In each cell the lengths of the gradients are added up by direction; of each pixel that of the channel where it is
    longest. Then the histograms of each block of cells are normalized together. The numbers are scikit-image's.

    Args:
        images: (N, C, H, W), or one picture (C, H, W).
        orientations: into how many directions 180 degrees are divided.
        pixels_per_cell: (rows, columns), or one number for both.
        cells_per_block: (rows, columns), or one number for both.
        block_norm: "L1", "L1-sqrt", "L2" or "L2-Hys" (cut off at 0.2, and normalized again).
        feature_vector: all in one vector, (N, features); else (N, block rows, block columns, *cells_per_block,
            orientations).

    >>> hog(autograd.rand(2, 3, 32, 32)).shape
    (2, 324)
    """
    x = as_tensor(images).detach()
    if x.ndim == 3:
        return hog(x[None], orientations, pixels_per_cell, cells_per_block, block_norm, feature_vector)[0]
    if x.ndim != 4:
        raise ShapeError(f"pictures have shape (N, C, H, W) or (C, H, W), not {x.shape}")
    height, width = tuple_of(pixels_per_cell, 2, "pixels_per_cell")
    block = tuple_of(cells_per_block, 2, "cells_per_block")
    rows, columns = x.shape[2] // height, x.shape[3] // width
    if rows < block[0] or columns < block[1]:
        raise ShapeError(f"pictures of {x.shape[2]} × {x.shape[3]} pixels have {rows} × {columns} cells, less than a "
                         f"block of {block[0]} × {block[1]}")
    if block_norm not in ("L1", "L1-sqrt", "L2", "L2-Hys"):
        raise ValueError(f"block_norm must be 'L1', 'L1-sqrt', 'L2' or 'L2-Hys', not {block_norm!r}")
    pixels = x.numpy().astype(np.float64)
    down, right = np.zeros_like(pixels), np.zeros_like(pixels)
    down[:, :, 1:-1] = pixels[:, :, 2:] - pixels[:, :, :-2]
    right[..., 1:-1] = pixels[..., 2:] - pixels[..., :-2]
    length = np.hypot(down, right)
    which = length.argmax(1)[:, None]
    down, right, length = (np.take_along_axis(a, which, 1)[:, 0] for a in (down, right, length))
    direction = np.rad2deg(np.arctan2(down, right)) % 180 / (180 / orientations)
    bins = np.minimum(direction.astype(np.int64), orientations - 1)
    cells = np.zeros((len(x), rows, columns, orientations))
    inside = np.s_[:, :rows * height, :columns * width]
    split = len(x), rows, height, columns, width
    image, row, _, column, _ = np.indices(split)
    np.add.at(cells, (image, row, column, bins[inside].reshape(split)), length[inside].reshape(split))
    blocks = np.lib.stride_tricks.sliding_window_view(cells / (height * width), block, (1, 2))
    blocks = _normalized(np.moveaxis(blocks, 3, -1), block_norm)
    out = blocks.reshape(len(x), -1) if feature_vector else blocks
    return Tensor(out.astype(x.dtype if x.is_floating_point() else autograd.get_default_dtype()))


def _normalized(blocks: np.ndarray, norm: str) -> np.ndarray:
    axes, eps = (-3, -2, -1), 1e-5
    if norm.startswith("L1"):
        out = blocks / (np.abs(blocks).sum(axes, keepdims=True) + eps)
        return np.sqrt(out) if norm == "L1-sqrt" else out
    out = blocks / np.sqrt((blocks ** 2).sum(axes, keepdims=True) + eps ** 2)
    return _normalized(np.minimum(out, 0.2), "L2") if norm == "L2-Hys" else out


def color_histogram(images: TensorLike, bins: int = 10, space: str = "hue") -> Tensor:
    """Which share of the pixels has which color, (N, channels · bins).

    Args:
        images: (N, 3, H, W), or one picture (3, H, W), uint8, or floating within [0, 1].
        bins: how many, of equal width.
        space: "hue", or the histograms of the channels of "hsv" or "rgb", one after the other.

    >>> color_histogram(autograd.rand(2, 3, 8, 8), bins=4, space="rgb").shape
    (2, 12)
    """
    x = as_tensor(images).detach()
    if x.ndim == 3:
        return color_histogram(x[None], bins, space)[0]
    if x.ndim != 4 or x.shape[1] != 3:
        raise ShapeError(f"pictures in color have shape (N, 3, H, W) or (3, H, W), not {x.shape}")
    if space not in ("hue", "hsv", "rgb") or bins < 1:
        raise ValueError(f"space must be 'hue', 'hsv' or 'rgb', and bins at least 1, not {space!r} and {bins}")
    pixels = to_dtype(x, np.float32, scale=True).numpy()
    if not ((pixels >= 0) & (pixels <= 1)).all():
        raise ValueError("floating pictures must be within [0, 1], this one has values from "
                         f"{pixels.min()} to {pixels.max()}; divide by 255, or write image.to(uint8)")
    channels = pixels if space == "rgb" else np.stack(hue_saturation_value(pixels)[:1 if space == "hue" else 3], 1)
    count = channels.shape[1]
    places = np.minimum((channels * bins).astype(np.int64), bins - 1).reshape(len(x) * count, -1)
    places += bins * np.arange(len(places))[:, None]
    counts = np.bincount(places.reshape(-1), minlength=len(places) * bins).reshape(len(x), count * bins)
    return Tensor((counts / (x.shape[2] * x.shape[3])).astype(autograd.get_default_dtype()))


class BagOfVisualWords:
    """Pictures as histograms of words: each descriptor of a picture stands for the nearest of a codebook.

    Args:
        words: how many there are in the codebook.
        generator: of the random numbers with which `KMeans` begins.

    A picture's descriptors are whatever describes its parts: small patches, or histograms of gradients.

    >>> patches = [F.unfold(autograd.rand(1, 3, 16, 16), 4, stride=4)[0].T for _ in range(5)]
    >>> bag = BagOfVisualWords(8).fit(patches)
    >>> bag(patches).shape
    (5, 8)
    """

    def __init__(self, words: int, generator: Generator | None = None) -> None:
        self.codebook = KMeans(words, generator=generator)

    def fit(self, descriptors: Sequence[TensorLike]) -> Self:
        """Make the codebook of the descriptors of training pictures, (n, D) each."""
        self.codebook.fit(np.concatenate([as_tensor(each).detach().numpy() for each in descriptors]))
        return self

    def __call__(self, descriptors: Sequence[TensorLike]) -> Tensor:
        """The share of each word in each picture, (N, words)."""
        words = self.codebook.n_clusters
        counts = [np.bincount(self.codebook.predict(as_tensor(each)).numpy(), minlength=words) for each in descriptors]
        each = np.array(counts, autograd.get_default_dtype()).reshape(len(counts), words)
        return Tensor(each / np.maximum(each.sum(1, keepdims=True), 1))
