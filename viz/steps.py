"""The forward and the backward pass, step by step, in the order in which the engine goes.

A step says what happens in words and numbers, and which numbers of the figure appear or change.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Node
from viz import notation, text
from viz.circuit import Circuit
from viz.picture import OUTPUT, Picture, Step
from viz.reading import arguments, is_pick

_NUMBER = re.compile(r"\(?−?[\d.]+\)?")


def of_circuit(circuit: Circuit) -> list[Step]:
    """Every gate in turn, with its formula and its derivatives in numbers."""
    return [*_forward(circuit), *_backward(circuit)]


def of_model(picture: Picture) -> list[Step]:
    """Forward and back through the boxes of a model, whose texts say it all."""
    boxes = picture.boxes
    given = [i for i, box in enumerate(boxes) if box.kind.given]
    made = [i for i, box in enumerate(boxes) if not box.kind.given]
    steps = [Step("forward", "Inputs and parameters are given.", shows={f"v{i}": boxes[i].value for i in given})]
    steps += [Step("forward", boxes[i].label, [*boxes[i].lines, f"value {boxes[i].value}"], i, picture.entering(i),
                   {f"v{i}": boxes[i].value}) for i in made]
    for i in reversed(made):
        wires = picture.entering(i)
        shown = [i, *(source for k in wires if boxes[source := picture.wires[k].source].kind.given)]
        steps.append(Step("backward", f"Back through {boxes[i].label}",
                          [f"gradient of the result: {boxes[i].gradient}"], i, wires,
                          {f"g{k}": boxes[k].gradient for k in shown}))
    return steps


def _forward(circuit: Circuit) -> Iterator[Step]:
    boxes = circuit.picture.boxes
    yield Step("forward", "The inputs are given.",
               shows={f"v{i}": box.value for i, box in enumerate(boxes) if box.kind.given})
    for node, i in _gates(circuit):
        if not boxes[i].value:
            continue
        call, numbers = _formula(circuit, node, False), _formula(circuit, node, True)
        name = circuit.reading.name(circuit.reading.shown(node))
        yield Step("forward", f"{name} = {call}" if name else call,
                   [f"{numbers} = {boxes[i].value}" if numbers != call else f"= {boxes[i].value}"],
                   i, circuit.picture.entering(i), {f"v{i}": boxes[i].value})


def _backward(circuit: Circuit) -> Iterator[Step]:
    graph, boxes, wires = circuit.graph, circuit.picture.boxes, circuit.picture.wires
    wire_of = {(wire.target, wire.argument): k for k, wire in enumerate(wires)}
    uses = Counter(wire.source for wire in wires)
    total: dict[int, Any] = {}
    start = Step("backward", "The backward pass begins at the output.",
                 ["The gradient of an output with respect to itself is 1."])
    for output in graph.outputs:
        vertex = output.node or output
        i = circuit.box_of[id(vertex)]
        total[i] = total.get(i, 0) + np.ones_like(graph.values[vertex])
        start.shows[f"g{i}"] = text.values(total[i])
        start.shows.update({f"c{k}": wire.contribution for k, wire in enumerate(wires)
                            if boxes[wire.target].kind is OUTPUT and wire.source == i})
    yield start
    for node, i in reversed(list(_gates(circuit))):
        if node not in graph.gradients or not boxes[i].value:
            continue
        step = Step("backward", f"Back through {_formula(circuit, node, False)}",
                    [f"Upstream gradient: {boxes[i].gradient}"], i)
        for k, origin in arguments(node):
            contribution = graph.contributions.get((node, k))
            if contribution is None or id(origin) not in circuit.box_of:
                continue
            source, wire = circuit.box_of[id(origin)], wire_of[i, k]
            line = _product(circuit, node, k, contribution)
            before = total.get(source)
            total[source] = contribution if before is None else before + contribution
            if uses[source] > 1:
                step.shows[f"c{wire}"] = text.values(contribution)
                if before is not None:
                    line += (f"; added to what came before: {text.values(before)} + "
                             f"{_bracketed(text.values(contribution))} = {text.values(total[source])}")
            step.lines.append(line)
            step.wires.append(wire)
            step.shows[f"g{source}"] = text.values(total[source])
        yield step


def _gates(circuit: Circuit) -> Iterator[tuple[Node, int]]:
    """The nodes that have a box of their own, in order."""
    return ((node, circuit.box_of[id(node)]) for node in circuit.graph.nodes if not circuit.reading.has_no_box(node))


def _arguments(circuit: Circuit, node: Node, as_numbers: bool) -> list[str]:
    """Each argument by its name, or its value if it has none or if numbers are asked for."""
    inside, texts = circuit.reading.folded(node), []
    for k, origin in arguments(node):
        name = "" if as_numbers else circuit.reading.name(origin)
        number = (text.short_number(inside[k]) if k in inside
                  else circuit.picture.boxes[circuit.box_of[id(origin)]].value)
        texts.append(name or _bracketed(number))
    return texts


def _formula(circuit: Circuit, node: Node, as_numbers: bool) -> str:
    if is_pick(node):
        return f"part {node.options['index']} of the result of {node.parents[0].name}"
    return notation.formula(node, _arguments(circuit, node, as_numbers))


def _bracketed(number: str) -> str:
    return f"({number})" if number.startswith("−") else number


def _local_derivative(circuit: Circuit, node: Node, k: int) -> Any:
    """What a gradient of one would send back, where one number an element says it; None where nothing can be said."""
    if node.shape is None:  # several outputs, each with a gradient of its own
        return None
    ones = np.ones_like(circuit.graph.values[node])
    local = circuit.graph.pull_back(node, ones).get(k)
    if local is None or isinstance(local, dict):
        return None
    fits = ones.size == 1 or (notation.of(node).elementwise and ones.shape == np.shape(local))
    return local if fits else None


def _product(circuit: Circuit, node: Node, k: int, contribution: Any) -> str:
    """Local derivative × upstream gradient = contribution, with the formula."""
    names, inside = _arguments(circuit, node, False), circuit.reading.folded(node)
    free = iter("xyzuvwabcdefghijk" * len(names))
    letters = [name if i in inside or not _is_number(name) else next(free) for i, name in enumerate(names)]
    box = circuit.picture.boxes[circuit.box_of[id(node)]]
    rule = notation.derivative(node, letters, k, _bracketed(box.value))
    local, product = _local_derivative(circuit, node, k), text.values(contribution)
    if local is None and not rule:
        return f"To {names[k]}: {product}, by the rule of {node.name}"
    known = [rule] * bool(rule)
    if local is not None:
        known = [*([] if _NUMBER.fullmatch(rule) else known), text.values(local)]
    derivative = f"∂({notation.formula(node, letters)})/∂{letters[k]} = {' = '.join(known)}"
    return f"{derivative}; times upstream: {_bracketed(known[-1])} × {_bracketed(box.gradient)} = {product}"


def _is_number(name: str) -> bool:
    return name.strip("(−")[:1].isdigit() or name[:1] == "["
