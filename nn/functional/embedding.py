"""Vectors looked up in a table."""

import numpy as np

import autograd
from autograd import Tensor, as_tensor, no_grad, operation
from autograd.errors import ShapeError
from autograd.linalg import vector_norm
from autograd.operations.indexing import add_rows, picked
from autograd.samples import call
from autograd.typing import TensorLike


def _add_rows_forward(y, *, indices, count):
    """Zeros (count, width), with row i of y added to row indices[i]."""
    out = np.zeros((count, y.shape[-1]), y.dtype)
    add_rows(out, indices.ravel(), y.reshape(indices.size, y.shape[-1]), fresh=True)
    return out


def _lookup_samples(draw):
    table = draw.array(shape=(draw.integer(1, 3), draw.integer(1, 2)))
    return call(table, indices=draw.positions((len(table), draw.integer(1, 2)), 0))


def _add_samples(draw):
    count = draw.integer(1, 3)
    indices = draw.positions((count, draw.integer(1, 2)), 0)
    return call(draw.array(shape=(*indices.shape, 2)), indices=indices, count=count)


_lookup = operation(lambda table, *, indices: picked(table, (indices,)), names="_lookup",
                    samples=_lookup_samples, flops=0,
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
    given, indices, count = indices, indices.numpy(), weight.shape[0]
    if indices.size and (indices.min() < 0 or indices.max() >= count):
        worst = indices.min() if indices.min() < 0 else indices.max()
        raise IndexError(f"index {worst} is out of range for a table of {count} rows")
    if max_norm is not None:
        with no_grad():
            used = np.unique(indices)
            rows = weight.detach()[used]
            norms = vector_norm(rows, norm_type, 1, True).numpy()
            weight[used] = rows * np.where(norms > max_norm, max_norm / (norms + 1e-7), 1).astype(rows.dtype)
    out = _lookup(weight, indices=given)
    if scale_grad_by_freq and out.tracked:
        share = (1 / np.bincount(indices.ravel(), minlength=count)[indices])[..., None].astype(weight.dtype)
        out.register_hook(lambda g: g * share)
    if padding_idx is not None:
        ours = indices == padding_idx % count
        if ours.any():  # the same values, of which those rows are constants
            out = autograd.where(ours[..., None], out.detach(), out)
    return out


def _bags(shape, offsets, include_last_offset):
    """For each index the number of its bag, and how many bags there are; an index of the last number is in none."""
    if len(shape) == 2:
        if offsets is not None:
            raise ValueError(f"an input of shape {shape} has one bag in each row, so offsets must be None")
        return np.repeat(np.arange(shape[0]), shape[1]), shape[0]
    if len(shape) != 1 or offsets is None:
        raise ValueError(f"the input must have shape (bags, indices), or (indices,) beside offsets, not {shape}"
                         f"{' without offsets' * (len(shape) == 1)}")
    starts = as_tensor(offsets).detach().numpy()
    if starts.ndim != 1 or starts.dtype.kind not in "iu":
        raise ValueError(f"offsets must be integers of shape (bags,), not {starts.dtype} of shape {starts.shape}")
    ends = starts if include_last_offset else np.append(starts, shape[0])
    if not len(ends) or ends[0] != 0 or ends[-1] > shape[0] or (np.diff(ends) < 0).any():
        raise ValueError(f"offsets say where in the {shape[0]} indices each bag begins: they rise from 0 to at most "
                         f"{shape[0]}, unlike {starts.tolist()}")
    lengths = np.diff(np.append(ends, shape[0]))
    return np.repeat(np.arange(len(lengths)), lengths), len(ends) - 1


def embedding_bag(input: TensorLike, weight: Tensor, offsets: TensorLike | None = None, max_norm: float | None = None,
                  norm_type: float = 2.0, scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
                  per_sample_weights: Tensor | None = None, include_last_offset: bool = False,
                  padding_idx: int | None = None) -> Tensor:
    """The sum, mean or maximum of the rows of weight in each bag of indices; 0 for an empty bag.

    Args:
        input: integers (bags, indices), or (indices,), all bags one after the other.
        weight: (count, width).
        offsets: where in (indices,) each bag begins, (bags,), the first of them 0.
        max_norm: rows that are used are first shrunk, in place, to at most this norm.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide each row's gradient by how often it is used here; not for the maximum.
        mode: "sum", "mean" or "max".
        sparse: is accepted for PyTorch's sake; the gradient is the same, and dense.
        per_sample_weights: of the input's shape, what each row is multiplied by; for "sum" only.
        include_last_offset: offsets has one entry more, where the last bag ends.
        padding_idx: an index that doesn't count in its bag.

    Returns:
        (bags, width).

    >>> embedding_bag([0, 2, 1], autograd.tensor([[1.0], [2.0], [4.0]]), [0, 2], mode="sum")
    tensor([[5.],
            [2.]])
    """
    indices = as_tensor(input)
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"mode must be 'sum', 'mean' or 'max', not {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("scale_grad_by_freq divides the gradients of sums and means; leave it out with mode 'max'")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(f"per_sample_weights are weights of a sum; mode {mode!r} has none")
    if per_sample_weights is not None and per_sample_weights.shape != indices.shape:
        raise ShapeError(f"per_sample_weights must have the input's shape {indices.shape}, not "
                         f"{per_sample_weights.shape}")
    if weight.ndim != 2:
        raise ShapeError(f"weight must have shape (count, width), not {weight.shape}")
    if indices.ndim == 2 and indices.shape[1] and offsets is None and padding_idx is None and mode != "max":
        # as many in every bag: rows of a matrix
        rows = embedding(indices, weight, None, max_norm, norm_type, scale_grad_by_freq)
        rows = rows if per_sample_weights is None else rows * per_sample_weights[:, :, None]
        return rows.sum(1) if mode == "sum" else rows.mean(1)
    bag, count = _bags(indices.shape, offsets, include_last_offset)
    rows = embedding(indices.reshape(-1), weight, None, max_norm, norm_type, scale_grad_by_freq)
    counts = bag < count
    if padding_idx is not None:
        counts &= indices.numpy().reshape(-1) != padding_idx % weight.shape[0]
    if not counts.all():
        rows, bag = rows[counts], bag[counts]
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1)[counts][:, None]
    if mode == "max":
        best, width = _first_largest(rows.detach().numpy(), bag), weight.shape[1]
        return _add_rows(rows[best, np.arange(width)], indices=bag[best[:, 0]], count=count)
    total = _add_rows(rows, indices=bag, count=count)
    if mode == "sum":
        return total
    return total / np.maximum(np.bincount(bag, minlength=count), 1)[:, None].astype(weight.dtype)


def _first_largest(rows, bag):
    """For each bag that isn't empty, and each column, which row has its largest element (or a NaN) first."""
    starts = np.flatnonzero(np.diff(bag, prepend=-1))
    largest = np.maximum.reduceat(rows, starts, axis=0) if len(starts) else rows
    which = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(bag))))
    largest = largest[which] if len(starts) else rows
    place = np.where((rows == largest) | np.isnan(rows), np.arange(len(rows))[:, None], len(rows))
    return np.minimum.reduceat(place, starts, axis=0) if len(starts) else place


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
    out = np.zeros((array.size, num_classes), np.int64)
    out[np.arange(array.size), array.reshape(-1)] = 1
    return as_tensor(out.reshape(*array.shape, num_classes))
