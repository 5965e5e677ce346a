"""Distinct values, counts, histograms and search, which have no derivatives."""

from typing import Any

import numpy as np

from autograd import dtypes
from autograd.errors import ShapeError
from autograd.operations.shaping import axis, bare
from autograd.runtime.threads import in_parallel
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike


def _one_or_several(results: list[np.ndarray]) -> Any:
    return Tensor(results[0]) if len(results) == 1 else tuple(map(Tensor, results))


@operation()
def unique(x: TensorLike, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
           dim: int | None = None) -> Any:
    """The values that x has, each once and in order; along `dim`, its slices. Every NaN is another.

    With `return_inverse`, also where each element went; with `return_counts`, also how often each value occurs. (They
    are always sorted.)
    """
    x = bare(x)
    if dim is None and not return_inverse:
        return unique_consecutive(np.sort(x, None), return_counts=return_counts)
    along = None if dim is None else axis(dim, x.ndim)
    values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, axis=along, equal_nan=False)
    return _one_or_several([values] + return_inverse * [inverse.reshape(x.shape if along is None else -1)]
                           + return_counts * [counts])


@operation()
def unique_consecutive(x: TensorLike, return_inverse: bool = False, return_counts: bool = False,
                       dim: int | None = None) -> Any:
    """x without the elements (along `dim`, slices) that equal the one before them; see `unique` for the options."""
    x = bare(x)
    along = 0 if dim is None else axis(dim, x.ndim)
    rows = x.reshape(-1) if dim is None else np.moveaxis(x, along, 0)
    differs = np.ones(len(rows), bool)
    np.any(rows[1:] != rows[:-1], axis=tuple(range(1, rows.ndim)), out=differs[1:])
    first = np.flatnonzero(differs)
    results = [np.moveaxis(rows.take(first, 0), 0, along)]
    if return_inverse:
        results.append((np.cumsum(differs) - 1).reshape(x.shape if dim is None else -1))
    if return_counts:
        results.append(np.diff(first, append=len(rows)))
    return _one_or_several(results)


@operation(numpy={np.bincount: lambda x, weights=None, minlength=0: bincount(x, weights, minlength)})
def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, … occurs among the integers x, a vector; or the sum of the `weights` beside it.

    The result has at least `minlength` elements. Sums of float32 are float32, all others float64.
    """
    x = bare(x)
    if x.ndim != 1 or x.dtype.kind not in "iu" or (x.size and x.min() < 0):
        raise ShapeError(f"bincount() counts integers of at least 0 in a vector, not {x.dtype} of shape {x.shape}"
                         f"{f', the least of them {x.min()}' if x.size and x.dtype.kind in 'iu' else ''}")
    if weights is None:
        return Tensor(np.bincount(x, None, minlength).astype(np.int64, copy=False))
    weights = bare(weights)
    if weights.shape != x.shape:
        raise ShapeError(f"the weights have shape {weights.shape}, and what they weigh {x.shape}; they must be equal")
    return Tensor(np.bincount(x, weights, minlength).astype(np.float32 if weights.dtype == np.float32 else np.float64))


@operation()
def histc(x: TensorLike, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` parts of equal width from `min` to `max`, the last with its end.

    What lies outside, and NaN, isn't counted. If `min` and `max` are equal, those of x are taken.
    """
    x = bare(x)
    dtype = x.dtype
    low, high = float(min), float(max)
    if bins < 1 or high < low:
        raise ValueError(f"histc() needs at least one bin and max ≥ min, not bins={bins}, min={min}, max={max}")
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if low == high:
        low, high = low - 1, high + 1
    if not np.isfinite([low, high]).all():
        raise ValueError(f"histc() needs finite ends, and these are {low} and {high}; give min= and max=")
    x = x[(x >= low) & (x <= high)]
    places = ((x - dtype.type(low)) / dtype.type(high - low) * dtype.type(bins)).astype(np.int64)
    return Tensor(np.bincount(np.minimum(places, bins - 1), minlength=bins).astype(dtype))


def _found_in(x, values, side):
    """np.searchsorted of a vector, by threads."""
    flat, found = values.reshape(-1), np.empty(values.shape, np.int64)
    out = found.reshape(-1)

    def find(part):
        out[part] = np.searchsorted(x, flat[part], side)

    in_parallel(find, out.size, 16 * out.size)
    return found


@operation(numpy={np.searchsorted: lambda a, v, side="left", sorter=None: searchsorted(a, v, side=side, sorter=sorter)})
def searchsorted(x: TensorLike, input: TensorLike, *, out_int32: bool = False, right: bool = False,
                 side: str | None = None, sorter: TensorLike | None = None) -> Tensor:
    """Where each element of `input` would have to be inserted in x, whose rows are in order, to keep the order.

    Args:
        x: shape (..., n), in order along the last axis; or a vector, for an input of any shape.
        input: shape (..., k), or a number.
        out_int32: positions as int32, not int64.
        right: after equal elements, not before.
        side: the same, as "left" or "right".
        sorter: positions, of the shape of x, that bring it in order.
    """
    if side not in (None, "left", "right") or (side == "left" and right):
        raise ValueError(f"side={side!r} with right={right}; side may be 'left' or 'right', and 'left' goes with "
                         "right=False")
    x, values = bare(x), bare(input)
    if x.ndim > 1 and x.shape[:-1] != values.shape[:-1]:
        raise ShapeError(f"the rows of shape {x.shape} and the values of shape {values.shape} must be equal in all "
                         "axes but the last; a vector takes values of any shape")
    if sorter is not None:
        x = np.take_along_axis(x, bare(sorter), -1)
    side = side or ("right" if right else "left")
    if x.ndim == 1:
        found = _found_in(x, values, side)
    else:
        found = np.empty(values.shape, np.int64)
        rows = x.reshape(-1, x.shape[-1]) if x.size else x.reshape(int(np.prod(x.shape[:-1])), x.shape[-1])
        for row, out, part in zip(rows, found.reshape(len(rows), -1), values.reshape(len(rows), -1), strict=True):
            out[:] = np.searchsorted(row, part, side)
    return Tensor(np.asarray(found, np.int32 if out_int32 else np.int64))


@operation()
def bucketize(x: TensorLike, boundaries: TensorLike, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """In which of the parts between the `boundaries`, a vector in order, each element lies.

    It is i where boundaries[i - 1] < x <= boundaries[i]; with `right`, where boundaries[i - 1] <= x < boundaries[i].
    """
    return searchsorted(boundaries, x, out_int32=out_int32, right=right)


@operation(names="isin", methods="", numpy={np.isin: lambda element, test_elements, assume_unique=False, invert=False:
                                            isin(element, test_elements, invert=invert)})
def isin(elements: TensorLike, test_elements: TensorLike, *, assume_unique: bool = False,
         invert: bool = False) -> Tensor:
    """Whether each element is among `test_elements`; with `invert`, whether it is not."""
    return Tensor(np.asarray(np.isin(bare(elements), bare(test_elements), invert=invert), dtypes.bool_))
