"""FCOS: without anchors; each pixel within an object says how far its sides are."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor, cat, relu, stack
from nn import functional as F
from nn.vision.models._utils import Weights, build, initialize, small_normal
from nn.vision.models.detection._utils import (
    BoxLinearCoder,
    Losses,
    Target,
    one_hot_targets,
    out_channels,
    per_anchor,
    rare_classes,
)
from nn.vision.models.detection.anchor_utils import AnchorGenerator
from nn.vision.models.detection.backbone_utils import _resnet_fpn_extractor, resnet50_of
from nn.vision.models.detection.detector import DenseDetector
from nn.vision.models.detection.transform import detector_transform
from nn.vision.ops import generalized_box_iou_loss, sigmoid_focal_loss
from nn.vision.ops.feature_pyramid_network import LastLevelP6P7
from nn.vision.ops.misc import Layer


class _Head(nn.Module):
    """Convolutions with normalization, the same for all maps."""

    def __init__(self, in_channels: int, num_convs: int, norm_layer: Layer | None) -> None:
        super().__init__()
        norm_layer = norm_layer or partial(nn.GroupNorm, 32)
        self.conv = nn.Sequential(*[layer for _ in range(num_convs) for layer in (
            nn.Conv2d(in_channels, in_channels, 3, padding=1), norm_layer(in_channels), nn.ReLU())])


class FCOSClassificationHead(_Head):
    """For each pixel the logit of each class.

    Args:
        in_channels: of the feature maps.
        num_anchors: 1.
        num_classes: without a background.
        num_convs: how many convolutions come before.
        prior_probability: of a class, at first.
        norm_layer: makes a normalization behind each convolution; default `GroupNorm` of 32 groups.
    """

    def __init__(self, in_channels: int, num_anchors: int, num_classes: int, num_convs: int = 4,
                 prior_probability: float = 0.01, norm_layer: Layer | None = None) -> None:
        super().__init__(in_channels, num_convs, norm_layer)
        initialize(self.conv, small_normal)
        self.cls_logits = rare_classes(in_channels, num_anchors * num_classes, prior_probability)
        self.num_classes, self.num_anchors = num_classes, num_anchors

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Maps (N, C, H, W) to logits (N, pixels of all maps, num_classes)."""
        return cat([per_anchor(self.cls_logits(self.conv(features)), self.num_classes) for features in x], 1)


class FCOSRegressionHead(_Head):
    """For each pixel the distances of the sides of its object, and the logit of how much it is in the middle.

    Args:
        in_channels: of the feature maps.
        num_anchors: 1.
        num_convs: how many convolutions come before.
        norm_layer: makes a normalization behind each convolution; default `GroupNorm` of 32 groups.
    """

    def __init__(self, in_channels: int, num_anchors: int, num_convs: int = 4,
                 norm_layer: Layer | None = None) -> None:
        super().__init__(in_channels, num_convs, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, 3, padding=1)
        self.bbox_ctrness = nn.Conv2d(in_channels, num_anchors, 3, padding=1)
        for layer in (self.bbox_reg, self.bbox_ctrness, self.conv):
            initialize(layer, small_normal)

    def forward(self, x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Maps (N, C, H, W) to codes (N, pixels of all maps, 4) and logits (N, pixels of all maps, 1)."""
        seen = [self.conv(features) for features in x]
        return (cat([per_anchor(relu(self.bbox_reg(each)), 4) for each in seen], 1),
                cat([per_anchor(self.bbox_ctrness(each), 1) for each in seen], 1))


class FCOSHead(nn.Module):
    """Both heads.

    Args:
        in_channels: of the feature maps.
        num_anchors: 1.
        num_classes: without a background.
        num_convs: how many convolutions each has.
    """

    def __init__(self, in_channels: int, num_anchors: int, num_classes: int, num_convs: int = 4) -> None:
        super().__init__()
        self.box_coder = BoxLinearCoder(normalize_by_size=True)
        self.classification_head = FCOSClassificationHead(in_channels, num_anchors, num_classes, num_convs)
        self.regression_head = FCOSRegressionHead(in_channels, num_anchors, num_convs)

    def forward(self, x: Sequence[Tensor]) -> dict[str, Tensor]:
        """"cls_logits", "bbox_regression" and "bbox_ctrness"."""
        logits = self.classification_head(x)
        codes, middle = self.regression_head(x)
        return {"cls_logits": logits, "bbox_regression": codes, "bbox_ctrness": middle}

    def compute_loss(self, targets: Sequence[Target], head_outputs: Mapping[str, Tensor], anchors: Sequence[Tensor],
                     matched_idxs: Sequence[Tensor]) -> Losses:
        """"classification", "bbox_regression" and "bbox_ctrness", relative to the number of pixels with an object."""
        objects = stack(list(matched_idxs)) >= 0
        labels, boxes = (cat([target[name][match[match >= 0]] for target, match in zip(
            targets, matched_idxs, strict=True)]) for name in ("labels", "boxes"))
        logits = head_outputs["cls_logits"].flatten(0, 1)
        goal = one_hot_targets(logits, objects.flatten().nonzero()[:, 0], labels)
        at, count = stack(list(anchors))[objects], max(1, len(boxes))
        left, top, right, bottom = self.box_coder.encode(at, boxes).unbind(-1)
        middle = (autograd.minimum(left, right) / autograd.maximum(left, right)
                  * (autograd.minimum(top, bottom) / autograd.maximum(top, bottom))).sqrt().to(logits.dtype)
        found = self.box_coder.decode(head_outputs["bbox_regression"][objects], at)
        return {"classification": sigmoid_focal_loss(logits, goal, reduction="sum") / count,
                "bbox_regression": generalized_box_iou_loss(found, boxes, reduction="sum") / count,
                "bbox_ctrness": F.binary_cross_entropy_with_logits(
                    head_outputs["bbox_ctrness"][..., 0][objects], middle, reduction="sum") / count}


class FCOS(DenseDetector):
    """FCOS (Tian et al. 2019, arXiv:1904.01355): images to boxes, their classes and scores.

    Args:
        backbone: images to feature maps of `backbone.out_channels` channels each.
        num_classes: how many there are; there is no class for the background.
        min_size: the length of the shorter side of images; of several one is drawn in training.
        max_size: the greatest length of the longer side.
        image_mean: of each channel; default ImageNet's.
        image_std: of each channel; default ImageNet's.
        anchor_generator: makes one box for each pixel, as large as a pixel of its map.
        head: looks at each pixel.
        center_sampling_radius: how far from an object's center a pixel may be, in pixels of its map.
        score_thresh: the least score of what is found.
        nms_thresh: the overlap above which the less sure box of a class goes.
        detections_per_img: how much is found in an image at most.
        topk_candidates: how many boxes of each map are kept before suppression.
        **transform: further arguments of `GeneralizedRCNNTransform`.
    """

    def __init__(self, backbone: Any, num_classes: int, min_size: int | Sequence[int] = 800, max_size: int = 1333,
                 image_mean: Sequence[float] | None = None, image_std: Sequence[float] | None = None,
                 anchor_generator: AnchorGenerator | None = None, head: nn.Module | None = None,
                 center_sampling_radius: float = 1.5, score_thresh: float = 0.2, nms_thresh: float = 0.6,
                 detections_per_img: int = 100, topk_candidates: int = 1000, **transform: Any) -> None:
        super().__init__()
        self.backbone = backbone
        channels = out_channels(backbone)
        if anchor_generator is None:
            anchor_generator = AnchorGenerator(((8,), (16,), (32,), (64,), (128,)), ((1.0,),) * 5)
        if set(anchor_generator.num_anchors_per_location()) != {1}:
            raise ValueError("FCOS has one anchor for each pixel, and the anchor_generator makes "
                             f"{anchor_generator.num_anchors_per_location()}")
        self.anchor_generator = anchor_generator
        self.head = FCOSHead(channels, 1, num_classes) if head is None else head
        self.box_coder = BoxLinearCoder(normalize_by_size=True)
        self.transform = detector_transform(min_size, max_size, image_mean, image_std, **transform)
        self.center_sampling_radius, self.score_thresh, self.nms_thresh = (
            center_sampling_radius, score_thresh, nms_thresh)
        self.detections_per_img, self.topk_candidates = detections_per_img, topk_candidates

    def match(self, anchors: Tensor, target: Target, maps: Sequence[Tensor]) -> Tensor:
        """A pixel near the center of objects of a size that fits its map belongs to the smallest of these."""
        pixels, boxes = anchors.numpy(), target["boxes"].numpy()
        center, size = (pixels[:, None, :2] + pixels[:, None, 2:]) / 2, pixels[:, 2:3] - pixels[:, :1]
        near = np.abs(center - (boxes[:, :2] + boxes[:, 2:]) / 2).max(2) < self.center_sampling_radius * size
        sides = np.concatenate([center - boxes[:, :2], boxes[:, 2:] - center], 2)
        low, high = size * 4, size * 8
        low[:maps[0].shape[-2] * maps[0].shape[-1]] = 0
        high[-maps[-1].shape[-2] * maps[-1].shape[-1]:] = np.inf
        fits = near & (sides.min(2) > 0) & (sides.max(2) > low) & (sides.max(2) < high)
        small = np.where(fits, 1e8 - (boxes[:, 2:] - boxes[:, :2]).prod(1), 0)
        return autograd.tensor(np.where(small.max(1) < 1e-5, -1, small.argmax(1)))

    def scores_of(self, outputs: Mapping[str, Tensor]) -> Tensor:
        return (outputs["cls_logits"].sigmoid() * outputs["bbox_ctrness"].sigmoid()).sqrt()

    def boxes_of(self, codes: Tensor, anchors: Tensor) -> Tensor:
        return self.box_coder.decode(codes, anchors)


def fcos_resnet50_fpn(*, weights: Weights = None, progress: bool = True, num_classes: int = 91,
                      weights_backbone: Weights = None, trainable_backbone_layers: int | None = None,
                      **kwargs: Any) -> FCOS:
    """FCOS with a feature pyramid over ResNet-50 (Tian et al. 2019, arXiv:1904.01355)."""
    backbone = _resnet_fpn_extractor(*resnet50_of(weights, weights_backbone, trainable_backbone_layers),
                                    returned_layers=(2, 3, 4), extra_blocks=LastLevelP6P7(256, 256))
    return build(FCOS, weights, backbone, num_classes, **kwargs)
