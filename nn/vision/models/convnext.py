"""ConvNeXt: a ResNet made anew with what Transformers taught."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import autograd
import nn
from autograd import Tensor
from nn.vision.models._utils import Weights, build, initialize, truncated_normal
from nn.vision.ops import StochasticDepth
from nn.vision.ops.misc import Conv2dNormActivation, Layer, Permute


class LayerNorm2d(nn.LayerNorm):
    """Layer normalization of each pixel's channels, (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class CNBlock(nn.Module):
    """x + s · f(x): f is a depthwise 7 × 7 convolution, and a perceptron of each pixel."""

    def __init__(self, dim: int, layer_scale: float, stochastic_depth_prob: float,
                 norm_layer: Layer | None = None) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, 7, padding=3, groups=dim), Permute([0, 2, 3, 1]),
            (norm_layer or partial(nn.LayerNorm, eps=1e-6))(dim),
            nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim), Permute([0, 3, 1, 2]))
        self.layer_scale = nn.Parameter(autograd.ones(dim, 1, 1) * layer_scale)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: Tensor) -> Tensor:
        return self.stochastic_depth(self.layer_scale * self.block(input)) + input


class CNBlockConfig(NamedTuple):
    """A stage: its channels, those of the next one, if there is one, and its blocks."""

    input_channels: int
    out_channels: int | None
    num_layers: int


class ConvNeXt(nn.Module):
    """Images (N, 3, H, W) of at least 32 × 32 to logits (N, num_classes).

    Args:
        block_setting: the stages.
        stochastic_depth_prob: of the last block; the others have less, in proportion to their depth.
        layer_scale: s of each channel at first.
        num_classes: how many logits there are.
        block: makes the blocks; default `CNBlock`.
        norm_layer: makes the normalizations outside of blocks; default `LayerNorm2d`.
    """

    def __init__(self, block_setting: Sequence[CNBlockConfig], stochastic_depth_prob: float = 0.0,
                 layer_scale: float = 1e-6, num_classes: int = 1000, block: Layer | None = None,
                 norm_layer: Layer | None = None) -> None:
        super().__init__()
        block, norm_layer = block or CNBlock, norm_layer or partial(LayerNorm2d, eps=1e-6)
        layers: list[nn.Module] = [Conv2dNormActivation(3, block_setting[0].input_channels, 4, 4, 0, bias=True,
                                                        norm_layer=norm_layer, activation_layer=None)]
        count, total = 0, sum(cnf.num_layers for cnf in block_setting)
        for channels, out, depth in block_setting:
            layers.append(nn.Sequential(*[
                block(channels, layer_scale, stochastic_depth_prob * (count + i) / (total - 1)) for i in range(depth)]))
            count += depth
            if out is not None:
                layers.append(nn.Sequential(norm_layer(channels), nn.Conv2d(channels, out, 2, stride=2)))
                channels = out
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(norm_layer(channels), nn.Flatten(1), nn.Linear(channels, num_classes))
        initialize(self, truncated_normal, truncated_normal)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)))


def _convnext(weights: Weights, widths: Sequence[int], depths: Sequence[int], stochastic_depth_prob: float,
              **kwargs: Any) -> ConvNeXt:
    stages = list(map(CNBlockConfig, widths, [*widths[1:], None], depths))
    return build(ConvNeXt, weights, stages, **{"stochastic_depth_prob": stochastic_depth_prob, **kwargs})


def convnext_tiny(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ConvNeXt:
    """ConvNeXt-Tiny (Liu et al. 2022, arXiv:2201.03545)."""
    return _convnext(weights, [96, 192, 384, 768], [3, 3, 9, 3], 0.1, **kwargs)


def convnext_small(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ConvNeXt:
    """ConvNeXt-Small (Liu et al. 2022, arXiv:2201.03545)."""
    return _convnext(weights, [96, 192, 384, 768], [3, 3, 27, 3], 0.4, **kwargs)


def convnext_base(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ConvNeXt:
    """ConvNeXt-Base (Liu et al. 2022, arXiv:2201.03545)."""
    return _convnext(weights, [128, 256, 512, 1024], [3, 3, 27, 3], 0.5, **kwargs)


def convnext_large(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ConvNeXt:
    """ConvNeXt-Large (Liu et al. 2022, arXiv:2201.03545)."""
    return _convnext(weights, [192, 384, 768, 1536], [3, 3, 27, 3], 0.5, **kwargs)
