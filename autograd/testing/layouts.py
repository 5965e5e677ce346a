"""The same values, laid out differently in memory."""

from collections.abc import Callable

import numpy as np


def read_only(x: np.ndarray) -> np.ndarray:
    """A copy that raises when it is written to."""
    x = np.array(x)
    x.flags.writeable = False
    return x


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "contiguous": lambda x: x,
    "Fortran": lambda x: np.array(x, order="F"),
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "backwards": lambda x: np.flip(np.flip(x).copy()),
    "read-only": read_only,
}
"""Layout -> a function that gives an array that layout."""
