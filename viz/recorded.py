"""Readings of a Graph that both styles need."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Graph, Node
from viz import notation


def arguments(node: Node) -> Iterator[tuple[int, Any, Any]]:
    """(number, vertex, thing): where each argument came from, and the object it is named by.

    The vertex is a Node, a leaf Tensor, or ("constant", id); the thing is the Node, the Tensor or the constant.
    """
    for i, (arg, parent) in enumerate(zip(node.args, node.parents, strict=True)):
        if parent is None:
            yield i, ("constant", id(arg)), arg
        else:
            yield i, parent, parent


def folded(node: Node, names: dict[int, str]) -> dict[int, float]:
    """The constant that is written into the gate, as in +1 and 1/x: a number without a name, beside one argument."""
    if len(node.parents) != 2 or not notation.takes_number(node.name):
        return {}
    return {i: float(thing) for i, vertex, thing in arguments(node)
            if isinstance(vertex, tuple) and id(thing) not in names and np.size(thing) == 1}


def only_outputs(graph: Graph) -> dict[Node, Node]:
    """Operations with several outputs of which one is used -> the Node that picks it: drawn as one box."""
    picked: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        if node.name == "output":
            picked.setdefault(node.parents[0], []).append(node)  # type: ignore[arg-type]
    return {whole: picks[0] for whole, picks in picked.items() if len(picks) == 1}


def output_name(pick: Node) -> str:
    """What an operation with several outputs calls this one."""
    operation, i = pick.parents[0].operation, pick.options["index"]  # type: ignore[union-attr]
    return operation.outputs._fields[i] if operation.outputs else f"output {i}"
