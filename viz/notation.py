"""How an operation is written: the sign in its gate, its formula, and its derivatives."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Node
from autograd.notation import Notation
from viz.text import short_number


def of(node: Node) -> Notation:
    """How the node's operation is written: by its name, if nothing shorter is known."""
    return node.operation.notation or Notation(node.name, f"{node.name}({{all}})", elementwise=False)


def sign(node: Node, constants: dict[int, float], x: str = "x") -> str:
    """What stands in the gate.

    Args:
        node: the recorded operation.
        constants: number of an argument -> the number that is written into the gate instead of being drawn as an input.
        x: what stands for the other argument, as in 1/x.
    """
    if not constants:
        return _filled(of(node).sign, node, [x], digits=4)
    [(position, c)] = constants.items()
    form, number = of(node).with_number[position == 0], short_number(c)
    if c < 0 and form in ("+{c}", "-{c}"):
        return ("-" if form[0] == "+" else "+") + number[1:]
    return form.format(c=number, x=x)


def title(node: Node, constants: dict[int, float], x: str = "x") -> str:
    """The operation by its name, with its sign where that holds a number or an index: add +1, power ^2."""
    if constants or "{exponent}" in of(node).sign or "{index}" in of(node).sign:
        return f"{node.name.removesuffix('_of_number')} {sign(node, constants, x)}"
    return node.name


def formula(node: Node, arguments: Sequence[str]) -> str:
    """The result in terms of its arguments."""
    return _filled(of(node).formula, node, arguments)


def derivative(node: Node, arguments: Sequence[str], argument: int, out: str) -> str:
    """The local derivative with respect to one argument; empty where there is no short formula."""
    forms = of(node).derivatives
    return _filled(forms[argument], node, arguments, out) if argument < len(forms) else ""


def back(node: Node, arguments: Sequence[str], argument: int, g: str) -> str:
    """What is sent back to one argument, if that is not the derivative times g; empty where there is no formula."""
    forms = of(node).back
    return _filled(forms[argument], node, arguments, g=g) if argument < len(forms) else ""


def kink(node: Node, values: Sequence[Any]) -> str:
    """What is done where there is no single derivative, if these arguments are at such a place."""
    known = of(node).kink
    if known is None:
        return ""
    test, what = known
    at = np.asarray(test(*values, **node.options))
    if not at.any():
        return ""
    return what if at.all() else f"{what} ({int(at.sum())} of {at.size})"


def _filled(form: str, node: Node, arguments: Sequence[str] = (), out: str = "", g: str = "", digits: int = 15) -> str:
    parts = {"out": out, "g": g, "all": ", ".join(map(_without_brackets, arguments)),
             **dict(zip("xy", arguments, strict=False))}
    if "{exponent}" in form:
        exponent = float(node.options["exponent"])
        parts |= {"exponent": short_number(exponent, digits), "less": short_number(exponent - 1, digits)}
    if "{index}" in form:
        parts["index"] = _index(node.options["index"])
    return form.format(**parts)


def _without_brackets(argument: str) -> str:
    """A negative number as one of several arguments."""
    return argument[1:-1] if argument.startswith("(-") else argument


def _index(parts: Any) -> str:
    """An index as it is written: [0, :, 1:3]."""
    def part(i: Any) -> str:
        if isinstance(i, slice):
            ends = [("" if v is None else str(v)) for v in (i.start, i.stop)]
            return ":".join(ends) + ("" if i.step is None else f":{i.step}")
        return "…" if i is Ellipsis else "None" if i is None else "array" if getattr(i, "ndim", 0) else str(i)
    return f"[{', '.join(part(i) for i in (parts if isinstance(parts, tuple) else (parts,)))}]"
