"""Where the windows of convolution and pooling lie, and how images lie in memory.

stride, padding, dilation, kernel and size have one entry a dimension; those of padding are (before, after).
"""

import itertools
import math

import numpy as np

from autograd.threads import pieces

CACHE = 1 << 21
"""How many bytes of windows to make at a time."""


def tuple_of(value, ndim, name):
    """`value` as a tuple with one entry a dimension.

    Raises:
        ValueError: there are more or fewer.
    """
    entries = (value,) * ndim if isinstance(value, int) else tuple(value) * (ndim if len(value) == 1 else 1)
    if len(entries) != ndim:
        raise ValueError(f"{name} must be a number or have {ndim} entries, one a dimension, not {value!r}")
    return entries


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


def contiguous_channels_last(x):
    """x (N, C, *size) as a contiguous (N, *size, C)."""
    if channels_last(x).flags.c_contiguous:
        return channels_last(x)
    block = np.empty(channels_last(x).shape, x.dtype)
    fill_channels_last(block, x)
    return block
