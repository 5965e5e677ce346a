"""Tensor: an array and where it came from. Node: the record of the operation that made it.

A Tensor refers to its Node; a Node refers to the Nodes (or leaf Tensors) its arguments came from, never to its own
output. So the graph has no reference cycles, and memory goes back by reference count the moment a graph is dropped.

Whatever else a Tensor can do is attached to it where that stands: the operations and NumPy's protocols (`table.py`),
`backward` (`backward.py`), `data` (`inplace.py`), its text (`printing.py`).
"""

from __future__ import annotations  # 3.14 evaluates them late, when `int` and `bool` are methods of Tensor

import copy
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd import dtypes, watching
from autograd.clock import clock
from autograd.errors import no_axis, warn
from autograd.hooks import AfterAccumulation, KeepGradient, RemovableHandle
from autograd.sharing import own, share


class Node:
    """A recorded operation: what was called, on what, and what its derivative rules need.

    Attributes:
        operation: the declaration, from the table of operations.
        parents: one entry an argument: the Node it came from, the leaf Tensor it is, or None for a constant.
        args: one entry an argument: its array if a rule reads it, an `Outline` if a rule reads only its shape or
            dtype, None if no rule reads it; a constant is always kept, so that the graph can run again.
            None altogether once the node has been released.
        options: keyword arguments.
        out: the output's array (a tuple of arrays for several outputs), likewise an `Outline` or None.
        shape: the output's shape; None for several outputs.
        dtype: the output's dtype; None for several outputs.
        birth: the node's number on the clock. Parents are always older.
        hooks: functions that see, and may replace, the gradient of the output; None if there are none.
        calls: of modules that returned the output: a weak reference to the last of them, the moment when it was called,
            and the calls of further ones; None if there are none. A backward pass that was recorded counts as one.
    """

    __slots__ = ("operation", "parents", "args", "options", "out", "shape", "dtype", "birth", "hooks", "calls")

    def __init__(self, operation: Any, parents: tuple, args: tuple, options: dict, out: Any,
                 shape: tuple[int, ...] | None, dtype: np.dtype | None) -> None:
        self.operation, self.parents, self.args, self.options = operation, parents, args, options
        self.out, self.shape, self.dtype = out, shape, dtype
        self.birth, self.hooks, self.calls = next(clock), None, None
        if watching.watchers:
            watching.born(self)

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.operation.name

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Outline:
    """Shape and dtype of an array whose elements no rule reads."""

    __slots__ = ("shape", "dtype")

    def __init__(self, array: Any) -> None:
        self.shape, self.dtype = array.shape, array.dtype

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: int(np.prod(self.shape, dtype=np.int64)))


class Tensor:
    """An n-dimensional array that can record where it came from.

    Args:
        data: array (shared, not copied), Tensor, number or nested sequence. Python floats become the default dtype.
        requires_grad: record operations on this tensor, so that `backward()` fills `.grad`. Floating dtypes only.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward(); x.grad
    tensor([2., 4.])
    """

    __slots__ = ("array", "node", "tracked", "hooks", "family", "view_of", "_grad", "__weakref__")

    array: np.ndarray
    """The values. Writing into it goes unnoticed by the engine: use in-place methods instead."""
    node: Node | None
    """The operation that made this tensor; None for a leaf."""
    tracked: bool
    """Whether operations on this tensor are recorded; `requires_grad` is its checked form."""
    hooks: list[Callable] | None
    """What is told the gradient of a leaf; of another tensor, what its Node is to tell it for `retain_grad()`."""
    family: set | None
    """Weak references to the Tensors that share this one's memory; None while it is alone (see `sharing.py`)."""
    view_of: tuple | None
    """For a view, what it was taken from and how; see `sharing.share`."""

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self.node = self._grad = self.hooks = self.family = self.view_of = None
        self.tracked = False
        if isinstance(data, Tensor):
            own(data)
            self.array = data.array
            share(self, data)
        else:
            self.array = dtypes.as_array(data)
        if requires_grad:
            self.requires_grad = True

    # What it is

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded. Can be set on leaves of floating dtype."""
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self.array.dtype.kind != "f":
            raise RuntimeError(f"only floating tensors can require gradients, this one is {self.dtype}; "
                               "make it floating first: t.float().requires_grad_()")
        if self.node is not None and not value:
            raise RuntimeError(f"requires_grad of the result of `{self.node.name}` cannot be switched off, only that "
                               "of leaves; to use the value as a constant write t.detach()")
        self.tracked = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` in place and return the tensor."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the user made this tensor, rather than a recorded operation."""
        return self.node is None

    @property
    def grad_fn(self) -> Node | None:
        """The Node that recorded this tensor's origin; None for a leaf."""
        return self.node

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        """The type of the elements, a NumPy dtype."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    def dim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    def size(self, dim: int | None = None) -> tuple[int, ...] | int:
        """The shape, or its entry `dim`."""
        return _along(self.array.shape, dim)

    def numel(self) -> int:
        """The number of elements."""
        return self.array.size

    nelement = numel

    def ndimension(self) -> int:
        """The number of axes."""
        return self.array.ndim

    def element_size(self) -> int:
        """The bytes of one element."""
        return self.array.itemsize

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return self.array.nbytes

    def stride(self, dim: int | None = None) -> tuple[int, ...] | int:
        """How many elements further in memory the next one along each axis (or along `dim`) lies."""
        strides = tuple([n // self.array.itemsize for n in self.array.strides])
        return _along(strides, dim)

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory one after the other, the last axis varying fastest."""
        return self.array.flags.c_contiguous

    def is_floating_point(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return self.array.dtype.kind == "f"

    def is_complex(self) -> bool:
        """Whether the elements are complex numbers: never."""
        return False

    @property
    def device(self) -> str:
        """Where the values are: always `"cpu"`."""
        return "cpu"

    def cpu(self) -> Tensor:
        """The tensor itself, which is on the CPU already."""
        return self

    # Copies: copy.copy shares memory and history, copy.deepcopy and pickle take leaves' values

    def __copy__(self) -> Tensor:
        own(self)
        twin = _rebuild(type(self), self.array, self.tracked, getattr(self, "__dict__", {}))
        twin.node = self.node
        share(twin, self)
        return twin

    def __deepcopy__(self, memo: dict) -> Tensor:
        if self.node is not None:
            raise RuntimeError(f"the result of `{self.node.name}` (shape {self.shape}) cannot be deep-copied, its "
                               "history is not part of it; only leaves can. Write t.clone() to go on with its history, "
                               "t.detach().clone() without")
        twin = _rebuild(type(self), copy.deepcopy(self.array, memo), self.tracked,
                        copy.deepcopy(getattr(self, "__dict__", {}), memo))
        twin._grad = copy.deepcopy(self._grad, memo)
        return twin

    def __reduce_ex__(self, protocol: Any) -> tuple:
        array = self.array  # first: a stale view becomes a Tensor again by being looked at
        return _rebuild, (type(self), array, self.tracked, getattr(self, "__dict__", {}))

    # The bare value

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The values as a NumPy array that shares this tensor's memory; with `force`, those of a detached tensor.

        Raises:
            RuntimeError: the tensor requires gradients, which the array could not carry on.
        """
        if self.tracked and not force:
            raise RuntimeError(f"numpy() of a tensor that requires gradients (shape {self.shape}) would lose its "
                               "history; write t.detach().numpy()")
        own(self)
        return self.array

    def __dlpack__(self, **options: Any) -> Any:
        return self.numpy().__dlpack__(**options)

    def __dlpack_device__(self) -> tuple:
        return np.empty(0).__dlpack_device__()

    def item(self) -> float | int | bool:
        """The only element, as a Python number.

        Raises:
            RuntimeError: there is more than one element, or none.
        """
        if self.array.size != 1:
            raise RuntimeError(f"item() needs exactly one element, this tensor has {self.array.size} "
                               f"(shape {self.shape}); use tolist(), or reduce it first, e.g. t.sum().item()")
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers (a number for a tensor without axes)."""
        return self.array.tolist()

    def detach(self) -> Tensor:
        """The same values, in the same memory, without history."""
        return Tensor(self)

    def detach_(self) -> Tensor:
        """Forget the history: from here on the tensor is a leaf that does not require gradients."""
        self.moves_to(None)
        self.tracked, self.hooks, self.view_of = False, None, None
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.tracked:
            raise RuntimeError(f"this function would turn a tensor that requires gradients (shape {self.shape}) into a "
                            "bare array and lose its history; write t.detach().numpy(), or use a function of autograd")
        return np.array(self.numpy(), dtype, copy=copy)

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise RuntimeError(f"the truth of a tensor with {self.array.size} elements (shape {self.shape}) is "
                               "ambiguous; write t.any() or t.all()")
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __trunc__(self) -> int:
        return int(self.item())

    def __round__(self, ndigits: int | None = None) -> Tensor:
        return self.round(decimals=ndigits or 0)

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise TypeError(f"only an integer tensor can be an index, this one is {self.dtype}; write t.long()")
        if self.array.size != 1:  # bytes(t) goes on with its elements after a TypeError
            raise TypeError(f"an index is one integer, this tensor has {self.array.size} (shape {self.shape})")
        return int(self.item())

    def __len__(self) -> int:
        if not self.array.ndim:
            raise TypeError("len() of a tensor without axes; its number of elements is t.numel()")
        return self.array.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.array.ndim:
            raise TypeError("a tensor without axes cannot be iterated; its value is t.item()")
        return iter(self.unbind(0))

    def __contains__(self, value: Any) -> bool:
        return bool((self == value).any())

    def __format__(self, spec: str) -> str:
        if not self.array.ndim and (spec or type(self) is Tensor):  # as in PyTorch, a Parameter is written in full
            return format(self.item(), spec)
        try:
            return format(repr(self), spec)
        except ValueError:
            raise TypeError(f"the format {spec!r} is for one number, and this tensor has shape {self.shape}; write "
                            "t.item() for a single one, or [format(value, spec) for value in t.tolist()]") from None

    __hash__ = object.__hash__

    # Gradients

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward()` accumulated: None before, and for tensors that are no leaves.

        Can be set to a Tensor of the same shape and dtype, or to None.
        """
        if self._grad is None and self.node is not None and not self.hooks:
            warn(f".grad of the result of `{self.node.name}` is None: backward() fills it for leaves only; call "
                 "retain_grad() on the result first")
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f".grad can be a Tensor or None, not {type(value).__name__}; write tensor(value)")
            if value.shape != self.shape or value.dtype != self.dtype:
                raise RuntimeError(f".grad must have the shape and dtype of its tensor ({self.shape}, {self.dtype}), "
                                   f"not {value.shape}, {value.dtype}; write value.to(t.dtype).expand(t.shape).clone() "
                                   "if that is meant")
            if value is self:
                raise RuntimeError("a tensor cannot be its own gradient; write t.grad = t.detach().clone()")
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def retain_grad(self) -> None:
        """Let `backward()` fill `.grad` of this tensor although it is no leaf."""
        if not self.tracked:
            raise RuntimeError("retain_grad() on a tensor that does not require gradients; make it a leaf that does: "
                               "t.requires_grad_()")
        if self.node is None or self.hooks:
            return
        if self.node.hooks is None:
            self.node.hooks = []
        self.hooks = [KeepGradient(weakref.ref(self))]  # the node must not keep its own output alive
        self.node.hooks += self.hooks

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad()` was called on this tensor, which is no leaf."""
        return self.node is not None and bool(self.hooks)

    def moves_to(self, node: Node | None) -> None:
        """Take another Node as the origin; the gradient that `retain_grad()` keeps will be that of the new value."""
        if self.hooks:
            keep, = self.hooks
            if self.node is not None:
                self.node.hooks.remove(keep)
            if node is not None:
                node.hooks = [*(node.hooks or ()), keep]
        self.node = node

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook(gradient)` when the gradient of this tensor is complete; what it returns replaces the gradient.

        Returns a handle; `handle.remove()` takes the hook away.
        """
        if not self.tracked:
            raise RuntimeError("register_hook() on a tensor that does not require gradients: it would never be called; "
                               "write t.requires_grad_() first")
        holder = self if self.node is None else self.node
        if holder.hooks is None:
            holder.hooks = []
        return RemovableHandle(holder.hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call `hook(tensor)` when `backward()` has added to `.grad` of this leaf, e.g. to step and forget it at once.

        Returns a handle; `handle.remove()` takes the hook away.
        """
        if self.node is not None:
            raise RuntimeError("register_post_accumulate_grad_hook() is for leaves, whose .grad is added to; to see "
                               "the gradient of a result write register_hook()")
        return self.register_hook(AfterAccumulation(hook))


def _rebuild(kind: type[Tensor], array: np.ndarray, tracked: bool, attributes: dict) -> Tensor:
    """A leaf of a subclass of Tensor, from its parts."""
    tensor = object.__new__(kind)
    tensor.array, tensor.tracked = array, tracked
    tensor.node = tensor._grad = tensor.hooks = tensor.family = tensor.view_of = None
    if attributes:
        tensor.__dict__.update(attributes)
    return tensor


def _along(each: tuple[int, ...], dim: int | None) -> Any:
    """What there is for each axis, or for axis `dim`."""
    try:
        return each if dim is None else each[dim]
    except IndexError:
        raise no_axis(dim, len(each)) from None


def twin_of(tensor: Tensor) -> Tensor:
    """Another Tensor with the same value and the same history."""
    other = _rebuild(Tensor, tensor.array, tensor.tracked, {})
    other.node = tensor.node
    return other
