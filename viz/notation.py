"""How an operation is written: the sign in its gate, its formula, and its derivatives."""

from dataclasses import dataclass
from typing import Any

from viz.text import short_number


@dataclass(frozen=True)
class Notation:
    """An operation on paper; {x} and {y} stand for its arguments, {out} for its result."""

    sign: str
    formula: str
    derivatives: tuple[str, ...]


NOTATIONS = {
    "add": Notation("+", "{x} + {y}", ("1", "1")),
    "sub": Notation("−", "{x} − {y}", ("1", "−1")),
    "mul": Notation("*", "{x} × {y}", ("{y}", "{x}")),
    "div": Notation("/", "{x} / {y}", ("1 / {y}", "−{x} / {y}²")),
    "neg": Notation("*−1", "−1 × {x}", ("−1",)),
    "power": Notation("^", "{x} ^ {y}", ("{y} × {x} ^ ({y} − 1)", "{out} × ln {x}")),
    "exp": Notation("exp", "exp {x}", ("exp {x}",)),
    "log": Notation("ln", "ln {x}", ("1 / {x}",)),
    "sqrt": Notation("√", "√{x}", ("1 / (2 √{x})",)),
    "sin": Notation("sin", "sin {x}", ("cos {x}",)),
    "cos": Notation("cos", "cos {x}", ("−sin {x}",)),
    "tanh": Notation("tanh", "tanh {x}", ("1 − {out}²",)),
    "sigmoid": Notation("σ", "σ({x})", ("{out} × (1 − {out})",)),
    "relu": Notation("relu", "max(0, {x})", ("1 if {x} > 0, else 0",)),
    "abs": Notation("|x|", "|{x}|", ("the sign of {x}",)),
    "maximum": Notation("max", "max({x}, {y})", ("1 if {x} > {y}, else 0", "1 if {y} > {x}, else 0")),
    "minimum": Notation("min", "min({x}, {y})", ("1 if {x} < {y}, else 0", "1 if {y} < {x}, else 0")),
    "matmul": Notation("@", "{x} @ {y}", ("{y}, transposed", "{x}, transposed")),
    "sum": Notation("Σ", "Σ {x}", ("1",)),
    "clone": Notation("copy", "{x}", ("1",)),
}

_WITH_NUMBER = {  # the sign of x with a constant on its right, and on its left
    "add": ("+{c}", "+{c}"), "sub": ("−{c}", "{c}−x"), "mul": ("*{c}", "*{c}"), "div": ("/{c}", "{c}/x"),
    "power": ("^{c}", "{c}^x"), "maximum": ("max {c}", "max {c}"), "minimum": ("min {c}", "min {c}"),
}


def sign(name: str, options: dict[str, Any], constants: dict[int, Any] | None = None) -> str:
    """What stands in the gate.

    Args:
        name: the operation's name.
        options: its keyword arguments.
        constants: number of an argument -> the number that is written into the gate instead of being drawn as an input.
    """
    if constants and name in _WITH_NUMBER:
        [(position, c)] = constants.items()
        text = short_number(c)
        form = _WITH_NUMBER[name][0 if position == 1 else 1]
        if c < 0 and form in ("+{c}", "−{c}"):
            return ("−" if form[0] == "+" else "+") + text[1:]
        return form.format(c=text)
    if name == "power_of_number":
        return "^" + short_number(options["exponent"])
    if name == "getitem":
        return index(options["index"])
    return NOTATIONS[name].sign if name in NOTATIONS else name


def takes_number(name: str) -> bool:
    """Whether the operation with one constant is written as a gate of one argument, such as +1 or 1/x."""
    return name in _WITH_NUMBER


def elementwise(name: str) -> bool:
    """Whether element i of the result depends on element i of the arguments alone."""
    return (name in NOTATIONS and name not in ("matmul", "sum")) or name == "power_of_number"


def formula(name: str, options: dict[str, Any], arguments: list[str]) -> str:
    """The result in terms of its arguments."""
    if name == "power_of_number":
        return f"{arguments[0]} ^ {short_number(options['exponent'])}"
    if name == "getitem":
        return arguments[0] + index(options["index"])
    if name in NOTATIONS:
        return _fill(NOTATIONS[name].formula, arguments, "")
    return f"{name}({', '.join(arguments)})"


def derivative(name: str, options: dict[str, Any], arguments: list[str], argument: int, out: str) -> str:
    """The local derivative with respect to one argument; empty where there is no short formula."""
    if name == "power_of_number":
        n = float(options["exponent"])
        return f"{short_number(n)} × {arguments[0]} ^ {short_number(n - 1)}"
    if name in NOTATIONS and argument < len(NOTATIONS[name].derivatives):
        return _fill(NOTATIONS[name].derivatives[argument], arguments, out)
    return ""


def _fill(form: str, arguments: list[str], out: str) -> str:
    return form.format(x=arguments[0], y=arguments[1] if len(arguments) > 1 else "", out=out)


def index(parts: Any) -> str:
    """An index as it is written: [0, :, 1:3]."""
    def part(i: Any) -> str:
        if isinstance(i, slice):
            ends = [("" if v is None else str(v)) for v in (i.start, i.stop)]
            return ":".join(ends) + ("" if i.step is None else f":{i.step}")
        return "…" if i is Ellipsis else "None" if i is None else "array" if getattr(i, "ndim", 0) else str(i)
    return f"[{', '.join(part(i) for i in (parts if isinstance(parts, tuple) else (parts,)))}]"
