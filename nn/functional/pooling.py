"""Pooling in any number of dimensions.

Averages are sums of windows along one axis after the other (`resampling`). A maximum is looked for with the windows
shifted over the input, one slice for each element of the kernel, or, if these are many, in rows that hold a window
each. Where it was found is remembered as a place in the flattened image: picking those and adding into them are each
other's derivative, whatever the windows are.
"""

import functools
import inspect
import math
from collections.abc import Sequence

import numpy as np

from autograd import Tensor, as_tensor, operation, rand, where
from autograd.dtypes import float16
from autograd.errors import ShapeError
from autograd.runtime.compiled import compilable
from autograd.runtime.copies import contiguous
from autograd.runtime.threads import in_parallel, pieces
from autograd.samples import call
from autograd.typing import Shape, TensorLike
from nn.functional.geometry import (
    arranged,
    channels_first,
    channels_last,
    check_geometry,
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
# A window that lies in the padding entirely, as a dilation may have it, has its maximum at place -1.

MANY = 32
"""From more elements on windows are laid out as rows."""


def _lowest(dtype):
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def place_dtype(size):
    """What numbers the elements of an image."""
    return np.int32 if math.prod(size) < 1 << 31 else np.int64


@functools.lru_cache(128)
def reach(n, count, kernel, stride, before, dilation):
    """Where on the n elements of an axis windows begin, and how many they have, without the padding: (count, 2)."""
    start = np.arange(count) * stride - before
    begin = np.maximum(start, start % dilation)
    end = np.minimum(start + dilation * (kernel - 1) + 1, n)
    return np.stack([begin, np.maximum(-((begin - end) // dilation), 0)], 1)


@functools.lru_cache(128)
def _elements(size, kernel, dilation):
    """The places of a window's elements in the image, from that of the first on."""
    place = np.int64(0)
    for n, k, d in zip(size, kernel, dilation, strict=True):
        place = np.add.outer(place * n, np.arange(k) * d)
    return place.reshape(-1).astype(place_dtype(size))


@functools.lru_cache(128)
def _windows(size, out, kernel, stride, padding, dilation):
    """Of each window the place of its first element, the number of the first one that does not lie in the padding, and
    whether there is none.
    """
    start, first, none = np.int64(0), np.int64(0), np.bool(False)
    for n, count, k, s, (before, _), d in zip(size, out, kernel, stride, padding, dilation, strict=True):
        along, (begin, length) = np.arange(count) * s - before, reach(n, count, k, s, before, d).T
        start = np.add.outer(start * n, along)
        first = np.add.outer(first * k, np.minimum((begin - along) // d, k - 1))
        none = np.logical_or.outer(none, length == 0)
    return start.astype(place_dtype(size)), first, none if none.any() else None


def _rows(x, out, kernel, stride, dilation):
    """The windows of (N, C, *size), (N, C, *out, elements): a view if they lie in memory like that."""
    each, steps = x.strides[:2], x.strides[2:]
    between = [n * step for many in (stride, dilation) for n, step in zip(many, steps, strict=True)]
    view = np.lib.stride_tricks.as_strided(x, (*x.shape[:2], *out, *kernel), (*each, *between), writeable=False)
    return view.reshape(*x.shape[:2], *out, math.prod(kernel))


def is_rows(x, kernel, stride, padding, dilation):
    """Whether windows, long ones, lie one behind the other in memory: NumPy's `argmax` wants nothing else."""
    return (x.flags.c_contiguous and math.prod(kernel) > MANY and kernel[1:] == x.shape[3:] and stride[0] >= kernel[0]
            and set(dilation) == {1} and not any(map(any, padding)))


def _largest(rows):
    """The largest along the last axis and where it stands: of equal ones the first, of several NaN the last.

    That is PyTorch's order.
    """
    which = rows.argmax(-1)
    values = np.take_along_axis(rows, which[..., None], -1)[..., 0]
    if np.isnan(values.max(initial=_lowest(rows.dtype))):
        missing = np.isnan(rows)
        which = np.where(missing.any(-1), rows.shape[-1] - 1 - missing[..., ::-1].argmax(-1), which)
    return values, which


def _largest_of(parts, first, best):
    """The same of several arrays, written to `best`; where all are the lowest number there is, `first` is returned."""
    best[...], number = _lowest(best.dtype), np.empty_like(best, np.uint8)
    number[...] = first
    for k, other in enumerate(parts):
        larger = (other > best).view(np.uint8) * np.uint8(k)
        np.maximum(number, larger, out=number)  # of equal ones the first
        np.maximum(best, other, out=best)
    if np.isnan(best.max(initial=_lowest(best.dtype))):
        for k, part in enumerate(parts):
            number[np.isnan(part)] = k
    return number


@compilable("nn.compiled.pooling")
def _max_pool_forward(x, *, kernel, stride, padding, dilation):
    size, count, lowest = x.shape[2:], math.prod(kernel), _lowest(x.dtype)
    out = output_size(size, kernel, stride, padding, dilation)
    values = np.empty_like(x, shape=(*x.shape[:2], *out))
    winner = np.empty_like(values, place_dtype(size))
    start, first, none = _windows(size, out, kernel, stride, padding, dilation)
    elements = _elements(size, kernel, dilation)

    def pool(part):
        for images in pieces(part, math.prod(x.shape[1:] if count <= MANY else (*values.shape[1:], count))):
            around = padded(x[images], padding, lowest)
            if count <= MANY:
                number = _largest_of(shifted(around, kernel, stride, padding, dilation, size), first, values[images])
            else:
                values[images], number = _largest(_rows(around, out, kernel, stride, dilation))
                if around.shape[2:] != size:  # the padding never wins, not even against minus infinity
                    number = np.where(values[images] == lowest, first, number)
            places = np.add(elements.take(number), start, out=winner[images])
            if none is not None:
                places[..., none] = -1

    in_parallel(pool, len(x), count * values.size)
    return values, winner


@functools.lru_cache(128)
def regions(n, count):
    """Where `count` regions that cover n elements evenly begin, and how many they have: (count, 2)."""
    at, number = np.arange(count + 1) * n, max(count, 1)
    return np.stack([at[:-1] // number, -(-at[1:] // number) - at[:-1] // number], 1)


@compilable("nn.compiled.pooling")
def _adaptive_max_pool_forward(x, *, counts):
    # As windows side by side: each region is spread out to the length of the longest, by its last element.
    places, kernel, last = np.int64(0), [], lies_last(x)
    spread = channels_last(x) if last else x
    for axis, (n, count) in enumerate(zip(x.shape[2:], counts, strict=True), 1 if last else 2):
        begin, length = regions(n, count).T[..., None]
        kernel.append(length.max(initial=1))
        along = (begin + np.minimum(np.arange(kernel[-1]), length - 1)).reshape(-1)
        places = np.add.outer(places * n, along)
        spread = spread.take(along, axis)
    geometry = {"kernel": tuple(kernel), "stride": tuple(kernel), "padding": ((0, 0),) * len(counts),
                "dilation": (1,) * len(counts)}
    values, winner = _max_pool_forward(channels_first(spread) if last else spread, **geometry)
    return values, places.astype(winner.dtype).reshape(-1)[winner]


def _fractional_max_pool_forward(x, *, kernel, starts):
    lead, size, place = x.shape[:2], x.shape[2:], 0
    for axis, (n, start) in enumerate(zip(size, starts, strict=True)):
        place = place * n + start.reshape(*lead, *[start.shape[-1] if i == axis else 1 for i in range(len(size))])
    elements, numbers = _elements(size, kernel, (1,) * len(size)), contiguous(x).reshape(-1)
    values, winner = np.empty(place.shape, x.dtype), np.empty(place.shape, place_dtype(size))

    def pool(part):
        for images in pieces(part, math.prod(place.shape[1:]) * len(elements)):
            at = _addresses(place[images], math.prod(size), False) + images.start * math.prod(x.shape[1:])
            if len(elements) <= MANY:
                number = _largest_of([numbers.take(at + element) for element in elements], 0, values[images])
            else:
                values[images], number = _largest(numbers.take(at[..., None] + elements))
            np.add(elements.take(number), place[images], out=winner[images], casting="same_kind")

    in_parallel(pool, len(x), len(elements) * values.size)
    return values, winner


# Places

def lies_last(x):
    """Whether the channels of (N, C, *size) are the last axis in memory."""
    return channels_last(x).flags.c_contiguous and not x.flags.c_contiguous


def _addresses(at, pixels, last):
    """Where places (N, C, *out) are in the memory of images of so many pixels, whose channels are the last axis or not.
    """
    count, channels = at.shape[:2]
    channel, pixel = (1, channels) if last else (pixels, 1)
    start = np.add.outer(np.arange(count) * (pixels * channels), np.arange(channels) * channel)
    start = start.astype(place_dtype((count, channels, pixels))).reshape(count, channels, *[1] * (at.ndim - 2))
    return (at * start.dtype.type(pixel) if last else at) + start


def _pick_forward(x, *, at):
    last = lies_last(x)
    numbers = (channels_last(x) if last else contiguous(x)).reshape(-1)
    if at.min(initial=0) < 0:
        return selected(numbers.take(_addresses(np.maximum(at, 0), math.prod(x.shape[2:]), last)), at >= 0)
    return numbers.take(_addresses(at, math.prod(x.shape[2:]), last))


@widened
@compilable("nn.compiled.pooling")
def _put_forward(y, *, at, size):
    last, pixels = lies_last(at), math.prod(size)  # the layout is that of the forward pass
    total = np.zeros((len(at), *size, at.shape[1]) if last else (*at.shape[:2], *size), y.dtype)
    for images in pieces(slice(0, len(at)), math.prod(at.shape[1:])):
        places, values = at[images], y[images]
        if places.min(initial=0) < 0:
            places, values = np.maximum(places, 0), selected(values, places >= 0)
        put = [channels_last(a) if last else a for a in (_addresses(places, pixels, last), values)]
        np.add.at(total[images].reshape(-1), *[a.ravel() for a in put])
    return channels_first(total) if last else total


def _max_samples(draw):
    size, geometry = window_samples(draw)
    geometry["padding"] = tuple([(0, 0)] * len(size))
    return call(draw.array(shape=(draw.integer(0, 2), 2, *size), distinct=True), **geometry)


def _adaptive_samples(draw):
    size = tuple([draw.integer(1, 3) for _ in range(draw.integer(1, 2))])
    x = draw.array(shape=(draw.integer(0, 2), 2, *size), distinct=True)
    return call(x, counts=tuple([draw.integer(1, 3) for _ in size]))


def _fractional_samples(draw):
    starts = tuple([np.array([[[0, 1], [1, 1]]]).repeat(2, axis=0)] * draw.integer(1, 2))
    x = draw.array(shape=(2, 2, *[3 for _ in starts]), distinct=True)
    return call(x, kernel=(2,) * len(starts), starts=starts)


def _places(draw):
    size = tuple([draw.integer(1, 3) for _ in range(draw.integer(1, 2))])
    at = np.arange(24, dtype=np.int32).reshape(2, 2, 3, 2) * 5 % (math.prod(size) + 1) - 1
    return size, at


def _pick_samples(draw):
    size, at = _places(draw)
    return call(draw.array(shape=(2, 2, *size)), at=at)


def _put_samples(draw):
    size, at = _places(draw)
    return call(draw.array(shape=at.shape), at=at, size=size)


def _maxima(forward, name, samples, elements):
    return operation(
        forward, vjps=lambda g, out, x, **options: _put(g[0], at=np.asarray(out[1]), size=x.shape[2:]),
        outputs="values places", names=name, samples=samples,
        flops=lambda shapes, out, options: math.prod(out) * elements(shapes[0][2:], options))


_max_pool = _maxima(_max_pool_forward, "_max_pool", _max_samples, lambda size, options: math.prod(options["kernel"]))

_adaptive_max_pool = _maxima(
    _adaptive_max_pool_forward, "_adaptive_max_pool", _adaptive_samples,
    lambda size, options: math.prod([-(-n // max(count, 1)) for n, count in zip(size, options["counts"], strict=True)]))

_fractional_max_pool = _maxima(_fractional_max_pool_forward, "_fractional_max_pool", _fractional_samples,
                               lambda size, options: math.prod(options["kernel"]))

_pick = operation(
    _pick_forward, vjps=lambda g, out, x, at: _put(g, at=at, size=x.shape[2:]), names="_pick", samples=_pick_samples,
    flops=0)

_put = operation(
    _put_forward, vjps=lambda g, out, y, at, size: _pick(g, at=at), names="_put", samples=_put_samples, flops=0)


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
        span = d * (k - 1) + 1
        count = (n + 2 * p - span) // s + 1
        if ceil_mode:
            count = -(-(n + 2 * p - span) // s) + 1
            if (count - 1) * s >= n + p:  # the last window would lie in the padding
                count -= 1
        if count < 1:
            raise ShapeError(f"a kernel of {kernel} does not fit an input of size {size} with padding {before}")
        around.append((p, max(p, (count - 1) * s + span - n - p) if ceil_mode else p))
    return {"kernel": kernel, "stride": stride, "padding": tuple(around), "dilation": dilation}


def _with_places(values, places, single, return_indices):
    """What is returned: the maxima and, if wanted, their places."""
    values = values.squeeze(0) if single else values
    if not return_indices:
        return values
    indices = as_tensor(places.array.astype(np.int64))
    return values, indices.squeeze(0) if single else indices


def _max_pool_nd(ndim, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    x, single = arranged(as_tensor(input), ndim)
    geometry = _window(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    return _with_places(*_max_pool(x, **geometry), single, return_indices)


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
    if geometry["kernel"] == x.shape[2:] and divisor_override is None and not any(map(any, geometry["padding"])):
        out = _mean(x)
        return out.squeeze(0) if single else out
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


def _mean(x):
    """The mean of each image."""
    return _floating(x).mean(tuple(range(2, x.ndim)), keepdim=True)


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
        out = _mean(x)
    else:
        taps, lengths = _adaptive_average(x.shape[2:], counts)
        out = resample(_floating(x), taps=taps, before=None, after=lengths)
    return out.squeeze(0) if single else out


@functools.lru_cache(128)
def _adaptive_average(size, counts):
    taps, lengths = [], []
    for n, count in zip(size, counts, strict=True):
        begin, length = regions(n, count).T
        taps.append(None if n == count else windows(n, *[tuple(at.tolist()) for at in (begin, begin + length)]))
        lengths.append(length if count else np.ones(1))
    return tuple(taps), _products(lengths)


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


def _adaptive_max_pool_nd(ndim, input, output_size, return_indices):
    x, single = arranged(as_tensor(input), ndim)
    size = x.shape[2:]
    counts = _adaptive_size(size, output_size)
    if all(count and n % count == 0 for n, count in zip(size, counts, strict=True)):  # regions are windows
        kernel = tuple([n // count for n, count in zip(size, counts, strict=True)])
        return _max_pool_nd(ndim, input, kernel, None, 0, 1, False, return_indices)
    return _with_places(*_adaptive_max_pool(x, counts=counts), single, return_indices)


def adaptive_max_pool1d(input: TensorLike, output_size: int | Sequence[int | None],
                        return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maxima of `output_size` regions that cover (N, C, L) evenly."""
    return _adaptive_max_pool_nd(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: TensorLike, output_size: int | Sequence[int | None],
                        return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maxima of regions that cover (N, C, H, W) evenly; see `adaptive_avg_pool2d`."""
    return _adaptive_max_pool_nd(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: TensorLike, output_size: int | Sequence[int | None],
                        return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maxima of regions that cover (N, C, D, H, W) evenly; see `adaptive_avg_pool2d`."""
    return _adaptive_max_pool_nd(3, input, output_size, return_indices)


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
    at = at.reshape(x.shape).astype(place_dtype(size))
    addresses, written = _addresses(at, count, False), np.zeros(math.prod(x.shape[:2]) * count, bool)
    written[addresses] = True
    if np.count_nonzero(written) < at.size:  # of several at one place the last is written
        owner, number = np.empty(written.size, np.int64), np.arange(at.size).reshape(at.shape)
        owner[addresses] = number
        x = where(owner[addresses] == number, x, 0)
    out = _put(x, at=at, size=size)
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


def _fractional_max_pool_nd(ndim, input, kernel_size, output_size, output_ratio, return_indices, random_samples):
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
    starts = tuple([_random_starts(samples[..., axis if ndim == 3 else ndim - 1 - axis], *along)  # T, H, W, but W, H
                    for axis, along in enumerate(zip(size, out, kernel, strict=True))])
    return _with_places(*_fractional_max_pool(x, kernel=kernel, starts=starts), single, return_indices)


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
    return _fractional_max_pool_nd(2, input, kernel_size, output_size, output_ratio,
                                return_indices, _random_samples)


def fractional_max_pool3d(input: TensorLike, kernel_size: Shape, output_size: Shape | None = None,
                          output_ratio: float | Sequence[float] | None = None, return_indices: bool = False,
                          _random_samples: TensorLike | None = None) -> Tensor | tuple[Tensor, Tensor]:
    """The maxima of windows at random distances in (N, C, D, H, W); see `fractional_max_pool2d`."""
    return _fractional_max_pool_nd(3, input, kernel_size, output_size, output_ratio,
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
