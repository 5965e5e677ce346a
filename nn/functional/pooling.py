"""Pooling in any number of dimensions.

Averages are sums of windows along one axis after the other (`resampling`). A maximum is looked for with the windows
shifted over the input, one slice for each element of the kernel. Where it was found is remembered as the number of the
kernel's element, one byte a window: picking those elements and adding into them are each other's derivative. Where
windows have no common shape (adaptive, fractional), it is remembered as the position in the input.
"""

import functools
import inspect
import math
from collections.abc import Sequence

import numpy as np

from autograd import Tensor, as_tensor, operation, rand, where, zeros
from autograd.dtypes import float16
from autograd.errors import ShapeError
from autograd.runtime.compiled import compilable
from autograd.runtime.threads import in_parallel
from autograd.samples import call
from autograd.typing import Shape, TensorLike
from nn.functional.geometry import (
    arranged,
    check_geometry,
    inside,
    output_size,
    padded,
    selected,
    shifted,
    tuple_of,
    widened,
    window_samples,
)
from nn.functional.resampling import resample, windows

# Geometry options of the operations below: kernel, stride, dilation: one entry per dimension; padding: (before, after).


def _lowest(dtype):
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


@functools.lru_cache(128)
def _first_inside(out, kernel, stride, padding, dilation):
    """The number of the first element of each window that does not lie in the padding."""
    number = np.zeros((1,) * len(kernel), np.int64)
    for axis, (count, k, s, (before, _), d) in enumerate(zip(out, kernel, stride, padding, dilation, strict=True)):
        first = np.minimum(np.maximum(-((np.arange(count) * s - before) // d), 0), k - 1)
        number = number * k + first.reshape([-1 if i == axis else 1 for i in range(len(kernel))])
    return number


@compilable("nn.compiled.pooling")
def _max_pool_forward(x, *, kernel, stride, padding, dilation):
    size, count = x.shape[2:], math.prod(kernel)
    out = output_size(size, kernel, stride, padding, dilation)
    values = np.empty_like(x, shape=(*x.shape[:2], *out))
    winner = np.empty_like(x, np.uint8 if count <= 256 else np.int64, shape=values.shape)
    # As long as nothing is larger: the padding never wins, not even against minus infinity.
    winner[...] = _first_inside(out, kernel, stride, padding, dilation) if any(map(any, padding)) else 0

    def pool(images):
        best, first_best = values[images], winner[images]
        parts = shifted(padded(x[images], padding, _lowest(x.dtype)), kernel, stride, padding, dilation, size)
        best[...] = parts[0]
        for k, other in enumerate(parts[1:], 1):
            larger = (other > best).view(np.uint8) * winner.dtype.type(k)
            np.maximum(first_best, larger, out=first_best)  # of equal ones the first
            np.maximum(best, other, out=best)
        if np.isnan(best.max(initial=_lowest(x.dtype))):  # NaN is the largest; of several the last one, as in PyTorch
            for k, part in enumerate(parts):
                first_best[np.isnan(part)] = k

    in_parallel(pool, len(x), count * values.size)
    return values, winner


def _pick_forward(x, *, winner, kernel, stride, padding, dilation):
    out = np.zeros_like(winner, x.dtype)
    for k, part in enumerate(shifted(padded(x, padding, 0), kernel, stride, padding, dilation, x.shape[2:])):
        out += selected(part, winner == k)
    return out


@widened
@compilable("nn.compiled.pooling")
def _put_forward(y, *, winner, size, kernel, stride, padding, dilation):
    shape = (*y.shape[:2], *[n + sum(p) for n, p in zip(size, padding, strict=True)])
    total = np.zeros_like(winner, y.dtype, shape=shape)  # the layout is that of the forward pass
    meet = any(d * (k - 1) >= s for d, k, s in zip(dilation, kernel, stride, strict=True))

    def put(images):
        values = np.empty_like(winner[images], y.dtype)
        values[...] = y[images]
        for k, part in enumerate(shifted(total[images], kernel, stride, padding, dilation, size)):
            if meet:
                part += selected(values, winner[images] == k)
            else:
                part[...] = selected(values, winner[images] == k)

    in_parallel(put, len(y), math.prod(kernel) * y.size)
    return total[(slice(None), slice(None), *inside(size, padding))]


def _max_samples(draw):
    size, geometry = window_samples(draw)
    geometry["padding"] = tuple([(0, 0)] * len(size))
    return call(draw.array(shape=(draw.integer(0, 1), 2, *size), distinct=True), **geometry)


def _chosen(draw):
    size, geometry = window_samples(draw)
    shape = (1, 2, *output_size(size, *geometry.values()))
    winner = (np.arange(math.prod(shape)) * 5 % math.prod(geometry["kernel"])).reshape(shape).astype(np.uint8)
    return size, {"winner": winner, **geometry}


def _pick_samples(draw):
    size, geometry = _chosen(draw)
    return call(draw.array(shape=(1, 2, *size)), **geometry)


def _put_samples(draw):
    size, geometry = _chosen(draw)
    return call(draw.array(shape=geometry["winner"].shape), size=size, **geometry)


_max_pool = operation(
    _max_pool_forward,
    vjps=lambda g, out, x, **geometry: _put(g[0], winner=np.asarray(out[1]), size=x.shape[2:], **geometry),
    outputs="values winner", names="_max_pool", samples=_max_samples,
    flops=lambda shapes, out, options: math.prod(out) * math.prod(options["kernel"]))

_pick = operation(
    _pick_forward,
    vjps=lambda g, out, x, winner, **geometry: _put(g, winner=winner, size=x.shape[2:], **geometry), names="_pick",
    samples=_pick_samples, flops=0)

_put = operation(
    _put_forward,
    vjps=lambda g, out, y, winner, size, **geometry: _pick(g, winner=winner, **geometry), names="_put",
    samples=_put_samples, flops=0)


# What users call

def _window(size, kernel, stride, padding, dilation, ceil_mode):
    """The options of the operations, checked; with ceil_mode, padding after grows to let the last window begin."""
    ndim = len(size)
    kernel = tuple_of(kernel, ndim, "kernel_size")
    stride = kernel if stride is None or stride == () else tuple_of(stride, ndim, "stride")
    dilation = tuple_of(dilation, ndim, "dilation")
    before = tuple_of(padding, ndim, "padding")
    check_geometry(kernel, stride, [before], dilation)
    if any(2 * p > k for p, k in zip(before, kernel, strict=True)):
        raise ValueError(f"padding {before} must be at most half of the kernel {kernel}")
    around = []
    for n, k, s, p, d in zip(size, kernel, stride, before, dilation, strict=True):
        reach = d * (k - 1) + 1
        count = (n + 2 * p - reach) // s + 1
        if ceil_mode:
            count = -(-(n + 2 * p - reach) // s) + 1
            if (count - 1) * s >= n + p:  # the last window would lie in the padding
                count -= 1
        if count < 1:
            raise ShapeError(f"a kernel of {kernel} does not fit an input of size {size} with padding {before}")
        around.append((p, max(p, (count - 1) * s + reach - n - p) if ceil_mode else p))
    return {"kernel": kernel, "stride": stride, "padding": tuple(around), "dilation": dilation}


def _flat_indices(winner, size, kernel, stride, padding, dilation):
    """Where in the flattened input the winners stand, as PyTorch gives it."""
    positions, flat = np.unravel_index(winner.astype(np.int64), kernel), 0
    for axis, n in enumerate(size):
        start = np.arange(winner.shape[2 + axis]) * stride[axis] - padding[axis][0]
        start = start.reshape([-1 if i == axis else 1 for i in range(len(size))])
        flat = flat * n + start + positions[axis] * dilation[axis]
    return flat


def _max_pool_nd(ndim, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    x, single = arranged(as_tensor(input), ndim)
    geometry = _window(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    values, winner = _max_pool(x, **geometry)
    out = values.squeeze(0) if single else values
    if not return_indices:
        return out
    indices = as_tensor(_flat_indices(winner.array, x.shape[2:], **geometry))
    return out, indices.squeeze(0) if single else indices


def max_pool1d(input: TensorLike, kernel_size: Shape, stride: Shape | None = None, padding: Shape = 0,
               dilation: Shape = 1, ceil_mode: bool = False,
               return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maximum of each window of (N, C, L); see `max_pool2d`."""
    return _max_pool_nd(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(input: TensorLike, kernel_size: Shape, stride: Shape | None = None, padding: Shape = 0,
               dilation: Shape = 1, ceil_mode: bool = False,
               return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maximum of each window; the gradient goes to it, to the first of equal ones.

    Args:
        input: (N, C, H, W), or without N.
        kernel_size: of the window, a number or (kH, kW).
        stride: from window to window; default `kernel_size`.
        padding: how many rows and columns that never win stand around the input; at most half the kernel.
        dilation: the distance between the elements of a window.
        ceil_mode: also use a last window that is not whole.
        return_indices: also return where the maxima stood, in H · W flattened.
    """
    return _max_pool_nd(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(input: TensorLike, kernel_size: Shape, stride: Shape | None = None, padding: Shape = 0,
               dilation: Shape = 1, ceil_mode: bool = False,
               return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maximum of each window of (N, C, D, H, W); see `max_pool2d`."""
    return _max_pool_nd(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _avg_pool_nd(ndim, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    x, single = arranged(as_tensor(input), ndim)
    geometry = _window(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override == 0:
        raise ValueError("divisor_override must not be 0; leave it out to divide by the elements' number")
    counted = tuple_of(padding, ndim, "padding") if count_include_pad else (0,) * ndim
    taps, lengths = _average(x.shape[2:], geometry["kernel"], geometry["stride"], geometry["padding"], counted)
    after = lengths if divisor_override is None else np.full((1,) * ndim, divisor_override)
    out = resample(_floating(x), taps=taps, before=None, after=after)
    return out.squeeze(0) if single else out


@functools.lru_cache(128)
def _average(size, kernel, stride, padding, counted):
    """The sums of windows, and how many elements they have: `counted` ones of the padding and none behind that."""
    taps, lengths = [], []
    for n, k, s, (before, after), around in zip(size, kernel, stride, padding, counted, strict=True):
        start = np.arange(-before, n + after - k + 1, s)
        taps.append(windows(n, *(tuple(np.clip(ends, 0, n).tolist()) for ends in (start, start + k))))
        lengths.append(np.minimum(start + k, n + around) - np.maximum(start, -around))
    return tuple(taps), _products(lengths)


def _floating(x):
    return x if x.is_floating_point() else x.float()


def _products(lengths):
    """How many elements windows have, from how long they are along each axis."""
    lengths = [of_axis[:1] if (of_axis == of_axis[0]).all() else of_axis for of_axis in lengths]  # one number for all
    return functools.reduce(np.multiply.outer, lengths)


def avg_pool1d(input: TensorLike, kernel_size: Shape, stride: Shape | None = None, padding: Shape = 0,
               ceil_mode: bool = False, count_include_pad: bool = True) -> Tensor:
    """The mean of each window of (N, C, L); see `avg_pool2d`."""
    return _avg_pool_nd(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(input: TensorLike, kernel_size: Shape, stride: Shape | None = None, padding: Shape = 0,
               ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """The mean of each window.

    Args:
        input: (N, C, H, W), or without N.
        kernel_size: of the window, a number or (kH, kW).
        stride: from window to window; default `kernel_size`.
        padding: how many zeros stand around the input; at most half the kernel.
        ceil_mode: also use a last window that is not whole.
        count_include_pad: whether these zeros count in the mean.
        divisor_override: what to divide by, instead of the number of elements.
    """
    return _avg_pool_nd(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                        divisor_override)


def avg_pool3d(input: TensorLike, kernel_size: Shape, stride: Shape | None = None, padding: Shape = 0,
               ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """The mean of each window of (N, C, D, H, W); see `avg_pool2d`."""
    return _avg_pool_nd(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                        divisor_override)


def _lp_pool(ndim, input, norm_type, kernel_size, stride, ceil_mode):
    x, p = as_tensor(input), norm_type
    if not 0 < p < math.inf:
        raise ValueError(f"norm_type must be a number above 0, not {p}; the largest absolute value is "
                         f"max_pool{ndim}d(input.abs(), ...)")
    mean = _avg_pool_nd(ndim, _floating(x if x.dtype != float16 else x.float()) ** p, kernel_size, stride, 0,
                        ceil_mode, True, None)
    total = mean * math.prod(tuple_of(kernel_size, ndim, "kernel_size"))
    zero = total.detach() == 0  # the root of 0 has no finite slope; 0 is among those of the norm
    return where(zero, 0.0, where(zero, 1.0, total) ** (1 / p)).to(x.dtype if x.is_floating_point() else total.dtype)


def lp_pool1d(input: TensorLike, norm_type: float, kernel_size: Shape, stride: Shape | None = None,
              ceil_mode: bool = False) -> Tensor:
    """(Σ xᵖ)^(1/p) of each window of (N, C, L); see `lp_pool2d`."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input: TensorLike, norm_type: float, kernel_size: Shape, stride: Shape | None = None,
              ceil_mode: bool = False) -> Tensor:
    """(Σ xᵖ)^(1/p) of each window; with p = 1 the sum, and for even p between mean and maximum.

    Where a window is all zeros its gradient is 0 (PyTorch's is NaN).

    Args:
        input: (N, C, H, W), or without N.
        norm_type: p.
        kernel_size: of the window, a number or (kH, kW).
        stride: from window to window; default `kernel_size`.
        ceil_mode: also use a last window that is not whole, scaled up to one that is.
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input: TensorLike, norm_type: float, kernel_size: Shape, stride: Shape | None = None,
              ceil_mode: bool = False) -> Tensor:
    """(Σ xᵖ)^(1/p) of each window of (N, C, D, H, W); see `lp_pool2d`."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


def _regions(n, count):
    """Where `count` regions that cover n elements evenly begin and end."""
    return tuple([i * n // count for i in range(count)]), tuple([-(-(i + 1) * n // count) for i in range(count)])


def _adaptive_size(size, output_size):
    entries = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * len(size)
    counts = tuple_of([n if count is None else count for n, count in zip(size, entries, strict=False)]
                      if len(entries) == len(size) else entries, len(size), "output_size")
    if min(counts) < 0:
        raise ValueError(f"output_size must not be negative, as in {output_size!r}")
    return counts


def _adaptive_avg_pool(ndim, input, output_size):
    x, single = arranged(as_tensor(input), ndim)
    counts = _adaptive_size(x.shape[2:], output_size)
    if set(counts) == {1}:
        out = _floating(x).mean(tuple(range(2, 2 + ndim)), keepdim=True)
    else:
        taps, lengths = _adaptive_average(x.shape[2:], counts)
        out = resample(_floating(x), taps=taps, before=None, after=lengths)
    return out.squeeze(0) if single else out


@functools.lru_cache(128)
def _adaptive_average(size, counts):
    regions = [_regions(n, count) for n, count in zip(size, counts, strict=True)]
    taps = [None if n == count else windows(n, *of_axis)
            for n, count, of_axis in zip(size, counts, regions, strict=True)]
    return tuple(taps), _products([np.subtract(ends, starts) if ends else np.ones(1) for starts, ends in regions])


def adaptive_avg_pool1d(input: TensorLike, output_size: int | Sequence[int | None]) -> Tensor:
    """The means of `output_size` regions that cover (N, C, L) evenly."""
    return _adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: TensorLike, output_size: int | Sequence[int | None]) -> Tensor:
    """The means of regions that cover (N, C, H, W) evenly; region i of n reaches from ⌊i H / n⌋ to ⌈(i + 1) H / n⌉.

    output_size is a number or (H', W'); None keeps a length.
    """
    return _adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: TensorLike, output_size: int | Sequence[int | None]) -> Tensor:
    """The means of regions that cover (N, C, D, H, W) evenly; see `adaptive_avg_pool2d`."""
    return _adaptive_avg_pool(3, input, output_size)


def _winners(windows):
    """Where in the last axis the largest stands: of equal ones the first, but NaN before all, and of several the last.

    That is PyTorch's order.
    """
    which = windows.argmax(-1)
    if windows.size and np.isnan(np.take_along_axis(windows, which[..., None], -1)).any():
        missing = np.isnan(windows)
        which = np.where(missing.any(-1), windows.shape[-1] - 1 - missing[..., ::-1].argmax(-1), which)
    return which[..., None]


def _at(x, indices):
    """The elements of x (N, C, *size) at positions (N, C, *out) of its flattened images."""
    rows = x.reshape((*x.shape[:2], math.prod(x.shape[2:])))
    return rows.gather(2, indices.reshape(*indices.shape[:2], -1 if indices.size else 0)).reshape(indices.shape)


def _adaptive_max_pool(ndim, input, output_size, return_indices):
    x, single = arranged(as_tensor(input), ndim)
    size, rows = x.shape[2:], []
    counts = _adaptive_size(size, output_size)
    if all(count and n and n % count == 0 for n, count in zip(size, counts, strict=True)):  # regions are windows
        kernel = tuple([n // count for n, count in zip(size, counts, strict=True)])
        return _max_pool_nd(ndim, input, kernel, None, 0, 1, False, return_indices)
    for n, count in zip(size, counts, strict=True):
        starts, ends = (np.array(of_axis, np.int64) for of_axis in _regions(n, count))
        longest = (ends - starts).max(initial=1)
        rows.append(np.minimum(starts[:, None] + np.arange(longest), ends[:, None] - 1))  # short ones repeat their last
    spread, indices = x.detach().numpy(), 0
    for axis, row in enumerate(rows, 2):
        spread = spread.take(row.reshape(-1), axis)
    kernel = tuple([row.shape[1] for row in rows])
    _, winner = _max_pool_forward(spread, kernel=kernel, stride=kernel, padding=((0, 0),) * ndim, dilation=(1,) * ndim)
    positions = np.unravel_index(winner.astype(np.int64), kernel)
    for axis, (n, row, at) in enumerate(zip(size, rows, positions, strict=True)):
        region = np.arange(len(row)).reshape([-1 if i == axis else 1 for i in range(ndim)])
        indices = indices * n + row[region, at]
    values = _at(x, indices)
    values, indices = (values.squeeze(0), indices[0]) if single else (values, indices)
    return (values, as_tensor(indices)) if return_indices else values


def adaptive_max_pool1d(input: TensorLike, output_size: int | Sequence[int | None],
                        return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maxima of `output_size` regions that cover (N, C, L) evenly."""
    return _adaptive_max_pool(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: TensorLike, output_size: int | Sequence[int | None],
                        return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maxima of regions that cover (N, C, H, W) evenly; see `adaptive_avg_pool2d`."""
    return _adaptive_max_pool(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: TensorLike, output_size: int | Sequence[int | None],
                        return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maxima of regions that cover (N, C, D, H, W) evenly; see `adaptive_avg_pool2d`."""
    return _adaptive_max_pool(3, input, output_size, return_indices)


# The inverse of max pooling

def _unpooled_size(size, kernel, stride, padding, wanted):
    """The size of the output: as given if pooling makes `size` of it, otherwise the smallest such."""
    smallest = tuple([(n - 1) * s + k - 2 * p for n, k, s, p in zip(size, kernel, stride, padding, strict=True)])
    if wanted is None:
        return smallest
    wanted = tuple(wanted)[-len(size):] if len(wanted) == len(size) + 2 else tuple(wanted)
    if len(wanted) != len(size) or any(abs(w - n) >= s for w, n, s in zip(wanted, smallest, stride, strict=False)):
        fits = " x ".join(f"({n - s + 1} to {n + s - 1})" for n, s in zip(smallest, stride, strict=True))
        raise ShapeError(f"output_size must be {fits} for an input of size {tuple(size)}, not {wanted}")
    return wanted


def _max_unpool(ndim, input, indices, kernel_size, stride, padding, output_size):
    x, single = arranged(as_tensor(input), ndim)
    at = as_tensor(indices).detach().numpy()
    if at.shape != input.shape or at.dtype.kind not in "iu":
        raise ShapeError(f"indices must be integers of the input's shape {input.shape}, as max_pool{ndim}d("
                         f"return_indices=True) gives them, not {at.dtype} of shape {at.shape}")
    kernel = tuple_of(kernel_size, ndim, "kernel_size")
    stride = kernel if stride is None or stride == () else tuple_of(stride, ndim, "stride")
    size = _unpooled_size(x.shape[2:], kernel, stride, tuple_of(padding, ndim, "padding"), output_size)
    count = math.prod(size)
    if at.size and not 0 <= at.min() <= at.max() < count:
        wrong = at.min() if at.min() < 0 else at.max()
        raise ShapeError(f"index {wrong} lies outside an output of size {size}, which has {count} elements; "
                         "output_size is the size before pooling")
    rows = x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
    out = zeros(*x.shape[:2], count, dtype=x.dtype).scatter(2, at.reshape(rows.shape), rows)
    out = out.reshape(*x.shape[:2], *size)
    return out.squeeze(0) if single else out


def max_unpool1d(input: TensorLike, indices: TensorLike, kernel_size: Shape, stride: Shape | None = None,
                 padding: Shape = 0, output_size: Sequence[int] | None = None) -> Tensor:
    """Maxima put back to where they stood in (N, C, L); see `max_unpool2d`."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(input: TensorLike, indices: TensorLike, kernel_size: Shape, stride: Shape | None = None,
                 padding: Shape = 0, output_size: Sequence[int] | None = None) -> Tensor:
    """Maxima put back to where they stood, zeros elsewhere: what `max_pool2d` leaves of its input.

    Where windows overlapped and two of them had the same maximum, it is written once, and the gradient goes to one of
    the two. (PyTorch's goes to both, though the value counts once.)

    Args:
        input: (N, C, H, W), or without N.
        indices: where they stood, from `max_pool2d(..., return_indices=True)`.
        kernel_size: of the pooling.
        stride: of the pooling, default `kernel_size`.
        padding: of the pooling.
        output_size: (H', W'), or the whole shape, if several sizes are pooled to (H, W); default the smallest with
            whole windows.

    >>> x = rand(1, 1, 5, 5); values, indices = max_pool2d(x, 2, return_indices=True)
    >>> max_unpool2d(values, indices, 2, output_size=x.shape).shape
    (1, 1, 5, 5)
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(input: TensorLike, indices: TensorLike, kernel_size: Shape, stride: Shape | None = None,
                 padding: Shape = 0, output_size: Sequence[int] | None = None) -> Tensor:
    """Maxima put back to where they stood in (N, C, D, H, W); see `max_unpool2d`."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


# Windows at random places

def _random_starts(sample, n, count, kernel):
    """Where `count` windows begin on n elements, in steps of the two whole numbers around n / count.

    sample (...) in [0, 1) shifts where the long steps come; returns (..., count).
    """
    if count == 1:
        return np.full((*sample.shape, 1), n - kernel)
    alpha = sample.dtype.type((n - kernel) / (count - 1))
    steps = np.arange(count - 1, dtype=sample.dtype)
    starts = ((steps + sample[..., None]) * alpha).astype(np.int64) - (sample * alpha).astype(np.int64)[..., None]
    return np.concatenate([starts, np.full((*sample.shape, 1), n - kernel)], -1)


def _fractional_size(size, output_size, output_ratio):
    if (output_size is None) == (output_ratio is None):
        raise ValueError(f"give either output_size or output_ratio, not output_size={output_size} and "
                         f"output_ratio={output_ratio}")
    if output_size is not None:
        return tuple_of(output_size, len(size), "output_size")
    ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * len(size)
    if len(ratios) != len(size) or not all(0 < ratio < 1 for ratio in ratios):
        raise ValueError(f"output_ratio must be a number between 0 and 1, or {len(size)} of them, not {output_ratio!r}")
    return tuple([int(n * ratio) for n, ratio in zip(size, ratios, strict=True)])


def _fractional_max_pool(ndim, input, kernel_size, output_size, output_ratio, return_indices, random_samples):
    x, single = arranged(as_tensor(input), ndim)
    (count, channels), size = x.shape[:2], x.shape[2:]
    kernel = tuple_of(kernel_size, ndim, "kernel_size")
    out = _fractional_size(size, output_size, output_ratio)
    if any(n < 1 or n + k - 1 > whole for n, k, whole in zip(out, kernel, size, strict=True)):
        raise ShapeError(f"{out} windows of {kernel} do not fit an input of size {size}")
    if random_samples is None:
        random_samples = rand(count, channels, ndim, dtype=x.dtype)
    samples = as_tensor(random_samples).detach().numpy()
    if samples.shape != (count, channels, ndim):
        raise ShapeError(f"_random_samples must have shape {(count, channels, ndim)}, not {samples.shape}")
    flat = np.zeros((count, channels, *[1] * (2 * ndim)), np.int64)  # (N, C, *out, *kernel)
    for axis in range(ndim):
        sample = samples[..., axis if ndim == 3 else ndim - 1 - axis]  # PyTorch's order: T, H, W, but W, H
        row = _random_starts(sample, size[axis], out[axis], kernel[axis])[..., None] + np.arange(kernel[axis])
        shape = [count, channels, *[1] * (2 * ndim)]
        shape[2 + axis], shape[2 + ndim + axis] = out[axis], kernel[axis]
        flat = flat * size[axis] + row.reshape(shape)
    flat = flat.reshape(count, channels, *out, math.prod(kernel))
    rows = x.detach().numpy().reshape(count, channels, math.prod(size))
    windows = np.take_along_axis(rows, flat.reshape(count, channels, math.prod(flat.shape[2:])), -1)
    indices = np.take_along_axis(flat, _winners(windows.reshape(flat.shape)), -1)[..., 0]
    values = _at(x, indices)
    values, indices = (values.squeeze(0), indices[0]) if single else (values, indices)
    return (values, as_tensor(indices)) if return_indices else values


def fractional_max_pool2d(input: TensorLike, kernel_size: Shape, output_size: Shape | None = None,
                          output_ratio: float | Sequence[float] | None = None, return_indices: bool = False,
                          _random_samples: TensorLike | None = None) -> Tensor | tuple[Tensor, Tensor]:
    """The maxima of windows whose distances change at random between two whole numbers (Graham 2014).

    So that the size shrinks by a factor like 1.4, and not by 2. Other windows are drawn for each image and channel.

    Args:
        input: (N, C, H, W), or without N.
        kernel_size: of the windows, a number or (kH, kW).
        output_size: a number or (H', W'); or
        output_ratio: the output's size as a part of the input's, between 0 and 1; a number or one per dimension.
        return_indices: also return where the maxima stood, in H · W flattened.
        _random_samples: (N, C, 2), numbers in [0, 1) by which windows are shifted; for tests.
    """
    return _fractional_max_pool(2, input, kernel_size, output_size, output_ratio,
                                return_indices, _random_samples)


def fractional_max_pool3d(input: TensorLike, kernel_size: Shape, output_size: Shape | None = None,
                          output_ratio: float | Sequence[float] | None = None, return_indices: bool = False,
                          _random_samples: TensorLike | None = None) -> Tensor | tuple[Tensor, Tensor]:
    """The maxima of windows at random distances in (N, C, D, H, W); see `fractional_max_pool2d`."""
    return _fractional_max_pool(3, input, kernel_size, output_size, output_ratio,
                                return_indices, _random_samples)


# PyTorch's names of the forms that return both

def _with_indices(function):
    @functools.wraps(function)
    def both(*args, **options):
        bound = signature.bind(*args, **options)
        bound.arguments["return_indices"] = True
        return function(*bound.args, **bound.kwargs)

    signature = inspect.signature(function)
    both.__name__ = both.__qualname__ = f"{function.__name__}_with_indices"
    both.__doc__ = f"`{function.__name__}`, and where the maxima stood."
    return both


(max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices, adaptive_max_pool1d_with_indices,
 adaptive_max_pool2d_with_indices, adaptive_max_pool3d_with_indices, fractional_max_pool2d_with_indices,
 fractional_max_pool3d_with_indices) = map(_with_indices, (
     max_pool1d, max_pool2d, max_pool3d, adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d,
     fractional_max_pool2d, fractional_max_pool3d))
