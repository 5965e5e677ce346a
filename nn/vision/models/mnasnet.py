"""MnasNet-B1: MobileNetV2's blocks, their sizes found by a search for what is fast on a phone."""

from typing import Any

import nn
from autograd import Tensor
from nn import init
from nn.vision.models._utils import Weights, _make_divisible, build, initialize

MOMENTUM = 1 - 0.9997
"""Of the normalizations: the paper's is TensorFlow's, counted from the other side."""


def _convolution(channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(out, momentum=MOMENTUM)]


class _InvertedResidual(nn.Module):
    """1 × 1 to more channels, depthwise, 1 × 1 to few channels; x is added if the shape stays."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = channels * expansion
        self.apply_residual = channels == out and stride == 1
        self.layers = nn.Sequential(*_convolution(channels, hidden, 1), nn.ReLU(inplace=True),
                                    *_convolution(hidden, hidden, kernel, stride, hidden), nn.ReLU(inplace=True),
                                    *_convolution(hidden, out, 1))

    def forward(self, input: Tensor) -> Tensor:
        return self.layers(input) + input if self.apply_residual else self.layers(input)


def _stack(channels: int, out: int, kernel: int, stride: int, expansion: int, repeats: int) -> nn.Sequential:
    return nn.Sequential(_InvertedResidual(channels, out, kernel, stride, expansion),
                         *[_InvertedResidual(out, out, kernel, 1, expansion) for _ in range(repeats - 1)])


class MNASNet(nn.Module):
    """Images (N, 3, H, W) to logits (N, num_classes), with `alpha` times the paper's channels."""

    _version = 2

    def __init__(self, alpha: float, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        if alpha <= 0:
            raise ValueError(f"alpha must be positive, not {alpha}")
        self.alpha, self.num_classes = alpha, num_classes
        d = [_make_divisible(depth * alpha, 8) for depth in (32, 16, 24, 40, 80, 96, 192, 320)]
        self.layers = nn.Sequential(
            *_convolution(3, d[0], 3, 2), nn.ReLU(inplace=True),
            *_convolution(d[0], d[0], 3, 1, d[0]), nn.ReLU(inplace=True),
            *_convolution(d[0], d[1], 1),
            _stack(d[1], d[2], 3, 2, 3, 3), _stack(d[2], d[3], 5, 2, 3, 3), _stack(d[3], d[4], 5, 2, 6, 3),
            _stack(d[4], d[5], 3, 1, 6, 2), _stack(d[5], d[6], 5, 2, 6, 4), _stack(d[6], d[7], 3, 1, 6, 1),
            *_convolution(d[7], 1280, 1), nn.ReLU(inplace=True))
        self.classifier = nn.Sequential(nn.Dropout(dropout, inplace=True), nn.Linear(1280, num_classes))
        initialize(self, linear=lambda weight: init.kaiming_uniform_(weight, mode="fan_out", nonlinearity="sigmoid"))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.layers(x).mean((2, 3)))


def mnasnet0_5(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> MNASNet:
    """MnasNet with half the channels (Tan et al. 2019, arXiv:1807.11626)."""
    return build(MNASNet, weights, 0.5, **kwargs)


def mnasnet0_75(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> MNASNet:
    """MnasNet with 0.75 times the channels (Tan et al. 2019, arXiv:1807.11626)."""
    return build(MNASNet, weights, 0.75, **kwargs)


def mnasnet1_0(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> MNASNet:
    """MnasNet (Tan et al. 2019, arXiv:1807.11626)."""
    return build(MNASNet, weights, 1.0, **kwargs)


def mnasnet1_3(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> MNASNet:
    """MnasNet with 1.3 times the channels (Tan et al. 2019, arXiv:1807.11626)."""
    return build(MNASNet, weights, 1.3, **kwargs)
