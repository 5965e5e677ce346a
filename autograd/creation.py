"""Tensors out of nothing: from data, constants, ranges.

`device` is accepted everywhere, so that PyTorch code runs as it is; there is only one, `"cpu"`.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.errors import ShapeError, warn
from autograd.tensor import Tensor
from autograd.typing import DTypeLike, Shape, TensorLike

DEVICES = ("cpu", "cuda", "mps", "xpu", "meta")
"""Those that programs name."""


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
    named = isinstance(wish, str) and wish.partition(":")[0] in DEVICES
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
    if shape and min(shape) < 0:
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


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A Tensor that shares the memory of another library's array, by the DLPack protocol (dmlc.github.io/dlpack).

    Raises:
        TypeError: the elements are not booleans, integers or floats.

    >>> autograd.from_dlpack(np.arange(3.0))
    tensor([0., 1., 2.], dtype=float64)
    """
    return Tensor(np.from_dlpack(ext_tensor))


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


def range(start: float = 0, end: float | None = None, step: float = 1, *, dtype: DTypeLike | None = None,
          device: str | None = None, requires_grad: bool = False) -> Tensor:
    """start, start + step, ... up to and including end, in the default dtype. arange() leaves out the end."""
    if end is None:
        start, end = 0, start
    if step == 0 or (end - start) / step < 0:
        raise ValueError(f"from {start} by steps of {step} one doesn't come to {end}")
    steps = np.arange(int((end - start) / step) + 1)
    return Tensor(np.asarray(start + steps * step, dtype or dtypes.get_default_dtype()), requires_grad)


def asarray(obj: Any, *, dtype: DTypeLike | None = None, device: str | None = None, copy: bool | None = None,
            requires_grad: bool = False) -> Tensor:
    """`obj` as a Tensor, sharing its memory unless `copy` is true or that is impossible."""
    result = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    if copy is False and isinstance(obj, (Tensor, np.ndarray)) and not np.shares_memory(result.array, np.asarray(obj)):
        raise ValueError("the memory can't be shared, because the dtype is another one; leave out copy=False")
    return result.detach().requires_grad_() if requires_grad and not result.requires_grad else result


def scalar_tensor(s: float, *, dtype: DTypeLike | None = None, device: str | None = None,
                  requires_grad: bool = False) -> Tensor:
    """A number as a Tensor without axes, of the default dtype."""
    return full((), s, dtype=dtype or dtypes.get_default_dtype(), device=device, requires_grad=requires_grad)


def frombuffer(buffer: Any, *, dtype: DTypeLike, count: int = -1, offset: int = 0,
               requires_grad: bool = False) -> Tensor:
    """A vector of the numbers in a buffer (bytearray, memoryview), whose memory it shares."""
    return Tensor(np.frombuffer(buffer, np.dtype(dtype), count, offset), requires_grad)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: DTypeLike | None = None,
                 device: str | None = None) -> Tensor:
    """Where the elements of a row x col matrix on and below a diagonal are: their rows, and their columns, (2, n)."""
    check_device(device)
    return Tensor(np.array(np.tril_indices(row, offset, col), dtype or dtypes.int64))


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: DTypeLike | None = None,
                 device: str | None = None) -> Tensor:
    """Where the elements of a row x col matrix on and above a diagonal are: their rows, and their columns, (2, n)."""
    check_device(device)
    return Tensor(np.array(np.triu_indices(row, offset, col), dtype or dtypes.int64))


# Windows for signals, by their formulas: symmetric, or with the next period's first number left out

def _window(shape: Callable[[np.ndarray], np.ndarray]) -> Callable:
    def window(window_length: int, periodic: bool = True, *args: float, dtype: DTypeLike | None = None,
               device: str | None = None, requires_grad: bool = False, **options: float) -> Tensor:
        check_device(device)
        count = window_length + 1 if periodic else window_length
        places = np.arange(count) / max(1, count - 1)
        values = shape(places, *args, **options) if window_length > 1 else np.ones(count)
        return Tensor(np.asarray(values[:window_length], dtype or dtypes.get_default_dtype()), requires_grad)
    window.__name__ = window.__qualname__ = shape.__name__
    window.__doc__ = shape.__doc__
    return window


@_window
def hann_window(places: np.ndarray) -> np.ndarray:
    """A window that falls off as the square of a sine."""
    return np.sin(np.pi * places) ** 2


@_window
def hamming_window(places: np.ndarray, alpha: float = 0.54, beta: float = 0.46) -> np.ndarray:
    """A window that falls off as a cosine: alpha - beta cos(2π t)."""
    return alpha - beta * np.cos(2 * np.pi * places)


@_window
def blackman_window(places: np.ndarray) -> np.ndarray:
    """A window of two cosines: 0.42 - 0.5 cos(2π t) + 0.08 cos(4π t)."""
    return 0.42 - 0.5 * np.cos(2 * np.pi * places) + 0.08 * np.cos(4 * np.pi * places)


@_window
def bartlett_window(places: np.ndarray) -> np.ndarray:
    """A window that falls off as a straight line."""
    return 1 - np.abs(2 * places - 1)


@_window
def kaiser_window(places: np.ndarray, beta: float = 12.0) -> np.ndarray:
    """A window of a Bessel function, narrower the larger `beta`."""
    return np.i0(beta * np.sqrt(1 - (2 * places - 1) ** 2)) / np.i0(beta)


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
