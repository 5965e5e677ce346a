"""How images lie in memory."""

import numpy as np

from autograd.compiled.loops import parallel

SIDE = 16
"""Pixels and channels of a block that is transposed at once."""


def contiguous_channels_last(x):
    if x.dtype != np.float32 or not x.flags.c_contiguous or x.ndim < 3 or x.shape[1] == 1:
        return NotImplemented
    out = np.empty((len(x), *x.shape[2:], x.shape[1]), x.dtype)
    pixels = x[:1, 0].size
    blocks = -(-pixels // SIDE)
    _transpose(len(x) * blocks, x.size, x.reshape(*x.shape[:2], pixels), out.reshape(len(x), pixels, x.shape[1]))
    return out


@parallel
def _transpose(first, last, x, out):
    """out (N, P, C) from x (N, C, P): a block of pixels after the other."""
    blocks, zero = (x.shape[2] + SIDE - 1) // SIDE, np.uint64(0)
    for item in range(first, last):
        n, begin = np.uint64(item // blocks), np.uint64(item % blocks * SIDE)
        pixels = min(np.uint64(SIDE), np.uint64(x.shape[2]) - begin)
        for c in range(0, x.shape[1], SIDE):
            channel = np.uint64(c)
            for p in range(pixels):
                for k in range(min(np.uint64(SIDE), np.uint64(x.shape[1]) - channel)):
                    out[n, begin + p, channel + k] = x[n, channel + k, begin + p]
