"""DeepLabV3: convolutions of several dilations beside each other see each pixel's surroundings at several scales."""

from collections.abc import Sequence
from typing import Any

import nn
from autograd import Tensor, cat
from nn.vision.models._utils import Weights
from nn.vision.models.resnet import resnet50, resnet101
from nn.vision.models.segmentation._utils import (
    SimpleSegmentationModel,
    at_size,
    build_segmentation,
    dilated_mobilenet,
)
from nn.vision.models.segmentation.fcn import FCNHead, of_resnet


class DeepLabV3(SimpleSegmentationModel):
    """DeepLabV3; see `SimpleSegmentationModel`."""


def _convolution(in_channels: int, out_channels: int, kernel_size: int = 1, dilation: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(in_channels, out_channels, kernel_size, padding=dilation * (kernel_size // 2), dilation=dilation,
                      bias=False), nn.BatchNorm2d(out_channels), nn.ReLU()]


class ASPPPooling(nn.Sequential):
    """What the whole image says, at each pixel."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), *_convolution(in_channels, out_channels))

    def forward(self, input: Tensor) -> Tensor:
        return at_size(super().forward(input), input)


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: 1 × 1, 3 × 3 of each dilation, and the mean, joined by 1 × 1."""

    def __init__(self, in_channels: int, atrous_rates: Sequence[int], out_channels: int = 256) -> None:
        super().__init__()
        self.convs = nn.ModuleList([
            nn.Sequential(*_convolution(in_channels, out_channels)),
            *[nn.Sequential(*_convolution(in_channels, out_channels, 3, rate)) for rate in atrous_rates],
            ASPPPooling(in_channels, out_channels)])
        self.project = nn.Sequential(*_convolution(len(self.convs) * out_channels, out_channels), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.project(cat([conv(x) for conv in self.convs], 1))


class DeepLabHead(nn.Sequential):
    """ASPP, a 3 × 3 convolution, and a linear layer of each pixel."""

    def __init__(self, in_channels: int, num_classes: int, atrous_rates: Sequence[int] = (12, 24, 36)) -> None:
        super().__init__(ASPP(in_channels, atrous_rates), *_convolution(256, 256, 3), nn.Conv2d(256, num_classes, 1))


def deeplabv3_resnet50(*, weights: Weights = None, progress: bool = True, num_classes: int = 21,
                       aux_loss: bool | None = None, weights_backbone: Weights = None, **kwargs: Any) -> DeepLabV3:
    """DeepLabV3 on ResNet-50 (Chen et al. 2017, arXiv:1706.05587)."""
    return of_resnet(DeepLabV3, DeepLabHead, resnet50, weights, weights_backbone, num_classes, aux_loss, **kwargs)


def deeplabv3_resnet101(*, weights: Weights = None, progress: bool = True, num_classes: int = 21,
                        aux_loss: bool | None = None, weights_backbone: Weights = None, **kwargs: Any) -> DeepLabV3:
    """DeepLabV3 on ResNet-101 (Chen et al. 2017, arXiv:1706.05587)."""
    return of_resnet(DeepLabV3, DeepLabHead, resnet101, weights, weights_backbone, num_classes, aux_loss, **kwargs)


def deeplabv3_mobilenet_v3_large(*, weights: Weights = None, progress: bool = True, num_classes: int = 21,
                                 aux_loss: bool | None = None, weights_backbone: Weights = None,
                                 **kwargs: Any) -> DeepLabV3:
    """DeepLabV3 on MobileNetV3-Large (Chen et al. 2017, arXiv:1706.05587)."""
    features = dilated_mobilenet(kwargs.pop("pretrained_backbone", False) or weights_backbone)
    return build_segmentation(DeepLabV3, DeepLabHead, FCNHead, *features, weights, num_classes, aux_loss, **kwargs)
