"""Hurwitz's zeta function."""

import numpy as np

from autograd.operations.gamma import hurwitz
from autograd.operations.pointwise import floating
from autograd.table import operation


def _unknown(g, out, x, q):
    raise NotImplementedError("the derivative of zeta(x, q) in x is not known; write x.detach() if x is a constant")


def _below_zero(x, q, above_integer):
    """Of a whole x, what is more than ζ(x, r) with the r in (0, 1) that q is above an integer: finitely many terms, as
    the difference of two sums to infinity.
    """
    return np.where(x % 2 == 0, 1, -1) * (hurwitz(x, 1 - above_integer) - hurwitz(x, 1 - q))


@operation(vjps=(_unknown, lambda g, out, x, q: -g * x * zeta(x + 1, q)), names="_zeta", methods="")
def zeta(x, q):
    """Hurwitz's zeta function, the sum of (q + k) ** -x for k = 0, 1, …; with q = 1 it is Riemann's.

    Infinite at x = 1 and where q is 0 or a negative integer, NaN for x < 1 and where q is negative and x no whole
    number. Differentiable in q. Of large x or q it is the limit, where PyTorch has NaN.

    Source: NIST Digital Library of Mathematical Functions, 25.11.1 and, by Euler and Maclaurin's formula, 25.11.28.

    >>> from autograd import special
    >>> special.zeta(tensor(2.0), tensor(1.0))
    tensor(1.6449)
    """
    x, q = np.asarray(x), np.asarray(q)
    dtype = np.result_type(*[floating(a) for a in (x, q) if a.dtype.kind == "f"] or [floating(x)])
    x, q = np.broadcast_arrays(x.astype(np.float64), q.astype(np.float64))
    with np.errstate(all="ignore"):
        above_integer = np.where(np.isinf(q), 0, q - np.floor(q))
        pole, negative = (q <= 0) & (above_integer == 0), (q < 0) & (above_integer != 0)
        out = np.array(hurwitz(x, np.where(negative, above_integer, np.where(pole, 1, q))))
        if negative.any():
            out[negative] += _below_zero(x[negative], q[negative], above_integer[negative])
        out[pole] = np.inf
        out[negative & (x != np.floor(x))] = np.nan
        out[np.isnan(x) | np.isnan(q) | (x < 1)] = np.nan
        out[x == 1] = np.inf
        return out.astype(dtype)
