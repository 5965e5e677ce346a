"""The same values, laid out differently in memory."""

from collections.abc import Callable

import numpy as np


def read_only(x: np.ndarray) -> np.ndarray:
    """A copy that raises when it is written to."""
    x = np.array(x)
    x.flags.writeable = False
    return x


def stride_zero(x: np.ndarray) -> np.ndarray:
    """One slice in memory for all along every axis whose slices are equal, as broadcasting leaves it."""
    small = np.array(x)
    for axis, length in enumerate(x.shape):
        first = small[(slice(None),) * axis + (slice(0, 1),)]
        if length > 1 and small.tobytes() == np.broadcast_to(first, small.shape).tobytes():  # -0.0 is not 0.0
            small = first
    small = np.array(small)
    strides = [0 if n != m else stride for n, m, stride in zip(x.shape, small.shape, small.strides, strict=True)]
    return np.lib.stride_tricks.as_strided(small, x.shape, strides)


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "contiguous": lambda x: x,
    "Fortran": lambda x: np.array(x, order="F"),
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "backwards": lambda x: np.flip(np.flip(x).copy()),
    "stride 0": stride_zero,
    "read-only": read_only,
}
"""Layout -> a function that gives an array that layout."""
