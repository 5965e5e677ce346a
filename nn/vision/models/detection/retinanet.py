"""RetinaNet: one stage, whose loss doesn't drown in background."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import nn
from autograd import Tensor, cat
from nn.vision.models._utils import Weights, build, initialize, small_normal
from nn.vision.models.detection._utils import (
    BoxCoder,
    Losses,
    Matcher,
    Target,
    box_loss,
    one_hot_targets,
    out_channels,
    per_anchor,
    rare_classes,
)
from nn.vision.models.detection.anchor_utils import AnchorGenerator
from nn.vision.models.detection.backbone_utils import _resnet_fpn_extractor, resnet50_of
from nn.vision.models.detection.detector import DenseDetector
from nn.vision.models.detection.transform import detector_transform
from nn.vision.ops import Conv2dNormActivation, box_iou, sigmoid_focal_loss
from nn.vision.ops.feature_pyramid_network import LastLevelP6P7
from nn.vision.ops.misc import Layer, Renamed


class _Head(Renamed):
    """Four convolutions, the same for all maps."""

    def __init__(self, in_channels: int, norm_layer: Layer | None) -> None:
        super().__init__()
        self.conv = nn.Sequential(*[Conv2dNormActivation(in_channels, in_channels, norm_layer=norm_layer)
                                    for _ in range(4)])

    def former_names(self) -> dict[str, str]:
        return {f"conv.{2 * i}": f"conv.{i}.0" for i in range(4)}


class RetinaNetClassificationHead(_Head):
    """For each anchor the logit of each class.

    Args:
        in_channels: of the feature maps.
        num_anchors: how many there are at each pixel.
        num_classes: without a background.
        prior_probability: of a class, at first.
        norm_layer: makes a normalization behind each convolution; None: there is none.
    """

    def __init__(self, in_channels: int, num_anchors: int, num_classes: int, prior_probability: float = 0.01,
                 norm_layer: Layer | None = None) -> None:
        super().__init__(in_channels, norm_layer)
        initialize(self.conv, small_normal)
        self.cls_logits = rare_classes(in_channels, num_anchors * num_classes, prior_probability)
        self.num_classes, self.num_anchors = num_classes, num_anchors

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Maps (N, C, H, W) to logits (N, anchors of all maps, num_classes)."""
        return cat([per_anchor(self.cls_logits(self.conv(features)), self.num_classes) for features in x], 1)

    def compute_loss(self, targets: Sequence[Target], head_outputs: Mapping[str, Tensor],
                     matched_idxs: Sequence[Tensor]) -> Tensor:
        """The focal loss of the logits, relative to the number of anchors that hold an object."""
        losses = []
        for target, logits, match in zip(targets, head_outputs["cls_logits"], matched_idxs, strict=True):
            objects = match >= 0
            goal = one_hot_targets(logits, objects.nonzero()[:, 0], target["labels"][match[objects]])
            valid = match != Matcher.BETWEEN_THRESHOLDS
            losses.append(sigmoid_focal_loss(logits[valid], goal[valid], reduction="sum")
                          / max(1, objects.sum().item()))
        return sum(losses[1:], losses[0]) / len(targets)


class RetinaNetRegressionHead(_Head):
    """For each anchor the code of the box that it becomes.

    Args:
        in_channels: of the feature maps.
        num_anchors: how many there are at each pixel.
        norm_layer: makes a normalization behind each convolution; None: there is none.
    """

    def __init__(self, in_channels: int, num_anchors: int, norm_layer: Layer | None = None) -> None:
        super().__init__(in_channels, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, 3, padding=1)
        initialize(self.bbox_reg, small_normal)
        initialize(self.conv, small_normal)
        self.box_coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        self._loss_type = "l1"

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Maps (N, C, H, W) to codes (N, anchors of all maps, 4)."""
        return cat([per_anchor(self.bbox_reg(self.conv(features)), 4) for features in x], 1)

    def compute_loss(self, targets: Sequence[Target], head_outputs: Mapping[str, Tensor], anchors: Sequence[Tensor],
                     matched_idxs: Sequence[Tensor]) -> Tensor:
        """The loss of the codes of anchors that hold an object, relative to their number."""
        losses = []
        for target, codes, of_image, match in zip(targets, head_outputs["bbox_regression"], anchors, matched_idxs,
                                                  strict=True):
            objects = match >= 0
            losses.append(box_loss(self._loss_type, self.box_coder, of_image[objects], target["boxes"][match[objects]],
                                   codes[objects]) / max(1, objects.sum().item()))
        return sum(losses[1:], losses[0]) / len(targets)


class RetinaNetHead(nn.Module):
    """Both heads.

    Args:
        in_channels: of the feature maps.
        num_anchors: how many there are at each pixel.
        num_classes: without a background.
        norm_layer: makes a normalization behind each convolution; None: there is none.
    """

    def __init__(self, in_channels: int, num_anchors: int, num_classes: int, norm_layer: Layer | None = None) -> None:
        super().__init__()
        self.classification_head = RetinaNetClassificationHead(in_channels, num_anchors, num_classes,
                                                               norm_layer=norm_layer)
        self.regression_head = RetinaNetRegressionHead(in_channels, num_anchors, norm_layer)

    def forward(self, x: Sequence[Tensor]) -> dict[str, Tensor]:
        """"cls_logits" and "bbox_regression"."""
        return {"cls_logits": self.classification_head(x), "bbox_regression": self.regression_head(x)}

    def compute_loss(self, targets: Sequence[Target], head_outputs: Mapping[str, Tensor], anchors: Sequence[Tensor],
                     matched_idxs: Sequence[Tensor]) -> Losses:
        """"classification" and "bbox_regression"."""
        return {"classification": self.classification_head.compute_loss(targets, head_outputs, matched_idxs),
                "bbox_regression": self.regression_head.compute_loss(targets, head_outputs, anchors, matched_idxs)}


class RetinaNet(DenseDetector):
    """RetinaNet (Lin et al. 2017, arXiv:1708.02002): images to boxes, their classes and scores.

    Args:
        backbone: images to feature maps of `backbone.out_channels` channels each.
        num_classes: how many there are; there is no class for the background.
        min_size: the length of the shorter side of images; of several one is drawn in training.
        max_size: the greatest length of the longer side.
        image_mean: of each channel; default ImageNet's.
        image_std: of each channel; default ImageNet's.
        anchor_generator: makes the anchors; default: of three sizes and three ratios for each of five maps.
        head: looks at each anchor.
        proposal_matcher: says which object an anchor belongs to.
        score_thresh: the least probability of what is found.
        nms_thresh: the overlap above which the less sure box of a class goes.
        detections_per_img: how much is found in an image at most.
        fg_iou_thresh: from this overlap on, an anchor holds an object.
        bg_iou_thresh: below this overlap it holds none.
        topk_candidates: how many boxes of each map are kept before suppression.
        **transform: further arguments of `GeneralizedRCNNTransform`.
    """

    def __init__(self, backbone: Any, num_classes: int, min_size: int | Sequence[int] = 800, max_size: int = 1333,
                 image_mean: Sequence[float] | None = None, image_std: Sequence[float] | None = None,
                 anchor_generator: AnchorGenerator | None = None, head: nn.Module | None = None,
                 proposal_matcher: Matcher | None = None, score_thresh: float = 0.05, nms_thresh: float = 0.5,
                 detections_per_img: int = 300, fg_iou_thresh: float = 0.5, bg_iou_thresh: float = 0.4,
                 topk_candidates: int = 1000, **transform: Any) -> None:
        super().__init__()
        self.backbone = backbone
        channels = out_channels(backbone)
        if anchor_generator is None:
            anchor_generator = _default_anchorgen()
        if head is None:
            head = RetinaNetHead(channels, anchor_generator.num_anchors_per_location()[0], num_classes)
        self.anchor_generator, self.head = anchor_generator, head
        self.proposal_matcher = proposal_matcher or Matcher(fg_iou_thresh, bg_iou_thresh, True)
        self.box_coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        self.transform = detector_transform(min_size, max_size, image_mean, image_std, **transform)
        self.score_thresh, self.nms_thresh = score_thresh, nms_thresh
        self.detections_per_img, self.topk_candidates = detections_per_img, topk_candidates

    def match(self, anchors: Tensor, target: Target, maps: Sequence[Tensor]) -> Tensor:
        return self.proposal_matcher(box_iou(target["boxes"], anchors))

    def scores_of(self, outputs: Mapping[str, Tensor]) -> Tensor:
        return outputs["cls_logits"].sigmoid()

    def boxes_of(self, codes: Tensor, anchors: Tensor) -> Tensor:
        return self.box_coder.decode_single(codes, anchors)


def _default_anchorgen() -> AnchorGenerator:
    """Three sizes for each of five maps, three ratios."""
    return AnchorGenerator([(x, int(x * 2 ** (1 / 3)), int(x * 2 ** (2 / 3))) for x in (32, 64, 128, 256, 512)],
                           ((0.5, 1.0, 2.0),) * 5)


def retinanet_resnet50_fpn(*, weights: Weights = None, progress: bool = True, num_classes: int = 91,
                           weights_backbone: Weights = None, trainable_backbone_layers: int | None = None,
                           **kwargs: Any) -> RetinaNet:
    """RetinaNet with a feature pyramid over ResNet-50 (Lin et al. 2017, arXiv:1708.02002)."""
    backbone = _resnet_fpn_extractor(*resnet50_of(weights, weights_backbone, trainable_backbone_layers),
                                    returned_layers=(2, 3, 4), extra_blocks=LastLevelP6P7(256, 256))
    return build(RetinaNet, weights, backbone, num_classes, **kwargs)


def retinanet_resnet50_fpn_v2(*, weights: Weights = None, progress: bool = True, num_classes: int = 91,
                              weights_backbone: Weights = None, trainable_backbone_layers: int | None = None,
                              **kwargs: Any) -> RetinaNet:
    """RetinaNet with normalized heads and the generalized IoU as its loss (Zhang et al. 2020, arXiv:1912.02424)."""
    backbone = _resnet_fpn_extractor(*resnet50_of(weights, weights_backbone, trainable_backbone_layers, frozen=False),
                                    returned_layers=(2, 3, 4), extra_blocks=LastLevelP6P7(2048, 256))
    anchors = _default_anchorgen()
    head = RetinaNetHead(backbone.out_channels, anchors.num_anchors_per_location()[0], num_classes,
                         partial(nn.GroupNorm, 32))
    head.regression_head._loss_type = "giou"
    return build(RetinaNet, weights, backbone, num_classes, anchor_generator=anchors, head=head, **kwargs)
