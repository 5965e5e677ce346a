"""DenseNet: each layer reads all that came before it in its block."""

import re
from collections.abc import Sequence
from typing import Any

import autograd
import nn
from autograd import Tensor, cat
from autograd.checkpoint import checkpoint
from nn import functional as F
from nn import init
from nn.vision.models._utils import Weights, build, initialize, state_of


class _DenseLayer(nn.Module):
    """A 1 × 1 convolution, then a 3 × 3 one, which adds `growth_rate` channels."""

    def __init__(self, num_input_features: int, growth_rate: int, bn_size: int, drop_rate: float,
                 memory_efficient: bool = False) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, bn_size * growth_rate, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, 3, padding=1, bias=False)
        self.drop_rate, self.memory_efficient = drop_rate, memory_efficient

    def _bottleneck(self, *features: Tensor) -> Tensor:
        return self.conv1(self.relu1(self.norm1(cat(features, 1))))

    def forward(self, features: list[Tensor]) -> Tensor:
        if self.memory_efficient and autograd.is_grad_enabled():
            x = checkpoint(self._bottleneck, *features)
        else:
            x = self._bottleneck(*features)
        return F.dropout(self.conv2(self.relu2(self.norm2(x))), self.drop_rate, self.training)


class _DenseBlock(nn.ModuleDict):
    """`num_layers` dense layers; gives their input and all that they added."""

    def __init__(self, num_layers: int, num_input_features: int, bn_size: int, growth_rate: int, drop_rate: float,
                 memory_efficient: bool = False) -> None:
        super().__init__({f"denselayer{i + 1}": _DenseLayer(num_input_features + i * growth_rate, growth_rate, bn_size,
                                                            drop_rate, memory_efficient) for i in range(num_layers)})

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.values():
            features.append(layer(features))
        return cat(features, 1)


class _Transition(nn.Sequential):
    """Between two blocks: other channels, and half the size."""

    def __init__(self, num_input_features: int, num_output_features: int) -> None:
        super().__init__({"norm": nn.BatchNorm2d(num_input_features), "relu": nn.ReLU(inplace=True),
                          "conv": nn.Conv2d(num_input_features, num_output_features, 1, bias=False),
                          "pool": nn.AvgPool2d(2)})


class DenseNet(nn.Module):
    """Images (N, 3, H, W) of at least 29 × 29 to logits (N, num_classes).

    Args:
        growth_rate: how many channels a layer adds, the paper's k.
        block_config: how many layers each block has.
        num_init_features: channels of the first convolution.
        bn_size: channels between a layer's two convolutions, in units of k.
        drop_rate: dropout after each layer.
        num_classes: how many logits there are.
        memory_efficient: compute what layers read again in the backward pass (Pleiss et al. 2017).
    """

    def __init__(self, growth_rate: int = 32, block_config: Sequence[int] = (6, 12, 24, 16),
                 num_init_features: int = 64, bn_size: int = 4, drop_rate: float = 0, num_classes: int = 1000,
                 memory_efficient: bool = False) -> None:
        super().__init__()
        channels = num_init_features
        self.features = nn.Sequential({
            "conv0": nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False), "norm0": nn.BatchNorm2d(channels),
            "relu0": nn.ReLU(inplace=True), "pool0": nn.MaxPool2d(3, stride=2, padding=1)})
        for i, layers in enumerate(block_config, 1):
            self.features.add_module(f"denseblock{i}", _DenseBlock(layers, channels, bn_size, growth_rate, drop_rate,
                                                                   memory_efficient))
            channels += layers * growth_rate
            if i < len(block_config):
                self.features.add_module(f"transition{i}", _Transition(channels, channels // 2))
                channels //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)
        initialize(self, init.kaiming_normal_, lambda weight: weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(F.adaptive_avg_pool2d(F.relu(self.features(x)), 1).flatten(1))


def _densenet(weights: Weights, *args: Any, **kwargs: Any) -> DenseNet:
    state = state_of(kwargs.pop("pretrained", False) or weights)
    if state is not None:  # the published files call norm1 "norm.1"
        state = {re.sub(r"\.(norm|conv)\.([12])\.", r".\1\2.", key): value for key, value in state.items()}
    return build(DenseNet, state, *args, **kwargs)


def densenet121(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """DenseNet-121 (Huang et al. 2017, arXiv:1608.06993)."""
    return _densenet(weights, 32, (6, 12, 24, 16), 64, **kwargs)


def densenet161(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """DenseNet-161 (Huang et al. 2017, arXiv:1608.06993)."""
    return _densenet(weights, 48, (6, 12, 36, 24), 96, **kwargs)


def densenet169(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """DenseNet-169 (Huang et al. 2017, arXiv:1608.06993)."""
    return _densenet(weights, 32, (6, 12, 32, 32), 64, **kwargs)


def densenet201(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """DenseNet-201 (Huang et al. 2017, arXiv:1608.06993)."""
    return _densenet(weights, 32, (6, 12, 48, 32), 64, **kwargs)
