"""Convolution in any number of dimensions.

Three bilinear operations, each the derivative of the others, so that every order comes for free:

    convolution     y = x * w
    of_input        x̄ = ȳ * w,  the adjoint in x: the transposed convolution
    of_weight       w̄ = x * ȳ,  the adjoint in w

The work is matrix products over windows. A window's elements lie together when the channels are the last axis, so
results are laid out that way in memory (their shape is PyTorch's (N, C, *size) all the same, and NumPy's elementwise
functions keep the layout); windows are copied out for a few images at a time, so that they are still in the cache when
the product reads them, and never for a whole batch.
"""

import itertools
import math

import numpy as np

from autograd import as_tensor, operation
from autograd.samples import call

CACHE = 1 << 19
"""How many bytes of windows to make at a time."""


# Geometry. stride, padding, dilation and size have one entry a dimension; those of padding are (before, after).

def output_size(size, kernel, stride, padding, dilation):
    """How many places the kernel has in each dimension."""
    return tuple([(n + sum(p) - d * (k - 1) - 1) // s + 1
                  for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)])


def places(offset, out, stride, dilation):
    """Where element `offset` of the kernel falls on the padded input: one slice a dimension."""
    return tuple([slice(o * d, o * d + s * (n - 1) + 1, s)
                  for o, n, s, d in zip(offset, out, stride, dilation, strict=True)])


def offsets(kernel):
    """The positions in a kernel."""
    return itertools.product(*map(range, kernel))


def inside(size, padding):
    """The input within its padding."""
    return tuple([slice(before, before + n) for n, (before, _) in zip(size, padding, strict=True)])


def channels_last(x):
    """(N, C, *size) -> (N, *size, C), without a copy."""
    return np.moveaxis(x, 1, -1)


def _blocks(count, bytes_each):
    """Slices of a batch whose windows fit into the cache."""
    step = max(1, CACHE // max(bytes_each, 1))
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def _padded_blocks(x, blocks, padding):
    """x (N, *size, C) with zeros around it, block by block, in one buffer."""
    if not any(map(any, padding)) and x.flags.c_contiguous:
        for images in blocks:
            yield images, x[images]
        return
    size, longest = x.shape[1:-1], max((b.stop - b.start for b in blocks), default=0)
    padded = [n + sum(p) for n, p in zip(size, padding, strict=True)]
    buffer = np.zeros((longest, *padded, x.shape[-1]), x.dtype)
    for images in blocks:
        block = buffer[:images.stop - images.start]
        block[(slice(None), *inside(size, padding))] = x[images]
        yield images, block


def _windows(x, kernel, out, stride, padding, dilation, groups):
    """Block by block: which images, and their windows as matrices (groups, places, kernel x channels of the group)."""
    channels = x.shape[1] // groups
    row = math.prod(kernel) * channels
    blocks = _blocks(len(x), math.prod(out) * row * groups * x.itemsize)
    buffer = None
    for images, block in _padded_blocks(channels_last(x), blocks, padding):
        count, rows = len(block), len(block) * math.prod(out)
        if row == channels and groups == 1:  # a kernel of one element: the windows are the pixels
            every = places((0,) * len(out), out, stride, dilation)
            yield images, block[(slice(None), *every)].reshape(1, rows, row)
            continue
        steps = block.strides[1:-1]
        view = np.lib.stride_tricks.as_strided(
            block, (groups, count, *out, *kernel, channels),
            (channels * x.itemsize, block.strides[0], *[n * s for n, s in zip(steps, stride, strict=True)],
             *[n * d for n, d in zip(steps, dilation, strict=True)], x.itemsize), writeable=False)
        if buffer is None:
            buffer = np.empty(view.size, x.dtype)  # the first block is the longest
        windows = buffer[:view.size].reshape(view.shape)
        np.copyto(windows, view)
        yield images, windows.reshape(groups, rows, row)


def _as_groups(y, groups):
    """(N, *size, C) -> (groups, N x places, channels of the group), a view if y is contiguous."""
    return y.reshape(math.prod(y.shape[:-1]), groups, y.shape[-1] // groups).swapaxes(0, 1)


def _weight_matrices(weight, groups):
    """(C_out, C_in / groups, *kernel) -> (groups, kernel x C_in / groups, C_out / groups)."""
    split = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    return np.moveaxis(split, (1, 2), (-1, -2)).reshape(groups, -1, split.shape[1])


def _is_depthwise(weight_shape, groups):
    return groups > 1 and weight_shape[0] == groups and weight_shape[1] == 1


def _kernel_rows(weight, width):
    """For each element of a depthwise kernel its weights, repeated along a row of `width` places: equal inner loops."""
    return [(offset, np.tile(weight[(slice(None), 0, *offset)], (width, 1))) for offset in offsets(weight.shape[2:])]


def _convolve(x, weight, bias=None, *, stride, padding, dilation, groups):
    kernel = weight.shape[2:]
    out = output_size(x.shape[2:], kernel, stride, padding, dilation)
    result = np.empty((len(x), *out, len(weight)), x.dtype)
    if _is_depthwise(weight.shape, groups):
        blocks = _blocks(len(x), 4 * x[:1].nbytes)
        product = np.empty_like(result[blocks[0]]) if blocks else None
        first, *others = _kernel_rows(weight, out[-1])
        for images, block in _padded_blocks(channels_last(x), blocks, padding):
            total, part = result[images], product[:len(block)]
            np.multiply(block[(slice(None), *places(first[0], out, stride, dilation))], first[1], out=total)
            for offset, row in others:
                total += np.multiply(block[(slice(None), *places(offset, out, stride, dilation))], row, out=part)
            if bias is not None:
                total += bias
        return np.moveaxis(result, -1, 1)
    matrices = _weight_matrices(weight, groups)
    for images, windows in _windows(x, kernel, out, stride, padding, dilation, groups):
        np.matmul(windows, matrices, out=_as_groups(result[images], groups))
        if bias is not None:
            result[images] += bias
    return np.moveaxis(result, -1, 1)


def _convolve_transposed(y, weight, *, size, stride, padding, dilation, groups):
    kernel, out = weight.shape[2:], y.shape[2:]
    channels = weight.shape[1] * groups
    depthwise = _is_depthwise(weight.shape, groups)
    full = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    around = tuple([(f - before, n - m + before)
                    for f, (before, _), n, m in zip(full, padding, size, out, strict=True)])
    if set(stride) == {1} and not depthwise and min(itertools.chain(*around), default=0) >= 0:
        # with stride 1 it is a convolution with the kernel turned round
        split = weight.reshape(groups, -1, *weight.shape[1:]).swapaxes(1, 2)
        turned = np.flip(split, range(3, split.ndim)).reshape(channels, -1, *kernel)
        return _convolve(y, turned, stride=stride, padding=around, dilation=dilation, groups=groups)
    result = np.empty((len(y), *size, channels), y.dtype)
    reach = [max(n + sum(p), s * (m - 1) + f + 1)
             for n, p, s, m, f in zip(size, padding, stride, out, full, strict=True)]
    row = math.prod(kernel) * weight.shape[1]
    blocks = _blocks(len(y), math.prod(out) * row * groups * y.itemsize)
    if depthwise:
        rows = _kernel_rows(weight, out[-1])
    else:
        matrices = _weight_matrices(weight, groups).swapaxes(1, 2)
    buffer = np.empty((blocks[0].stop if blocks else 0, *reach, channels), y.dtype)
    for images in blocks:
        block = np.ascontiguousarray(channels_last(y)[images])
        total = buffer[:len(block)]
        total[...] = 0
        if not depthwise:
            parts = (_as_groups(block, groups) @ matrices).reshape(groups, len(block), *out, *kernel, weight.shape[1])
        if depthwise:
            for offset, row in rows:
                total[(slice(None), *places(offset, out, stride, dilation))] += block * row
        else:
            for offset in offsets(kernel):
                target = total[(slice(None), *places(offset, out, stride, dilation))]
                grouped = target.reshape(*target.shape[:-1], groups, weight.shape[1], copy=False)
                grouped += np.moveaxis(parts[(Ellipsis, *offset, slice(None))], 0, -2)
        result[images] = total[(slice(None), *inside(size, padding))]
    return np.moveaxis(result, -1, 1)


def _correlate(x, y, *, kernel, stride, padding, dilation, groups):
    out, c_in, c_out = y.shape[2:], x.shape[1] // groups, y.shape[1] // groups
    rows = channels_last(y)
    if _is_depthwise((y.shape[1], c_in), groups):
        weight = np.zeros((*kernel, groups), x.dtype)
        for images, block in _padded_blocks(channels_last(x), _blocks(len(x), 4 * x[:1].nbytes), padding):
            row = np.ascontiguousarray(rows[images])  # it is read once for every element of the kernel
            for offset in offsets(kernel):
                product = block[(slice(None), *places(offset, out, stride, dilation))] * row
                weight[offset] += np.ones(product.size // groups, x.dtype) @ product.reshape(-1, groups)
        return np.moveaxis(weight, -1, 0)[:, None]
    total = np.zeros((groups, math.prod(kernel) * c_in, c_out), x.dtype)
    for images, windows in _windows(x, kernel, out, stride, padding, dilation, groups):
        total += windows.swapaxes(1, 2) @ _as_groups(rows[images], groups)
    split = total.reshape(groups, *kernel, c_in, c_out)
    return np.moveaxis(split, (-1, -2), (1, 2)).reshape(groups * c_out, c_in, *kernel)


# The declarations

def _samples(draw):
    ndim, groups = draw.integer(1, 2), draw.integer(1, 2)
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


convolution = operation(
    _convolve,
    vjps=(lambda g, out, x, weight, bias, **geometry: of_input(g, weight, size=x.shape[2:], **geometry),
          lambda g, out, x, weight, bias, **geometry: of_weight(x, g, kernel=weight.shape[2:], **geometry),
          lambda g, out, x, weight, bias, **geometry: g.sum(axis=(0, *range(2, g.ndim)))),
    names="convolution", methods="", samples=_convolution_samples)

of_input = operation(
    _convolve_transposed,
    vjps=(lambda g, out, y, weight, size, **geometry: convolution(g, weight, **geometry),
          lambda g, out, y, weight, size, **geometry: of_weight(g, y, kernel=weight.shape[2:], **geometry)),
    names="transposed_convolution", methods="", samples=_of_input_samples)

of_weight = operation(
    _correlate,
    vjps=(lambda g, out, x, y, kernel, **geometry: of_input(y, g, size=x.shape[2:], **geometry),
          lambda g, out, x, y, kernel, **geometry: convolution(x, g, **geometry)),
    names="convolution_weight", methods="", samples=_of_weight_samples)


# What users call

def tuple_of(value, ndim, name):
    """`value` as a tuple with one entry a dimension.

    Raises:
        ValueError: there are more or fewer.
    """
    entries = (value,) * ndim if isinstance(value, int) else tuple(value) * (ndim if len(value) == 1 else 1)
    if len(entries) != ndim:
        raise ValueError(f"{name} must be a number or have {ndim} entries, one a dimension, not {value!r}")
    return entries


def _batched(name, x, ndim):
    """x with a batch axis, and whether it had none."""
    if x.ndim not in (ndim + 1, ndim + 2):
        raise ValueError(f"{name}: the input must have shape (N, C, {', '.join('DHW'[-ndim:])}), or without N, not "
                         f"{x.shape}")
    return (x.unsqueeze(0), True) if x.ndim == ndim + 1 else (x, False)


def _check(name, x, weight, bias, channels_in, channels_out, groups):
    """Refuse channels that do not fit; the weight is (channels_out, channels_in / groups, *kernel)."""
    if x.shape[1] != channels_in:
        raise ValueError(f"{name}: the weight has shape {weight.shape} and groups={groups}, so the input must have "
                         f"{channels_in} channels; it has {x.shape[1]} (shape {x.shape})")
    if groups < 1 or channels_in % groups or channels_out % groups:
        raise ValueError(f"{name}: groups={groups} must divide the {channels_in} input and {channels_out} output "
                         "channels")
    if bias is not None and bias.shape != (channels_out,):
        raise ValueError(f"{name}: the bias must have shape ({channels_out},), not {bias.shape}")


def padding_of(padding, kernel, stride, dilation):
    """`padding` ("valid", "same", a number, one a dimension) as (before, after) for each dimension."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if set(stride) != {1}:
            raise ValueError(f"padding='same' keeps the size only with stride 1, not {stride}; give the padding in "
                             "numbers")
        full = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return tuple([(f // 2, f - f // 2) for f in full])
    if isinstance(padding, str):
        raise ValueError(f"padding must be 'same', 'valid' or numbers, not {padding!r}")
    return tuple([(p, p) for p in tuple_of(padding, len(kernel), "padding")])


def _conv(name, ndim, input, weight, bias, stride, padding, dilation, groups):
    input, weight = as_tensor(input), as_tensor(weight)
    x, single = _batched(name, input, ndim)
    if weight.ndim != ndim + 2:
        raise ValueError(f"{name}: the weight must have {ndim + 2} axes (C_out, C_in / groups, *kernel), not shape "
                         f"{weight.shape}")
    _check(name, x, weight, bias, weight.shape[1] * groups, weight.shape[0], groups)
    kernel = weight.shape[2:]
    stride, dilation = tuple_of(stride, ndim, "stride"), tuple_of(dilation, ndim, "dilation")
    padding = padding_of(padding, kernel, stride, dilation)
    if min(output_size(x.shape[2:], kernel, stride, padding, dilation)) < 1:
        raise ValueError(f"{name}: a kernel of {kernel} (dilation {dilation}) does not fit an input of size "
                         f"{x.shape[2:]} with padding {padding}")
    out = convolution(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return out.squeeze(0) if single else out


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of (N, C_in, L) with kernels (C_out, C_in / groups, k); see `conv2d`."""
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
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
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of (N, C_in, D, H, W) with kernels (C_out, C_in / groups, kD, kH, kW); see `conv2d`."""
    return _conv("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _conv_transpose(name, ndim, input, weight, bias, stride, padding, output_padding, groups, dilation):
    input, weight = as_tensor(input), as_tensor(weight)
    x, single = _batched(name, input, ndim)
    if weight.ndim != ndim + 2:
        raise ValueError(f"{name}: the weight must have {ndim + 2} axes (C_in, C_out / groups, *kernel), not shape "
                         f"{weight.shape}")
    _check(name, x, weight, bias, weight.shape[0], weight.shape[1] * groups, groups)
    kernel = weight.shape[2:]
    stride, dilation = tuple_of(stride, ndim, "stride"), tuple_of(dilation, ndim, "dilation")
    extra = tuple_of(output_padding, ndim, "output_padding")
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ValueError(f"{name}: output_padding {extra} must be smaller than stride {stride} or dilation {dilation}")
    padding = tuple_of(padding, ndim, "padding")
    size = tuple([(n - 1) * s - 2 * p + d * (k - 1) + e + 1
                  for n, s, p, d, k, e in zip(x.shape[2:], stride, padding, dilation, kernel, extra, strict=True)])
    if min(size) < 1:
        raise ValueError(f"{name}: with padding {padding} nothing is left of an input of size {x.shape[2:]}")
    out = of_input(x, weight, size=size, stride=stride, padding=tuple([(p, p) for p in padding]), dilation=dilation,
                   groups=groups)
    if bias is not None:
        out = out + bias.reshape((-1, *(1,) * ndim))
    return out.squeeze(0) if single else out


def conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The adjoint of `conv1d`; see `conv_transpose2d`."""
    return _conv_transpose("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups,
                           dilation)


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
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
    return _conv_transpose("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups,
                           dilation)


def conv_transpose3d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The adjoint of `conv3d`; see `conv_transpose2d`."""
    return _conv_transpose("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups,
                           dilation)
