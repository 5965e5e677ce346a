"""What detectors share: matching boxes with objects, writing one as seen from another, drawing samples."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor, cat
from autograd.errors import ShapeError
from nn import functional as F
from nn import init
from nn.vision.models._utils import small_normal
from nn.vision.ops import (
    FrozenBatchNorm2d,
    batched_nms,
    complete_box_iou_loss,
    distance_box_iou_loss,
    generalized_box_iou_loss,
)
from nn.vision.ops.boxes import box_convert
from nn.vision.tv_tensors import BoundingBoxes, BoundingBoxFormat

Target = Mapping[str, Tensor]
"""What is in an image: "boxes" (N, 4), "labels" (N,), for some models "masks" or "keypoints"."""
Detections = list[dict[str, Tensor]]
"""What is found in each image: the same, and "scores" (N,)."""
Losses = dict[str, Tensor]


# Which object each box belongs to

class Matcher:
    """Each box is given the object that it overlaps most, if it does so enough.

    Args:
        high_threshold: from this overlap on it belongs to it.
        low_threshold: below this it is background; between the two it is neither.
        allow_low_quality_matches: whether the boxes that overlap an object most are given theirs in any case.
    """

    BELOW_LOW_THRESHOLD = -1
    BETWEEN_THRESHOLDS = -2

    def __init__(self, high_threshold: float, low_threshold: float, allow_low_quality_matches: bool = False) -> None:
        if low_threshold > high_threshold:
            raise ValueError(f"low_threshold={low_threshold} must not be above high_threshold={high_threshold}")
        self.high_threshold, self.low_threshold = high_threshold, low_threshold
        self.allow_low_quality_matches = allow_low_quality_matches

    def __call__(self, match_quality_matrix: Tensor) -> Tensor:
        """For overlaps (objects, boxes) the object of each box, BELOW_LOW_THRESHOLD or BETWEEN_THRESHOLDS."""
        quality = match_quality_matrix.detach().numpy()
        if not quality.size:
            raise ValueError(f"no {'proposals' if len(quality) else 'objects'} to match in one of the images")
        nearest, best = quality.argmax(0), quality.max(0)
        matches = np.where(best < self.low_threshold, self.BELOW_LOW_THRESHOLD,
                           np.where(best < self.high_threshold, self.BETWEEN_THRESHOLDS, nearest))
        if self.allow_low_quality_matches:
            _, kept = np.nonzero(quality == quality.max(1, keepdims=True))
            matches[kept] = nearest[kept]
        return autograd.from_numpy(matches)


class SSDMatcher(Matcher):
    """Each object has the box that overlaps it most, and each other box the object that it overlaps enough.

    Args:
        threshold: what is enough.
    """

    def __init__(self, threshold: float) -> None:
        super().__init__(threshold, threshold)

    def __call__(self, match_quality_matrix: Tensor) -> Tensor:
        """For overlaps (objects, boxes) the object of each box, or BELOW_LOW_THRESHOLD."""
        matches = super().__call__(match_quality_matrix).numpy()
        matches[match_quality_matrix.detach().numpy().argmax(1)] = np.arange(match_quality_matrix.shape[0])
        return autograd.from_numpy(matches)


class BalancedPositiveNegativeSampler:
    """Draws boxes of objects and background for a loss, since nearly all are background.

    Args:
        batch_size_per_image: how many are drawn of each image.
        positive_fraction: how many of these are of objects, if there are so many.
    """

    def __init__(self, batch_size_per_image: int, positive_fraction: float) -> None:
        self.batch_size_per_image, self.positive_fraction = batch_size_per_image, positive_fraction

    def __call__(self, matched_idxs: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """For each image, of labels (boxes,) >= 1 for objects and 0 for background, which are drawn of both: masks."""
        positive: list[Tensor] = []
        negative: list[Tensor] = []
        for labels in matched_idxs:
            objects, background = np.nonzero(labels.numpy() >= 1)[0], np.nonzero(labels.numpy() == 0)[0]
            wanted = min(len(objects), int(self.batch_size_per_image * self.positive_fraction))
            for among, count, masks in ((objects, wanted, positive),
                                        (background, self.batch_size_per_image - wanted, negative)):
                mask = np.zeros(labels.shape, bool)
                mask[among[autograd.randperm(len(among)).numpy()[:count]]] = True
                masks.append(autograd.from_numpy(mask))
        return positive, negative


# One box as seen from another

class BoxCoder:
    """Boxes relative to others: how far their centers are moved, in sides of these, and how much larger they are.

    Args:
        weights: what x, y, width and height are multiplied by.
        bbox_xform_clip: the logarithm of the largest factor of a side.
    """

    def __init__(self, weights: Sequence[float], bbox_xform_clip: float = math.log(1000 / 16)) -> None:
        self.weights, self.bbox_xform_clip = weights, bbox_xform_clip

    def encode(self, reference_boxes: Sequence[Tensor], proposals: Sequence[Tensor]) -> list[Tensor]:
        """`encode_single` of each image."""
        return [self.encode_single(*pair) for pair in zip(reference_boxes, proposals, strict=True)]

    def encode_single(self, reference_boxes: Tensor, proposals: Tensor) -> Tensor:
        """Boxes (N, 4) as seen from as many others: (N, 4)."""
        seen, origin = (box_convert(boxes, "xyxy", "cxcywh") for boxes in (reference_boxes, proposals))
        with np.errstate(divide="ignore"):  # what has no area is no object, and its code not used
            codes = [(seen[:, :2] - origin[:, :2]) / origin[:, 2:], (seen[:, 2:] / origin[:, 2:]).log()]
        return cat(codes, 1) * np.array(self.weights, seen.dtype)

    def decode(self, rel_codes: Tensor, boxes: Sequence[Tensor]) -> Tensor:
        """The boxes (N, classes, 4) of codes (N, 4 · classes) as seen from those (N, 4) of all images."""
        together = cat(list(boxes))
        return self.decode_single(rel_codes, together).reshape(len(together), rel_codes.shape[-1] // 4, 4)

    def decode_single(self, rel_codes: Tensor, boxes: Tensor) -> Tensor:
        """The boxes (N, 4 · classes) of codes (N, 4 · classes) as seen from others (N, 4)."""
        origin = box_convert(boxes.to(rel_codes.dtype), "xyxy", "cxcywh").unsqueeze(1)
        codes = rel_codes.reshape(len(boxes), rel_codes.shape[-1] // 4, 4) / np.array(self.weights, rel_codes.dtype)
        centers = codes[..., :2] * origin[..., 2:] + origin[..., :2]
        sides = codes[..., 2:].clamp(max=self.bbox_xform_clip).exp() * origin[..., 2:]
        return box_convert(cat([centers, sides], -1), "cxcywh", "xyxy").flatten(1)


class BoxLinearCoder:
    """Boxes by how far their sides are from the center of another box: left, top, right, bottom.

    Args:
        normalize_by_size: whether in sides of that box.
    """

    def __init__(self, normalize_by_size: bool = True) -> None:
        self.normalize_by_size = normalize_by_size

    def _seen(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """The center of boxes, twice, and how long outward is in each direction: (..., 4)."""
        center = 0.5 * (boxes[..., :2] + boxes[..., 2:])
        sides = boxes[..., 2:] - boxes[..., :2] if self.normalize_by_size else autograd.ones_like(center)
        return cat([center, center], -1), cat([-sides, sides], -1)

    def encode(self, reference_boxes: Tensor, proposals: Tensor) -> Tensor:
        """How far the sides of `proposals` (..., 4) are from the centers of `reference_boxes`."""
        center, outward = self._seen(reference_boxes)
        return (proposals - center) / outward

    def decode(self, rel_codes: Tensor, boxes: Tensor) -> Tensor:
        """The boxes (..., 4) whose sides are so far from the centers of others."""
        center, outward = self._seen(boxes.to(rel_codes.dtype))
        return center + rel_codes * outward


# Heads and losses

def per_anchor(x: Tensor, columns: int) -> Tensor:
    """What a convolution says of each anchor, (N, anchors · columns, H, W), as (N, H · W · anchors, columns)."""
    count, _, *size = x.shape
    return x.reshape(count, -1, columns, *size).permute(0, 3, 4, 1, 2).reshape(count, -1, columns)


def rare_classes(in_channels: int, columns: int, prior_probability: float) -> nn.Conv2d:
    """The convolution to logits of classes each of which has a small probability at first."""
    layer = nn.Conv2d(in_channels, columns, 3, padding=1)
    small_normal(layer.weight)
    assert layer.bias is not None
    init.constant_(layer.bias, -math.log((1 - prior_probability) / prior_probability))
    return layer


def one_hot_targets(logits: Tensor, objects: Tensor, labels: Tensor) -> Tensor:
    """1 at the class of each of the anchors `objects` and 0 elsewhere, in the shape of logits (anchors, classes).

    Raises:
        IndexError: there is no such class.
    """
    wrong = labels[(labels < 0) | (labels >= logits.shape[-1])]
    if len(wrong):
        raise IndexError(f"label {wrong[0].item()} is out of range: there are {logits.shape[-1]} classes, 0 to "
                         f"{logits.shape[-1] - 1}")
    target = np.zeros(logits.shape, logits.dtype)
    target[objects.numpy(), labels.numpy()] = 1
    return autograd.from_numpy(target)


BOX_LOSSES: dict[str, Callable[..., Tensor]] = {
    "l1": F.l1_loss, "smooth_l1": F.smooth_l1_loss, "giou": generalized_box_iou_loss, "diou": distance_box_iou_loss,
    "ciou": complete_box_iou_loss}


def box_loss(kind: str, coder: BoxCoder, anchors: Tensor, objects: Tensor, codes: Tensor) -> Tensor:
    """The sum over boxes (N, 4) of the loss of codes against their objects: of the codes, or of what they stand for."""
    if kind not in BOX_LOSSES:
        raise ValueError(f"the loss of boxes must be one of {', '.join(BOX_LOSSES)}, not {kind!r}")
    if "l1" in kind:
        return BOX_LOSSES[kind](codes, coder.encode_single(objects, anchors), reduction="sum")
    return BOX_LOSSES[kind](coder.decode_single(codes, anchors), objects, reduction="sum")


def surest(boxes: Tensor, scores: Tensor, labels: np.ndarray, nms_thresh: float, most: int) -> dict[str, Tensor]:
    """What overlaps nothing surer of its class, at most so many."""
    keep = batched_nms(boxes, scores, labels, nms_thresh)[:most]
    return {"boxes": boxes[keep], "scores": scores[keep], "labels": autograd.tensor(labels[keep.numpy()])}


def out_channels(backbone: Any) -> int:
    """How many channels the maps of a backbone have."""
    if not hasattr(backbone, "out_channels"):
        raise ValueError(f"a detector must know how many channels the maps of its backbone have: give the "
                         f"{type(backbone).__name__} an attribute out_channels")
    return int(backbone.out_channels)


def retrieve_out_channels(backbone: nn.Module, size: tuple[int, int]) -> list[int]:
    """The channels of the maps that a backbone makes of images of a size (width, height)."""
    training = backbone.training
    backbone.eval()
    with autograd.no_grad():
        maps = backbone(autograd.zeros(1, 3, size[1], size[0]))
    backbone.train(training)
    return [features.shape[1] for features in (maps.values() if isinstance(maps, Mapping) else [maps])]


def overwrite_eps(model: nn.Module, eps: float) -> None:
    """Give all `FrozenBatchNorm2d` another eps; torchvision's published detectors of version 1 were trained with 0."""
    for module in model.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = eps


def check_targets(images: Sequence[Tensor], targets: Sequence[Target] | None) -> None:
    """Refuse what cannot be learned from.

    Raises:
        ValueError: there are no targets, or not one for each image.
        ShapeError: their shapes do not fit.
        TypeError: boxes or labels are of another kind.
    """
    if targets is None:
        raise ValueError("in training a detector needs targets, a dict with boxes and labels for each image; for "
                         "detections call eval() first")
    if len(targets) != len(images):
        raise ValueError(f"there are {len(images)} images and {len(targets)} targets")
    for i, (image, target) in enumerate(zip(images, targets, strict=True)):
        if missing := {"boxes", "labels"} - set(target):
            raise ValueError(f"target {i} has no {' and no '.join(sorted(missing))}; it has {', '.join(target)}")
        for name in {"boxes", "labels", "masks", "keypoints"} & set(target):
            if not isinstance(target[name], Tensor):
                raise TypeError(f"the {name} of target {i} must be a Tensor, not {type(target[name]).__name__}")
        boxes, labels = target["boxes"], target["labels"]
        if not boxes.is_floating_point():
            raise TypeError(f"the boxes of target {i} must be floating numbers, not {boxes.dtype}")
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ShapeError(f"the boxes of target {i} must have shape (N, 4), not {boxes.shape}; of an image without "
                             "objects they are zeros(0, 4)")
        if isinstance(boxes, BoundingBoxes) and boxes.format is not BoundingBoxFormat.XYXY:
            raise ValueError(f"the boxes of target {i} have the format {boxes.format.name} instead of XYXY; "
                             "transforms.ConvertBoundingBoxFormat('XYXY') converts them")
        if labels.dtype.kind not in "iu" or labels.shape != boxes.shape[:1]:
            raise ShapeError(f"target {i} has {len(boxes)} boxes, so its labels must be as many integers, not "
                             f"{labels.dtype} of shape {labels.shape}")
        if "masks" in target and target["masks"].shape != (len(boxes), *image.shape[-2:]):
            raise ShapeError(f"target {i} has {len(boxes)} boxes in an image of shape {image.shape}, so its masks must "
                             f"have shape {(len(boxes), *image.shape[-2:])}, not {target['masks'].shape}")
        points = target.get("keypoints")
        if points is not None and (points.ndim != 3 or points.shape[::2] != (len(boxes), 3)):
            raise ShapeError(f"target {i} has {len(boxes)} boxes, so its keypoints must have shape ({len(boxes)}, K, "
                             f"3): x, y and whether it is visible, not {points.shape}")
