"""Where the windows of convolution and pooling lie, and how images lie in memory.

stride, padding, dilation, kernel and size have one entry per dimension; those of padding are (before, after).
"""

import functools
import itertools
import math
import numbers

import numpy as np

from autograd.errors import ShapeError
from autograd.runtime.compiled import compilable
from autograd.runtime.threads import pieces

CACHE = 1 << 21
"""How many bytes of windows to make at a time."""


def tuple_of(value, ndim, name, kind=numbers.Integral) -> tuple:
    """`value` as a tuple with one entry per dimension.

    Raises:
        ValueError: there are more or fewer.
        TypeError: they are no whole numbers (or not of another `kind`).
    """
    entries = (value,) if isinstance(value, numbers.Real) else tuple(value)
    entries = entries * ndim if len(entries) == 1 else entries
    if len(entries) != ndim:
        raise ValueError(f"{name} must be a number or have {ndim} entries, one per dimension, not {value!r}")
    if not all(isinstance(entry, kind) for entry in entries):
        raise TypeError(f"{name} must be {'whole ' * (kind is numbers.Integral)}numbers, not {value!r}")
    return entries


def layout(ndim: int, channels: str | int = "C") -> str:
    """The axes of a batch in words, such as (N, C, H, W)."""
    return f"({', '.join(['N', str(channels), *'DHW'[3 - ndim:]])})"


def check_axes(x, ndim):
    """Refuse what is neither (N, C, *size) nor (C, *size)."""
    if x.ndim not in (ndim + 1, ndim + 2):
        raise ShapeError(f"the input must have shape {layout(ndim)}, or without N, not {x.shape}")


def arranged(x, ndim):
    """x (N, C, *size) or (C, *size) with its batch axis, and whether it had none.

    Raises:
        ValueError: x has another number of axes, or no element to look at.
    """
    check_axes(x, ndim)
    if 0 in x.shape[-ndim:]:
        raise ShapeError(f"an input of shape {x.shape} has no elements to take windows of; each of the last "
                         f"{ndim} axes must have at least 1 (a batch may be empty)")
    return (x.unsqueeze(0), True) if x.ndim == ndim + 1 else (x, False)


def check_geometry(kernel, stride, padding, dilation):
    """Refuse what makes no window.

    Raises:
        ValueError: kernel, stride or dilation is less than 1, padding less than 0.
    """
    for what, entries, least in (("kernel_size", kernel, 1), ("stride", stride, 1), ("dilation", dilation, 1),
                                 ("padding", [n for around in padding for n in around], 0)):
        if min(entries) < least:
            raise ValueError(f"{what} must be at least {least} in each dimension, not {tuple(entries)}")


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


def padded(x, padding, value):
    """x (N, C, *size) with `value` around it, in the same order in memory; x itself if there is no padding."""
    if not any(map(any, padding)):
        return x
    shape = (*x.shape[:2], *[n + sum(p) for n, p in zip(x.shape[2:], padding, strict=True)])
    out = np.full_like(x, value, shape=shape)
    out[(slice(None), slice(None), *inside(x.shape[2:], padding))] = x
    return out


def shifted(padded, kernel, stride, padding, dilation, size):
    """For each element of the kernel, the part of the padded input (N, C, *size) under it."""
    out = output_size(size, kernel, stride, padding, dilation)
    return [padded[(slice(None), slice(None), *places(offset, out, stride, dilation))] for offset in offsets(kernel)]


def selected(values, mask):
    """`values` where the mask is true and 0 elsewhere, whatever the values are: np.where, but four times as fast."""
    bits = values.view(f"i{values.itemsize}")
    return (bits & np.negative(mask.view(np.int8))).view(values.dtype)


def window_samples(draw):
    """A size, and options of an operation on its windows."""
    ndim = draw.integer(1, 2)
    kernel, stride = (tuple([draw.integer(1, 2) for _ in range(ndim)]) for _ in range(2))
    padding = tuple([(k // 2 and draw.integer(0, 1), draw.integer(0, 1)) for k in kernel])
    dilation = tuple([draw.integer(1, 2) for _ in range(ndim)])
    size = tuple([d * (k - 1) + 1 + draw.integer(0, 1) for k, d in zip(kernel, dilation, strict=True)])
    return size, {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}


def channels_last(x):
    """(N, C, *size) -> (N, *size, C), without a copy."""
    return x.transpose(0, *range(2, x.ndim), 1)


def channels_first(x):
    """(N, *size, C) -> (N, C, *size), without a copy."""
    return x.transpose(0, -1, *range(1, x.ndim - 1))


def blocks_of(count, bytes_each):
    """Slices of a batch whose windows fit into the cache."""
    return pieces(slice(0, count), bytes_each, CACHE)


def fill_channels_last(block, x):
    """Copy x (N, C, *size) into block (N, *size, C)."""
    if x.flags.c_contiguous:
        # Channels lie a power of two apart more often than not; the processor's cache has few places for such.
        pixels = math.prod(x.shape[2:])
        apart = np.empty((*x.shape[:2], pixels + 16), x.dtype)[:, :, :pixels]
        apart[...] = x.reshape(apart.shape)
        x = apart.reshape(x.shape, copy=False)
    block[...] = channels_last(x)


@compilable("nn.compiled.geometry")
def contiguous_channels_last(x):
    """x (N, C, *size) as a contiguous (N, *size, C)."""
    if channels_last(x).flags.c_contiguous:
        return channels_last(x)
    block = np.empty(channels_last(x).shape, x.dtype)
    fill_channels_last(block, x)
    return block


def wide(x):
    """x in a dtype whose sums are right: float32 for float16."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def widened(forward):
    """`forward`, with all float16 arrays in float32 and the (first) result in float16 again.

    Sums of float16 stop growing at 2048 and overflow at 65504; and NumPy computes in float32 many times as fast.
    """
    @functools.wraps(forward)
    def in_float32(*arrays, **options):
        if not any(getattr(a, "dtype", None) == np.float16 for a in arrays):
            return forward(*arrays, **options)
        out = forward(*[wide(a) if isinstance(a, np.ndarray) else a for a in arrays], **options)
        return (out[0].astype(np.float16), *out[1:]) if isinstance(out, tuple) else out.astype(np.float16)
    return in_float32
