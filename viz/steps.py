"""The forward and the backward pass, step by step, in the order in which the engine goes.

A step says what happens in words and numbers, and which numbers of the figure appear or change.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Node
from viz import arithmetic, notation, text
from viz.arithmetic import Operand
from viz.circuit import Circuit
from viz.picture import OUTPUT, Picture, Step
from viz.reading import arguments, is_constant
from viz.scopes import is_pick

_NUMBER = re.compile(r"-?[\d.]+")


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
        call = _formula(circuit, node)
        name = circuit.called(circuit.reading.shown(node))
        recorded = " (in the recorded backward pass)" if node in circuit.backward else ""
        yield Step("forward", (f"{name} = {call}" if name else call) + recorded, [_in_numbers(circuit, node, call)],
                   i, circuit.picture.entering(i), {f"v{i}": boxes[i].value})


def _in_numbers(circuit: Circuit, node: Node, call: str) -> str:
    """The formula with its numbers, in as many digits as make it come out."""
    def compute(*arrays: Any) -> Any:
        given = [np.asarray(array).astype(np.float64) if np.asarray(array).dtype.kind == "f" else array
                 for array in arrays]
        return node.operation.forward(*given, **node.options)
    result = circuit.reading.value(circuit.reading.shown(node))
    if is_pick(node) or not node.operation.notation or node.shape is None:
        return f"= {text.values(result)}"
    operands = [Operand(circuit.reading.value(origin), k in circuit.reading.folded(node))
                for k, origin in arguments(node)]
    printed = arithmetic.comes_out(compute, operands, result)
    numbers = notation.formula(node, _as_matrices(printed.operands) if node.name == "matmul" else printed.operands)
    return f"{numbers} {printed.result}" if numbers != call else printed.result


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
        step = Step("backward", f"Back through {_formula(circuit, node)}",
                    [f"Upstream gradient: {boxes[i].gradient}"], i)
        for k, origin in arguments(node):
            contribution = graph.contributions.get((node, k))
            if contribution is None or id(origin) not in circuit.box_of:
                continue
            source, wire = circuit.box_of[id(origin)], wire_of[i, k]
            line = _sent_back(circuit, node, k, contribution)
            before = total.get(source)
            total[source] = contribution if before is None else before + contribution
            if uses[source] > 1:
                step.shows[f"c{wire}"] = wires[wire].contribution
                if before is not None:
                    printed = arithmetic.comes_out(np.add, [Operand(before), Operand(contribution)], total[source])
                    line += f"; added to what came before: {' + '.join(printed.operands)} {printed.result}"
            step.lines.append(line)
            step.wires.append(wire)
            step.shows[f"g{source}"] = text.values(total[source])
        yield step


def _gates(circuit: Circuit) -> Iterator[tuple[Node, int]]:
    """The nodes that have a box of their own, in order."""
    return ((node, circuit.box_of[id(node)]) for node in circuit.graph.nodes if not circuit.reading.has_no_box(node))


def _names(circuit: Circuit, node: Node) -> list[str]:
    """What each argument is called; a constant without a name is its number, if that is short, or None."""
    inside, names = circuit.reading.folded(node), []
    for k, origin in arguments(node):
        if k in inside or (not circuit.called(origin) and is_constant(origin) and Operand(origin).is_exact):
            names.append(Operand(origin, k in inside).text())
        else:
            names.append("None" if origin is None else circuit.called(origin) or circuit.reading.label(origin))
    return names


def _formula(circuit: Circuit, node: Node) -> str:
    if is_pick(node):
        return f"part {node.options['index']} of the result of {node.parents[0].name}"
    return notation.formula(node, _names(circuit, node))


def _sent_back(circuit: Circuit, node: Node, k: int, contribution: Any) -> str:
    """How the gradient of one argument follows from that of the result: in a formula and in numbers."""
    names, values = _names(circuit, node), [circuit.reading.value(origin) for _, origin in arguments(node)]
    upstream = circuit.graph.gradients[node]
    kink = notation.kink(node, values)
    remark = f" ({kink})" if kink else ""
    way = notation.back(node, names, k, "upstream")
    if " @ " in way and any(np.ndim(value) > 1 for value in values):
        return f"To {names[k]}: {way}{_of_matrices(node, k, values, upstream, contribution)}"
    local = _local_derivative(circuit, node, k, values, contribution)
    if local is None:
        return f"To {names[k]}: {way or f'by the rule of {node.name}'}{remark} = {text.values(contribution)}"
    if not notation.of(node).elementwise:
        upstream = np.reshape(upstream, ())
    product, summed, digits = local * upstream, "", 2
    if np.shape(product) != np.shape(contribution):
        total = arithmetic.comes_out(lambda terms: _summed(terms, np.shape(contribution)), [Operand(product)],
                                     contribution)
        summed, digits = f", summed over what broadcasting repeated {total.result}", total.digits
    printed = arithmetic.comes_out(np.multiply, [Operand(local), Operand(upstream)], product, digits)
    rule = notation.derivative(node, names, k, circuit.called(circuit.reading.shown(node)))
    known = [*([rule] if rule and not _NUMBER.fullmatch(rule) else []), text.values(local, printed.digits)]
    by = names[k] if names.count(names[k]) == 1 else f"({_ordinal(names[:k + 1].count(names[k]))} {names[k]})"
    return (f"∂({notation.formula(node, names)})/∂{by} = {' = '.join(known)}{remark}; "
            f"times upstream: {' * '.join(printed.operands)} {printed.result}{summed}")


def _ordinal(n: int) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(n, f"{n}th")


def _summed(product: Any, shape: tuple[int, ...]) -> Any:
    """The sum over the axes that broadcasting stretched."""
    lead = product.ndim - len(shape)
    stretched = [lead + i for i, n in enumerate(shape) if n == 1]
    return product.sum(axis=(*range(lead), *stretched)).reshape(shape)


def _local_derivative(circuit: Circuit, node: Node, k: int, values: list[Any], contribution: Any) -> Any:
    """What a gradient of one would send back, where one number an element says it; None where nothing can be said."""
    if node.shape is None:  # several outputs, each with a gradient of its own
        return None
    upstream, ones = circuit.graph.gradients[node], np.ones_like(circuit.graph.values[node])
    if notation.of(node).elementwise and node.operation.vjps:  # before broadcasting is undone
        local = node.operation.vjps[k](ones, circuit.graph.values[node], *values, **node.options)
        if np.shape(local) != ones.shape:
            return None
        sent = _summed(local * upstream, np.shape(contribution))
    elif ones.size == 1:
        local = circuit.graph.pull_back(node, ones).get(k)
        if local is None or isinstance(local, dict):
            return None
        sent = local * np.reshape(upstream, ())
    else:
        return None
    # A branch that was not taken sends 0 back, whatever arrives; a product would not.
    precision = 1e-2 if sent.dtype.itemsize == 2 else 1e-4
    return local if np.allclose(sent, contribution, precision, precision * 1e-3, equal_nan=True) else None


def _of_matrices(node: Node, k: int, values: list[Any], upstream: Any, contribution: Any) -> str:
    """The product of matrices that is sent back: in numbers, if there is room; with a word on what is summed."""
    x, y = values
    if x.ndim > 2 or y.ndim > 2:
        stacked = np.broadcast_shapes(x.shape[:-2], y.shape[:-2]) != values[k].shape[:-2]
        return f"{', summed over the stack' if stacked else ''} = {text.values(contribution)}"
    rows, columns = x.reshape(-1, x.shape[-1]), y.reshape(y.shape[0], -1)
    matrices = {"{x}": rows, "{y}": columns, "{g}": upstream.reshape(len(rows), columns.shape[1])}
    factors = [matrices[form.removesuffix("ᵀ")].T if form.endswith("ᵀ") else matrices[form]
               for form in notation.of(node).back[k].split(" @ ")]
    printed = arithmetic.comes_out(np.matmul, list(map(Operand, factors)),
                                   np.reshape(contribution, (rows, columns)[k].shape))
    if not all(text.is_printed(factor) for factor in factors):
        return f" {printed.result}"
    return f" = {' @ '.join(_as_matrices(printed.operands))} {printed.result}"


def _as_matrices(operands: list[str]) -> list[str]:
    """In brackets, also those of one element."""
    return [operand if operand.startswith("[") or "," in operand else f"[{operand.strip('()')}]"
            for operand in operands]
