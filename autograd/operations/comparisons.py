"""Comparisons and logic, which have no derivatives."""

import operator

import numpy as np

from autograd.dtypes import promoted
from autograd.table import operation
from autograd.typing import TensorLike


def _comparison(function, names, ufunc):
    return operation(function, vjps=(None, None), names=names, operators=f"__{function.__name__}__", numpy=ufunc,
                     inplace=True, doc=f"{ufunc.__name__.replace('_', ' ')}, elementwise")


eq = _comparison(operator.eq, "eq", np.equal)
ne = _comparison(operator.ne, "ne not_equal", np.not_equal)
lt = _comparison(operator.lt, "lt less", np.less)
le = _comparison(operator.le, "le less_equal", np.less_equal)
gt = _comparison(operator.gt, "gt greater", np.greater)
ge = _comparison(operator.ge, "ge greater_equal", np.greater_equal)


def _bitwise(function, name, letters, ufunc):
    def forward(input, other):
        if getattr(input, "dtype", None) != getattr(other, "dtype", None):
            dtype = promoted([input, other])
            input, other = np.asarray(input, dtype), np.asarray(other, dtype)
        return function(input, other)
    return operation(forward, vjps=(None, None), names=name, operators=f"__{letters}__ __r{letters}__", numpy=ufunc,
                     inplace=True, doc=f"{name.replace('_', ' ')}, elementwise")


bitwise_and = _bitwise(operator.and_, "bitwise_and", "and", np.bitwise_and)
bitwise_or = _bitwise(operator.or_, "bitwise_or", "or", np.bitwise_or)
bitwise_xor = _bitwise(operator.xor, "bitwise_xor", "xor", np.bitwise_xor)
bitwise_left_shift = _bitwise(operator.lshift, "bitwise_left_shift", "lshift", np.left_shift)
bitwise_right_shift = _bitwise(operator.rshift, "bitwise_right_shift", "rshift", np.right_shift)
bitwise_not = operation(operator.invert, vjps=(None,), names="bitwise_not", operators="__invert__", numpy=np.invert,
                        inplace=True, doc="~x, elementwise")

logical_and = operation(np.logical_and, vjps=(None, None), numpy=np.logical_and, inplace=True,
                        doc="Whether both are true (not 0), element by element.")
logical_or = operation(np.logical_or, vjps=(None, None), numpy=np.logical_or, inplace=True,
                       doc="Whether at least one is true (not 0), element by element.")
logical_xor = operation(np.logical_xor, vjps=(None, None), numpy=np.logical_xor, inplace=True,
                        doc="Whether exactly one is true (not 0), element by element.")
logical_not = operation(np.logical_not, vjps=(None,), numpy=np.logical_not, inplace=True,
                        doc="Whether each element is false (0).")

isnan = operation(np.isnan, vjps=(None,), numpy=np.isnan, doc="Whether each element is NaN.")
isinf = operation(np.isinf, vjps=(None,), numpy=np.isinf, doc="Whether each element is infinite, positive or negative.")
isfinite = operation(np.isfinite, vjps=(None,), numpy=np.isfinite,
                     doc="Whether each element is neither infinite nor NaN.")
isposinf = operation(lambda x: x == np.inf, vjps=(None,), names="isposinf", numpy=np.isposinf,
                     doc="Whether each element is positive infinity.")
isneginf = operation(lambda x: x == -np.inf, vjps=(None,), names="isneginf", numpy=np.isneginf,
                     doc="Whether each element is negative infinity.")
signbit = operation(np.signbit, vjps=(None,), numpy=np.signbit,
                    doc="Whether each element has a minus sign; −0.0 has one.")


@operation(vjps=(None, None), numpy=np.isclose)
def isclose(x, other, *, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False):
    """|x - other| <= atol + rtol |other|, elementwise."""
    return np.isclose(x, other, rtol, atol, equal_nan)


@operation(numpy=np.allclose)
def allclose(x: TensorLike, other: TensorLike, rtol: float = 1e-05, atol: float = 1e-08,
             equal_nan: bool = False) -> bool:
    """Whether isclose holds everywhere, as a bool."""
    return bool(isclose(x, other, rtol=rtol, atol=atol, equal_nan=equal_nan).all())


@operation(numpy=np.array_equal)
def equal(x: TensorLike, other: TensorLike) -> bool:
    """Whether two tensors have the same shape and elements, as a bool. Element by element it is `eq`."""
    return x.shape == other.shape and bool((x == other).all())
