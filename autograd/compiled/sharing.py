"""Copies, of which threads write parts: what they take from one loop to the next stays in their caches."""

import numpy as np

from autograd.compiled.loops import all_float32, parallel
from autograd.operations.shaping import is_spread

AT_A_TIME = 1 << 12
"""Numbers."""


def copied(array, like):
    same = is_spread(array)
    if not all_float32(array) or not like.flags.c_contiguous or not (same or array.flags.c_contiguous):
        return NotImplemented
    out = np.empty(array.shape, np.float32)
    if same:
        _fill(-(-out.size // AT_A_TIME), out.size, array[(0,) * array.ndim], out.reshape(-1))
    else:
        _copy(-(-out.size // AT_A_TIME), out.size, array.reshape(-1), out.reshape(-1))
    return out


@parallel
def _fill(first, last, value, out):
    out[first * AT_A_TIME:last * AT_A_TIME] = value


@parallel
def _copy(first, last, x, out):
    given, into = x[first * AT_A_TIME:last * AT_A_TIME], out[first * AT_A_TIME:last * AT_A_TIME]
    for i in range(into.size):
        into[i] = given[i]
