"""The regularized incomplete gamma functions, and how a quantile of the gamma distribution moves with its shape.

F(z; α), ∂F/∂α and ∂²F/∂α² are integrals over the part of the line below z, or that above with the other sign, of the
gamma distribution's density p times 1, of p times b = ∂log p/∂α, and of p times b² + ∂b/∂α. Divided by p(z), none of
them overflows in a tail. Where its terms have one sign or nearly so, the power series is summed (NIST Digital Library
of Mathematical Functions, 8.7.1). Elsewhere the logarithm of the integrand is concave and smooth, and Gauss and
Legendre's quadrature has all digits.
"""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from autograd.operations import gamma as log_gamma
from autograd.operations.pointwise import floating
from autograd.samples import call
from autograd.table import operation

CUT = 40.0  # exp(−40) is less than the rounding of 1
NODES, WEIGHTS = np.polynomial.legendre.leggauss(56)
NODES, WEIGHTS = 0.5 * (NODES + 1), 0.5 * WEIGHTS  # on [0, 1]


class Integrals(NamedTuple):
    """F, ∂F/∂α and ∂²F/∂α² at z, each divided by the density; where `above`, what is named F is 1 − F."""

    above: np.ndarray
    value: np.ndarray
    first: np.ndarray
    second: np.ndarray


def digamma(x: np.ndarray) -> np.ndarray:
    """The derivative of log Γ."""
    return np.asarray(log_gamma.digamma(x))


def trigamma(x: np.ndarray) -> np.ndarray:
    """The derivative of `digamma`."""
    return np.asarray(log_gamma.polygamma(1, x))


def elementwise(function: Callable) -> Callable:
    """Let a function of flat float64 arrays, positive and finite, take arrays of any shape; elsewhere it is NaN."""
    def broadcast(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        arrays = tuple(np.broadcast_arrays(*(np.asarray(a, np.float64) for a in arrays)))
        fit = np.logical_and.reduce([(a > 0) & (a < np.inf) for a in arrays])
        with np.errstate(all="ignore"):
            results = function(*(a[fit] for a in arrays))
        full = tuple(np.full(fit.shape, False if r.dtype == bool else np.nan) for r in results)
        for place, result in zip(full, results, strict=True):
            place[fit] = result
        return full
    return broadcast


def by_region(count: int, *regions: tuple[np.ndarray, Callable]) -> list[np.ndarray]:
    """Each of the (mask, function of the mask) at its elements; functions return `count` arrays."""
    out = [np.empty(regions[0][0].shape) for _ in range(count)]
    for mask, function in regions:
        if mask.any():
            for place, part in zip(out, function(mask), strict=True):
                place[mask] = part
    return out


def interval(end: np.ndarray, height: Callable) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Nodes and weights on [0, s], where s is where a concave height has sunk from 0 to −40, sought from `end` down."""
    for _ in range(10):
        value, slope = height(end)
        end = end - (value + CUT) / slope
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        yield end * node, end * weight


@elementwise
def _gamma(z: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, ...]:
    series = (z <= 2) | ((z <= alpha) & (alpha <= 16))
    above = ~series & (z > alpha)
    regions = ((series, lambda m: _gamma_series(z[m], alpha[m])),
               (~series, lambda m: _gamma_quadrature(z[m], alpha[m], np.where(above[m], 1.0, -1.0))))
    return above, *by_region(3, *regions)


def gamma(z: np.ndarray, alpha: np.ndarray) -> Integrals:
    """Of the gamma distribution with shape α and rate 1."""
    return Integrals(*_gamma(z, alpha))


def _gamma_series(z: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, ...]:
    """F/p = Σ zⁿ⁺¹ / (α (α + 1) … (α + n)), whose terms have the derivatives b = log z − ψ(α + n + 1)."""
    term, b, change = z / alpha, np.log(z) - digamma(alpha + 1), -trigamma(alpha + 1)
    value, first, second, n = np.zeros_like(z), np.zeros_like(z), np.zeros_like(z), 0
    while (term > 1e-18 * value).any():
        value, first, second, n = value + term, first + term * b, second + term * (b * b + change), n + 1
        step = 1 / (alpha + n)
        term, b, change = term * z * step, b - step, change + step * step
    return value, first, second


def _gamma_quadrature(z: np.ndarray, alpha: np.ndarray, sign: np.ndarray) -> tuple[np.ndarray, ...]:
    """The integral over t = z exp(±s), upward from z or downward."""
    def height(s: np.ndarray) -> tuple[np.ndarray, ...]:
        growth = np.expm1(sign * s)  # of t
        return sign * alpha * s - z * growth, sign * (alpha - z * (growth + 1))
    steep = CUT / np.abs(z - alpha)
    narrow = np.sqrt(3 * CUT / z)
    end = np.minimum(steep, np.where((sign > 0) | (narrow < 1), narrow, 1 + CUT / alpha))
    value, first, second = np.zeros_like(z), np.zeros_like(z), np.zeros_like(z)
    center, change = np.log(z) - digamma(alpha), -trigamma(alpha)
    for s, weight in interval(end, height):
        mass, b = weight * z * np.exp(height(s)[0]), center + sign * s
        value, first, second = value + mass, first + mass * b, second + mass * (b * b + change)
    return value, first, second


def _times_density(z, alpha):
    """z p(z), by parts that are small where it is not: a power and exp(-z), or for large α what both have in common."""
    z, alpha = np.asarray(z, np.float64), np.asarray(alpha, np.float64)
    small = alpha < 16
    d, inverse = (z - alpha) / alpha, 1 / alpha
    bend = np.where(np.abs(d) < 0.5, np.log1p(d) - d, np.log(z / alpha) - d)
    stirling = inverse * (1 / 12 - inverse ** 2 * (1 / 360 - inverse ** 2 * (1 / 1260 - inverse ** 2 / 1680)))
    exponent = np.where(small, alpha * np.log(z) - z - np.asarray(log_gamma.lgamma(1 + alpha)), alpha * bend - stirling)
    return np.exp(exponent) * np.where(small, alpha, np.sqrt(alpha / (2 * np.pi)))


# How a quantile moves

def _shape_and_place(draw):
    return call(*draw.broadcastable(2, low=0.5, high=4))


def _unknown(g, out, alpha, z):
    raise NotImplementedError("the third derivative in a shape, of a draw or of the distribution function, is not "
                              "known")


def _of_fractions(function):
    """Let a function of two float64 arrays of one shape take numbers of any kind."""
    @functools.wraps(function)
    def forward(a, x, *rest):
        a, x = np.asarray(a), np.asarray(x)
        dtype = np.result_type(floating(a), floating(x))
        with np.errstate(all="ignore"):
            return function(*np.broadcast_arrays(a.astype(np.float64), x.astype(np.float64)), *rest).astype(dtype)
    return forward


@_of_fractions
def _bend_forward(alpha, z):
    parts = gamma(z, alpha)
    sign = np.where(parts.above, -1.0, 1.0)
    bend = sign * (parts.first * (np.log(z) - digamma(alpha)) - parts.second)
    return np.where((z == 0) | (z == np.inf), 0, bend)


_bend = operation(_bend_forward, vjps=(_unknown, _unknown), names="_gamma_quantile_bend",
                  doc="The derivative of `quantile_slope` in α, while z stays.")


def _slope_in_place(g, out, alpha, z):
    at = _positive(z)
    return g * (log_gamma.digamma(alpha) - np.log(at) - out * ((alpha - 1) / at - 1))


@operation(vjps=(lambda g, out, alpha, z: g * _bend(alpha, z), _slope_in_place), names="_gamma_quantile_slope")
@_of_fractions
def quantile_slope(alpha, z):
    """How the quantile z moves with α; at 0 and infinity not at all."""
    parts = gamma(z, alpha)
    moved = np.where(parts.above, parts.first, -parts.first)
    return np.where((z == 0) | (z == np.inf), 0, moved)


# The density, and what is below and above

def _positive(z):
    return np.maximum(z, float(np.finfo(getattr(z, "dtype", np.float64)).tiny))


@operation(vjps=(lambda g, out, alpha, z: g * out * (np.log(_positive(z)) - log_gamma.digamma(alpha)),
                 lambda g, out, alpha, z: g * out * ((alpha - 1) / z - 1)),
           names="_gamma_density", samples=_shape_and_place)
@_of_fractions
def gamma_density(alpha, z):
    """The density at z of the gamma distribution of a shape, with rate 1: at 0 infinite, 1 or 0."""
    inside = _times_density(z, alpha) / z
    at_zero = np.where(alpha < 1, np.inf, np.where(alpha == 1, 1.0, 0.0))
    return np.where(z == 0, at_zero, np.where((z == np.inf) | (alpha == 0), 0, inside))


def _near_zero(x, a):
    """Both parts for x <= 2 and a <= 1, where the upper one may be small.

    x^a / Γ(a + 1) (1 + a Σ (-x)^k / (k! (a + k))), k counting from 1, is the lower one. (NIST Digital Library of
    Mathematical Functions, 8.7.1.)
    """
    power = a * np.log(x) - log_gamma.log_gamma_of_one_and(a)
    total, term = np.zeros_like(x), np.ones_like(x)
    for k in range(1, 30):
        term = term * -x / k
        total = total + term / (a + k)
    return np.exp(power) * (1 + a * total), -np.expm1(power) - np.exp(power) * a * total


@_of_fractions
def _part(a, x, upper):
    """The part of the integral below x, or the one above."""
    parts = gamma(x, a)
    part = _times_density(x, a) * (parts.value / x)
    part = np.array(np.where(parts.above == upper, part, 1 - part))
    small = (x > 0) & (x <= 2) & (a > 0) & (a <= 1)
    part[small] = _near_zero(x[small], a[small])[int(upper)]
    nothing = ((x == 0) & (a > 0)) | ((a == np.inf) & (x >= 0) & (x < np.inf))  # below x
    everything = ((a == 0) & (x > 0)) | ((x == np.inf) & (a >= 0) & (a < np.inf))
    part[nothing], part[everything] = float(upper), float(not upper)
    return part


def _part_vjp_shape(g, out, a, x):
    return -g * quantile_slope(a, x) * gamma_density(a, _positive(x))


@operation(vjps=(_part_vjp_shape, lambda g, out, a, x: g * gamma_density(a, x)), names="igamma", methods="igamma",
           inplace=True, samples=_shape_and_place)
def gammainc(a, x):
    """The lower regularized incomplete gamma function, the integral of t**(a - 1) * exp(-t) / Γ(a) from 0 to x.

    a and x broadcast; both are at least 0, elsewhere it is NaN. Differentiable twice in both (PyTorch's is in x alone).
    """
    return _part(a, x, False)


@operation(vjps=(lambda g, out, a, x: -_part_vjp_shape(g, out, a, x), lambda g, out, a, x: -g * gamma_density(a, x)),
           names="igammac", methods="igammac", inplace=True, samples=_shape_and_place)
def gammaincc(a, x):
    """The upper regularized incomplete gamma function, 1 - gammainc(a, x) with all digits where that is small."""
    return _part(a, x, True)
