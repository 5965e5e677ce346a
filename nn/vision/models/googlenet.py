"""GoogLeNet: convolutions of several sizes beside each other, and two auxiliary heads that help training."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import nn
from autograd import Tensor, cat, tensor
from nn import functional as F
from nn import init
from nn.vision.models._utils import Weights, build, state_of
from nn.vision.ops.misc import Layer


class GoogLeNetOutputs(NamedTuple):
    """What GoogLeNet gives in training, if it has auxiliary heads."""

    logits: Tensor
    aux_logits2: Tensor
    aux_logits1: Tensor


class BasicConv2d(nn.Module):
    """A convolution, a batch normalization and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)


class Inception(nn.Module):
    """Four ways beside each other, whose channels are joined; `ch3x3red` is what a 1 × 1 convolution reduces to."""

    def __init__(self, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int,
                 pool_proj: int, conv_block: Layer = BasicConv2d) -> None:
        super().__init__()
        self.branch1 = conv_block(in_channels, ch1x1, kernel_size=1)
        self.branch2 = nn.Sequential(conv_block(in_channels, ch3x3red, kernel_size=1),
                                     conv_block(ch3x3red, ch3x3, kernel_size=3, padding=1))
        # 5 × 5 in the paper, but not in the published weights
        self.branch3 = nn.Sequential(conv_block(in_channels, ch5x5red, kernel_size=1),
                                     conv_block(ch5x5red, ch5x5, kernel_size=3, padding=1))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True),
                                     conv_block(in_channels, pool_proj, kernel_size=1))

    def forward(self, x: Tensor) -> Tensor:
        return cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class InceptionAux(nn.Module):
    """A classifier of features from the middle, for training alone."""

    def __init__(self, in_channels: int, num_classes: int, conv_block: Layer = BasicConv2d,
                 dropout: float = 0.7) -> None:
        super().__init__()
        self.conv = conv_block(in_channels, 128, kernel_size=1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(F.adaptive_avg_pool2d(x, 4)).flatten(1)
        return self.fc2(self.dropout(F.relu(self.fc1(x))))


class GoogLeNet(nn.Module):
    """Images (N, 3, H, W) of at least 15 × 15 to logits (N, num_classes), in training to `GoogLeNetOutputs`.

    Args:
        num_classes: how many logits there are.
        aux_logits: whether there are auxiliary heads.
        transform_input: whether images are given as other models want them (mean and deviation of ImageNet), but the
            weights want them from -1 to 1, as torchvision's published ones do.
        init_weights: whether first values are drawn as in the paper's time.
        blocks: makes convolutions, inceptions and auxiliary heads.
        dropout: before the last layer.
        dropout_aux: in the auxiliary heads.
    """

    aux1: nn.Module | None
    aux2: nn.Module | None

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True, transform_input: bool = False,
                 init_weights: bool = True, blocks: Sequence[Layer] | None = None, dropout: float = 0.2,
                 dropout_aux: float = 0.7) -> None:
        super().__init__()
        conv, inception, aux = blocks or (BasicConv2d, Inception, InceptionAux)
        self.aux_logits, self.transform_input = aux_logits, transform_input
        self.conv1 = conv(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = conv(64, 64, kernel_size=1)
        self.conv3 = conv(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.inception5a = inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = inception(832, 384, 192, 384, 48, 128, 128)
        self.aux1 = aux(512, num_classes, dropout=dropout_aux) if aux_logits else None
        self.aux2 = aux(528, num_classes, dropout=dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, num_classes)
        if init_weights:
            for module in self.modules():
                if isinstance(module, (nn.Conv2d, nn.Linear)):
                    init.trunc_normal_(module.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutputs:
        if self.transform_input:
            x = to_symmetric_range(x)
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4a(x)
        aux1 = self.aux1(x) if self.aux1 is not None and self.training else None
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        aux2 = self.aux2(x) if self.aux2 is not None and self.training else None
        x = self.maxpool4(self.inception4e(x))
        x = self.inception5b(self.inception5a(x))
        x = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        return x if aux1 is None or aux2 is None else GoogLeNetOutputs(x, aux2, aux1)


def to_symmetric_range(x: Tensor) -> Tensor:
    """Images normalized by ImageNet's mean and deviation, as they are when normalized by 0.5 and 0.5."""
    scale = tensor([[[0.229]], [[0.224]], [[0.225]]], dtype=x.dtype)
    mean = tensor([[[0.485]], [[0.456]], [[0.406]]], dtype=x.dtype)
    return x * (scale / 0.5) + (mean - 0.5) / 0.5


def build_inception(model: Any, weights: Weights, heads: str, aux_logits: bool, **kwargs: Any) -> Any:
    """A model with auxiliary heads, whose weights may have more of them; `heads` is how their names begin."""
    state = state_of(kwargs.pop("pretrained", False) or weights)
    if state is not None:
        if "transform_input" not in kwargs:
            raise ValueError(f"a file does not say what {model.__name__} was trained with: write transform_input=True "
                             "for torchvision's published weights, and for others what their model was made with "
                             "(False unless said)")
        kwargs["init_weights"] = False
        if not aux_logits:
            state = {key: value for key, value in state.items() if not key.startswith(heads)}
    return build(model, state, aux_logits=aux_logits, **kwargs)


def googlenet(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> GoogLeNet:
    """GoogLeNet (Szegedy et al. 2015, arXiv:1409.4842); made from weights, it has auxiliary heads if asked for.

    Raises:
        ValueError: there are weights, and `transform_input` isn't said, which they depend on.
    """
    return build_inception(GoogLeNet, weights, "aux", kwargs.pop("aux_logits", weights is None), **kwargs)
