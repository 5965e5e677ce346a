"""Fewer elements out than in: sums, means, extremes, and the softmax family."""

import builtins
import math

import numpy as np

from autograd import dtypes
from autograd.table import operation
from autograd.samples import call, reduction


def axes(ndim, dim):
    """The axes that `dim` (an axis, several, or None for all) means, as non-negative numbers."""
    if dim is None:
        return tuple(range(ndim))
    return tuple([d % ndim if ndim else 0 for d in (dim if isinstance(dim, (tuple, list)) else (dim,))])


def spread(g, shape, dim):
    """The result of a reduction (or its gradient) beside every element it was made from."""
    reduced = axes(len(shape), dim)
    return np.broadcast_to(g.reshape([1 if i in reduced else n for i, n in enumerate(shape)]), shape)


def count(shape, dim):
    """How many elements a reduction makes into one; a Python int, since a NumPy one would turn float32 into float64."""
    return math.prod(shape[d] for d in axes(len(shape), dim)) if shape else 1


def _nonempty_reduction(draw):
    x = draw.array(min_side=1, distinct=True)
    return call(x, dim=draw.dims(x.ndim), keepdim=draw.boolean())


@operation(vjps=lambda g, out, x, dim, keepdim: spread(g, x.shape, dim), samples=reduction, numpy=np.sum)
def sum(x, *, dim=None, keepdim=False):
    """The sum over `dim` (an axis, several, or all). Booleans and integers are summed as int64."""
    return x.sum(axis=dim, keepdims=keepdim, dtype=dtypes.int64 if x.dtype.kind in "biu" else None)


@operation(vjps=lambda g, out, x, dim, keepdim: spread(g, x.shape, dim) / count(x.shape, dim),
           samples=_nonempty_reduction, numpy=np.mean)
def mean(x, *, dim=None, keepdim=False):
    """The mean over `dim` (an axis, several, or all)."""
    return x.mean(axis=dim, keepdims=keepdim)


def _extreme_vjp(g, out, x, dim, keepdim):
    ties = (x == spread(out, x.shape, dim)).astype(x.dtype)
    return spread(g, x.shape, dim) * ties / ties.sum(axis=dim, keepdims=True)


@operation(vjps=_extreme_vjp, samples=_nonempty_reduction, numpy=(np.amax, np.max))
def amax(x, *, dim=None, keepdim=False):
    """The largest element over `dim`; equal ones share the gradient."""
    return x.max(axis=dim, keepdims=keepdim)


@operation(vjps=_extreme_vjp, samples=_nonempty_reduction, numpy=(np.amin, np.min))
def amin(x, *, dim=None, keepdim=False):
    """The smallest element over `dim`; equal ones share the gradient."""
    return x.min(axis=dim, keepdims=keepdim)


all = operation(lambda x, *, dim=None, keepdim=False: x.all(axis=dim, keepdims=keepdim), vjps=(None,), names="all",
                numpy=np.all, doc="Whether all elements over `dim` are true (not zero).")
any = operation(lambda x, *, dim=None, keepdim=False: x.any(axis=dim, keepdims=keepdim), vjps=(None,), names="any",
                numpy=np.any, doc="Whether some element over `dim` is true (not zero).")


def _prod_vjp(g, out, x, dim, keepdim):
    if (x != 0).all():
        return spread(g * out, x.shape, dim) / x
    # Division cannot give the product of the others where an element is 0. So: for each element a row of all the
    # factors, with 1 in that element's place.
    reduced = axes(x.ndim, dim)
    order = [i for i in range(x.ndim) if i not in reduced] + list(reduced)
    moved, n = np.transpose(x, order), count(x.shape, dim)
    rows = np.where(np.eye(n, dtype=bool), 1, moved.reshape((*moved.shape[:x.ndim - len(reduced)], 1, n)))
    others = np.prod(rows, axis=-1).reshape(moved.shape)
    return spread(g, x.shape, dim) * np.transpose(others, [order.index(i) for i in range(x.ndim)])


@operation(vjps=_prod_vjp, samples=reduction, numpy=np.prod)
def prod(x, *, dim=None, keepdim=False):
    """The product over `dim`; its gradient is right where elements are 0."""
    return x.prod(axis=dim, keepdims=keepdim)


def _np_var(x, axis=None, ddof=0, keepdims=False):
    return var(x, dim=axis, correction=ddof, keepdim=keepdims)


@operation(samples=lambda draw: call(x := draw.array(min_side=2, min_dims=1), dim=draw.dims(x.ndim), keepdim=draw.boolean()),
           numpy={np.var: _np_var})
def var(x, dim=None, correction=1, keepdim=False):
    """The variance over `dim`, with divisor n - correction (1 is Bessel's correction, and PyTorch's default)."""
    deviation = x - mean(x, dim=dim, keepdim=True)
    return sum(deviation * deviation, dim=dim, keepdim=keepdim) / builtins.max(count(x.shape, dim) - correction, 0)


def _row(draw):
    x = draw.array(min_dims=1, min_side=1)
    return call(x, dim=draw.dim(x.ndim))


def _exponentials(x, dim):
    """exp(x - max x) and the max: no overflow; where all is -inf the max is taken as 0."""
    top = x.max(axis=dim, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    return np.exp(x - top), top


@operation(vjps=lambda g, out, x, dim, keepdim: spread(g, x.shape, dim) * np.exp(x - spread(out, x.shape, dim)),
           samples=_nonempty_reduction)
def logsumexp(x, *, dim, keepdim=False):
    """log(sum(exp(x))) over `dim`, without overflow."""
    exponentials, top = _exponentials(x, dim)
    out = np.log(exponentials.sum(axis=dim, keepdims=True)) + top
    return out if keepdim else out.reshape(x.sum(axis=dim).shape)


@operation(vjps=lambda g, out, x, dim: out * (g - (g * out).sum(axis=dim, keepdims=True)), samples=_row)
def softmax(x, *, dim):
    """exp(x) / sum(exp(x)) along `dim`, without overflow."""
    exponentials, _ = _exponentials(x, dim)
    return exponentials / exponentials.sum(axis=dim, keepdims=True)


@operation(vjps=lambda g, out, x, dim: g - np.exp(out) * g.sum(axis=dim, keepdims=True), samples=_row)
def log_softmax(x, *, dim):
    """log(softmax(x)) along `dim`, without overflow or underflow."""
    exponentials, top = _exponentials(x, dim)
    return x - top - np.log(exponentials.sum(axis=dim, keepdims=True))
