"""Element types: PyTorch's names for NumPy's dtypes, the default, and promotion when types meet."""

from typing import Any

import numpy as np

bool_ = np.dtype(np.bool_)
uint8 = np.dtype(np.uint8)
int8 = np.dtype(np.int8)
int16 = short = np.dtype(np.int16)
int32 = np.dtype(np.int32)
int64 = long = np.dtype(np.int64)
float16 = half = np.dtype(np.float16)
float32 = np.dtype(np.float32)
float64 = double = np.dtype(np.float64)

_KINDS = "biuf"
_default: np.dtype = float32


def get_default_dtype() -> np.dtype:
    """The dtype that Python floats become: float32 unless `set_default_dtype` changed it."""
    return _default


def set_default_dtype(dtype: np.dtype | type | str) -> None:
    """Let Python floats become `dtype` (a floating dtype) from here on.

    Raises:
        TypeError: `dtype` is not floating.
    """
    global _default
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(f"the default dtype must be floating (float16, float32, float64), not {dtype}")
    _default = dtype


def as_dtype(dtype: Any) -> np.dtype:
    """A dtype by its name, its NumPy type or Python's.

    Raises:
        TypeError: there is none of that name, or no Tensor can have it.
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"there is no dtype {dtype!r}; write autograd.float32 (or float64, float16, int64, bool, ...), "
                        "or its name 'float32'") from None
    if found.kind not in _KINDS:
        raise TypeError(f"a Tensor holds booleans, integers or floats, not {_named(found)}; write autograd.float32 "
                        "(or float64, float16, int64, bool, ...)")
    return found


def _named(dtype: np.dtype) -> str:
    return {"U": "text", "O": "objects"}.get(dtype.kind, str(dtype))


def as_array(data: Any, dtype: Any = None) -> np.ndarray:
    """`data` as an array: arrays and NumPy scalars keep their dtype, Python floats become the default dtype.

    Raises:
        TypeError: the elements are not booleans, integers or floats.
    """
    try:
        array = np.asarray(data)
    except ValueError:
        raise ValueError("nested lists must have one length at each depth, to be the rows of an array; these have "
                         "not: pad them, e.g. with nn.utils.rnn.pad_sequence()") from None
    if array.dtype.kind not in _KINDS:
        raise TypeError(f"a Tensor holds booleans, integers or floats, not {_named(array.dtype)} (from "
                        f"{type(data).__name__}); convert the data first, e.g. with np.asarray(data, dtype=np.float32)")
    if dtype is not None:
        return array.astype(as_dtype(dtype), copy=False)
    if array.dtype is float64 and not _holds_numpy(data):
        return array.astype(_default, copy=False)
    return array


def _holds_numpy(data: Any) -> bool:
    """Whether nested sequences hold NumPy values, whose float64 is meant (a Python float's is not)."""
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic))


def promoted(arrays: list[Any]) -> np.dtype:
    """The dtype in which `arrays` meet, by PyTorch's rule.

    The highest kind wins (bool < integer < float); within a kind, arrays with axes outrank arrays without, which
    outrank Python numbers. So an int64 array and a float32 array meet in float32, where NumPy would say float64.
    """
    kinds = [_kind(a) for a in arrays]
    top = max(kinds)
    peers = [a for a, kind in zip(arrays, kinds, strict=True) if kind == top]
    dtypes = ([a.dtype for a in peers if getattr(a, "ndim", 0)]
              or [a.dtype for a in peers if hasattr(a, "dtype")])
    if dtypes:
        return np.result_type(*dtypes)
    return (bool_, int64, _default)[top]


def _kind(a: Any) -> int:
    """0 for booleans, 1 for integers, 2 for floats."""
    if hasattr(a, "dtype"):
        return {"b": 0, "i": 1, "u": 1, "f": 2}[as_dtype(a.dtype).kind]
    return 0 if isinstance(a, bool) else 1 if isinstance(a, int) else 2
