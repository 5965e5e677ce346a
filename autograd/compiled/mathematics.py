"""Elementary functions of float32 for compiled loops, which fit into vector registers; numba's own do not.

Polynomials of S. L. Moshier's Cephes library and of Eigen, to three units in the last place.
"""

import numpy as np

from autograd.runtime.caching import compiler

function = compiler(nogil=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
"""Compiles a function of numbers. Nothing is assumed of them: NaN, infinities and -0 stay what they are."""

ZERO, HALF, ONE, TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
"""Beside numbers of float32; Python's own would make float64 of them."""
INFINITY, NAN = np.float32(np.inf), np.float32(np.nan)


@function
def maximum(x, y):
    return x if x >= y or np.isnan(x) else y


@function
def minimum(x, y):
    return x if x <= y or np.isnan(x) else y


@function
def sign(x):
    return ONE if x > ZERO else -ONE if x < ZERO else x


@function
def copysign(x, y):
    bits = (np.float32(x).view(np.int32) & np.int32(0x7FFFFFFF)) | (np.float32(y).view(np.int32) & np.int32(-1 << 31))
    return np.int32(bits).view(np.float32)


@function
def hypot(x, y):
    """√(x² + y²), which in float64 is neither too large nor too small, as in C."""
    if abs(x) == INFINITY or abs(y) == INFINITY:
        return INFINITY
    return np.float32(np.sqrt(np.float64(x) * np.float64(x) + np.float64(y) * np.float64(y)))


@function
def _what_is_left(x, y, quotient, whole, like):
    """x - y whole, rounded once; NaN where `operations/single.py` asks NumPy instead, as in floor_divide."""
    value = copysign(np.float32(np.float64(x) - whole * np.float64(y)), like)
    return value if abs(quotient) < 2.0 ** 29 else NAN


@function
def fmod(x, y):
    quotient = np.float64(x) / np.float64(y)
    return _what_is_left(x, y, quotient, np.trunc(quotient), x)


@function
def remainder(x, y):
    quotient = np.float64(x) / np.float64(y)
    return _what_is_left(x, y, quotient, np.floor(quotient), y)


@function
def floor_divide(x, y):
    quotient = np.float64(x) / np.float64(y)
    return np.float32(np.floor(quotient)) if abs(quotient) < 2.0 ** 22 and abs(y) < INFINITY else NAN


@function
def _power_of_two(n):
    return np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)


@function
def _exp_times_power_of_two(r, n):
    """exp(r) 2ⁿ for |r| <= log(2) / 2 (the coefficients are Cephes')."""
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * (r * r) + r + ONE
    some = np.int32(n) >> np.int32(1)  # 2ⁿ in two factors: neither 2¹²⁸ nor 2⁻¹³⁰ is a float32 as others are
    return p * _power_of_two(some) * _power_of_two(np.int32(n) - some)


@function
def exp(x):
    """exp by 2ⁿ times a polynomial, to 2e-7."""
    least, most = np.float32(-104), np.float32(88.72284)  # beyond, it is 0 or infinite
    clipped = most if x > most else least if x < least else x
    n = np.floor(clipped * np.float32(1.44269504088896341) + HALF)
    r = clipped - n * np.float32(0.693359375) - n * np.float32(-2.12194440e-4)
    value = _exp_times_power_of_two(r, n)
    return INFINITY if x > most else value


@function
def exp2(x):
    least, most = np.float32(-151), np.float32(127.99999)
    clipped = most if x > most else least if x < least else x
    n = np.floor(clipped + HALF)
    value = _exp_times_power_of_two((clipped - n) * np.float32(0.693147180559945309), n)
    return INFINITY if x > most else value


@function
def tanh(x):
    """tanh by a polynomial near 0 (the coefficients are Cephes'), and elsewhere by exp."""
    size = abs(x)
    square = x * x
    p = np.float32(-5.70498872745e-3)
    p = p * square + np.float32(2.06390887954e-2)
    p = p * square + np.float32(-5.37397155531e-2)
    p = p * square + np.float32(1.33314422036e-1)
    p = p * square + np.float32(-3.33332819422e-1)
    near = p * square * size + size
    far = ONE - TWO / (exp(size + size) + ONE)
    return copysign(near if size < np.float32(0.625) else far, x)


@function
def expm1(x):
    """exp(x) - 1; near 0, where that would cancel, by the series."""
    near = HALF if x > HALF else -HALF if x < -HALF else x
    p = np.float32(1 / 5040)
    p = p * near + np.float32(1 / 720)
    p = p * near + np.float32(1 / 120)
    p = p * near + np.float32(1 / 24)
    p = p * near + np.float32(1 / 6)
    p = p * near + HALF
    p = p * (near * near) + near
    return copysign(p if near == x else exp(x) - ONE, x)


@function
def _parts_of_logarithm(x):
    """e, m, and a small p by a polynomial (the coefficients are Cephes'), so that log(x) = e log 2 + m + p."""
    tiny = x < np.float32(1.17549435e-38)
    bits = np.float32(x * np.float32(1 << 23) if tiny else x).view(np.int32)
    e = np.float32((bits >> np.int32(23)) - np.int32(126)) - (np.float32(23) if tiny else ZERO)
    m = np.int32((bits & np.int32(0x007FFFFF)) | np.int32(0x3F000000)).view(np.float32)
    low = m < np.float32(0.707106781186547524)
    e = e - (ONE if low else ZERO)
    m = (m + m if low else m) - ONE
    square = m * m
    p = np.float32(7.0376836292e-2)
    p = p * m + np.float32(-1.1514610310e-1)
    p = p * m + np.float32(1.1676998740e-1)
    p = p * m + np.float32(-1.2420140846e-1)
    p = p * m + np.float32(1.4249322787e-1)
    p = p * m + np.float32(-1.6668057665e-1)
    p = p * m + np.float32(2.0000714765e-1)
    p = p * m + np.float32(-2.4999993993e-1)
    p = p * m + np.float32(3.3333331174e-1)
    return e, m, p * m * square - HALF * square


@function
def _or_limit(value, x):
    """The value of a logarithm of x, and its limit where x is no positive number."""
    return value if x > ZERO and x < INFINITY else x if x == INFINITY else -INFINITY if x == ZERO else NAN


@function
def log(x):
    e, m, p = _parts_of_logarithm(x)
    return _or_limit(p + e * np.float32(-2.12194440e-4) + m + e * np.float32(0.693359375), x)


@function
def log2(x):
    e, m, p = _parts_of_logarithm(x)
    more = np.float32(0.44269504088896341)  # than 1
    return _or_limit(p * more + m * more + p + m + e, x)


@function
def log10(x):
    """By constants in two parts, of which the first have few digits."""
    e, m, p = _parts_of_logarithm(x)
    whole, more = np.float32(4.3359375e-1), np.float32(7.00731903251827651e-4)
    return _or_limit((m + p) * more + p * whole + m * whole + e * np.float32(2.48745663981195214e-4)
                     + e * np.float32(3.0078125e-1), x)


@function
def log1p(x):
    """log(u) x / (u - 1) with u = 1 + x, which makes up for what u has lost; x itself where that is all (Kahan)."""
    u = ONE + x
    lost = u - ONE
    return x if lost == ZERO or u == INFINITY else log(u) * (x / (lost if lost != ZERO else ONE))
