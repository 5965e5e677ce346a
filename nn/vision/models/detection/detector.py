"""What all detectors do: bring images into one size, look, and bring what is found back."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor, as_tensor, cat
from autograd.typing import TensorLike
from nn.vision.models.detection._utils import Detections, Losses, Matcher, Target, check_targets, surest
from nn.vision.models.detection.image_list import ImageList
from nn.vision.models.detection.transform import GeneralizedRCNNTransform
from nn.vision.ops import clip_boxes_to_image


class Detector(nn.Module):
    """Base of detectors: images to losses in training, and else to what is in them.

    A subclass has a `transform` and a `backbone`, and says in `look` what it makes of the backbone's features.
    """

    transform: GeneralizedRCNNTransform
    backbone: nn.Module

    def forward(self, images: Sequence[TensorLike], targets: Sequence[Target] | None = None) -> Any:
        """Losses by name in training; else for each image what was found, the surest first.

        Args:
            images: Tensors or arrays (C, H, W) of any size, with numbers from 0 to 1.
            targets: for each image "boxes" (N, 4), corners in pixels, and "labels" (N,), integers; where the model
                wants them, "masks" (N, H, W) or "keypoints" (N, K, 3).

        Returns:
            In eval mode a dict for each image: "boxes" (N, 4), "labels" (N,), "scores" (N,), and for some models
            "masks" (N, 1, H, W) or "keypoints" (N, K, 3) with "keypoints_scores" (N, K).
        """
        tensors = [as_tensor(image) for image in images]
        if self.training or targets is not None:
            check_targets(tensors, targets)
        batch, resized = self.transform(tensors, targets)
        for i, target in enumerate(resized or ()):
            boxes = target["boxes"].numpy()
            degenerate = ~(boxes[:, 2:] > boxes[:, :2]).all(1)  # also nan
            if degenerate.any():
                raise ValueError(f"boxes must have positive height and width, and target {i} has "
                                 f"{targets[i]['boxes'][degenerate][0].tolist()}")  # type: ignore[index]
        features = self.backbone(batch.tensors)
        losses, detections = self.look(batch, features if isinstance(features, Mapping) else {"0": features}, resized)
        if self.training:
            return losses
        return self.transform.postprocess(detections, batch.image_sizes, [image.shape[-2:] for image in tensors])

    def look(self, images: ImageList, features: Mapping[str, Tensor],
             targets: Sequence[Target] | None) -> tuple[Losses, Detections]:
        """Losses, in training, and what was found in the batch, otherwise."""
        raise NotImplementedError(f"{type(self).__name__} needs a method look(self, images, features, targets)")


class DenseDetector(Detector):
    """Base of detectors in one stage, which look at every anchor of every map.

    A subclass has a `head`, an `anchor_generator` and the limits, and says in `match`, `scores_of` and `boxes_of` what
    belongs to which anchor and what the head's outputs mean.
    """

    head: Any
    anchor_generator: nn.Module
    score_thresh: float
    nms_thresh: float
    detections_per_img: int
    topk_candidates: int

    def match(self, anchors: Tensor, target: Target, maps: Sequence[Tensor]) -> Tensor:
        """The object of each anchor of an image with some, or a negative number."""
        raise NotImplementedError

    def scores_of(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """The probabilities (anchors, classes)."""
        raise NotImplementedError

    def boxes_of(self, codes: Tensor, anchors: Tensor) -> Tensor:
        """The boxes (n, 4) that anchors become."""
        raise NotImplementedError

    def look(self, images: ImageList, features: Mapping[str, Tensor],
             targets: Sequence[Target] | None) -> tuple[Losses, Detections]:
        maps = list(features.values())
        outputs = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        if self.training:
            assert targets is not None
            matched = [self.match(of_image, target, maps) if len(target["boxes"]) else
                       autograd.full((len(of_image),), Matcher.BELOW_LOW_THRESHOLD)
                       for of_image, target in zip(anchors, targets, strict=True)]
            return self.compute_loss(targets, outputs, anchors, matched), []
        pixels = np.array([features.shape[-2] * features.shape[-1] for features in maps])
        ends = np.cumsum(pixels * (len(anchors[0]) // pixels.sum()))
        return {}, [self.found({name: each[i] for name, each in outputs.items()}, anchors[i], ends, size)
                    for i, size in enumerate(images.image_sizes)]

    def compute_loss(self, targets: Sequence[Target], head_outputs: Mapping[str, Tensor], anchors: Sequence[Tensor],
                     matched_idxs: Sequence[Tensor]) -> Losses:
        """The losses, given the object of each anchor of each image, or a negative number."""
        losses: Losses = self.head.compute_loss(targets, head_outputs, anchors, matched_idxs)
        return losses

    def found(self, outputs: Mapping[str, Tensor], anchors: Tensor, ends: np.ndarray,
              size: tuple[int, int]) -> dict[str, Tensor]:
        """What is in an image: of each map, whose anchors end at `ends`, the surest, and of these what stays."""
        scores = self.scores_of(outputs)
        boxes, kept, labels = [], [], []
        for start, end in zip([0, *ends], ends, strict=False):
            anchor, label = np.nonzero(scores.detach().numpy()[start:end] > self.score_thresh)
            score, top = scores[anchor + start, label].topk(min(self.topk_candidates, len(anchor)))
            anchor, label = anchor[top.numpy()] + start, label[top.numpy()]
            boxes.append(clip_boxes_to_image(self.boxes_of(outputs["bbox_regression"][anchor], anchors[anchor]), size))
            kept.append(score)
            labels.append(label)
        return surest(cat(boxes), cat(kept), np.concatenate(labels), self.nms_thresh, self.detections_per_img)
