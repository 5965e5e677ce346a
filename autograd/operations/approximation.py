"""What the approximations of elementary and special functions share. NumPy has no erf and no gamma function."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.dtypes import bool_
from autograd.runtime.threads import get_num_threads
from autograd.runtime.tracing import Symbol

MANY = 4096
"""Numbers from which on it pays to go another way than for few."""

PIECE = 1 << 16
"""Numbers that stay in the cache from one step of a formula to the next."""

BITS = {np.dtype(f"f{size}"): np.dtype(f"i{size}") for size in (2, 4, 8)}


def polynomial(x: np.ndarray, coefficients: Sequence[float]) -> np.ndarray:
    """The polynomial with these coefficients, highest power first (Horner's rule, in place)."""
    first, second, *others = coefficients
    out = x * first + second
    for c in others:
        out *= x
        out += c
    return out


def piecewise(x: np.ndarray, *pieces: tuple[np.ndarray, Callable]) -> np.ndarray:
    """Each of the (mask, function) at the elements of its mask alone; the masks cover x."""
    if isinstance(x, Symbol):
        return functools.reduce(lambda others, piece: np.where(piece[0], piece[1](x), others), reversed(pieces), 0.0)
    out = np.empty_like(x)
    for mask, function in pieces:
        if mask.any():
            out[mask] = function(x[mask])
    return out


def select(condition, x, y):
    """`np.where`, for many numbers by their bits: it branches at each of them, which takes ten times as long where the
    condition is as good as random.
    """
    if type(condition) is np.ndarray and condition.size > MANY and condition.dtype is bool_:
        like = x if type(x) is np.ndarray else y
        if type(like) is np.ndarray and like.dtype in BITS:
            x, y = (np.asarray(a, like.dtype) if type(a) in (int, float) else a for a in (x, y))
            if all(type(a) is np.ndarray and a.dtype is like.dtype and a.shape in (condition.shape, ())
                   for a in (x, y)):
                bits = condition.astype(BITS[like.dtype])
                x, y = x.view(bits.dtype), y.view(bits.dtype)
                bits *= x ^ y
                bits ^= y
                return bits.view(like.dtype)
    return np.where(condition, x, y)


def in_pieces(formula: Callable, *args: Any) -> np.ndarray:
    """formula(*args) of arrays of one dtype and numbers, one piece after the other if the arrays lie alike.

    Several threads have pieces of their own (`runtime/piecewise.py`), and with smaller ones would wait for each other.
    """
    whole = [a for a in args if type(a) is np.ndarray and a.ndim]
    if get_num_threads() > 1 or not whole or whole[0].size <= PIECE or not all(
            a.shape == whole[0].shape and a.flags.c_contiguous for a in whole):
        return formula(*args)
    shape, dtype = whole[0].shape, whole[0].dtype
    args = tuple([a.ravel() if type(a) is np.ndarray and a.ndim else dtype.type(a) for a in args])
    out = np.empty(whole[0].size, dtype)
    for start in range(0, out.size, PIECE):
        piece = slice(start, start + PIECE)
        out[piece] = formula(*[a[piece] if a.ndim else a for a in args])
    return out.reshape(shape)


def approximation(function: Callable) -> Callable:
    """Let a function of an array of float32 or float64 take numbers of any kind and shape, and keep float16."""
    @functools.wraps(function)
    def forward(x, **options):
        if isinstance(x, Symbol):
            return function(x, **options)
        array = np.asarray(x)
        floating = array.dtype.kind == "f"
        array = array.astype(np.result_type(array, np.float32) if floating else np.float64, copy=False)
        with np.errstate(all="ignore"):
            out = in_pieces(functools.partial(function, **options), array)
        return out.astype(x.dtype, copy=False) if floating else out
    return forward
