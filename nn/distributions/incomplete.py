"""How a quantile of the beta distribution moves with its parameters.

What a draw x changes by when a parameter a does, while its quantile stays, is −(∂F/∂a) / p of the distribution function
F(x; a, b) and the density p (Figurnov, Mohamed and Mnih, "Implicit Reparameterization Gradients", 2018), computed as
that of the gamma distribution is (autograd/operations/incomplete_gamma.py; the power series is 8.17.8 of the NIST
Digital Library of Mathematical Functions).
"""

import numpy as np

import autograd
from autograd.operations.incomplete_gamma import (
    CUT,
    NODES,
    WEIGHTS,
    by_region,
    digamma,
    elementwise,
    interval,
    trigamma,
)


def _beta_lower(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """∂F/∂a and ∂F/∂b, each divided by the density, at x = 1 − y below the mean."""
    quadrature = (y * a >= 2) & (a >= 4)
    series = ~quadrature & (y >= 0.5)
    regions = ((quadrature, lambda m: _beta_quadrature(x[m], y[m], a[m], b[m])),
               (series, lambda m: _beta_series(x[m], y[m], a[m], b[m])[1:]),
               (~quadrature & ~series, lambda m: _beta_rest(x[m], y[m], a[m], b[m])))
    return by_region(2, *regions)


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
    end = (CUT + more * -np.log(y)) / a
    end = np.where(slope > 0, np.minimum(end, CUT / slope), end)
    first, second = np.zeros_like(x), np.zeros_like(x)
    in_a, in_b = _log(x, y) + _digamma_step(a, b), _log(y, x) + _digamma_step(b, a)
    for s, weight in interval(end, height):
        rise = np.log1p(-odds * np.expm1(-s))  # of log (1 − t)
        mass = weight * x * np.exp(-a * s + (b - 1) * rise)
        first, second = first + mass * (in_a - s), second + mass * (in_b + rise)
    return first, second


def _beta_rest(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """What is left of 1, near x = 1: 1 − F is a series in y. Its terms for ∂F/∂a, of order 1/b, would cancel."""
    value, in_b, _ = _beta_series(y, x, b, a)
    integral = np.zeros_like(x)  # of log (1 − u) over u = y v⁴, which smooths v to the power b
    for node, weight in zip(NODES, WEIGHTS, strict=True):
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


@elementwise
def _beta_slopes(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    upper = x * b > y * a  # beyond the mean: seen from the other end
    low, high = np.where(upper, y, x), np.where(upper, x, y)
    first, second = _beta_lower(low, high, np.where(upper, b, a), np.where(upper, a, b))
    return np.where(upper, second, -first), np.where(upper, first, -second)


def beta_slopes(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """How a quantile x = 1 − y of the beta distribution moves with a, and with b."""
    return _beta_slopes(x, y, a, b)
