"""How NumPy goes over rows.

A function of arrays that don't lie alike (one is broadcast, or has gaps) goes from row to row. NumPy takes as many
numbers at a time as its buffers hold, 8192; where a row is shorter it first copies several into a buffer, which takes
as long as computing, or twice. Rows of a buffer's length or more are computed where they lie.
"""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np

LENGTH = 1 << 10
"""Numbers in a short buffer; with still fewer, short rows take longer."""
MANY = 1 << 17
"""Numbers from which on they pay: setting them takes two microseconds."""


def short_buffers(numbers: int) -> contextlib.AbstractContextManager:
    """Let NumPy have short buffers within the block, if there are many numbers: rows that are longer then take two
    thirds of the time, those with gaps a third.
    """
    return _short() if numbers >= MANY else _USUAL


_USUAL = contextlib.nullcontext()


@contextlib.contextmanager
def _short() -> Iterator[None]:
    before = np.setbufsize(LENGTH)
    try:
        yield
    finally:
        np.setbufsize(before)


def by_rows(arrays: Sequence[np.ndarray]) -> bool:
    """Whether NumPy goes over these from row to row: they have several shapes, or gaps."""
    shape = arrays[0].shape
    return not all(a.shape == shape and (a.flags.c_contiguous or not any(a.strides)) for a in arrays)
