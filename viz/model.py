"""A graph of large tensors: operations with shapes, dtypes and statistics, grouped by the modules they belong to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Graph, Node, Tensor
from viz import health, notation, text
from viz.names import Names
from viz.picture import Box, Cluster, Picture, Wire
from viz.recorded import arguments, folded, only_outputs, output_name
from viz.scopes import Repeats, Scope, fold, readable_depth

VIEWS = ("reshape", "transpose", "permute", "unsqueeze", "squeeze", "expand")
"""Operations that are not worth a box if all they do is to bring a parameter into shape."""


@dataclass
class Reading:
    """What is known about a graph, for all its pictures.

    Attributes:
        graph: after `forward()` and `backward()`.
        names: of parameters and variables.
        parameters: ids of what belongs to modules: drawn beside the operation that reads it, hidden in a closed module.
        constants: whether to draw constants without a name.
    """

    graph: Graph
    names: Names
    parameters: set[int]
    constants: bool

    def __post_init__(self) -> None:
        graph = self.graph
        self.usual = health.usual_size(graph.gradients[leaf] for leaf in graph.leaves if leaf in graph.gradients)
        self.only_output = only_outputs(graph)
        roots = {output.node for output in graph.outputs}
        self.views = {node: node.parents[0] for node in graph.nodes if node.name in VIEWS and node not in roots
                      and id(node.parents[0]) in self.parameters and id(node) not in self.names}
        self.first_bad = self._first_bad()  # id of a Node, a leaf or a constant
        self.insides: dict[str, Picture] = {}

    def arguments(self, node: Node) -> Iterator[tuple[int, Any, Any]]:
        """As `recorded.arguments`; a parameter that is only reshaped counts as the parameter."""
        for i, vertex, thing in arguments(node):
            parameter = self.views.get(vertex)
            yield (i, vertex, thing) if parameter is None else (i, parameter, parameter)

    def value(self, vertex: Any, thing: Any) -> Any:
        """The value of a Node, a leaf or a constant."""
        return self.graph.values[vertex] if isinstance(thing, (Node, Tensor)) else thing

    def _first_bad(self) -> int:
        """What first has a value that is NaN or infinite."""
        for node in self.graph.nodes:
            for _, vertex, thing in arguments(node):
                if not _finite(self.value(vertex, thing)):
                    return id(thing)
            if not _finite(self.graph.values[node]):
                return id(node)
        return 0


def _finite(value: Any) -> bool:
    return getattr(value, "dtype", np.dtype(object)).kind != "f" or bool(np.isfinite(value).all())


def picture(reading: Reading, root: Scope, depth: int) -> Picture:
    """The whole graph, with modules opened down to some depth, and in `insides` what is in the closed ones."""
    whole = Model(reading, root, depth).picture
    for output in reading.graph.outputs:
        if not output.node and not whole.boxes:  # a leaf that nothing was computed from
            whole.boxes.append(Model(reading, Scope("", "", 0, 0), 0).leaf(output, output))
    closed = sum(box.kind == "module" for box in whole.boxes)
    whole.summary = (f"Graph of {len(reading.graph.nodes)} operations and {len(reading.graph.leaves)} leaves"
                     + (f", {closed} modules closed" if closed else ""))
    whole.insides = reading.insides
    return whole


class Model:
    """The picture of one scope: the whole graph, or what is in one module.

    Args:
        reading: of the graph.
        root: the tree of calls.
        depth: how many levels of modules to open.
    """

    def __init__(self, reading: Reading, root: Scope, depth: int) -> None:
        self.reading, self.graph, self.names = reading, reading.graph, reading.names
        self.parameters, self.only_output = reading.parameters, reading.only_output
        self.nodes = list(root.nodes())
        self.inside = set(self.nodes)
        self.picture = Picture(downward=True, summary=f"{root.path} {root.kind}")
        self.box_of: dict[Any, int] = {}
        self._draw(root, depth)
        self._wires()

    # Boxes, in topological order

    def _draw(self, scope: Scope, depth: int) -> list[int]:
        members: list[int] = []
        for item in fold(scope, depth > 0):
            if isinstance(item, Node):
                if item in self.reading.views:
                    continue
                if self._is_picked(item):  # its operation may stand in a closed module
                    self.box_of[item] = self.box_of[item.parents[0]]
                else:
                    leaves = self._leaves([item], closed=False)
                    members += [i for i in leaves if not scope.path or self.picture.boxes[i].kind == "parameter"]
                    members.append(self._operation(item))
            elif isinstance(item, Scope) and depth > 0:
                cluster = Cluster(f"{text.shorten(item.path)} {item.kind}", [])
                self.picture.clusters.append(cluster)
                cluster.members = self._draw(item, depth - 1)
                members += cluster.members
            else:
                self._leaves(item.nodes(), closed=True)
                members.append(self._module(item))
        return members

    def _add(self, vertex: Any, box: Box) -> int:
        self.box_of[vertex] = len(self.picture.boxes)
        self.picture.boxes.append(box)
        return self.box_of[vertex]

    def _is_drawn(self, thing: Any) -> bool:
        """Whether an argument of a visible operation has a box as an input: what comes from outside has."""
        if isinstance(thing, (Node, Tensor)):
            return thing not in self.inside
        return thing is not None and (self.reading.constants or id(thing) in self.names)

    def _is_picked(self, node: Node) -> bool:
        return node.name == "output" and node.parents[0] in self.only_output

    def _leaves(self, nodes: Iterable[Node], closed: bool) -> list[int]:
        """The boxes of leaves and constants that appear first here; a closed module keeps its own inside."""
        added = []
        for node in nodes:
            for _, vertex, thing in self.reading.arguments(node):
                hidden = closed and id(thing) in self.parameters
                if self._is_drawn(thing) and not hidden and vertex not in self.box_of:
                    added.append(self._add(vertex, self.leaf(vertex, thing)))
        return added

    def leaf(self, vertex: Any, thing: Any) -> Box:
        """The box of a leaf, a constant, or a result from outside."""
        constant, own = not isinstance(thing, (Node, Tensor)), id(thing) in self.parameters
        name = self.names.get(id(thing)) or (
            "constant" if constant else thing.name if isinstance(thing, Node) else "input")
        box = Box("parameter" if own else "constant" if constant else "input", text.shorten(name, 34))
        gradient = self.graph.gradients.get(vertex)
        self._fill(box, thing, self.reading.value(vertex, thing), gradient)
        if gradient is not None and not box.alarm and isinstance(thing, Tensor):
            box.alarm = health.gradient_alarm(health.summarize(gradient).rms, self.reading.usual)
        box.note = f"{name}, {box.note}"
        return box

    def _operation(self, node: Node) -> int:
        values, gradients = self.graph.values, self.graph.gradients
        inside = folded(node, self.names)
        label = output_name(node) if node.name == "output" else node.name
        if inside or node.name in ("getitem", "power_of_number"):
            label = f"{node.name.removesuffix('_of_number')} {notation.sign(node.name, node.options, inside)}"
        shown = self.only_output.get(node, node)  # whose value it shows
        name = self.names.get(id(shown), "")
        box = Box("operation", text.shorten(label, 34), name=name if name != label else "")
        if shown.shape is None:
            box.lines = (f"{len(values[node])} results",)
        else:
            self._fill(box, shown, values[shown], gradients.get(shown))
            box.alarm = box.alarm or health.saturation(node.name, values[shown])
        box.note = f"{label}, {box.note}"
        where = self.box_of[shown] = self._add(node, box)
        return where

    def _module(self, item: "Scope | Repeats") -> int:
        nodes = list(item.nodes())
        calls = item.calls if isinstance(item, Repeats) else [item]
        label = calls[0].path if len(calls) == 1 else f"{calls[0].path} … {calls[-1].path} × {len(calls)}"
        box = Box("module", text.shorten(label, 40), link=f"{calls[0].path}@{calls[0].first}")
        self.reading.insides[box.link] = Model(self.reading, calls[0], readable_depth(calls[0])).picture
        last = next((node for node in reversed(nodes) if node.shape is not None), nodes[-1])
        if last.shape is not None:
            self._fill(box, last, self.graph.values[last], self.graph.gradients.get(last))
        own = {id(p): p for node in nodes for p in node.parents if p is not None and id(p) in self.parameters}
        parameters = f", {sum(p.array.size for p in own.values()):,} parameters" if own else ""
        box.lines = (calls[0].kind, f"{len(nodes)} operation{'s' * (len(nodes) > 1)}{parameters}", *box.lines)
        for node in nodes:
            if not box.alarm and node.shape is not None:
                value = self.graph.values[node]
                box.alarm = self._bad(node, value, node.name) or health.saturation(node.name, value)
        box.note = f"{label}, {', '.join(box.lines[:2])}, {box.note}"
        where = self._add(("module", id(item)), box)
        self.box_of.update(dict.fromkeys(nodes, where))
        return where

    def _fill(self, box: Box, thing: Any, value: Any, gradient: Any) -> None:
        """Shape, dtype and the statistics of value and gradient."""
        value = np.asarray(value)
        box.lines = (f"{text.shape(value.shape)}  {value.dtype}",)
        summary = health.summarize(value)
        box.value, box.value_bars, box.alarm = summary.text, summary.bars, self._bad(thing, value)
        if gradient is None:
            box.gradient = "–"
        else:
            of_gradient = health.summarize(gradient)
            box.gradient, box.gradient_bars = of_gradient.text, of_gradient.bars
            if of_gradient.alarm and not box.alarm:
                box.alarm = f"gradient: {of_gradient.alarm}"
        box.note = f"{box.lines[0]}, value {box.value}, " + (
            "no gradient" if gradient is None else f"gradient {box.gradient}")

    def _bad(self, thing: Any, value: Any, where: str = "") -> str:
        """NaN or infinity, the first of them pointed out."""
        if _finite(value):
            return ""
        alarm = health.summarize(value).alarm + (f" in {where}" if where else "")
        return f"first bad value: {alarm}" if id(thing) == self.reading.first_bad else alarm

    # Wires

    def _wires(self) -> None:
        seen = set()
        for node in self.nodes:
            if node in self.reading.views and node not in self.box_of:
                continue
            target = self.box_of[node]
            for i, vertex, _ in self.reading.arguments(node):
                source = self.box_of.get(vertex)
                # A leaf that a closed module reads may be drawn later, where another operation reads it too.
                if source is not None and source < target and (source, target) not in seen:
                    seen.add((source, target))
                    self.picture.wires.append(Wire(source, target, argument=i))
