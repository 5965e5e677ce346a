"""Dropout: in training, random elements are set to zero and the others made larger, so that the mean is kept.

What is dropped is 0, and gets the gradient 0, whatever it was and whatever arrives there.
"""

import math
import warnings

import numpy as np

from autograd import Tensor, as_tensor, default_generator
from autograd.random import as_it_lies
from autograd.typing import TensorLike
from nn.functional.activation import offers_inplace
from nn.functional.geometry import check_axes
from nn.functional.weighted import weighted


def keep_mask(shape, p, dtype, like=None):
    """0 with probability p, else 1 / (1 - p); drawn in the order in which `like`, a tensor of that shape, lies.

    Raises:
        ValueError: p is no probability.
    """
    _check(p)
    if p == 1:
        return np.zeros(shape, dtype)
    kept = default_generator.chances(1 - p, math.prod(shape))
    return np.multiply(kept.reshape(shape) if like is None else as_it_lies(kept, like), 1 / (1 - p), dtype=dtype)


def _check(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"a dropout probability must be between 0 and 1, not {p}")


@offers_inplace
def dropout(input: TensorLike, p: float = 0.5, training: bool = True) -> Tensor:
    """Each element becomes 0 with probability p, the others are multiplied by 1 / (1 - p) (Srivastava et al. 2014)."""
    x = as_tensor(input)
    _check(p)
    if not training or not p:
        return x
    return weighted(x, keep_mask(x.shape, p, x.dtype, x))


def _channels(x, ndim, p, training):
    x = as_tensor(x)
    check_axes(x, ndim)
    if not training or not p:
        return x
    return weighted(x, keep_mask((*x.shape[:-ndim], *(1,) * ndim), p, x.dtype))


@offers_inplace
def dropout1d(input: TensorLike, p: float = 0.5, training: bool = True) -> Tensor:
    """Dropout of whole channels of (N, C, L) (Tompson et al. 2015)."""
    return _channels(input, 1, p, training)


@offers_inplace
def dropout2d(input: TensorLike, p: float = 0.5, training: bool = True) -> Tensor:
    """Dropout of whole channels of (N, C, H, W) (Tompson et al. 2015).

    With fewer axes it is, as in PyTorch, one of (N, C, L) or (N, C), and warns: `dropout1d` and `dropout` say so.
    """
    x = as_tensor(input)
    if x.ndim not in (2, 3):
        return _channels(x, 2, p, training)
    taken, function = ("(N, C)", dropout) if x.ndim == 2 else ("(N, C, L)", dropout1d)
    warnings.warn(f"dropout2d is for (N, C, H, W); {x.shape} is taken for {taken}, as by {function.__name__}: write "
                  "that", UserWarning, stacklevel=3)
    return function(x, p, training)


@offers_inplace
def dropout3d(input: TensorLike, p: float = 0.5, training: bool = True) -> Tensor:
    """Dropout of whole channels of (N, C, D, H, W) (Tompson et al. 2015)."""
    return _channels(input, 3, p, training)


def _alpha(x, shape, p, training, like=None):
    if not training or not p:
        return x
    kept = keep_mask(shape, p, x.dtype, like) > 0
    if p == 1:
        return weighted(x, np.zeros((), x.dtype))
    saturated = -1.7580993408473766  # -λα of SELU, what a unit gives that is switched off
    a = 1 / math.sqrt((1 - p) * (1 + p * saturated ** 2))
    shift = (~kept * saturated - p * saturated) * a
    return weighted(x, (kept * a).astype(x.dtype)) + shift.astype(x.dtype)


@offers_inplace
def alpha_dropout(input: TensorLike, p: float = 0.5, training: bool = False) -> Tensor:
    """Dropout that keeps mean and variance, for networks of SELUs (Klambauer et al. 2017)."""
    x = as_tensor(input)
    return _alpha(x, x.shape, p, training, x)


@offers_inplace
def feature_alpha_dropout(input: TensorLike, p: float = 0.5, training: bool = False) -> Tensor:
    """Alpha dropout of whole channels of (N, C, ...)."""
    x = as_tensor(input)
    return _alpha(x, (*x.shape[:2], *(1,) * (x.ndim - 2)), p, training)


def stochastic_depth(input: TensorLike, p: float, mode: str = "batch", training: bool = True) -> Tensor:
    """A residual branch dropped with probability p: for the "batch", or for each example, "row" (Huang et al. 2016)."""
    if mode not in ("batch", "row"):
        raise ValueError(f"mode must be 'batch' or 'row', not {mode!r}")
    x = as_tensor(input)
    if not training or not p:
        return x
    return weighted(x, keep_mask((x.shape[0] if mode == "row" else 1, *(1,) * (x.ndim - 1)), p, x.dtype))
