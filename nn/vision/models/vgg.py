"""VGG: nothing but 3 × 3 convolutions and pooling, deeper and deeper."""

from collections.abc import Sequence
from typing import Any

import nn
from autograd import Tensor
from nn.vision.models._utils import Weights, build, initialize, small_normal

CONFIGURATIONS: dict[str, list[int | str]] = {
    "A": [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "B": [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "D": [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"],
    "E": [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512, "M"]}
"""The paper's table 1: channels of the convolutions, and where the image is halved ("M")."""


class VGG(nn.Module):
    """Images (N, 3, H, W) of at least 32 × 32 to logits (N, num_classes)."""

    def __init__(self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True,
                 dropout: float = 0.5) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout), nn.Linear(4096, num_classes))
        if init_weights:
            initialize(self, linear=small_normal)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def make_layers(cfg: Sequence[int | str], batch_norm: bool = False) -> nn.Sequential:
    """The convolutions of a configuration."""
    layers: list[nn.Module] = []
    channels = 3
    for entry in cfg:
        if isinstance(entry, str):
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, entry, 3, padding=1), *[nn.BatchNorm2d(entry)] * batch_norm,
                   nn.ReLU(inplace=True)]
        channels = entry
    return nn.Sequential(*layers)


def _vgg(configuration: str, batch_norm: bool, weights: Weights, **kwargs: Any) -> VGG:
    if weights is not None:
        kwargs["init_weights"] = False
    return build(lambda **kwargs: VGG(make_layers(CONFIGURATIONS[configuration], batch_norm), **kwargs), weights,
                 **kwargs)


def vgg11(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG-11 (Simonyan & Zisserman 2015, arXiv:1409.1556)."""
    return _vgg("A", False, weights, **kwargs)


def vgg11_bn(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG-11 with batch normalization (Simonyan & Zisserman 2015, arXiv:1409.1556)."""
    return _vgg("A", True, weights, **kwargs)


def vgg13(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG-13 (Simonyan & Zisserman 2015, arXiv:1409.1556)."""
    return _vgg("B", False, weights, **kwargs)


def vgg13_bn(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG-13 with batch normalization (Simonyan & Zisserman 2015, arXiv:1409.1556)."""
    return _vgg("B", True, weights, **kwargs)


def vgg16(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG-16 (Simonyan & Zisserman 2015, arXiv:1409.1556)."""
    return _vgg("D", False, weights, **kwargs)


def vgg16_bn(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG-16 with batch normalization (Simonyan & Zisserman 2015, arXiv:1409.1556)."""
    return _vgg("D", True, weights, **kwargs)


def vgg19(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG-19 (Simonyan & Zisserman 2015, arXiv:1409.1556)."""
    return _vgg("E", False, weights, **kwargs)


def vgg19_bn(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG-19 with batch normalization (Simonyan & Zisserman 2015, arXiv:1409.1556)."""
    return _vgg("E", True, weights, **kwargs)
