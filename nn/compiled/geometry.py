"""How images lie in memory."""

import numpy as np

from autograd.compiled.transposing import transpose


def contiguous_channels_last(x):
    if x.dtype != np.float32 or not x.flags.c_contiguous or x.ndim < 3:
        return NotImplemented
    pixels = x[:1, :1].size
    out = np.empty((len(x), *x.shape[2:], x.shape[1]), x.dtype)
    transpose(x.reshape(*x.shape[:2], pixels), out.reshape(len(x), pixels, x.shape[1]))
    return out
