"""Copies of what is the same everywhere, as the gradient of a sum is: filled by several threads."""

import numpy as np

from autograd.compiled.loops import all_float32, parallel
from autograd.operations.shaping import is_spread

AT_A_TIME = 1 << 12
"""Numbers."""


def copied(array):
    if not all_float32(array) or not is_spread(array):
        return NotImplemented
    out = np.empty(array.shape, np.float32)
    _fill(-(-out.size // AT_A_TIME), out.size, array[(0,) * array.ndim], out.reshape(-1))
    return out


@parallel
def _fill(first, last, value, out):
    out[first * AT_A_TIME:last * AT_A_TIME] = value
