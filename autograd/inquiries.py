"""What tensors, shapes and dtypes are, and what becomes of them when they meet."""

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from autograd import dtypes
from autograd.errors import ShapeError
from autograd.tensor import Tensor
from autograd.typing import DTypeLike


def is_tensor(obj: Any) -> TypeGuard[Tensor]:
    """Whether it is a Tensor."""
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.array.size


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floating-point numbers."""
    return input.array.dtype.kind == "f"


def is_complex(input: Tensor) -> bool:
    """Whether the elements are complex numbers: never."""
    return False


def is_signed(input: Tensor) -> bool:
    """Whether the elements can be negative."""
    return input.array.dtype.kind in "fi"


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not 0.

    Raises:
        RuntimeError: there is more than one element, or none.
    """
    return bool(input.item())


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    return input.array.shape == other.array.shape


def broadcast_shapes(*shapes: int | tuple[int, ...]) -> tuple[int, ...]:
    """The shape that tensors of these shapes have together.

    Raises:
        ShapeError: they have none.

    >>> broadcast_shapes((3, 1), (1, 4), 4)
    (3, 4)
    """
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(f"shapes {', '.join(map(str, shapes))} cannot be broadcast together") from None


def result_type(tensor1: Tensor | float, tensor2: Tensor | float) -> np.dtype:
    """The dtype in which two tensors or numbers meet.

    >>> result_type(tensor([1, 2]), 1.5)
    dtype('float32')
    """
    return dtypes.promoted([t.array if isinstance(t, Tensor) else t for t in (tensor1, tensor2)])


def promote_types(type1: DTypeLike, type2: DTypeLike) -> np.dtype:
    """The dtype in which tensors of two dtypes meet."""
    return dtypes.promoted([np.empty(1, np.dtype(dtype)) for dtype in (type1, type2)])


def can_cast(from_: DTypeLike, to: DTypeLike) -> bool:
    """Whether a conversion keeps the kind: numbers of floats don't become integers, nor integers booleans."""
    order = {"b": 0, "u": 1, "i": 1, "f": 2}
    source, target = np.dtype(from_), np.dtype(to)
    return order[source.kind] <= order[target.kind]


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """The indices along each axis of a tensor of `shape`, of elements numbered in order.

    >>> unravel_index(tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))

    Raises:
        ValueError: an index is past the end.
    """
    array = indices.array
    return tuple([Tensor(np.asarray(part, array.dtype)) for part in np.unravel_index(array, shape)])


for _function in (is_signed, is_nonzero, is_same_size):
    setattr(Tensor, _function.__name__, _function)
