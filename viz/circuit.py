"""A graph of scalars (and small tensors) as a circuit: every value and every gradient on its wire.

The figure of the CS231n notes: inputs at the left, an operation is a gate, the forward value stands above the wire
that leaves it and the gradient below.
"""

from typing import Any

import numpy as np

from autograd import Graph, Node
from viz import notation, text
from viz.names import Names
from viz.picture import Box, Picture, Wire

NONE = "–"
"""Where there is no gradient."""


class Circuit:
    """A Graph as a Picture, and which box stands for what."""

    def __init__(self, graph: Graph, names: Names) -> None:
        self.graph, self.names = graph, names
        self.picture = Picture()
        self.box_of: dict[Any, int] = {}
        self.anonymous = 0
        for node in graph.nodes:
            self._gate(node)
        for output in graph.outputs:
            self._output(output)
        self._contributions()
        gates = sum(box.kind == "gate" for box in self.picture.boxes)
        self.picture.summary = f"Circuit of {gates} gates and {len(graph.leaves)} inputs"

    def _gate(self, node: Node) -> None:
        boxes, wires, values = self.picture.boxes, self.picture.wires, self.graph.values
        folded = self.folded(node)
        sources = [(i, self._source(node, i, parent)) for i, parent in enumerate(node.parents) if i not in folded]
        value = values[node]
        box = Box("gate", notation.sign(node.name, node.options, folded), name=self.names.get(id(node), ""))
        if node.name == "output":
            box.label = self._output_field(node)
        if node.shape is not None:
            box.value, box.gradient = text.values(value), self._gradient(node)
        box.note = _note(box, node.name, value, self.graph.gradients.get(node))
        self.box_of[node] = len(boxes)
        boxes.append(box)
        wires.extend(Wire(source, self.box_of[node], argument=i) for i, source in sources)

    def folded(self, node: Node) -> dict[int, float]:
        """The constant that is written into the gate: a number without a name, beside one argument."""
        if len(node.parents) != 2 or not notation.takes_number(node.name):
            return {}
        return {i: float(c) for i, (c, parent) in enumerate(zip(node.args, node.parents, strict=True))
                if parent is None and id(c) not in self.names and np.size(c) == 1}

    def _source(self, node: Node, i: int, parent: Any) -> int:
        vertex = node.args[i] if parent is None else parent
        where = ("constant", id(vertex)) if parent is None else parent
        if where not in self.box_of:
            self.box_of[where] = self._input(vertex, self.names.get(id(vertex), ""), parent)
        return self.box_of[where]

    def _input(self, vertex: Any, name: str, leaf: Any) -> int:
        if not name:
            self.anonymous += 1
            name = f"input {self.anonymous}" if leaf is not None else "constant"
        value = vertex if leaf is None else self.graph.values[leaf]
        box = Box("input" if leaf is not None else "constant", name, value=_values(value),
                  gradient=NONE if leaf is None else self._gradient(leaf))
        box.note = _note(box, name, value, None if leaf is None else self.graph.gradients.get(leaf))
        self.picture.boxes.append(box)
        return len(self.picture.boxes) - 1

    def _output(self, output: Any) -> None:
        vertex = output.node or output
        if vertex not in self.box_of:  # a leaf that nothing was computed from
            self.box_of[vertex] = self._input(vertex, self.names.get(id(vertex), ""), vertex)
        source = self.picture.boxes[self.box_of[vertex]]
        name, source.name = source.name, ""
        self.picture.wires.append(Wire(self.box_of[vertex], len(self.picture.boxes)))
        self.picture.boxes.append(Box("output", name if source.kind == "gate" else ""))

    def _gradient(self, vertex: Any) -> str:
        gradient = self.graph.gradients.get(vertex)
        return NONE if gradient is None else text.values(gradient)

    def _contributions(self) -> None:
        """Where a value is used several times, say on each wire what that use adds to its gradient."""
        uses: dict[int, list[Wire]] = {}
        for wire in self.picture.wires:
            uses.setdefault(wire.source, []).append(wire)
        nodes = {self.box_of[node]: node for node in self.graph.nodes}
        for source, wires in uses.items():
            if len(wires) == 1 or self.picture.boxes[source].gradient in ("", NONE):
                continue
            for wire in wires:
                if wire.target not in nodes:
                    wire.contribution = text.values(np.ones(1))
                    continue
                contribution = self.graph.contributions.get((nodes[wire.target], wire.argument))
                wire.contribution = NONE if contribution is None else text.values(contribution)

    def _output_field(self, node: Node) -> str:
        operation, i = node.parents[0].operation, node.options["index"]  # type: ignore[union-attr]
        return operation.outputs._fields[i] if operation.outputs else f"[{i}]"


def _values(value: Any) -> str:
    return text.values(value) if isinstance(value, (np.ndarray, np.generic, float, int)) else NONE


def _note(box: Box, what: str, value: Any, gradient: Any) -> str:
    """Everything about a box in one sentence, with more digits than the figure has room for."""
    parts = [f"{box.name} = {what}" if box.name else what]
    if box.value:
        parts.append(f"value {_precise(value)}")
        parts.append("no gradient" if gradient is None else f"gradient {_precise(gradient)}")
    return ", ".join(parts)


def _precise(value: Any) -> str:
    value = np.asarray(value)
    return f"{value.item():.6g}" if value.size == 1 and value.dtype.kind in "fiub" else (
        f"{value.dtype} {text.shape(value.shape)}")
