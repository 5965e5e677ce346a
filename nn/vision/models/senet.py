"""SENet: a ResNet whose blocks weight the channels of what they add."""

from typing import Any

import nn
from autograd import Tensor
from nn.vision.models._utils import Weights, build
from nn.vision.models.resnet import Bottleneck, ResNet
from nn.vision.ops.misc import Layer, SqueezeExcitation


class SEBottleneck(Bottleneck):
    """A Bottleneck and squeeze-and-excitation to a sixteenth of the channels."""

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None,
                 groups: int = 1, base_width: int = 64, dilation: int = 1, norm_layer: Layer | None = None) -> None:
        super().__init__(inplanes, planes, stride, downsample, groups, base_width, dilation, norm_layer)
        self.se = SqueezeExcitation(planes * self.expansion, planes * self.expansion // 16)

    def residual(self, x: Tensor) -> Tensor:
        return self.se(super().residual(x))


def se_resnet50(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """SE-ResNet-50 (Hu et al. 2018, arXiv:1709.01507)."""
    return build(ResNet, weights, SEBottleneck, [3, 4, 6, 3], **kwargs)


def se_resnet101(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """SE-ResNet-101 (Hu et al. 2018, arXiv:1709.01507)."""
    return build(ResNet, weights, SEBottleneck, [3, 4, 23, 3], **kwargs)
