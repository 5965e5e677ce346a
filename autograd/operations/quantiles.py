"""Quantiles, the most frequent value, covariance and correlation."""

import numpy as np

from autograd import dtypes
from autograd.errors import ShapeError
from autograd.operations.indexing import gather
from autograd.operations.ordering import selection, sort
from autograd.operations.pointwise import where
from autograd.operations.reductions import amax
from autograd.operations.shaping import axis, bare, movedim
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import TensorLike, ValuesIndices

_WAYS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(x, q, dim, keepdim, interpolation, ignore_nan):
    if interpolation not in _WAYS:
        raise ValueError(f"interpolation={interpolation!r} is none of {', '.join(_WAYS)}")
    if x.dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(f"quantiles are those of float32 and float64, not of {x.dtype}; write t.float()")
    q = np.asarray(q.detach().array if isinstance(q, Tensor) else q, x.dtype)
    if q.ndim > 1 or not ((q >= 0) & (q <= 1)).all():
        raise RuntimeError("q must be a number, or a vector of numbers, between 0 and 1")
    if not x.numel():
        raise RuntimeError(f"there is no element in a tensor of shape {x.shape}")
    whole, along = dim is None, -1 if dim is None else axis(dim, x.ndim)
    rows = x.reshape(-1) if whole or not x.ndim else movedim(x, along, -1)
    rows = sort(rows).values
    values = rows.detach().array
    missing = np.isnan(values).sum(-1, keepdims=True)  # they come last
    last = values.shape[-1] - 1
    if ignore_nan:
        ranks = np.maximum(last - missing, 0) * q.reshape(-1)
    else:
        ranks = np.where(missing > 0, last, last * q.reshape(-1)).astype(x.dtype)
    ranks = np.rint(ranks) if interpolation == "nearest" else ranks.astype(x.dtype)
    below = np.ceil(ranks) if interpolation == "higher" else np.floor(ranks)
    out = gather(rows, -1, below.astype(np.int64))
    if interpolation in ("linear", "midpoint"):
        share = np.full_like(ranks, 0.5) if interpolation == "midpoint" else ranks - below
        out = out.lerp(gather(rows, -1, np.ceil(ranks).astype(np.int64)), Tensor(share))
    out = movedim(out, -1, 0)
    if keepdim and x.ndim:
        out = out.reshape((len(out), *(1,) * x.ndim)) if whole else out.unsqueeze(along % x.ndim + 1)
    return out if q.ndim else out[0]


def _samples(draw):
    x = draw.array(min_dims=1, min_side=1, distinct=True)
    return call(x, draw.choice([0.3, 0.0, 1.0]), draw.choice([None, 0, -1]), draw.boolean())


@operation(samples=_samples)
def quantile(x: TensorLike, q: TensorLike, dim: int | None = None, keepdim: bool = False, *,
             interpolation: str = "linear") -> Tensor:
    """The value that the share q of the elements along `dim` (None: of all) lie below; NaN if there is a NaN.

    Args:
        x: float32 or float64.
        q: between 0 and 1; a vector of them gives the result a leading axis of its length.
        dim: the axis.
        keepdim: leave the axis, of length 1.
        interpolation: between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
    """
    return _quantile(x, q, dim, keepdim, interpolation, False)


@operation(samples=_samples)
def nanquantile(x: TensorLike, q: TensorLike, dim: int | None = None, keepdim: bool = False, *,
                interpolation: str = "linear") -> Tensor:
    """`quantile` of the elements that are not NaN."""
    return _quantile(x, q, dim, keepdim, interpolation, True)


def _position_of_nanmedian(x, dim):
    order = np.argsort(x, dim, kind="stable")  # NaN comes last
    there = x.shape[dim] - np.isnan(x).sum(dim, keepdims=True)
    return np.take_along_axis(order, np.maximum(there - 1, 0) // 2, dim).squeeze(dim)


def _position_of_mode(x, dim):
    """Of several most frequent values the least is taken, and of that the last one."""
    x = np.moveaxis(x, dim, -1)
    order = np.argsort(x, -1, kind="stable")
    ordered = np.take_along_axis(x, order, -1)
    starts = np.ones(x.shape, bool)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    places = np.arange(x.shape[-1])
    length = places - np.maximum.accumulate(np.where(starts, places, 0), -1)
    return np.take_along_axis(order, np.argmax(length, -1)[..., None], -1)[..., 0]


_nanmedian_along = selection(_position_of_nanmedian, "_nanmedian_along", "The median along `dim` without NaN.", None)
_mode_along = selection(_position_of_mode, "_mode_along", "The most frequent value along `dim`.", None)


@operation(samples=lambda draw: call(draw.array(min_dims=1, min_side=1, distinct=True)))
def nanmedian(x: TensorLike, dim: int | None = None, keepdim: bool = False) -> Tensor | ValuesIndices:
    """The median of the elements that are not NaN, the lower of two in the middle; along `dim`, with its position."""
    if dim is not None:
        return _nanmedian_along(x, dim=dim, keepdim=keepdim)
    row = x.reshape(-1)
    taken = bare(row) == bare(_nanmedian_along(bare(row), dim=0)[0])  # equal ones share the gradient
    return amax(row[taken]) if taken.any() else _nanmedian_along(row, dim=0)[0]


@operation(samples=lambda draw: call(draw.array(min_dims=1, min_side=1, distinct=True)))
def mode(x: TensorLike, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The most frequent value along `dim`, of several the least, and where it is."""
    return _mode_along(x, dim=dim, keepdim=keepdim)


# Variables in rows, observations in columns

@operation(numpy={np.cov: lambda m, ddof=1, fweights=None, aweights=None: cov(
    m, correction=ddof, fweights=fweights, aweights=aweights)},
           samples=lambda draw: call(draw.array((2, 4)), correction=draw.choice([1, 0])))
def cov(x: TensorLike, *, correction: int = 1, fweights: TensorLike | None = None,
        aweights: TensorLike | None = None) -> Tensor:
    """The covariances of variables, each a row of observations (a vector is one variable).

    Args:
        x: shape (variables, observations) or (observations,).
        correction: what is taken from the number of observations: 1 (Bessel's) or 0.
        fweights: how often each observation was made, integers.
        aweights: how much each observation counts.
    """
    if x.ndim > 2:
        raise ShapeError(f"cov() takes a matrix or a vector, not shape {x.shape}")
    rows = x.reshape((1, -1)) if x.ndim < 2 else x
    dtype = rows.dtype if rows.dtype.kind == "f" else dtypes.get_default_dtype()
    rows = rows.to(dtype)
    weights, frequent = None, None
    if fweights is not None:
        frequent = fweights.to(dtype) if isinstance(fweights, Tensor) else Tensor(np.asarray(fweights, dtype))
        weights = frequent
    if aweights is not None:
        amount = aweights.to(dtype) if isinstance(aweights, Tensor) else Tensor(np.asarray(aweights, dtype))
        weights = amount if weights is None else weights * amount
    if weights is None:
        total = Tensor(np.asarray(rows.shape[1], dtype))
        centered = rows - rows.mean(1, keepdim=True)
        weighted = centered
        rest = total - correction
    else:
        total = weights.sum()
        centered = rows - (rows * weights).sum(1, keepdim=True) / total
        weighted = centered * weights
        if aweights is None or correction == 0:
            rest = total - correction
        else:
            rest = total - correction * (weights * amount).sum() / total
    return ((weighted @ centered.T) / where(rest > 0, rest, rest * 0)).squeeze()


@operation(samples=lambda draw: call(draw.array((2, 4), distinct=True)))
def corrcoef(x: TensorLike) -> Tensor:
    """The correlations of variables, each a row of observations: their covariances over their deviations."""
    if x.ndim > 2:
        raise ShapeError(f"corrcoef() takes a matrix or a vector, not shape {x.shape}")
    c = cov(x)
    if not c.ndim:
        return c / c
    deviation = c.diagonal().sqrt()
    return (c / deviation[:, None] / deviation[None, :]).clamp(-1, 1)
