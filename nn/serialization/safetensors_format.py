"""safetensors files.

A file holds arrays under names, and a header of JSON that says where each lies. Nothing in it is code, so loading a
file cannot run any. The header's metadata also holds the nesting of what was saved (dictionaries, lists, numbers, text:
all that is not an array) and a checksum. https://huggingface.co/docs/safetensors
"""

import json
import math
import os
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.runtime import files
from nn.serialization.content import from_bfloat16, native
from nn.serialization.nesting import put_together, taken_apart

_KEY, _CHECKSUM = "gradcircuit", "gradcircuit.crc32"
"""Under what the metadata holds the nesting, and the checksum: two, so that one changed bit cannot hide both."""
_START = f'{{"__metadata__":{{"{_CHECKSUM}":"'.encode()  # so every header of ours begins, then comes the checksum
_PLACE = 8 + len(_START)
_BLANK = "0" * 8  # stands in the place of the checksum while it is computed, over all of the file
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
           "I8": "<i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?"}
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items() if name != "BF16"}
_LONGEST = 100_000_000  # header that the format admits


def save(obj: Any, f: str | os.PathLike) -> None:
    """Write `obj` to a safetensors file; see `nn.save`."""
    safetensors = _package()
    arrays: dict[str, np.ndarray] = {}
    description = json.dumps({"nesting": taken_apart(obj, arrays)})
    header: dict[str, Any] = {"__metadata__": {_CHECKSUM: _BLANK, "format": "pt", _KEY: description}}
    end = 0
    for name in sorted(arrays, key=lambda name: (-arrays[name].itemsize, name)):  # so every number is aligned
        array = arrays[name]
        start, end = end, end + array.nbytes
        header[name] = {"dtype": _NAMES[array.dtype.newbyteorder("<")], "shape": array.shape,
                        "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with files.replacing(f) as file:
        checksum = 0
        for piece in _pieces(text, [arrays[name] for name in header if name != "__metadata__"]):
            checksum = zlib.crc32(piece, checksum)
            file.write(piece)
        file.seek(_PLACE)
        file.write(b"%08x" % checksum)
        file.flush()
        try:
            with safetensors.safe_open(file.name, "np"):  # before it takes a good file's place
                pass
        except safetensors.SafetensorError as error:
            raise ValueError(f"nn.save: the package safetensors could not read this again: {error}") from error


def _package() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError("nn.save needs the package safetensors: pip install 'gradcircuit[checkpoints]'") from error
    return safetensors


def _pieces(header: bytes, arrays: list[np.ndarray]) -> Iterator[bytes]:
    """The bytes of a file, some at a time: arrays in C order, whatever their strides, little-endian.

    They are copies, so that the checksum is that of the bytes written even if somebody changes the array meanwhile.
    """
    yield len(header).to_bytes(8, "little")
    yield header
    for array in arrays:
        for part in np.nditer(array, ["external_loop", "buffered", "zerosize_ok"], order="C", casting="equiv",
                              op_dtypes=[array.dtype.newbyteorder("<")], buffersize=1 << 17):
            yield np.asarray(part).tobytes()


def opened(content: np.ndarray) -> Any:
    """What a safetensors file of this content holds; the arrays stay where they are.

    Raises:
        ValueError: the file is damaged, or isn't a safetensors file. (Others follow from what else is wrong.)
    """
    end = 8 + int.from_bytes(bytes(content[:8]), "little")
    if not 10 <= end <= min(len(content), _LONGEST + 8):
        raise ValueError(f"a header of {end - 8} bytes in a file of {len(content)}")
    header = _parsed(bytes(content[8:end]).decode())
    metadata = header.pop("__metadata__", None) or {}
    if not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("the metadata is not all text")
    if _CHECKSUM in metadata and not _is_as_written(content):
        raise ValueError("this is not what nn.save wrote; use an older checkpoint, or, if another program wrote it "
                         "anew, leave the metadata out there")
    arrays = _arrays(header, content[end:].view(np.ndarray))
    if _CHECKSUM not in metadata and _KEY not in metadata:
        return {name: Tensor(array) for name, array in arrays.items()}
    description = _parsed(metadata[_KEY])
    if _CHECKSUM not in metadata and description["checksum"] != _checksum_of_contents(description["nesting"], arrays):
        raise ValueError("this is not what nn.save wrote; use an older checkpoint")
    return put_together(description["nesting"], arrays)


def _parsed(text: str) -> dict:
    """The object that a JSON text is."""
    def once(pairs: list) -> dict:
        result = dict(pairs)
        if len(result) < len(pairs):
            raise ValueError("two entries of the header have one name")
        return result
    result = json.loads(text, object_pairs_hook=once)
    if not isinstance(result, dict):
        raise ValueError("the header is not an object")
    return result


def _is_as_written(content: np.ndarray) -> bool:
    before, after = bytes(content[:_PLACE]), _PLACE + len(_BLANK)
    checksum = zlib.crc32(content[after:].data, zlib.crc32(before + _BLANK.encode()))
    return before[8:] == _START and bytes(content[_PLACE:after]) == b"%08x" % checksum


def _arrays(entries: dict[str, Any], data: np.ndarray) -> dict[str, np.ndarray]:
    """Views of the file's bytes by name, where NumPy has the dtype; together they are all of the bytes."""
    position = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        if dtype not in _DTYPES:
            raise NotImplementedError(f"'{name}' has dtype {dtype}, which nn.load does not know; "
                                      f"convert it to one of {list(_DTYPES)}")
        if len(shape) > 64 or not all(type(n) is int and n >= 0 for n in (*shape, start, end)):
            raise ValueError(f"'{name}' has a shape or offsets that are not whole numbers, or very many")
        size = math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
        if start != position or end != start + size or end > len(data):
            raise ValueError(f"'{name}' of shape {shape} and dtype {dtype} lies at {start} to {end}, but begins at "
                             f"{position} and takes {size} bytes of {len(data)}")
        position = end
    if position != len(data):
        raise ValueError(f"{len(data)} bytes of numbers where the header says {position}")
    return {name: _array(entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])])
            for name, entry in entries.items()}


def _array(dtype: str, shape: list[int], data: np.ndarray) -> np.ndarray:
    if dtype == "BOOL":
        return data.astype(bool).reshape(shape)  # a byte that is neither 0 nor 1 is true, and no odd number
    array = data.view(_DTYPES[dtype]).reshape(shape)
    if dtype == "BF16":  # the upper half of a float32
        return from_bfloat16(array)
    return native(array)


def _checksum_of_contents(nesting: Any, arrays: dict[str, np.ndarray]) -> int:
    """What version 0.1 kept beside the nesting: CRC-32 of it and of every array's name, dtype, shape and bytes."""
    result = zlib.crc32(json.dumps(nesting).encode())
    for name in sorted(arrays):
        array = arrays[name]
        result = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), result)
        result = zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data, result)
    return result
