"""Lite R-ASPP: MobileNetV3's own head for segmentation."""

from typing import Any

import nn
from autograd import Tensor
from nn.vision.models._utils import IntermediateLayerGetter, Weights, build
from nn.vision.models.segmentation._utils import at_size, dilated_mobilenet


class LRASPPHead(nn.Module):
    """Logits of features of 1/8 of the size, and of those of 1/16, which the whole image weights."""

    def __init__(self, low_channels: int, high_channels: int, num_classes: int, inter_channels: int) -> None:
        super().__init__()
        self.cbr = nn.Sequential(nn.Conv2d(high_channels, inter_channels, 1, bias=False),
                                 nn.BatchNorm2d(inter_channels), nn.ReLU(inplace=True))
        self.scale = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(high_channels, inter_channels, 1, bias=False),
                                   nn.Sigmoid())
        self.low_classifier = nn.Conv2d(low_channels, num_classes, 1)
        self.high_classifier = nn.Conv2d(inter_channels, num_classes, 1)

    def forward(self, input: dict[str, Tensor]) -> Tensor:
        low, high = input["low"], input["high"]
        return self.low_classifier(low) + self.high_classifier(at_size(self.cbr(high) * self.scale(high), low))


class LRASPP(nn.Module):
    """Images (N, 3, H, W) to {"out": logits (N, num_classes, H, W)}.

    Args:
        backbone: gives features under the names "low" (of 1/8 of the size) and "high" (of 1/16).
        low_channels: channels of "low".
        high_channels: channels of "high".
        num_classes: how many logits a pixel has.
        inter_channels: channels within the head.
    """

    def __init__(self, backbone: nn.Module, low_channels: int, high_channels: int, num_classes: int,
                 inter_channels: int = 128) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = LRASPPHead(low_channels, high_channels, num_classes, inter_channels)

    def forward(self, input: Tensor) -> dict[str, Tensor]:
        return {"out": at_size(self.classifier(self.backbone(input)), input)}


def lraspp_mobilenet_v3_large(*, weights: Weights = None, progress: bool = True, num_classes: int = 21,
                              weights_backbone: Weights = None, **kwargs: Any) -> LRASPP:
    """Lite R-ASPP on MobileNetV3-Large (Howard et al. 2019, arXiv:1905.02244)."""
    features, taps = dilated_mobilenet(kwargs.pop("pretrained_backbone", False) or weights_backbone)
    (low, low_channels), (high, high_channels) = taps["aux"], taps["out"]
    return build(LRASPP, weights, IntermediateLayerGetter(features, {low: "low", high: "high"}), low_channels,
                 high_channels, num_classes, **kwargs)
