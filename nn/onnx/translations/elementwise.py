"""Operations element by element."""

import math
from collections.abc import Callable

import numpy as np

from nn.onnx.writing import code


def _plain(operator: str, **attributes) -> Callable:
    """One operator does it, once the arguments have one dtype."""
    def translation(write, *values):
        values = [write.cast(v, write.dtype) for v in values]
        return write(operator, *values, **attributes)
    return translation


def _compared(operator: str, opposite: bool = False) -> Callable:
    def translation(write, x, y):
        if operator != "Equal" and x.dtype == y.dtype == bool:
            x, y = write.cast(x, np.int64), write.cast(y, np.int64)
        else:
            x, y = write.alike(x, y)
        out = write(operator, x, y)
        return write("Not", out) if opposite else out
    return translation


def _logical(operator: str) -> Callable:
    def translation(write, *values):
        return write(operator, *[write.cast(v, bool) for v in values])
    return translation


def _of_floats(operator: str) -> Callable:
    """One operator that ONNX has for floating numbers only."""
    def translation(write, x):
        if write.dtype.kind == "f":
            return write(operator, write.cast(x, write.dtype))
        return write.cast(write(operator, write.cast(x, np.float64)), write.dtype)
    return translation


SIMPLE = {
    **{name: _plain(operator) for name, operator in {
        "add": "Add", "sub": "Sub", "mul": "Mul", "neg": "Neg", "abs": "Abs", "sign": "Sign", "alias": "Identity",
        "clone": "Identity", "relu": "Relu", "power": "Pow", "exp": "Exp", "log": "Log", "sqrt": "Sqrt",
        "reciprocal": "Reciprocal", "sigmoid": "Sigmoid", "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin",
        "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "tanh": "Tanh", "asinh": "Asinh",
        "acosh": "Acosh", "atanh": "Atanh", "erf": "Erf", "maximum": "Max", "minimum": "Min",
        "times": "Mul"}.items()},
    **{name: _of_floats(operator) for name, operator in {"floor": "Floor", "ceil": "Ceil"}.items()},
    **{name: _compared(operator, opposite) for name, operator, opposite in [
        ("eq", "Equal", False), ("ne", "Equal", True), ("lt", "Less", False), ("le", "LessOrEqual", False),
        ("gt", "Greater", False), ("ge", "GreaterOrEqual", False)]},
    **{name: _logical(operator) for name, operator in {
        "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor", "logical_not": "Not"}.items()},
}


def bitwise_and(write, x, y):
    return write("And" if write.dtype == bool else "BitwiseAnd", x, y)


def bitwise_or(write, x, y):
    return write("Or" if write.dtype == bool else "BitwiseOr", x, y)


def bitwise_xor(write, x, y):
    return write("Xor" if write.dtype == bool else "BitwiseXor", x, y)


def bitwise_not(write, x):
    return write("Not" if write.dtype == bool else "BitwiseNot", x)


def isnan(write, x):
    return write("IsNaN", x)


def isinf(write, x):
    return write("IsInf", x)


def isposinf(write, x):
    return write("IsInf", x, detect_negative=0)


def isneginf(write, x):
    return write("IsInf", x, detect_positive=0)


def isfinite(write, x):
    return write("Not", write("Or", write("IsNaN", x), write("IsInf", x)))


def to(write, x, *, dtype):
    return write("Cast", x, to=code(write.dtype))


def div(write, x, y):
    return write("Div", write.cast(x, write.dtype), write.cast(y, write.dtype))


def floor_divide(write, x, y):
    x, y = write.alike(x, y)
    if write.dtype.kind == "f":
        return write("Floor", write("Div", x, y))
    remainder_ = write("Mod", x, y)  # of the divisor's sign, as Python's
    return write("Div", write("Sub", x, remainder_), y)


def remainder(write, x, y):
    x, y = write.alike(x, y)
    if write.dtype.kind == "f":
        return write("Sub", x, write("Mul", write("Floor", write("Div", x, y)), y))
    return write("Mod", x, y)


def fmod(write, x, y):
    return write("Mod", *write.alike(x, y), fmod=1)


def truncated_quotient(write, x, y):
    quotient = write("Div", *write.alike(x, y))
    return _toward_zero(write, quotient) if write.dtype.kind == "f" else quotient


def _toward_zero(write, x):
    return write("Mul", write("Sign", x), write("Floor", write("Abs", x)))


def trunc(write, x):
    return _toward_zero(write, x)


def round_(write, x, *, decimals):
    if not decimals:
        return write("Round", x)
    scale = np.asarray(10.0 ** decimals, write.dtype)
    return write("Div", write("Round", write("Mul", x, scale)), scale)


def lerp(write, x, end, weight):
    x, end, weight = (write.cast(v, write.dtype) for v in (x, end, weight))
    return write("Add", x, write("Mul", weight, write("Sub", end, x)))


def addcmul(write, x, tensor1, tensor2, *, value):
    return _plus(write, "Mul", x, tensor1, tensor2, value=value)


def addcdiv(write, x, tensor1, tensor2, *, value):
    return _plus(write, "Div", x, tensor1, tensor2, value=value)


def _plus(write, operator, x, *others, value):
    """x + value times what the operator makes of the others."""
    x, *others = (write.cast(v, write.dtype) for v in (x, *others))
    return write("Add", x, write("Mul", write(operator, *others), np.asarray(value, write.dtype)))


def power_of_number(write, x, *, exponent):
    return write("Pow", write.cast(x, write.dtype), np.asarray(exponent, write.dtype))


def square(write, x):
    return write("Mul", x, x)


def rsqrt(write, x):
    return write("Reciprocal", write("Sqrt", write.cast(x, write.dtype)))


def _in_base(base: float) -> Callable:
    def translation(write, x):
        return write("Div", write("Log", write.cast(x, write.dtype)), np.asarray(math.log(base), write.dtype))
    return translation


SIMPLE |= {"log2": _in_base(2), "log10": _in_base(10)}


def exp2(write, x):
    return write("Pow", np.asarray(2, write.dtype), write.cast(x, write.dtype))


def expm1(write, x):
    """eˣ - 1 = tanh(x / 2) (eˣ + 1), which keeps the digits of a small x."""
    x, one = write.cast(x, write.dtype), np.asarray(1, write.dtype)
    half = write("Mul", x, np.asarray(0.5, write.dtype))
    exact = write("Mul", write("Tanh", half), write("Add", write("Exp", x), one))
    near = write("Less", write("Abs", x), one)
    return write("Where", near, exact, write("Sub", write("Exp", x), one))


def log1p(write, x):
    """log(1 + x) = 2 atanh(x / (2 + x)), which keeps the digits of a small x."""
    x, two = write.cast(x, write.dtype), np.asarray(2, write.dtype)
    exact = write("Mul", two, write("Atanh", write("Div", x, write("Add", x, two))))
    near = write("Less", write("Abs", x), np.asarray(0.5, write.dtype))
    return write("Where", near, exact, write("Log", write("Add", x, np.asarray(1, write.dtype))))


def erfc(write, x):
    return write("Sub", np.asarray(1, write.dtype), write("Erf", x))


def logaddexp(write, x, y):
    x, y = write.cast(x, write.dtype), write.cast(y, write.dtype)
    rest = write("Exp", write("Neg", write("Abs", write("Sub", x, y))))
    return write("Add", write("Max", x, y), log1p(write, rest))


def xlogy(write, x, y):
    zero = np.asarray(0, write.dtype)
    x, y = write.cast(x, write.dtype), write.cast(y, write.dtype)
    return write("Where", write("Equal", x, zero), zero, write("Mul", x, write("Log", y)))


def clamp(write, x, lowest, highest):
    x = write.cast(x, write.dtype)
    if lowest is not None:
        x = write("Max", x, write.cast(lowest, write.dtype))
    return x if highest is None else write("Min", x, write.cast(highest, write.dtype))


def where(write, condition, x, y):
    return write("Where", write.cast(condition, bool), write.cast(x, write.dtype), write.cast(y, write.dtype))


def masked_fill(write, x, mask, value):
    return where(write, mask, value, x)


def weighted(write, x, weight):
    return write("Mul", x, write.cast(weight, write.dtype))


# Activations

def gelu(write, x):
    """x Φ(x): the operator Gelu is of version 20."""
    half, root, one = (np.asarray(n, write.dtype) for n in (0.5, math.sqrt(0.5), 1))
    return write("Mul", write("Mul", x, half), write("Add", write("Erf", write("Mul", x, root)), one))


def gelu_tanh(write, x):
    half, one, scale, cube = (np.asarray(n, write.dtype) for n in (0.5, 1, math.sqrt(2 / math.pi), 0.044715))
    inner = write("Mul", write("Add", x, write("Mul", cube, write("Mul", x, write("Mul", x, x)))), scale)
    return write("Mul", write("Mul", x, half), write("Add", write("Tanh", inner), one))


def silu(write, x):
    return write("Mul", x, write("Sigmoid", x))


def softplus(write, x):
    """log(1 + eˣ), without overflow."""
    rest = write("Exp", write("Neg", write("Abs", x)))
    return write("Add", write("Relu", x), log1p(write, rest))


def mish(write, x):
    return write("Mul", x, write("Tanh", softplus(write, x)))


def softsign(write, x):
    return write("Softsign", write.cast(x, write.dtype))


def tanhshrink(write, x):
    return write("Sub", x, write("Tanh", x))


def leaky_relu(write, x, *, negative_slope):
    return write("LeakyRelu", x, alpha=float(negative_slope))


def prelu(write, x, weight):
    return write("Where", write("Greater", x, np.asarray(0, write.dtype)), x, write("Mul", weight, x))


def hardtanh(write, x, *, low, high):
    return write("Clip", x, np.asarray(low, write.dtype), np.asarray(high, write.dtype))


def hardsigmoid(write, x):
    x, three, zero, six = write.cast(x, write.dtype), *(np.asarray(n, write.dtype) for n in (3, 0, 6))
    return write("Div", write("Clip", write("Add", x, three), zero, six), six)


def hardswish(write, x):
    return write("HardSwish", x) if write.dtype == np.float32 else write("Mul", x, write("Div", write(
        "Clip", write("Add", x, np.asarray(3, write.dtype)), np.asarray(0, write.dtype), np.asarray(6, write.dtype)),
        np.asarray(6, write.dtype)))


def hardshrink(write, x, *, lambd):
    return write("Where", write("LessOrEqual", write("Abs", x), np.asarray(lambd, write.dtype)),
                 np.asarray(0, write.dtype), x)


def softshrink(write, x, *, lambd):
    return write("Sub", x, write("Clip", x, np.asarray(-lambd, write.dtype), np.asarray(lambd, write.dtype)))


def threshold(write, x, *, threshold, value):
    return write("Where", write("LessOrEqual", x, np.asarray(threshold, write.dtype)),
                 np.asarray(value, write.dtype), x)


def elu(write, x, *, alpha, scale, inner):
    zero, slope = np.asarray(0, write.dtype), np.asarray(alpha * scale, write.dtype)
    below = expm1(write, write("Mul", write("Min", x, zero), np.asarray(inner, write.dtype)))
    return write("Add", write("Mul", write("Max", x, zero), np.asarray(scale, write.dtype)), write("Mul", below, slope))
