"""Activations as layers; see the functions of the same names in `nn.functional`."""


import autograd
from autograd import Tensor
from autograd.typing import DTypeLike, TensorLike
from nn import functional as F
from nn.layer import FunctionLayer
from nn.module import Module
from nn.parameter import Parameter


class ReLU(FunctionLayer, function=F.relu):
    """max(x, 0)."""


class ReLU6(FunctionLayer, function=F.relu6):
    """min(max(x, 0), 6)."""


class LeakyReLU(FunctionLayer, function=F.leaky_relu):
    """x where x > 0, else negative_slope x."""


class RReLU(FunctionLayer, function=F.rrelu):
    """Leaky ReLU with random slopes between `lower` and `upper` in training."""


class ELU(FunctionLayer, function=F.elu):
    """x where x > 0, else alpha (exp(x) - 1)."""


class CELU(FunctionLayer, function=F.celu):
    """x where x > 0, else alpha (exp(x / alpha) - 1)."""


class SELU(FunctionLayer, function=F.selu):
    """The scaled ELU that keeps mean 0 and variance 1."""


class GELU(FunctionLayer, function=F.gelu):
    """x Φ(x)."""


class SiLU(FunctionLayer, function=F.silu):
    """x σ(x)."""


class Mish(FunctionLayer, function=F.mish):
    """x tanh(softplus(x))."""


class Sigmoid(FunctionLayer, function=F.sigmoid):
    """1 / (1 + exp(-x))."""


class LogSigmoid(FunctionLayer, function=F.logsigmoid):
    """log σ(x)."""


class Tanh(FunctionLayer, function=F.tanh):
    """The hyperbolic tangent."""


class Tanhshrink(FunctionLayer, function=F.tanhshrink):
    """x - tanh(x)."""


class Softplus(FunctionLayer, function=F.softplus):
    """log(1 + exp(beta x)) / beta."""


class Softsign(FunctionLayer, function=F.softsign):
    """x / (1 + |x|)."""


class Softshrink(FunctionLayer, function=F.softshrink):
    """x brought towards 0 by lambd."""


class Hardshrink(FunctionLayer, function=F.hardshrink):
    """x where |x| > lambd, else 0."""


class Hardtanh(FunctionLayer, function=F.hardtanh):
    """x, but at least min_val and at most max_val."""


class Hardsigmoid(FunctionLayer, function=F.hardsigmoid):
    """relu6(x + 3) / 6."""


class Hardswish(FunctionLayer, function=F.hardswish):
    """x relu6(x + 3) / 6."""


class Threshold(FunctionLayer, function=F.threshold):
    """x where x > threshold, else value."""


class GLU(FunctionLayer, function=F.glu):
    """a σ(b), a and b being the halves of x along `dim`."""


class Maxout(FunctionLayer, function=F.maxout):
    """The largest of `pieces` consecutive features along `dim`."""


class Softmax(FunctionLayer, function=F.softmax):
    """exp(x) / Σ exp(x) along `dim`."""


class LogSoftmax(FunctionLayer, function=F.log_softmax):
    """log softmax(x) along `dim`."""


class Softmin(FunctionLayer, function=F.softmin):
    """softmax(-x) along `dim`."""


def _softmax_of_channels(input: TensorLike) -> Tensor:
    return F.softmax(input, -3)


class Softmax2d(FunctionLayer, function=_softmax_of_channels):
    """softmax over the channels of (N, C, H, W)."""


class PReLU(Module):
    """x where x > 0, else weight x.

    Args:
        num_parameters: 1, or the number of channels (axis 1).
        init: the first value of the weight.
        device: "cpu" or None.
        dtype: of the weight.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: str | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.weight = Parameter(autograd.full((num_parameters,), float(init), dtype=dtype))

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"
