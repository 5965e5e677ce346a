"""The bytes of a file: read one part after the other, and taken for numbers where they lie."""

import io
from typing import Any

import numpy as np

_LONGEST_LINE = 1000


class Content:
    """An array of bytes as a file, of which nothing is copied that isn't read."""

    def __init__(self, content: Any) -> None:
        self._view, self.position = memoryview(content), 0

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, or as many as there are; all of them if it is negative."""
        end = len(self._view) if size < 0 else self.position + size
        start, self.position = self.position, min(end, len(self._view))
        return bytes(self._view[start:self.position])

    def readline(self) -> bytes:
        """A line of text, of which names in old pickles are made."""
        start = bytes(self._view[self.position:self.position + _LONGEST_LINE])
        return self.read(start.find(b"\n") + 1)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, counted from the beginning, from here or from the end."""
        self.position = max(0, offset + (0, self.position, len(self._view))[whence])
        return self.position

    def tell(self) -> int:
        """How many bytes have been read."""
        return self.position


def native(array: np.ndarray) -> np.ndarray:
    """Numbers in this machine's order of bytes, and aligned; the array itself if they are."""
    return np.require(array.astype(array.dtype.newbyteorder("="), copy=False), requirements="A")


def from_bfloat16(halves: np.ndarray) -> np.ndarray:
    """float32s, of which integers of 16 bits are the upper halves."""
    return (halves.astype("<u4") << 16).view("<f4").astype(np.float32, copy=False)
