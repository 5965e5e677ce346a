"""MobileNetV3: MobileNetV2's blocks with squeeze-and-excitation, their sizes found by search."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import nn
from autograd import Tensor
from nn.vision.models._utils import Weights, _make_divisible, build, initialize, small_normal
from nn.vision.ops.misc import Conv2dNormActivation, Layer, SqueezeExcitation

# kernel, channels between, channels out, squeeze-and-excitation, ReLU or hard swish, stride
LARGE = [(3, 16, 16, False, "RE", 1), (3, 64, 24, False, "RE", 2), (3, 72, 24, False, "RE", 1),
         (5, 72, 40, True, "RE", 2), (5, 120, 40, True, "RE", 1), (5, 120, 40, True, "RE", 1),
         (3, 240, 80, False, "HS", 2), (3, 200, 80, False, "HS", 1), (3, 184, 80, False, "HS", 1),
         (3, 184, 80, False, "HS", 1), (3, 480, 112, True, "HS", 1), (3, 672, 112, True, "HS", 1),
         (5, 672, 160, True, "HS", 2), (5, 960, 160, True, "HS", 1), (5, 960, 160, True, "HS", 1)]
"""The paper's table 1."""
SMALL = [(3, 16, 16, True, "RE", 2), (3, 72, 24, False, "RE", 2), (3, 88, 24, False, "RE", 1),
         (5, 96, 40, True, "HS", 2), (5, 240, 40, True, "HS", 1), (5, 240, 40, True, "HS", 1),
         (5, 120, 48, True, "HS", 1), (5, 144, 48, True, "HS", 1), (5, 288, 96, True, "HS", 2),
         (5, 576, 96, True, "HS", 1), (5, 576, 96, True, "HS", 1)]
"""The paper's table 2."""
HARD_EXCITATION = partial(SqueezeExcitation, scale_activation=nn.Hardsigmoid)


class InvertedResidualConfig:
    """The sizes of a block; channels are multiplied by `width_mult`."""

    def __init__(self, input_channels: int, kernel: int, expanded_channels: int, out_channels: int, use_se: bool,
                 activation: str, stride: int, dilation: int, width_mult: float) -> None:
        self.input_channels, self.expanded_channels, self.out_channels = (
            _make_divisible(channels * width_mult, 8) for channels in (input_channels, expanded_channels, out_channels))
        self.kernel, self.stride, self.dilation = kernel, stride, dilation
        self.use_se, self.use_hs = use_se, activation == "HS"


def inverted_residual(channels: int, expanded: int, out: int, kernel: int, stride: int, dilation: int,
                      norm_layer: Layer, activation_layer: Layer, se: Callable[[], nn.Module] | None) -> nn.Sequential:
    """1 × 1 to more channels, depthwise, squeeze-and-excitation, 1 × 1 to few channels."""
    layer = partial(Conv2dNormActivation, norm_layer=norm_layer)
    layers = [layer(channels, expanded, 1, activation_layer=activation_layer)] if expanded != channels else []
    layers.append(layer(expanded, expanded, kernel, stride, groups=expanded, activation_layer=activation_layer,
                        dilation=dilation))
    return nn.Sequential(*layers, *[se()] if se else (), layer(expanded, out, 1, activation_layer=None))


class InvertedResidual(nn.Module):
    """A block of these sizes; x is added if the shape stays."""

    def __init__(self, cnf: InvertedResidualConfig, norm_layer: Layer,
                 se_layer: Layer = HARD_EXCITATION) -> None:
        super().__init__()
        if cnf.stride not in (1, 2):
            raise ValueError(f"stride must be 1 or 2, not {cnf.stride}")
        expanded = cnf.expanded_channels
        self.out_channels = cnf.out_channels
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.downsamples = cnf.stride > 1  # in segmentation by dilation
        self.block = inverted_residual(
            cnf.input_channels, expanded, cnf.out_channels, cnf.kernel, 1 if cnf.dilation > 1 else cnf.stride,
            cnf.dilation, norm_layer, nn.Hardswish if cnf.use_hs else nn.ReLU,
            partial(se_layer, expanded, _make_divisible(expanded // 4, 8)) if cnf.use_se else None)

    def forward(self, input: Tensor) -> Tensor:
        return self.block(input) + input if self.use_res_connect else self.block(input)


class MobileNetV3(nn.Module):
    """Images (N, 3, H, W) to logits (N, num_classes).

    Args:
        inverted_residual_setting: the blocks.
        last_channel: channels of the layer before the last.
        num_classes: how many logits there are.
        block: makes the blocks; default `InvertedResidual`.
        norm_layer: makes the normalizations.
        dropout: before the last layer.
    """

    def __init__(self, inverted_residual_setting: Sequence[InvertedResidualConfig], last_channel: int,
                 num_classes: int = 1000, block: Layer | None = None, norm_layer: Layer | None = None,
                 dropout: float = 0.2) -> None:
        super().__init__()
        block = block or InvertedResidual
        norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        layer = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.Hardswish)
        first = inverted_residual_setting[0].input_channels
        channels = inverted_residual_setting[-1].out_channels
        self.features = nn.Sequential(layer(3, first, stride=2),
                                      *[block(cnf, norm_layer) for cnf in inverted_residual_setting],
                                      layer(channels, 6 * channels, kernel_size=1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Linear(6 * channels, last_channel), nn.Hardswish(inplace=True),
                                        nn.Dropout(dropout, inplace=True), nn.Linear(last_channel, num_classes))
        initialize(self, linear=small_normal)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _mobilenet_v3(table: Sequence[tuple], last_channel: int, weights: Weights, width_mult: float = 1.0,
                  reduced_tail: bool = False, dilated: bool = False, **kwargs: Any) -> MobileNetV3:
    """For detection the last three blocks have half the channels, for segmentation dilation instead of a stride."""
    setting, channels, divisor = [], 16, 2 if reduced_tail else 1
    for i, (kernel, expanded, out, se, activation, stride) in enumerate(table, 3 - len(table)):
        expanded, out = expanded // divisor if i > 0 else expanded, out // divisor if i >= 0 else out
        setting.append(InvertedResidualConfig(channels, kernel, expanded, out, se, activation, stride,
                                              2 if dilated and i >= 0 else 1, width_mult))
        channels = out
    return build(MobileNetV3, weights, setting, _make_divisible(last_channel // divisor * width_mult, 8), **kwargs)


def mobilenet_v3_large(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> MobileNetV3:
    """MobileNetV3-Large (Howard et al. 2019, arXiv:1905.02244)."""
    return _mobilenet_v3(LARGE, 1280, weights, **kwargs)


def mobilenet_v3_small(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> MobileNetV3:
    """MobileNetV3-Small (Howard et al. 2019, arXiv:1905.02244)."""
    return _mobilenet_v3(SMALL, 1024, weights, **kwargs)
