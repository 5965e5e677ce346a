"""LeNet-5, which read the checks of the 1990s: names of layers, sizes and activation are the paper's."""

from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor
from nn import functional as F
from nn.vision.models._utils import Weights, build

CONNECTIONS = np.array([[0, 4, 5, 6, 9, 10, 11, 12, 14, 15], [0, 1, 5, 6, 7, 10, 11, 12, 13, 15],
                        [0, 1, 2, 6, 7, 8, 11, 13, 14, 15], [1, 2, 3, 6, 7, 8, 9, 12, 14, 15],
                        [2, 3, 4, 7, 8, 9, 10, 12, 13, 15], [3, 4, 5, 8, 9, 10, 11, 13, 14, 15]])
"""The paper's table 1: which of the 16 maps of C3 read each of the 6 maps of S2."""


class Subsampling(nn.Module):
    """The sum of each 2 × 2 square, times a weight and plus a bias of its channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.uniform_(autograd.empty(channels, 1, 1), -0.5, 0.5))
        self.bias = nn.Parameter(autograd.zeros(channels, 1, 1))

    def forward(self, input: Tensor) -> Tensor:
        return 4 * F.avg_pool2d(input, 2) * self.weight + self.bias


class PartialConv2d(nn.Conv2d):
    """A convolution whose outputs read some of the inputs only, so that they become different.

    Args:
        connections: for each input channel, the output channels that read it; each input has as many.
        out_channels: how many outputs there are.
        kernel_size: height and width of the kernel.

    Attributes:
        weight: the kernels of the connections there are, one after the other, (connections, kernel, kernel).
    """

    connections: Tensor

    def __init__(self, connections: np.ndarray, out_channels: int, kernel_size: int) -> None:
        super().__init__(len(connections), out_channels, kernel_size)
        inputs = np.repeat(np.arange(len(connections)), connections.shape[1])
        places = np.sort(np.ravel(connections) * len(connections) + inputs)
        self.register_buffer("connections", autograd.tensor(places), persistent=False)
        self.weight = nn.Parameter(self.weight.detach().flatten(0, 1)[self.connections])

    def forward(self, input: Tensor) -> Tensor:
        dense = autograd.zeros(self.out_channels * self.in_channels, *self.kernel_size, dtype=self.weight.dtype)
        dense = dense.index_add(0, self.connections, self.weight)
        return F.conv2d(input, dense.reshape(self.out_channels, self.in_channels, *self.kernel_size), self.bias)


class LeNet5(nn.Module):
    """Images (N, 1, 32, 32) to logits (N, num_classes), of which the paper's distances to drawn figures are a form."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.s2 = Subsampling(6)
        self.c3 = PartialConv2d(CONNECTIONS, 16, 5)
        self.s4 = Subsampling(16)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = scaled_tanh(self.s2(scaled_tanh(self.c1(x))))
        x = scaled_tanh(self.s4(scaled_tanh(self.c3(x))))
        return self.output(scaled_tanh(self.f6(scaled_tanh(self.c5(x)).flatten(1))))


def scaled_tanh(x: Tensor) -> Tensor:
    """1.7159 tanh(2x/3), which is ±1 at ±1."""
    return 1.7159 * (2 / 3 * x).tanh()


def lenet5(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> LeNet5:
    """LeNet-5 (LeCun et al. 1998, doi:10.1109/5.726791)."""
    return build(LeNet5, weights, **kwargs)
