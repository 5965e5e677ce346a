"""Anchors: the boxes that a detector starts from, the same ones around each pixel of a feature map."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor
from autograd.errors import ShapeError
from nn.vision.models.detection.image_list import ImageList

Numbers = Sequence[float]


def _places(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """All pairs (x, y), row by row: (rows · columns, 1, 2)."""
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 1, 2)


class AnchorGenerator(nn.Module):
    """Boxes of given sizes and aspect ratios, a set for each map, around where each of its pixels begins.

    Args:
        sizes: for each map, the square roots of the areas; or one number for each map.
        aspect_ratios: for each map, heights relative to widths; or the same for all.

    >>> images = ImageList(zeros(1, 3, 64, 64), [(64, 64)])
    >>> generator = AnchorGenerator(((16,), (32,)), (0.5, 1.0, 2.0))
    >>> anchors = generator(images, [zeros(1, 8, 4, 4), zeros(1, 8, 2, 2)])
    >>> [len(anchors), anchors[0].shape]  # (16 + 4) places, 3 boxes at each
    [1, (60, 4)]
    """

    def __init__(self, sizes: Sequence[Numbers] | Numbers = ((128, 256, 512),),
                 aspect_ratios: Sequence[Numbers] | Numbers = ((0.5, 1.0, 2.0),)) -> None:
        super().__init__()
        self.sizes = tuple(size if isinstance(size, Sequence) else (size,) for size in sizes)
        ratios: Any = aspect_ratios
        self.aspect_ratios: tuple[Numbers, ...] = (
            tuple(ratios) if isinstance(ratios[0], Sequence) else (ratios,) * len(self.sizes))
        self.cell_anchors = [self._around_zero(*pair) for pair in zip(self.sizes, self.aspect_ratios, strict=False)]

    @staticmethod
    def _around_zero(sizes: Numbers, aspect_ratios: Numbers) -> np.ndarray:
        size, root = np.array(sizes, np.float32), np.sqrt(np.array(aspect_ratios, np.float32))[:, None]
        sides = np.stack([1 / root * size, root * size], -1).reshape(-1, 2)
        return (np.concatenate([-sides, sides], 1) / 2).round()

    def num_anchors_per_location(self) -> list[int]:
        """How many boxes there are around each pixel of each map."""
        return [len(sizes) * len(ratios) for sizes, ratios in zip(self.sizes, self.aspect_ratios, strict=False)]

    def forward(self, image_list: ImageList, feature_maps: Sequence[Tensor]) -> list[Tensor]:
        """The boxes (A, 4) of each image, which are the same: map by map, place by place."""
        if len(feature_maps) != len(self.cell_anchors):
            raise ShapeError(f"there are {len(feature_maps)} feature maps, and sizes and aspect ratios of anchors for "
                             f"{len(self.cell_anchors)}")
        boxes = []
        for features, cell in zip(feature_maps, self.cell_anchors, strict=True):
            y, x = (np.arange(n) * (whole // n) for n, whole in zip(
                features.shape[-2:], image_list.tensors.shape[-2:], strict=True))
            boxes.append((np.tile(_places(y, x), 2) + cell).reshape(-1, 4))
        anchors = np.concatenate(boxes).astype(feature_maps[0].dtype)
        return [autograd.from_numpy(anchors) for _ in image_list.image_sizes]

    def extra_repr(self) -> str:
        return f"sizes={self.sizes}, aspect_ratios={self.aspect_ratios}"


class DefaultBoxGenerator(nn.Module):
    """SSD's anchors: around the middle of each pixel, their sizes relative to the image's (Liu et al. 2016).

    Args:
        aspect_ratios: for each map, the ratios other than 1; each is used in both directions.
        min_ratio: the scale of the first map ...
        max_ratio: ... and of the last one; the others lie between.
        scales: instead, the scale of each map and one more.
        steps: for each map, how many pixels of the image one of its pixels is; default: from the sizes.
        clip: whether boxes are no larger than the image.
    """

    def __init__(self, aspect_ratios: Sequence[Numbers], min_ratio: float = 0.15, max_ratio: float = 0.9,
                 scales: Numbers | None = None, steps: Numbers | None = None, clip: bool = True) -> None:
        super().__init__()
        if steps is not None and len(steps) != len(aspect_ratios):
            raise ValueError(f"there are {len(steps)} steps and aspect ratios for {len(aspect_ratios)} maps")
        self.aspect_ratios, self.steps, self.clip = aspect_ratios, steps, clip
        count = len(aspect_ratios)
        if scales is not None:
            self.scales = list(scales)
        elif count == 1:
            self.scales = [min_ratio, max_ratio]
        else:
            self.scales = [*(min_ratio + (max_ratio - min_ratio) * k / (count - 1) for k in range(count)), 1.0]

    def _sides(self, k: int) -> np.ndarray:
        """Width and height of the boxes of a map, relative to the image."""
        scale, between = self.scales[k], math.sqrt(self.scales[k] * self.scales[k + 1])
        sides = [(scale, scale), (between, between)]
        for ratio in self.aspect_ratios[k]:
            long, short = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
            sides += [(long, short), (short, long)]
        relative = np.array(sides, np.float32)
        return relative.clip(0, 1) if self.clip else relative

    def num_anchors_per_location(self) -> list[int]:
        """How many boxes there are around each pixel of each map."""
        return [2 + 2 * len(ratios) for ratios in self.aspect_ratios]

    def forward(self, image_list: ImageList, feature_maps: Sequence[Tensor]) -> list[Tensor]:
        """The boxes (A, 4) of each image, which are the same: map by map, place by place."""
        height, width = image_list.tensors.shape[-2:]
        dtype, boxes = feature_maps[0].dtype, []
        for k, features in enumerate(feature_maps):
            size = features.shape[-2:]
            counts = size if self.steps is None else (height / self.steps[k], width / self.steps[k])
            y, x = ((np.arange(n, dtype=np.float32) + np.float32(0.5)) / np.float32(count)  # single, as in torchvision
                    for n, count in zip(size, counts, strict=True))
            center, half = _places(y, x).astype(dtype), 0.5 * self._sides(k).astype(dtype)
            boxes.append(np.concatenate([center - half, center + half], -1).reshape(-1, 4))
        anchors = np.concatenate(boxes) * np.array([width, height, width, height], dtype)
        return [autograd.from_numpy(anchors) for _ in image_list.image_sizes]

    def extra_repr(self) -> str:
        return f"aspect_ratios={self.aspect_ratios}, clip={self.clip}, scales={self.scales}, steps={self.steps}"
