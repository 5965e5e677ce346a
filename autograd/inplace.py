"""Changing a tensor in place: safe or refused, never silently wrong.

While recording, an in-place method gives the tensor a new array and a new Node, so an array that a rule saved is never
overwritten. Two things could still go wrong, and both are found:

- Outside recording (`no_grad`, optimisers, constants) memory really is written. If a rule had saved that memory, its
  derivative would come out wrong: the write is stamped with the clock, and the backward pass refuses a node that is
  older than the last write to what it saved.
- Another tensor that shares the old array (a view such as `x[0]`, a `detach()`) does not see the new one. The old
  memory is marked as superseded, and whoever uses it again is told.
"""

import contextlib
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.grad_mode import mode

if TYPE_CHECKING:
    from autograd.tensor import Node, Tensor

written: dict[int, int] = {}
"""id of memory -> when it was last written."""
superseded: dict[int, Any] = {}
"""id of memory -> weak reference to the tensor that has moved on to a new array."""
last_write = 0
_watched: dict[int, weakref.ref] = {}


def memory(array: Any) -> Any:
    """The object that owns an array's memory: the same for an array and all its views."""
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def _watch(array: Any) -> int:
    """The id of the memory, with its entries dropped when the memory goes."""
    owner = memory(array)
    key = id(owner)
    if key not in _watched:
        def forget(_: Any, key: int = key) -> None:
            for table in (written, superseded, _watched):
                table.pop(key, None)
        with contextlib.suppress(TypeError):  # foreign memory, such as a memory map's: it is not ours to watch
            _watched[key] = weakref.ref(owner, forget)
    return key


def increment_version(tensor: "Tensor | Iterable[Tensor]") -> None:
    """Tell the engine that `tensor.array` has been written to directly, as optimisers do; several at once cost less."""
    global last_write
    from autograd.tensor import Tensor, clock
    last_write = now = next(clock)
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        written[_watch(t.array)] = now


def check_saved(node: "Node") -> None:
    """Refuse a node whose saved arrays were written after it was recorded.

    Raises:
        RuntimeError: naming the operation and the argument.
    """
    read = node.operation.read_by_rules([parent is not None for parent in node.parents])
    saved = [(f"its argument {i}", getattr(parent, "array", kept))  # of a leaf without axes the node keeps a copy
             for i, (kept, parent, is_read) in enumerate(zip(node.args, node.parents, read, strict=True)) if is_read]
    saved += [("its result", kept) for kept in (node.out if isinstance(node.out, tuple) else (node.out,))]
    for what, array in saved:
        if isinstance(array, np.ndarray) and written.get(id(memory(array)), 0) > node.birth:
            raise RuntimeError(
                f"a tensor that `{node.name}` needs for its derivative ({what}, shape {array.shape}, {array.dtype}) "
                "was changed in place after the forward pass, for example by an optimizer step or under no_grad; call "
                "backward() before changing it, or compute with a copy: t.clone()")


def check_current(tensor: "Tensor") -> None:
    """Refuse a tensor whose memory another tensor has moved on from.

    Raises:
        RuntimeError: the tensor is a view of one that was changed in place (or the other way round).
    """
    if superseded and id(memory(tensor.array)) in superseded:
        raise RuntimeError(
            f"this tensor (shape {tensor.shape}) shares memory with one that was changed in place while recording, and "
            "has not seen the change; take the view after the change, or write the change without in-place methods: "
            "y = y + 1, or x[0] = x[0] + 1 for a part of x")


def forget_change_through(tensor: "Tensor", view: "Tensor") -> None:
    """Let `tensor` be read although `view`, taken from it, has moved on: it is about to be written back."""
    key = id(memory(tensor.array))
    if key in superseded and superseded[key]() is view:
        del superseded[key]


def assign(tensor: "Tensor", result: "Tensor") -> "Tensor":
    """Give `tensor` the values of `result`: the second half of every in-place method.

    Raises:
        RuntimeError: the shape would grow, the dtype's kind would be lost, or a leaf that requires gradients
            would change while recording.
    """
    if result.shape != tensor.shape:
        result = result.expand(tensor.shape) if result.ndim <= tensor.ndim else _refuse_shape(tensor, result)
    if result.dtype is not tensor.dtype:
        if not np.can_cast(result.dtype, tensor.dtype, "same_kind"):
            raise RuntimeError(f"a result of dtype {result.dtype} cannot be stored in place in a tensor of "
                               f"{tensor.dtype}; write t = t + … instead, or convert t first")
        result = result.to(tensor.dtype)
    if mode.enabled and (tensor.tracked or result.tracked):
        _move(tensor, result)
    else:
        _write(tensor, result)
    return tensor


def reshape(tensor: "Tensor", view: "Tensor") -> "Tensor":
    """Give `tensor` the shape of `view`, taken from it: `squeeze_`, `unsqueeze_`, `transpose_`. No value changes.

    Raises:
        RuntimeError: a leaf that requires gradients while recording, or a recorded result while not recording.
    """
    if mode.enabled and tensor.tracked:
        _move(tensor, view)
    elif tensor.node is not None:
        raise RuntimeError(f"the result of `{tensor.node.name}` (shape {tensor.shape}) cannot get another shape in "
                           "place under no_grad, since its gradient has the shape it was recorded with; use the method "
                           "without underscore")
    else:
        tensor.array = view.array
    return tensor


def _refuse_shape(tensor: "Tensor", result: "Tensor") -> Any:
    raise RuntimeError(f"an in-place method cannot change the shape of its tensor from {tensor.shape} to "
                       f"{result.shape}; use the method without underscore")


def _move(tensor: "Tensor", result: "Tensor") -> None:
    """While recording: a new array and a new origin."""
    if tensor.tracked and tensor.node is None:
        raise RuntimeError(f"a leaf tensor that requires gradients (shape {tensor.shape}) cannot be changed in place "
                           "while recording, since its gradient would be lost; wrap the change in no_grad(), or work "
                           "on t.clone()")
    origin = tensor.node
    while origin is not None and getattr(origin.operation, "view", False):
        source = origin.parents[0]
        if source is not None and not hasattr(source, "operation"):
            raise RuntimeError(f"a view of a leaf tensor that requires gradients (shape {source.shape}) cannot be "
                               "changed in place while recording; wrap the change in no_grad(), or work on t.clone()")
        origin = source
    if memory(result.array) is not memory(tensor.array) and not isinstance(tensor.array, np.generic):
        superseded[_watch(tensor.array)] = weakref.ref(tensor)
    tensor.array, tensor.node, tensor.tracked = result.array, result.node, result.tracked


def _write(tensor: "Tensor", result: "Tensor") -> None:
    """Outside recording: the memory itself."""
    if isinstance(tensor.array, np.generic):  # a number has no memory to write to
        tensor.array = result.array
        return
    if tensor.array is not result.array:
        np.copyto(tensor.array, result.array)
    increment_version(tensor)
