"""NumPy's files: .npy, one array, and .npz, several by name. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"""

import math
import tokenize
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from nn.serialization.archive import member
from nn.serialization.content import Content, native

SUFFIX = ".npy"


def opened(content: np.ndarray) -> Any:
    """The array of an .npy file of this content, where it is: a Tensor, or an array if no Tensor can hold it.

    Raises:
        ValueError: it is cut off, or holds Python's objects.
    """
    header = Content(content)
    version = np.lib.format.read_magic(header)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"it has version {version} of NumPy's format")
    try:
        shape, fortran_order, dtype = read(header)
    except (SyntaxError, tokenize.TokenError) as error:  # NumPy repairs headers of Python 2
        raise ValueError(f"its header is no description of an array: {error}") from error
    if dtype.hasobject:
        raise ValueError("it holds Python's objects, of which only their own programs can make something")
    data, size = content[header.tell():].view(np.ndarray), math.prod(shape) * dtype.itemsize
    if len(data) < size:
        raise ValueError(f"its array of shape {shape} and dtype {dtype} takes {size} bytes, {len(data)} are there")
    array = data[:size].view(dtype).reshape(shape, order="F" if fortran_order else "C")
    if dtype.kind not in "biuf":
        return array
    return Tensor(native(array))


def opened_archive(content: np.ndarray, entries: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of an .npz file of this content, by name."""
    return {name.removesuffix(SUFFIX): opened(member(content, info)) for name, info in entries.items()}
