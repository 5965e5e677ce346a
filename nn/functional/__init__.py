"""The mathematics of the layers, as functions: PyTorch's names, arguments and defaults.

What dominates training is declared as an operation with a rule of its own; the rest is composed of operations.
"""

from autograd import relu, sigmoid, tanh
from nn.functional.convolution import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from nn.functional.linear import linear
from nn.functional import activation, recurrent, pooling, normalization, attention, embedding  # noqa
from nn.functional.loss import cross_entropy, nll_loss

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cross_entropy", "linear", "nll_loss", "relu", "sigmoid", "tanh"]
