"""Convolution in any number of dimensions.

Three bilinear operations, each the derivative of the others, so that every order comes for free:

    convolution     y = x * w
    of_input        x̄ = ȳ * w,  the adjoint in x: the transposed convolution
    of_weight       w̄ = x * ȳ,  the adjoint in w

The work is matrix products over windows. A window's elements lie together when the channels are the last axis, so
results are laid out that way in memory (their shape is PyTorch's (N, C, *size) all the same, and NumPy's elementwise
functions keep the layout); windows are copied out for a few images at a time, so that they are still in the cache when
the product reads them, and never for a whole batch. Threads share the images among them.
"""

import itertools
import math

import numpy as np

from autograd import Tensor, as_tensor, operation
from autograd.errors import ShapeError
from autograd.runtime.compiled import compilable, is_compiled
from autograd.runtime.copies import contiguous
from autograd.runtime.products import SMALL, in_columns, product, transposed_product
from autograd.runtime.sums import added
from autograd.runtime.threads import WORTHWHILE, get_num_threads, in_parallel
from autograd.samples import call
from autograd.typing import Shape, TensorLike
from nn.functional.geometry import (
    CACHE,
    arranged,
    blocks_of,
    channels_first,
    channels_last,
    check_geometry,
    contiguous_channels_last,
    fill_channels_last,
    inside,
    offsets,
    output_size,
    places,
    tuple_of,
    widened,
)
from nn.functional.linear import with_bias
from nn.functional.padding import pad

ROWS = 384
"""How many windows a product should have at least."""
FEW = 1 << 15
"""So many numbers are copied in the time of two calls."""


def _images(x, count, padding):
    """x (N, C, *size) as (N, *size, C) with zeros around it, a few images at a time.

    Returns:
        An array, and a function that sees to it that some images (a slice, at most `count`) are in the array and
        says where.
    """
    if not any(map(any, padding)) and channels_last(x).flags.c_contiguous:
        return channels_last(x), lambda images: images
    size = x.shape[2:]
    padded = np.zeros((count, *[n + sum(p) for n, p in zip(size, padding, strict=True)], x.shape[1]), x.dtype)
    within = padded[(slice(None), *inside(size, padding))]

    def load(images):
        here = slice(0, images.stop - images.start)
        fill_channels_last(within[here], x[images])
        return here

    return padded, load


def _steps(array, stride, dilation):
    """How far apart in memory are neighboring places, and neighboring elements of the kernel."""
    steps = array.strides[1:-1]
    return [n * s for n, s in zip(steps, stride, strict=True)], [n * d for n, d in zip(steps, dilation, strict=True)]


def _view(array, shape, strides):
    return np.ndarray(shape, array.dtype, array, strides=strides)  # as_strided takes twenty microseconds


def is_deep(channels, kernel, c_out):
    """Whether kernels are so large that a product waits for BLAS to copy them, unless it has many rows."""
    return math.prod(kernel[1:]) * channels * c_out > 1 << 17


def _parts(images, channels, kernel, stride, c_out, out):
    """Into how many parts windows are cut: one for each row of the kernel, or a single one.

    With stride 1 neighboring places share those of rows, so that there is less to copy; but the products of the parts
    must be added up, `c_out` numbers each. Copying a run of n numbers takes as long as adding up 32 + n / 3. Where an
    image has few places, only whole windows will do: they stand in one matrix for several images.
    """
    count = math.prod(out)
    many = (count >= ROWS // 3 if is_deep(channels, kernel, c_out)
            else images * count * math.prod(kernel) * channels > FEW)
    return kernel[0] if stride[0] == 1 and many and c_out <= 32 + math.prod(kernel[1:]) * channels // 3 else 1


def _windows(x, kernel, out, stride, padding, dilation, groups, parts):
    """Block by block: which images, and the parts of their windows as matrices (groups, images, places, numbers).

    If there is a single part, all images of the block count as one.
    """
    channels, count = x.shape[1] // groups, math.prod(out)
    beyond = dilation[0] * (kernel[0] - 1) if parts > 1 else 0
    depth = math.prod(kernel) // parts * channels
    each = (count // out[0] * (out[0] + beyond)) * depth * groups * x.itemsize
    blocks = blocks_of(len(x), min(each, CACHE * max(count, 1) // ROWS))
    if not blocks:
        return
    longest = blocks[0].stop
    array, load = _images(x, longest, padding)
    if math.prod(kernel) == groups == 1:  # a kernel of one element: the windows are the pixels
        every = (slice(None), *places((0,) * len(out), out, stride, dilation))
        for images in blocks:
            pixels = array[load(images)][every]
            yield images, [pixels.reshape(1, 1, len(pixels) * count, depth)]
        return
    between_places, between_elements = _steps(array, stride, dilation)
    rest = slice(parts > 1, None)
    overlapping = _view(
        array, (groups, len(array), out[0] + beyond, *out[1:], *kernel[rest], channels),
        (channels * x.itemsize, array.strides[0], *between_places, *between_elements[rest], x.itemsize))
    buffer = np.empty((groups, longest, *overlapping.shape[2:]), x.dtype)
    for images in blocks:
        view = overlapping[:, load(images)]
        windows = buffer if view.shape == buffer.shape else np.empty(view.shape, x.dtype)
        np.copyto(windows, view)
        lead = (groups, view.shape[1], count) if parts > 1 else (groups, 1, view.shape[1] * count)
        yield images, [windows[:, :, i * dilation[0]:i * dilation[0] + out[0]].reshape(*lead, depth)
                       for i in range(parts)]


def _as_groups(y, groups, images):
    """(N, *size, C) -> (groups, images, places, channels of the group), a view if y is contiguous."""
    return y.reshape(images, y[..., 0].size // images, groups, y.shape[-1] // groups).transpose(2, 0, 1, 3)


def weight_matrices(weight, groups):
    """(C_out, C_in / groups, *kernel) -> (groups, kernel x C_in / groups, C_out / groups)."""
    split = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    if is_deep(split.shape[2], split.shape[3:], split.shape[1]) and abs(split.strides[2]) < abs(split.strides[1]):
        # many numbers are copied in the order in which they lie, which suits BLAS as well
        return np.moveaxis(split, 2, -1).reshape(*split.shape[:2], -1).swapaxes(1, 2)
    return split.transpose(0, *range(3, split.ndim), 2, 1).reshape(groups, -1, split.shape[1])


def _columns(matrices, count):
    """Matrices (groups, K, N) for products with windows (groups, images, P, K) that have `count` rows."""
    large = matrices.shape[1] * matrices.shape[2] > SMALL
    return (matrices[:, None] if large else in_columns(matrices, count))[:, None]


def as_weight(matrices, kernel):
    """(groups, C_out / groups, kernel x C_in / groups) -> (C_out, C_in / groups, *kernel)."""
    groups, channels, columns = matrices.shape
    split = matrices.reshape(groups * channels, *kernel, columns // math.prod(kernel))
    return contiguous(channels_first(split))


def is_depthwise(weight_shape, groups):
    """Whether each channel has a kernel of its own, and one output."""
    return groups > 1 and weight_shape[0] == groups and weight_shape[1] == 1


def _kernel_rows(weight, width):
    """A depthwise kernel (C, 1, *kernel) as rows (*kernel, width x C): repeated, for long inner loops."""
    rows = np.moveaxis(weight[:, 0], 0, -1)[..., None, :]
    return np.repeat(rows, width, axis=-2).reshape(*weight.shape[2:], -1)


def _image_rows(x, kernel, out, stride, padding, dilation):
    """Block by block: which images, and a view (N, *out, *kernel, C) of their windows, as rows of neighbors.

    With stride 1 these are whole rows of windows, (N, *out[:-1], *kernel, W x C).
    """
    blocks = blocks_of(len(x), 2 * x[:1].nbytes)
    if not blocks:
        return
    array, load = _images(x, blocks[0].stop, padding)
    between_places, between_elements = _steps(array, stride, dilation)
    lead, run = (out[:-1], out[-1] * x.shape[1]) if stride[-1] == 1 else (out, x.shape[1])
    view = _view(array, (len(array), *lead, *kernel, run),
                 (array.strides[0], *between_places[:len(lead)], *between_elements, x.itemsize))
    for images in blocks:
        yield images, view[load(images)]


def _axes(rows, ndim):
    """Names for einsum of the axes of rows (N, *places, *kernel, C), of kernels (*kernel, C), of results."""
    n, *rest = range(rows.ndim)
    *places, c = rest[:-ndim - 1] + rest[-1:]
    return [n, *rest], rest[-ndim - 1:], [n, *places, c]


def numbers(result_shape, weight_shape):
    """The work in numbers copied; a product takes about a sixteenth of the time for each."""
    _, c_in, *kernel = weight_shape
    return math.prod(result_shape) * math.prod(kernel) * (1 + c_in // 16)


# In three dimensions, a convolution is the sum over the kernel's first axis of convolutions in the other two

def _slices(size, out, kernel, stride, padding, dilation, groups):
    """The geometry of the other axes; and for each element of the first axis of the kernel itself, the places where it
    meets the input, and what it meets there.
    """
    first, *others = zip(size, out, kernel, stride, padding, dilation, strict=True)
    of_others = dict(zip(("stride", "padding", "dilation"), list(zip(*others, strict=True))[3:], strict=True))
    of_first = [(i[-1], at[-1], of[-1]) for i, at, of in _meeting(*[[of_axis] for of_axis in first])]
    return of_others | {"groups": groups}, of_first


def _flat(last):
    """Slices of images, channels last, (N, D, *size, C) as a batch (N x D, C, *size)."""
    return channels_first(last.reshape(-1, *last.shape[2:]))


def _over_volumes(work, count, numbers):
    """What `work(part)` returns for parts of a batch.

    Threads share volumes if each gets as many as the others and they need not wait for the interpreter at every
    function, as they do in NumPy; otherwise they share the slices of all.
    """
    threads = get_num_threads()
    if is_compiled() and (count % threads == 0 or count >= 4 * threads):
        return in_parallel(work, count, numbers)
    return [work(slice(0, count))]


def _convolve_slices(x, weight, bias, **geometry):
    size, kernel = x.shape[2:], weight.shape[2:]
    out = output_size(size, kernel, geometry["stride"], geometry["padding"], geometry["dilation"])
    geometry, meeting = _slices(size, out, kernel, **geometry)
    x, result = contiguous_channels_last(x), np.empty((len(x), *out, len(weight)), x.dtype)

    def work(part):
        result[part] = 0 if bias is None else bias
        for i, at, of in meeting:
            into = result[part, at]
            into += channels_last(_convolve(_flat(x[part, of]), weight[:, :, i], **geometry)).reshape(into.shape)

    _over_volumes(work, len(x), numbers(result.shape, weight.shape))
    return channels_first(result)


def _convolve_transposed_slices(y, weight, size, **geometry):
    geometry, meeting = _slices(size, y.shape[2:], weight.shape[2:], **geometry)
    channels = weight.shape[1] * geometry["groups"]
    y, result = contiguous_channels_last(y), np.empty((len(y), *size, channels), y.dtype)

    def work(part):
        result[part] = 0
        for i, at, of in meeting:
            into = result[part, of]
            put = _convolve_transposed(_flat(y[part, at]), weight[:, :, i], size=size[1:], **geometry)
            into += channels_last(put).reshape(into.shape)

    _over_volumes(work, len(y), numbers(y.shape, weight.shape))
    return channels_first(result)


def _correlate_slices(x, y, kernel, **geometry):
    geometry, meeting = _slices(x.shape[2:], y.shape[2:], kernel, **geometry)
    weight_shape = (y.shape[1], x.shape[1] // geometry["groups"], *kernel)
    x, y = contiguous_channels_last(x), contiguous_channels_last(y)

    def work(part):
        result = np.zeros(weight_shape, x.dtype)
        for i, at, of in meeting:
            result[:, :, i] = _correlate(_flat(x[part, of]), _flat(y[part, at]), kernel=kernel[1:], **geometry)
        return result

    return sum(_over_volumes(work, len(x), numbers(channels_first(y).shape, weight_shape)))


def over_images(work, x, out, numbers, kernel, stride, padding, dilation):
    """What `work(x, padding, here)` returns for parts of a batch, which threads share: for some images, or strips of
    them where there are so few that a thread would have less than others. `here` is where in (N, *out) they are.
    """
    threads, numbers = get_num_threads(), numbers + x.size  # the images are laid out as well
    strips = threads // math.gcd(len(x), threads) if 0 < len(x) < 4 * threads and numbers >= WORTHWHILE else 1
    reach = dilation[0] * (kernel[0] - 1)
    if strips == 1 or out[0] < 2 * strips or max(padding[0]) > reach:  # or a strip might see none of the image
        return in_parallel(lambda part: work(x[part], padding, (part, slice(None))), len(x), numbers)
    x = channels_first(contiguous_channels_last(x))

    def work_on_strips(part):
        results = []
        for n, strip in [divmod(item, strips) for item in range(part.start, part.stop)]:
            first, end = (out[0] * i // strips for i in (strip, strip + 1))
            begin, stop = first * stride[0] - padding[0][0], (end - 1) * stride[0] + reach + 1 - padding[0][0]
            seen = slice(max(begin, 0), min(stop, x.shape[2]))
            around = ((seen.start - begin, max(stop - seen.stop, 0)), *padding[1:])
            results.append(work(x[n:n + 1, :, seen], around, (slice(n, n + 1), slice(first, end))))
        return results

    return list(itertools.chain(*in_parallel(work_on_strips, len(x) * strips, numbers)))


@compilable("nn.compiled.convolution")
def _convolve(x, weight, bias=None, *, stride, padding, dilation, groups):
    kernel = weight.shape[2:]
    if len(kernel) == 3 and math.prod(kernel) > 1:
        return _convolve_slices(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)
    out = output_size(x.shape[2:], kernel, stride, padding, dilation)
    result = np.empty((len(x), *out, len(weight)), x.dtype)

    def windows_times_weight(x, padding, here):
        into_result = result[here]
        places = into_result.shape[1:-1]
        for block, (windows, *others) in _windows(x, kernel, places, stride, padding, dilation, groups, parts):
            part = into_result[block]
            into = _as_groups(part, groups, windows.shape[1])
            product(windows, matrices[0], out=into)
            another = np.empty_like(part) if others else None
            for windows, of_row in zip(others, matrices[1:], strict=True):
                product(windows, of_row, out=_as_groups(another, groups, windows.shape[1]))
                part += another
            if bias is not None:
                part += bias

    def kernel_by_kernel(x, padding, here):
        part = result[here]
        kernels = _kernel_rows(weight, part.shape[-2] if stride[-1] == 1 else 1)
        for block, rows in _image_rows(x, kernel, part.shape[1:-1], stride, padding, dilation):
            every, of_kernel, of_result = _axes(rows, len(kernel))
            into = part[block].reshape(*rows.shape[:-1 - len(kernel)], -1, copy=False)
            np.einsum(rows, every, kernels, of_kernel, of_result, out=into)
            if bias is not None:
                part[block] += bias

    if is_depthwise(weight.shape, groups):
        work = kernel_by_kernel
    else:
        parts = _parts(len(x), weight.shape[1], kernel, stride, len(weight) // groups, out)
        matrix = weight_matrices(weight, groups)
        depth = matrix.shape[1] // parts
        matrices = [_columns(matrix[:, i * depth:(i + 1) * depth], math.prod(out)) for i in range(parts)]
        work = windows_times_weight
    over_images(work, x, out, numbers(result.shape, weight.shape), kernel, stride, padding, dilation)
    return channels_first(result)


def _add_windows(total, windows, stride, dilation):
    """Add windows (groups, N, *out, *kernel, C / groups) to total (N, *size, C) where they stand.

    Whole rows of windows at once, of those that do not meet: long inner loops though the channels may be few.
    """
    ndim = len(stride)
    groups, _, *out = windows.shape[:2 + ndim]
    kernel = windows.shape[2 + ndim:-1]
    apart = -(-(dilation[-1] * (kernel[-1] - 1) + 1) // stride[-1])
    pixel, number = total.strides[-2:]
    shape = (kernel[-1], groups, windows.shape[-1])
    steps = total.strides[0], *[s * n for s, n in zip(stride[:-1], total.strides[1:-2], strict=True)]
    order = (*range(1, 3 + ndim), 0, 3 + ndim)
    for offset in offsets(kernel[:-1]):
        start = sum(o * d * n for o, d, n in zip(offset, dilation[:-1], total.strides[1:-2], strict=True))
        for first in range(min(apart, out[-1])):
            rows = windows[(slice(None),) * (1 + ndim) + (slice(first, None, apart), *offset)]
            onto = np.ndarray(
                (*rows.shape[1:2 + ndim], *shape), total.dtype, total, start + first * stride[-1] * pixel,
                (*steps, apart * stride[-1] * pixel, dilation[-1] * pixel, windows.shape[-1] * number, number))
            onto += rows.transpose(order)


@compilable("nn.compiled.convolution")
def _convolve_transposed(y, weight, *, size, stride, padding, dilation, groups):
    kernel, out = weight.shape[2:], y.shape[2:]
    if len(kernel) == 3 and math.prod(kernel) > 1:
        return _convolve_transposed_slices(y, weight, size, stride=stride, padding=padding, dilation=dilation,
                                           groups=groups)
    channels = weight.shape[1] * groups
    full = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    around = tuple([(f - before, n - m + before)
                    for f, (before, _), n, m in zip(full, padding, size, out, strict=True)])
    if set(stride) == {1} and min(itertools.chain(*around), default=0) >= 0:
        # with stride 1 it is a convolution with the kernel turned round
        split = weight.reshape(groups, -1, *weight.shape[1:]).swapaxes(1, 2)
        turned = np.flip(split, range(3, split.ndim))
        turned = turned[0] if groups == 1 else turned.reshape(channels, -1, *kernel)
        return _convolve(y, turned, stride=stride, padding=around, dilation=dilation, groups=groups)
    result = np.empty((len(y), *size, channels), y.dtype)
    reach = [max(n + sum(p), s * (m - 1) + f + 1)
             for n, p, s, m, f in zip(size, padding, stride, out, full, strict=True)]
    row = math.prod(kernel) * weight.shape[1]
    depthwise = is_depthwise(weight.shape, groups)
    if depthwise:
        kernels = _kernel_rows(weight, out[-1])
    else:
        matrices = _columns(weight_matrices(weight, groups).swapaxes(1, 2), math.prod(out))

    def put_down(images):
        y_part, result_part = y[images], result[images]
        # twice as many images as elsewhere: short functions go over them many times
        blocks = blocks_of(len(y_part), math.prod(out) * row * groups * y.itemsize // 2)
        buffer = np.empty((blocks[0].stop if blocks else 0, *reach, channels), y.dtype)
        for few in blocks:
            block = contiguous_channels_last(y_part[few])
            total = buffer[:len(block)]
            total[...] = 0
            if depthwise:
                rows = block.reshape(*block.shape[:-2], -1)
                for offset in offsets(kernel):
                    put = (rows * kernels[offset]).reshape(block.shape)
                    total[(slice(None), *places(offset, out, stride, dilation))] += put
            else:
                windows = np.empty((groups, 1, len(block) * math.prod(out), row), y.dtype)
                product(_as_groups(block, groups, 1), matrices, out=windows)
                windows = windows.reshape(groups, len(block), *out, *kernel, weight.shape[1])
                _add_windows(total, windows, stride, dilation)
            result_part[few] = total[(slice(None), *inside(size, padding))]

    in_parallel(put_down, len(y), result.size + numbers(y.shape, weight.shape))
    return channels_first(result)


@compilable("nn.compiled.convolution")
def _correlate(x, y, *, kernel, stride, padding, dilation, groups):
    if len(kernel) == 3 and math.prod(kernel) > 1:
        return _correlate_slices(x, y, kernel, stride=stride, padding=padding, dilation=dilation, groups=groups)
    out, c_in, c_out = y.shape[2:], x.shape[1] // groups, y.shape[1] // groups

    def windows_times_y(x, padding, here):
        total = np.zeros((parts, groups, c_out, math.prod(kernel) * c_in // parts), x.dtype)
        y_part = y[here[0], :, here[1]]
        for block, every in _windows(x, kernel, y_part.shape[2:], stride, padding, dilation, groups, parts):
            factor = _as_groups(contiguous_channels_last(y_part[block]), groups, every[0].shape[1])
            for windows, of_part in zip(every, total, strict=True):
                of_part += transposed_product(factor, windows).sum(axis=1)
        return total

    def kernel_by_kernel(x, padding, here):
        total, y_part = np.zeros((*kernel, groups), x.dtype), y[here[0], :, here[1]]
        for block, rows in _image_rows(x, kernel, y_part.shape[2:], stride, padding, dilation):
            every, of_kernel, of_result = _axes(rows, len(kernel))
            factor = contiguous_channels_last(y_part[block]).reshape(*rows.shape[:-1 - len(kernel)], -1)
            products = np.einsum(rows, every, factor, of_result, of_kernel)
            total += products.reshape(*kernel, -1, groups).sum(axis=-2)
        return total

    depthwise = is_depthwise((y.shape[1], c_in), groups)
    parts = _parts(len(x), c_in, kernel, stride, c_out, out)
    total = sum(over_images(kernel_by_kernel if depthwise else windows_times_y, x, out,
                            numbers(y.shape, (c_out, c_in, *kernel)), kernel, stride, padding, dilation))
    if depthwise:
        return np.moveaxis(total, -1, 0)[:, None]
    return as_weight(np.moveaxis(total, 0, 2).reshape(groups, c_out, -1), kernel)


# The same without products with padding: zeros around an image are no numbers, and must not make NaN of an infinity

def _meeting(size, out, kernel, stride, padding, dilation):
    """For each element of the kernel: itself, the places where it meets the input, and what it meets there."""
    for offset in offsets(kernel):
        at, of = [], []
        for o, n, m, s, (before, _), d in zip(offset, size, out, stride, padding, dilation, strict=True):
            first = max(-(-(before - o * d) // s), 0)
            end = max(min((n - 1 + before - o * d) // s + 1, m), first)
            start = first * s - before + o * d
            at.append(slice(first, end))
            of.append(slice(start, start + (end - first - 1) * s + 1, s) if end > first else slice(0, 0))
        yield (Ellipsis, *offset), (Ellipsis, *at), (Ellipsis, *of)


def _split(a, axis, groups):
    """The channels of an axis as (groups, channels of the group)."""
    return a.reshape(*a.shape[:axis], groups, a.shape[axis] // groups, *a.shape[axis + 1:])


def _convolve_exactly(x, weight, out, groups, **geometry):
    result = np.zeros((len(x), len(weight), *out), x.dtype)
    for offset, at, of in _meeting(x.shape[2:], out, weight.shape[2:], **geometry):
        part = np.einsum("ngc...,goc->ngo...", _split(x[of], 1, groups), _split(weight[offset], 0, groups))
        result[at] += part.reshape(result[at].shape)
    return result


def _convolve_transposed_exactly(y, weight, size, groups, **geometry):
    result = np.zeros((len(y), weight.shape[1] * groups, *size), y.dtype)
    for offset, at, of in _meeting(size, y.shape[2:], weight.shape[2:], **geometry):
        part = np.einsum("ngo...,goc->ngc...", _split(y[at], 1, groups), _split(weight[offset], 0, groups))
        result[of] += part.reshape(result[of].shape)
    return result


def _correlate_exactly(x, y, kernel, groups, **geometry):
    result = np.zeros((y.shape[1], x.shape[1] // groups, *kernel), x.dtype)
    for offset, at, of in _meeting(x.shape[2:], y.shape[2:], kernel, **geometry):
        pair = [a.reshape(len(a), groups, a.shape[1] // groups, math.prod(a.shape[2:])) for a in (y[at], x[of])]
        result[offset] = np.einsum("ngop,ngcp->goc", *pair).reshape(result[offset].shape)
    return result


def _is_finite(factor, result, padding):
    """Whether nothing that is not finite can have met padding; what the factor holds, the result would show."""
    return not any(map(any, padding)) or np.isfinite(min(factor, result, key=np.size)).all()


@widened
def _convolution_forward(x, weight, bias=None, *, stride, padding, dilation, groups):
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    result = _convolve(x, weight, bias, **geometry)
    if _is_finite(weight, result, padding):
        return result
    result = _convolve_exactly(x, weight, result.shape[2:], **geometry)
    return result if bias is None else result + bias.reshape(-1, *[1] * len(stride))


@widened
def _of_input_forward(y, weight, *, size, stride, padding, dilation, groups):
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    result = _convolve_transposed(y, weight, size=size, **geometry)
    around = ((1, 1),) if set(stride) == {1} else padding  # with stride 1, y has zeros around it
    return result if _is_finite(weight, result, around) else _convolve_transposed_exactly(y, weight, size, **geometry)


@widened
def _of_weight_forward(x, y, *, kernel, stride, padding, dilation, groups):
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    result = _correlate(x, y, kernel=kernel, **geometry)
    return result if _is_finite(y, result, padding) else _correlate_exactly(x, y, kernel, **geometry)


# The declarations

def _samples(draw):
    ndim, groups = draw.integer(1, 3), draw.integer(1, 2)
    kernel = tuple([draw.integer(1, 2) for _ in range(ndim)])
    dilation = tuple([draw.integer(1, 2) for _ in range(ndim)])
    stride = tuple([draw.integer(1, 2) for _ in range(ndim)])
    padding = tuple([(draw.integer(0, 2), draw.integer(0, 1)) for _ in range(ndim)])
    size = tuple([d * (k - 1) + 1 + draw.integer(0, 2) for k, d in zip(kernel, dilation, strict=True)])
    c_in, c_out = draw.integer(1, 2), draw.integer(1, 2)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    batch = draw.integer(0, 2)
    x = draw.array(shape=(batch, groups * c_in, *size))
    y = draw.array(shape=(batch, groups * c_out, *output_size(size, kernel, stride, padding, dilation)))
    return x, y, draw.array(shape=(groups * c_out, c_in, *kernel)), options


def _convolution_samples(draw):
    x, _, weight, options = _samples(draw)
    return call(x, weight, draw.array(shape=weight.shape[:1]) if draw.boolean() else None, **options)


def _of_input_samples(draw):
    x, y, weight, options = _samples(draw)
    return call(y, weight, size=x.shape[2:], **options)


def _of_weight_samples(draw):
    x, y, weight, options = _samples(draw)
    return call(x, y, kernel=weight.shape[2:], **options)


def _multiply_adds(shapes, out, options):
    return math.prod(out) * math.prod(shapes[1][1:])


convolution = operation(
    _convolution_forward,
    vjps=(lambda g, out, x, weight, bias, **geometry: of_input(g, weight, size=x.shape[2:], **geometry),
          lambda g, out, x, weight, bias, **geometry: of_weight(x, g, kernel=weight.shape[2:], **geometry),
          lambda g, out, x, weight, bias, **geometry: added(g, (0, *range(2, g.ndim)))),
    names="convolution", methods="", samples=_convolution_samples,
    multiply_adds=_multiply_adds, flops=with_bias(_multiply_adds))

of_input = operation(
    _of_input_forward,
    vjps=(lambda g, out, y, weight, size, **geometry: convolution(g, weight, **geometry),
          lambda g, out, y, weight, size, **geometry: of_weight(g, y, kernel=weight.shape[2:], **geometry)),
    names="transposed_convolution", methods="", samples=_of_input_samples,
    multiply_adds=lambda shapes, out, options: math.prod(shapes[0]) * math.prod(shapes[1][1:]))

of_weight = operation(
    _of_weight_forward,
    vjps=(lambda g, out, x, y, kernel, **geometry: of_input(y, g, size=x.shape[2:], **geometry),
          lambda g, out, x, y, kernel, **geometry: convolution(x, g, **geometry)),
    names="convolution_weight", methods="", samples=_of_weight_samples,
    multiply_adds=lambda shapes, out, options: math.prod(shapes[1]) * math.prod(out[1:]))


# What users call

def _check(x, weight, bias, channels_in, channels_out, groups):
    """Refuse channels that do not fit; the weight is (channels_out, channels_in / groups, *kernel)."""
    if x.shape[1] != channels_in:
        raise ShapeError(f"the weight has shape {weight.shape} and groups={groups}, so the input must have "
                         f"{channels_in} channels; it has {x.shape[1]} (shape {x.shape})")
    if groups < 1 or channels_in % groups or channels_out % groups:
        raise ValueError(f"groups={groups} must divide the {channels_in} input and {channels_out} output channels")
    if bias is not None and bias.shape != (channels_out,):
        raise ShapeError(f"the bias must have shape ({channels_out},), not {bias.shape}")


def padding_of(padding, kernel, stride, dilation):
    """`padding` ("valid", "same", a number, one per dimension) as (before, after) for each dimension."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if set(stride) != {1}:
            raise ValueError("padding='same' keeps the size only with stride 1, not "
                             f"{stride}; give the padding in numbers")
        full = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return tuple([(f // 2, f - f // 2) for f in full])
    if isinstance(padding, str):
        raise ValueError(f"padding must be 'same', 'valid' or numbers, not {padding!r}")
    return tuple([(p, p) for p in tuple_of(padding, len(kernel), "padding")])


def _conv(ndim, input, weight, bias, stride, padding, dilation, groups):
    input, weight = as_tensor(input), as_tensor(weight)
    x, single = arranged(input, ndim)
    if weight.ndim != ndim + 2:
        raise ShapeError(f"the weight must have {ndim + 2} axes (C_out, C_in / groups, *kernel), not shape "
                         f"{weight.shape}")
    _check(x, weight, bias, weight.shape[1] * groups, weight.shape[0], groups)
    kernel = weight.shape[2:]
    stride, dilation = tuple_of(stride, ndim, "stride"), tuple_of(dilation, ndim, "dilation")
    padding = padding_of(padding, kernel, stride, dilation)
    check_geometry(kernel, stride, padding, dilation)
    if min(output_size(x.shape[2:], kernel, stride, padding, dilation)) < 1:
        raise ShapeError(f"a kernel of {kernel} (dilation {dilation}) does not fit an input of size "
                         f"{x.shape[2:]} with padding {padding}")
    out = convolution(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return out.squeeze(0) if single else out


def conv1d(input: TensorLike, weight: TensorLike, bias: TensorLike | None = None, stride: Shape = 1,
           padding: Shape | str = 0, dilation: Shape = 1, groups: int = 1) -> Tensor:
    """Cross-correlation of (N, C_in, L) with kernels (C_out, C_in / groups, k); see `conv2d`."""
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input: TensorLike, weight: TensorLike, bias: TensorLike | None = None, stride: Shape = 1,
           padding: Shape | str = 0, dilation: Shape = 1, groups: int = 1) -> Tensor:
    """Cross-correlation of images with kernels.

    Args:
        input: (N, C_in, H, W), or without N.
        weight: (C_out, C_in / groups, kH, kW).
        bias: (C_out,).
        stride: how far the kernel moves from place to place.
        padding: how many zeros stand before and after; "valid" for none, "same" to keep the size (stride 1).
        dilation: the distance between the elements of the kernel.
        groups: into how many independent convolutions the channels are split; C_in for a depthwise one.

    Returns:
        (N, C_out, H', W') with H' = ⌊(H + 2 padding - dilation (kH - 1) - 1) / stride⌋ + 1.

    >>> conv2d(autograd.zeros(1, 3, 32, 32), autograd.zeros(8, 3, 3, 3), padding=1).shape
    (1, 8, 32, 32)
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input: TensorLike, weight: TensorLike, bias: TensorLike | None = None, stride: Shape = 1,
           padding: Shape | str = 0, dilation: Shape = 1, groups: int = 1) -> Tensor:
    """Cross-correlation of (N, C_in, D, H, W) with kernels (C_out, C_in / groups, kD, kH, kW); see `conv2d`."""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def _conv_transpose(ndim, input, weight, bias, stride, padding, output_padding, groups, dilation):
    input, weight = as_tensor(input), as_tensor(weight)
    x, single = arranged(input, ndim)
    if weight.ndim != ndim + 2:
        raise ShapeError(f"the weight must have {ndim + 2} axes (C_in, C_out / groups, *kernel), not shape "
                         f"{weight.shape}")
    _check(x, weight, bias, weight.shape[0], weight.shape[1] * groups, groups)
    kernel = weight.shape[2:]
    stride, dilation = tuple_of(stride, ndim, "stride"), tuple_of(dilation, ndim, "dilation")
    extra = tuple_of(output_padding, ndim, "output_padding")
    check_geometry(kernel, stride, [tuple_of(padding, ndim, "padding"), extra], dilation)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ValueError(f"output_padding {extra} must be smaller than stride {stride} or dilation {dilation}")
    padding = tuple_of(padding, ndim, "padding")
    size = tuple([(n - 1) * s - 2 * p + d * (k - 1) + e + 1
                  for n, s, p, d, k, e in zip(x.shape[2:], stride, padding, dilation, kernel, extra, strict=True)])
    if min(size) < 1:
        raise ShapeError(f"with padding {padding} nothing is left of an input of size {x.shape[2:]}")
    # With as much as a stride more, a convolution back would have another place: of the end less is cut off instead,
    # and what is still missing are zeros.
    more = [e - min(e, s - 1) for e, s in zip(extra, stride, strict=True)]
    zeros = [max(e - p, 0) for e, p in zip(more, padding, strict=True)]
    out = of_input(x, weight, size=tuple([n - z for n, z in zip(size, zeros, strict=True)]), stride=stride,
                   padding=tuple([(p, max(p - e, 0)) for p, e in zip(padding, more, strict=True)]), dilation=dilation,
                   groups=groups)
    if any(zeros):
        out = pad(out, [n for z in reversed(zeros) for n in (0, z)])
    if bias is not None:
        out = out + bias.reshape((-1, *(1,) * ndim))
    return out.squeeze(0) if single else out


def conv_tbc(input: TensorLike, weight: TensorLike, bias: TensorLike, pad: int = 0) -> Tensor:
    """`conv1d` of sequences whose steps come first: (T, B, C_in) with kernels (k, C_in, C_out) -> (T', B, C_out)."""
    x, w = as_tensor(input), as_tensor(weight)
    if x.ndim != 3 or w.ndim != 3:
        raise ShapeError(f"the input must have shape (T, B, C_in) and the weight (k, C_in, C_out), not {x.shape} and "
                         f"{w.shape}")
    return _conv(1, x.permute(1, 2, 0), w.permute(2, 1, 0), bias, 1, pad, 1, 1).permute(2, 0, 1)


def conv_transpose1d(input: TensorLike, weight: TensorLike, bias: TensorLike | None = None, stride: Shape = 1,
                     padding: Shape = 0, output_padding: Shape = 0, groups: int = 1, dilation: Shape = 1) -> Tensor:
    """The adjoint of `conv1d`; see `conv_transpose2d`."""
    return _conv_transpose(1, input, weight, bias, stride, padding, output_padding, groups,
                           dilation)


def conv_transpose2d(input: TensorLike, weight: TensorLike, bias: TensorLike | None = None, stride: Shape = 1,
                     padding: Shape = 0, output_padding: Shape = 0, groups: int = 1, dilation: Shape = 1) -> Tensor:
    """The adjoint of `conv2d`: every input pixel adds its multiple of the kernel to the output.

    Args:
        input: (N, C_in, H, W), or without N.
        weight: (C_in, C_out / groups, kH, kW).
        bias: (C_out,).
        stride: how far apart the kernels are put down.
        padding: how many rows and columns are cut off on each side.
        output_padding: how many are added after the last one: with a stride, several sizes have the same convolution.
        groups: into how many independent ones the channels are split.
        dilation: the distance between the elements of the kernel.

    Returns:
        (N, C_out, H', W') with H' = (H - 1) stride - 2 padding + dilation (kH - 1) + output_padding + 1.
    """
    return _conv_transpose(2, input, weight, bias, stride, padding, output_padding, groups,
                           dilation)


def conv_transpose3d(input: TensorLike, weight: TensorLike, bias: TensorLike | None = None, stride: Shape = 1,
                     padding: Shape = 0, output_padding: Shape = 0, groups: int = 1, dilation: Shape = 1) -> Tensor:
    """The adjoint of `conv3d`; see `conv_transpose2d`."""
    return _conv_transpose(3, input, weight, bias, stride, padding, output_padding, groups,
                           dilation)
