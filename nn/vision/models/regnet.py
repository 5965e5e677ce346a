"""RegNet: networks whose widths lie on a line, which a few numbers describe."""

import itertools
import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import nn
from autograd import Tensor
from nn.vision.models._utils import Weights, _make_divisible, build, he_normal, small_normal, zero_bias
from nn.vision.ops.misc import Conv2dNormActivation, Layer, SqueezeExcitation


class SimpleStemIN(Conv2dNormActivation):
    """A 3 × 3 convolution to half the size."""

    def __init__(self, width_in: int, width_out: int, norm_layer: Layer, activation_layer: Layer) -> None:
        super().__init__(width_in, width_out, 3, 2, norm_layer=norm_layer, activation_layer=activation_layer)


class ResBottleneckBlock(nn.Module):
    """relu(f(x) + x): f is 1 × 1, 3 × 3 in groups, squeeze-and-excitation (RegNetY), 1 × 1."""

    def __init__(self, width_in: int, width_out: int, stride: int, norm_layer: Layer, activation_layer: Layer,
                 group_width: int = 1, bottleneck_multiplier: float = 1.0, se_ratio: float | None = None) -> None:
        super().__init__()
        layer = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=activation_layer)
        linear = partial(layer, kernel_size=1, activation_layer=None)
        width = round(width_out * bottleneck_multiplier)
        self.proj = linear(width_in, width_out, stride=stride) if width_in != width_out or stride != 1 else None
        self.f = nn.Sequential({
            "a": layer(width_in, width, 1), "b": layer(width, width, 3, stride, groups=width // group_width),
            **({"se": SqueezeExcitation(width, round(se_ratio * width_in), activation_layer)} if se_ratio else {}),
            "c": linear(width, width_out)})
        self.activation = activation_layer(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation((x if self.proj is None else self.proj(x)) + self.f(x))


class BlockParams:
    """The sizes of each stage."""

    def __init__(self, depths: Sequence[int], widths: Sequence[int], group_widths: Sequence[int],
                 bottleneck_multipliers: Sequence[float], strides: Sequence[int],
                 se_ratio: float | None = None) -> None:
        self.depths, self.widths, self.group_widths, self.strides = depths, widths, group_widths, strides
        self.bottleneck_multipliers, self.se_ratio = bottleneck_multipliers, se_ratio

    @classmethod
    def from_init_params(cls, depth: int, w_0: int, w_a: float, w_m: float, group_width: int,
                         bottleneck_multiplier: float = 1.0, se_ratio: float | None = None) -> "BlockParams":
        """Of the paper's parameters: block j has about w_0 + w_a j channels, rounded to w_0 times a power of w_m."""
        if w_a < 0 or w_0 <= 0 or w_m <= 1 or w_0 % 8:
            raise ValueError(f"w_a must not be negative, w_m be more than 1, and w_0 a multiple of 8, not {w_a}, {w_m} "
                             f"and {w_0}")
        powers = np.round(np.log(1 + np.arange(depth) * w_a / w_0) / math.log(w_m))
        blocks = [int(width) * 8 for width in np.round(w_0 * w_m ** powers / 8)]
        stages = [(width, len(list(same))) for width, same in itertools.groupby(blocks)]
        inner = [int(width * bottleneck_multiplier) for width, _ in stages]
        groups = [min(group_width, width) for width in inner]
        widths = [int(_make_divisible(width, group) / bottleneck_multiplier)
                  for width, group in zip(inner, groups, strict=True)]
        n = len(stages)
        return cls([depth for _, depth in stages], widths, groups, [bottleneck_multiplier] * n, [2] * n, se_ratio)


class RegNet(nn.Module):
    """Images (N, 3, H, W) to logits (N, num_classes).

    Args:
        block_params: the sizes of each stage.
        num_classes: how many logits there are.
        stem_width: channels of the first convolution.
        stem_type: makes it.
        block_type: makes the blocks.
        norm_layer: makes the normalizations.
        activation: makes the activations.
    """

    def __init__(self, block_params: BlockParams, num_classes: int = 1000, stem_width: int = 32,
                 stem_type: Layer | None = None, block_type: Layer | None = None, norm_layer: Layer | None = None,
                 activation: Layer | None = None) -> None:
        super().__init__()
        stem_type, block_type = stem_type or SimpleStemIN, block_type or ResBottleneckBlock
        norm_layer, activation = norm_layer or nn.BatchNorm2d, activation or nn.ReLU
        p, width = block_params, stem_width
        self.stem = stem_type(3, width, norm_layer, activation)
        self.trunk_output = nn.Sequential()
        for i, (out, stride, depth, group_width, multiplier) in enumerate(zip(
                p.widths, p.strides, p.depths, p.group_widths, p.bottleneck_multipliers, strict=True), 1):
            blocks = {}
            for j in range(depth):
                blocks[f"block{i}-{j}"] = block_type(width, out, 1 if j else stride, norm_layer, activation,
                                                     group_width, multiplier, p.se_ratio)
                width = out
            self.trunk_output.add_module(f"block{i}", nn.Sequential(blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(width, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                he_normal(module.weight)
        small_normal(self.fc.weight)
        zero_bias(self.fc)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.avgpool(self.trunk_output(self.stem(x))).flatten(1))


def _regnet_x(weights: Weights, depth: int, w_0: int, w_a: float, w_m: float, group_width: int,
              **kwargs: Any) -> RegNet:
    return build(RegNet, weights, BlockParams.from_init_params(depth, w_0, w_a, w_m, group_width), **kwargs)


def _regnet_y(weights: Weights, depth: int, w_0: int, w_a: float, w_m: float, group_width: int,
              **kwargs: Any) -> RegNet:
    """With squeeze-and-excitation."""
    return build(RegNet, weights, BlockParams.from_init_params(depth, w_0, w_a, w_m, group_width, se_ratio=0.25),
                 **kwargs)


def regnet_y_400mf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetY-400MF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_y(weights, 16, 48, 27.89, 2.09, 8, **kwargs)


def regnet_y_800mf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetY-800MF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_y(weights, 14, 56, 38.84, 2.4, 16, **kwargs)


def regnet_y_1_6gf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetY-1.6GF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_y(weights, 27, 48, 20.71, 2.65, 24, **kwargs)


def regnet_y_3_2gf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetY-3.2GF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_y(weights, 21, 80, 42.63, 2.66, 24, **kwargs)


def regnet_y_8gf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetY-8GF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_y(weights, 17, 192, 76.82, 2.19, 56, **kwargs)


def regnet_y_16gf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetY-16GF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_y(weights, 18, 200, 106.23, 2.48, 112, **kwargs)


def regnet_y_32gf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetY-32GF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_y(weights, 20, 232, 115.89, 2.53, 232, **kwargs)


def regnet_y_128gf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetY-128GF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_y(weights, 27, 456, 160.83, 2.52, 264, **kwargs)


def regnet_x_400mf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetX-400MF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_x(weights, 22, 24, 24.48, 2.54, 16, **kwargs)


def regnet_x_800mf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetX-800MF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_x(weights, 16, 56, 35.73, 2.28, 16, **kwargs)


def regnet_x_1_6gf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetX-1.6GF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_x(weights, 18, 80, 34.01, 2.25, 24, **kwargs)


def regnet_x_3_2gf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetX-3.2GF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_x(weights, 25, 88, 26.31, 2.25, 48, **kwargs)


def regnet_x_8gf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetX-8GF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_x(weights, 23, 80, 49.56, 2.88, 120, **kwargs)


def regnet_x_16gf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetX-16GF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_x(weights, 22, 216, 55.59, 2.1, 128, **kwargs)


def regnet_x_32gf(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> RegNet:
    """RegNetX-32GF (Radosavovic et al. 2020, arXiv:2003.13678)."""
    return _regnet_x(weights, 23, 320, 69.86, 2.0, 168, **kwargs)
