"""SSD: one stage, anchors of all sizes on the layers of a network, from fine to coarse."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor, cat, stack
from autograd.errors import warn
from nn import functional as F
from nn import init
from nn.vision.models._utils import Weights, build, initialize
from nn.vision.models.detection._utils import (
    BoxCoder,
    Losses,
    SSDMatcher,
    Target,
    per_anchor,
    retrieve_out_channels,
    surest,
)
from nn.vision.models.detection.anchor_utils import DefaultBoxGenerator
from nn.vision.models.detection.backbone_utils import _validate_trainable_layers
from nn.vision.models.detection.detector import DenseDetector
from nn.vision.models.detection.transform import detector_transform
from nn.vision.models.vgg import vgg16
from nn.vision.ops import box_iou, clip_boxes_to_image


class SSDScoringHead(nn.Module):
    """A module for each map, which makes `num_columns` numbers for each anchor: (N, anchors of all maps, columns)."""

    def __init__(self, module_list: nn.ModuleList, num_columns: int) -> None:
        super().__init__()
        self.module_list, self.num_columns = module_list, num_columns

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        return cat([per_anchor(module(features), self.num_columns)
                    for module, features in zip(self.module_list, x, strict=True)], 1)


class _Convolutions(SSDScoringHead):
    def __init__(self, in_channels: Sequence[int], num_anchors: Sequence[int], columns: int) -> None:
        super().__init__(nn.ModuleList([nn.Conv2d(channels, columns * anchors, 3, padding=1)
                                        for channels, anchors in zip(in_channels, num_anchors, strict=True)]), columns)
        initialize(self, init.xavier_uniform_)


class SSDClassificationHead(_Convolutions):
    """For each anchor its class logits, (N, anchors, num_classes).

    A new one takes the place of a trained one to find other things:

    >>> model = ssd300_vgg16()
    >>> channels = retrieve_out_channels(model.backbone, (300, 300))
    >>> head = SSDClassificationHead(channels, model.anchor_generator.num_anchors_per_location(), 3)
    >>> model.head.classification_head = head
    """

    def __init__(self, in_channels: Sequence[int], num_anchors: Sequence[int], num_classes: int) -> None:
        super().__init__(in_channels, num_anchors, num_classes)


class SSDRegressionHead(_Convolutions):
    """For each anchor the code of the box that it becomes, (N, anchors, 4)."""

    def __init__(self, in_channels: Sequence[int], num_anchors: Sequence[int]) -> None:
        super().__init__(in_channels, num_anchors, 4)


class SSDHead(nn.Module):
    """For each anchor its class logits and the code of the box that it becomes.

    Args:
        in_channels: of each map.
        num_anchors: how many there are at each pixel of each map.
        num_classes: with the background, which is class 0.
    """

    def __init__(self, in_channels: Sequence[int], num_anchors: Sequence[int], num_classes: int) -> None:
        super().__init__()
        self.classification_head = SSDClassificationHead(in_channels, num_anchors, num_classes)
        self.regression_head = SSDRegressionHead(in_channels, num_anchors)

    def forward(self, x: Sequence[Tensor]) -> dict[str, Tensor]:
        """"bbox_regression" (N, anchors, 4) and "cls_logits" (N, anchors, num_classes)."""
        return {"bbox_regression": self.regression_head(x), "cls_logits": self.classification_head(x)}


class SSD(DenseDetector):
    """SSD (Liu et al. 2016, arXiv:1512.02325): images to boxes, their classes and scores.

    Args:
        backbone: images to feature maps.
        anchor_generator: makes the anchors.
        size: (width, height) in which images are looked at.
        num_classes: with the background, which is class 0.
        image_mean: of each channel; default ImageNet's.
        image_std: of each channel; default ImageNet's.
        head: looks at each anchor.
        score_thresh: the least probability of what is found.
        nms_thresh: the overlap above which the less sure box of a class goes.
        detections_per_img: how much is found in an image at most.
        iou_thresh: from this overlap on, an anchor holds an object.
        topk_candidates: how many boxes of each class are kept before suppression.
        positive_fraction: how much of the loss is of anchors that hold an object; of the others the worst count.
        **transform: further arguments of `GeneralizedRCNNTransform`.
    """

    def __init__(self, backbone: nn.Module, anchor_generator: DefaultBoxGenerator, size: tuple[int, int],
                 num_classes: int, image_mean: Sequence[float] | None = None,
                 image_std: Sequence[float] | None = None, head: nn.Module | None = None, score_thresh: float = 0.01,
                 nms_thresh: float = 0.45, detections_per_img: int = 200, iou_thresh: float = 0.5,
                 topk_candidates: int = 400, positive_fraction: float = 0.25, **transform: Any) -> None:
        super().__init__()
        self.backbone, self.anchor_generator = backbone, anchor_generator
        self.box_coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
        if head is None:
            channels = getattr(backbone, "out_channels", None) or retrieve_out_channels(backbone, size)
            if len(channels) != len(anchor_generator.aspect_ratios):
                raise ValueError(f"the backbone makes {len(channels)} maps, and the anchor_generator has aspect ratios "
                                 f"for {len(anchor_generator.aspect_ratios)}")
            head = SSDHead(channels, anchor_generator.num_anchors_per_location(), num_classes)
        self.head = head
        self.proposal_matcher = SSDMatcher(iou_thresh)
        self.transform = detector_transform(min(size), max(size), image_mean, image_std, size_divisible=1,
                                            fixed_size=size, **transform)
        self.score_thresh, self.nms_thresh = score_thresh, nms_thresh
        self.detections_per_img, self.topk_candidates = detections_per_img, topk_candidates
        self.neg_to_pos_ratio = (1 - positive_fraction) / positive_fraction

    def match(self, anchors: Tensor, target: Target, maps: Sequence[Tensor]) -> Tensor:
        return self.proposal_matcher(box_iou(target["boxes"], anchors))

    def compute_loss(self, targets: Sequence[Target], head_outputs: Mapping[str, Tensor], anchors: Sequence[Tensor],
                     matched_idxs: Sequence[Tensor]) -> Losses:
        """"bbox_regression" and "classification", relative to the number of anchors that hold an object."""
        logits, box_losses, labels = head_outputs["cls_logits"], [], []
        for target, codes, of_image, match in zip(targets, head_outputs["bbox_regression"], anchors, matched_idxs,
                                                  strict=True):
            objects = match >= 0
            goal = self.box_coder.encode_single(target["boxes"][match[objects]], of_image[objects])
            box_losses.append(F.smooth_l1_loss(codes[objects], goal, reduction="sum"))
            label = autograd.zeros(len(of_image), dtype="int64")
            label[objects] = target["labels"][match[objects]].long()
            labels.append(label)
        losses = F.cross_entropy(logits.flatten(0, 1), cat(labels), reduction="none").reshape(logits.shape[:2])
        positive = stack(labels).numpy() > 0
        hardness = np.where(positive, -np.inf, losses.detach().numpy())
        rank = np.argsort(np.argsort(-hardness, 1, kind="stable"), 1)
        hard = rank < self.neg_to_pos_ratio * positive.sum(1, keepdims=True)
        count = max(1, sum([int((match >= 0).sum().item()) for match in matched_idxs]))
        return {"bbox_regression": stack(box_losses).sum() / count,
                "classification": (losses[positive].sum() + losses[hard].sum()) / count}

    def found(self, outputs: Mapping[str, Tensor], anchors: Tensor, ends: np.ndarray,
              size: tuple[int, int]) -> dict[str, Tensor]:
        """What is in an image: of each class the surest, and of these what stays."""
        every = clip_boxes_to_image(self.box_coder.decode_single(outputs["bbox_regression"], anchors), size)
        probabilities = F.softmax(outputs["cls_logits"], -1)
        boxes, scores, labels = [], [], []
        for label in range(1, probabilities.shape[1]):
            score = probabilities[:, label]
            sure = np.nonzero(score.detach().numpy() > self.score_thresh)[0]
            score, top = score[sure].topk(min(self.topk_candidates, len(sure)))
            boxes.append(every[sure[top.numpy()]])
            scores.append(score)
            labels.append(np.full(len(score), label))
        return surest(cat(boxes), cat(scores), np.concatenate(labels), self.nms_thresh, self.detections_per_img)


class SSDFeatureExtractorVGG(nn.Module):
    """Six maps, or seven for larger images, from a VGG's convolutions and some more.

    Args:
        backbone: the features of a VGG.
        highres: whether there is one map more, for images of 512 pixels.
    """

    def __init__(self, backbone: nn.Sequential, highres: bool) -> None:
        super().__init__()
        layers: list[Any] = list(backbone)
        pools = [i for i, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
        layers[pools[2]].ceil_mode = True
        self.scale_weight = nn.Parameter(autograd.full((512,), 20.0))
        self.features = nn.Sequential(*layers[:pools[3]])
        extra = nn.ModuleList([_extra(1024, 256, 512, stride=2, padding=1), _extra(512, 128, 256, stride=2, padding=1),
                               _extra(256, 128, 256), _extra(256, 128, 256),
                               *[_extra(256, 128, 256, 4) for _ in range(highres)]])
        initialize(extra, init.xavier_uniform_)
        atrous = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(512, 1024, 3, padding=6, dilation=6),
                               nn.ReLU(inplace=True), nn.Conv2d(1024, 1024, 1), nn.ReLU(inplace=True))
        initialize(atrous, init.xavier_uniform_)
        extra.insert(0, nn.Sequential(*layers[pools[3]:-1], atrous))
        self.extra = extra
        self.out_channels = [512, 1024, 512, *[256] * (3 + highres)]

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.features(x)
        maps = [self.scale_weight.reshape(1, -1, 1, 1) * F.normalize(x)]
        for block in self.extra:
            x = block(x)
            maps.append(x)
        return {str(i): features for i, features in enumerate(maps)}


def _extra(in_channels: int, between: int, out_channels: int, kernel_size: int = 3, stride: int = 1,
           padding: int = 0) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, between, 1), nn.ReLU(inplace=True),
                         nn.Conv2d(between, out_channels, kernel_size, stride, padding), nn.ReLU(inplace=True))


def without_size(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a model whose size is fixed."""
    if options.pop("size", None) is not None:
        warn("the size of this model is fixed, and size=... is ignored")
    return options


def ssd300_vgg16(*, weights: Weights = None, progress: bool = True, num_classes: int = 91,
                 weights_backbone: Weights = None, trainable_backbone_layers: int | None = None,
                 **kwargs: Any) -> SSD:
    """SSD of images of 300 x 300 over VGG-16 (Liu et al. 2016, arXiv:1512.02325)."""
    trained = weights is not None or weights_backbone is not None
    count = _validate_trainable_layers(trained, trainable_backbone_layers, 5, 4)
    features: Any = vgg16(weights=weights_backbone if weights is None else None).features
    stages = [0, *[i for i, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)][:-1], len(features)]
    for layer in list(features)[:stages[5 - count]]:
        layer.requires_grad_(False)
    anchors = DefaultBoxGenerator([[2], [2, 3], [2, 3], [2, 3], [2], [2]],
                                  scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05], steps=[8, 16, 32, 64, 100, 300])
    caffe: dict[str, Any] = {"image_mean": [0.48235, 0.45882, 0.40784], "image_std": [1 / 255] * 3}
    return build(SSD, weights, SSDFeatureExtractorVGG(features, False), anchors, (300, 300), num_classes,
                 **caffe | without_size(kwargs))
