"""Reductions: sums, products, means, extremes, norms.

float16 is summed in float32, as in PyTorch: its own sums stop growing at 2048. What overflows on the way to a number
that does not is taken again, in a wider type or scaled.
"""

import builtins
import math

import numpy as np

from autograd import dtypes
from autograd.notation import Notation
from autograd.operations.comparisons import isnan
from autograd.operations.conversion import converted
from autograd.operations.norms import length, matrix_norm, vector_norm
from autograd.operations.pointwise import only, times, where
from autograd.operations.shaping import axes, beside, reduced, spread
from autograd.runtime.buffers import short_buffers
from autograd.runtime.compiled import compilable
from autograd.runtime.sums import added
from autograd.runtime.threads import CACHED, in_parallel, pieces
from autograd.samples import call, distinct_pair, reduction
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import Dims, DTypeLike, MinMax, TensorLike


def count(shape, dim):
    """How many elements a reduction makes into one; a Python int, since a NumPy one would turn float32 into float64."""
    among = axes(dim, len(shape)) if dim is not None else ()
    return math.prod(n for i, n in enumerate(shape) if not among or i in among)


def nonempty_reduction(draw):
    """One array with at least one element along each axis, all distinct, and the axes to reduce."""
    x = draw.array(min_side=1, distinct=True)
    return call(x, dim=draw.dims(x.ndim), keepdim=draw.boolean())


def finite(out):
    """Whether all of a result is finite."""
    return math.isfinite(out) if not out.ndim else np.isfinite(out).all()


def summed(method, x, dtype, **options):
    """A sum or product `method(x, dtype=..., **options)` in a dtype that can hold it; integers become int64."""
    dtype = np.dtype(dtype) if dtype is not None else dtypes.int64 if x.dtype.kind in "biu" else x.dtype
    if dtype is dtypes.float16:
        return method(converted(x, dtype=np.float32), dtype=np.float32, **options).astype(dtype)
    out = method(x, dtype=dtype, **options)
    if dtype is dtypes.float32 and not finite(out):
        return np.where(np.isfinite(out), out, method(x, dtype=np.float64, **options).astype(dtype))
    return out


def widened(x):
    """x with float16, which has no number beyond 65504, turned into float32, and booleans and integers into the default
    dtype."""
    if x.dtype.kind != "f":
        return x.astype(dtypes.get_default_dtype())
    return x.astype(np.float32) if x.dtype is dtypes.float16 else x


# Sums

@operation(vjps=lambda g, out, x, dim, keepdim, dtype: spread(g, x.shape, dim), samples=reduction, numpy=np.sum,
           notation=Notation("Σ", "Σ {x}", ("1",), elementwise=False, back=("{g}, to each of its terms",)))
def sum(x, *, dim: Dims | None = None, keepdim: bool = False, dtype: DTypeLike | None = None):
    """The sum over `dim` (an axis, several, or all). Booleans and integers are summed as int64."""
    return summed(_added, x, dtype, axis=reduced(dim, x.ndim), keepdims=keepdim)


def _added(x, *, dtype, axis, keepdims):
    if x.dtype is dtype and dtype.kind == "f":
        return added(x, axis, keepdims)
    return np.add.reduce(x, axis=axis, keepdims=keepdims, dtype=dtype)


def _mean(x, *, dim: Dims | None = None, keepdim: bool = False, dtype: DTypeLike | None = None):
    if dtype is None and x.dtype.kind != "f":
        dtype = dtypes.get_default_dtype()
    axis, number = reduced(dim, x.ndim), count(x.shape, dim)
    if x.size > 4096 and x.dtype.kind == "f" and x.dtype is not dtypes.float16 and (
            dtype is None or dtype == x.dtype):  # None == np.dtype(float64) is true
        out = added(x, axis, keepdim) / x.dtype.type(number)
    else:
        out = x.mean(axis=axis, keepdims=keepdim, dtype=dtype)
    if finite(out) or not number:
        return out
    return np.where(np.isfinite(out), out, (widened(x) / number).sum(axis=axis, keepdims=keepdim, dtype=out.dtype))


mean = operation(
    _mean, vjps=lambda g, out, x, dim, keepdim, dtype: spread(widened(g) / count(x.shape, dim), x.shape, dim),
    names="mean", samples=nonempty_reduction, numpy=np.mean, doc="The mean over `dim` (an axis, several, or all).")


@operation(samples=reduction, numpy=np.nansum)
def nansum(x: TensorLike, dim: Dims | None = None, keepdim: bool = False, dtype: DTypeLike | None = None) -> Tensor:
    """The sum over `dim`, with nan counted as 0."""
    return sum(where(isnan(x), 0, x), dim=dim, keepdim=keepdim, dtype=dtype)


@operation(samples=nonempty_reduction, numpy=np.nanmean)
def nanmean(x: TensorLike, dim: Dims | None = None, keepdim: bool = False, dtype: DTypeLike | None = None) -> Tensor:
    """The mean over `dim` of the elements that are not nan."""
    half = dtype is None and getattr(x, "dtype", None) is dtypes.float16  # which may not have their sum, or number
    total = nansum(x, dim=dim, keepdim=keepdim, dtype=np.float32 if half else dtype)
    out = total / sum(~isnan(x), dim=dim, keepdim=keepdim)
    return out.to(dtypes.float16) if half else out


# Extremes and truth

def extreme_vjp(g, out, x, dim, keepdim):
    """Equal elements share the gradient of the one that was taken; nan is taken where there is any."""
    taken = x == beside(out, x.shape, dim)
    if np.isnan(out).any():
        taken = taken | np.isnan(x)
    ties = taken.sum(axis=reduced(dim, x.ndim), keepdims=True).astype(np.result_type(x.dtype, np.float32))
    return only(np.broadcast_to(widened(beside(g, x.shape, dim)) / ties, x.shape), taken)


def _tie(extreme):
    """Whether several elements are the extreme one."""
    def test(x, *, dim, keepdim):
        taken = x == extreme(x, axis=reduced(dim, x.ndim), keepdims=True)
        return taken.sum(axis=reduced(dim, x.ndim)) > 1
    return test, "a tie: equal ones share the gradient"


@operation(vjps=extreme_vjp, samples=nonempty_reduction, numpy=(np.amax, np.max),
           notation=Notation("max", "max {x}", elementwise=False, kink=_tie(np.max)))
def amax(x, *, dim: Dims | None = None, keepdim: bool = False):
    """The largest element over `dim`; equal ones share the gradient."""
    return x.max(axis=reduced(dim, x.ndim), keepdims=keepdim)


@operation(vjps=extreme_vjp, samples=nonempty_reduction, numpy=(np.amin, np.min),
           notation=Notation("min", "min {x}", elementwise=False, kink=_tie(np.min)))
def amin(x, *, dim: Dims | None = None, keepdim: bool = False):
    """The smallest element over `dim`; equal ones share the gradient."""
    return x.min(axis=reduced(dim, x.ndim), keepdims=keepdim)


def _question(method):
    def forward(x, *, dim: Dims | None = None, keepdim: bool = False):
        return method(x, axis=reduced(dim, x.ndim), keepdims=keepdim)
    return forward


all = operation(_question(np.all), vjps=(None,), names="all", numpy=np.all,
                doc="Whether all elements over `dim` are true (not zero).")
any = operation(_question(np.any), vjps=(None,), names="any", numpy=np.any,
                doc="Whether some element over `dim` is true (not zero).")


@operation(samples=lambda draw: call(x := draw.array(min_side=1, distinct=True), dim=draw.dim(x.ndim)))
def aminmax(x: TensorLike, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """The smallest and the largest element over `dim`: (min, max)."""
    return MinMax(amin(x, dim=dim, keepdim=keepdim), amax(x, dim=dim, keepdim=keepdim))


@operation(vjps=(None,), numpy=np.count_nonzero)
def count_nonzero(x, *, dim: Dims | None = None):
    """How many elements over `dim` are not zero."""
    return np.asarray(np.count_nonzero(x, axis=reduced(dim, x.ndim)))


# Products

def in_range(x):
    """x, wide enough for products of parts that leave the range where the whole does not."""
    return x.astype(np.float64) if x.dtype is dtypes.float32 else widened(x)


def in_parts(function, dim, *arrays):
    """function(*arrays), which goes along `dim`, for parts of another axis, which threads share: what it needs stays in
    the cache.
    """
    x = arrays[0]
    if type(x) is not np.ndarray or x.ndim < 2 or x.size < CACHED:
        return function(*arrays)
    other = 0 if dim % x.ndim else x.ndim - 1
    lead, each = (slice(None),) * other, x.size // x.shape[other]

    def work(part):
        return [function(*[a[(*lead, piece)] for a in arrays]) for piece in pieces(part, each, CACHED // 2)]

    with short_buffers(x.size):
        parts = in_parallel(work, x.shape[other], 8 * x.size)
    return np.concatenate([result for part in parts for result in part], other)


SAMPLE = 64
"""How many elements of a row tell how large its elements are."""


def _products_of_others(x):
    """For each element, the product of all others along the last axis: of those in the other pairs (an element of the
    first half and one of the second), and of the one that it makes a pair with. Nothing is divided, so that it is right
    where elements are 0, too.
    """
    n = x.shape[-1]
    if n <= 1:
        return np.ones(x.shape, x.dtype)
    half = (n + 1) // 2
    first, single, second = x[..., :n - half], x[..., n - half:half], x[..., half:]
    pairs = first * second
    others = _products_of_others(np.concatenate([pairs, single], -1) if n % 2 else pairs)
    of_pairs, of_single = others[..., :n - half], others[..., n - half:]
    if type(x) is not np.ndarray:
        return np.concatenate([of_pairs * second, of_single, of_pairs * first], -1)
    out = np.empty(x.shape, x.dtype)
    np.multiply(of_pairs, second, out=out[..., :n - half])
    np.multiply(of_pairs, first, out=out[..., half:])
    out[..., n - half:half] = of_single
    return out


def _quotients(rows):
    """The same of float32: the row's product by each of its elements. A row is first brought to numbers around 1, as
    some of them tell; where its product is still 0 or out of range, nothing is divided.
    """
    n = rows.shape[-1]
    with np.errstate(all="ignore"):
        size = np.log2(np.abs(in_range(rows[..., ::-(-n // SAMPLE)]))).mean(-1, keepdims=True)
        scale = np.exp2(-size)
        scaled = rows * scale
        product = np.multiply.reduce(scaled, axis=-1, keepdims=True)
        whole, rest = np.divmod(size * n, 1)
        far = ~((np.abs(product) > 1e-250) & (np.abs(product) < 1e250) & (np.abs(whole) < 1e9))
        exponent = np.where(far, 0, whole).astype(int)
        scaled = np.divide(np.ldexp(product * np.exp2(rest), exponent) * scale, scaled, out=scaled).astype(rows.dtype)
    if far.any():
        far = far[..., 0]
        scaled[far] = _products_of_others(in_range(rows[far]))
    return scaled


@compilable("autograd.compiled.reductions")
def _products_beside(rows):
    """For each element, the product of all others of its row."""
    if type(rows) is np.ndarray and rows.dtype is dtypes.float32 and rows.size:
        return in_parts(_quotients, -1, rows)
    return in_parts(lambda rows: _products_of_others(in_range(rows)).astype(rows.dtype), -1, rows)


def _prod_vjp(g, out, x, dim, keepdim, dtype):
    among = axes(dim, x.ndim) if dim is not None and x.ndim else []
    among = among or list(range(x.ndim))
    order = [i for i in range(x.ndim) if i not in among] + among
    moved = np.transpose(x, order)
    rows = moved.reshape((*moved.shape[:x.ndim - len(among)], count(x.shape, dim)))
    others = _products_beside(rows)
    return spread(g, x.shape, dim) * np.transpose(others.reshape(moved.shape), [order.index(i) for i in range(x.ndim)])


@compilable("autograd.compiled.reductions")
def _multiplied(x, *, dtype, axis, keepdims):
    if not isinstance(axis, int) or x.ndim < 2 or x.size < CACHED:
        return np.multiply.reduce(x, dtype=dtype, axis=axis, keepdims=keepdims)
    out = in_parts(lambda x: np.multiply.reduce(x, dtype=dtype, axis=axis, keepdims=True), axis, x)
    return out if keepdims else out.squeeze(axis)


@operation(vjps=_prod_vjp, samples=reduction, numpy=np.prod)
def prod(x, *, dim: Dims | None = None, keepdim: bool = False, dtype: DTypeLike | None = None):
    """The product over `dim`; its gradient is right where elements are 0."""
    return summed(_multiplied, x, dtype, axis=reduced(dim, x.ndim), keepdims=keepdim)


# Variance

def _two_or_more(draw):
    x = draw.array(min_side=2, min_dims=1, distinct=True)
    return call(x, dim=draw.dims(x.ndim), correction=draw.choice([1, 0, 0.5]), keepdim=draw.boolean())


def _divisor(shape, dim, correction):
    return builtins.max(count(shape, dim) - correction, 0)


def _deviations(x, dim, mean):
    """x, wide enough for its squares' sums, less its mean."""
    x = widened(x)
    return x - mean(x, dim=dim, keepdim=True)


def _var_vjp(g, out, x, dim, correction, keepdim):
    return spread(widened(g) * 2 / _divisor(x.shape, dim, correction), x.shape, dim) * _deviations(x, dim, mean)


def _narrowed(out, x):
    return out.astype(x.dtype) if x.dtype.kind == "f" else out


@operation(vjps=_var_vjp, samples=_two_or_more)
def _var(x, *, dim, correction, keepdim):
    deviations, axis, divisor = _deviations(x, dim, _mean), reduced(dim, x.ndim), _divisor(x.shape, dim, correction)
    out = np.add.reduce(deviations * deviations, axis=axis, keepdims=keepdim) / divisor
    if not finite(out):
        out = np.where(np.isfinite(out), out, (length(deviations, 2, axis, keepdim) / np.sqrt(divisor)) ** 2)
    return _narrowed(out, x)


def _std_vjp(g, out, x, dim, correction, keepdim):
    deviations = _deviations(x, dim, mean)
    scale = beside(widened(out), x.shape, dim) * _divisor(x.shape, dim, correction)
    slope = only(deviations / np.where(scale == 0, 1, scale), scale != 0)
    return times(spread(g, x.shape, dim), slope)


@operation(vjps=_std_vjp, samples=_two_or_more)
def _std(x, *, dim, correction, keepdim):
    out = length(_deviations(x, dim, _mean), 2, reduced(dim, x.ndim), keepdim)
    return _narrowed(out / np.sqrt(_divisor(x.shape, dim, correction), dtype=out.dtype), x)


def _correction(unbiased, correction):
    return int(unbiased) if unbiased is not None else 1 if correction is None else correction


@operation(samples=_two_or_more, numpy={np.var: lambda a, axis=None, ddof=0, keepdims=False, *, correction=None: var(
    a, axis, correction=ddof if correction is None else correction, keepdim=keepdims)})
def var(x: TensorLike, dim: Dims | bool | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
        correction: float | None = 1) -> Tensor:
    """The variance over `dim`, with divisor n - correction: 1 is Bessel's correction; unbiased=False means 0.

    >>> var(Tensor([1.0, 2.0, 4.0]), correction=0)
    tensor(1.5556)
    """
    if isinstance(dim, bool):  # x.var(False)
        dim, unbiased = None, dim
    return _var(x, dim=dim, correction=_correction(unbiased, correction), keepdim=keepdim)


@operation(samples=_two_or_more, numpy={np.std: lambda a, axis=None, ddof=0, keepdims=False, *, correction=None: std(
    a, axis, correction=ddof if correction is None else correction, keepdim=keepdims)})
def std(x: TensorLike, dim: Dims | bool | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
        correction: float | None = 1) -> Tensor:
    """The square root of the variance, with the same arguments; its gradient is 0 where all elements are equal."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return _std(x, dim=dim, correction=_correction(unbiased, correction), keepdim=keepdim)


@operation(methods="", samples=_two_or_more)
def var_mean(x: TensorLike, dim: Dims | bool | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
             correction: float | None = 1) -> tuple[Tensor, Tensor]:
    """The pair of variance and mean."""
    axis = None if isinstance(dim, bool) else dim
    return var(x, dim, unbiased, keepdim, correction=correction), mean(x, dim=axis, keepdim=keepdim)


@operation(methods="", samples=_two_or_more)
def std_mean(x: TensorLike, dim: Dims | bool | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
             correction: float | None = 1) -> tuple[Tensor, Tensor]:
    """The pair of standard deviation and mean."""
    axis = None if isinstance(dim, bool) else dim
    return std(x, dim, unbiased, keepdim, correction=correction), mean(x, dim=axis, keepdim=keepdim)


# Norms

@operation(samples=lambda draw: call(x := draw.array(min_side=1, distinct=True, low=0.125),
                                     p=draw.choice(["fro", 2, 1, 3, 0.5, math.inf, -math.inf]), dim=draw.dims(x.ndim)))
def norm(x: TensorLike, p: float | str | None = "fro", dim: Dims | None = None, keepdim: bool = False,
         dtype: DTypeLike | None = None) -> Tensor:
    """(Σ |x|^p)^(1/p) over `dim`: see `linalg.vector_norm`. "fro" means p=2; "nuc" is the norm of matrices."""
    if isinstance(p, str) and p not in ("fro", "nuc"):
        raise ValueError(f"p={p!r} is no norm; it may be a number, 'fro' or 'nuc'")
    if p == "nuc":
        return matrix_norm(x, p, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(x, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


@operation(samples=lambda draw: call(*distinct_pair(draw)[0], p=draw.choice([2, 1, 3])))
def dist(x: TensorLike, other: TensorLike, p: float = 2) -> Tensor:
    """The p-norm of x - other."""
    return norm(x - other, p)
