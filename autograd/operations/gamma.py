"""The logarithm of the gamma function and its derivatives: lgamma, digamma, polygamma.

Below 8, the recurrence Γ(x + 1) = x Γ(x) leads into an interval in which a Taylor series converges fast; its
coefficients are values of Hurwitz's zeta function. Above, Stirling's series; negative arguments by reflection.
(NIST Digital Library of Mathematical Functions, 5.5, 5.7, 5.11, 5.15, 25.11.)
"""

import functools
import math

import numpy as np

from autograd.operations.approximation import approximation, piecewise, polynomial
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike

_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
"""B₂, B₄, …"""
_EULER = 0.5772156649015329
_ROOT = 1.4616321449683622, 9.549995429965697e-17  # where digamma is 0: a float64 and what it lacks
_STIRLING_FROM = 8


def hurwitz(s, q):
    """ζ(s, q) = Σ 1/(q + k)^s for s > 1 and q > 0, by Euler and Maclaurin's formula."""
    head, q = np.sum([(q + k) ** -s for k in range(10)], axis=0), q + 10.0
    power = q ** -s
    total = head + power * q / (s - 1) + power / 2
    factor = s * power / q  # s (s + 1) … (s + 2j - 2) / q^(s + 2j - 1)
    for j, bernoulli in enumerate(_BERNOULLI, 1):
        total = total + bernoulli / math.factorial(2 * j) * factor
        factor = factor * (s + 2 * j - 1) * (s + 2 * j) / (q * q)
    return np.where(np.isinf(q), 0, np.where(power == 0, head, total))


def _near_integer(y):
    """y - round(y), which is exact."""
    return np.where(np.isinf(y), 0, y - np.round(y))


# log |Γ|

@functools.cache
def _series_at_two():
    """log Γ(2 + z) / z by powers of z, highest first."""
    return [*((-1) ** k * float(hurwitz(float(k), 2.0)) / k for k in range(28, 1, -1)), 1 - _EULER]


def log_gamma_of_one_and(a):
    """log Γ(1 + a) for 0 <= a <= 1, an array of float64, with all digits for small a."""
    return np.where(a < 0.5, a * polynomial(a, _series_at_two()) - np.log1p(a), _lgamma(1 + a))


def _lgamma_below(x):
    """log Γ(x) for 0 < x < 8."""
    steps = np.floor(x + 0.5) - 2
    z = x - (steps + 2)  # within [-1/2, 1/2), and exact
    product = np.where(steps > 0, 1, np.where(steps == -2, x * (x + 1), x))
    for i in range(1, _STIRLING_FROM - 1):
        product = np.where(steps >= i, product * (x - i), product)
    logarithm = np.log(product)
    return z * polynomial(z, _series_at_two()) + np.where(steps > 0, logarithm, np.where(steps < 0, -logarithm, 0))


def _lgamma_above(x):
    inverse = 1 / x
    series = [b / (2 * j * (2 * j - 1)) for j, b in enumerate(_BERNOULLI, 1)][::-1]
    tail = (math.log(2 * math.pi) - 1) / 2 + inverse * polynomial(inverse * inverse, series)
    return np.where(np.isinf(x), np.inf, (x - 0.5) * (np.log(x) - 1) + tail)


@approximation
def _lgamma(x):
    y = np.abs(x)
    below = y < _STIRLING_FROM
    positive = piecewise(y, (below, _lgamma_below), (~below, _lgamma_above))
    reflected = math.log(math.pi) - np.log(y) - np.log(np.abs(np.sin(math.pi * _near_integer(y)))) - positive
    return np.where((x < 0) & np.isfinite(x), reflected, positive)


def _positive_or_between_poles(draw):
    return call(draw.array(low=-1.75, high=4, away_from=(0, -1)))


lgamma = operation(
    _lgamma, vjps=lambda g, out, x: g * digamma(x), samples=_positive_or_between_poles, names="lgamma", inplace=True,
    doc="log |Γ(x)|; inf at 0 and the negative integers.")


# Its derivatives

@functools.cache
def _series_at_root():
    """digamma(root + d) / d by powers of d, highest first."""
    return [(-1) ** (k + 1) * float(hurwitz(k + 1.0, _ROOT[0])) for k in range(45, 0, -1)]


def _digamma_below(x):
    """For 0 < x < 8: the recurrence leads into [1, 2)."""
    steps = np.floor(x) - 1
    total = np.where(steps < 0, -1 / x, 0)
    for i in range(1, _STIRLING_FROM - 1):
        total = np.where(steps >= i, total + 1 / (x - i), total)
    d = (x - steps - _ROOT[0]) - _ROOT[1]
    return d * polynomial(d, _series_at_root()) + total


def _digamma_above(x):
    inverse = 1 / x
    series = [b / (2 * j) for j, b in enumerate(_BERNOULLI, 1)][::-1]
    return np.log(x) - inverse / 2 - inverse * inverse * polynomial(inverse * inverse, series)


@approximation
def _digamma(x):
    y = np.where(x < 0, 1 - x, x)
    below = y < _STIRLING_FROM
    positive = piecewise(y, (below, _digamma_below), (~below, _digamma_above))
    z = _near_integer(x)
    reflected = np.where(z == 0, np.nan, positive - math.pi / np.tan(math.pi * z))
    return np.where(x == 0, np.copysign(np.inf, -x), np.where(x < 0, reflected, positive))


digamma = operation(
    _digamma, vjps=lambda g, out, x: g * _polygamma(x, n=1), samples=_positive_or_between_poles, names="digamma",
    inplace=True, doc="The derivative of lgamma; nan at the negative integers.")


@functools.cache
def _cotangent_derivative(n):
    """The n-th derivative of π cot(πx), as a polynomial in c = cot(πx): c' = -π (1 + c²)."""
    p = np.polynomial.Polynomial([0, math.pi])
    for _ in range(n):
        p = p.deriv() * np.polynomial.Polynomial([-math.pi, 0, -math.pi])
    return p


@approximation
def _polygamma_forward(x, *, n: int):
    if n == 0:
        return _digamma(x)
    sign = (-1) ** (n + 1)
    positive = sign * math.factorial(n) * hurwitz(n + 1.0, np.where(x > 0, x, 1 - x))
    z = _near_integer(x)
    reflected = -sign * positive - _cotangent_derivative(n)(1 / np.tan(math.pi * z))
    return np.where(x > 0, positive, np.where(z == 0, sign * np.inf, reflected)).astype(x.dtype)


_polygamma = operation(
    _polygamma_forward, vjps=lambda g, out, x, n: g * _polygamma(x, n=n + 1), names="_polygamma", methods="polygamma",
    samples=lambda draw: call(draw.array(low=-1.75, high=4, away_from=(0, -1)), n=draw.integer(0, 3)),
    doc="The n-th derivative of digamma.")


@operation(methods="")
def polygamma(n: int, input: TensorLike) -> Tensor:
    """The n-th derivative of digamma."""
    return _polygamma(input, n=n)


@operation(vjps=lambda g, out, x, p: g * sum((digamma(x - i / 2) for i in range(p)), 0), names="mvlgamma",
           samples=lambda draw: call(draw.array(low=1.25, high=4), p=draw.integer(1, 3)))
def mvlgamma(x, *, p: int):
    """The logarithm of the multivariate gamma function of dimension p."""
    return sum((lgamma(x - i / 2) for i in range(p)), p * (p - 1) / 4 * math.log(math.pi))
