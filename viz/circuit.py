"""A graph of scalars (and small tensors) as a circuit: every value and every gradient on its wire.

The figure of the CS231n notes: inputs at the left, an operation is a gate, the forward value stands above the wire
that leaves it and the gradient below.
"""

import functools
from typing import Any

import numpy as np

from autograd import Node, Tensor
from viz import names, notation, scopes, text
from viz.arithmetic import Operand, comes_out
from viz.diagnosis import diagnose
from viz.picture import CIRCUIT, CONSTANT, GATE, INPUT, OUTPUT, Box, Picture, Wire
from viz.reading import Reading, arguments, is_constant, output_name
from viz.scopes import is_pick


class Circuit:
    """A Graph as a Picture, and which box stands for what.

    Attributes:
        reading: of the graph.
        picture: what is drawn, without steps.
        letters: id of a result without a name -> what formulas call it.
        box_of: id of an origin -> index of its box.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading, self.graph = reading, reading.graph
        self.picture = Picture(CIRCUIT)
        self.box_of: dict[int, int] = {}
        self.letters = self._letters()
        passes = scopes.calls(self.graph.nodes, {})  # of modules there is no name here
        self.backward = {node for node in self.graph.nodes if any(p.first < node.birth <= p.last for p in passes)}
        for node in self.graph.nodes:
            self._gate(node)
        for output in self.graph.outputs:
            self._output(output.node or output)
        self._contributions()
        self._warn()
        gates = sum(box.kind is GATE for box in self.picture.boxes)
        of_backward = sum(box.backward for box in self.picture.boxes)
        self.picture.summary = f"Circuit of {gates} gates and {len(self.graph.leaves)} inputs"
        if of_backward:
            self.picture.summary += f"; {of_backward} gates, dashed, are of a backward pass"
        self.picture.summary += next((f"; {box.label}: {box.alarm}" for box in self.picture.boxes if box.born), "")

    def _letters(self) -> dict[int, str]:
        """What formulas call the results that have no name but are read, by their ids: each its own letter."""
        read: set[int] = set()
        for node in self.graph.nodes:
            read.update(id(origin) for _, origin in arguments(node) if isinstance(origin, Node))
            if any("{out}" in form for form in notation.of(node).derivatives):
                read.add(id(self.reading.shown(node)))
        free = names.letters(self.reading.names.values())
        return {id(node): next(free) for node in self.graph.nodes
                if id(node) in read and node.shape is not None and not self.reading.name(node)}

    def called(self, origin: Any) -> str:
        """The name or the letter of a value; empty if it has neither."""
        return self.reading.name(origin) or self.letters.get(id(origin), "")

    def _gate(self, node: Node) -> None:
        if self.reading.has_no_box(node):
            return
        inside, shown = self.reading.folded(node), self.reading.shown(node)
        sources = [(i, self._source(origin)) for i, origin in arguments(node) if i not in inside and origin is not None]
        box = Box(GATE, output_name(node) if is_pick(node) else notation.sign(node, inside, self.reading.x),
                  self.reading.name(shown))
        box.backward = node in self.backward
        if shown.shape is not None:
            self._fill(box, node.name, shown)
        self.box_of[id(node)] = self.box_of[id(shown)] = self.picture.add(box)
        for i, source in sources:
            wire = Wire(source, self.box_of[id(node)], argument=i)
            self.picture.wires.append(wire)
            self.reading.uses[id(wire)] = [(node, i)]

    def _source(self, origin: Any) -> int:
        """The box of an argument; an input gets it when it is first used."""
        if id(origin) not in self.box_of:
            kind, name = CONSTANT if is_constant(origin) else INPUT, self.reading.label(origin)
            box = Box(kind, name)
            self._fill(box, name, origin)
            self.box_of[id(origin)] = self.picture.add(box)
        return self.box_of[id(origin)]

    def _fill(self, box: Box, what: str, origin: Any) -> None:
        """Value and gradient; and everything in one sentence, with more digits than the figure has room for."""
        value, gradient = self.reading.value(origin), self.reading.gradient(origin)
        self.reading.locate(box, origin)
        box.value = text.values(value if isinstance(value, (np.ndarray, np.generic, float, int)) else None)
        box.gradient = text.values(gradient)
        name = box.name or self.letters.get(id(origin))
        box.note = (f"{name} = {what}" if name else what) + f", value {_precise(value)}, " + (
            "no gradient" if gradient is None else f"gradient {_precise(gradient)}")

    def _output(self, vertex: Node | Tensor) -> None:
        source = self._source(vertex)
        box = self.picture.boxes[source]
        name, box.name = box.name, ""
        self.picture.wires.append(Wire(source, self.picture.add(Box(OUTPUT, "" if box.kind.given else name))))

    def _warn(self) -> None:
        """Mark where a number stops being finite; of so small a graph no more can be said."""
        numbers = [*self.graph.values.values(), *self.graph.gradients.values()]
        if all(np.isfinite(number).all() for number in numbers if isinstance(number, (np.ndarray, np.generic))):
            return
        findings = diagnose(self.graph).findings
        for box in self.picture.boxes:
            finding = findings.get(id(self.reading.origin_of.get(id(box))))
            if finding:
                box.alarm, box.born, box.follows = str(finding), finding.born, finding.follows
                box.note += f", {finding}"

    def _contributions(self) -> None:
        """Where a value is used several times, say on each wire what that use adds to its gradient, so that it adds
        up as printed."""
        uses: dict[int, list[Wire]] = {}
        for wire in self.picture.wires:
            uses.setdefault(wire.source, []).append(wire)
        nodes = {self.box_of[id(node)]: node for node in reversed(self.graph.nodes)}  # the whole, not its only output
        for source, wires in uses.items():
            if len(wires) == 1 or self.picture.boxes[source].gradient in ("", text.NONE):
                continue
            sent = [1.0 if wire.target not in nodes else  # an output's own gradient
                    self.graph.contributions.get((nodes[wire.target], wire.argument)) for wire in wires]
            terms = [Operand(share) for share in sent if share is not None]
            total = functools.reduce(np.add, [term.value for term in terms])
            digits = comes_out(lambda *shares: functools.reduce(np.add, shares), terms, total).digits
            for wire, share in zip(wires, sent, strict=True):
                wire.contribution = text.values(share, digits)


def _precise(value: Any) -> str:
    value = np.asarray(value)
    return f"{value.item():.6g}" if value.size == 1 and value.dtype.kind in "fiub" else (
        f"{value.dtype} {text.shape(value.shape)}")
