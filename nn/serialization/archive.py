"""The members of a zip file, left in it where they are not compressed."""

import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from nn.serialization.content import Content

_HEADER = 30
"""Bytes of what stands before a member, without its name and what else was added."""
_MUCH, _TIMES = 1 << 28, 100
"""A member that unpacks to more bytes than this, and to so many times its own, is meant to fill the memory."""


def members(content: np.ndarray) -> Mapping[str, zipfile.ZipInfo]:
    """What the zip file of this content says of each member, by name.

    Raises:
        ValueError: it is cut off, or isn't a zip file.
    """
    try:
        with zipfile.ZipFile(cast(Any, Content(content))) as archive:
            return {info.filename: info for info in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise ValueError(f"as an archive it is cut off or damaged: {error}") from error


def member(content: np.ndarray, info: zipfile.ZipInfo) -> np.ndarray:
    """The bytes of a member: those of the file itself, unless they are compressed.

    Raises:
        ValueError: they are not there, not what was written, or unpack to very many.
    """
    start = info.header_offset + _HEADER
    added = np.array(content[start - 4:start]).view("<u2")
    if len(added) != 2 or info.flag_bits & 1:
        raise ValueError(f"'{info.filename}' is beyond the file's end, or encrypted")
    start += int(added.sum())
    packed = content[start:start + info.compress_size]
    if len(packed) < info.compress_size:
        raise ValueError(f"'{info.filename}' needs {info.compress_size} bytes, {len(packed)} are there")
    if info.compress_type == zipfile.ZIP_STORED:
        data = packed
    elif info.compress_type == zipfile.ZIP_DEFLATED:
        if info.file_size > max(_MUCH, _TIMES * info.compress_size):
            raise ValueError(f"'{info.filename}' of {info.compress_size} bytes says that it unpacks to "
                             f"{info.file_size}; if it does, unpack it with another program")
        unpacked = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed.data, info.file_size + 1)
        data = np.frombuffer(bytearray(unpacked), np.uint8)
    else:
        raise ValueError(f"'{info.filename}' is compressed in another way than zip files usually are")
    if len(data) != info.file_size or (info.CRC and zlib.crc32(data.data) != info.CRC):  # 0: PyTorch left it out
        raise ValueError(f"'{info.filename}' is not what was written")
    return data
