"""How an operation is written: the sign in its gate, its formula, and its derivatives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Node
from viz.text import short_number


@dataclass(frozen=True)
class Notation:
    """An operation on paper.

    {x} and {y} stand for its arguments, {all} for however many they are, {out} for its result; {exponent}, {less} (the
    exponent less one) and {index} for its options; {c} for a constant.

    Attributes:
        sign: what stands in the gate.
        formula: the result in terms of the arguments.
        derivatives: by each argument, as far as there are short formulas.
        with_number: the sign of x with a constant at its right, and at its left, where that makes a gate of its own.
        elementwise: element i of the result depends on element i of the arguments alone.
        flat: where the derivative is zero or nearly so, what that is called, and which elements of the result show it.
    """

    sign: str
    formula: str
    derivatives: tuple[str, ...] = ()
    with_number: tuple[str, ...] = ()
    elementwise: bool = True
    flat: tuple[str, Callable[[np.ndarray], np.ndarray]] | None = None


NOTATIONS = {
    "add": Notation("+", "{x} + {y}", ("1", "1"), ("+{c}", "+{c}")),
    "sub": Notation("−", "{x} − {y}", ("1", "−1"), ("−{c}", "{c}−x")),
    "mul": Notation("*", "{x} × {y}", ("{y}", "{x}"), ("*{c}", "*{c}")),
    "div": Notation("/", "{x} / {y}", ("1 / {y}", "−{x} / {y}²"), ("/{c}", "{c}/x")),
    "neg": Notation("*−1", "−1 × {x}", ("−1",)),
    "power": Notation("^", "{x} ^ {y}", ("{y} × {x} ^ ({y} − 1)", "{out} × ln {x}"), ("^{c}", "{c}^x")),
    "power_of_number": Notation("^{exponent}", "{x} ^ {exponent}", ("{exponent} × {x} ^ {less}",)),
    "exp": Notation("exp", "exp {x}", ("exp {x}",)),
    "log": Notation("ln", "ln {x}", ("1 / {x}",)),
    "sqrt": Notation("√", "√{x}", ("1 / (2 √{x})",)),
    "sin": Notation("sin", "sin {x}", ("cos {x}",)),
    "cos": Notation("cos", "cos {x}", ("−sin {x}",)),
    "tanh": Notation("tanh", "tanh {x}", ("1 − {out}²",), flat=("saturated", lambda out: np.abs(out) > 0.99)),
    "sigmoid": Notation("σ", "σ({x})", ("{out} × (1 − {out})",),
                        flat=("saturated", lambda out: np.abs(out - 0.5) > 0.49)),
    "relu": Notation("relu", "max(0, {x})", ("1 if {x} > 0, else 0",), flat=("zero", lambda out: out == 0)),
    "abs": Notation("|x|", "|{x}|", ("the sign of {x}",)),
    "maximum": Notation("max", "max({x}, {y})", ("1 if {x} > {y}, else 0", "1 if {y} > {x}, else 0"),
                        ("max {c}", "max {c}")),
    "minimum": Notation("min", "min({x}, {y})", ("1 if {x} < {y}, else 0", "1 if {y} < {x}, else 0"),
                        ("min {c}", "min {c}")),
    "matmul": Notation("@", "{x} @ {y}", ("{y}, transposed", "{x}, transposed"), elementwise=False),
    "sum": Notation("Σ", "Σ {x}", ("1",), elementwise=False),
    "clone": Notation("copy", "{x}", ("1",)),
    "getitem": Notation("{index}", "{x}{index}", elementwise=False),
}


def of(node: Node) -> Notation:
    """How the node's operation is written: by its name, if nothing shorter is known."""
    return NOTATIONS.get(node.name) or Notation(node.name, f"{node.name}({{all}})", elementwise=False)


def sign(node: Node, constants: dict[int, float]) -> str:
    """What stands in the gate.

    Args:
        node: the recorded operation.
        constants: number of an argument -> the number that is written into the gate instead of being drawn as an input.
    """
    if not constants:
        return _filled(of(node).sign, node)
    [(position, c)] = constants.items()
    form, number = of(node).with_number[position == 0], short_number(c)
    if c < 0 and form in ("+{c}", "−{c}"):
        return ("−" if form[0] == "+" else "+") + number[1:]
    return form.format(c=number)


def title(node: Node, constants: dict[int, float]) -> str:
    """The operation by its name, with its sign where that holds a number or an index: add +1, power ^2."""
    if constants or "{" in of(node).sign:
        return f"{node.name.removesuffix('_of_number')} {sign(node, constants)}"
    return node.name


def formula(node: Node, arguments: Sequence[str]) -> str:
    """The result in terms of its arguments."""
    return _filled(of(node).formula, node, arguments)


def derivative(node: Node, arguments: Sequence[str], argument: int, out: str) -> str:
    """The local derivative with respect to one argument; empty where there is no short formula."""
    forms = of(node).derivatives
    return _filled(forms[argument], node, arguments, out) if argument < len(forms) else ""


def _filled(form: str, node: Node, arguments: Sequence[str] = (), out: str = "") -> str:
    parts = {"out": out, "all": ", ".join(arguments), **dict(zip("xy", arguments, strict=False))}
    if "{exponent}" in form:
        exponent = float(node.options["exponent"])
        parts |= {"exponent": short_number(exponent), "less": short_number(exponent - 1)}
    if "{index}" in form:
        parts["index"] = _index(node.options["index"])
    return form.format(**parts)


def _index(parts: Any) -> str:
    """An index as it is written: [0, :, 1:3]."""
    def part(i: Any) -> str:
        if isinstance(i, slice):
            ends = [("" if v is None else str(v)) for v in (i.start, i.stop)]
            return ":".join(ends) + ("" if i.step is None else f":{i.step}")
        return "…" if i is Ellipsis else "None" if i is None else "array" if getattr(i, "ndim", 0) else str(i)
    return f"[{', '.join(part(i) for i in (parts if isinstance(parts, tuple) else (parts,)))}]"
