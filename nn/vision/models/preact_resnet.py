"""The ResNet whose blocks normalize before they convolve, so that x passes from end to end unchanged."""

from collections.abc import Sequence
from typing import Any, ClassVar

import nn
from autograd import Tensor
from nn.vision.models._utils import Weights, build, initialize
from nn.vision.models.resnet import conv1x1, conv3x3


class PreActBlock(nn.Module):
    """x + f(x), each convolution of f after a normalization and ReLU; where the shape changes, x goes through 1 × 1."""

    expansion: ClassVar[int] = 1
    bn1: nn.BatchNorm2d
    conv1: nn.Conv2d

    def __init__(self, inplanes: int, planes: int, stride: int = 1) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        for i, conv in enumerate(self._convolutions(inplanes, planes, stride), 1):
            setattr(self, f"bn{i}", nn.BatchNorm2d(conv.in_channels))
            setattr(self, f"conv{i}", conv)
        self.length = i
        out = planes * self.expansion
        self.downsample = conv1x1(inplanes, out, stride) if stride != 1 or inplanes != out else None

    def _convolutions(self, inplanes: int, planes: int, stride: int) -> list[nn.Conv2d]:
        return [conv3x3(inplanes, planes, stride), conv3x3(planes, planes)]

    def forward(self, x: Tensor) -> Tensor:
        first = out = self.relu(self.bn1(x))
        out = self.conv1(out)
        for i in range(2, self.length + 1):
            out = getattr(self, f"conv{i}")(self.relu(getattr(self, f"bn{i}")(out)))
        return out + (x if self.downsample is None else self.downsample(first))


class PreActBottleneck(PreActBlock):
    """A `PreActBlock` with a 3 × 3 convolution of fewer channels between two 1 × 1."""

    expansion: ClassVar[int] = 4

    def _convolutions(self, inplanes: int, planes: int, stride: int) -> list[nn.Conv2d]:
        return [conv1x1(inplanes, planes), conv3x3(planes, planes, stride), conv1x1(planes, planes * self.expansion)]


class PreActResNet(nn.Module):
    """Images (N, 3, H, W) to logits (N, num_classes).

    Args:
        block: PreActBlock or PreActBottleneck.
        layers: how many blocks each stage has: three for small images (16, 32 and 64 channels, after a 3 × 3
            convolution), four for large ones (64 to 512, after a 7 × 7 convolution and pooling).
        num_classes: how many logits there are.
    """

    def __init__(self, block: type[PreActBlock], layers: Sequence[int], num_classes: int = 1000) -> None:
        super().__init__()
        if len(layers) not in (3, 4):
            raise ValueError(f"layers has an entry for each of three or four stages, not {layers!r}")
        small = len(layers) == 3
        channels = width = 16 if small else 64
        self.conv1 = conv3x3(3, width) if small else nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        for i, blocks in enumerate(layers, 1):
            stage = []
            for j in range(blocks):
                stage.append(block(channels, width, 2 if i > 1 and j == 0 else 1))
                channels = width * block.expansion
            self.add_module(f"layer{i}", nn.Sequential(*stage))
            width *= 2
        self.stages = len(layers)
        self.bn = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, num_classes)
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.conv1(x))
        for i in range(1, self.stages + 1):
            x = getattr(self, f"layer{i}")(x)
        return self.fc(self.avgpool(self.relu(self.bn(x))).flatten(1))


def preact_resnet110(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> PreActResNet:
    """ResNet-110 with preactivation for CIFAR-10 (He et al. 2016, arXiv:1603.05027)."""
    return build(PreActResNet, weights, PreActBlock, [18, 18, 18], **{"num_classes": 10, **kwargs})


def preact_resnet164(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> PreActResNet:
    """ResNet-164 with preactivation for CIFAR-10 (He et al. 2016, arXiv:1603.05027)."""
    return build(PreActResNet, weights, PreActBottleneck, [18, 18, 18], **{"num_classes": 10, **kwargs})


def preact_resnet1001(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> PreActResNet:
    """ResNet-1001 with preactivation for CIFAR-10 (He et al. 2016, arXiv:1603.05027)."""
    return build(PreActResNet, weights, PreActBottleneck, [111, 111, 111], **{"num_classes": 10, **kwargs})


def preact_resnet18(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> PreActResNet:
    """ResNet-18 with preactivation (He et al. 2016, arXiv:1603.05027)."""
    return build(PreActResNet, weights, PreActBlock, [2, 2, 2, 2], **kwargs)


def preact_resnet34(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> PreActResNet:
    """ResNet-34 with preactivation (He et al. 2016, arXiv:1603.05027)."""
    return build(PreActResNet, weights, PreActBlock, [3, 4, 6, 3], **kwargs)


def preact_resnet50(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> PreActResNet:
    """ResNet-50 with preactivation (He et al. 2016, arXiv:1603.05027)."""
    return build(PreActResNet, weights, PreActBottleneck, [3, 4, 6, 3], **kwargs)


def preact_resnet101(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> PreActResNet:
    """ResNet-101 with preactivation (He et al. 2016, arXiv:1603.05027)."""
    return build(PreActResNet, weights, PreActBottleneck, [3, 4, 23, 3], **kwargs)


def preact_resnet152(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> PreActResNet:
    """ResNet-152 with preactivation (He et al. 2016, arXiv:1603.05027)."""
    return build(PreActResNet, weights, PreActBottleneck, [3, 8, 36, 3], **kwargs)


def preact_resnet200(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> PreActResNet:
    """ResNet-200 with preactivation (He et al. 2016, arXiv:1603.05027)."""
    return build(PreActResNet, weights, PreActBottleneck, [3, 24, 36, 3], **kwargs)
