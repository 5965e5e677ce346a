"""ResNets of videos: 3D convolutions, 3D ones at the beginning alone, or 2D ones followed by 1D ones in time."""

from collections.abc import Sequence
from typing import Any, ClassVar

import nn
from autograd import Tensor
from nn import init
from nn.vision.models._utils import Weights, build, initialize, small_normal
from nn.vision.models.resnet import ResidualBlock
from nn.vision.ops.misc import Layer

__all__ = ["VideoResNet", "mc3_18", "r2plus1d_18", "r3d_18"]


class Conv3DSimple(nn.Conv3d):
    """3 × 3 × 3."""

    def __init__(self, in_planes: int, out_planes: int, midplanes: int | None = None, stride: int = 1,
                 padding: int = 1) -> None:
        super().__init__(in_planes, out_planes, 3, stride, padding, bias=False)

    @staticmethod
    def get_downsample_stride(stride: int) -> tuple[int, int, int]:
        """In time, height and width."""
        return stride, stride, stride


class Conv3DNoTemporal(nn.Conv3d):
    """1 × 3 × 3: each frame for itself."""

    def __init__(self, in_planes: int, out_planes: int, midplanes: int | None = None, stride: int = 1,
                 padding: int = 1) -> None:
        super().__init__(in_planes, out_planes, (1, 3, 3), (1, stride, stride), (0, padding, padding), bias=False)

    @staticmethod
    def get_downsample_stride(stride: int) -> tuple[int, int, int]:
        """In time, height and width."""
        return 1, stride, stride


class Conv2Plus1D(nn.Sequential):
    """1 × 3 × 3, then 3 × 1 × 1."""

    def __init__(self, in_planes: int, out_planes: int, midplanes: int, stride: int = 1, padding: int = 1) -> None:
        super().__init__(*_frames(in_planes, midplanes, 3, stride, padding),
                         nn.Conv3d(midplanes, out_planes, (3, 1, 1), (stride, 1, 1), (padding, 0, 0), bias=False))

    get_downsample_stride = staticmethod(Conv3DSimple.get_downsample_stride)


def _frames(in_planes: int, out_planes: int, kernel: int, stride: int, padding: int) -> list[nn.Module]:
    """A convolution of each frame for itself."""
    return [nn.Conv3d(in_planes, out_planes, (1, kernel, kernel), (1, stride, stride), (0, padding, padding),
                      bias=False), nn.BatchNorm3d(out_planes), nn.ReLU(inplace=True)]


class _Block(ResidualBlock):
    """What `conv_builder` makes, with as many parameters in two convolutions as one of 3 × 3 × 3 would have."""

    expansion: ClassVar[int]

    def __init__(self, inplanes: int, planes: int, conv_builder: Any, stride: int = 1,
                 downsample: nn.Module | None = None) -> None:
        super().__init__()
        mid = inplanes * planes * 27 // (inplanes * 9 + 3 * planes)
        self._convolutions(inplanes, planes, mid, conv_builder, stride)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def _convolutions(self, inplanes: int, planes: int, mid: int, conv_builder: Any, stride: int) -> None:
        raise NotImplementedError


class BasicBlock(_Block):
    """Two convolutions."""

    expansion = 1

    def _convolutions(self, inplanes: int, planes: int, mid: int, conv_builder: Any, stride: int) -> None:
        self.conv1 = nn.Sequential(conv_builder(inplanes, planes, mid, stride), nn.BatchNorm3d(planes),
                                   nn.ReLU(inplace=True))
        self.conv2 = nn.Sequential(conv_builder(planes, planes, mid), nn.BatchNorm3d(planes))

    def residual(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x))


class Bottleneck(_Block):
    """A convolution of fewer channels between two 1 × 1 × 1."""

    expansion = 4

    def _convolutions(self, inplanes: int, planes: int, mid: int, conv_builder: Any, stride: int) -> None:
        out = planes * self.expansion
        self.conv1 = nn.Sequential(*_frames(inplanes, planes, 1, 1, 0))
        self.conv2 = nn.Sequential(conv_builder(planes, planes, mid, stride), nn.BatchNorm3d(planes),
                                   nn.ReLU(inplace=True))
        self.conv3 = nn.Sequential(nn.Conv3d(planes, out, 1, bias=False), nn.BatchNorm3d(out))

    def residual(self, x: Tensor) -> Tensor:
        return self.conv3(self.conv2(self.conv1(x)))


class BasicStem(nn.Sequential):
    """3 × 7 × 7, to half the height and width."""

    def __init__(self) -> None:
        super().__init__(nn.Conv3d(3, 64, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False), nn.BatchNorm3d(64),
                         nn.ReLU(inplace=True))


class R2Plus1dStem(nn.Sequential):
    """1 × 7 × 7, then 3 × 1 × 1, to half the height and width."""

    def __init__(self) -> None:
        super().__init__(*_frames(3, 45, 7, 2, 3), nn.Conv3d(45, 64, (3, 1, 1), padding=(1, 0, 0), bias=False),
                         nn.BatchNorm3d(64), nn.ReLU(inplace=True))


class VideoResNet(nn.Module):
    """Videos (N, 3, T, H, W) to logits (N, num_classes).

    Args:
        block: BasicBlock or Bottleneck.
        conv_makers: makes the convolutions of each stage.
        layers: how many blocks each stage has.
        stem: makes the first layers.
        num_classes: how many logits there are.
        zero_init_residual: whether a Bottleneck is the identity at first.
    """

    def __init__(self, block: Any, conv_makers: Sequence[Any], layers: Sequence[int], stem: Layer,
                 num_classes: int = 400, zero_init_residual: bool = False) -> None:
        super().__init__()
        self.inplanes = 64
        self.stem = stem()
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            self._make_layer(block, conv, planes, blocks, 1 if planes == 64 else 2)
            for conv, planes, blocks in zip(conv_makers, (64, 128, 256, 512), layers, strict=True))
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        initialize(self, linear=small_normal)
        if zero_init_residual:
            for module in self.modules():
                if isinstance(module, Bottleneck):
                    init.zeros_(module.conv3[1].weight)

    def _make_layer(self, block: Any, conv: Any, planes: int, blocks: int, stride: int) -> nn.Sequential:
        out, downsample = planes * block.expansion, None
        if stride != 1 or self.inplanes != out:
            downsample = nn.Sequential(nn.Conv3d(self.inplanes, out, 1, conv.get_downsample_stride(stride), bias=False),
                                       nn.BatchNorm3d(out))
        first, self.inplanes = block(self.inplanes, planes, conv, stride, downsample), out
        return nn.Sequential(first, *[block(out, planes, conv) for _ in range(blocks - 1)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        return self.fc(self.avgpool(x).flatten(1))


def r3d_18(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VideoResNet:
    """R3D-18: 3D convolutions (Tran et al. 2018, arXiv:1711.11248)."""
    return build(VideoResNet, weights, BasicBlock, [Conv3DSimple] * 4, [2, 2, 2, 2], BasicStem, **kwargs)


def mc3_18(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VideoResNet:
    """MC3-18: 3D convolutions in the first stage, then 2D (Tran et al. 2018, arXiv:1711.11248)."""
    return build(VideoResNet, weights, BasicBlock, [Conv3DSimple, *[Conv3DNoTemporal] * 3], [2, 2, 2, 2], BasicStem,
                 **kwargs)


def r2plus1d_18(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VideoResNet:
    """R(2+1)D-18: 2D convolutions, then 1D in time (Tran et al. 2018, arXiv:1711.11248)."""
    return build(VideoResNet, weights, BasicBlock, [Conv2Plus1D] * 4, [2, 2, 2, 2], R2Plus1dStem, **kwargs)
