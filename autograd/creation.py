"""Tensors out of nothing: from data, constants, ranges.

`device` is accepted everywhere, so that PyTorch code runs as it is; there is only one, `"cpu"`.
"""

import operator
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.errors import ShapeError, warn
from autograd.tensor import Tensor
from autograd.typing import DTypeLike, Shape, TensorLike


def tensor(data: Any, *, dtype: DTypeLike | None = None, device: str | None = None,
           requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of `data`.

    Python floats become the default dtype, integers int64; arrays keep their dtype.

    >>> tensor([1, 2.5])
    tensor([1.0000, 2.5000])
    """
    check_device(device)
    if isinstance(data, (Tensor, list, tuple)):
        if _tracked(data):
            warn("tensor() takes the values alone of tensors that require gradients, so nothing flows back to them; "
                 "write stack([...]) to go on with their history, t.detach() to take the values")
        data = _bare(data)
    return Tensor(np.array(dtypes.as_array(data, dtype)), requires_grad)


def _tracked(data: Any) -> bool:
    """Whether one of the Tensors in nested lists requires gradients."""
    if isinstance(data, (list, tuple)):
        return any(map(_tracked, data))
    return isinstance(data, Tensor) and data.tracked


def _bare(data: Any) -> Any:
    """Nested lists with the values of the Tensors in them."""
    if isinstance(data, Tensor):
        return data.array
    return [_bare(part) for part in data] if isinstance(data, (list, tuple)) else data


def is_device(wish: Any) -> bool:
    """Whether what `to()` was given names a device, rather than a dtype.

    Raises:
        RuntimeError: it is not the only device there is.
    """
    named = isinstance(wish, str) and wish.partition(":")[0] in ("cpu", "cuda", "mps", "xpu")
    if named:
        check_device(wish)
    return named


def check_device(device: str | None) -> None:
    """Let `"cpu"` and None pass.

    Raises:
        RuntimeError: another device is asked for.
    """
    if device is not None and not str(device).startswith("cpu"):
        raise RuntimeError(f"tensors live in NumPy arrays, on the device 'cpu' alone, not on {str(device)!r}; leave "
                           "out the argument, or write 'cpu'")


def shape_of(size: tuple) -> tuple[int, ...]:
    """The shape that `zeros(2, 3)` and `zeros((2, 3))` both mean."""
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = size[0]
    try:
        shape = tuple([operator.index(n) for n in size])
    except TypeError:
        raise TypeError(f"a shape is made of whole numbers, and {size!r} is not") from None
    if any(n < 0 for n in shape):
        raise ShapeError(f"a shape cannot have a negative length, as in {shape}")
    return shape


def as_tensor(data: Any, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """`data` as a Tensor, sharing its memory where that is possible."""
    check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype == np.dtype(dtype) else data.to(np.dtype(dtype))
    return Tensor(dtypes.as_array(_bare(data), dtype))


def from_numpy(array: np.ndarray) -> Tensor:
    """A Tensor that shares the memory of `array`."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy() takes a NumPy array, not {type(array).__name__}; use tensor() for other data")
    return Tensor(array)


# Constants

def full(size: Shape, fill_value: TensorLike, *, dtype: DTypeLike | None = None, device: str | None = None,
         requires_grad: bool = False) -> Tensor:
    """A Tensor of shape `size` with one value everywhere."""
    check_device(device)
    value = dtypes.as_array(fill_value.array if isinstance(fill_value, Tensor) else fill_value, dtype)
    return Tensor(np.full(shape_of((size,) if isinstance(size, (tuple, list)) else ((size,),)), value, value.dtype),
                  requires_grad)


def zeros(*size: Shape, dtype: DTypeLike | None = None, device: str | None = None,
          requires_grad: bool = False) -> Tensor:
    """A Tensor of zeros."""
    check_device(device)
    return Tensor(np.zeros(shape_of(size), dtype or dtypes.get_default_dtype()), requires_grad)


def ones(*size: Shape, dtype: DTypeLike | None = None, device: str | None = None,
         requires_grad: bool = False) -> Tensor:
    """A Tensor of ones."""
    check_device(device)
    return Tensor(np.ones(shape_of(size), dtype or dtypes.get_default_dtype()), requires_grad)


def empty(*size: Shape, dtype: DTypeLike | None = None, device: str | None = None,
          requires_grad: bool = False) -> Tensor:
    """A Tensor whose values are yet to be written."""
    check_device(device)
    return Tensor(np.empty(shape_of(size), dtype or dtypes.get_default_dtype()), requires_grad)


def zeros_like(input: Tensor | np.ndarray, *, dtype: DTypeLike | None = None, device: str | None = None,
               requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and dtype of another tensor."""
    return zeros(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def ones_like(input: Tensor | np.ndarray, *, dtype: DTypeLike | None = None, device: str | None = None,
              requires_grad: bool = False) -> Tensor:
    """Ones of the shape and dtype of another tensor."""
    return ones(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def empty_like(input: Tensor | np.ndarray, *, dtype: DTypeLike | None = None, device: str | None = None,
               requires_grad: bool = False) -> Tensor:
    """A Tensor of the shape and dtype of another, whose values are yet to be written."""
    return empty(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def full_like(input: Tensor | np.ndarray, fill_value: TensorLike, *, dtype: DTypeLike | None = None,
              device: str | None = None, requires_grad: bool = False) -> Tensor:
    """One value everywhere, in the shape and dtype of another tensor."""
    return full(input.shape, fill_value, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def eye(n: int, m: int | None = None, *, dtype: DTypeLike | None = None, device: str | None = None,
        requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal of an n x m matrix of zeros."""
    check_device(device)
    return Tensor(np.eye(n, m, dtype=dtype or dtypes.get_default_dtype()), requires_grad)


# Ranges

def arange(start: Tensor | float = 0, end: Tensor | float | None = None, step: Tensor | float = 1, *,
           dtype: DTypeLike | None = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """start, start + step, … below end; int64 for integers, the default dtype otherwise. arange(end) starts at 0."""
    check_device(device)
    if end is None:
        start, end = 0, start
    start, end, step = (n.item() if isinstance(n, Tensor) else n for n in (start, end, step))
    integers = all(isinstance(n, (int, np.integer)) for n in (start, end, step))
    default = dtypes.int64 if integers else dtypes.get_default_dtype()
    return Tensor(np.arange(start, end, step).astype(dtype or default), requires_grad)


def linspace(start: TensorLike, end: TensorLike, steps: int, *, dtype: DTypeLike | None = None,
             device: str | None = None, requires_grad: bool = False) -> Tensor:
    """`steps` numbers from start to end, both included, at equal distances."""
    check_device(device)
    dtype = dtype or dtypes.get_default_dtype()
    return Tensor(np.linspace(float(start), float(end), steps, dtype=dtype), requires_grad)


def logspace(start: TensorLike, end: TensorLike, steps: int, base: float = 10.0, *, dtype: DTypeLike | None = None,
             device: str | None = None, requires_grad: bool = False) -> Tensor:
    """`steps` numbers from base**start to base**end, both included, at equal ratios."""
    check_device(device)
    dtype = dtype or dtypes.get_default_dtype()
    return Tensor(np.logspace(float(start), float(end), steps, base=base, dtype=dtype), requires_grad)


# Like the tensor whose method is called: x.new_zeros(2, 3) has x's dtype

def _new_tensor(self: Tensor, data: Any, *, dtype: DTypeLike | None = None, device: str | None = None,
                requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of `data` and this tensor's dtype."""
    return tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def _new_full(self: Tensor, size: Shape, fill_value: TensorLike, *, dtype: DTypeLike | None = None,
              device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of shape `size` and this tensor's dtype with one value everywhere."""
    return full(size, fill_value, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def _new(make: Any) -> Any:
    def method(self: Tensor, *size: Shape, dtype: DTypeLike | None = None, device: str | None = None,
               requires_grad: bool = False) -> Tensor:
        return make(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)
    method.__name__ = method.__qualname__ = "new_" + make.__name__
    method.__doc__ = f"`{make.__name__}` with this tensor's dtype."
    return method


Tensor.new_tensor, Tensor.new_full = _new_tensor, _new_full
Tensor.new_zeros, Tensor.new_ones, Tensor.new_empty = _new(zeros), _new(ones), _new(empty)
