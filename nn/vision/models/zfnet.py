"""ZFNet: AlexNet with smaller windows and steps at the beginning, found by looking at what its layers see."""

from typing import Any

import nn
from autograd import Tensor
from nn.vision.models._utils import Weights, build


class ZFNet(nn.Module):
    """Images (N, 3, H, W), of 224 × 224 in the paper, to logits (N, num_classes)."""

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 7, stride=2, padding=1), nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, ceil_mode=True), nn.LocalResponseNorm(5, k=2),
            nn.Conv2d(96, 256, 5, stride=2), nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, ceil_mode=True), nn.LocalResponseNorm(5, k=2),
            nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(384, 384, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2))
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout), nn.Linear(4096, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def zfnet(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> ZFNet:
    """ZFNet (Zeiler & Fergus 2014, arXiv:1311.2901)."""
    return build(ZFNet, weights, **kwargs)
