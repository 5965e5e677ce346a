"""The recorded graph as a thing to look at: every value and every gradient in it."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd import sharing
from autograd.backward import Vertex, backpropagate, reachable, roots_of, vertex_of
from autograd.grad_mode import set_grad_enabled
from autograd.recording import Cotangents
from autograd.tensor import Node, Tensor


def tensors_in(result: Any) -> list[Tensor]:
    """The Tensors in what a function returned: itself, or the parts of lists, tuples and dictionaries."""
    if isinstance(result, Tensor):
        return [result]
    parts = result.values() if isinstance(result, Mapping) else result if isinstance(result, (list, tuple)) else ()
    return [t for part in parts for t in tensors_in(part)]


def _copy(g: Any) -> Any:
    """A gradient that whoever looks at a Graph may write into."""
    return Cotangents({i: np.array(part) for i, part in g.items()}) if isinstance(g, Cotangents) else np.array(g)


def _restore(node: Node) -> bool:
    """Give the nodes of a checkpointed part, of which this is the end, what they need; whether they had lost it."""
    segment = node.options.get("segment") if node.args is not None else None
    return segment is not None and bool(segment.restore())


def _unwritten(array: Any, node: Node) -> bool:
    """Whether a node keeps an array, as it was then."""
    return isinstance(array, (np.ndarray, np.generic)) and not sharing.written_since(array, node.birth)


class Graph:
    """The recorded graph behind some outputs, with every value and every gradient in it.

    Attributes:
        outputs: the Tensors it was made from.
        nodes: all Nodes behind them, in topological order (oldest first).
        leaves: the leaf Tensors they came from, in the order of first use.
        values: vertex (a Node or a leaf Tensor) -> its value; filled by `forward`.
        gradients: vertex -> d(sum of outputs)/d(value); filled by `backward`.
        contributions: (node, number of an argument) -> what the node adds to the gradient of that argument.

    Making a Graph changes nothing and keeps nothing that the outputs do not keep; neither does going through it: no
    hook is run and no `.grad` is touched. A checkpointed part is computed again for it; `forget` drops that.

    Raises:
        RuntimeError: nothing was recorded, or the graph has been released.

    >>> x = Tensor(3.0, requires_grad=True)
    >>> graph = Graph(x * x)
    >>> graph.backward()[x].item()
    6.0
    """

    def __init__(self, *outputs: Tensor) -> None:
        self.outputs = outputs
        roots = [vertex_of(t, "the outputs") for t in outputs]
        self.nodes = reachable(roots)[::-1]
        self._segments = [node.options["segment"] for node in reversed(self.nodes) if _restore(node)]
        for node in self.nodes:
            if node.args is None:
                raise RuntimeError(f"this graph was released by a backward pass (found at `{node.name}`); make the "
                                   "Graph (or draw it) before backward(), or call backward(retain_graph=True)")
        leaves = dict.fromkeys(p for node in self.nodes for p in node.parents if isinstance(p, Tensor))
        leaves.update(dict.fromkeys(root for root in roots if isinstance(root, Tensor)))
        self.leaves = list(leaves)
        self.values: dict[Vertex, Any] = {}
        self.gradients: dict[Vertex, Any] = {}
        self.contributions: dict[tuple[Node, int], Any] = {}

    def node(self, number: int) -> Node:
        """A node by its number from the oldest on, as the page of a drawing gives it.

        Raises:
            IndexError: there are not so many.

        >>> x = Tensor(3.0, requires_grad=True)
        >>> Graph(x * x + 1).node(0).name
        'mul'
        """
        if not 0 <= number < len(self.nodes):
            raise IndexError(f"this graph has {len(self.nodes)} nodes, from 0 on, and no node {number}; is it the "
                             "graph that was drawn?")
        return self.nodes[number]

    def forget(self) -> None:
        """Drop what had to be computed again of checkpointed parts; nothing can be computed from this Graph then."""
        for segment in self._segments:
            segment.forget()

    def changed(self) -> Iterator[tuple[Node, int]]:
        """The node and the number of each argument, a leaf or a constant, that has other values than at that time."""
        for node in self.nodes:
            for i, (kept, parent) in enumerate(zip(node.args, node.parents, strict=True)):
                if (sharing.changed_since(parent, node.birth) if isinstance(parent, Tensor) else
                        parent is None and isinstance(kept, np.ndarray) and sharing.written_since(kept, node.birth)):
                    yield node, i

    def recall(self) -> dict[Vertex, Any]:
        """Fill `values` with what was computed: as far as it was kept, for some rule or in the outputs, as it is; the
        rest is computed again."""
        kept: dict[Vertex, Any] = {}
        for node in self.nodes:
            outs = node.out if isinstance(node.out, tuple) else (node.out,)
            if all(_unwritten(out, node) for out in outs):
                kept[node] = node.out if node.shape is not None else tuple(node.out)
            for arg, parent in zip(node.args, node.parents, strict=True):
                if isinstance(parent, Node) and parent.shape is not None and _unwritten(arg, node):
                    kept.setdefault(parent, arg)
        for t in self.outputs:
            if t.node is not None and _unwritten(t.array, t.node):
                kept[t.node] = t.array
        return self._values(kept)

    def forward(self) -> dict[Vertex, Any]:
        """Compute every value again from the leaves as they are now, and keep all of them in `values`."""
        return self._values({})

    def _values(self, known: dict[Vertex, Any]) -> dict[Vertex, Any]:
        values = self.values = {leaf: np.array(leaf.array) for leaf in self.leaves}
        with set_grad_enabled(False):
            for node in self.nodes:
                if node in known:
                    values[node] = known[node]
                    continue
                args = [kept if parent is None else values[parent]
                        for kept, parent in zip(node.args, node.parents, strict=True)]
                values[node] = node.operation.forward(*args, **node.options)
        return values

    def backward(self, *gradients: Any) -> dict[Vertex, Any]:
        """Go back from the outputs (each with its gradient, by default ones) and keep every gradient in `gradients`."""
        given = gradients or [np.ones_like(t.array) for t in self.outputs]
        roots = roots_of(list(self.outputs), list(given), False)
        self.contributions = {}
        totals = self.gradients = {vertex: _copy(g) for vertex, g in roots.items()}

        def watch(node: Node, i: int, contribution: Any) -> None:
            self.contributions[node, i] = contribution = _copy(contribution)
            parent = node.parents[i]
            totals[parent] = totals[parent] + contribution if parent in totals else _copy(contribution)
        backpropagate(roots, retain=True, watch=watch, hooks=False)
        return totals

    def pull_back(self, node: Node, g: Any) -> dict[int, Any]:
        """One step of the way back: the number of each tracked argument -> its gradient, if g is that of the output."""
        found: dict[int, Any] = {}
        backpropagate({node: g}, retain=True, stop=(node,), watch=lambda _, i, part: found.update({i: part}),
                      hooks=False)
        return found
