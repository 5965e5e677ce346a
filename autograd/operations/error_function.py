"""Error functions: erf, erfc, erfcx, their inverses, and the normal distribution.

Rational approximations by W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
Computation 23 (1969) 631-637: three intervals of |x|, with a relative error of a few units in the last place
everywhere, the far tail of erfc included.
"""

import math

import numpy as np

from autograd.operations.approximation import approximation, piecewise, polynomial
from autograd.operations.pointwise import only, select
from autograd.samples import call, inside_one, numbers
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike

_NEAR, _FAR = 0.46875, 4.0  # where one approximation gives way to the next

_A = (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
      3.20937758913846947e3)
_B = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_C = (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
      2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
      1.23033935479799725e3)
_D = (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
      3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3)
_P = (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
      1.60837851487422766e-2, 6.58749161529837803e-4)
_Q = (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
      2.33520497626869185e-3)


def _erf_near(x):
    """erf(x) for |x| <= 0.46875."""
    square = x * x
    return x * polynomial(square, _A) / polynomial(square, _B)


def _scaled_middle(y):
    return polynomial(y, _C) / polynomial(y, _D)


def _scaled_far(y):
    inverse = 1 / (y * y)
    return (1 / math.sqrt(math.pi) - inverse * polynomial(inverse, _P) / polynomial(inverse, _Q)) / y


def _scaled(y):
    """exp(y²) erfc(y) for y > 0.46875."""
    return piecewise(y, (y <= _FAR, _scaled_middle), (~(y <= _FAR), _scaled_far))


def _gaussian(y):
    """exp(-y²), with the square split in two: exp would magnify its rounding error by y²."""
    y = np.minimum(y, 40)  # beyond, the result is 0, and inf - inf would be nan
    coarse = np.trunc(16 * y) / 16
    return np.exp(-coarse * coarse) * np.exp(-(y - coarse) * (y + coarse))


def _by_size(x, near, far):
    """near(x) for |x| <= 0.46875, far(x) beyond (and for nan)."""
    small = np.abs(x) <= _NEAR
    return piecewise(x, (small, near), (~small, far))


def _tail(x):
    """erfc(|x|) for |x| > 0.46875."""
    y = np.abs(x)
    return _gaussian(y) * _scaled(y)


# For float32, where elements needn't be sorted into intervals: x U(x²)/V(x²), a least squares fit to 2e-9 for |x| < 4.
_U = (-1.320226366e-08, 4.684785871e-06, 3.796089821e-04, 3.849604611e-03, 5.431689355e-02, 1.852030317e-01,
      1.128379169e+00)
_V = (6.311065411e-05, 1.307568592e-03, 1.546207652e-02, 1.139583441e-01, 4.974653273e-01, 1.0)


def _erf_single(x):
    near = np.clip(x, -4, 4)
    square = near * near
    out = polynomial(square, _U)
    out /= polynomial(square, _V)
    out *= near
    out = select(np.abs(x) >= 4, 1.0, out)  # half a unit in the last place below 1
    return np.copysign(out, x)


def _erf(x):
    if x.dtype == np.float32:
        return _erf_single(x)
    return _by_size(x, _erf_near, lambda x: np.copysign(1 - _tail(x), x))


# Likewise exp(y²) erfc(y) (1 + 2 y) by powers of (y - 2) / (y + 2), to 5e-8.
_SCALED = (1.554763894e-4, -1.836171184e-4, -1.382765167e-3, 1.043056326e-3, 8.67825877e-3, -7.942651969e-3,
           -5.420826678e-2, 1.640358193e-1, -1.660315219e-1, -9.276308051e-2, 1.276978399)


def _erfc_single(x):
    y = np.minimum(np.abs(x), 40)  # beyond, it is 0 or 2
    tail = _gaussian(y) * polynomial((y - 2) / (y + 2), _SCALED) / (1 + 2 * y)
    return select(x < 0, 2 - tail, tail)


def _erfc(x):
    if x.dtype == np.float32:
        return _erfc_single(x)
    return _by_size(x, lambda x: 1 - _erf_near(x), lambda x: np.where(x < 0, 2 - _tail(x), _tail(x)))


erf = operation(
    approximation(_erf), vjps=lambda g, out, x: g * (2 / math.sqrt(math.pi) * np.exp(-x * x)),
    samples=numbers, names="erf", inplace=True,
    doc="The error function: 2/√π times the integral of exp(-t²) from 0 to x.")

erfc = operation(
    approximation(_erfc), vjps=lambda g, out, x: g * (-2 / math.sqrt(math.pi) * np.exp(-x * x)),
    samples=numbers, names="erfc", inplace=True, doc="1 - erf(x), without cancellation for large x.")

_erfcx = operation(
    approximation(lambda x: _by_size(x, lambda x: np.exp(x * x) * (1 - _erf_near(x)), lambda x: np.where(
        x < 0, 2 / _gaussian(np.abs(x)) - _scaled(np.abs(x)), _scaled(np.abs(x))))),
    vjps=lambda g, out, x: g * only(2 * x * out - 2 / math.sqrt(math.pi), out != 0),  # which is its limit, at inf
    samples=lambda draw: call(draw.array(high=8)), names="_erfcx",
    doc="exp(x²) erfc(x), which neither underflows nor overflows for positive x.")


# Inverses

# For float32, with w = -log(1 - p²): the result over p by powers of w - 5/2 for w < 5, and over √w by those of 1/√w up
# to w = 104; least squares fits to 7e-8.
_CENTRE = (-8.79146094e-9, 2.323291798e-8, 4.661762637e-7, -3.46270804e-6, -4.963373532e-6, 2.183444516e-4,
           -1.252741835e-3, -4.177386795e-3, 2.466402861e-1, 1.501409359)
_TAIL = (6.152823364, -14.58522966, 14.50666068, -8.69044728, 3.895522313, -1.120778398, -3.345539546e-2, 1.000456595)


def _inverse_single(p, q):
    w = -np.log(q * (1 + p))
    root = np.sqrt(w)
    return select(w < 5, p * polynomial(w - 2.5, _CENTRE), root * polynomial(1 / root, _TAIL))


def _inverse(p, q):
    """The y with erf(y) = p and erfc(y) = q, for q = 1 - p <= 1.

    By Newton's method on log erfc in the tail, by Halley's on erf elsewhere, from a guess within 1 % (S. Winitzki, "A
    handy approximation for the error function", 2008).
    """
    if p.dtype == np.float32:
        return _inverse_single(p, q)
    logarithm = np.log(q * (1 + p))
    b = 2 / (math.pi * 0.147) + logarithm / 2
    y = np.sqrt(np.maximum(np.sqrt(b * b - logarithm / 0.147) - b, 0))
    for _ in range(4):
        scaled = _scaled(y)
        by_tail = y + (np.log(scaled) - y * y - np.log(q)) * scaled * (math.sqrt(math.pi) / 2)
        step = (_erf(y) - p) * (math.sqrt(math.pi) / 2) / _gaussian(y)
        y = np.where(q < 0.5, by_tail, y - step / (1 + y * step))
    return np.where(q == 0, np.inf, y)


@operation(vjps=lambda g, out, x: g * (math.sqrt(math.pi) / 2 * np.exp(out * out)), samples=inside_one, inplace=True)
@approximation
def erfinv(x):
    """The inverse of erf: -inf at -1, inf at 1, nan beyond."""
    p = np.abs(x)
    return np.copysign(_inverse(p, 1 - p), x)


# The normal distribution

@approximation
def _normal_quantile(p):
    tail = np.minimum(p, 1 - p)
    return np.copysign(math.sqrt(2) * _inverse(1 - 2 * tail, 2 * tail), p - 0.5)


_ndtri = operation(
    _normal_quantile, vjps=lambda g, out, x: g * (math.sqrt(2 * math.pi) * np.exp(out * out / 2)), names="_ndtri",
    samples=lambda draw: call(draw.array(low=0.0625, high=0.9375)),
    doc="The quantile function of the normal distribution.")


@operation(names="_ndtr", samples=numbers)
def _ndtr(x: TensorLike) -> Tensor:
    """The normal distribution function: the integral of exp(-t²/2)/√(2π) from -∞ to x."""
    return erfc(x * -math.sqrt(0.5)) * 0.5


@approximation
def _log_normal_distribution(x):
    return piecewise(x, (x < -1, lambda x: np.log(_scaled(-x * math.sqrt(0.5)) / 2) - x * x / 2),
                     (~(x < -1), lambda x: np.log1p(-_erfc(x * math.sqrt(0.5)) / 2)))


_log_ndtr = operation(
    _log_normal_distribution, vjps=lambda g, out, x: g * math.sqrt(2 / math.pi) * np.where(
        x > 4, np.exp(-0.5 * x * x - out) / 2, 1 / _erfcx(np.minimum(x, 5) * -math.sqrt(0.5))),  # which overflows at 38
    samples=lambda draw: call(draw.array(low=-4)), names="_log_ndtr", doc="log(ndtr(x)), right in the far tail too.")
