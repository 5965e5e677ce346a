"""Memory that several Tensors share: which they are, and when it was last written.

A view (`x[0]`, `x.T`, `x.detach()`) is the same memory in another Tensor. What one of them changes, all of them show:
outside recording because the memory itself is written, while recording because the family is told (`inplace.py`).

Memory that is written is stamped with the clock that numbers the nodes. A node that is older than the last write to
something it saved would give a wrong derivative, so the backward pass refuses it. For every other node this costs one
comparison. What counts is whether elements that were saved have been written: a buffer may be filled row by row while
the rows before are in use.
"""

import contextlib
import weakref
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.clock import clock
from autograd.runtime.copies import put

if TYPE_CHECKING:
    from autograd.tensor import Node, Tensor

_written: "dict[int, list[tuple[int, Place | None]]]" = {}
"""id of memory -> when it was written since all of it was, and where; None: anywhere."""
_MOST_PLACES = 256
"""So many are told apart; after that it counts as all of the memory."""
_replaced: dict[int, int] = {}
"""id of a Tensor -> when it was given other memory (`t.data = …`)."""
last_write = 0
_reference = weakref.ref
_watched: dict[int, weakref.ref] = {}


# Who shares it

def copied(array: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A copy, which nobody else has, and which lies in memory as another array of the shape does."""
    out = np.empty_like(like, array.dtype)
    put(out, array)
    return out


def memory(array: Any) -> Any:
    """The object that owns an array's memory: the same for an array and all its views."""
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def share(tensor: "Tensor", source: "Tensor", view_of: tuple | None = None) -> None:
    """Let `tensor` belong to the family of Tensors that share the memory of `source`.

    Args:
        tensor: the new member.
        source: a Tensor with the same memory.
        view_of: for a view, how to take it again: the Tensor it was taken from (None if that has a history which this
            one was not to have), the operation, its options, and the number of its output if it has several.
    """
    family = source.family
    if family is None:
        family = source.family = set()
        family.add(_reference(source, family.discard))
    tensor.family, tensor.view_of = family, view_of
    family.add(_reference(tensor, family.discard))


def leave(tensor: "Tensor") -> None:
    """Take a Tensor that is about to get other memory out of its family."""
    family = tensor.family or set()
    for reference in [reference for reference in tuple(family) if reference() is tensor]:
        family.remove(reference)
    tensor.family = tensor.view_of = None


def relatives(tensor: "Tensor") -> "list[Tensor]":
    """The other Tensors that share this one's memory."""
    members = [member() for member in tuple(tensor.family or ())]
    return [member for member in members if member is not None and member is not tensor]


def own(tensor: "Tensor") -> None:
    """Give a computed number (a NumPy scalar, for speed) memory that can be shared and written to."""
    if isinstance(tensor.array, np.generic):
        tensor.array = np.array(tensor.array)


# When it was written

def _watch(owner: Any) -> int:
    """The id of the memory, with its entry dropped when the memory goes."""
    key = id(owner)
    if key not in _watched:
        def forget(_: Any, key: int = key) -> None:
            _written.pop(key, None)
            _watched.pop(key, None)
        with contextlib.suppress(TypeError):  # foreign memory, such as a memory map's: it is not ours to watch
            _watched[key] = weakref.ref(owner, forget)
    return key


class Place:
    """Where the elements of an array lie, without keeping it alive."""

    __slots__ = ("__array_interface__",)

    def __init__(self, array: np.ndarray) -> None:
        self.__array_interface__ = array.__array_interface__


def increment_version(tensor: "Tensor | Iterable[Tensor]") -> None:
    """Tell the engine that `tensor.array` has been written to directly, as optimizers do; several at once cost less."""
    global last_write
    last_write = now = next(clock)
    for t in (tensor,) if hasattr(tensor, "array") else tensor:
        wrote(t.array, now)


def wrote(array: Any, now: int | None = None) -> None:
    """Tell the engine that all elements of an array have been written to."""
    global last_write
    if now is None:
        last_write = now = next(clock)
    owner = memory(array)
    places = _written.setdefault(_watch(owner), [])
    whole = getattr(owner, "nbytes", None) == array.nbytes or len(places) >= _MOST_PLACES
    if whole:
        places.clear()
    places.append((now, None if whole else Place(array)))


def given_other_memory(tensor: "Tensor") -> None:
    """Tell the engine that `tensor.array` is another array now."""
    key = id(tensor)
    if key not in _replaced:
        weakref.finalize(tensor, _replaced.pop, key, None).atexit = False
    _replaced[key] = next(clock)


def changed_since(tensor: "Tensor", moment: int) -> bool:
    """Whether a Tensor has had other values since then."""
    return _replaced.get(id(tensor), 0) > moment or written_since(tensor.array, moment)


def written_since(array: Any, moment: int) -> bool:
    """Whether an element of an array has been written to since then."""
    for when, place in reversed(_written.get(id(memory(array)), ())):
        if when <= moment:
            break
        if place is None or _overlap(array, np.asarray(place)):
            return True
    return False


def _overlap(a: np.ndarray, b: np.ndarray) -> bool:
    max_work: Any = 10_000  # NumPy 2.4's stub knows only -1 and 0
    try:
        return np.shares_memory(a, b, max_work=max_work)
    except np.exceptions.TooHardError:
        return True


def check_saved(node: "Node") -> None:
    """Refuse a node for whose derivative something is needed that was written after it was recorded.

    Raises:
        RuntimeError: naming the operation, and the argument or option.
    """
    read = node.operation.read_by_rules([parent is not None for parent in node.parents])
    saved = [(f"its argument {i}", getattr(parent, "array", kept))  # of a leaf without axes the node keeps a copy
             for i, (kept, parent, is_read) in enumerate(zip(node.args, node.parents, read, strict=True)) if is_read]
    outs = node.out[node.operation.unread:] if isinstance(node.out, tuple) else (node.out,)
    saved += [("its result", kept) for kept in outs]
    saved += [(f"its option '{name}'", array) for name, value in node.options.items() for array in arrays_in(value)]
    for what, array in saved:
        if isinstance(array, np.ndarray) and written_since(array, node.birth):
            raise RuntimeError(
                f"a tensor that `{node.name}` needs for its derivative ({what}, shape {array.shape}, {array.dtype}) "
                "was changed in place after the forward pass, for example by an optimizer step or under no_grad; call "
                "backward() before changing it, or compute with a copy: t.clone()")


def arrays_in(value: Any) -> Iterator[np.ndarray]:
    """The arrays in an option: itself, or the parts of an index."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from arrays_in(part)
