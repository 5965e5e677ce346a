"""Softmax and logarithms of sums of exponentials, without overflow or underflow."""

import math

import numpy as np

from autograd.operations.pointwise import ahead
from autograd.operations.reductions import nonempty_reduction, widened
from autograd.operations.shaping import axis, beside, once, reduced, spread
from autograd.runtime.buffers import short_buffers
from autograd.runtime.compiled import compilable
from autograd.runtime.sums import added
from autograd.samples import call
from autograd.table import operation
from autograd.typing import Dims, DTypeLike


def _row(draw):
    x = draw.array(min_dims=1, min_side=1)
    return call(x, dim=draw.dim(x.ndim))


def above_nothing(x):
    """x, with 0 in the place of -inf, the logarithm of nothing: -inf minus it is -inf, and not nan."""
    return np.where(x == -np.inf, 0, x)


def _top(x, dim):
    """The maximum along `dim`, and 0 where that is -inf."""
    return above_nothing(x.max(axis=dim, keepdims=True, initial=-np.inf))


def _exponentials(x, dim):
    """exp(x - max x): no overflow."""
    below = np.asarray(x - _top(x, dim))
    return np.exp(below, out=below)


@compilable("autograd.compiled.softmax", many=True)
def _logsumexp_vjp(g, out, x, dim, keepdim):
    if not np.isinf(out).any():
        with short_buffers(math.prod(x.shape)):
            return spread(g, x.shape, dim) * np.exp(x - beside(out, x.shape, dim))
    parts = np.exp(ahead(x, beside(out, x.shape, dim)))  # among several that are inf, all are level
    level = (x == np.inf).sum(axis=reduced(dim, x.ndim), keepdims=True).astype(x.dtype)
    return spread(g, x.shape, dim) * (parts / np.maximum(level, 1))


@operation(vjps=_logsumexp_vjp, samples=nonempty_reduction)
@compilable("autograd.compiled.softmax", many=True)
def logsumexp(x, *, dim: Dims, keepdim: bool = False):
    """log(sum(exp(x))) over `dim`, without overflow."""
    wide, along = widened(x), reduced(dim, x.ndim)
    top = wide.max(axis=along, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    with short_buffers(x.size):
        out = np.log(added(np.exp(wide - top), along, keepdims=True)) + top
    out = out if keepdim else out.squeeze(along)
    return out.astype(x.dtype) if x.dtype.kind == "f" else out


@compilable("autograd.compiled.softmax", many=True)
def _softmax_vjp(g, out, x, dim, dtype):
    g = once(g)
    with short_buffers(math.prod(out.shape)):
        return out * (g - added(g * out, dim, True))


@operation(vjps=_softmax_vjp, samples=_row)
@compilable("autograd.compiled.softmax", many=True)
def softmax(x, *, dim: int, dtype: DTypeLike | None = None):
    """exp(x) / sum(exp(x)) along `dim`, without overflow; x becomes `dtype` first."""
    wide = widened(x if dtype is None else x.astype(dtype))
    dim = axis(dim, x.ndim)
    with short_buffers(x.size):
        exponentials = _exponentials(wide, dim)
        exponentials /= added(exponentials, dim, True)
    return _as_asked(exponentials, x, dtype)


@compilable("autograd.compiled.softmax", many=True)
def _log_softmax_vjp(g, out, x, dim, dtype):
    with short_buffers(math.prod(out.shape)):
        return g - np.exp(out) * added(g, dim, True)


@operation(vjps=_log_softmax_vjp, samples=_row)
@compilable("autograd.compiled.softmax", many=True)
def log_softmax(x, *, dim: int, dtype: DTypeLike | None = None):
    """log(softmax(x)) along `dim`, without overflow or underflow; x becomes `dtype` first."""
    wide = widened(x if dtype is None else x.astype(dtype))
    dim = axis(dim, x.ndim)
    with short_buffers(x.size):
        below = np.asarray(wide - _top(wide, dim))
        below -= np.log(added(np.exp(below), dim, True))
    return _as_asked(below, x, dtype)


def _as_asked(out, x, dtype):
    return out.astype(dtype if dtype is not None else x.dtype if x.dtype.kind == "f" else out.dtype, copy=False)
