"""Regions of interest in feature pyramids: each box is read where it is about as large as a box should be."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

import autograd
import nn
from autograd import Tensor
from autograd.typing import Shape
from nn.functional.geometry import tuple_of
from nn.vision.ops.boxes import box_area
from nn.vision.ops.roi_pooling import as_rois, roi_align


class MultiScaleRoIAlign(nn.Module):
    """`roi_align` of boxes in maps of several resolutions, each box in the one that fits its size (Lin et al. 2017).

    Args:
        featmap_names: the names of the maps that are read.
        output_size: the number of bins, P = Q or (P, Q).
        sampling_ratio: how many samples a bin has in each direction; -1: as many as it has pixels.
        canonical_scale: a box with sides of this length belongs to the map ...
        canonical_level: ... whose pixels are 2 to this power wide; with twice the length, to the next coarser one.

    >>> maps = {"0": rand(1, 5, 64, 64), "1": rand(1, 5, 32, 32)}
    >>> boxes = [tensor([[0.0, 0.0, 30.0, 40.0], [10.0, 20.0, 200.0, 250.0]])]
    >>> MultiScaleRoIAlign(["0", "1"], 3, 2)(maps, boxes, [(256, 256)]).shape
    (2, 5, 3, 3)
    """

    def __init__(self, featmap_names: Sequence[str], output_size: Shape, sampling_ratio: int, *,
                 canonical_scale: int = 224, canonical_level: int = 4) -> None:
        super().__init__()
        self.featmap_names, self.sampling_ratio = featmap_names, sampling_ratio
        self.output_size = tuple_of(output_size, 2, "output_size")
        self.canonical_scale, self.canonical_level = canonical_scale, canonical_level

    def forward(self, x: Mapping[str, Tensor], boxes: Sequence[Tensor],
                image_shapes: Sequence[tuple[int, int]]) -> Tensor:
        """The bins (K, C, P, Q) of all boxes.

        Args:
            x: the maps (N, C, H, W) by name, finest first; the sizes are the images' divided by powers of two.
            boxes: for each image its boxes (L, 4).
            image_shapes: (height, width) of each image.
        """
        maps = [features for name, features in x.items() if name in self.featmap_names]
        if not maps:
            raise ValueError(f"none of the maps {', '.join(map(repr, x))} is among those to be read, "
                             f"{', '.join(map(repr, self.featmap_names))}")
        if not image_shapes:
            raise ValueError("there are no images: image_shapes is empty")
        height = max(height for height, _ in image_shapes)
        scales = [2.0 ** round(math.log2(features.shape[-2] / height)) for features in maps]
        rois = as_rois(list(boxes))
        if len(maps) == 1:
            return roi_align(maps[0], rois, self.output_size, scales[0], self.sampling_ratio)
        levels = self._levels(rois[:, 1:], scales)
        each = [np.nonzero(levels == level)[0] for level in range(len(maps))]
        pooled = [roi_align(features, rois[of_level], self.output_size, scale, self.sampling_ratio)
                  for features, scale, of_level in zip(maps, scales, each, strict=True)]
        return autograd.cat(pooled)[np.argsort(np.concatenate(each))]

    def _levels(self, boxes: Tensor, scales: Sequence[float]) -> np.ndarray:
        """Which of the maps each box belongs to."""
        finest, coarsest = -math.log2(scales[0]), -math.log2(scales[-1])
        side = box_area(boxes.detach()).clamp(min=0).sqrt().numpy()
        with np.errstate(divide="ignore"):  # a box without area belongs to the finest
            level = np.floor(self.canonical_level + np.log2(side / self.canonical_scale) + side.dtype.type(1e-6))
        return (np.clip(level, finest, coarsest) - finest).astype(np.int64)

    def extra_repr(self) -> str:
        return (f"featmap_names={self.featmap_names}, output_size={self.output_size}, "
                f"sampling_ratio={self.sampling_ratio}")
