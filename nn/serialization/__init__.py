"""Checkpoints: what training has to remember, in a file; and the files that others wrote."""

import os
import struct
import zlib
from typing import Any, BinaryIO

import numpy as np

from autograd import Tensor
from autograd.runtime import files
from nn.serialization import numpy_format, safetensors_format, torch_format
from nn.serialization.archive import members

__all__ = ["load", "save"]

_OF_PYTORCH = (".pt", ".pth")
_LONGEST_MARK = 64


def save(obj: Any, f: str | os.PathLike) -> None:
    """Write a state_dict, or nested dictionaries and lists of them with numbers and text, to a file.

    A name that ends in `.pt` or `.pth` makes it a file that `torch.load` reads, any other a safetensors file, in
    which a checksum finds all damage. There the arrays of a flat state_dict keep their names, and PyTorch's and
    Hugging Face's safetensors read them.

    The file appears whole or not at all: it is written beside its place and then moved there, so that whoever is
    interrupted keeps the file of before, and any number of threads, processes and hosts may save to one place. It keeps
    its mode and owner; a symbolic link stays one, a hard link to the old file keeps the old content.

    Args:
        obj: dict (keys: text, numbers), list, tuple, Tensor, ndarray, int, float, bool, str, None, nested at will.
        f: path of the file; one that exists is replaced.

    Raises:
        TypeError: something in `obj` is of another type; nothing has been written then.
        ValueError: something in `obj` contains itself, or is nested more than 100 deep; likewise.
        OSError: the disk is full, or `f` cannot be written or is no file; the file of before is untouched.

    >>> nn.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": 7,
    ...          "random": autograd.get_rng_state()}, "run.safetensors")
    >>> saved = nn.load("run.safetensors"); keys = model.load_state_dict(saved["model"])
    >>> nn.save(model.state_dict(), "weights.pt")  # torch.load("weights.pt") gives PyTorch's tensors
    """
    if os.path.splitext(os.fsdecode(f))[1].lower() in _OF_PYTORCH:
        torch_format.save(obj, f)
    else:
        safetensors_format.save(obj, f)


def load(f: str | os.PathLike | BinaryIO, *, mmap: bool = True) -> Any:
    """What a file holds: one of `nn.save`, of PyTorch, of NumPy, or any other safetensors file.

    Nothing that a file says is ever run. Of PyTorch's files (`.pt`, `.pth`; those before 1.6, too) tensors and
    containers are read, whatever else they hold is refused by name; from TorchScript's the state_dict is taken.

    Args:
        f: path of the file, or the file, opened for reading bytes.
        mmap: leave the arrays in the file until they are read, and copy those parts that are written to; the file
            itself does not change. False reads all of it now.

    Returns:
        What was saved, with Tensors in the place of Tensors and arrays in the place of arrays. The tensors of other
        safetensors files and the arrays of `.npz` are a dictionary of Tensors by name, and that of `.npy` is a Tensor.
        bfloat16, which NumPy does not have, becomes float32.

    Raises:
        ValueError: the file is damaged, holds what isn't loaded, or is of another kind.

    >>> nn.save({"weight": autograd.ones(2)}, "weights.pt")
    >>> nn.load("weights.pt")
    {'weight': tensor([1., 1.])}
    """
    content, name = _content(f, mmap)
    start = bytes(content[:_LONGEST_MARK])
    kind = "no safetensors file"
    try:
        if start[8:9] == b"{":  # where its header begins
            return safetensors_format.opened(content)
        if start.startswith(b"PK\x03\x04"):
            kind = "no file of PyTorch or NumPy"
            entries = members(content)
            if any(entry.endswith("/data.pkl") for entry in entries):
                return torch_format.opened_archive(content, entries)
            if all(entry.endswith(numpy_format.SUFFIX) for entry in entries):
                return numpy_format.opened_archive(content, entries)
            raise NotImplementedError("it is an archive, but neither of torch.save (there is no data.pkl in it) nor of "
                                      "np.savez")
        if start.startswith(b"\x80"):
            if torch_format.MAGIC not in start:
                raise NotImplementedError("it is a pickle, and a pickle is a program, which isn't run; save a "
                                          "state_dict where it was written, with torch.save, np.savez or safetensors")
            kind = "no file of PyTorch"
            return torch_format.opened_pickles(content)
        if start.startswith(b"\x93NUMPY"):
            kind = "no file of NumPy"
            return numpy_format.opened(content)
        return safetensors_format.opened(content)
    except NotImplementedError as error:
        raise ValueError(f"{name} cannot be loaded: {error}") from error
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, MemoryError, EOFError,
            zlib.error, struct.error) as error:
        raise ValueError(f"{name} is damaged, or {kind} ({error})") from error


def _content(f: Any, mmap: bool) -> tuple[np.ndarray, str]:
    """The bytes of a file, and what it is called."""
    if hasattr(f, "read"):
        return np.frombuffer(bytearray(f.read()), np.uint8), getattr(f, "name", f"a {type(f).__name__}")
    files.regular(f)
    with open(f, "rb") as file:  # once only: a moment later, another file may have this name
        empty = not os.fstat(file.fileno()).st_size  # which cannot be mapped
        content = np.memmap(file, np.uint8, "c") if mmap and not empty else np.fromfile(file, np.uint8)
    return content, repr(os.fspath(f))
