"""Vectors looked up in a table."""

import numpy as np

import autograd
from autograd import Tensor, as_tensor, no_grad, operation
from autograd.linalg import vector_norm
from autograd.samples import call
from autograd.typing import TensorLike


def _add_rows_forward(y, *, indices, count):
    """Zeros (count, width), with row i of y added to row indices[i]; sorted first, so that each row is one sum."""
    indices, rows = indices.ravel(), y.reshape(indices.size, y.shape[-1])
    out = np.zeros((count, y.shape[-1]), y.dtype)
    if len(indices):
        order = np.argsort(indices, kind="stable")
        ordered = indices[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        out[ordered[starts]] = np.add.reduceat(rows[order], starts, axis=0)
    return out


def _lookup_samples(draw):
    table = draw.array(shape=(draw.integer(1, 3), draw.integer(1, 2)))
    return call(table, indices=draw.positions((len(table), draw.integer(1, 2)), 0))


def _add_samples(draw):
    count = draw.integer(1, 3)
    indices = draw.positions((count, draw.integer(1, 2)), 0)
    return call(draw.array(shape=(*indices.shape, 2)), indices=indices, count=count)


_lookup = operation(lambda table, *, indices: table[indices], names="_lookup", samples=_lookup_samples, flops=0,
                    vjps=lambda g, out, table, indices: _add_rows(g, indices=indices, count=table.shape[0]))

_add_rows = operation(_add_rows_forward, names="_add_rows", samples=_add_samples,
                      vjps=lambda g, out, y, indices, count: _lookup(g, indices=indices))


def embedding(input: TensorLike, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
              norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False) -> Tensor:
    """Row input[...] of weight for each index.

    Args:
        input: integers of any shape.
        weight: (count, width).
        padding_idx: a row that gets no gradient.
        max_norm: rows that are used are first shrunk, in place, to at most this norm.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide each row's gradient by how often it is used here.
        sparse: is accepted for PyTorch's sake; the gradient is the same, and dense.

    Returns:
        (*input.shape, width).
    """
    indices = as_tensor(input)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"indices must be integers, not {indices.dtype}; write input.long()")
    indices, count = indices.numpy(), weight.shape[0]
    if indices.size and (indices.min() < 0 or indices.max() >= count):
        worst = indices.min() if indices.min() < 0 else indices.max()
        raise IndexError(f"index {worst} is out of range for a table of {count} rows")
    if max_norm is not None:
        with no_grad():
            used = np.unique(indices)
            rows = weight.detach()[used]
            norms = vector_norm(rows, norm_type, 1, True).numpy()
            weight[used] = rows * np.where(norms > max_norm, max_norm / (norms + 1e-7), 1).astype(rows.dtype)
    out = _lookup(weight, indices=indices)
    if scale_grad_by_freq and out.tracked:
        share = (1 / np.bincount(indices.ravel(), minlength=count)[indices])[..., None].astype(weight.dtype)
        out.register_hook(lambda g: g * share)
    if padding_idx is not None:
        ours = indices == padding_idx % count
        if ours.any():  # the same values, of which those rows are constants
            out = autograd.where(ours[..., None], out.detach(), out)
    return out


def one_hot(input: TensorLike, num_classes: int = -1) -> Tensor:
    """1 at input[...], else 0, along a new last axis of `num_classes`; by default, the largest index + 1; int64."""
    indices = as_tensor(input)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"indices must be integers, not {indices.dtype}; write input.long()")
    array = indices.numpy()
    if num_classes == -1:
        if not array.size:
            raise ValueError("num_classes cannot be found from no indices; give it")
        num_classes = int(array.max()) + 1
    if array.size and (array.min() < 0 or array.max() >= num_classes):
        raise IndexError(f"indices from {array.min()} to {array.max()} do not fit {num_classes} classes")
    return as_tensor(np.eye(num_classes, dtype=np.int64)[array])
