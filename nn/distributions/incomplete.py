"""The distribution functions of the gamma and beta distributions, with their derivatives in the shape.

What a draw z changes by when its shape α does, while its quantile stays, is −(∂F/∂α) / p of the distribution function
F(z; α) and the density p (Figurnov, Mohamed and Mnih, "Implicit Reparameterization Gradients", 2018). F, ∂F/∂α and
∂²F/∂α² are integrals over the part of the line below z, or that above with the other sign, of p times 1, of p times
b = ∂log p/∂α, and of p times b² + ∂b/∂α. Divided by p(z), none of them overflows in a tail. Where its terms have one
sign or nearly so, the power series is summed (NIST Digital Library of Mathematical Functions, 8.7.1, 8.17.8).
Elsewhere the logarithm of the integrand is concave and smooth, and Gauss and Legendre's quadrature has all digits.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

import autograd

_CUT = 40.0  # exp(−40) is less than the rounding of 1
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(56)
_NODES, _WEIGHTS = 0.5 * (_NODES + 1), 0.5 * _WEIGHTS  # on [0, 1]


class Integrals(NamedTuple):
    """F, ∂F/∂α and ∂²F/∂α² at z, each divided by the density; where `above`, what is named F is 1 − F."""

    above: np.ndarray
    value: np.ndarray
    first: np.ndarray
    second: np.ndarray


def digamma(x: np.ndarray) -> np.ndarray:
    """The derivative of log Γ."""
    return np.asarray(autograd.digamma(x))


def trigamma(x: np.ndarray) -> np.ndarray:
    """The derivative of `digamma`."""
    return np.asarray(autograd.polygamma(1, x))


def _elementwise(function: Callable) -> Callable:
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


def _by_region(count: int, *regions: tuple[np.ndarray, Callable]) -> list[np.ndarray]:
    """Each of the (mask, function of the mask) at its elements; functions return `count` arrays."""
    out = [np.empty(regions[0][0].shape) for _ in range(count)]
    for mask, function in regions:
        if mask.any():
            for place, part in zip(out, function(mask), strict=True):
                place[mask] = part
    return out


def _interval(end: np.ndarray, height: Callable) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Nodes and weights on [0, s], where s is where a concave height has sunk from 0 to −40, sought from `end` down."""
    for _ in range(10):
        value, slope = height(end)
        end = end - (value + _CUT) / slope
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        yield end * node, end * weight


# Gamma

@_elementwise
def _gamma(z: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, ...]:
    series = (z <= 2) | ((z <= alpha) & (alpha <= 16))
    above = ~series & (z > alpha)
    regions = ((series, lambda m: _gamma_series(z[m], alpha[m])),
               (~series, lambda m: _gamma_quadrature(z[m], alpha[m], np.where(above[m], 1.0, -1.0))))
    return above, *_by_region(3, *regions)


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
    steep = _CUT / np.abs(z - alpha)
    narrow = np.sqrt(3 * _CUT / z)
    end = np.minimum(steep, np.where((sign > 0) | (narrow < 1), narrow, 1 + _CUT / alpha))
    value, first, second = np.zeros_like(z), np.zeros_like(z), np.zeros_like(z)
    center, change = np.log(z) - digamma(alpha), -trigamma(alpha)
    for s, weight in _interval(end, height):
        mass, b = weight * z * np.exp(height(s)[0]), center + sign * s
        value, first, second = value + mass, first + mass * b, second + mass * (b * b + change)
    return value, first, second


def gamma_density(z: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Of the gamma distribution with shape α and rate 1."""
    return np.exp(gamma_log_density(z, alpha))


def gamma_log_density(z: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """(α − 1) log z − z − log Γ(α), by parts that are small where the result is, for large α, too."""
    z, alpha = np.asarray(z, np.float64), np.asarray(alpha, np.float64)
    ratio = z / alpha
    inverse = 1 / alpha
    stirling = np.where(alpha < 16, np.asarray(autograd.lgamma(alpha)) - (alpha - 0.5) * np.log(alpha) + alpha,
                        0.5 * np.log(2 * np.pi) + inverse * (1 / 12 - inverse ** 2 * (
                            1 / 360 - inverse ** 2 * (1 / 1260 - inverse ** 2 / 1680))))
    return alpha * (np.log(ratio) + 1 - ratio) + 0.5 * np.log(alpha) - np.log(z) - stirling


# Beta

def _beta_lower(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """∂F/∂a and ∂F/∂b, each divided by the density, at x = 1 − y below the mean."""
    quadrature = (y * a >= 2) & (a >= 4)
    series = ~quadrature & (y >= 0.5)
    regions = ((quadrature, lambda m: _beta_quadrature(x[m], y[m], a[m], b[m])),
               (series, lambda m: _beta_series(x[m], y[m], a[m], b[m])[1:]),
               (~quadrature & ~series, lambda m: _beta_rest(x[m], y[m], a[m], b[m])))
    return _by_region(2, *regions)


def _beta_series(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """F/p = Σ x y (a + b)ₙ xⁿ / (a)ₙ₊₁, with the derivatives log x − ψ(a + n + 1) + ψ(a + b + n) in a, and in b."""
    term = x * y / a
    in_a, in_b = np.log(x) - digamma(a + 1) + digamma(a + b), np.log1p(-x) + _digamma_step(b, a)
    value, first, second, n = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x), 0
    while (term > 1e-18 * value).any():
        value, first, second = value + term, first + term * in_a, second + term * in_b
        growth = 1 / (a + b + n)
        n += 1
        term = term * x / (growth * (a + n))
        in_a, in_b = in_a + growth - 1 / (a + n), in_b + growth
    return value, first, second


def _beta_quadrature(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """The integral over t = x exp(−s)."""
    odds, more = x / y, np.maximum(b - 1, 0)

    def height(s: np.ndarray) -> tuple[np.ndarray, ...]:
        lost = -np.expm1(-s)
        return -a * s + more * np.log1p(odds * lost), -a + more * odds * (1 - lost) / (1 + odds * lost)
    slope = a - more * odds
    end = (_CUT + more * -np.log(y)) / a
    end = np.where(slope > 0, np.minimum(end, _CUT / slope), end)
    first, second = np.zeros_like(x), np.zeros_like(x)
    in_a, in_b = _log(x, y) + _digamma_step(a, b), _log(y, x) + _digamma_step(b, a)
    for s, weight in _interval(end, height):
        rise = np.log1p(-odds * np.expm1(-s))  # of log (1 − t)
        mass = weight * x * np.exp(-a * s + (b - 1) * rise)
        first, second = first + mass * (in_a - s), second + mass * (in_b + rise)
    return first, second


def _beta_rest(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """What is left of 1, near x = 1: 1 − F is a series in y. Its terms for ∂F/∂a, of order 1/b, would cancel."""
    value, in_b, _ = _beta_series(y, x, b, a)
    integral = np.zeros_like(x)  # of log (1 − u) over u = y v⁴, which smooths v to the power b
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        u = y * node ** 4
        integral += 4 * weight * node ** (4 * b - 1) * np.log1p(-u) * np.exp((a - 1) * (np.log1p(-u) - np.log(x)))
    return np.negative(y * integral + _digamma_step(a, b) * value), np.negative(in_b)


def _log(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """log x of x = 1 − y, with all digits near 1."""
    return np.where(x < 0.5, np.log(x), np.log1p(-y))


def _digamma_step(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """ψ(a + b) − ψ(a), with all digits for small b."""
    small = b < 1e-3 * a
    middle = a + b / 2
    series = b * trigamma(middle) + b ** 3 / 24 * np.asarray(autograd.polygamma(3, middle))
    return np.where(small, series, digamma(a + b) - digamma(a))


@_elementwise
def _beta_slopes(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    upper = x * b > y * a  # beyond the mean: seen from the other end
    low, high = np.where(upper, y, x), np.where(upper, x, y)
    first, second = _beta_lower(low, high, np.where(upper, b, a), np.where(upper, a, b))
    return np.where(upper, second, -first), np.where(upper, first, -second)


def beta_slopes(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """How a quantile x = 1 − y of the beta distribution moves with a, and with b."""
    return _beta_slopes(x, y, a, b)
