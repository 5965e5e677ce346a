"""Numbers one by one: arithmetic, comparisons, activations, conversions."""

import functools
import math
import operator

import numpy as np

import autograd
from autograd import Tensor
from nn import functional as F
from nn.onnx.operators.values import axis_of, dtype_of, number

Abs, Acos, Acosh, Asin, Asinh = autograd.abs, autograd.acos, autograd.acosh, autograd.asin, autograd.asinh
Atan, Atanh, Ceil, Cos, Cosh = autograd.atan, autograd.atanh, autograd.ceil, autograd.cos, autograd.cosh
Erf, Exp, Floor, IsNaN, Log = autograd.erf, autograd.exp, autograd.floor, autograd.isnan, autograd.log
Neg, Not, Reciprocal, Relu = autograd.neg, autograd.logical_not, autograd.reciprocal, autograd.relu
Round, Sigmoid, Sign, Sin, Sinh = autograd.round, autograd.sigmoid, autograd.sign, autograd.sin, autograd.sinh
Sqrt, Tan, Tanh, BitwiseNot, Identity = autograd.sqrt, autograd.tan, autograd.tanh, autograd.bitwise_not, autograd.clone
Add, Sub, Mul = autograd.add, autograd.sub, autograd.mul
And, Or, Xor = autograd.logical_and, autograd.logical_or, autograd.logical_xor
BitwiseAnd, BitwiseOr, BitwiseXor = autograd.bitwise_and, autograd.bitwise_or, autograd.bitwise_xor
Equal, Greater, GreaterOrEqual, Less, LessOrEqual = autograd.eq, autograd.gt, autograd.ge, autograd.lt, autograd.le
Where, Mish, HardSwish, Softsign = autograd.where, F.mish, F.hardswish, F.softsign


def Div(a, b):
    return a / b if a.dtype.kind == "f" else Tensor(_toward_zero(a.numpy(), b.numpy()))


def _toward_zero(a, b):
    quotient = np.abs(a.astype(np.int64)) // np.abs(b.astype(np.int64))
    return (np.sign(a).astype(np.int64) * np.sign(b).astype(np.int64) * quotient).astype(a.dtype)


def Mod(a, b, *, fmod=0):
    return autograd.fmod(a, b) if fmod else autograd.remainder(a, b)


def Pow(a, b):
    return (a ** b.to(a.dtype) if a.dtype.kind == "f" or b.dtype.kind != "f" else (a.to(b.dtype) ** b)).to(a.dtype)


def BitShift(a, b, *, direction):
    return Tensor((np.left_shift if direction == "LEFT" else np.right_shift)(a.numpy(), b.numpy()))


def Sum(*inputs):
    return functools.reduce(operator.add, inputs)


def Mean(*inputs):
    return Sum(*inputs) / len(inputs)


def Max(*inputs):
    return functools.reduce(autograd.maximum, inputs)


def Min(*inputs):
    return functools.reduce(autograd.minimum, inputs)


def Clip(x, min=None, max=None):
    if min is not None:
        x = autograd.maximum(x, Tensor(np.asarray(number(min), x.dtype)))
    return x if max is None else autograd.minimum(x, Tensor(np.asarray(number(max), x.dtype)))


def IsInf(x, *, detect_negative=1, detect_positive=1):
    return autograd.isinf(x) & ((x > 0) & bool(detect_positive) | (x < 0) & bool(detect_negative))


def Cast(x, *, to, saturate=1, round_mode="up"):
    return x.to(dtype_of(to))


def CastLike(x, like, *, saturate=1, round_mode="up"):
    return x.to(like.dtype)


def BitCast(x, *, to):
    return Tensor(x.detach().numpy().view(dtype_of(to)))


# Activations

def LeakyRelu(x, *, alpha=0.01):
    return F.leaky_relu(x, alpha)


def PRelu(x, slope):
    return autograd.where(x >= 0, x, x * slope)


def Elu(x, *, alpha=1.0):
    return F.elu(x, alpha)


def Celu(x, *, alpha=1.0):
    return F.celu(x, alpha)


def Selu(x, *, alpha=1.67326319217681884765625, gamma=1.05070102214813232421875):
    return gamma * F.elu(x, alpha)


def Gelu(x, *, approximate="none"):
    return F.gelu(x, approximate)


def Swish(x, *, alpha=1.0):
    return x * (alpha * x).sigmoid()


def Softplus(x):
    return autograd.logaddexp(x, autograd.zeros((), dtype=x.dtype))


def HardSigmoid(x, *, alpha=0.2, beta=0.5):
    return (alpha * x + beta).clamp(0, 1)


def ThresholdedRelu(x, *, alpha=1.0):
    return autograd.where(x > alpha, x, 0.0)


def Shrink(x, *, bias=0.0, lambd=0.5):
    return autograd.where(x < -lambd, x + bias, autograd.where(x > lambd, x - bias, autograd.zeros_like(x))).to(x.dtype)


def Dropout(x, ratio=0.5, training_mode=False, *, seed=None):
    share = float(number(ratio) if ratio is not None else 0.5)
    if training_mode is None or not number(training_mode) or share == 0:
        return x, autograd.ones(x.shape, dtype=autograd.bool)
    mask = autograd.rand(x.shape) >= share
    return x * mask / (1 - share), mask


# Random numbers: of our generator, since ONNX leaves open which

def _drawn(draw, shape, dtype):
    return draw(*shape, dtype=dtype if dtype.kind == "f" else np.float32).to(dtype)


def RandomUniform(*, shape, dtype=1, high=1.0, low=0.0, seed=None):
    return _drawn(autograd.rand, shape, dtype_of(dtype)) * (high - low) + low


def RandomNormal(*, shape, dtype=1, mean=0.0, scale=1.0, seed=None):
    return _drawn(autograd.randn, shape, dtype_of(dtype)) * scale + mean


def RandomUniformLike(x, *, dtype=None, high=1.0, low=0.0, seed=None):
    return _drawn(autograd.rand, x.shape, x.dtype if dtype is None else dtype_of(dtype)) * (high - low) + low


def RandomNormalLike(x, *, dtype=None, mean=0.0, scale=1.0, seed=None):
    return _drawn(autograd.randn, x.shape, x.dtype if dtype is None else dtype_of(dtype)) * scale + mean


def Bernoulli(x, *, dtype=None, seed=None):
    return autograd.bernoulli(x).to(x.dtype if dtype is None else dtype_of(dtype))


def Softmax(x, *, axis=None, opset):
    return _of_rows(lambda rows, dim: rows.softmax(dim), x, axis, opset)


def LogSoftmax(x, *, axis=None, opset):
    return _of_rows(lambda rows, dim: rows.log_softmax(dim), x, axis, opset)


def Hardmax(x, *, axis=None, opset):
    return _of_rows(_one_hot_of_largest, x, axis, opset)


def _one_hot_of_largest(x, dim):
    places = autograd.arange(x.shape[dim]).reshape([-1 if i == axis_of(dim, x.ndim) else 1 for i in range(x.ndim)])
    return (places == x.argmax(dim, keepdim=True)).to(x.dtype)


def _of_rows(function, x, axis, opset):
    """Along one axis; before version 13, along all from one axis on."""
    if opset >= 13:
        return function(x, -1 if axis is None else axis)
    first = axis_of(1 if axis is None else axis, x.ndim)
    return function(x.reshape(math.prod(x.shape[:first]), -1), 1).reshape(x.shape)
