"""Checkpoints: what training has to remember, in a safetensors file.

A file holds arrays under names, and a header of JSON that says where each lies. Nothing in it is code, so loading a
file cannot run any. The header's metadata also holds the nesting of what was saved (dictionaries, lists, numbers, text:
all that is not an array) and a checksum. https://huggingface.co/docs/safetensors
"""

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Tensor

_KEY = "gradcircuit"
"""Under what the metadata holds the nesting and the checksum."""
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
           "I8": "<i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?"}


def save(obj: Any, f: str | os.PathLike) -> None:
    """Write a state_dict, or nested dictionaries and lists of them with numbers and text, to a safetensors file.

    The file appears whole or not at all: it is written beside its place and then moved there, so that whoever is
    interrupted keeps the file of before. Arrays of a flat state_dict keep their names, and PyTorch's and Hugging Face's
    safetensors read them.

    Args:
        obj: dict (keys: text, numbers), list, tuple, Tensor, ndarray, int, float, bool, str, None, nested at will.
        f: path of the file; one that exists is replaced.

    Raises:
        TypeError: something in `obj` is of another type; nothing has been written then.

    >>> nn.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": 7,
    ...          "random": autograd.get_rng_state()}, "run.safetensors")
    >>> saved = nn.load("run.safetensors"); model.load_state_dict(saved["model"])
    """
    safetensors = _package()
    arrays: dict[str, np.ndarray] = {}
    nesting = _taken_apart(obj, "", arrays)
    description = json.dumps({"nesting": nesting, "checksum": _checksum(nesting, arrays)})
    path = Path(os.path.realpath(f))  # where a link points to is what gets replaced
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(beside, "wb") as file:
            file.write(safetensors.numpy.save(arrays, {"format": "pt", _KEY: description}))
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(path.parent)


def load(f: str | os.PathLike, *, mmap: bool = True) -> Any:
    """What `save` wrote; or the tensors of any other safetensors file, by name.

    Args:
        f: path of the file.
        mmap: leave the arrays in the file until they are read, and copy those parts that are written to; the file
            itself does not change. False reads all of it now.

    Returns:
        What was saved, with Tensors in the place of Tensors and arrays in the place of arrays. bfloat16, which NumPy
        does not have, becomes float32.

    Raises:
        ValueError: the file is damaged, or isn't a safetensors file.
    """
    safetensors = _package()
    with open(f, "rb") as file:  # a missing file is Python's own error
        start = file.read(8)
    try:
        with safetensors.safe_open(f, "np") as reader:  # checks that header and length agree
            metadata = reader.metadata() or {}
    except safetensors.SafetensorError as error:
        raise ValueError(f"{os.fspath(f)!r} is {_what_it_may_be(start)} ({error})") from error
    content = np.memmap(f, np.uint8, "c") if mmap else np.fromfile(f, np.uint8)
    size = 8 + int.from_bytes(start, "little")
    arrays = {name: _array(name, entry, content[size:], f) for name, entry in json.loads(bytes(content[8:size])).items()
              if name != "__metadata__"}
    if _KEY not in metadata:
        return {name: Tensor(array) for name, array in arrays.items()}
    try:
        description = json.loads(metadata[_KEY])
        whole = description["checksum"] == _checksum(description["nesting"], arrays)
    except (ValueError, LookupError, TypeError):
        whole = False
    if not whole:
        raise ValueError(f"{os.fspath(f)!r} is damaged: its contents are not those that nn.save wrote; use an older "
                         "checkpoint")
    return _put_together(description["nesting"], arrays)


def _package() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError("nn.save and nn.load need the package safetensors: pip install 'gradcircuit[checkpoints]'"
                          ) from error
    return safetensors


# A tree as JSON: {"dict": [[key, tree], …]}, {"list": […]}, {"tuple": […]}, {"tensor" | "array" | "scalar": name}, or a
# plain value. Pairs rather than an object, because an optimizer's keys are numbers.

def _taken_apart(value: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """The tree of `value`; its arrays go to `arrays`, each under its dotted path."""
    if value is None or (isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, (str, int)):
                raise TypeError(f"nn.save: the key {key!r} of {_quoted(path)} is a {type(key).__name__}; only text and "
                                "whole numbers can be keys")
        return {"dict": [[key, _taken_apart(v, f"{path}.{key}" if path else str(key), arrays)]
                         for key, v in value.items()]}
    if isinstance(value, (list, tuple)):
        trees = [_taken_apart(v, f"{path}.{i}" if path else str(i), arrays) for i, v in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": trees}
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        array = np.asarray(value.detach().array if isinstance(value, Tensor) else value)
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
            raise TypeError(f"nn.save: {_quoted(path)} has dtype {array.dtype}, which safetensors does not know")
        name = path or "value"
        while name in arrays or name == "__metadata__":  # {"a": {"b": x}, "a.b": y}
            name += "'"
        arrays[name] = array
        return {"tensor" if isinstance(value, Tensor) else "array" if isinstance(value, np.ndarray) else "scalar": name}
    hint = (", write .state_dict()" if hasattr(value, "state_dict") else
            ", write .get_state()" if hasattr(value, "get_state") else "")
    raise TypeError(f"nn.save: {_quoted(path)} is a {type(value).__name__}{hint}; what can be saved is Tensors, "
                    "arrays, numbers, text, None, and dicts, lists and tuples of them")


def _put_together(tree: Any, arrays: dict[str, np.ndarray]) -> Any:
    if not isinstance(tree, dict):
        return tree
    (kind, content), = tree.items()
    if kind == "dict":
        return {key: _put_together(subtree, arrays) for key, subtree in content}
    if kind in ("list", "tuple"):
        parts = [_put_together(subtree, arrays) for subtree in content]
        return parts if kind == "list" else tuple(parts)
    array = arrays[content]
    return Tensor(array) if kind == "tensor" else array if kind == "array" else array[()]


def _array(name: str, entry: dict, data: np.ndarray, f: Any) -> np.ndarray:
    """A view of the file's bytes, where NumPy has the dtype."""
    if entry["dtype"] not in _DTYPES:
        raise ValueError(f"{os.fspath(f)!r}: '{name}' has dtype {entry['dtype']}, which NumPy does not have; convert "
                         f"it to one of {list(_DTYPES)}")
    start, end = entry["data_offsets"]
    array = data[start:end].view(np.ndarray).view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])
    if entry["dtype"] == "BF16":  # the upper half of a float32
        return (array.astype("<u4") << 16).view("<f4").astype(np.float32, copy=False)
    return np.require(array.astype(array.dtype.newbyteorder("="), copy=False), requirements="A")


def _checksum(nesting: Any, arrays: dict[str, np.ndarray]) -> int:
    """CRC-32 of the nesting and of every array's name, dtype, shape and bytes."""
    result = zlib.crc32(json.dumps(nesting).encode())
    for name in sorted(arrays):
        array = arrays[name]
        result = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), result)
        result = zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8), result)
    return result


def _what_it_may_be(start: bytes) -> str:
    if start[:2] == b"PK" or start[:1] == b"\x80":
        return ("no safetensors file, but an archive or a pickle; where it was written with PyTorch, write it there "
                "with safetensors.torch.save_file(state_dict, path), where with NumPy, read it with np.load")
    return "damaged, or no safetensors file"


def _quoted(path: str) -> str:
    return f"'{path}'" if path else "what was given"


def _sync_folder(folder: Path) -> None:
    """Let the move outlast a power failure, too; Windows cannot open folders."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
