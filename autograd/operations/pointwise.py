"""Element by element, with broadcasting."""

import operator

import numpy as np

from autograd.samples import call, distinct_pair, nonzero, numbers, pair, positive
from autograd.table import operation
from autograd.tensor import Tensor

# Arithmetic. Python's operators are the forward functions: on NumPy's scalars they are ten times as fast as ufuncs.

add = operation(
    operator.add, vjps=(lambda g, out, x, y: g, lambda g, out, x, y: g),
    samples=pair, names="add", operators="__add__ __radd__", numpy=np.add, inplace=True, doc="x + y")

sub = operation(
    operator.sub, vjps=(lambda g, out, x, y: g, lambda g, out, x, y: -g),
    samples=pair, names="sub subtract", operators="__sub__ __rsub__", numpy=np.subtract, inplace=True, doc="x - y")

mul = operation(
    operator.mul, vjps=(lambda g, out, x, y: g * y, lambda g, out, x, y: g * x),
    samples=pair, names="mul multiply", operators="__mul__ __rmul__", numpy=np.multiply, inplace=True, doc="x * y")

div = operation(
    operator.truediv, vjps=(lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y),
    samples=lambda draw: call(*draw.broadcastable(2, away_from=(0,))),
    names="div divide true_divide", operators="__truediv__ __rtruediv__", numpy=np.divide, inplace=True, doc="x / y")

neg = operation(
    operator.neg, vjps=lambda g, out, x: -g,
    samples=numbers, names="neg negative", operators="__neg__", numpy=np.negative, inplace=True, doc="-x")


def _power_vjp_base(g, out, x, y):
    return g * np.where(y == 0, 0, y * x ** np.where(y == 0, 1, y - 1))


def _power_vjp_exponent(g, out, x, y):
    return g * out * np.log(np.where((x == 0) & (y >= 0), 1, x))  # 0 ** y is flat in y


_power = operation(
    operator.pow, vjps=(_power_vjp_base, _power_vjp_exponent), names="_power",
    samples=lambda draw: call(*draw.broadcastable(2, low=0.25)))

_power_of_number = operation(
    lambda x, *, exponent: x ** exponent, names="_power_of_number",
    vjps=lambda g, out, x, exponent: g * (exponent * x ** (exponent - 1)) if exponent else g * 0,
    samples=lambda draw: call(draw.array(low=0.25), exponent=draw.choice([2, 0, 1, 3, -1, 0.5])))


@operation(names="pow", operators="__pow__ __rpow__", numpy=np.power, inplace=True)
def pow(x, exponent):
    """x ** exponent. The derivative in the exponent is log(x) x ** exponent, and 0 where x = 0."""
    if isinstance(exponent, np.generic):
        exponent = exponent.item()
    if isinstance(x, Tensor) and isinstance(exponent, (int, float)) and (x.dtype.kind == "f" or type(exponent) is int):
        return _power_of_number(x, exponent=exponent)
    return _power(x, exponent)


# Exponential and trigonometric functions

exp = operation(np.exp, vjps=lambda g, out, x: g * out, samples=numbers, numpy=np.exp, inplace=True)
log = operation(np.log, vjps=lambda g, out, x: g / x, samples=positive, numpy=np.log, inplace=True)
sqrt = operation(np.sqrt, vjps=lambda g, out, x: g / (2 * out), samples=positive, numpy=np.sqrt, inplace=True)
sin = operation(np.sin, vjps=lambda g, out, x: g * np.cos(x), samples=numbers, numpy=np.sin, inplace=True)
cos = operation(np.cos, vjps=lambda g, out, x: -g * np.sin(x), samples=numbers, numpy=np.cos, inplace=True)
tanh = operation(np.tanh, vjps=lambda g, out, x: g * (1 - out * out), samples=numbers, numpy=np.tanh, inplace=True)

sigmoid = operation(
    lambda x: 0.5 * np.tanh(0.5 * x) + 0.5,  # cheaper than an exponential, and it cannot overflow
    vjps=lambda g, out, x: g * out * (1 - out), samples=numbers, names="sigmoid", inplace=True, doc="1 / (1 + exp(-x))")


# Kinks: the gradient of relu at 0 and of abs at 0 is 0; equal arguments of maximum share it.

relu = operation(
    lambda x: np.maximum(x, np.zeros_like(x)),  # an array of zeros: NumPy's loop with a number is not vectorised
    vjps=lambda g, out, x: g * (out > 0),
    samples=nonzero, names="relu", inplace=True, doc="max(x, 0)")

abs = operation(
    operator.abs, vjps=lambda g, out, x: g * np.sign(x),
    samples=nonzero, names="abs absolute", operators="__abs__", numpy=np.absolute, inplace=True, doc="|x|")

sign = operation(np.sign, vjps=lambda g, out, x: g * 0, samples=nonzero, numpy=np.sign, inplace=True)


def _share(g, wins, ties):
    return g * wins + 0.5 * g * ties


maximum = operation(
    np.maximum, vjps=(lambda g, out, x, y: _share(g, x > y, x == y), lambda g, out, x, y: _share(g, y > x, x == y)),
    samples=distinct_pair, numpy=np.maximum)

minimum = operation(
    np.minimum, vjps=(lambda g, out, x, y: _share(g, x < y, x == y), lambda g, out, x, y: _share(g, y < x, x == y)),
    samples=distinct_pair, numpy=np.minimum)

where = operation(
    np.where, vjps=(None, lambda g, out, condition, x, y: np.where(condition, g, 0),
                    lambda g, out, condition, x, y: np.where(condition, 0, g)),
    samples=lambda draw: call(draw.mask(like=(pair_ := draw.broadcastable(2))[0]), *pair_),
    methods="", numpy=np.where)


# Comparisons and logic have no derivative.

def _comparison(function, names, operators):
    return operation(function, vjps=(None, None), names=names, operators=operators,
                     numpy=getattr(np, names.split()[-1]), doc=f"x {function.__name__} y, elementwise")


eq = _comparison(operator.eq, "eq equal", "__eq__")
ne = _comparison(operator.ne, "ne not_equal", "__ne__")
lt = _comparison(operator.lt, "lt less", "__lt__")
le = _comparison(operator.le, "le less_equal", "__le__")
gt = _comparison(operator.gt, "gt greater", "__gt__")
ge = _comparison(operator.ge, "ge greater_equal", "__ge__")
bitwise_and = operation(operator.and_, vjps=(None, None), names="bitwise_and", operators="__and__ __rand__",
                        numpy=np.bitwise_and, doc="x & y, elementwise")
bitwise_or = operation(operator.or_, vjps=(None, None), names="bitwise_or", operators="__or__ __ror__",
                       numpy=np.bitwise_or, doc="x | y, elementwise")
bitwise_not = operation(operator.invert, vjps=(None,), names="bitwise_not", operators="__invert__", numpy=np.invert,
                        doc="~x, elementwise")
logical_and = operation(np.logical_and, vjps=(None, None), numpy=np.logical_and)
logical_or = operation(np.logical_or, vjps=(None, None), numpy=np.logical_or)
logical_not = operation(np.logical_not, vjps=(None,), numpy=np.logical_not)
isnan = operation(np.isnan, vjps=(None,), numpy=np.isnan)
isfinite = operation(np.isfinite, vjps=(None,), numpy=np.isfinite)


# Type

@operation(vjps=lambda g, out, x, dtype: g.astype(x.dtype), names="to", methods="to astype",
           samples=lambda draw: call(draw.array(), dtype=np.dtype(np.float64)))
def to(x, *, dtype):
    """x with elements of another dtype."""
    return x.astype(dtype)
