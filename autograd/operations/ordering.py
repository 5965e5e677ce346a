"""By size: sorting, and extremes along an axis. The gradient goes to the elements that were taken."""

import numpy as np

from autograd.table import operation
from autograd.operations.indexing import gather, scatter_along
from autograd.operations.pointwise import maximum, minimum
from autograd.operations.reductions import amax, amin
from autograd.samples import call
from autograd.tensor import Tensor


def _distinct(draw):
    x = draw.array(min_dims=1, min_side=1, distinct=True)
    return call(x, dim=draw.dim(x.ndim))


argmax = operation(
    lambda x, *, dim=None, keepdim=False: np.asarray(np.argmax(x, axis=dim, keepdims=keepdim)), vjps=(None,),
    names="argmax", numpy=np.argmax, doc="The position of the largest element: along `dim`, or in x flattened.")
argmin = operation(
    lambda x, *, dim=None, keepdim=False: np.asarray(np.argmin(x, axis=dim, keepdims=keepdim)), vjps=(None,),
    names="argmin", numpy=np.argmin, doc="The position of the smallest element: along `dim`, or in x flattened.")


def _extreme_along(arg):
    def forward(x, *, dim, keepdim=False):
        indices = arg(x, axis=dim, keepdims=True)
        values = np.take_along_axis(x, indices, dim)
        return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))
    return forward


def _extreme_along_vjp(g, out, x, dim, keepdim):
    g, indices = g[0], np.asarray(out[1])
    if not keepdim:
        g, indices = np.expand_dims(g, dim), np.expand_dims(indices, dim)
    return scatter_along(g, indices, dim, x.shape)


_max_along = operation(_extreme_along(np.argmax), vjps=_extreme_along_vjp, outputs="values indices", names="_max_along",
                       samples=_distinct)
_min_along = operation(_extreme_along(np.argmin), vjps=_extreme_along_vjp, outputs="values indices", names="_min_along",
                       samples=_distinct)


@operation
def max(x, dim=None, keepdim=False):
    """The largest element; with `dim`, the pair (values, indices) along it; with a Tensor in its place, `maximum`."""
    if isinstance(dim, Tensor):
        return maximum(x, dim)
    return amax(x) if dim is None else _max_along(x, dim=dim, keepdim=keepdim)


@operation
def min(x, dim=None, keepdim=False):
    """The smallest element; with `dim`, the pair (values, indices) along it; with a Tensor in its place, `minimum`."""
    if isinstance(dim, Tensor):
        return minimum(x, dim)
    return amin(x) if dim is None else _min_along(x, dim=dim, keepdim=keepdim)


def _argsort(x, dim, descending):
    """Equal elements stay in order, whichever the direction."""
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    return np.flip(x.shape[dim] - 1 - np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)


argsort = operation(
    lambda x, *, dim=-1, descending=False: _argsort(x, dim, descending), vjps=(None,), names="argsort",
    doc="The positions of the elements in order of size along `dim`.", numpy=np.argsort)


def _sorted(x, *, dim=-1, descending=False):
    indices = _argsort(x, dim, descending)
    return np.take_along_axis(x, indices, dim), indices


@operation(vjps=lambda g, out, x, dim, descending: gather(g[0], dim=dim, index=np.argsort(np.asarray(out[1]), axis=dim)),
           outputs="values indices", samples=_distinct,
           numpy={np.sort: lambda a, axis=-1: sort(a, axis).values})
def sort(x, *, dim=-1, descending=False):
    """The elements in order of size along `dim`, and where they were: (values, indices). Equal elements stay in order."""
    return _sorted(x, dim=dim, descending=descending)
