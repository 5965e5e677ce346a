"""The same elements in another shape, order or company."""

import math

import numpy as np

from autograd.table import operation
from autograd.samples import call, numbers
from autograd.tensor import Outline


def as_shape(shape):
    """A shape given as a number or as a sequence."""
    return tuple([int(n) for n in shape]) if isinstance(shape, (tuple, list)) else (int(shape),)


def axis(dim, ndim, extra=0):
    """`dim` as a non-negative number.

    Raises:
        IndexError: there is no such axis.
    """
    if not -ndim - extra <= dim < ndim + extra:
        raise IndexError(f"dim={dim} is out of range for a tensor with {ndim} axes; it may be {-ndim - extra} to "
                         f"{ndim + extra - 1}")
    return dim % (ndim + extra)


# Views: the result shares memory with x.

@operation(vjps=lambda g, out, x, shape: g.reshape(x.shape), view=True, methods="reshape view",
           numpy={np.reshape: lambda a, shape, order="C": reshape(a, shape)},
           samples=lambda draw: call(x := draw.array(min_side=1), shape=draw.choice([-1, (1, *x.shape), (x.size, 1)])))
def reshape(x, *, shape):
    """The same elements, in order, in another shape; one entry may be -1, for whatever is left."""
    return x.reshape(as_shape(shape))


@operation(vjps=lambda g, out, x, dims: np.transpose(g, np.argsort([axis(d, len(dims)) for d in dims])), view=True,
           numpy={np.transpose: lambda a, axes=None: permute(a, tuple(range(a.ndim))[::-1] if axes is None else axes)},
           samples=lambda draw: call(x := draw.array(), dims=draw.permutation(x.ndim)))
def permute(x, *, dims):
    """The axes in another order: axis i of the result is axis dims[i] of x."""
    return x.transpose(dims)


@operation(names="transpose swapaxes swapdims", numpy=np.swapaxes,
           samples=lambda draw: call(x := draw.array(min_dims=1), draw.dim(x.ndim), draw.dim(x.ndim)))
def transpose(x, dim0, dim1):
    """Two axes exchanged."""
    dims = list(range(x.ndim))
    i, j = axis(dim0, x.ndim), axis(dim1, x.ndim)
    dims[i], dims[j] = j, i
    return permute(x, dims)


def _expanded(x, shape):
    shape = as_shape(shape)
    lead = len(shape) - x.ndim
    return tuple([x.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(shape)])


@operation(vjps=lambda g, out, x, shape: g, view=True, names="expand broadcast_to", numpy=np.broadcast_to,
           samples=lambda draw: call(x := draw.array(), shape=draw.stretched(x.shape)))
def expand(x, *, shape):
    """x with axes of length 1 repeated, and new ones in front, to `shape`; -1 keeps a length. No memory is copied."""
    return np.broadcast_to(x, _expanded(x, shape))


@operation(names="unsqueeze", numpy=np.expand_dims,
           samples=lambda draw: call(x := draw.array(), dim=draw.dim(x.ndim + 1)))
def unsqueeze(x, dim):
    """A new axis of length 1 at position `dim` (or several)."""
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    new = {axis(d, x.ndim, len(dims)) for d in dims}
    lengths = iter(x.shape)
    return reshape(x, [1 if i in new else next(lengths) for i in range(x.ndim + len(new))])


@operation(numpy=np.squeeze, samples=lambda draw: call(x := draw.array(min_dims=1), dim=draw.dims(x.ndim)))
def squeeze(x, dim=None):
    """Without the axes of length 1: all of them, or those among `dim`."""
    dims = range(x.ndim) if dim is None else [axis(d, x.ndim) for d in (dim if isinstance(dim, tuple) else (dim,))]
    return reshape(x, [n for i, n in enumerate(x.shape) if n != 1 or i not in dims])


@operation(samples=lambda draw: call(x := draw.array(min_dims=1, min_side=1), start_dim=draw.dim(x.ndim)))
def flatten(x, start_dim=0, end_dim=-1):
    """The axes from `start_dim` to `end_dim` as one."""
    if not x.ndim:
        return reshape(x, (1,))
    start, end = axis(start_dim, x.ndim), axis(end_dim, x.ndim)
    return reshape(x, (*x.shape[:start], math.prod(x.shape[start:end + 1]), *x.shape[end + 1:]))


# Copies

@operation(vjps=lambda g, out, x: g, names="clone", methods="clone copy", numpy=np.copy, samples=numbers)
def clone(x):
    """A copy of the values, with x as its origin."""
    return x.copy()


def _cat_vjp(g, out, *tensors: Outline, dim, needs_input_grad):
    dim %= len(g.shape)
    parts, start = [], 0
    for x in tensors:
        end = start + x.shape[dim]
        parts.append(g[(slice(None),) * dim + (slice(start, end),)])
        start = end
    return parts


@operation(joint_vjp=_cat_vjp, names="cat concatenate concat", methods="", numpy=np.concatenate,
           samples=lambda draw: call(draw.alike(3, vary=(dim := draw.choice([0, -1]))), dim=dim))
def cat(*tensors, dim=0):
    """Tensors joined along an axis that they have."""
    return np.concatenate(tensors, axis=dim)


def _stack_vjp(g, out, *tensors: Outline, dim, needs_input_grad):
    lead = (slice(None),) * (dim % len(g.shape))
    return [g[(*lead, i)] for i in range(len(needs_input_grad))]


@operation(joint_vjp=_stack_vjp, methods="", numpy=np.stack,
           samples=lambda draw: call(draw.alike(3), dim=draw.choice([0, -1])))
def stack(*tensors, dim=0):
    """Tensors of one shape joined along a new axis."""
    return np.stack(tensors, axis=dim)
