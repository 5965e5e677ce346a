"""Modified Bessel functions of the first kind, I₀, I₁ and, for their derivatives, those of higher order.

Up to 20, the power series, all of whose terms are positive; above, the asymptotic one, whose least term is below the
last digit there. (NIST Digital Library of Mathematical Functions, 10.25.2, 10.29.1, 10.40.1.)
"""

import functools
import math

import numpy as np

from autograd.operations.approximation import approximation, piecewise, polynomial
from autograd.samples import nonzero, numbers
from autograd.table import operation


@functools.cache
def _series(n, above):
    """1 / (k! (k + n)!), highest k first, as far as they count for x <= above."""
    return [1 / (math.factorial(k) * math.factorial(k + n)) for k in range(int(1.4 * above) + 20, -1, -1)]


@functools.cache
def _asymptotic(n):
    """The coefficients of the powers of 1 / x, highest first."""
    terms = [1.0]
    for k in range(1, 31):
        terms.append(-terms[-1] * (4 * n * n - (2 * k - 1) ** 2) / (8 * k))
    return terms[::-1]


@approximation
def _modified(x, *, n, scaled):
    y, above = np.abs(x).astype(np.float64), 20 + n * n
    below = y <= above

    def by_powers(y):
        half = y / 2
        return half ** n * polynomial(half * half, _series(n, above)) * (np.exp(-y) if scaled else 1)

    def by_inverse_powers(y):
        size = polynomial(1 / y, _asymptotic(n)) / np.sqrt(2 * math.pi * y)
        return size if scaled else size * np.exp(y / 2) * np.exp(y / 2)  # exp(y) may overflow where the result doesn't
    out = piecewise(y, (below, by_powers), (~below, by_inverse_powers))
    if not scaled:
        out = np.where(y == np.inf, np.inf, out)
    return np.where(np.signbit(x), -out, out) if n % 2 else out


def _modified_vjp(g, out, x, n, scaled):
    slope = (_bessel_i(x, n=n - 1, scaled=scaled) + _bessel_i(x, n=n + 1, scaled=scaled)) * 0.5 if n else (
        _bessel_i(x, n=1, scaled=scaled))
    return g * (slope - np.sign(x) * out if scaled else slope)


_bessel_i = operation(_modified, vjps=_modified_vjp, names="_bessel_i")


def _of_order(n, scaled, **declared):
    return operation(lambda x: _modified(x, n=n, scaled=scaled),
                     vjps=lambda g, out, x: _modified_vjp(g, out, x, n, scaled), **declared)


i0 = _of_order(0, False, names="i0", numpy=np.i0, inplace=True, samples=numbers,
               doc="The modified Bessel function of the first kind of order 0.")
i0e = _of_order(0, True, names="_i0e", methods="", samples=nonzero, doc="i0(x) * exp(-|x|).")
i1 = _of_order(1, False, names="_i1", methods="", samples=numbers,
               doc="The modified Bessel function of the first kind of order 1.")
i1e = _of_order(1, True, names="_i1e", methods="", samples=nonzero, doc="i1(x) * exp(-|x|).")
