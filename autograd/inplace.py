"""Changing a tensor in place: what PyTorch computes, through views and in their bases too.

Outside recording (`no_grad`, optimizers, constants) the memory is written, and whoever shares it sees that.

While recording, an in-place method computes a new array, and the tensor takes over that array and its Node; so an array
that a rule saved is never overwritten. If the tensor is a view, the tensor that it was taken from changes instead: the
new values stand among its others. Then every view of it is stale, and is taken again when somebody looks at it.
"""

import math
from typing import Any

import numpy as np

from autograd.calling import apply
from autograd.grad_mode import mode, set_grad_enabled
from autograd.inquiries import can_cast
from autograd.operation import Operation
from autograd.recording import flat_in
from autograd.sharing import given_other_memory, leave, memory, own, relatives, share, wrote
from autograd.tensor import Tensor, twin_of


def assign(tensor: Tensor, result: Tensor) -> Tensor:
    """Give `tensor` the values of `result`: the second half of every in-place method.

    Raises:
        RuntimeError: the shape would change, the dtype's kind would be lost, or the change cannot be recorded: of a
            leaf that requires gradients, of elements that share one place in memory.
    """
    if result.shape != tensor.shape:
        raise RuntimeError(f"an in-place method cannot change the shape of its tensor from {tensor.shape} to "
                           f"{result.shape}; use the method without underscore")
    if result.dtype is not tensor.dtype:
        if not can_cast(result.dtype, tensor.dtype):
            raise RuntimeError(f"a result of dtype {result.dtype} cannot be stored in place in a tensor of "
                               f"{tensor.dtype}; write t = t + … instead, or convert t first")
        result = result.to(tensor.dtype)
    if mode.enabled and (tensor.tracked or result.tracked):
        _record(tensor, result)
    else:
        write(tensor, ..., result.array)
    return tensor


def write(tensor: Tensor, index: Any, values: Any) -> None:
    """Outside recording: the memory itself.

    Raises:
        RuntimeError: the memory cannot be written to.
    """
    own(tensor)
    if not tensor.array.flags.writeable:
        raise RuntimeError(f"this tensor (shape {tensor.shape}) cannot be written to: several of its elements share "
                           "one place in memory, as after expand(), or it is read-only; change a copy: t.clone()")
    if tensor.array is not values:
        tensor.array[index] = values
    part = tensor.array if index is ... else tensor.array[index]
    wrote(part if isinstance(part, np.ndarray) and memory(part) is memory(tensor.array) else tensor.array)


def reshape(tensor: Tensor, view: Tensor) -> Tensor:
    """Give `tensor` the shape of `view`, taken from it: `squeeze_`, `unsqueeze_`, `transpose_`. No value changes.

    Raises:
        RuntimeError: a leaf that requires gradients while recording, or a recorded result while not recording.
    """
    if tensor.tracked and tensor.node is None and mode.enabled:
        raise _leaf(tensor, "")
    if tensor.node is not None and not mode.enabled:
        raise RuntimeError(f"the result of `{tensor.node.name}` (shape {tensor.shape}) cannot get another shape in "
                           "place under no_grad, since its gradient has the shape it was recorded with; use the method "
                           "without underscore")
    base = hand_over(tensor)
    _, operation, options, output = view.view_of
    tensor.view_of = base, operation, options, output
    tensor.array, tensor.node = view.array, view.node
    return tensor


def hand_over(tensor: Tensor) -> Tensor:
    """A Tensor with the value and the history that `tensor` is about to lose; whatever was taken from it is its now."""
    base = twin_of(tensor)
    if tensor.family is not None:
        share(base, tensor, tensor.view_of)
        for view in relatives(tensor):
            if view.view_of and view.view_of[0] is tensor:
                view.view_of = base, *view.view_of[1:]
    return base


def _set_data(tensor: Tensor, value: Any) -> None:
    value = Tensor(value)
    if tensor.tracked and value.array.dtype.kind != "f":
        raise RuntimeError(f"a tensor that requires gradients (shape {tensor.shape}, {tensor.dtype}) cannot get values "
                           f"of dtype {value.dtype}, which have none; write t.data = values.float()")
    hand_over(tensor)
    leave(tensor)
    tensor.array = value.array
    share(tensor, value)
    given_other_memory(tensor)


Tensor.data = property(Tensor.detach, _set_data, doc="The values without history, as `detach()`. Setting it replaces "
                       "the values and leaves the history.")


def _leaf(tensor: Tensor, part: str) -> RuntimeError:
    return RuntimeError(f"{part or 'a '}leaf tensor that requires gradients (shape {tensor.shape}) cannot be changed "
                        "in place while recording, since its gradient would be lost; wrap the change in no_grad(), or "
                        "work on t.clone()")


# While recording

def _record(tensor: Tensor, result: Tensor) -> None:
    """A new array and a new origin, for the tensor that `tensor` is a view of, if it is one."""
    if tensor.tracked and not result.tracked:  # of a comparison
        result = flat_in(result, [tensor])
    base = tensor
    while base.view_of:
        if base.view_of[0] is None:
            raise RuntimeError(f"this tensor (shape {tensor.shape}) was taken under no_grad from one that requires "
                               "gradients, and shares its memory: a recorded change would be lost to that one; take "
                               "the view outside no_grad, or change a copy: t.clone()")
        base = base.view_of[0]
    if base.tracked and base.node is None:
        raise _leaf(base, "" if base is tensor else "a view of a ")
    view = tensor
    while view.view_of:
        result = _with_part(view, result)
        view = view.view_of[0]
    views, twins = [], []  # twins (of `detach()` and the like) have the values alone, and the history they had
    for other in relatives(base):
        if type(other) is not _Stale:
            a_leaf = other.tracked and other.node is None  # by requires_grad_()
            (views if other.view_of and other.view_of[0] is not None and not a_leaf else twins).append(other)
    new = result.array if result.array.flags.writeable else np.array(result.array)
    if twins:
        old = memory(base.array)
        whole = np.array(old)
        new = _same_place(base.array, old, whole)
        new[...] = result.array
        places = [_same_place(twin.array, old, whole) for twin in twins]
        for twin, place in zip(twins, places, strict=True):
            twin.array = place
    for view in views:
        view.array = None
        view.moves_to(None)
        view.__class__ = _Stale
    base.array, base.tracked = new, result.tracked
    base.moves_to(result.node)


def _with_part(view: Tensor, values: Tensor) -> Tensor:
    """The tensor that `view` was taken from, with other values where the view is.

    The rule of a view puts what it is given back to its place, and zeros around it: of ones it makes a mask.
    """
    base, operation, options, output = view.view_of
    places = _put_back(np.ones(view.shape, np.float32), base, operation, options, output)
    if places is None or (places > 1).any():
        raise RuntimeError(f"several elements of this tensor (shape {view.shape}, made by `{operation.name}`) share "
                           "one place in memory, so that a change has no single meaning; change a copy: t.clone()")
    whole = _put_back(values, base, operation, options, output)
    return whole if places.all() else np.where(places > 0, whole, base)


def _put_back(values: Any, base: Tensor, operation: Operation, options: dict, output: int | None) -> Any:
    if output is not None:
        g = [np.zeros_like(part) for part in operation.forward(base.array, **options)]
        g[output] = values
        values = tuple(g)
    whole = operation.vjps[0](values, None, base, **options)
    return whole.reshape(base.shape) if math.prod(whole.shape) == math.prod(base.shape) else None  # None: stretched


class _Stale(Tensor):
    """A view of a tensor that has changed since: it is taken again as soon as somebody looks at it."""

    __slots__ = ()

    def _renewed(self) -> Tensor:
        base, operation, options, output = self.view_of
        with set_grad_enabled(True):
            view = apply(operation, (base,), options)
        view = view if output is None else view[output]
        self.__class__ = Tensor
        self.array, self.tracked = view.array, view.tracked
        self.moves_to(view.node)
        return self

    array = property(lambda self: self._renewed().array, lambda self, array: setattr(self._renewed(), "array", array))
    node = property(lambda self: self._renewed().node)
    tracked = property(lambda self: self._renewed().tracked)


def _same_place(part: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The elements of `new`, a copy of `old`, that lie where those of `part` lie in `old`.

    Raises:
        RuntimeError: `old` is foreign memory, such as a memory map's.
    """
    if not part.size:
        return np.empty_like(part)
    flat = new.ravel(order="K")
    if not isinstance(old, np.ndarray) or new.strides != old.strides or not np.may_share_memory(flat, new):
        raise RuntimeError(f"a tensor of shape {part.shape} that shares memory of another program with a detached one "
                           "cannot be changed in place while recording; change a copy: t.clone()")
    offset = part.__array_interface__["data"][0] - old.__array_interface__["data"][0]
    return np.ndarray(part.shape, part.dtype, flat, offset, part.strides)  # memory may be bytes, or another one's bits
