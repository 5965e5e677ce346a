"""Elementwise functions, with broadcasting: arithmetic, elementary functions, kinks and steps."""

import math
import operator

import numpy as np

from autograd import dtypes
from autograd.dtypes import bool_, float64, get_default_dtype
from autograd.notation import Notation
from autograd.operation import OF_MANY
from autograd.operations import single
from autograd.operations.approximation import BITS, MANY, select
from autograd.operations.comparisons import logical_not, logical_or
from autograd.runtime.copies import everywhere
from autograd.runtime.tracing import Symbol
from autograd.samples import call, distinct_pair, inside_one, nonzero, numbers, pair, positive
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike


def _flat(g, out, x, **options):
    """The rule of a step."""
    return everywhere(g.dtype.type(0), g.shape) if type(g) is np.ndarray else np.zeros_like(g)


def _flat_in_both(g, out, x, y):
    return _flat(g, out, x)


_zeros_like = operation(lambda x: Tensor(np.zeros(x.shape, x.dtype)), names="_zeros_like", numpy=np.zeros_like)


def only(g, mask):
    """g where the mask is true and 0 elsewhere, whatever g is there: what a rule gives to the branch not taken.

    g * mask would make nan of inf and nan. The bits of g times the mask do not, and are ten times as fast as `where`.
    """
    if getattr(mask, "dtype", None) is bool_:
        if type(g) is np.ndarray and g.dtype in BITS:
            if mask.shape == g.shape and mask.ndim:
                bits = mask.astype(BITS[g.dtype])  # converted once: NumPy would do it piece by piece
                bits *= g.view(bits.dtype)
                return bits.view(g.dtype)
            return (g.view(BITS[g.dtype]) * mask).view(g.dtype)
        if isinstance(g, np.generic) and not mask.ndim:
            return g if mask else g.dtype.type(0)
    return np.where(mask, g, 0)


def times(g, slope):
    """g * slope, and 0 where the slope is 0, whatever g is there: for slopes that are 0 because nothing is there to
    rise, as of abs at 0.
    """
    return _times(g, slope) if isinstance(g, Tensor) else _product(g, slope)


def _product(g, slope):
    out = g * slope
    return out if is_finite(g) else only(out, slope != 0)


def is_finite(g):
    """Whether all of a gradient is finite; of one that is the same everywhere, a single number tells, of a symbol none.
    """
    return not isinstance(g, Symbol) and np.isfinite(g if any(g.strides) or not g.size else g[(0,) * g.ndim]).all()


def negated(g):
    """-g; of a gradient that is the same everywhere, of one number."""
    if type(g) is np.ndarray and g.size > MANY and not any(g.strides):
        return everywhere(-g[(0,) * g.ndim], g.shape)
    return -g


def scaled(g, factor):
    """g * factor, likewise if the factor is a number."""
    if type(g) is np.ndarray and g.size > MANY and type(factor) is float and not any(g.strides):
        return everywhere(g[(0,) * g.ndim] * factor, g.shape)
    return g * factor


def above(x, low):
    """max(x, low) for a number: of many, NumPy's loop for `clip` is vectorized and that of `maximum` is not."""
    if type(x) is np.ndarray and x.size > MANY and x.dtype.kind == "f":
        return x.clip(low, np.inf)
    return np.maximum(x, low)


def below(x, high):
    """min(x, high) for a number, likewise."""
    if type(x) is np.ndarray and x.size > MANY and x.dtype.kind == "f":
        return x.clip(-np.inf, high)
    return np.minimum(x, high)


_times = operation(_product, names="_times", samples=pair,
                   vjps=(lambda g, out, x, slope: times(g, slope), lambda g, out, x, slope: g * x))


def _between_integers(draw):
    return call(draw.array(away_from=range(-2, 3)))


def _between_multiples(draw):
    y = draw.choice([0.75, -1.25])
    return call(draw.array(away_from=(0, y, 2 * y, -y, -2 * y)), y)


# Arithmetic. Python's operators are the forward functions: on NumPy's scalars they are ten times as fast as ufuncs.
# What has options is a second function, so that the operators needn't look for them.

_add = operation(
    operator.add, vjps=(lambda g, out, x, y: g, lambda g, out, x, y: g),
    samples=pair, names="_add", operators="__add__ __radd__", numpy=np.add, inplace=True,
    notation=Notation("+", "{x} + {y}", ("1", "1"), ("+{c}", "+{c}")))

_sub = operation(
    operator.sub, vjps=(lambda g, out, x, y: g, lambda g, out, x, y: negated(g)),
    samples=pair, names="_sub", operators="__sub__ __rsub__", numpy=np.subtract, inplace=True,
    notation=Notation("-", "{x} - {y}", ("1", "-1"), ("-{c}", "{c}-{x}")))

mul = operation(
    operator.mul, vjps=(lambda g, out, x, y: g * y, lambda g, out, x, y: g * x),
    samples=pair, names="mul multiply", operators="__mul__ __rmul__", numpy=np.multiply, inplace=True, doc="x * y",
    notation=Notation("*", "{x} * {y}", ("{y}", "{x}"), ("*{c}", "*{c}")))

_div = operation(
    operator.truediv, vjps=(lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y),
    samples=lambda draw: call(*draw.broadcastable(2, away_from=(0,))),
    names="_div", operators="__truediv__ __rtruediv__", numpy=np.divide, inplace=True,
    notation=Notation("/", "{x} / {y}", ("1 / {y}", "-{x} / {y}²"), ("/{c}", "{c}/{x}")))



def _refusing_zeros(divide):
    """The division, but integers cannot be divided by 0, of which NumPy would make 0."""
    def forward(input, other):
        if _is_whole(other) and _is_whole(input) and not np.all(other):
            raise ValueError("integers cannot be divided by 0; x.float() can, which makes inf or nan")
        return divide(input, other)
    forward.__module__ = divide.__module__  # which tells how much work it is
    if divide in OF_MANY:
        OF_MANY[forward] = _refusing_zeros(OF_MANY[divide])
    return forward


def _is_whole(x):
    return x.dtype.kind in "iub" if hasattr(x, "dtype") else type(x) in (int, bool)


floor_divide = operation(
    _refusing_zeros(operator.floordiv), vjps=(_flat_in_both, _flat_in_both), samples=_between_multiples,
    names="floor_divide", operators="__floordiv__ __rfloordiv__", numpy=np.floor_divide, inplace=True,
    doc="floor(x / y); its derivative is 0.")

remainder = operation(
    _refusing_zeros(operator.mod),
    vjps=(lambda g, out, x, y: g, lambda g, out, x, y: times(-g, single.floor_divide(x, y))),
    samples=_between_multiples,
    names="remainder", operators="__mod__ __rmod__", numpy=np.remainder, inplace=True,
    doc="x - y floor(x / y), which has the sign of y.")

fmod = operation(
    _refusing_zeros(np.fmod),
    vjps=(lambda g, out, x, y: g, lambda g, out, x, y: times(-g, _truncated_quotient(x, y))),
    samples=_between_multiples, names="fmod",
    numpy=np.fmod, inplace=True, doc="x - y trunc(x / y), which has the sign of x.")

neg = operation(
    operator.neg, vjps=lambda g, out, x: negated(g),
    samples=numbers, names="neg negative", operators="__neg__", numpy=np.negative, inplace=True, doc="-x",
    notation=Notation("*-1", "-1 * {x}", ("-1",)))


def _times_alpha(other, alpha, x):
    """alpha other, in the dtype in which it meets x: that of small integers may not hold the product."""
    if not isinstance(other, (Tensor, np.ndarray, np.generic, float, int)):
        other = dtypes.as_array(other)
    before = getattr(other, "dtype", None)
    if before is not None and before is not getattr(x, "dtype", None):
        meets = dtypes.promoted([each.array if isinstance(each, Tensor) else each for each in (x, other)])
        other = other.to(meets) if isinstance(other, Tensor) else other.astype(meets)
    return alpha * other


@operation(samples=lambda draw: call(*draw.broadcastable(2), alpha=draw.choice([1, -0.5])), inplace=True)
def add(x: TensorLike, other: TensorLike, alpha: float = 1) -> Tensor:
    """x + alpha other"""
    return _add(x, other) if alpha == 1 else _add(x, _times_alpha(other, alpha, x))


@operation(samples=lambda draw: call(*draw.broadcastable(2), alpha=draw.choice([1, -0.5])), names="sub subtract",
           inplace=True)
def sub(x: TensorLike, other: TensorLike, alpha: float = 1) -> Tensor:
    """x - alpha other"""
    return _sub(x, other) if alpha == 1 else _sub(x, _times_alpha(other, alpha, x))


_truncated_quotient = operation(
    _refusing_zeros(lambda x, y: np.trunc(x / y) if np.result_type(x, y).kind == "f" else (x - np.fmod(x, y)) // y),
    vjps=(_flat_in_both, _flat_in_both), names="_truncated_quotient")


@operation(names="div divide true_divide", inplace=True, samples=lambda draw: call(
    *_between_multiples(draw)[0], rounding_mode=draw.choice([None, "floor", "trunc"])))
def div(x: TensorLike, other: TensorLike, rounding_mode: str | None = None) -> Tensor:
    """x / other; rounded down if `rounding_mode` is "floor", towards 0 if it is "trunc"."""
    if rounding_mode is None:
        return _div(x, other)
    if rounding_mode not in ("floor", "trunc"):
        raise ValueError(f"rounding_mode must be None, 'floor' or 'trunc', not {rounding_mode!r}")
    return (floor_divide if rounding_mode == "floor" else _truncated_quotient)(x, other)


@operation(names="positive", operators="__pos__", numpy=np.positive, samples=numbers)
def itself(x: TensorLike) -> Tensor:
    """x itself."""
    return x


def _weighed(x, value):
    return x if value == 1 else value * x


@operation(vjps=(lambda g, out, x, tensor1, tensor2, value: g,
                 lambda g, out, x, tensor1, tensor2, value: g * _weighed(tensor2, value),
                 lambda g, out, x, tensor1, tensor2, value: g * _weighed(tensor1, value)),
           samples=lambda draw: call(*draw.broadcastable(3), value=draw.choice([1, -0.5])), inplace=True)
def addcmul(x, tensor1, tensor2, *, value: float = 1):
    """x + value tensor1 tensor2"""
    return x + _weighed(tensor1 * tensor2, value)


@operation(vjps=(lambda g, out, x, tensor1, tensor2, value: g,
                 lambda g, out, x, tensor1, tensor2, value: _weighed(g, value) / tensor2,
                 lambda g, out, x, tensor1, tensor2, value: _weighed(g, -value) * (tensor1 / tensor2) / tensor2),
           samples=lambda draw: call(*draw.broadcastable(3, low=0.25), value=draw.choice([1, -0.5])), inplace=True)
def addcdiv(x, tensor1, tensor2, *, value: float = 1):
    """x + value tensor1 / tensor2"""
    return x + _weighed(tensor1 / tensor2, value)


@operation(vjps=(lambda g, out, x, end, weight: scaled(g, 1 - weight),
                 lambda g, out, x, end, weight: scaled(g, weight), lambda g, out, x, end, weight: g * (end - x)),
           samples=lambda draw: call(*draw.broadcastable(3)), inplace=True)
def lerp(x, end, weight):
    """x + weight (end - x), which is exactly `end` for weight 1."""
    step = end - x
    if type(weight) is float:
        return x + weight * step if weight < 0.5 else end - (1 - weight) * step
    return select(np.less(weight, 0.5), x + weight * step, end - (1 - weight) * step)


# Powers

def raised(x, exponent):
    """x ** exponent; NumPy knows the short way for squares and square roots only."""
    if exponent == 3:
        return x * x * x
    if exponent in (-1, -2) and x.dtype.kind == "f":
        return 1 / (x if exponent == -1 else x * x)
    return 1 / np.sqrt(x + 0.0) if exponent == -0.5 else x ** exponent  # of -0, too, it is inf


def _slope(x, exponent):
    return exponent * (x if exponent == 2 else raised(x, exponent - 1))


def _power_vjp_base(g, out, x, y):
    flat = (y == 0) & (x * x == 0)  # 0 ** 0, and where 1 / x would overflow
    power = x ** np.where(flat, 1, y - 1)
    return times(g, np.where(np.isinf(y) & (power == 0), 0, y) * power)


def _power_vjp_exponent(g, out, x, y):
    flat = (out == 0) | ((x == 0) & (y >= 0))  # 0 ** y, and where nothing is left
    return times(g, out * np.log(np.where(flat, 1, x)))


_power = operation(
    operator.pow, vjps=(_power_vjp_base, _power_vjp_exponent), names="_power",
    samples=lambda draw: call(*draw.broadcastable(2, low=0.25)),
    notation=Notation("^", "{x} ^ {y}", ("{y} * {x} ^ ({y} - 1)", "{out} * ln {x}"), ("^{c}", "{c}^{x}")))

_power_of_number = operation(
    lambda x, *, exponent: raised(x, exponent), names="_power_of_number",
    vjps=lambda g, out, x, exponent: g * _slope(x, exponent) if exponent else _flat(g, out, x),
    samples=lambda draw: call(draw.array(low=0.25), exponent=draw.choice([2, 0, 1, 3, -1, 0.5, 4])),
    notation=Notation("^{exponent}", "{x} ^ {exponent}", ("{exponent} * {x} ^ {less}",)))


@operation(names="pow", operators="__pow__ __rpow__", numpy=np.power, inplace=True)
def pow(x: TensorLike, exponent: TensorLike) -> Tensor:
    """x ** exponent. The derivative in the exponent is log(x) x ** exponent, and 0 where x = 0."""
    if isinstance(exponent, np.generic):
        exponent = exponent.item()
    if isinstance(x, Tensor):
        if x.dtype is bool_:  # NumPy would choose 8 bits
            if dtypes.promoted([x, exponent]) is bool_:
                return logical_or(x, logical_not(exponent))
            x = x.to(dtypes.int64) if type(exponent) is int else x
        if isinstance(exponent, (int, float)) and (x.dtype.kind == "f" or type(exponent) is int):
            return _power_of_number(x, exponent=exponent)
    elif type(x) in (int, float) and x == 2 and isinstance(exponent, Tensor) and exponent.dtype.kind == "f":
        return exp2(exponent)
    return _power(x, exponent)


square = operation(lambda x: x * x, vjps=lambda g, out, x: g * (2 * x), samples=numbers, names="square",
                   numpy=np.square, inplace=True, doc="x²")
sqrt = operation(np.sqrt, vjps=lambda g, out, x: g / (2 * out), samples=positive, numpy=np.sqrt, inplace=True,
                 doc="√x, elementwise; NaN where x < 0. The derivative is infinite at 0.",
                 notation=Notation("√", "√{x}", ("1 / (2 * √{x})",)))
rsqrt = operation(lambda x: 1 / np.sqrt(x), vjps=lambda g, out, x: -0.5 * g * out * out * out, samples=positive,
                  names="rsqrt", inplace=True, doc="1 / √x")
reciprocal = operation(lambda x: 1 / x, vjps=lambda g, out, x: -g * out * out, samples=nonzero, names="reciprocal",
                       numpy=np.reciprocal, inplace=True, doc="1 / x")


# Exponentials and logarithms

exp = operation(np.exp, vjps=lambda g, out, x: g * out, samples=numbers, numpy=np.exp, inplace=True,
                doc="e to the power of each element.",
                notation=Notation("exp", "exp {x}", ("exp {x}",)))
exp2 = operation(np.exp2, vjps=lambda g, out, x: g * out * math.log(2), samples=numbers, numpy=np.exp2, inplace=True,
                 doc="2 to the power of each element.",
                 notation=Notation("2^{x}", "2 ^ {x}", ("{out} * ln (2)",)))
expm1 = operation(np.expm1, vjps=lambda g, out, x: g * (out + 1), samples=numbers, numpy=np.expm1, inplace=True,
                  doc="exp(x) - 1, elementwise, without losing digits near 0.")
log = operation(np.log, vjps=lambda g, out, x: g / x, samples=positive, numpy=np.log, inplace=True,
                doc="The natural logarithm of each element: -inf at 0, NaN below.",
                notation=Notation("ln", "ln {x}", ("1 / {x}",)))
log2 = operation(np.log2, vjps=lambda g, out, x: g / (x * math.log(2)), samples=positive, numpy=np.log2, inplace=True,
                 doc="The logarithm to base 2 of each element: -inf at 0, NaN below.")
log10 = operation(np.log10, vjps=lambda g, out, x: g / (x * math.log(10)), samples=positive, numpy=np.log10,
                  inplace=True, doc="The logarithm to base 10 of each element: -inf at 0, NaN below.")
log1p = operation(np.log1p, vjps=lambda g, out, x: g / (1 + x), samples=positive, numpy=np.log1p, inplace=True,
                  doc="log(1 + x), elementwise, without losing digits near 0.")


def floating(x):
    """x, in the default dtype if it holds integers or booleans."""
    return x if x.dtype.kind == "f" else x.astype(get_default_dtype())


def _sigmoid(x):
    x = floating(x)  # -x has no meaning for booleans, and another one for integers without a sign
    with np.errstate(over="ignore"):  # 1 / inf is the right answer
        return 1 / (1 + np.exp(-x))


sigmoid = operation(
    _sigmoid, vjps=lambda g, out, x: g * out * (1 - out), samples=numbers, names="sigmoid", inplace=True,
    doc="1 / (1 + exp(-x))", notation=Notation("σ", "σ({x})", ("{out} * (1 - {out})",),
                                               flat=("saturated", lambda out: np.abs(out - 0.5) > 0.49)))


_logit = operation(lambda x: np.log(x / (1 - x)), names="_logit", methods="", vjps=lambda g, out, x: g / np.where(
    (x < 0) | (x > 1), np.nan, x * (1 - x)), samples=lambda draw: call(draw.array(low=0.125, high=0.875)))


@operation(inplace=True, samples=lambda draw: call(draw.array(low=0.125, high=0.875, away_from=(0.3, 0.7)),
                                                   eps=draw.choice([None, 0.3])))
def logit(x: TensorLike, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)), the inverse of sigmoid; x is first clamped to [eps, 1 - eps]."""
    return _logit(x if eps is None else clamp(x, eps, 1 - eps))


def ahead(x, y):
    """x - y; two that are inf are level, and of two that are -inf there is nothing that either could be ahead by."""
    same = (x == y) & np.isinf(x)
    if isinstance(same, np.ndarray) and not same.any():
        return x - y
    return np.where(same, np.minimum(x, 0), x - np.where(same, 0, y))


def _logaddexp(input, other):
    if isinstance(input, np.ndarray) and input.size <= MANY:
        return np.logaddexp(input, other)
    with np.errstate(invalid="ignore"):  # NumPy's loop is not vectorized
        apart = np.where(input == other, 0, input - other)
    return np.maximum(input, other) + single.log1p(np.exp(-np.abs(apart)))


logaddexp = operation(
    _logaddexp,
    vjps=(lambda g, out, x, y: g * sigmoid(ahead(x, y)), lambda g, out, x, y: g * sigmoid(ahead(y, x))),
    samples=pair, names="logaddexp", numpy=np.logaddexp, doc="log(exp(x) + exp(y)), without overflow.")
logaddexp2 = operation(
    np.logaddexp2, vjps=(lambda g, out, x, y: g * sigmoid(ahead(x, y) * math.log(2)),
                         lambda g, out, x, y: g * sigmoid(ahead(y, x) * math.log(2))),
    samples=pair, numpy=np.logaddexp2, doc="log2(2**x + 2**y), without overflow.")


def _times_logarithm(logarithm):
    def forward(x, y):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where((x == 0) & ~np.isnan(y), 0, x * logarithm(y))
    return forward


xlogy = operation(
    _times_logarithm(np.log), names="xlogy", inplace=True, doc="x log(y), and 0 where x = 0.",
    vjps=(lambda g, out, x, y: xlogy(np.where((x == 0) & (y <= 0), 0, g), y), lambda g, out, x, y: g * x / y),
    samples=lambda draw: call(*draw.broadcastable(2, low=0.25)))

_xlog1py = operation(
    _times_logarithm(np.log1p), names="_xlog1py", doc="x log(1 + y), and 0 where x = 0.",
    vjps=(lambda g, out, x, y: _xlog1py(np.where((x == 0) & (y <= -1), 0, g), y), lambda g, out, x, y: g * x / (y + 1)),
    samples=lambda draw: call(*draw.broadcastable(2, low=-0.75)))

_entr = operation(
    lambda x: np.where(x < 0, -np.inf, 0 - xlogy(x, np.maximum(x, 0))), names="_entr", samples=positive,
    vjps=lambda g, out, x: g * -(1 + np.log(x)), doc="-x log(x): 0 at 0 and -inf below.")


# Trigonometric and hyperbolic functions

sin = operation(np.sin, vjps=lambda g, out, x: g * np.cos(x), samples=numbers, numpy=np.sin, inplace=True,
                doc="The sine of each element, in radians.",
                notation=Notation("sin", "sin {x}", ("cos {x}",)))
cos = operation(np.cos, vjps=lambda g, out, x: -g * np.sin(x), samples=numbers, numpy=np.cos, inplace=True,
                doc="The cosine of each element, in radians.",
                notation=Notation("cos", "cos {x}", ("-sin {x}",)))
tan = operation(np.tan, vjps=lambda g, out, x: g * (1 + out * out), samples=inside_one, numpy=np.tan, inplace=True,
                doc="The tangent of each element, in radians.")
asin = operation(np.arcsin, vjps=lambda g, out, x: g / np.sqrt(1 - x * x), samples=inside_one, names="asin arcsin",
                 numpy=np.arcsin, inplace=True,
                 doc="The angle between -π/2 and π/2 whose sine is x, elementwise; NaN outside [-1, 1].")
acos = operation(np.arccos, vjps=lambda g, out, x: -g / np.sqrt(1 - x * x), samples=inside_one, names="acos arccos",
                 numpy=np.arccos, inplace=True,
                 doc="The angle between 0 and π whose cosine is x, elementwise; NaN outside [-1, 1].")
atan = operation(np.arctan, vjps=lambda g, out, x: g / (1 + x * x), samples=numbers, names="atan arctan",
                 numpy=np.arctan, inplace=True, doc="The angle between -π/2 and π/2 whose tangent is x, elementwise.")
sinh = operation(np.sinh, vjps=lambda g, out, x: g * single.cosh(x), samples=numbers, numpy=np.sinh, inplace=True,
                 doc="The hyperbolic sine: (exp(x) - exp(-x)) / 2, elementwise.")
cosh = operation(np.cosh, vjps=lambda g, out, x: g * single.sinh(x), samples=numbers, numpy=np.cosh, inplace=True,
                 doc="The hyperbolic cosine: (exp(x) + exp(-x)) / 2, elementwise.")
tanh = operation(np.tanh, vjps=lambda g, out, x: g * (1 - out * out), samples=numbers, numpy=np.tanh, inplace=True,
                 doc="The hyperbolic tangent, elementwise: between -1 and 1.",
                 notation=Notation("tanh", "tanh {x}", ("1 - {out}²",),
                                   flat=("saturated", lambda out: np.abs(out) > 0.99)))
asinh = operation(np.arcsinh, vjps=lambda g, out, x: g / np.sqrt(1 + x * x), samples=numbers, names="asinh arcsinh",
                  numpy=np.arcsinh, inplace=True, doc="The inverse of sinh, elementwise.")
acosh = operation(np.arccosh, vjps=lambda g, out, x: g / np.sqrt(x * x - 1), names="acosh arccosh",
                  samples=lambda draw: call(draw.array(low=1.25, high=3)), numpy=np.arccosh, inplace=True,
                  doc="The inverse of cosh, elementwise; NaN below 1.")
atanh = operation(np.arctanh, vjps=lambda g, out, x: g / (1 - x * x), samples=inside_one, names="atanh arctanh",
                  numpy=np.arctanh, inplace=True, doc="The inverse of tanh, elementwise; NaN outside [-1, 1].")


def _apart_from_zero(draw):
    x, y = draw.broadcastable(2)
    return call(x, np.asarray(y + 2.25))


def _ordinary(a):
    """Whether `a` is an array of many positive numbers, far from 0 and from infinity."""
    return type(a) is np.ndarray and a.size > MANY and a.min() > 1e-30 and a.max() < np.inf


def _over_square_of_length(x, y):
    """x / (x² + y²), and 0 at the origin and infinitely far from it."""
    if type(x) is np.ndarray and x.size > MANY:
        with np.errstate(over="ignore"):
            square = x * x + y * y
        if _ordinary(square):
            return x / square
    length = np.hypot(x, y)
    there = (length != 0) & (length != np.inf)
    length = np.where(there, length, 1)
    return only(x / length / length, there)


atan2 = operation(
    np.arctan2, names="atan2 arctan2", samples=_apart_from_zero, numpy=np.arctan2, inplace=True,
    vjps=(lambda g, out, y, x: times(g, _over_square_of_length(x, y)),
          lambda g, out, y, x: times(-g, _over_square_of_length(y, x))),
    doc="The angle of the point (y, x), second coordinate first; its derivatives at the origin are 0.")


def _over_length(x, y, length):
    """x / √(x² + y²): 0 at the origin, and the limit where one of the two is infinite."""
    if _ordinary(length):
        return x / length
    far = np.isinf(x) & ~np.isinf(y)
    return only(np.where(far, np.sign(x), x / np.where((length == 0) | far, 1, length)), length != 0)


def _hypot(input, other):
    if all(type(x) is np.ndarray and x.size > MANY and x.dtype.kind == "f" for x in (input, other)):
        with np.errstate(over="ignore", under="ignore"):
            squares = input * input + other * other
        if squares.min() > np.finfo(squares.dtype).tiny * 1e9 and squares.max() < np.inf:
            return np.sqrt(squares)  # NumPy's loop, which is right everywhere, is not vectorized
    return np.hypot(input, other)


hypot = operation(
    _hypot, names="hypot", vjps=(lambda g, out, x, y: times(g, _over_length(x, y, out)),
                    lambda g, out, x, y: times(g, _over_length(y, x, out))),
    samples=_apart_from_zero, numpy=np.hypot, inplace=True,
    doc="√(x² + y²), without overflow; its derivatives at 0 are 0.")


def _sinc_slope(x):
    """The derivative of sinc; near 0, where (cos πx - sinc x) / x cancels, the first terms of its series."""
    near, square = np.abs(x) < 0.1, (math.pi * x) ** 2
    series = -math.pi ** 2 / 3 * x * (1 - square / 10 * (1 - square / 28 * (1 - square / 54 * (1 - square / 88))))
    return np.where(near, series, (np.cos(math.pi * x) - np.sinc(x)) / np.where(near, 1, x))


sinc = operation(np.sinc, vjps=lambda g, out, x: g * _sinc_slope(x), samples=numbers, names="sinc", numpy=np.sinc,
                 inplace=True, doc="sin(πx) / (πx), and 1 at 0.")


@operation(numpy=(np.deg2rad, np.radians), samples=numbers, inplace=True)
def deg2rad(x: TensorLike) -> Tensor:
    """Radians from degrees."""
    return x * (math.pi / 180)


@operation(numpy=(np.rad2deg, np.degrees), samples=numbers, inplace=True)
def rad2deg(x: TensorLike) -> Tensor:
    """Degrees from radians."""
    return x * (180 / math.pi)


# Kinks. The gradient of relu and of abs at 0 is 0; equal arguments of maximum and minimum share it, of fmax and fmin
# the first has it; clamp lets it through at its bounds. Where x is nan, relu, maximum and minimum let it through.

relu = operation(
    lambda x: above(x, x.dtype.type(0)),
    vjps=lambda g, out, x: only(g, out != 0),
    samples=nonzero, names="relu", inplace=True, doc="max(x, 0)",
    notation=Notation("relu", "max(0, {x})", ("1 if {x} > 0 else 0",), flat=("zero", lambda out: out == 0),
                      kink=(lambda x: x == 0, "at 0 the derivative is taken as 0")))

abs = operation(
    operator.abs, vjps=lambda g, out, x: times(g, np.sign(x)),
    samples=nonzero, names="abs absolute", operators="__abs__", numpy=np.absolute, inplace=True, doc="|x|",
    notation=Notation("|{x}|", "|{x}|", ("the sign of {x}",),
                      kink=(lambda x: x == 0, "at 0 the derivative is taken as 0")))


_tie = (operator.eq, "a tie: both have half of the gradient")


def _share(g, loses, ties):
    return only(np.where(ties, g / 2, g) if ties.any() else g, ~loses)


maximum = operation(
    np.maximum, vjps=(lambda g, out, x, y: _share(g, x < y, x == y), lambda g, out, x, y: _share(g, y < x, x == y)),
    samples=distinct_pair, numpy=np.maximum, doc="The larger of x and y; nan if either is.",
    notation=Notation("max", "max({x}, {y})", ("1 if {x} > {y} else 1/2 if {x} == {y} else 0",
                                               "1 if {y} > {x} else 1/2 if {x} == {y} else 0"),
                      ("max {c}", "max {c}"), kink=_tie))

minimum = operation(
    np.minimum, vjps=(lambda g, out, x, y: _share(g, x > y, x == y), lambda g, out, x, y: _share(g, y > x, x == y)),
    samples=distinct_pair, numpy=np.minimum, doc="The smaller of x and y; nan if either is.",
    notation=Notation("min", "min({x}, {y})", ("1 if {x} < {y} else 1/2 if {x} == {y} else 0",
                                               "1 if {y} < {x} else 1/2 if {x} == {y} else 0"),
                      ("min {c}", "min {c}"), kink=_tie))

fmax = operation(
    np.fmax, vjps=(lambda g, out, x, y: only(g, (x >= y) | np.isnan(y)),
                   lambda g, out, x, y: only(g, ~((x >= y) | np.isnan(y)))),
    samples=distinct_pair, numpy=np.fmax, doc="The larger of x and y; if one is nan, the other.")

fmin = operation(
    np.fmin, vjps=(lambda g, out, x, y: only(g, (x <= y) | np.isnan(y)),
                   lambda g, out, x, y: only(g, ~((x <= y) | np.isnan(y)))),
    samples=distinct_pair, numpy=np.fmin, doc="The smaller of x and y; if one is nan, the other.")


def _clamp_samples(draw):
    bounds = draw.choice([(-0.75, 0.75), (None, 0.75), (-0.75, None), (np.array(-0.75), np.array([0.75]))])
    return call(draw.array(away_from=(-0.75, 0.75)), *bounds)


def _within(x, min, max):
    if min is None or max is None:
        return x <= max if min is None else x >= min
    return (x >= min) & (x <= max)


@operation(vjps=(lambda g, out, x, min, max: only(g, _within(x, min, max)),
                 lambda g, out, x, min, max: only(g, (x < min) if max is None else (x < min) & (min < max)),
                 lambda g, out, x, min, max: only(g, (x > max) if min is None else (x > max) | (max < min))),
           names="clamp clip", samples=_clamp_samples, inplace=True,
           numpy={np.clip: lambda a, a_min=None, a_max=None, *, min=None, max=None: clamp(
               a, min if a_min is None else a_min, max if a_max is None else a_max)})
def clamp(x, min=None, max=None):
    """x, but at least `min` and at most `max`: numbers, Tensors or None; `max` where min > max."""
    if min is None and max is None:
        raise ValueError("it needs min, max or both")
    return np.clip(x, min, max)


@operation(samples=lambda draw: call(draw.array(away_from=(0.5,)), 0.5), inplace=True)
def clamp_min(x: TensorLike, min: TensorLike) -> Tensor:
    """x, but at least `min`."""
    return clamp(x, min)


@operation(samples=lambda draw: call(draw.array(away_from=(0.5,)), 0.5), inplace=True)
def clamp_max(x: TensorLike, max: TensorLike) -> Tensor:
    """x, but at most `max`."""
    return clamp(x, None, max)


# Steps: their derivative is 0 everywhere.

sign = operation(lambda x: x if x.dtype == bool_ else np.sign(x), vjps=_flat, samples=nonzero, names="sign sgn",
                 numpy=np.sign, inplace=True, doc="-1, 0 or 1: the sign of each element.")
floor = operation(np.floor, vjps=_flat, samples=_between_integers, numpy=np.floor, inplace=True,
                  doc="The largest whole number not above each element. The derivative is 0.")
ceil = operation(np.ceil, vjps=_flat, samples=_between_integers, numpy=np.ceil, inplace=True,
                 doc="The smallest whole number not below each element. The derivative is 0.")
trunc = operation(np.trunc, vjps=_flat, samples=_between_integers, names="trunc fix", numpy=(np.trunc, np.fix),
                  inplace=True, doc="Each element without its fraction: towards 0. The derivative is 0.")


@operation(vjps=_flat, numpy=(np.round, np.around), inplace=True, samples=lambda draw: call(
    draw.array(away_from=(-1.5, -0.5, 0.5, 1.5)), decimals=draw.integer(-1, 0)))
def round(x, *, decimals: int = 0):
    """The nearest integer, or multiple of 10**-decimals; halves go to the even one."""
    return np.rint(x) if decimals == 0 and x.dtype.kind == "f" else np.round(x, decimals)


@operation(samples=_between_integers, inplace=True)
def frac(x: TensorLike) -> Tensor:
    """The fractional part of x, with the sign of x."""
    return x - trunc(x)


# Signs, sizes and whole numbers

copysign = operation(
    np.copysign, vjps=(lambda g, out, x, y: times(g, np.sign(x) * np.sign(out)), _flat_in_both), numpy=np.copysign,
    inplace=True, samples=lambda draw: call(*draw.broadcastable(2, away_from=(0,))),
    doc="The size of x with the sign of y.")
nextafter = operation(np.nextafter, vjps=(lambda g, out, x, y: g, _flat_in_both), numpy=np.nextafter, inplace=True,
                      doc="The number next to x in the direction of y.")
heaviside = operation(np.heaviside, vjps=(_flat_in_both, _flat_in_both), numpy=np.heaviside, inplace=True,
                      doc="0 below zero, 1 above, and at zero the second argument.")
gcd = operation(np.gcd, vjps=(None, None), numpy=np.gcd, inplace=True, doc="The greatest common divisor of integers.")
lcm = operation(np.lcm, vjps=(None, None), numpy=np.lcm, inplace=True, doc="The least common multiple of integers.")


@operation(inplace=True, samples=pair)
def ldexp(x: TensorLike, other: TensorLike) -> Tensor:
    """x 2ʸ, y being the other argument."""
    return x * exp2(other)


def _of_mantissa(g, out, x):
    return g[0] * np.exp2(-np.asarray(out[1]).astype(g[0].dtype))


frexp = operation(
    np.frexp, vjps=_of_mantissa, outputs="mantissa exponent", names="frexp", numpy=np.frexp,
    samples=lambda draw: call(draw.array(away_from=(-2, -1, -0.5, 0, 0.5, 1, 2))),
    doc="(mantissa, exponent): each element is mantissa · 2 to the power of exponent, the mantissa of size 0.5 to 1.")


@operation(inplace=True)
def float_power(x: TensorLike, exponent: TensorLike) -> Tensor:
    """x to a power, in float64."""
    def wide(a):
        return a.to(float64) if isinstance(a, Tensor) else np.asarray(a, np.float64)
    return pow(wide(x), wide(exponent))


@operation(samples=pair)
def rsub(x: TensorLike, other: TensorLike, alpha: float = 1) -> Tensor:
    """other - alpha x."""
    return sub(other, x, alpha)


# Selection

@operation(vjps=(None, lambda g, out, condition, x, y: only(g, condition),
                 lambda g, out, condition, x, y: only(g, np.logical_not(condition))), methods="",
           numpy={np.where: lambda condition, *values: (
               where(condition, *values) if values else condition.nonzero(as_tuple=True))},
           samples=lambda draw: call(draw.mask(like=(pair_ := draw.broadcastable(2))[0]), *pair_))
def where(condition, x, y):
    """x where the condition holds, y elsewhere."""
    return select(condition, x, y)


def _where(self: Tensor, condition: TensorLike, other: TensorLike) -> Tensor:
    """This tensor where the condition holds, `other` elsewhere."""
    return where(condition, self, other)


Tensor.where = _where



@operation(vjps=lambda g, out, x, nan, posinf, neginf: only(g, np.isfinite(x)), inplace=True, samples=numbers,
           numpy={np.nan_to_num: lambda x, copy=True, nan=0.0, posinf=None, neginf=None: nan_to_num(
               x, nan, posinf, neginf)})
def nan_to_num(x, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None):
    """nan as a number, infinities as the largest and smallest numbers (or what is given)."""
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
