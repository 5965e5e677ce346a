"""TensorBoard's event files: scalars and histograms, without its library.

A file is a row of records (the length, the bytes, and of both a masked CRC-32C), each a protocol buffer `Event`:
https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto and summary.proto.
"""

import struct
from collections.abc import Iterable

import numpy as np

from viz.training.sampling import Distribution


def _table() -> list[int]:
    """Of the Castagnoli polynomial, a byte at a time."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """The checksum of RFC 3720.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """One record of a file."""
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


# Protocol buffers: a field is its number and kind, then its content

def _varint(n: int) -> bytes:
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes([*out, n])


def _whole(field: int, n: int) -> bytes:
    return _varint(field << 3) + _varint(n)


def _double(field: int, x: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", x)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _float(field: int, x: float) -> bytes:
    return _varint(field << 3 | 5) + np.float32(x).tobytes()


def version() -> bytes:
    """What a file begins with."""
    return record(_double(1, 0.0) + _bytes(3, b"brain.Event:2"))


def event(step: int, scalars: Iterable[tuple[str, float]],
          histograms: Iterable[tuple[str, Distribution]] = ()) -> bytes:
    """The numbers of one step.

    Args:
        step: its number.
        scalars: tag and number.
        histograms: tag and distribution; the counts are the heights of its bars.
    """
    values = [_bytes(1, _bytes(1, tag.encode()) + _float(2, x)) for tag, x in scalars]
    values += [_bytes(1, _bytes(1, tag.encode()) + _bytes(5, _histogram(d))) for tag, d in histograms]
    return record(_double(1, float(step)) + _whole(2, step) + _bytes(5, b"".join(values)))


def _histogram(d: Distribution) -> bytes:
    counts = np.array([float(bar) for bar in d.bars])
    limits = np.linspace(d.low, d.high, len(counts) + 1)[1:]
    number = counts.sum()
    return (_double(1, d.low) + _double(2, d.high) + _double(3, number) + _double(4, d.mean * number)
            + _double(5, (d.std ** 2 + d.mean ** 2) * number)
            + _bytes(6, limits.astype("<f8").tobytes()) + _bytes(7, counts.astype("<f8").tobytes()))
