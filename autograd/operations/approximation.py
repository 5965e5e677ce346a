"""What the approximations of special functions share. NumPy has no erf and no gamma function of its own."""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from autograd.runtime.tracing import Symbol


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
            out = function(array, **options)
        return out.astype(x.dtype, copy=False) if floating else out
    return forward
