"""The same values with elements of another type."""

import numpy as np

from autograd import dtypes
from autograd.creation import is_device
from autograd.dtypes import as_dtype
from autograd.notation import Notation
from autograd.operations.shaping import is_spread
from autograd.runtime.compiled import compilable
from autograd.runtime.copies import in_memory_order
from autograd.runtime.threads import in_parallel, pieces
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import DTypeLike, TensorLike


def converted(x, *, dtype):
    """x.astype(dtype)."""
    if x.dtype is dtypes.float32 and dtype == dtypes.float16:
        return _to_half(x)
    return _from_half(x) if x.dtype is dtypes.float16 and dtype == dtypes.float32 else x.astype(dtype)


# The exponent of a float16 counts from -15 instead of -127. The rest is to put the bits in their places.

FEW = 1 << 13
"""Up to so many numbers NumPy is as fast, one by one."""
LARGEST = float(np.finfo(dtypes.float16).max)
_LARGE = np.float32(2.0 ** 112)
_EXPONENT_AND_REST = np.int32(0x0FFFE000 - (1 << 31))


@compilable("autograd.compiled.conversion", many=True)
def _to_half(x):
    if x.size < FEW:
        return x.astype(dtypes.float16)

    def convert(numbers, halves):
        sizes = np.abs(numbers)
        largest = sizes.max()
        if np.isnan(largest):
            return False
        if largest > LARGEST:  # 2¹⁶ and what is above it become infinite
            sizes.clip(0, 2.0 ** 16, out=sizes)
        # As Dekker (1971) splits a number: to the nearest of 11 bits, and of fewer where float16 has fewer.
        near = sizes.clip(2.0 ** -14, np.inf)
        near *= 2.0 ** 13 + 1
        np.subtract(near, sizes, out=sizes)
        near -= sizes
        near *= 2.0 ** -112
        bits = near.view(np.int32)
        bits >>= 13
        signs = (numbers.view(np.int32) < 0).astype(np.int16)
        signs <<= 15
        halves.view(np.int16)[:] = bits
        halves.view(np.int16)[:] |= signs
        return True

    return _by_bits(convert, x, dtypes.float16)


@compilable("autograd.compiled.conversion", many=True)
def _from_half(x):
    if x.size < FEW:
        return x.astype(dtypes.float32)

    def convert(halves, numbers):
        bits = halves.view(np.int16).astype(np.int32)
        bits <<= 13
        bits &= _EXPONENT_AND_REST
        np.multiply(bits.view(dtypes.float32), _LARGE, out=numbers)
        # infinities and NaN come last among those of their sign
        return halves.view(np.int16).max() < 0x7C00 and halves.view(np.uint16).max() < 0xFC00

    return _by_bits(convert, x, dtypes.float32)


def _by_bits(convert, x, dtype):
    """An array of another dtype: `convert` fills a part of it, and says whether it could; NumPy does what it could not.
    """
    out, converted, given = in_memory_order(x, dtype)

    def work(part):
        for piece in pieces(part, 1):
            if not convert(given[piece], converted[piece]):
                converted[piece] = given[piece]

    in_parallel(work, x.size, 8 * x.size)
    return out


def _convert_back(g, out, x, dtype):
    if type(g) is np.ndarray and is_spread(g):
        return np.broadcast_to(g[(0,) * g.ndim].astype(x.dtype), g.shape)
    return _convert(g, dtype=x.dtype)


_convert = operation(
    converted, vjps=_convert_back, names="_to",
    samples=lambda draw: call(draw.array(), dtype=np.dtype(np.float64)),
    notation=Notation("to", "to({x})", ("1",)))


@operation(names="_astype", methods="to astype", numpy={np.astype: lambda x, dtype, copy=True: to(x, dtype, copy=copy)})
def to(x: TensorLike, *target: DTypeLike | Tensor, dtype: DTypeLike | None = None, device: str | None = None,
       non_blocking: bool = False, copy: bool = False) -> Tensor:
    """x with elements of another dtype: `to(float64)`, `to(other)` (like another tensor); `"cpu"` changes nothing.

    The result is x itself if there is nothing to convert, unless `copy` is true.

    Raises:
        RuntimeError: another device is asked for.
    """
    for wish in (*target, *([device] if device is not None else [])):
        if isinstance(wish, Tensor):
            dtype = wish.dtype
        elif not is_device(wish) and not isinstance(wish, bool):  # PyTorch's non_blocking and copy, given by position
            dtype = wish
    if dtype is None or x.dtype == (dtype := as_dtype(dtype)):
        return x.clone() if copy else x
    return _convert(x, dtype=dtype)


@operation(names="_type", methods="type")
def type_(x: TensorLike, dtype: DTypeLike | None = None) -> str | Tensor:
    """x with elements of another dtype; without one, the name of the dtype that x has."""
    return str(x.dtype) if dtype is None else to(x, dtype)


@operation(names="_type_as", methods="type_as")
def type_as(x: TensorLike, other: Tensor) -> Tensor:
    """x with elements of another tensor's dtype."""
    return to(x, other.dtype)


def _method(name, dtype):
    def convert(self: Tensor) -> Tensor:
        return to(self, dtype)
    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = f"x with elements of {dtype}."
    setattr(Tensor, name, convert)


for _name, _dtype in [("double", dtypes.float64), ("float", dtypes.float32), ("half", dtypes.float16),
                      ("long", dtypes.int64), ("int", dtypes.int32), ("short", dtypes.int16), ("char", dtypes.int8),
                      ("byte", dtypes.uint8), ("bool", dtypes.bool_)]:
    _method(_name, _dtype)
