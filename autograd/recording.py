"""How a result remembers where it came from: its Node, what the Node keeps, and what is a view of what."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import watching
from autograd.grad_mode import mode
from autograd.operation import NO_OPTIONS, PLAIN, Operation
from autograd.reads import ARRAY, NOTHING, OUTLINE
from autograd.runtime.copies import MANY
from autograd.sharing import copied, memory, share
from autograd.tensor import Node, Outline, Tensor

_new = object.__new__


def wrap(array: Any, node: Node | None = None) -> Tensor:
    """A Tensor from its value and its origin."""
    tensor = _new(Tensor)
    tensor.array, tensor.node, tensor.tracked = array, node, node is not None
    tensor.hooks = tensor.family = tensor.view_of = tensor._grad = None
    return tensor


def recorded(op: Operation, parents: tuple, args: tuple, out: Any, keep_out: int, options: dict) -> Tensor:
    """The Tensor of a recorded operation with one output."""
    node = Node(op, parents, args, options, kept(out, keep_out) if keep_out else None, out.shape, out.dtype)
    tensor = _new(Tensor)
    tensor.array, tensor.node, tensor.tracked = out, node, True
    tensor.hooks = tensor.family = tensor.view_of = tensor._grad = None
    return tensor


def kept(array: Any, level: int) -> Any:
    """What a Node keeps of an array of which the rules read this much."""
    return array if level == ARRAY else Outline(array) if level == OUTLINE else None


def unchanging(value: Any, kept: bool = True) -> Any:
    """What a Node may keep of what the caller gave: not an array or a list of the caller's, which may be changed later.

    A Tensor's array is kept as it is, since its changes are noticed; so is any array if nothing is kept.
    """
    kind = type(value)
    if kind is tuple:
        return value if PLAIN.issuperset(map(type, value)) else tuple([unchanging(part, kept) for part in value])
    if kind is list:
        return tuple([unchanging(part, kept) for part in value])
    if isinstance(value, Tensor):
        return value.array
    if isinstance(value, np.ndarray):
        if not kept or any(watcher.same_arrays for watcher in watching.watchers):
            return value
        return value.copy(order="K") if value.size < MANY else copied(value, value)
    return value


def viewed(view: Tensor, x: Any, op: Operation, options: dict, output: int | None = None) -> Tensor:
    """A result that may share the memory of x: if it does, they know it of each other."""
    if not isinstance(x, Tensor):
        return view
    array, owner = x.array, view.array.base
    if view.array is array or (owner is not None and (
            owner is array or owner is array.base or memory(owner) is memory(array))):
        share(view, x, (x if mode.enabled or not x.tracked else None, op, options, output))
    return view


class Cotangents(dict):
    """The gradients of an operation with several outputs: number of an output -> what has arrived; they add up."""

    __slots__ = ()
    shape = dtype = None
    tracked = True

    def __add__(self, other: "Cotangents") -> "Cotangents":
        total = Cotangents(self)
        for i, g in other.items():
            total[i] = total[i] + g if i in total else g
        return total


_pick = Operation(
    lambda values, *, index: values[index], vjps=(lambda g, out, values, index: Cotangents({index: g}),),
    joint_vjp=None, composition=None, outputs=None, view=False, samples=None, name="output",
    flops=0)


def pick_output(array: Any, node: Node | None, index: int) -> Tensor:
    """Output `index` of an operation with several: a Tensor whose Node picks it from the operation's own."""
    if node is None or array.dtype.kind != "f":
        return wrap(array, None)
    return recorded(_pick, (node,), (None,), array, NOTHING, {"index": index})


alias_operation = Operation(lambda x: x, vjps=(lambda g, out, x: g,), joint_vjp=None, composition=None, outputs=None,
                      view=True, samples=None, name="alias")


def _flat_vjp(g: Any, out: Any, *tensors: Outline, needs_input_grad: tuple[bool, ...]) -> list:
    zeros = [np.zeros(t.shape, t.dtype) for t in tensors[1:]]
    return [g, *([wrap(zero) for zero in zeros] if isinstance(g, Tensor) else zeros)]


_flat_in = Operation(lambda *tensors: tensors[0], vjps=(), joint_vjp=_flat_vjp, composition=None, outputs=None,
                     view=False, samples=None, name="flat")


def flat_in(value: Tensor, sources: Sequence[Tensor]) -> Tensor:
    """A value computed from `sources` that has derivative zero in them: it is recorded that it depends on them."""
    return recorded(_flat_in, (None, *[source.node or source for source in sources]),
                    (value.array, *[Outline(source) for source in sources]), value.array, NOTHING, NO_OPTIONS)
