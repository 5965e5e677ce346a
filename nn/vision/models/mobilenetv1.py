"""MobileNet: a depthwise and a 1 × 1 convolution in the place of each convolution."""

from typing import Any

import nn
from autograd import Tensor
from nn.vision.models._utils import Weights, build, initialize, small_normal
from nn.vision.ops.misc import Conv2dNormActivation


class MobileNetV1(nn.Module):
    """Images (N, 3, H, W) to logits (N, num_classes).

    Args:
        num_classes: how many logits there are.
        width_mult: how many channels all layers have, compared with the paper's table 1.
        dropout: before the last layer.
    """

    def __init__(self, num_classes: int = 1000, width_mult: float = 1.0, dropout: float = 0.001) -> None:
        super().__init__()
        channels = int(32 * width_mult)
        layers: list[nn.Module] = [Conv2dNormActivation(3, channels, stride=2)]
        for width, stride in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5,
                              (1024, 2), (1024, 1)]:
            out = int(width * width_mult)
            layers += [Conv2dNormActivation(channels, channels, stride=stride, groups=channels),
                       Conv2dNormActivation(channels, out, 1)]
            channels = out
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, num_classes))
        initialize(self, linear=small_normal)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def mobilenet_v1(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> MobileNetV1:
    """MobileNet (Howard et al. 2017, arXiv:1704.04861)."""
    return build(MobileNetV1, weights, **kwargs)
