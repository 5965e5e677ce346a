"""What operators ask of their inputs: whole numbers, types, axes."""

from typing import Any

import numpy as np

from autograd import Tensor

_CODES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool",
          10: "float16", 11: "float64", 12: "uint32", 13: "uint64"}


def dtype_of(code: int) -> np.dtype:
    """The dtype that ONNX has this number for.

    Raises:
        TypeError: a Tensor cannot hold it.
    """
    if code not in _CODES:
        import onnx
        raise TypeError(f"ONNX's type {onnx.TensorProto.DataType.Name(code)} is none that a Tensor can have")
    return np.dtype(_CODES[code])


def whole(values: Any) -> list[int]:
    """Whole numbers, of an attribute or of an input; none of None."""
    if values is None:
        return []
    array = np.asarray(values.detach().numpy() if isinstance(values, Tensor) else values)
    return [int(value) for value in array.ravel()]


def number(value: Any) -> Any:
    """The only number of an input, or an attribute as it is."""
    return value.item() if isinstance(value, Tensor) else value


def axis_of(axis: int, ndim: int) -> int:
    """An axis counted from the front."""
    return axis + ndim if axis < 0 else axis
