"""A graph of scalars (and small tensors) as a circuit: every value and every gradient on its wire.

The figure of the CS231n notes: inputs at the left, an operation is a gate, the forward value stands above the wire
that leaves it and the gradient below.
"""

from typing import Any

import numpy as np

from autograd import Graph, Node, Tensor
from viz import notation, steps, text
from viz.names import Names
from viz.picture import Box, Picture, Wire
from viz.recorded import arguments, folded, only_outputs, output_name

NONE = "–"
"""Where there is no gradient."""


class Circuit:
    """A Graph as a Picture, and which box stands for what."""

    def __init__(self, graph: Graph, names: Names) -> None:
        self.graph, self.names = graph, names
        self.picture = Picture()
        self.box_of: dict[Any, int] = {}
        self.anonymous = 0
        self.only_output = only_outputs(graph)
        for node in graph.nodes:
            self._gate(node)
        for output in graph.outputs:
            self._output(output)
        self._contributions()
        self.picture.steps = steps.steps(self)
        gates = sum(box.kind == "gate" for box in self.picture.boxes)
        self.picture.summary = f"Circuit of {gates} gates and {len(graph.leaves)} inputs"

    def _gate(self, node: Node) -> None:
        boxes, wires, values = self.picture.boxes, self.picture.wires, self.graph.values
        if node.name == "output" and node.parents[0] in self.only_output:
            return
        inside = folded(node, self.names)
        sources = [(i, self._source(vertex, thing))
                   for i, vertex, thing in arguments(node) if i not in inside]
        shown = self.only_output.get(node, node)  # whose value is on the wire
        box = Box("gate", notation.sign(node.name, node.options, inside), name=self.names.get(id(shown), ""))
        if node.name == "output":
            box.label = output_name(node)
        if shown.shape is not None:
            box.value, box.gradient = text.values(values[shown]), self._gradient(shown)
            box.note = _note(box, node.name, values[shown], self.graph.gradients.get(shown))
        self.box_of[node] = self.box_of[shown] = len(boxes)
        boxes.append(box)
        wires.extend(Wire(source, self.box_of[node], argument=i) for i, source in sources)

    def _source(self, vertex: Any, thing: Any) -> int:
        """The box of an argument; an input gets it when it is first used."""
        if vertex not in self.box_of:
            constant = not isinstance(thing, Tensor)
            name = self.names.get(id(thing), "")
            if not name:
                self.anonymous += not constant
                name = "constant" if constant else f"input {self.anonymous}"
            value = thing if constant else self.graph.values[thing]
            box = Box("constant" if constant else "input", name, value=_values(value), gradient=self._gradient(vertex))
            box.note = _note(box, name, value, self.graph.gradients.get(vertex))
            self.box_of[vertex] = len(self.picture.boxes)
            self.picture.boxes.append(box)
        return self.box_of[vertex]

    def _output(self, output: Any) -> None:
        vertex = output.node or output
        source = self.picture.boxes[self._source(vertex, vertex)]
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
        nodes = {self.box_of[node]: node for node in reversed(self.graph.nodes)}  # an only output stands for the whole
        for source, wires in uses.items():
            if len(wires) == 1 or self.picture.boxes[source].gradient in ("", NONE):
                continue
            for wire in wires:
                if wire.target not in nodes:
                    wire.contribution = text.values(np.ones(1))
                    continue
                contribution = self.graph.contributions.get((nodes[wire.target], wire.argument))
                wire.contribution = NONE if contribution is None else text.values(contribution)


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
