"""Elementary functions of many numbers of float32 for which NumPy has no vectorized loop, made of those it has one for.

Each takes what its NumPy function takes, and leaves few numbers, other dtypes and what is no array to that one. An
operation that is declared with the NumPy function uses it for many numbers; a rule has to mention it. The text serves
both NumPy and compiled loops (`runtime/formulas.py`), to about four units in the last place. Unlike NumPy's, these
functions warn of nothing. Polynomials are those of S. L. Moshier's Cephes library, or least squares fits.
"""

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.dtypes import float32
from autograd.operation import OF_MANY
from autograd.operations.approximation import MANY, in_pieces, polynomial, select
from autograd.runtime.elementwise import as_loop
from autograd.runtime.formulas import APPROXIMATED, QUOTIENTS
from autograd.runtime.tracing import Symbol


def of_many(few: Callable, traced: Callable | None = None) -> Callable:
    """Let a function of arrays of float32 and numbers stand in for `few`, a ufunc or an operator, where they are many;
    of symbols, `traced`.
    """
    def declare(formula: Callable) -> Callable:
        @functools.wraps(formula)
        def function(*args: Any) -> Any:
            many = False
            for a in args:
                if type(a) is np.ndarray:
                    many = many or a.size > MANY
                elif isinstance(a, Symbol):
                    return (traced or few)(*args)
            if many and all(a.dtype is float32 if type(a) is np.ndarray else type(a) in (float, int, np.float32)
                            for a in args):
                return formula(*args)
            return few(*args)
        OF_MANY[few] = function
        return function
    return declare


def elementary(ufunc: np.ufunc) -> Callable:
    """Declare a formula, which is computed in pieces, or traced for a compiled loop that has no form for the ufunc."""
    def declare(formula: Callable) -> Callable:
        @of_many(ufunc, ufunc if ufunc in APPROXIMATED else formula)
        @functools.wraps(formula)
        def function(*args: Any) -> Any:
            with np.errstate(all="ignore"):
                return in_pieces(formula, *args)
        return function
    return declare


# Remainders. In float64 the quotient of two numbers of float32 is rounded to no whole number that it isn't, as long as
# that has 29 bits; its product with y has 53 then, so that nothing is rounded but the result.

def _by_quotient(few: Callable, ufunc: np.ufunc, bits: int, formula: Callable) -> Callable:
    """What computes a function of x, y and x / y in float64; for larger quotients and what is not finite, the ufunc."""
    def near(x, y):
        """NaN for these."""
        if isinstance(x, Symbol) or isinstance(y, Symbol):
            return (x if isinstance(x, Symbol) else y).recording.note(QUOTIENTS[ufunc], (x, y), None)
        with np.errstate(all="ignore"):
            return in_pieces(near_of_piece, x, y)

    def near_of_piece(x, y):
        wide, by = np.asarray(x, np.float64), np.asarray(y, np.float64)
        quotient = np.asarray(wide / by)
        limit, finite = 2.0 ** bits, np.isfinite(by)
        near = -limit < quotient.min(initial=0) and quotient.max(initial=0) < limit and finite.all()
        far = None if near else ~((np.abs(quotient) < limit) & finite)
        out = np.asarray(formula(wide, by, quotient), float32)
        if far is not None:
            out[far] = np.nan
        return out

    loop = as_loop(near)

    @of_many(few)
    def of_any(x, y):
        x, y = (a if type(a) is np.ndarray else float32.type(a) for a in (x, y))
        out = loop(x, y)
        far = np.isnan(out)
        if far.any():
            out[far] = ufunc(*[np.broadcast_to(a, out.shape)[far] for a in (x, y)])
        return out
    return of_any


def _rest(x, y, whole):
    """x - y whole, in the memory of `whole`: half the time of one more array each."""
    whole *= y
    return np.subtract(x, whole, whole)


fmod = _by_quotient(np.fmod, np.fmod, 29, lambda x, y, quotient: np.copysign(
    _rest(x, y, np.trunc(quotient, quotient)), x, quotient))
remainder = _by_quotient(operator.mod, np.remainder, 29, lambda x, y, quotient: np.copysign(
    _rest(x, y, np.floor(quotient, quotient)), y, quotient))
# NumPy divides what is left without the remainder, in float32, and rounds: to the same for up to 22 bits.
floor_divide = _by_quotient(operator.floordiv, np.floor_divide, 22, lambda x, y, quotient: np.floor(quotient))


# Exponentials and logarithms

@elementary(np.expm1)
def expm1(x):
    """exp(x) - 1; near 0, where that would cancel, by a polynomial."""
    near = np.clip(x, -0.5, 0.5)
    series = polynomial(near, (1.984109183e-4, 1.399732501e-3, 8.333635019e-3, 4.166531819e-2, 1.666666291e-1, 0.5))
    series *= near
    series *= near
    series += near
    return np.copysign(select(near == x, series, np.exp(x) - 1), x)


@elementary(np.log1p)
def log1p(x):
    """log(u) x / (u - 1) with u = 1 + x, which makes up for what u has lost; x itself where that is all (Kahan)."""
    u = 1 + x
    lost = u - 1
    return select((lost == 0) | (u == np.inf), x, np.log(u) * (x / lost))


# Hyperbolic functions

def _half_exp(size):
    """exp(size) / 2, which overflows where that does: what is subtracted is exact, and exp of it just above 2."""
    return np.exp(size - 89 / 128) * (math.exp(89 / 128) / 2)


@elementary(np.cosh)
def cosh(x):
    """NumPy's, right up to where it overflows."""
    half = _half_exp(np.abs(x))
    return half + 0.25 / half


@elementary(np.sinh)
def sinh(x):
    """NumPy's; near 0, where the difference would cancel, by a polynomial."""
    size = np.abs(x)
    half = _half_exp(size)
    near = np.minimum(size, 1)
    square = near * near
    near += near * square * polynomial(square, (2.03721912945e-4, 8.33028376239e-3, 1.66667160211e-1))
    return np.copysign(select(size < 1, near, half - 0.25 / half), x)


@elementary(np.arctanh)
def arctanh(x):
    """NumPy's, by log1p."""
    size = np.abs(x)
    return np.copysign(0.5 * log1p(2 * size / (1 - size)), x)


def _log_of_one_and(rest, x):
    """log(1 + rest); where x is large, log(2x), which is nearly the same and does not overflow."""
    large = x > 1e9
    return log1p(select(large, x, rest)) + select(large, math.log(2), 0 * x)


@elementary(np.arcsinh)
def arcsinh(x):
    """NumPy's, by log1p of what is left when x is small."""
    size = np.abs(x)
    square = size * size
    return np.copysign(_log_of_one_and(size + square / (1 + np.sqrt(1 + square)), size), x)


@elementary(np.arccosh)
def arccosh(x):
    """NumPy's, likewise."""
    above = x - 1
    return _log_of_one_and(above + np.sqrt(above) * np.sqrt(above + 2), x)


# Trigonometric functions

@elementary(np.tan)
def tan(x):
    """NumPy's, of its sine and cosine."""
    return np.sin(x) / np.cos(x)


def _near_arcsin(square, x):
    """arcsin(x) for 0 <= x <= 1/2, and its square."""
    return x + x * square * polynomial(square, (
        4.2163199048e-2, 2.4181311049e-2, 4.5470025998e-2, 7.4953002686e-2, 1.6666752422e-1))


def _half_angle(x):
    """Whether |x| > 1/2, and the arcsine: of |x|, or of the sine of half the angle between |x| and 1."""
    size = np.abs(x)
    far = size > 0.5
    square = select(far, (1 - size) * 0.5, x * x)
    return far, _near_arcsin(square, select(far, np.sqrt(square), size))


@elementary(np.arcsin)
def arcsin(x):
    """NumPy's; beyond 1/2 by half the angle."""
    far, angle = _half_angle(x)
    return np.copysign(select(far, math.pi / 2 - 2 * angle, angle), x)


@elementary(np.arccos)
def arccos(x):
    """NumPy's, likewise."""
    far, angle = _half_angle(x)
    double = 2 * angle
    return select(far, select(x > 0, double, math.pi - double), math.pi / 2 - np.copysign(angle, x))


def _angle(tangent):
    """arctan(tangent) for 0 <= tangent <= 1."""
    square = tangent * tangent
    return tangent + tangent * square * polynomial(square, (
        2.849492377e-3, -1.6067051e-2, 4.268897611e-2, -7.504081518e-2, 1.064083548e-1, -1.420361985e-1,
        1.999261641e-1, -3.333307321e-1))


@elementary(np.arctan)
def arctan(x):
    """NumPy's; beyond 1 by the reciprocal."""
    size = np.abs(x)
    angle = _angle(np.minimum(size, 1 / size))
    return np.copysign(select(size > 1, math.pi / 2 - angle, angle), x)


@elementary(np.arctan2)
def arctan2(y, x):
    """NumPy's, signs of zeros and infinities included."""
    up, along = np.abs(y), np.abs(x)
    most = np.maximum(up, along)
    even = select(up == along, np.sign(up), np.minimum(up, along) / most)  # 0 / 0 is 0, and inf / inf 1
    angle = _angle(even)
    angle = select(up > along, math.pi / 2 - angle, angle)
    return np.copysign(select(np.copysign(1, x) < 0, math.pi - angle, angle), y)
