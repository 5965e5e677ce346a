"""Activations as layers; see the functions of the same names in `nn.functional`."""

from typing import Any, ClassVar

import autograd
from autograd import Tensor
from nn import functional as F
from nn.layer import FunctionLayer
from nn.module import Module
from nn.parameter import Parameter


class _Activation(FunctionLayer):
    ignored: ClassVar = {"inplace": False}


class ReLU(_Activation, function=F.relu):
    """max(x, 0)."""


class ReLU6(_Activation, function=F.relu6):
    """min(max(x, 0), 6)."""


class LeakyReLU(_Activation, function=F.leaky_relu):
    """x where x > 0, else negative_slope x."""


class RReLU(_Activation, function=F.rrelu):
    """Leaky ReLU with random slopes between `lower` and `upper` in training."""


class ELU(_Activation, function=F.elu):
    """x where x > 0, else alpha (exp(x) - 1)."""


class CELU(_Activation, function=F.celu):
    """x where x > 0, else alpha (exp(x / alpha) - 1)."""


class SELU(_Activation, function=F.selu):
    """The scaled ELU that keeps mean 0 and variance 1."""


class GELU(_Activation, function=F.gelu):
    """x Φ(x)."""


class SiLU(_Activation, function=F.silu):
    """x σ(x)."""


class Mish(_Activation, function=F.mish):
    """x tanh(softplus(x))."""


class Sigmoid(_Activation, function=F.sigmoid):
    """1 / (1 + exp(-x))."""


class LogSigmoid(_Activation, function=F.logsigmoid):
    """log σ(x)."""


class Tanh(_Activation, function=F.tanh):
    """The hyperbolic tangent."""


class Tanhshrink(_Activation, function=F.tanhshrink):
    """x - tanh(x)."""


class Softplus(_Activation, function=F.softplus):
    """log(1 + exp(beta x)) / beta."""


class Softsign(_Activation, function=F.softsign):
    """x / (1 + |x|)."""


class Softshrink(_Activation, function=F.softshrink):
    """x brought towards 0 by lambd."""


class Hardshrink(_Activation, function=F.hardshrink):
    """x where |x| > lambd, else 0."""


class Hardtanh(_Activation, function=F.hardtanh):
    """x between min_val and max_val, and they beyond."""


class Hardsigmoid(_Activation, function=F.hardsigmoid):
    """relu6(x + 3) / 6."""


class Hardswish(_Activation, function=F.hardswish):
    """x relu6(x + 3) / 6."""


class Threshold(_Activation, function=F.threshold):
    """x where x > threshold, else value."""


class GLU(_Activation, function=F.glu):
    """a σ(b), a and b being the halves of x along `dim`."""


class Maxout(_Activation, function=F.maxout):
    """The largest of `pieces` consecutive features along `dim`."""


class Softmax(_Activation, function=F.softmax):
    """exp(x) / Σ exp(x) along `dim`."""


class LogSoftmax(_Activation, function=F.log_softmax):
    """log softmax(x) along `dim`."""


class Softmin(_Activation, function=F.softmin):
    """softmax(-x) along `dim`."""


class Softmax2d(_Activation, function=lambda input: F.softmax(input, -3)):
    """softmax over the channels of (N, C, H, W)."""


class PReLU(Module):
    """x where x > 0, else weight x.

    Args:
        num_parameters: 1, or the number of channels (axis 1).
        init: the first value of the weight.
        dtype: of the weight.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.weight = Parameter(autograd.full((num_parameters,), float(init), dtype=dtype))

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"
