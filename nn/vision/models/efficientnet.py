"""EfficientNet: MobileNetV3's blocks, scaled in width, depth and resolution together; V2 fuses the first ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import nn
from autograd import Tensor
from nn import init
from nn.vision.models._utils import Weights, _make_divisible, build, initialize
from nn.vision.models.mobilenetv3 import inverted_residual
from nn.vision.ops import StochasticDepth
from nn.vision.ops.misc import Conv2dNormActivation, Layer, SqueezeExcitation


class _Block(nn.Module):
    """x + block(x) if the shape stays, else block(x)."""

    def __init__(self, cnf: "_BlockConfig", block: nn.Sequential, stochastic_depth_prob: float) -> None:
        super().__init__()
        if cnf.stride not in (1, 2):
            raise ValueError(f"stride must be 1 or 2, not {cnf.stride}")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.block = block
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.out_channels = cnf.out_channels

    def forward(self, input: Tensor) -> Tensor:
        result = self.block(input)
        return self.stochastic_depth(result) + input if self.use_res_connect else result


class MBConv(_Block):
    """1 × 1 to more channels, depthwise, squeeze-and-excitation, 1 × 1 to few channels."""

    def __init__(self, cnf: "_BlockConfig", stochastic_depth_prob: float, norm_layer: Layer,
                 se_layer: Layer = SqueezeExcitation) -> None:
        expanded = _make_divisible(cnf.input_channels * cnf.expand_ratio, 8)
        super().__init__(cnf, inverted_residual(
            cnf.input_channels, expanded, cnf.out_channels, cnf.kernel, cnf.stride, 1, norm_layer, nn.SiLU,
            partial(se_layer, expanded, max(1, cnf.input_channels // 4), activation=partial(nn.SiLU, inplace=True))),
            stochastic_depth_prob)


class FusedMBConv(_Block):
    """A convolution to more channels, 1 × 1 to few channels; one convolution if `expand_ratio` is 1."""

    def __init__(self, cnf: "_BlockConfig", stochastic_depth_prob: float, norm_layer: Layer) -> None:
        layer = partial(Conv2dNormActivation, norm_layer=norm_layer)
        expanded = _make_divisible(cnf.input_channels * cnf.expand_ratio, 8)
        alone = expanded == cnf.input_channels
        super().__init__(cnf, nn.Sequential(
            layer(cnf.input_channels, cnf.out_channels if alone else expanded, cnf.kernel, cnf.stride,
                  activation_layer=nn.SiLU),
            *() if alone else [layer(expanded, cnf.out_channels, 1, activation_layer=None)]), stochastic_depth_prob)


@dataclass
class _BlockConfig:
    """A row of a table: blocks alike, of which the first has the stride and the input's channels."""

    expand_ratio: float
    kernel: int
    stride: int
    input_channels: int
    out_channels: int
    num_layers: int
    block: ClassVar[Layer]


class FusedMBConvConfig(_BlockConfig):
    """A row of table 4 of EfficientNetV2's paper."""

    block = FusedMBConv


class MBConvConfig(_BlockConfig):
    """A row of table 1 of EfficientNet's paper, scaled in width and depth."""

    block = MBConv

    def __init__(self, expand_ratio: float, kernel: int, stride: int, input_channels: int, out_channels: int,
                 num_layers: int, width_mult: float = 1.0, depth_mult: float = 1.0) -> None:
        super().__init__(expand_ratio, kernel, stride, _make_divisible(input_channels * width_mult, 8),
                         _make_divisible(out_channels * width_mult, 8), math.ceil(num_layers * depth_mult))


B0 = [(1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3), (6, 5, 1, 80, 112, 3),
      (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1)]
FUSED, PLAIN = FusedMBConvConfig, MBConvConfig
V2_S = [FUSED(1, 3, 1, 24, 24, 2), FUSED(4, 3, 2, 24, 48, 4), FUSED(4, 3, 2, 48, 64, 4), PLAIN(4, 3, 2, 64, 128, 6),
        PLAIN(6, 3, 1, 128, 160, 9), PLAIN(6, 3, 2, 160, 256, 15)]
V2_M = [FUSED(1, 3, 1, 24, 24, 3), FUSED(4, 3, 2, 24, 48, 5), FUSED(4, 3, 2, 48, 80, 5), PLAIN(4, 3, 2, 80, 160, 7),
        PLAIN(6, 3, 1, 160, 176, 14), PLAIN(6, 3, 2, 176, 304, 18), PLAIN(6, 3, 1, 304, 512, 5)]
V2_L = [FUSED(1, 3, 1, 32, 32, 4), FUSED(4, 3, 2, 32, 64, 7), FUSED(4, 3, 2, 64, 96, 7), PLAIN(4, 3, 2, 96, 192, 10),
        PLAIN(6, 3, 1, 192, 224, 19), PLAIN(6, 3, 2, 224, 384, 25), PLAIN(6, 3, 1, 384, 640, 7)]


class EfficientNet(nn.Module):
    """Images (N, 3, H, W) to logits (N, num_classes).

    Args:
        inverted_residual_setting: the table.
        dropout: before the last layer.
        stochastic_depth_prob: of the last block; the others have less, in proportion to their depth.
        num_classes: how many logits there are.
        norm_layer: makes the normalizations; default BatchNorm2d.
        last_channel: channels of the last convolution; default: four times those before it.
    """

    def __init__(self, inverted_residual_setting: Sequence[_BlockConfig], dropout: float,
                 stochastic_depth_prob: float = 0.2, num_classes: int = 1000, norm_layer: Layer | None = None,
                 last_channel: int | None = None) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        layer = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        layers: list[nn.Module] = [layer(3, inverted_residual_setting[0].input_channels, stride=2)]
        count, total = 0, sum(cnf.num_layers for cnf in inverted_residual_setting)
        for cnf in inverted_residual_setting:
            others = _BlockConfig(cnf.expand_ratio, cnf.kernel, 1, cnf.out_channels, cnf.out_channels, 1)
            layers.append(nn.Sequential(*[
                cnf.block(others if i else cnf, stochastic_depth_prob * (count + i) / total, norm_layer)
                for i in range(cnf.num_layers)]))
            count += cnf.num_layers
        channels = inverted_residual_setting[-1].out_channels
        last_channel = 4 * channels if last_channel is None else last_channel
        self.features = nn.Sequential(*layers, layer(channels, last_channel, kernel_size=1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout, inplace=True), nn.Linear(last_channel, num_classes))
        bound = 1 / math.sqrt(num_classes)
        initialize(self, linear=lambda weight: init.uniform_(weight, -bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _efficientnet(weights: Weights, width_mult: float, depth_mult: float, dropout: float,
                  **kwargs: Any) -> EfficientNet:
    table = [MBConvConfig(*row, width_mult, depth_mult) for row in B0]
    return build(EfficientNet, weights, table, **{"dropout": dropout, **kwargs})


NORM_OF_LARGE = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
"""TensorFlow's, with which the larger ones were trained."""


def _efficientnet_v2(weights: Weights, table: Sequence[_BlockConfig], dropout: float, **kwargs: Any) -> EfficientNet:
    return build(EfficientNet, weights, table, last_channel=1280,
                 **{"dropout": dropout, "norm_layer": partial(nn.BatchNorm2d, eps=1e-3), **kwargs})


def efficientnet_b0(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """EfficientNet-B0 (Tan & Le 2019, arXiv:1905.11946)."""
    return _efficientnet(weights, 1.0, 1.0, 0.2, **kwargs)


def efficientnet_b1(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """EfficientNet-B1 (Tan & Le 2019, arXiv:1905.11946)."""
    return _efficientnet(weights, 1.0, 1.1, 0.2, **kwargs)


def efficientnet_b2(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """EfficientNet-B2 (Tan & Le 2019, arXiv:1905.11946)."""
    return _efficientnet(weights, 1.1, 1.2, 0.3, **kwargs)


def efficientnet_b3(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """EfficientNet-B3 (Tan & Le 2019, arXiv:1905.11946)."""
    return _efficientnet(weights, 1.2, 1.4, 0.3, **kwargs)


def efficientnet_b4(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """EfficientNet-B4 (Tan & Le 2019, arXiv:1905.11946)."""
    return _efficientnet(weights, 1.4, 1.8, 0.4, **kwargs)


def efficientnet_b5(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """EfficientNet-B5 (Tan & Le 2019, arXiv:1905.11946)."""
    return _efficientnet(weights, 1.6, 2.2, 0.4, **{"norm_layer": NORM_OF_LARGE, **kwargs})


def efficientnet_b6(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """EfficientNet-B6 (Tan & Le 2019, arXiv:1905.11946)."""
    return _efficientnet(weights, 1.8, 2.6, 0.5, **{"norm_layer": NORM_OF_LARGE, **kwargs})


def efficientnet_b7(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """EfficientNet-B7 (Tan & Le 2019, arXiv:1905.11946)."""
    return _efficientnet(weights, 2.0, 3.1, 0.5, **{"norm_layer": NORM_OF_LARGE, **kwargs})


def efficientnet_v2_s(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """EfficientNetV2-S (Tan & Le 2021, arXiv:2104.00298)."""
    return _efficientnet_v2(weights, V2_S, 0.2, **kwargs)


def efficientnet_v2_m(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """EfficientNetV2-M (Tan & Le 2021, arXiv:2104.00298)."""
    return _efficientnet_v2(weights, V2_M, 0.3, **kwargs)


def efficientnet_v2_l(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """EfficientNetV2-L (Tan & Le 2021, arXiv:2104.00298)."""
    return _efficientnet_v2(weights, V2_L, 0.4, **kwargs)
