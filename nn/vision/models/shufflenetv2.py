"""ShuffleNetV2: half of the channels pass by, and the halves are mixed."""

from collections.abc import Sequence
from typing import Any

import nn
from autograd import Tensor, cat
from nn import functional as F
from nn.vision.models._utils import Weights, build
from nn.vision.ops.misc import Layer


class InvertedResidual(nn.Module):
    """At stride 1 one half of the channels is convolved, at stride 2 all are, in two ways."""

    def __init__(self, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        if stride not in (1, 2, 3):
            raise ValueError(f"stride must be 1, 2 or 3, not {stride}")
        if stride == 1 and inp != oup // 2 * 2:
            raise ValueError(f"at stride 1 the channels stay, but inp is {inp} and oup {oup}")
        self.stride, half = stride, oup // 2
        self.branch1 = nn.Sequential() if stride == 1 else nn.Sequential(
            *self._depthwise(inp, stride), nn.Conv2d(inp, half, 1, bias=False), nn.BatchNorm2d(half),
            nn.ReLU(inplace=True))
        self.branch2 = nn.Sequential(
            nn.Conv2d(half if stride == 1 else inp, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True),
            *self._depthwise(half, stride), nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half),
            nn.ReLU(inplace=True))

    @staticmethod
    def _depthwise(channels: int, stride: int) -> list[nn.Module]:
        return [nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False), nn.BatchNorm2d(channels)]

    def forward(self, x: Tensor) -> Tensor:
        x1, x2 = x.chunk(2, 1) if self.stride == 1 else (x, x)
        return F.channel_shuffle(cat([self.branch1(x1), self.branch2(x2)], 1), 2)


class ShuffleNetV2(nn.Module):
    """Images (N, 3, H, W) to logits (N, num_classes).

    Args:
        stages_repeats: how many blocks each of the three stages has.
        stages_out_channels: of the first convolution, the stages, and the last convolution.
        num_classes: how many logits there are.
        inverted_residual: makes the blocks.
    """

    def __init__(self, stages_repeats: Sequence[int], stages_out_channels: Sequence[int], num_classes: int = 1000,
                 inverted_residual: Layer = InvertedResidual) -> None:
        super().__init__()
        if len(stages_repeats) != 3 or len(stages_out_channels) != 5:
            raise ValueError("there are three stages_repeats and five stages_out_channels, not "
                             f"{len(stages_repeats)} and {len(stages_out_channels)}")
        first, *stages, last = stages_out_channels
        self.conv1 = nn.Sequential(nn.Conv2d(3, first, 3, 2, 1, bias=False), nn.BatchNorm2d(first),
                                   nn.ReLU(inplace=True))
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.stage2, self.stage3, self.stage4 = (
            nn.Sequential(inverted_residual(inp, oup, 2), *[inverted_residual(oup, oup, 1) for _ in range(repeats - 1)])
            for inp, oup, repeats in zip([first, *stages], stages, stages_repeats, strict=False))
        self.conv5 = nn.Sequential(nn.Conv2d(stages[-1], last, 1, bias=False), nn.BatchNorm2d(last),
                                   nn.ReLU(inplace=True))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.conv1(x))
        x = self.conv5(self.stage4(self.stage3(self.stage2(x))))
        return self.fc(x.mean((2, 3)))


def shufflenet_v2_x0_5(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ShuffleNetV2:
    """ShuffleNetV2 with half the channels (Ma et al. 2018, arXiv:1807.11164)."""
    return build(ShuffleNetV2, weights, [4, 8, 4], [24, 48, 96, 192, 1024], **kwargs)


def shufflenet_v2_x1_0(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ShuffleNetV2:
    """ShuffleNetV2 (Ma et al. 2018, arXiv:1807.11164)."""
    return build(ShuffleNetV2, weights, [4, 8, 4], [24, 116, 232, 464, 1024], **kwargs)


def shufflenet_v2_x1_5(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ShuffleNetV2:
    """ShuffleNetV2 with 1.5 times the channels (Ma et al. 2018, arXiv:1807.11164)."""
    return build(ShuffleNetV2, weights, [4, 8, 4], [24, 176, 352, 704, 1024], **kwargs)


def shufflenet_v2_x2_0(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ShuffleNetV2:
    """ShuffleNetV2 with twice the channels (Ma et al. 2018, arXiv:1807.11164)."""
    return build(ShuffleNetV2, weights, [4, 8, 4], [24, 244, 488, 976, 2048], **kwargs)
