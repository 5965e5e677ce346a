"""Reading and writing parts of a tensor.

Each way of reading has an adjoint that adds into zeros: the derivative of one is the other.
"""

import numpy as np

from autograd import inplace
from autograd.table import operation
from autograd.samples import call
from autograd.tensor import Tensor


def as_index(index):
    """An index whose Tensors (and nested lists) have become arrays."""
    parts = index if isinstance(index, tuple) else (index,)
    return tuple([part.detach().numpy() if isinstance(part, Tensor) else
                  np.asarray(part, np.int64 if not len(part) else None) if isinstance(part, list) else part
                  for part in parts])


def is_basic(index):
    """Whether an index picks every element at most once, by numbers and slices alone."""
    return all(part is None or part is Ellipsis or isinstance(part, (int, slice, np.integer))
               and not isinstance(part, (bool, np.bool_)) for part in index)


def _read(x, *, index):
    out = x[index]
    return x[(*index, ...)] if isinstance(out, np.generic) else out  # a view even of a single element


def _add_into_zeros(x, *, index, shape):
    out = np.zeros(shape, x.dtype)
    if is_basic(index):
        out[index] = x
    else:
        np.add.at(out, index, x)
    return out


_getitem = operation(
    _read, vjps=lambda g, out, x, index: _scatter(g, index=index, shape=x.shape), view=True, names="_getitem",
    samples=lambda draw: call(x := draw.array(min_dims=1), index=draw.index(x.shape)))

_scatter = operation(
    _add_into_zeros, vjps=lambda g, out, x, index, shape: _getitem(g, index=index), names="_scatter",
    samples=lambda draw: call(np.array((x := draw.array(min_dims=1))[index := draw.index(x.shape)]), index=index,
                              shape=x.shape))


def _write(x, value, *, index):
    out = x.copy()
    out[index] = value
    return out


def _last_writer(shape, index):
    """Where an index names an element several times: true for the one that is written last."""
    order = np.arange(np.empty(shape, bool)[index].size).reshape(np.empty(shape, bool)[index].shape)
    last = np.zeros(shape, np.int64)
    last[index] = order
    return last[index] == order


def _write_vjp_value(g, out, x, value, index):
    picked = _getitem(g, index=index)
    return picked if is_basic(index) else picked * _last_writer(x.shape, index)


def _setitem_samples(draw):
    x = draw.array(min_dims=1)
    index = draw.index(x.shape)
    return call(x, draw.array(shape=x[index].shape), index=index)


_setitem = operation(
    _write, vjps=(lambda g, out, x, value, index: _setitem(g, 0.0, index=index), _write_vjp_value),
    names="_setitem", samples=_setitem_samples)


def __getitem__(self, index):
    """self[index], with every kind of index that NumPy has."""
    try:
        return _getitem(self, index=as_index(index))
    except IndexError as error:
        raise IndexError(f"index {index!r} does not fit a tensor of shape {self.shape}: {error}") from None


def __setitem__(self, index, value):
    """Write `value` to self[index]: in place as all in-place methods are."""
    index = as_index(index)
    value = value if isinstance(value, Tensor) else Tensor(np.asarray(value, self.dtype))
    if value.dtype is not self.dtype:
        value = value.to(self.dtype)
    extra = value.ndim - self.array[index].ndim
    if extra > 0 and value.shape[:extra] == (1,) * extra:  # NumPy ignores leading axes of length 1
        value = value.reshape(value.shape[extra:])
    inplace.forget_change_through(self, value)  # x[0] += 1 is: v = x[0]; v += 1; x[0] = v
    inplace.assign(self, _setitem(self, value, index=index))


Tensor.__getitem__, Tensor.__setitem__ = __getitem__, __setitem__


# Along one axis, by an array of positions

def _grid(index, dim):
    """The full index that `index` along axis `dim` stands for."""
    dim %= index.ndim
    return tuple([index if i == dim else np.arange(n).reshape([-1 if j == i else 1 for j in range(index.ndim)])
                  for i, n in enumerate(index.shape)])


def _gather_samples(draw):
    x = draw.array(min_dims=1, min_side=1)
    dim = draw.dim(x.ndim)
    return call(x, dim=dim, index=draw.positions(x.shape, dim))


def scatter_along(x, index, dim, shape):
    """Zeros of `shape`, with x added at `index` along axis `dim`: the adjoint of `gather`."""
    return _scatter(x, index=_grid(np.asarray(index), dim), shape=shape)


@operation(vjps=lambda g, out, x, dim, index: scatter_along(g, index, dim, x.shape), samples=_gather_samples,
           numpy={np.take_along_axis: lambda arr, indices, axis: gather(arr, axis, indices)})
def gather(x, *, dim, index):
    """out[i][j][k] = x[i][index[i][j][k]][k] for dim=1, and so on for other axes."""
    if index.ndim != x.ndim:
        raise IndexError(f"index has {index.ndim} axes and the tensor {x.ndim}; they must have as many")
    return x[_grid(index, dim)]
