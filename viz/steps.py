"""The forward and the backward pass of a circuit, step by step, in the order in which the engine goes.

A step says what happens in words and numbers, and which numbers of the figure appear or change.
"""

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Node
from viz import notation, text
from viz.recorded import arguments, folded

_NUMBER = re.compile(r"\(?−?[\d.]+\)?")

if TYPE_CHECKING:
    from viz.circuit import Circuit


def steps(circuit: "Circuit") -> list[dict]:
    """All steps.

    Each is a dict: `phase` ("forward" or "backward"), `title`, `lines` (what happens), `box` (where), `wires` (on which
    wires numbers travel), `shows` (what appears: "v3" is the value of box 3, "g3" its gradient, "c5" the contribution
    on wire 5; each with its text).
    """
    return [*_forward(circuit), *_backward(circuit)]


def _forward(circuit: "Circuit") -> list[dict]:
    boxes = circuit.picture.boxes
    inputs = [i for i, box in enumerate(boxes) if box.kind in ("input", "constant")]
    found = [{"phase": "forward", "title": "The inputs are given.", "lines": [], "box": -1, "wires": [],
              "shows": {f"v{i}": boxes[i].value for i in inputs}}]
    for node, i in _gates(circuit):
        if not boxes[i].value:
            continue
        call, numbers = _formula(circuit, node, False), _formula(circuit, node, True)
        name = circuit.names.get(id(circuit.only_output.get(node, node)))
        result = f"{name} = " if name else ""
        found.append({"phase": "forward", "title": f"{result}{call}", "box": i, "wires": _entering(circuit, i),
                      "lines": [f"{numbers} = {boxes[i].value}" if numbers != call else f"= {boxes[i].value}"],
                      "shows": {f"v{i}": boxes[i].value}})
    return found


def _backward(circuit: "Circuit") -> list[dict]:
    graph, boxes = circuit.graph, circuit.picture.boxes
    wire_of = {(wire.target, wire.argument): k for k, wire in enumerate(circuit.picture.wires)}
    uses = [sum(wire.source == i for wire in circuit.picture.wires) for i in range(len(boxes))]
    total: dict[int, Any] = {}
    start = {"phase": "backward", "title": "The backward pass begins at the output.", "box": -1, "wires": [],
             "lines": ["The gradient of an output with respect to itself is 1."], "shows": {}}
    for output in graph.outputs:
        vertex = output.node or output
        i = circuit.box_of[vertex]
        total[i] = total.get(i, 0) + np.ones_like(graph.values[vertex])
        start["shows"][f"g{i}"] = text.values(total[i])
        start["shows"].update({f"c{k}": wire.contribution for k, wire in enumerate(circuit.picture.wires)
                               if boxes[wire.target].kind == "output" and wire.source == i})
    found = [start]
    for node, i in reversed(list(_gates(circuit))):
        if node not in graph.gradients or not boxes[i].value:
            continue
        step = {"phase": "backward", "title": f"Back through {_formula(circuit, node, False)}", "box": i, "wires": [],
                "lines": [f"Upstream gradient: {boxes[i].gradient}"], "shows": {}}
        for k, vertex, _ in arguments(node):
            contribution = graph.contributions.get((node, k))
            if contribution is None or vertex not in circuit.box_of:
                continue
            source, wire = circuit.box_of[vertex], wire_of[i, k]
            line = _product(circuit, node, k, contribution)
            before = total.get(source)
            total[source] = contribution if before is None else before + contribution
            if uses[source] > 1:
                step["shows"][f"c{wire}"] = text.values(contribution)
                if before is not None:
                    line += (f"; added to what came before: {text.values(before)} + "
                             f"{_bracketed(text.values(contribution))} = {text.values(total[source])}")
            step["lines"].append(line)
            step["wires"].append(wire)
            step["shows"][f"g{source}"] = text.values(total[source])
        found.append(step)
    return found


def _gates(circuit: "Circuit") -> list[tuple[Node, int]]:
    """The nodes that have a box of their own, in order."""
    seen, gates = set(), []
    for node in circuit.graph.nodes:
        i = circuit.box_of[node]
        if i not in seen:
            seen.add(i)
            gates.append((node, i))
    return gates


def _entering(circuit: "Circuit", box: int) -> list[int]:
    return [k for k, wire in enumerate(circuit.picture.wires) if wire.target == box]


def _arguments(circuit: "Circuit", node: Node, as_numbers: bool) -> list[str]:
    """Each argument by its name, or its value if it has none or if numbers are asked for."""
    inside, texts = folded(node, circuit.names), []
    for k, vertex, thing in arguments(node):
        if k in inside:
            texts.append(_bracketed(text.short_number(inside[k])))
            continue
        name = circuit.names.get(id(thing))
        texts.append(name if name and not as_numbers
                     else _bracketed(circuit.picture.boxes[circuit.box_of[vertex]].value))
    return texts


def _formula(circuit: "Circuit", node: Node, as_numbers: bool) -> str:
    if node.name == "output":
        return f"part {node.options['index']} of the result of {node.parents[0].name}"  # type: ignore[union-attr]
    return notation.formula(node.name, node.options, _arguments(circuit, node, as_numbers))


def _bracketed(number: str) -> str:
    return f"({number})" if number.startswith("−") else number


def _local_derivative(circuit: "Circuit", node: Node, k: int) -> Any:
    """What a gradient of one would send back, where one number an element says it; None where nothing can be said."""
    if node.shape is None:  # several outputs, each with a gradient of its own
        return None
    ones = np.ones_like(circuit.graph.values[node])
    local = circuit.graph.pull_back(node, ones).get(k)
    if isinstance(local, dict):
        return None
    fits = ones.size == 1 or (notation.elementwise(node.name) and ones.shape == np.shape(local))
    return local if fits else None


def _product(circuit: "Circuit", node: Node, k: int, contribution: Any) -> str:
    """Local derivative × upstream gradient = contribution, with the formula."""
    names, inside = _arguments(circuit, node, False), folded(node, circuit.names)
    free = iter("xyzuvwabcdefghijk" * len(names))
    letters = [name if i in inside or not _is_number(name) else next(free) for i, name in enumerate(names)]
    box = circuit.picture.boxes[circuit.box_of[node]]
    rule = notation.derivative(node.name, node.options, letters, k, _bracketed(box.value))
    local, product = _local_derivative(circuit, node, k), text.values(contribution)
    if local is None and not rule:
        return f"To {names[k]}: {product}, by the rule of {node.name}"
    known = [rule] * bool(rule)
    if local is not None:
        known = [*([] if _NUMBER.fullmatch(rule) else known), text.values(local)]
    derivative = f"∂({notation.formula(node.name, node.options, letters)})/∂{letters[k]} = {' = '.join(known)}"
    return f"{derivative}; times upstream: {_bracketed(known[-1])} × {_bracketed(box.gradient)} = {product}"


def _is_number(name: str) -> bool:
    return name.strip("(−")[:1].isdigit() or name[:1] == "["
