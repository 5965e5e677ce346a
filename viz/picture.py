"""What is drawn, as data: boxes, the wires between them, and the texts that stand on both.

`circuit` and `model` make a Picture from a Graph, `layout` gives it positions; `svg`, `dot` and `page` write it.
"""

from dataclasses import dataclass, field

RADIUS = 20.0
"""Of a gate that is a circle, in pixels."""


@dataclass
class Box:
    """A value and what made it.

    Attributes:
        kind: "input", "constant", "gate", "output"; in models "operation", "parameter", "module".
        label: what stands in (or, for an input, beside) it.
        name: the variable that holds the value, if it is known and is not the label.
        value: the forward value, above the wire that leaves the box.
        gradient: the gradient, below it; "–" where there is none.
        lines: further lines of text inside the box.
        note: the full text, for tooltips and screen readers.
        value_bars: heights of a small histogram of the values, 0 to 1.
        gradient_bars: the same for the gradient.
        alarm: what is wrong with the numbers, if anything is.
        link: of a closed module, the key of what is in it, in `Picture.insides`.
    """

    kind: str
    label: str
    name: str = ""
    value: str = ""
    gradient: str = ""
    lines: tuple[str, ...] = ()
    note: str = ""
    value_bars: tuple[float, ...] = ()
    gradient_bars: tuple[float, ...] = ()
    alarm: str = ""
    link: str = ""


@dataclass
class Wire:
    """From the box that makes a value to one that uses it.

    Attributes:
        source: index of a box.
        target: index of a later box.
        contribution: what this use adds to the value's gradient; shown where a value is used several times.
        argument: its number among the arguments of the target.
    """

    source: int
    target: int
    contribution: str = ""
    argument: int = 0


@dataclass
class Cluster:
    """Boxes that belong together, with a title."""

    title: str
    members: list[int]


@dataclass
class Picture:
    """Boxes in topological order, and wires.

    Attributes:
        boxes: every box stands after those that its wires come from.
        wires: in the order of their targets.
        downward: read from top to bottom instead of from left to right.
        clusters: groups of boxes, outer ones first.
        insides: pictures of closed modules, by the `link` of their boxes.
        steps: in circuits, the forward and backward pass step by step; see `steps`.
        summary: one sentence on what the picture shows.
    """

    boxes: list[Box] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    downward: bool = False
    clusters: list[Cluster] = field(default_factory=list)
    insides: dict[str, "Picture"] = field(default_factory=dict)
    steps: list[dict] = field(default_factory=list)
    summary: str = ""
