"""Tensors out of nothing: from data, constants, ranges."""

from typing import Any

import numpy as np

from autograd import dtypes
from autograd.tensor import Tensor


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of `data`.

    Python floats become the default dtype, integers int64; arrays keep their dtype.

    >>> tensor([1, 2.5])
    tensor([1.0000, 2.5000])
    """
    if isinstance(data, Tensor):
        data = data.array
    elif isinstance(data, (list, tuple)):
        data = _bare(data)
    return Tensor(np.array(dtypes.as_array(data, dtype)), requires_grad)


def _bare(data: Any) -> Any:
    """Nested lists with the values of the Tensors in them."""
    if isinstance(data, Tensor):
        return data.detach().numpy()
    return [_bare(part) for part in data] if isinstance(data, (list, tuple)) else data


def shape_of(size: tuple) -> tuple[int, ...]:
    """The shape that `zeros(2, 3)` and `zeros((2, 3))` both mean."""
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = size[0]
    return tuple([int(n) for n in size])


def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """`data` as a Tensor, sharing its memory where that is possible."""
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype == np.dtype(dtype) else data.to(np.dtype(dtype))
    return Tensor(dtypes.as_array(data, dtype))


def from_numpy(array: np.ndarray) -> Tensor:
    """A Tensor that shares the memory of `array`."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy() takes a NumPy array, not {type(array).__name__}; use tensor() for other data")
    return Tensor(array)


def full(size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of shape `size` with one value everywhere."""
    value = dtypes.as_array(fill_value, dtype)
    return Tensor(np.full(shape_of((size,)), value, value.dtype), requires_grad)


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of zeros."""
    return Tensor(np.zeros(shape_of(size), dtype or dtypes.get_default_dtype()), requires_grad)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of ones."""
    return Tensor(np.ones(shape_of(size), dtype or dtypes.get_default_dtype()), requires_grad)


def empty(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor whose values are yet to be written."""
    return Tensor(np.empty(shape_of(size), dtype or dtypes.get_default_dtype()), requires_grad)


def zeros_like(input: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and dtype of another tensor."""
    return Tensor(np.zeros(input.shape, dtype or input.dtype), requires_grad)


def ones_like(input: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and dtype of another tensor."""
    return Tensor(np.ones(input.shape, dtype or input.dtype), requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal of an n x m matrix of zeros."""
    return Tensor(np.eye(n, m, dtype=dtype or dtypes.get_default_dtype()), requires_grad)


def arange(start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """start, start + step, … below end; int64 for integers, the default dtype otherwise. arange(end) starts at 0."""
    if end is None:
        start, end = 0, start
    integers = all(isinstance(n, (int, np.integer)) for n in (start, end, step))
    default = dtypes.int64 if integers else dtypes.get_default_dtype()
    return Tensor(np.arange(start, end, step).astype(dtype or default), requires_grad)


def linspace(start: float, end: float, steps: int, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """`steps` numbers from start to end, both included, at equal distances."""
    return Tensor(np.linspace(start, end, steps, dtype=dtype or dtypes.get_default_dtype()), requires_grad)
