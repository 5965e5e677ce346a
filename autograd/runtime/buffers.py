"""How NumPy goes over rows.

A function of arrays that don't lie alike (one is broadcast, or has gaps) goes from row to row. NumPy takes as many
numbers at a time as its buffers hold, 8192; where a row is shorter it first copies several into a buffer, which takes
as long as computing, or twice. Rows of a buffer's length or more are computed where they lie.
"""

import contextlib
from collections.abc import Iterator

import numpy as np

LENGTH = 1 << 10
"""Numbers in a short buffer; with still fewer, short rows take longer."""
MANY = 1 << 17
"""Numbers to compute from which on they pay."""


@contextlib.contextmanager
def short_buffers() -> Iterator[None]:
    """Let NumPy have short buffers within the block: it takes two thirds of the time for rows that are longer, a third
    where they have gaps.
    """
    before = np.setbufsize(LENGTH)
    try:
        yield
    finally:
        np.setbufsize(before)
