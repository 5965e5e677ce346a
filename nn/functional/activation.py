"""Activations: nonlinear functions, elementwise or along one axis.

At kinks the derivatives are PyTorch's.
"""

import math

import numpy as np

import autograd
from autograd import Tensor, as_tensor, operation, relu, sigmoid, softmax, tanh
from autograd.compiled import compilable
from autograd.random import numpy_generator
from autograd.samples import numbers
from autograd.threads import CACHED, in_parallel, pieces


def _in_pieces(function, x):
    """function(x), elementwise; over threads and in pieces that stay in the cache if x is a large array."""
    if isinstance(x, Tensor) or x.size <= CACHED:
        return function(x)
    out = np.empty_like(x)
    source, target = x.ravel(order="K"), out.ravel(order="K")

    def work(part):
        for piece in pieces(part, 1):
            target[piece] = function(source[piece])

    in_parallel(work, x.size, 8 * x.size)
    return out if np.shares_memory(out, target) else target.reshape(x.shape)


# erf(x) = x P(x²) / Q(x²) for |x| <= 4, to 5e-7; the highest power first. In float32 erf is 1 beyond.
P = (-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05, -7.34990630326855e-04,
      -2.95459980854025e-03, -1.60960333262415e-02)
Q = (-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03, -1.42647390514189e-02)


def _horner(coefficients, x):
    total = x * coefficients[0]
    for c in coefficients[1:-1]:
        total += c
        total *= x
    total += coefficients[-1]
    return total


def normal_cdf(x):
    """Φ(x), the distribution function of the standard normal distribution."""
    x = x * math.sqrt(0.5)
    if x.dtype == np.float32 and not isinstance(x, Tensor):  # several times as fast as erf
        x = np.clip(x, -4, 4)
        square = x * x
        erf = x * _horner(P, square) / _horner(Q, square)
    else:
        erf = autograd.erf(x)
    return 0.5 * erf + 0.5


def _gelu_slope(x):
    return normal_cdf(x) + x * (np.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi)))


@compilable("nn.compiled.activation")
def _gelu_forward(x):
    return _in_pieces(lambda part: part * normal_cdf(part), x)


@compilable("nn.compiled.activation")
def _gelu_back(g, x):
    return g * _in_pieces(_gelu_slope, x)


_gelu = operation(_gelu_forward, vjps=lambda g, out, x: _gelu_back(g, x), names="gelu", methods="", samples=numbers)


_TANH_SCALE, _TANH_CUBE = math.sqrt(2 / math.pi), 0.044715


def _gelu_tanh_value(x):
    t = np.tanh(x * (_TANH_SCALE + _TANH_SCALE * _TANH_CUBE * (x * x)))
    return 0.5 * x * (1 + t)


def _gelu_tanh_slope(x):
    square = x * x
    t = np.tanh(x * (_TANH_SCALE + _TANH_SCALE * _TANH_CUBE * square))
    return 0.5 * (1 + t + x * (1 - t * t) * (_TANH_SCALE + 3 * _TANH_SCALE * _TANH_CUBE * square))


@compilable("nn.compiled.activation")
def _gelu_tanh_forward(x):
    return _in_pieces(_gelu_tanh_value, x)


@compilable("nn.compiled.activation")
def _gelu_tanh_back(g, x):
    return g * _in_pieces(_gelu_tanh_slope, x)


_gelu_tanh = operation(_gelu_tanh_forward, vjps=lambda g, out, x: _gelu_tanh_back(g, x), names="gelu_tanh", methods="",
                       samples=numbers)


def gelu(input, approximate="none"):
    """x Φ(x), Φ being the distribution function of the normal distribution (Hendrycks & Gimpel 2016).

    approximate="tanh" takes 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))) instead.
    """
    x = as_tensor(input)
    if approximate == "none":
        return _gelu(x)
    if approximate != "tanh":
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', not {approximate!r}")
    return _gelu_tanh(x)


silu = operation(lambda x: x * sigmoid(x), vjps=lambda g, out, x: g * ((s := sigmoid(x)) * (1 + x * (1 - s))),
                 names="silu", methods="", samples=numbers, doc="x σ(x), also called swish (Elfwing et al. 2017).")

_softplus = operation(lambda x: np.maximum(x, np.zeros_like(x)) + np.log1p(np.exp(-np.abs(x))),
                      vjps=lambda g, out, x: g * sigmoid(x), names="_softplus", samples=numbers)


def softplus(input, beta=1.0, threshold=20.0):
    """log(1 + exp(beta x)) / beta, without overflow; `threshold` is accepted for PyTorch's sake and not needed."""
    return _softplus(as_tensor(input) * beta) / beta if beta != 1 else _softplus(as_tensor(input))


def logsigmoid(input):
    """log σ(x), without overflow."""
    return -_softplus(-as_tensor(input))


def mish(input):
    """x tanh(softplus(x)) (Misra 2019)."""
    return input * tanh(softplus(input))


def softsign(input):
    """x / (1 + |x|)."""
    return input / (1 + autograd.abs(input))


def tanhshrink(input):
    """x - tanh(x)."""
    return input - tanh(input)


# Piecewise linear: x times a slope that is a constant

def _slopes(x, condition, slope):
    """1 where the condition holds, else `slope`; an array of x's dtype."""
    return (condition * (1 - slope) + slope).astype(x.dtype, copy=False)


def leaky_relu(input, negative_slope=0.01):
    """x where x > 0, else negative_slope x (Maas et al. 2013)."""
    x = as_tensor(input)
    return x * _slopes(x, x.array > 0, negative_slope)


def prelu(input, weight):
    """x where x > 0, else weight x, with one weight or one a channel (He et al. 2015)."""
    x = as_tensor(input)
    if weight.size() not in ((1,), (x.shape[min(1, x.ndim - 1)],)):
        raise ValueError("prelu: weight must have shape (1,) or one entry for each of the channels (axis 1) of the "
                         "input "
                         f"of shape {x.shape}, not {weight.shape}")
    each = weight.reshape((-1, *(1,) * (x.ndim - 2))) if x.ndim > 1 else weight
    positive = (x.array > 0).astype(x.dtype)
    return x * positive + x * (1 - positive) * each


def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    """Leaky ReLU with random slopes in training, the mean slope else (Xu et al. 2015)."""
    x = as_tensor(input)
    if not training:
        return leaky_relu(x, (lower + upper) / 2)
    slopes = numpy_generator().uniform(lower, upper, x.shape).astype(x.dtype)
    return x * np.where(x.array >= 0, np.ones_like(slopes), slopes)


def hardtanh(input, min_val=-1.0, max_val=1.0):
    """x between min_val and max_val, and they beyond."""
    x = as_tensor(input)
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val={min_val} must not be larger than max_val={max_val}")
    inside = (x.array > min_val) & (x.array < max_val)
    constant = np.where(inside, x.dtype.type(0), np.clip(x.array, min_val, max_val))
    return autograd.where(inside, x, 0.0) + constant


def relu6(input):
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0)


def hardsigmoid(input):
    """relu6(x + 3) / 6."""
    return relu6(input + 3) / 6


def hardswish(input):
    """x relu6(x + 3) / 6 (Howard et al. 2019)."""
    return input * hardsigmoid(input)


def hardshrink(input, lambd=0.5):
    """x where |x| > lambd, else 0."""
    x = as_tensor(input)
    return autograd.where(np.abs(x.array) > lambd, x, 0.0)


def softshrink(input, lambd=0.5):
    """x brought towards 0 by lambd."""
    x = as_tensor(input)
    if lambd < 0:
        raise ValueError(f"softshrink: lambd must not be negative, it is {lambd}")
    return autograd.where(np.abs(x.array) > lambd, x - np.sign(x.array) * x.dtype.type(lambd), 0.0)


def threshold(input, threshold, value):
    """x where x > threshold, else `value`."""
    x = as_tensor(input)
    return autograd.where(x.array > threshold, x, float(value))


# Exponential on the negative side

def _expm1_negative(x, scale=1.0):
    """exp(x scale) - 1 where x <= 0, else 0."""
    negative = autograd.where(x.array <= 0, x, 0.0)
    return autograd.exp(negative * scale if scale != 1 else negative) - 1


def elu(input, alpha=1.0):
    """x where x > 0, else alpha (exp(x) - 1) (Clevert et al. 2015)."""
    x = as_tensor(input)
    return relu(x) + alpha * _expm1_negative(x)


def celu(input, alpha=1.0):
    """x where x > 0, else alpha (exp(x / alpha) - 1) (Barron 2017)."""
    x = as_tensor(input)
    return relu(x) + alpha * _expm1_negative(x, 1 / alpha)


def selu(input):
    """λ elu(x, α) with the λ and α that keep mean 0 and variance 1 (Klambauer et al. 2017)."""
    return 1.0507009873554805 * elu(input, 1.6732632423543772)


# Along an axis

def softmin(input, dim):
    """softmax(-x) along `dim`."""
    return softmax(-as_tensor(input), dim)


def _halves(name, x, dim, parts=2):
    x = as_tensor(x)
    if x.shape[dim] % parts:
        raise ValueError(f"{name}: axis {dim} of the input (shape {x.shape}) must be divisible by {parts}")
    n = x.shape[dim] // parts
    lead = (slice(None),) * (dim % x.ndim)
    return [x[(*lead, slice(i * n, (i + 1) * n))] for i in range(parts)]


def glu(input, dim=-1):
    """a σ(b), a and b being the halves of x along `dim` (Dauphin et al. 2016)."""
    a, b = _halves("glu", input, dim)
    return a * sigmoid(b)


def maxout(input, pieces, dim=1):
    """The largest of `pieces` consecutive features along `dim` (Goodfellow et al. 2013)."""
    x = as_tensor(input)
    dim %= x.ndim
    if x.shape[dim] % pieces:
        raise ValueError(f"maxout: axis {dim} of the input (shape {x.shape}) must be divisible by pieces={pieces}")
    return x.reshape((*x.shape[:dim], x.shape[dim] // pieces, pieces, *x.shape[dim + 1:])).max(dim + 1).values


def gumbel_softmax(logits, tau=1.0, hard=False, dim=-1):
    """A sample from the Gumbel-softmax distribution (Jang et al. 2016); with `hard`, one-hot with the soft gradient."""
    x = as_tensor(logits)
    noise = numpy_generator().gumbel(size=x.shape).astype(x.dtype)
    soft = softmax((x + noise) / tau, dim)
    if not hard:
        return soft
    best = np.zeros_like(soft.array)
    np.put_along_axis(best, np.expand_dims(soft.array.argmax(dim), dim), 1, dim)
    return soft + (best - soft.array)
