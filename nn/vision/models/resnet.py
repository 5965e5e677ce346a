"""ResNet, and what was made of it by more groups (ResNeXt) or channels (Wide ResNet)."""

from collections.abc import Sequence
from typing import Any, ClassVar

import nn
from autograd import Tensor
from nn import init
from nn.vision.models._utils import Weights, build, initialize
from nn.vision.ops.misc import Layer


def conv3x3(in_planes: int, out_planes: int, stride: int = 1, groups: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A 3 × 3 convolution that keeps the size at stride 1."""
    return nn.Conv2d(in_planes, out_planes, 3, stride, dilation, dilation, groups, bias=False)


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """A 1 × 1 convolution: a linear layer of each pixel."""
    return nn.Conv2d(in_planes, out_planes, 1, stride, bias=False)


class ResidualBlock(nn.Module):
    """relu(residual(x) + x), or + downsample(x) where the shape changes."""

    relu: nn.ReLU
    downsample: nn.Module | None

    def residual(self, x: Tensor) -> Tensor:
        """What is added to x."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        out = self.residual(x)
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class BasicBlock(ResidualBlock):
    """Two 3 × 3 convolutions."""

    expansion: ClassVar[int] = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None,
                 groups: int = 1, base_width: int = 64, dilation: int = 1, norm_layer: Layer | None = None) -> None:
        super().__init__()
        if groups != 1 or base_width != 64 or dilation != 1:
            raise ValueError(f"a BasicBlock has neither groups ({groups}) nor another base_width than 64 "
                             f"({base_width}) nor dilation ({dilation}); a Bottleneck has")
        norm_layer = norm_layer or nn.BatchNorm2d
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample
        self.stride = stride

    def residual(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(x))


class Bottleneck(ResidualBlock):
    """A 3 × 3 convolution of fewer channels between two 1 × 1; the stride is here, not in the first as in the paper."""

    expansion: ClassVar[int] = 4

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None,
                 groups: int = 1, base_width: int = 64, dilation: int = 1, norm_layer: Layer | None = None) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm_layer(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm_layer(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm_layer(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def residual(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.bn3(self.conv3(x))


class ResNet(nn.Module):
    """Images (N, 3, H, W) to logits (N, num_classes).

    Args:
        block: BasicBlock, Bottleneck or another one with their arguments.
        layers: how many blocks each of the four stages has.
        num_classes: how many logits there are.
        zero_init_residual: whether each block is the identity at first: the last normalization has weight 0.
        groups: of the 3 × 3 convolutions.
        width_per_group: their channels in the first stage, of each group.
        replace_stride_with_dilation: for each of the last three stages, whether it keeps the resolution.
        norm_layer: makes the normalizations; default BatchNorm2d.

    >>> ResNet(BasicBlock, [1, 1, 1, 1], num_classes=10)(autograd.randn(1, 3, 64, 64)).shape
    (1, 10)
    """

    def __init__(self, block: Any, layers: Sequence[int], num_classes: int = 1000, zero_init_residual: bool = False,
                 groups: int = 1, width_per_group: int = 64,
                 replace_stride_with_dilation: Sequence[bool] | None = None, norm_layer: Layer | None = None) -> None:
        super().__init__()
        dilate = replace_stride_with_dilation or (False, False, False)
        if len(dilate) != 3:
            raise ValueError("replace_stride_with_dilation has one entry for each of the last three stages, not "
                             f"{replace_stride_with_dilation!r}")
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes, self.dilation = 64, 1
        self.groups, self.base_width = groups, width_per_group
        self.conv1 = nn.Conv2d(3, self.inplanes, 7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(self.inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], 2, dilate[0])
        self.layer3 = self._make_layer(block, 256, layers[2], 2, dilate[1])
        self.layer4 = self._make_layer(block, 512, layers[3], 2, dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        initialize(self)
        if zero_init_residual:
            for module in self.modules():
                last: Any = (module.bn3 if isinstance(module, Bottleneck) else
                             module.bn2 if isinstance(module, BasicBlock) else None)
                if last is not None and last.weight is not None:
                    init.zeros_(last.weight)

    def _make_layer(self, block: Any, planes: int, blocks: int, stride: int = 1, dilate: bool = False) -> nn.Sequential:
        downsample, dilation = None, self.dilation
        if dilate:
            self.dilation, stride = self.dilation * stride, 1
        out = planes * block.expansion
        if stride != 1 or self.inplanes != out:
            downsample = nn.Sequential(conv1x1(self.inplanes, out, stride), self._norm_layer(out))
        layers = []
        for _ in range(blocks):
            layers.append(block(self.inplanes, planes, stride, downsample, self.groups, self.base_width, dilation,
                                self._norm_layer))
            self.inplanes, stride, downsample, dilation = out, 1, None, self.dilation
        return nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def resnet18(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet-18 (He et al. 2016, arXiv:1512.03385)."""
    return build(ResNet, weights, BasicBlock, [2, 2, 2, 2], **kwargs)


def resnet34(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet-34 (He et al. 2016, arXiv:1512.03385)."""
    return build(ResNet, weights, BasicBlock, [3, 4, 6, 3], **kwargs)


def resnet50(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet-50 (He et al. 2016, arXiv:1512.03385)."""
    return build(ResNet, weights, Bottleneck, [3, 4, 6, 3], **kwargs)


def resnet101(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet-101 (He et al. 2016, arXiv:1512.03385)."""
    return build(ResNet, weights, Bottleneck, [3, 4, 23, 3], **kwargs)


def resnet152(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet-152 (He et al. 2016, arXiv:1512.03385)."""
    return build(ResNet, weights, Bottleneck, [3, 8, 36, 3], **kwargs)


def resnext50_32x4d(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNeXt-50 with 32 groups of 4 channels (Xie et al. 2017, arXiv:1611.05431)."""
    return build(ResNet, weights, Bottleneck, [3, 4, 6, 3], groups=32, width_per_group=4, **kwargs)


def resnext101_32x8d(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNeXt-101 with 32 groups of 8 channels (Xie et al. 2017, arXiv:1611.05431)."""
    return build(ResNet, weights, Bottleneck, [3, 4, 23, 3], groups=32, width_per_group=8, **kwargs)


def resnext101_64x4d(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNeXt-101 with 64 groups of 4 channels (Xie et al. 2017, arXiv:1611.05431)."""
    return build(ResNet, weights, Bottleneck, [3, 4, 23, 3], groups=64, width_per_group=4, **kwargs)


def wide_resnet50_2(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet-50 with 3 × 3 convolutions of twice the channels (Zagoruyko & Komodakis 2016, arXiv:1605.07146)."""
    return build(ResNet, weights, Bottleneck, [3, 4, 6, 3], width_per_group=128, **kwargs)


def wide_resnet101_2(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet-101 with 3 × 3 convolutions of twice the channels (Zagoruyko & Komodakis 2016, arXiv:1605.07146)."""
    return build(ResNet, weights, Bottleneck, [3, 4, 23, 3], width_per_group=128, **kwargs)
