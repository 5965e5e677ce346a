"""FCN: a classifier of each pixel on the features of a ResNet with dilation."""

from typing import Any

import nn
from nn.vision.models._utils import Weights
from nn.vision.models.resnet import resnet50, resnet101
from nn.vision.models.segmentation._utils import SimpleSegmentationModel, build_segmentation
from nn.vision.ops.misc import Layer


class FCN(SimpleSegmentationModel):
    """A fully convolutional network; see `SimpleSegmentationModel`."""


class FCNHead(nn.Sequential):
    """A 3 × 3 convolution to a quarter of the channels, then a linear layer of each pixel."""

    def __init__(self, in_channels: int, channels: int) -> None:
        inter = in_channels // 4
        super().__init__(nn.Conv2d(in_channels, inter, 3, padding=1, bias=False), nn.BatchNorm2d(inter), nn.ReLU(),
                         nn.Dropout(0.1), nn.Conv2d(inter, channels, 1))


def of_resnet(model: type, head: Layer, resnet: Layer, weights: Weights, weights_backbone: Weights,
              num_classes: int, aux_loss: bool | None, **kwargs: Any) -> Any:
    """A model on a ResNet whose last two stages have dilation, with the features of the last one and the one before."""
    backbone = resnet(weights=kwargs.pop("pretrained_backbone", False) or weights_backbone,
                      replace_stride_with_dilation=[False, True, True])
    return build_segmentation(model, head, FCNHead, backbone, {"out": ("layer4", 2048), "aux": ("layer3", 1024)},
                              weights, num_classes, aux_loss, **kwargs)


def fcn_resnet50(*, weights: Weights = None, progress: bool = True, num_classes: int = 21,
                 aux_loss: bool | None = None, weights_backbone: Weights = None, **kwargs: Any) -> FCN:
    """FCN on ResNet-50 (Long et al. 2015, arXiv:1411.4038)."""
    return of_resnet(FCN, FCNHead, resnet50, weights, weights_backbone, num_classes, aux_loss, **kwargs)


def fcn_resnet101(*, weights: Weights = None, progress: bool = True, num_classes: int = 21,
                  aux_loss: bool | None = None, weights_backbone: Weights = None, **kwargs: Any) -> FCN:
    """FCN on ResNet-101 (Long et al. 2015, arXiv:1411.4038)."""
    return of_resnet(FCN, FCNHead, resnet101, weights, weights_backbone, num_classes, aux_loss, **kwargs)
