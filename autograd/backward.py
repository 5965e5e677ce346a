"""Going back through the recorded graph: `backward` and `grad`.

Nodes are visited youngest first. A node is always older than what was computed from it, so when its turn comes every
use of its value has already sent its gradient, and the gradients of all uses have been added up. (In `b = a + a;
c = b * b` the gradient of b must be complete before a gets its share: that is why order matters.)
"""

import math
import operator
import sys
import threading
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, Literal, overload

import numpy as np

from autograd import sharing, watching
from autograd.calling import alias, apply
from autograd.clock import clock
from autograd.dtypes import float16, float32
from autograd.grad_mode import set_grad_enabled
from autograd.hooks import AfterAccumulation, KeepGradient
from autograd.reads import NOTHING
from autograd.recording import Cotangents, alias_operation, flat_in, pick_output, recorded, wrap
from autograd.runtime import settings
from autograd.runtime.copies import everywhere
from autograd.runtime.elementwise import SIMPLE, as_loop
from autograd.runtime.sums import added
from autograd.table import TABLE
from autograd.tensor import Node, Outline, Tensor
from autograd.typing import TensorLike

_sum = as_loop(operator.add)

Vertex = Node | Tensor
"""What a gradient belongs to: the Node of a recorded tensor, or a leaf Tensor."""


def backpropagate(roots: dict[Vertex, Any], wanted: Iterable[Vertex] | None = None, retain: bool = False,
                  differentiable: bool = False, stop: Iterable[Vertex] = (),
                  watch: Callable[[Node, int, Any], None] | None = None,
                  accumulate: Callable[[dict[Vertex, Any]], None] | None = None,
                  hooks: bool = True) -> dict[Vertex, Any]:
    """The gradients of all leaves behind `roots`, or of the `wanted` vertices.

    Args:
        roots: gradients to start from.
        wanted: whose gradients to compute; None means all leaves.
        retain: keep what the nodes saved.
        differentiable: gradients are Tensors and the rules are recorded; otherwise they are arrays.
        stop: go no further than these.
        watch: told every contribution: the node, the number of its argument, the gradient.
        accumulate: takes the gradient of a leaf with hooks as soon as it is complete; it is not returned then.
        hooks: whether to run the user's.

    Raises:
        RuntimeError: the graph was released, something that a rule reads has changed, or a rule gave a wrong shape.
    """
    hooked: dict[Vertex, None] = {}
    started = next(clock) if differentiable else 0
    order = reachable(roots, stop, hooked)
    needed = None if wanted is None else leading_to(wanted, order)
    gradients, found = dict(roots), {}
    own: set[Vertex] = set()  # whose gradients are arrays made here, which nobody else holds
    if hooked and hooks:
        order = with_leaves(order, hooked)
    if watching.watchers:
        order, watch = watching.turns(order), watching.sends(watch)
    in_place = not differentiable and watch is None
    with set_grad_enabled(differentiable):
        for node in order:
            g = gradients.pop(node, None)
            if g is None:  # nothing arrived: a rule gave None
                continue
            if node.hooks is not None and hooks:
                g = run_hooks(node, g)
                if type(node) is not Node:  # a leaf
                    complete, g, contribution, joint = {node: g}, None, None, None  # nobody else may hold it
                    (accumulate or gradients.update)(complete)
                    del complete
                    continue
            if needed is not None:
                if node in wanted:
                    found[node] = g
                    if needed.isdisjoint([parent for parent in node.parents if parent is not None]):
                        continue  # nothing beyond it is asked for
                if node not in needed:
                    continue
            operation, args, out, options = node.operation, node.args, node.out, node.options
            if args is None:
                raise _released(node)
            if sharing.last_write > node.birth:
                sharing.check_saved(node)
            rules, adds, joint = operation.vjps, operation.adds if in_place else None, None
            if shape := node.shape:
                if not differentiable and g.size >= operation.many:
                    rules = operation.vjps_of_many
                    if len(rules) > 1:
                        joint = operation.at_once(wanted_of(node, needed), g, out, *args, **options)
            elif shape is None:
                g = filled(g, node, differentiable)
            if differentiable:
                args, out = as_tensors(node)
            if not rules:
                joint = joint_gradients(node, g, out, args, needed, differentiable)
            for i, parent in enumerate(node.parents):
                if parent is None or (needed is not None and parent not in needed):
                    continue
                if joint is not None:
                    contribution = joint[i]
                elif adds is not None and parent in own:
                    adds(gradients[parent], g, *args, **options)
                    continue
                elif options:
                    contribution = rules[i](g, out, *args, **options)
                else:
                    contribution = rules[i](g, out, *args)
                if contribution is None:
                    continue
                if differentiable and not contribution.tracked:
                    contribution = depending(contribution, node, i, args, out)
                if contribution.shape != parent.shape:
                    contribution = unbroadcast(contribution, parent.shape, node, i)
                if contribution.dtype is not parent.dtype:
                    contribution = contribution.astype(parent.dtype)
                if watch is not None:
                    watch(node, i, contribution)
                earlier = gradients.get(parent)
                if earlier is None:
                    gradients[parent] = contribution
                elif contribution.shape and not differentiable and contribution.size >= SIMPLE:
                    gradients[parent] = _sum(earlier, contribution)
                else:
                    gradients[parent] = earlier + contribution
                if adds is not None and parent.shape:  # a number cannot be added to in place
                    own.add(parent)
            if not retain and operation.keeps:
                node.args = node.out = None
    if wanted is not None:
        found.update((vertex, g) for vertex, g in gradients.items() if vertex in wanted)
        gradients = found
    if differentiable and not stop:
        for g in gradients.values():
            if isinstance(g, Tensor) and g.node is not None and g.node.birth > started:
                g.node.calls = backward_pass, started, g.node.calls
    return gradients


def backward_pass() -> Callable:
    """What stands in a node's `calls` for a backward pass that was recorded, where the node is of a gradient."""
    return backpropagate


def _released(node: Node) -> RuntimeError:
    return RuntimeError(f"the graph was released by an earlier backward pass (found at `{node.name}`); to go through "
                        "it again, make the first pass with backward(retain_graph=True)")


def reachable(roots: Iterable[Vertex], stop: Container[Vertex] = (),
              hooked: dict[Vertex, None] | None = None) -> list[Node]:
    """The nodes behind `roots`, youngest first; the leaves there that have hooks are put into `hooked`."""
    nodes, hooked = [], {} if hooked is None else hooked
    for root in roots:
        if type(root) is Node:
            nodes.append(root)
        elif root.hooks:
            hooked[root] = None
    seen = set(nodes)
    for node in nodes:  # the list grows while it is walked
        if node in stop:
            continue
        for parent in node.parents:
            if type(parent) is Node:
                if parent not in seen:
                    seen.add(parent)
                    nodes.append(parent)
            elif parent is not None and parent.hooks:
                hooked[parent] = None
    nodes.sort(key=operator.attrgetter("birth"), reverse=True)
    return nodes


def with_leaves(order: list[Node], hooked: Iterable[Vertex]) -> list[Vertex]:
    """The nodes, and each hooked leaf behind the oldest that reads it: there its gradient is complete."""
    oldest = {parent: node for node in order for parent in node.parents if parent in hooked}
    complete: dict[Node | None, list[Vertex]] = {}
    for leaf in hooked:
        complete.setdefault(oldest.get(leaf), []).append(leaf)
    return [*complete.get(None, ()), *(vertex for node in order for vertex in (node, *complete.get(node, ())))]


def leading_to(wanted: Iterable[Vertex], order: list[Node]) -> set[Vertex]:
    """The wanted vertices that lie behind others, and all nodes that lead to wanted ones."""
    needed = set()
    for node in reversed(order):
        for parent in node.parents:
            if parent is not None and (parent in needed or parent in wanted):
                needed.add(parent)
                needed.add(node)
    return needed


# What a node sends

def joint_gradients(node: Node, g: Any, out: Any, args: Sequence, needed: set[Vertex] | None,
                    differentiable: bool) -> Sequence[Any]:
    """The gradients of all arguments, from an operation that has one rule for all of them."""
    if differentiable and node.operation.composition:
        return through_composition(node, g, args)
    if node.operation.unread:
        out = out[node.operation.unread:]
    return node.operation.joint_vjp(g, out, *args, needs_input_grad=wanted_of(node, needed), **node.options)


def wanted_of(node: Node, needed: set[Vertex] | None) -> tuple[bool, ...]:
    """Whose gradients are wanted, of a node's arguments."""
    return tuple([parent is not None and (needed is None or parent in needed) for parent in node.parents])


def depending(contribution: Tensor, node: Node, argument: int, args: Sequence, out: Any) -> Tensor:
    """A gradient that does not depend on the graph, although its rule reads what does, as that of a rectifier: the
    derivative is zero, but it exists."""
    operation = node.operation
    if operation.vjps:
        sources = [args[i] for i in operation.reads[argument]]
        if operation.reads_out[argument]:
            sources.append(out)
    else:
        sources = args if operation.composition else []
    sources = [source for source in sources if isinstance(source, Tensor) and source.tracked]
    return flat_in(contribution, sources) if sources else contribution


def as_tensors(node: Node) -> tuple[list, Any]:
    """What a node kept, as Tensors that know where they came from: a rule that runs on them is recorded."""
    def tensor(kept: Any, origin: Vertex | None) -> Any:
        if origin is None or kept is None or isinstance(kept, Outline):
            return kept
        if isinstance(origin, Node):
            return wrap(kept, origin)
        # A leaf may have been given other values since (`.data =`).
        return origin if origin.array is kept else recorded(alias_operation, (origin,), (None,), kept, NOTHING, {})
    args = [tensor(kept, parent) for kept, parent in zip(node.args, node.parents, strict=True)]
    if node.shape is not None:
        return args, tensor(node.out, node)
    return args, tuple(kept if isinstance(kept, Outline) else pick_output(kept, node, i)
                       for i, kept in enumerate(node.out))


def _nothing(like: Any) -> np.ndarray:
    """Zeros; of many, one for all."""
    return np.zeros(like.shape, like.dtype) if math.prod(like.shape) < SIMPLE else everywhere(
        like.dtype.type(0), like.shape)


def filled(g: Cotangents, node: Node, differentiable: bool) -> tuple:
    """The gradients of several outputs, zero where nothing has arrived (or None, where a Function says so)."""
    outputs = node.operation.outputs
    if not node.operation.fills:
        return tuple([g.get(i) for i in range(len(node.out))])
    outs = node.out[:len(outputs._fields)] if outputs else node.out  # what is kept beyond the outputs has no gradient
    parts = [_nothing(out) if i not in g and out.dtype.kind == "f" else g.get(i) for i, out in enumerate(outs)]
    return tuple([wrap(part, None) if differentiable and isinstance(part, np.ndarray) else part for part in parts])


def through_composition(node: Node, g: Any, args: Sequence) -> list:
    """The gradients of a fused operation, by way of its composition, so that they can be differentiated."""
    inputs = [a if parent is None else alias(a) for a, parent in zip(args, node.parents, strict=True)]
    out = node.operation.composition(*inputs, **node.options)
    outs, gs = (out, g) if isinstance(out, tuple) else ((out,), (g,))
    roots = {o.node: part for o, part in zip(outs, gs, strict=True)  # an output of constants alone is an array
             if part is not None and isinstance(o, Tensor) and o.tracked}
    vertices = {a.node for a, parent in zip(inputs, node.parents, strict=True) if parent is not None}
    gradients = backpropagate(roots, vertices, retain=True, differentiable=True, stop=vertices)
    return [None if parent is None else gradients.get(a.node) for a, parent in zip(inputs, node.parents, strict=True)]


def unbroadcast(g: Any, shape: tuple[int, ...], node: Node, argument: int) -> Any:
    """Sum out of g the axes that broadcasting stretched.

    Raises:
        RuntimeError: g cannot come from broadcasting `shape`, so the rule is wrong.
    """
    lead = len(g.shape) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, g.shape[lead:], strict=True)):
        raise RuntimeError(f"the rule of `{node.name}` gave argument {argument} of shape {shape} a gradient of shape "
                           f"{g.shape}; it must have the argument's shape, or one that broadcasting stretched it to")
    if g.dtype is float16:  # its sums would overflow, and stop growing at 2048; the traversal casts back
        g = g.astype(float32)
    axes = (*range(lead), *[lead + i for i, n in enumerate(shape) if n == 1])
    g = added(g, axes)
    return g if g.shape == shape else g.reshape(shape)


def run_hooks(vertex: Vertex, g: Any) -> Any:
    """Show a gradient to the user's hooks, each of which may replace it.

    Raises:
        TypeError, RuntimeError: what a hook returned is no Tensor, or has another shape or dtype.
    """
    hooks = sorted([hook for hook in vertex.hooks or () if type(hook) is not AfterAccumulation],
                   key=lambda hook: type(hook) is KeepGradient)
    if not hooks:
        return g
    bare = not isinstance(g, Tensor)
    value = wrap(np.array(g), None) if bare else g.clone()  # a hook may write into it: others have the same array
    for hook in hooks:
        replaced = hook(value)
        if replaced is None:
            continue
        if not isinstance(replaced, Tensor):
            raise TypeError("a hook on a tensor must return a Tensor (or None, to leave the gradient as it is), not "
                            f"{type(replaced).__name__}")
        if replaced.shape != g.shape or replaced.dtype != g.dtype:
            raise RuntimeError(f"a hook on a tensor returned a gradient of shape {replaced.shape}, {replaced.dtype}, "
                               f"but was given {g.shape}, {g.dtype}; they must be equal: write "
                               "gradient.expand(g.shape).to(g.dtype)")
        value = replaced
    return value.array if bare else value


# For the user

def backward(tensors: Tensor | Iterable[Tensor], grad_tensors: Tensor | Iterable[Tensor | None] | None = None,
             retain_graph: bool | None = None, create_graph: bool = False,
             inputs: Tensor | Iterable[Tensor] | None = None) -> None:
    """Add the gradients of `tensors` to `.grad` of the leaves behind them; see `Tensor.backward`."""
    settings.make()
    tensors, grad_tensors = _as_list(tensors), _as_list(grad_tensors)
    wanted = None if inputs is None else {vertex_of(t, "inputs"): t for t in _as_list(inputs)}
    outer, _running.then = _running.then, {}
    try:
        _accumulate(backpropagate(roots_of(tensors, grad_tensors, create_graph), wanted,
                                  create_graph if retain_graph is None else retain_graph, create_graph,
                                  accumulate=_accumulate), wanted)
        for callback in list(_running.then):
            callback()
    finally:
        _running.then = outer


def _accumulate(gradients: dict[Vertex, Any], wanted: dict[Vertex, Tensor] | None = None) -> None:
    """Add to `.grad` of leaves (or of the `wanted`), and call the hooks that wait for it."""
    told = []
    with _accumulating:  # a leaf may be shared by threads
        for vertex, g in gradients.items():
            tensor = vertex if wanted is None else wanted[vertex]
            earlier = tensor.grad
            if not tensor.tracked:  # frozen since the forward pass
                continue
            if tensor.hooks:
                told.append(tensor)
            if isinstance(g, Tensor):
                tensor.grad = g.clone() if earlier is None else earlier + g
            elif earlier is None:
                # Others may hold this array: a sum hands the same one to all its terms, a view shares it. And a
                # gradient lies in memory as its leaf does (PyTorch's rule), so that it can be viewed in other shapes.
                shared = sys.getrefcount(g) > _UNSHARED or isinstance(g, np.generic) or not _owns(g)
                elsewhere = g.ndim > 1 and g.strides != tensor.array.strides
                tensor.grad = wrap(sharing.copied(g, tensor.array) if shared or elsewhere else g, None)
            elif earlier.tracked or isinstance(earlier.array, np.generic):  # a number cannot be added to in place
                tensor.grad = earlier + wrap(g, None)
            else:
                np.add(earlier.array, g, out=earlier.array)
                sharing.increment_version(earlier)
    for tensor in told:
        for hook in list(tensor.hooks or ()):  # one may take away another
            if type(hook) is AfterAccumulation:
                hook.function(tensor)


def after_this_pass(callback: Callable[[], None]) -> bool:
    """Call a function, once, when the `backward()` that runs in this thread has accumulated all gradients.

    Returns whether it was not waiting already: for who is called by a hook, whether a new pass has begun.
    """
    new = callback not in _running.then
    _running.then[callback] = None
    return new


class _Running(threading.local):
    then: dict[Callable[[], None], None] | None = None


_running = _Running()
_accumulating = threading.Lock()


def _owns(g: np.ndarray) -> bool:
    """Whether nobody else can reach the memory of g: its own, or that of an array of which only this view is left."""
    base = g.base
    return base is None or (type(base) is np.ndarray and base.base is None and base.size == g.size
                            and g.flags.writeable and min(g.strides, default=0) >= 0 and _references(g) == _VIEWED)


def _references(view: np.ndarray) -> int:
    base = view.base
    return sys.getrefcount(base)


_VIEWED = _references(np.empty(2)[::-1]) + 1  # `_owns` refers to it, too
# What `sys.getrefcount` says in such a loop as `backward`'s of a value that the dict alone holds.
_UNSHARED = next(sys.getrefcount(value) for _, value in {"": object()}.items())


@overload
def grad(outputs: Tensor | Iterable[Tensor], inputs: Tensor | Iterable[Tensor],
         grad_outputs: Tensor | Iterable[Tensor | None] | None = None, retain_graph: bool | None = None,
         create_graph: bool = False, only_inputs: Literal[True] = True, allow_unused: Literal[False] | None = None,
         is_grads_batched: bool = False, materialize_grads: bool = False) -> tuple[Tensor, ...]: ...
@overload
def grad(outputs: Tensor | Iterable[Tensor], inputs: Tensor | Iterable[Tensor],
         grad_outputs: Tensor | Iterable[Tensor | None] | None = None, retain_graph: bool | None = None,
         create_graph: bool = False, only_inputs: Literal[True] = True, *, allow_unused: bool,
         is_grads_batched: bool = False) -> tuple[Tensor | None, ...]: ...
def grad(outputs: Tensor | Iterable[Tensor], inputs: Tensor | Iterable[Tensor],
         grad_outputs: Tensor | Iterable[Tensor | None] | None = None, retain_graph: bool | None = None,
         create_graph: bool = False, only_inputs: bool = True, allow_unused: bool | None = None,
         is_grads_batched: bool = False, materialize_grads: bool = False) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of `outputs` with respect to each of `inputs`; no `.grad` is touched.

    Args:
        outputs: a Tensor or several, as a list or `model.parameters()`.
        inputs: a Tensor or several: leaves or intermediate results.
        grad_outputs: dL/d(output) for each output, of its shape; None for an output of one element means 1.
        retain_graph: keep what the graph saved, for another backward pass. Default: `create_graph`.
        create_graph: record the computation, so that the gradients can be differentiated again.
        only_inputs: can only be True; it is there for PyTorch's sake.
        allow_unused: give None for an input that the outputs do not depend on, instead of an error.
        is_grads_batched: `grad_outputs` are stacks of gradients, and so will be the results: one pass for each.
        materialize_grads: give zeros for an input that the outputs do not depend on, instead of an error or None.

    Raises:
        ValueError: `only_inputs` is False, or zeros are wanted with allow_unused=False.
        RuntimeError: an input is not tracked or not used, an output needs a gradient, the graph was released.

    >>> x = Tensor(3.0, requires_grad=True)
    >>> grad(x * x, x)
    (tensor(6.),)
    """
    if not only_inputs or (materialize_grads and allow_unused is False):
        raise ValueError("only_inputs can only be True; backward(inputs=...) fills .grad" if not only_inputs else
                         "materialize_grads=True gives zeros for unused inputs, which allow_unused=False refuses")
    outputs, inputs = _as_list(outputs), _as_list(inputs)
    if is_grads_batched:
        return _of_each(outputs, inputs, _as_list(grad_outputs), create_graph, allow_unused, materialize_grads)
    vertices = [vertex_of(t, "inputs") for t in inputs]
    gradients = backpropagate(roots_of(outputs, _as_list(grad_outputs), create_graph), set(vertices),
                              create_graph if retain_graph is None else retain_graph, create_graph)
    results = []
    for i, vertex in enumerate(vertices):
        g = gradients.get(vertex)
        if g is None and materialize_grads:
            g = np.zeros(inputs[i].shape, inputs[i].array.dtype)
        elif g is None and not allow_unused:
            raise RuntimeError(f"the outputs do not depend on inputs[{i}] (shape {inputs[i].shape}), or only through "
                               "an operation without derivative; if that is meant, allow_unused=True gives None for it")
        results.append(g if g is None else g.clone() if isinstance(g, Tensor) else wrap(np.array(g), None))
    return tuple(results)


def _of_each(outputs: list, inputs: list, gradients: list, create_graph: bool, allow_unused: bool | None,
             materialize_grads: bool) -> tuple[Tensor | None, ...]:
    """The results of `grad` for each of a stack of gradients, stacked."""
    rows = [grad(outputs, inputs, row, True, create_graph, allow_unused=bool(allow_unused),
                 materialize_grads=materialize_grads) for row in zip(*gradients, strict=True)]
    columns = zip(*rows, strict=True)
    return tuple([None if column[0] is None else apply(TABLE["stack"], column, {"dim": 0}) for column in columns])


def _as_list(tensors: Any) -> list:
    """Those that were given one after the other, as by `model.parameters()`; or the one."""
    return list(tensors) if hasattr(tensors, "__iter__") and not hasattr(tensors, "shape") else [tensors]


def vertex_of(tensor: Any, role: str) -> Vertex:
    """What the gradient of a tensor belongs to.

    Raises:
        RuntimeError: the tensor, one of `role`, is not tracked.
    """
    if not isinstance(tensor, Tensor) or not tensor.tracked:
        what = f"shape {tensor.shape}" if isinstance(tensor, Tensor) else f"a {type(tensor).__name__}"
        raise RuntimeError(f"one of {role} ({what}) does not require gradients, so nothing was recorded for it; call "
                           "requires_grad_() on the leaves before computing with them")
    return tensor.node or tensor


def roots_of(tensors: list, gradients: list, differentiable: bool) -> dict[Vertex, Any]:
    """Where the gradient enters."""
    if len(gradients) != len(tensors):
        if len(gradients) != 1 or gradients[0] is not None:
            raise RuntimeError(f"{len(tensors)} outputs need as many gradients, not {len(gradients)}")
        gradients = [None] * len(tensors)
    roots: dict[Vertex, Any] = {}
    for tensor, g in zip(tensors, gradients, strict=True):
        vertex = vertex_of(tensor, "the outputs")
        if g is None:
            if tensor.array.size != 1:
                raise RuntimeError("a gradient can start by itself only from a single element, this output has shape "
                                   f"{tensor.shape}; reduce it first, e.g. y.sum().backward(), or pass dL/dy: "
                                   "y.backward(gradient)")
            g = np.ones(tensor.shape, tensor.dtype)
            g = wrap(g) if differentiable else g
        else:
            g = g if isinstance(g, Tensor) else Tensor(g)
            if g.shape != tensor.shape:
                raise RuntimeError(f"the gradient has shape {g.shape}, the output {tensor.shape}; they must be equal")
            g = g if g.dtype is tensor.dtype else g.to(tensor.dtype)
            g = g if differentiable else g.array
        roots[vertex] = roots[vertex] + g if vertex in roots else g
    return roots


def _backward(self: Tensor, gradient: TensorLike | None = None, retain_graph: bool | None = None,
              create_graph: bool = False, inputs: Tensor | Iterable[Tensor] | None = None) -> None:
    """Add the gradient of this tensor to `.grad` of the leaves behind it (or of `inputs`).

    Args:
        gradient: dL/d(this tensor), of this tensor's shape; may be left out for a single element (it is 1).
        retain_graph: keep what the graph saved, for another backward pass. Default: `create_graph`.
        create_graph: record the backward pass too, so that gradients can be differentiated again.
        inputs: accumulate only into these.

    Raises:
        RuntimeError: not a single element and no gradient; nothing was recorded; the graph was released;
            a saved tensor has changed since.
    """
    backward(self, gradient, retain_graph, create_graph, inputs)


_backward.__name__, _backward.__qualname__ = "backward", "Tensor.backward"
Tensor.backward = _backward
