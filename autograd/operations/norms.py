"""Norms of vectors and of matrices."""

import math

import numpy as np

from autograd import dtypes
from autograd.errors import ShapeError
from autograd.operations.linalg import full_rank, svdvals
from autograd.operations.pointwise import floating, only, raised, times, where
from autograd.operations.shaping import axes, axis, beside, movedim, reduced
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import Dims, DTypeLike, TensorLike


def _norm_vjp(g, out, x, ord, dim, keepdim):
    g, norm = beside(g, x.shape, dim), beside(out, x.shape, dim)
    if ord == 0:
        return times(g, np.zeros_like(x))
    if ord == 1:
        return times(g, np.sign(x))
    flat = norm == 0  # it is taken to be
    ratio = x / np.where(flat, 1, norm)
    if ord != 2:
        ratio = np.sign(x) * np.where(x == 0, 1, np.abs(ratio)) ** (ord - 1)
    return times(g, only(ratio, ~flat) if flat.any() else ratio)


def length(x, ord, axis, keepdims):
    """The norm of order `ord` over `axis`, of an array: scaled by the largest |x| (of a negative order, the smallest)
    where powers would leave the range of numbers.
    """
    x = floating(x)
    if x.dtype == np.float16:
        return length(x.astype(np.float32), ord, axis, keepdims).astype(np.float16)
    with np.errstate(all="ignore"):
        if ord == 0:
            return (x != 0).sum(axis=axis, keepdims=keepdims, dtype=x.dtype)
        if ord == 1:
            return np.abs(x).sum(axis=axis, keepdims=keepdims)

        def root(powers):
            return np.sqrt(powers) if ord == 2 else powers ** (1 / ord)
        total = _squares(x, axis) if ord == 2 else raised(np.abs(x), ord).sum(axis=axis, keepdims=True)
        out, regular = root(total), (total < np.inf) & (total > _SMALL[x.dtype])
        if not regular.all():
            size = np.abs(x)
            scale = size.max(axis=axis, keepdims=True, initial=0) if ord > 0 else size.min(axis=axis, keepdims=True)
            scale = np.where((scale == 0) | np.isinf(scale), 1, scale)
            out = np.where(regular, out, scale * root(raised(size / scale, ord).sum(axis=axis, keepdims=True)))
    return out if keepdims else out.squeeze(axis)


PART = 1 << 10
"""So many squares are added up at once, as a product, which writes none of them to memory."""


def _squares(x, axis):
    if axis is not None or x.size < PART or not x.flags.c_contiguous:
        return (x * x).sum(axis=axis, keepdims=True)
    x, ndim = x.reshape(-1), x.ndim
    parts, rest = x[:x.size - x.size % PART].reshape(-1, PART), x[x.size - x.size % PART:]
    return (np.vecdot(parts, parts).sum() + np.vecdot(rest, rest)).reshape([1] * ndim)


_SMALL = {dtype: limits.tiny / limits.eps for dtype in (dtypes.float32, dtypes.float64) for limits in [np.finfo(dtype)]}
"""Sums below this lack digits that were too small for the range."""

_power_norm = operation(
    lambda x, *, ord, dim, keepdim: length(x, ord, reduced(dim, x.ndim), keepdim), vjps=_norm_vjp,
    names="_vector_norm", samples=lambda draw: call(
        x := draw.array(away_from=(0,), min_side=1), ord=draw.choice([2, 1, 3, 1.5, 0.5, -1, 0]),
        dim=draw.dims(x.ndim), keepdim=draw.boolean()))


@operation(names="_linalg_vector_norm", methods="", numpy={
    np.linalg.vector_norm: lambda x, *, axis=None, keepdims=False, ord=2: vector_norm(x, ord, axis, keepdims)},
    samples=lambda draw: call(x := draw.array(distinct=True, low=0.1, min_side=1),
                              draw.choice([2, math.inf, -math.inf]), draw.dims(x.ndim), draw.boolean()))
def vector_norm(x: TensorLike, ord: float = 2, dim: Dims | None = None, keepdim: bool = False, *,
                dtype: DTypeLike | None = None) -> Tensor:
    """(sum of |x| ** ord) ** (1 / ord) over `dim` (an axis, several, or all). ord=inf is the largest |x|, -inf the
    smallest, 0 counts the elements that are not 0. The gradient is 0 where all elements are 0."""
    x = x if dtype is None else x.to(dtype)
    if ord in (math.inf, -math.inf):
        return x.abs().amax(dim, keepdim) if ord > 0 else x.abs().amin(dim, keepdim)
    return _power_norm(x, ord=ord, dim=dim, keepdim=keepdim)


@operation(names="_matrix_norm", methods="", numpy={
    np.linalg.matrix_norm: lambda x, *, keepdims=False, ord="fro": matrix_norm(x, ord, keepdim=keepdims)},
    samples=lambda draw: call(full_rank(draw), draw.choice(["fro", "nuc", 2, -2, 1, -1, math.inf, -math.inf]),
                              keepdim=draw.boolean()))
def matrix_norm(x: TensorLike, ord: float | str = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False, *,
                dtype: DTypeLike | None = None) -> Tensor:
    """The norm of matrices in the axes `dim`: "fro" (Frobenius), "nuc" (sum of the singular values), 2 and -2 (largest
    and smallest singular value), inf and -inf (of the rows' sums of |x|), 1 and -1 (of the columns')."""
    x = x if dtype is None else x.to(dtype)
    rows, columns = axes(dim, x.ndim)
    if ord == "fro":
        return vector_norm(x, 2, (rows, columns), keepdim)
    if ord in ("nuc", 2, -2):
        s = svdvals(movedim(x, (rows, columns), (-2, -1)))
        norm = s.sum(-1) if ord == "nuc" or not (s.shape[-1] or ord < 0) else s.amax(-1) if ord == 2 else s.amin(-1)
    elif ord in (1, -1, math.inf, -math.inf):
        along, across = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = x.abs().sum(along, keepdim=True)
        norm = (sums.amax if ord > 0 else sums.amin)((along, across))
    else:
        raise ValueError(f"ord={ord!r} is no norm of matrices; there are 'fro', 'nuc', inf, -inf, 1, -1, 2 and -2")
    return beside(norm, x.shape, (rows, columns)) if keepdim else norm


@operation(names="_linalg_norm", methods="", numpy=np.linalg.norm,
           samples=lambda draw: call(full_rank(draw), *draw.choice([(), (2, -1), ("fro", (-2, -1)), (1, (-1, -2))])))
def norm(x: TensorLike, ord: float | str | None = None, dim: Dims | None = None, keepdim: bool = False, *,
         dtype: DTypeLike | None = None) -> Tensor:
    """A vector norm over one axis (or, without `ord`, over any), a matrix norm over two: see `vector_norm` and
    `matrix_norm`."""
    if ord is None or isinstance(dim, int) or (dim is None and x.ndim == 1) or (dim is not None and len(dim) == 1):
        return vector_norm(x, 2 if ord is None else ord, dim, keepdim, dtype=dtype)
    if dim is None and x.ndim != 2:
        raise RuntimeError(f"ord={ord!r} is for a vector or a matrix, this tensor has shape {x.shape}; name the "
                           "axes with dim=")
    return matrix_norm(x, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)


@operation(samples=lambda draw: call(draw.array(min_dims=2, min_side=1, away_from=(0,)), p=2, dim=0, maxnorm=1.5),
           inplace=True)
def renorm(x: TensorLike, p: float, dim: int, maxnorm: float) -> Tensor:
    """x with those parts along `dim` whose p-norm is larger than `maxnorm` scaled down to it.

    Raises:
        ShapeError: x has fewer than two axes.
        ValueError: p isn't positive, or maxnorm is negative.
    """
    along = axis(dim, x.ndim)
    if x.ndim < 2:
        raise ShapeError(f"the parts along an axis need a second one, and the tensor has shape {x.shape}; write "
                         "x.unsqueeze(0)")
    if p <= 0 or maxnorm < 0:
        raise ValueError(f"p must be positive and maxnorm at least 0, not {p} and {maxnorm}")
    norms = vector_norm(x, p, [i for i in range(x.ndim) if i != along], keepdim=True)
    return x * where(norms > maxnorm, maxnorm / (norms + 1e-7), 1)
