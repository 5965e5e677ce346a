"""MobileNetV2: residual blocks turned over, whose ends have few channels and no activation."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import nn
from autograd import Tensor
from nn.vision.models._utils import Weights, _make_divisible, build, initialize, small_normal
from nn.vision.ops.misc import Conv2dNormActivation, Layer

SETTING = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
"""The paper's table 2: expansion t, channels c, number n, and stride s of the first."""


class InvertedResidual(nn.Module):
    """1 × 1 to more channels, depthwise 3 × 3, 1 × 1 to few channels; x is added if the shape stays."""

    def __init__(self, inp: int, oup: int, stride: int, expand_ratio: int, norm_layer: Layer | None = None) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride must be 1 or 2, not {stride}")
        norm_layer = norm_layer or nn.BatchNorm2d
        layer = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        hidden = round(inp * expand_ratio)
        self.stride, self.out_channels = stride, oup
        self.use_res_connect, self.downsamples = stride == 1 and inp == oup, stride > 1
        self.conv = nn.Sequential(*[layer(inp, hidden, kernel_size=1)] if expand_ratio != 1 else (),
                                  layer(hidden, hidden, stride=stride, groups=hidden),
                                  nn.Conv2d(hidden, oup, 1, bias=False), norm_layer(oup))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """Images (N, 3, H, W) to logits (N, num_classes).

    Args:
        num_classes: how many logits there are.
        width_mult: how many channels all layers have, compared with the paper's table 2.
        inverted_residual_setting: rows of that table.
        round_nearest: channels are multiples of it.
        block: makes the blocks; default `InvertedResidual`.
        norm_layer: makes the normalizations; default BatchNorm2d.
        dropout: before the last layer.
    """

    def __init__(self, num_classes: int = 1000, width_mult: float = 1.0,
                 inverted_residual_setting: Sequence[Sequence[int]] | None = None, round_nearest: int = 8,
                 block: Layer | None = None, norm_layer: Layer | None = None, dropout: float = 0.2) -> None:
        super().__init__()
        block, norm_layer = block or InvertedResidual, norm_layer or nn.BatchNorm2d
        layer = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        channels = _make_divisible(32 * width_mult, round_nearest)
        self.last_channel = _make_divisible(1280 * max(1.0, width_mult), round_nearest)
        features: list[nn.Module] = [layer(3, channels, stride=2)]
        for t, c, n, s in SETTING if inverted_residual_setting is None else inverted_residual_setting:
            out = _make_divisible(c * width_mult, round_nearest)
            for i in range(n):
                features.append(block(channels, out, 1 if i else s, expand_ratio=t, norm_layer=norm_layer))
                channels = out
        self.features = nn.Sequential(*features, layer(channels, self.last_channel, kernel_size=1))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.last_channel, num_classes))
        initialize(self, linear=small_normal)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(nn.functional.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


def mobilenet_v2(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> MobileNetV2:
    """MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381)."""
    return build(MobileNetV2, weights, **kwargs)
