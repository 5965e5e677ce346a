"""SSDlite: SSD of separable convolutions over a MobileNet."""

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any

import nn
from autograd import Tensor
from nn import init
from nn.vision.models._utils import Weights, build, initialize
from nn.vision.models.detection._utils import retrieve_out_channels
from nn.vision.models.detection.anchor_utils import DefaultBoxGenerator
from nn.vision.models.detection.backbone_utils import _validate_trainable_layers, mobilenet_stages
from nn.vision.models.detection.ssd import SSD, SSDScoringHead, without_size
from nn.vision.models.mobilenetv3 import mobilenet_v3_large
from nn.vision.ops import Conv2dNormActivation
from nn.vision.ops.misc import Layer

_normal = partial(init.normal_, std=0.03)


class _Separable(SSDScoringHead):
    def __init__(self, in_channels: Sequence[int], num_anchors: Sequence[int], columns: int, norm_layer: Layer) -> None:
        layer = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        super().__init__(nn.ModuleList([
            nn.Sequential(layer(channels, channels, 3, groups=channels), nn.Conv2d(channels, columns * anchors, 1))
            for channels, anchors in zip(in_channels, num_anchors, strict=True)]), columns)
        initialize(self, _normal)


class SSDLiteClassificationHead(_Separable):
    """For each anchor its class logits, (N, anchors, num_classes), by separable convolutions."""

    def __init__(self, in_channels: Sequence[int], num_anchors: Sequence[int], num_classes: int,
                 norm_layer: Layer) -> None:
        super().__init__(in_channels, num_anchors, num_classes, norm_layer)


class SSDLiteRegressionHead(_Separable):
    """For each anchor the code of the box that it becomes, (N, anchors, 4), by separable convolutions."""

    def __init__(self, in_channels: Sequence[int], num_anchors: Sequence[int], norm_layer: Layer) -> None:
        super().__init__(in_channels, num_anchors, 4, norm_layer)


class SSDLiteHead(nn.Module):
    """For each anchor its class logits and the code of the box that it becomes, by separable convolutions.

    Args:
        in_channels: of each map.
        num_anchors: how many there are at each pixel of each map.
        num_classes: with the background, which is class 0.
        norm_layer: makes the normalizations.
    """

    def __init__(self, in_channels: Sequence[int], num_anchors: Sequence[int], num_classes: int,
                 norm_layer: Layer) -> None:
        super().__init__()
        self.classification_head = SSDLiteClassificationHead(in_channels, num_anchors, num_classes, norm_layer)
        self.regression_head = SSDLiteRegressionHead(in_channels, num_anchors, norm_layer)

    def forward(self, x: Sequence[Tensor]) -> dict[str, Tensor]:
        """"bbox_regression" (N, anchors, 4) and "cls_logits" (N, anchors, num_classes)."""
        return {"bbox_regression": self.regression_head(x), "cls_logits": self.classification_head(x)}


class SSDLiteFeatureExtractorMobileNet(nn.Module):
    """Six maps: two of a MobileNet, and four of further blocks.

    Args:
        backbone: the features of a MobileNet.
        c4_pos: the block whose widened features, at 1/16 of the size, are the first map.
        norm_layer: makes the normalizations.
        width_mult: how wide the further blocks are.
        min_depth: the least number of their channels.
    """

    def __init__(self, backbone: nn.Sequential, c4_pos: int, norm_layer: Layer, width_mult: float = 1.0,
                 min_depth: int = 16) -> None:
        super().__init__()
        blocks: list[Any] = list(backbone)
        if blocks[c4_pos].use_res_connect:
            raise ValueError(f"block {c4_pos} adds its input, so it cannot be divided; it must be one that halves the "
                             "size")
        self.features = nn.Sequential(nn.Sequential(*blocks[:c4_pos], blocks[c4_pos].block[0]),
                                      nn.Sequential(blocks[c4_pos].block[1:], *blocks[c4_pos + 1:]))
        channels = [blocks[-1].out_channels, *[max(min_depth, int(n * width_mult)) for n in (512, 256, 256, 128)]]
        self.extra = nn.ModuleList([_extra(before, after, norm_layer)
                                    for before, after in itertools.pairwise(channels)])
        initialize(self.extra, _normal)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps = []
        for block in (*self.features, *self.extra):
            x = block(x)
            maps.append(x)
        return {str(i): features for i, features in enumerate(maps)}


def _extra(in_channels: int, out_channels: int, norm_layer: Layer) -> nn.Sequential:
    between, layer = out_channels // 2, partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
    return nn.Sequential(layer(in_channels, between, 1), layer(between, between, 3, 2, groups=between),
                         layer(between, out_channels, 1))


def ssdlite320_mobilenet_v3_large(*, weights: Weights = None, progress: bool = True, num_classes: int = 91,
                                  weights_backbone: Weights = None, trainable_backbone_layers: int | None = None,
                                  norm_layer: Layer | None = None, **kwargs: Any) -> SSD:
    """SSDlite of images of 320 x 320 over MobileNetV3-Large (Howard et al. 2019, arXiv:1905.02244)."""
    trained = weights is not None or weights_backbone is not None
    count = _validate_trainable_layers(trained, trainable_backbone_layers, 6, 6)
    norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)
    of_backbone = None if weights is not None else weights_backbone
    network = mobilenet_v3_large(weights=of_backbone, norm_layer=norm_layer, reduced_tail=of_backbone is None)
    if of_backbone is None:
        initialize(network, _normal)
    stages = mobilenet_stages(network.features, count)
    backbone = SSDLiteFeatureExtractorMobileNet(network.features, stages[-2], norm_layer)
    anchors, size = DefaultBoxGenerator([[2, 3]] * 6, min_ratio=0.2, max_ratio=0.95), (320, 320)
    head = SSDLiteHead(retrieve_out_channels(backbone, size), anchors.num_anchors_per_location(), num_classes,
                       norm_layer)
    options: dict[str, Any] = {"score_thresh": 0.001, "nms_thresh": 0.55, "detections_per_img": 300,
                               "topk_candidates": 300, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    return build(SSD, weights, backbone, anchors, size, num_classes, head=head, **options | without_size(kwargs))
