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
_ROOT = 1.4616321325302124, 1.243814993891891e-08  # where digamma is 0: a float32 and what it lacks
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


def _hurwitz_single(s, q):
    """Likewise for a small whole s and float32, without powers, which are slow."""
    def reciprocal(x, power):
        return math.prod([1 / x] * power)
    steps = s + 4
    far = q + steps
    inverse, fourth = 1 / far, s * (s + 1) * (s + 2) / 720
    series = polynomial(inverse * inverse, ((s + 3) * (s + 4) / 42 * fourth, -fourth, s / 12))
    tail = 1 / (s - 1) + inverse * (0.5 + inverse * series)
    return sum(reciprocal(q + k, s) for k in range(steps)) + reciprocal(far, s - 1) * tail


def _near_integer(y):
    """y - round(y), which is exact."""
    return np.where(np.isinf(y), 0, y - np.rint(y))


def _sine(z):
    """sin(πz) for |z| <= 1/2; for float32 by a least squares fit to 5e-9, which loops can be made of."""
    if z.dtype == np.float32:
        return z * polynomial(z * z, (0.07756037693, -0.5982421233, 2.550069726, -5.167709685, 3.141592637))
    return np.sin(math.pi * z)


def _cotangent(z):
    """cot(πz), likewise."""
    return _sine(0.5 - np.abs(z)) / _sine(z) if z.dtype == np.float32 else 1 / np.tan(math.pi * z)


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
    z = _near_integer(y)
    reflected = math.log(math.pi) - np.log(y) - np.log(np.abs(_sine(z))) - positive
    return np.where((x < 0) & np.isfinite(x), np.where(z == 0, np.inf, reflected), positive)


def _positive_or_between_poles(draw):
    return call(draw.array(low=-1.75, high=4, away_from=(0, -1)))


lgamma = operation(
    _lgamma, vjps=lambda g, out, x: g * digamma(x), samples=_positive_or_between_poles, names="lgamma", inplace=True,
    doc="log |Γ(x)|; inf at 0 and the negative integers.")


# Its derivatives

@functools.cache
def _series_at_root():
    """digamma(root + d) / d by powers of d, highest first."""
    return [(-1) ** (k + 1) * float(hurwitz(k + 1.0, sum(_ROOT))) for k in range(45, 0, -1)]


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
    reflected = np.where(z == 0, np.nan, positive - math.pi * _cotangent(z))
    return np.where(x == 0, np.copysign(np.inf, -x), np.where(x < 0, reflected, positive))


digamma = operation(
    _digamma, vjps=lambda g, out, x: g * _polygamma(x, n=1), samples=_positive_or_between_poles, names="digamma",
    inplace=True, doc="The derivative of lgamma; nan at the negative integers.")


@functools.cache
def _cotangent_derivative(n):
    """The n-th derivative of π cot(πx), by powers of c = cot(πx), highest first: c' = -π (1 + c²)."""
    p = np.polynomial.Polynomial([0, math.pi])
    for _ in range(n):
        p = p.deriv() * np.polynomial.Polynomial([-math.pi, 0, -math.pi])
    return p.coef[::-1].tolist()


@approximation
def _polygamma_forward(x, *, n: int):
    if n == 0:
        return _digamma(x)
    sign = (-1) ** (n + 1)
    q = np.where(x > 0, x, 1 - x)
    positive = sign * math.factorial(n) * (
        _hurwitz_single(n + 1, q) if x.dtype == np.float32 and n <= 3 else hurwitz(n + 1.0, q))
    z = _near_integer(x)
    reflected = -sign * positive - polynomial(_cotangent(z), _cotangent_derivative(n))
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
