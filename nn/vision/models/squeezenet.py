"""SqueezeNet: AlexNet's accuracy from fifty times fewer parameters."""

from typing import Any

import nn
from autograd import Tensor, cat
from nn import init
from nn.vision.models._utils import Weights, build, initialize, small_normal


class Fire(nn.Module):
    """Few channels, made by a 1 × 1 convolution, are read by a 1 × 1 and a 3 × 3 one."""

    def __init__(self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, 1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, 1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, 3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze_activation(self.squeeze(x))
        return cat([self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """Images (N, 3, H, W) of at least 21 × 21 to logits (N, num_classes), which ReLU keeps from being negative."""

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        if version not in ("1_0", "1_1"):
            raise ValueError(f"version must be '1_0' or '1_1', not {version!r}")
        first = version == "1_0"
        channels = 96 if first else 64
        layers: list[nn.Module] = [nn.Conv2d(3, channels, 7 if first else 3, stride=2), nn.ReLU(inplace=True)]
        pooled = (0, 3, 7) if first else (0, 2, 4)  # before which of them
        for i, squeeze in enumerate((16, 16, 32, 32, 48, 48, 64, 64)):
            if i in pooled:
                layers.append(nn.MaxPool2d(3, stride=2, ceil_mode=True))
            layers.append(Fire(channels, squeeze, 4 * squeeze, 4 * squeeze))
            channels = 8 * squeeze
        self.features = nn.Sequential(*layers)
        last = nn.Conv2d(channels, num_classes, 1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), last, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1))
        initialize(self, lambda weight: (small_normal if weight is last.weight else init.kaiming_uniform_)(weight))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x)).flatten(1)


def squeezenet1_0(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> SqueezeNet:
    """SqueezeNet 1.0 (Iandola et al. 2016, arXiv:1602.07360)."""
    return build(SqueezeNet, weights, "1_0", **kwargs)


def squeezenet1_1(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> SqueezeNet:
    """SqueezeNet 1.1, for half the multiply-adds (Iandola et al. 2016, arXiv:1602.07360)."""
    return build(SqueezeNet, weights, "1_1", **kwargs)
