"""What both styles read in a Graph: where arguments come from, what is written into a gate, which outputs are used.

The origin of an argument is the Node or the leaf Tensor that it came from, or the constant itself. Names, boxes and
owners are found by an origin's id.
"""

import itertools
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Graph, Node, Tensor
from autograd.lines import line_of
from viz import notation, text
from viz.names import Names
from viz.picture import Box
from viz.scopes import Scope, is_pick


def arguments(node: Node) -> Iterator[tuple[int, Any]]:
    """The number and the origin of every argument."""
    for i, (arg, parent) in enumerate(zip(node.args, node.parents, strict=True)):
        yield i, arg if parent is None else parent


def is_constant(origin: Any) -> bool:
    """Whether an argument came from nothing that is recorded."""
    return not isinstance(origin, (Node, Tensor))


def output_name(pick: Node) -> str:
    """What an operation with several outputs calls this one."""
    i = pick.options["index"]
    outputs = pick.parents[0].operation.outputs
    name = outputs._fields[i] if outputs else None
    return name if isinstance(name, str) else f"output {i}"  # neither any number of outputs nor a Function's have one


class Reading:
    """A Graph after `forward()` and `backward()`, and what its values are called.

    Attributes:
        called: id of an origin -> its name, of all in this graph that have one.
        x: what stands for the argument in the sign of a gate, as in 1/x; a dot, where a value is called x.
    """

    def __init__(self, graph: Graph, names: Names) -> None:
        self.graph, self.names = graph, names
        picks: dict[Node, list[Node]] = {}
        for node in filter(is_pick, graph.nodes):
            picks.setdefault(node.parents[0], []).append(node)
        # Which part of the graph a wire or box of the picture stands for, by its id: for what is laid over it.
        self.uses: dict[int, list[tuple[Node, int]]] = {}
        self.origin_of: dict[int, Any] = {}
        self.rounds: dict[int, list[Any]] = {}
        self.covered: dict[int, list[Any]] = {}
        self.only_picks = {whole: some[0] for whole, some in picks.items() if len(some) == 1}
        self.called = {id(v): names[id(v)] for v in self._origins() if id(v) in names}
        self.x = "·" if ("x", "") in map(text.name_parts, self.called.values()) else "x"
        self.numbered: dict[int, str] = {}
        self.lookups = {id(leaf): f"graph.leaves[{i}]" for i, leaf in enumerate(graph.leaves)}
        self.lookups |= {id(node): f"graph.node({i})" for i, node in enumerate(graph.nodes)}

    def _origins(self) -> Iterator[Any]:
        yield from self.graph.nodes
        yield from self.graph.leaves
        for node in self.graph.nodes:
            yield from (origin for _, origin in arguments(node) if is_constant(origin))

    def locate(self, box: Box, origin: Any) -> None:
        """Say in a box what part of the graph it shows, how Python finds that, and which line computed it."""
        self.origin_of[id(box)] = origin
        box.lookup = self.lookups.get(id(origin), "")
        if isinstance(origin, Node) and (line := line_of(origin)):
            box.line = f"{Path(line.file).name}, line {line.number}: {line.text}"

    def link(self, call: Scope) -> str:
        """By what a call is found in `insides`: its path, and how many operations came before it, which doesn't depend
        on what else the program has done."""
        return f"{call.path}@{bisect_left(self.graph.nodes, call.first, key=lambda node: node.birth)}"

    def shown(self, node: Node) -> Node:
        """Whose value stands in the box of an operation: that of its output, if only one of several is used."""
        return self.only_picks.get(node, node)

    def has_no_box(self, node: Node) -> bool:
        """Whether a node picks the only output that is used, and is drawn as one box with its operation."""
        return is_pick(node) and node.parents[0] in self.only_picks

    def name(self, origin: Any) -> str:
        """The name of a value; empty if it has none."""
        return self.names.get(id(origin), "")

    def label(self, origin: Any) -> str:
        """The name of an input or a constant; what has none is numbered."""
        if name := self.name(origin):
            return name
        if id(origin) not in self.numbered:
            kind = "constant" if is_constant(origin) else "input"
            taken = {text.name_parts(name) for name in (*self.called.values(), *self.numbered.values())}
            several = (f"{kind}_{i}" for i in itertools.count(2))
            self.numbered[id(origin)] = next(
                name for name in itertools.chain([kind], several) if text.name_parts(name) not in taken)
        return self.numbered[id(origin)]

    def value(self, origin: Any) -> Any:
        """An array, or for an operation with several outputs a tuple of them."""
        return origin if is_constant(origin) else self.graph.values[origin]

    def gradient(self, origin: Any) -> Any:
        """An array, or None if there is no gradient."""
        return None if is_constant(origin) else self.graph.gradients.get(origin)

    def folded(self, node: Node) -> dict[int, float]:
        """The constant that is written into the gate, as in +1 and 1/x: a number without a name beside an argument."""
        if len(node.parents) != 2 or not notation.of(node).with_number:
            return {}
        return {i: np.asarray(origin).item() for i, origin in arguments(node)
                if is_constant(origin) and id(origin) not in self.names and np.size(origin) == 1}
