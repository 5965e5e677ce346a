"""What is drawn, as data: boxes, the wires between them, and the texts that stand on both.

`circuit` and `model` make a Picture from a Graph, `steps` says what happens in it, `layout` gives it positions; `svg`,
`tikz`, `dot` and `page` write it.
"""

import math
from dataclasses import dataclass, field

from viz.text import NONE


@dataclass(frozen=True)
class Style:
    """A way of drawing a graph.

    Attributes:
        name: as `draw(style=...)` takes it.
        downward: read from top to bottom; otherwise from left to right.
        on_wires: numbers stand on the wires; otherwise in the boxes.
    """

    name: str
    downward: bool
    on_wires: bool


A4 = 2 ** -0.5
"""Width / height of a page."""
SHOWN = ("shape", "value", "gradient", "parameters", "count", "flops", "bytes", "time")
"""What can stand in the boxes of a model: `draw(show=...)`."""


@dataclass(frozen=True)
class Look:
    """How much of a picture is shown, and how it lies on the page; chosen by the caller.

    Attributes:
        downward: read from top to bottom; otherwise from left to right.
        show: of `SHOWN`; None for shapes and statistics if they fit a page, else shapes alone.
        ratio: width / height of the page that it should fit; 0 for one ribbon, however long.
    """

    downward: bool
    show: tuple[str, ...] | None = None
    ratio: float = 0.0


CIRCUIT = Style("circuit", downward=False, on_wires=True)
MODEL = Style("model", downward=True, on_wires=False)
STYLES = {style.name: style for style in (CIRCUIT, MODEL)}


@dataclass(frozen=True)
class Kind:
    """What a box stands for, and how that looks.

    Attributes:
        name: in style sheets and in the page's script.
        given: its value is there before the forward pass begins.
        shape: in DOT.
        fill: color of the box.
        dark: its color in dark mode, if it is not that of all boxes.
        corner: radius, in pixels.
        dash: of the outline.
    """

    name: str
    given: bool = False
    shape: str = "box"
    fill: str = "#f4f6f8"
    dark: str = ""
    corner: float = 4.0
    dash: str | None = None


PARAMETER = Kind("parameter", given=True, fill="#fdf3e0", dark="#3a3020", corner=12.0)
INPUT = Kind("input", given=True, shape="plaintext", fill="#e6f1fb", dark="#1d3040")
CONSTANT = Kind("constant", given=True, shape="plaintext", fill="#ffffff", dash="4 3")
GATE = Kind("gate", shape="circle")
OPERATION = Kind("operation")
MODULE = Kind("module", shape="box3d", fill="#e9ecf0")
OUTPUT = Kind("output", shape="plaintext")
FAMILIES = {"convolution": ("#dbe9f9", "#1c3350"), "matrix product": ("#d8efeb", "#173c37"),
            "attention": ("#ebe3f7", "#372850"), "recurrent": ("#f6dcea", "#4a2238"),
            "embedding": ("#f9e3cf", "#463018"), "normalization": ("#e4eecb", "#313d14"),
            "pooling": ("#d3ecf5", "#153a48"), "elementwise": ("#f4f6f8", "#23282d"),
            "reduction": ("#fbe3e0", "#4a2522"), "loss": ("#fbe0dc", "#552420"), "shape": ("#ffffff", "#14171a")}
"""Fill of the operations of a family, in light and in dark mode: see `families`."""
KINDS = (PARAMETER, INPUT, CONSTANT, GATE, OPERATION, MODULE, OUTPUT)


FLOW = ("#8fa6bf", "#5b8fd0", "#7a68c8", "#bb4f9d", "#e0524a", "#f08a24")
"""From little to much, on white and on black."""


@dataclass
class Scale:
    """What the colors and widths of wires and bars mean: a logarithmic scale.

    Attributes:
        title: what is measured.
        low: what has the first color, or less.
        high: what has the last color, or more.
        first: the text of low.
        last: the text of high.
    """

    title: str
    low: float
    high: float
    first: str
    last: str

    def share(self, x: float) -> float:
        """Where a number lies, from 0 to 1."""
        if not x > self.low:
            return 1.0 if math.isnan(x) else 0.0
        return min(math.log(x / self.low) / math.log(self.high / self.low), 1.0) if math.isfinite(x) else 1.0

    def color(self, x: float) -> str:
        """The color of a number."""
        return self.mixed(self.share(x)) if math.isfinite(x) else "#c8102e"

    def mixed(self, share: float) -> str:
        """The color of a place on the scale."""
        place = share * (len(FLOW) - 1)
        k = min(int(place), len(FLOW) - 2)
        mixed = (round((1 - place + k) * int(FLOW[k][i:i + 2], 16) + (place - k) * int(FLOW[k + 1][i:i + 2], 16))
                 for i in (1, 3, 5))
        return "#" + "".join(f"{part:02x}" for part in mixed)

    def width(self, x: float) -> float:
        """Of a wire, in pixels."""
        return 1.2 + 5.8 * self.share(x)


@dataclass
class Bar:
    """One of several in a box.

    Attributes:
        height: from 0 to 1.
        color: of the bar.
        note: for tooltips.
        link: of a module, the key of what is in it, in `Picture.insides`.
    """

    height: float
    color: str
    note: str
    link: str = ""


@dataclass
class Box:
    """A value and what made it.

    Attributes:
        kind: in circuits INPUT, CONSTANT, GATE, OUTPUT; in models INPUT, CONSTANT, PARAMETER, OPERATION, MODULE.
        label: what stands in (or, for an input, beside) it.
        name: the variable that holds the value, if it is known and is not the label.
        value: the forward value, above the wire that leaves the box.
        gradient: the gradient, below it; `text.NONE` where there is none.
        lines: further lines of text inside the box.
        note: the full text, for tooltips and screen readers.
        value_bars: heights of a small histogram of the values, 0 to 1.
        gradient_bars: the same for the gradient.
        backward: whether it was computed in a backward pass that was recorded.
        alarm: what is wrong with the numbers, if anything is.
        born: it begins here.
        follows: it is a consequence of what was born elsewhere.
        lookup: the expression by which Python finds it in `graph = Graph(outputs)`.
        line: of the program, where it was computed, if that is known.
        link: of a closed module, the key of what is in it, in `Picture.insides`.
        strip: bars below the text: one for each folded call or time step.
        glow: color of a halo, if it has one.
        family: of an operation or of all in a closed module: see `families`.
        settings: such as its kernel and stride.
        costs: name (of `SHOWN`) -> how much, for parameters, FLOPs, bytes and seconds.
    """

    kind: Kind
    label: str
    name: str = ""
    value: str = ""
    gradient: str = ""
    lines: tuple[str, ...] = ()
    note: str = ""
    value_bars: tuple[float, ...] = ()
    gradient_bars: tuple[float, ...] = ()
    backward: bool = False
    alarm: str = ""
    born: bool = False
    follows: bool = False
    lookup: str = ""
    line: str = ""
    link: str = ""
    strip: tuple[Bar, ...] = ()
    glow: str = ""
    family: str = ""
    settings: str = ""
    costs: dict[str, float] = field(default_factory=dict)

    def gradient_in_words(self) -> str:
        """As a sentence says it."""
        return "no gradient" if self.gradient == NONE else f"gradient {self.gradient}"


@dataclass
class Wire:
    """From the box that makes a value to one that uses it.

    Attributes:
        source: index of a box.
        target: index of a later box.
        contribution: what this use adds to the value's gradient; shown where a value is used several times.
        argument: its number among the arguments of the target.
        color: if it is not that of all wires.
        width: in pixels; 0 for that of all wires.
        dash: nothing comes along it.
        note: for tooltips.
    """

    source: int
    target: int
    contribution: str = ""
    argument: int = 0
    color: str = ""
    width: float = 0.0
    dash: bool = False
    note: str = ""


@dataclass
class Cluster:
    """Boxes that belong together, with a title."""

    title: str
    members: list[int]


@dataclass
class Step:
    """What happens at one moment of the forward or the backward pass.

    Attributes:
        phase: "forward" or "backward".
        title: in a few words.
        lines: in words and numbers.
        box: index of the box where it happens; -1 for none.
        wires: indices of the wires on which numbers travel.
        shows: what appears, each with its text: "v3" is the value of box 3, "g3" its gradient, "c5" the contribution on
            wire 5.
    """

    phase: str
    title: str
    lines: list[str] = field(default_factory=list)
    box: int = -1
    wires: list[int] = field(default_factory=list)
    shows: dict[str, str] = field(default_factory=dict)


@dataclass
class Picture:
    """Boxes in topological order, and wires.

    Attributes:
        style: how it is drawn.
        summary: one sentence on what the picture shows.
        boxes: every box stands after those that its wires come from.
        wires: in the order of their targets.
        clusters: groups of boxes, outer ones first.
        insides: pictures of closed modules, by the `link` of their boxes.
        steps: in circuits, the forward and backward pass step by step.
        scale: what colors and widths mean, if they mean something.
        look: how it lies on the page.
    """

    style: Style
    summary: str = ""
    boxes: list[Box] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    insides: dict[str, "Picture"] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    scale: Scale | None = None
    look: Look | None = None
    _entering: dict[int, list[int]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _indexed: int = field(default=0, init=False, repr=False, compare=False)

    @property
    def downward(self) -> bool:
        """Whether it is read from top to bottom."""
        return self.look.downward if self.look else self.style.downward

    def add(self, box: Box) -> int:
        """Append a box; its index."""
        self.boxes.append(box)
        return len(self.boxes) - 1

    def entering(self, box: int) -> list[int]:
        """The indices of the wires that enter a box."""
        if self._indexed != len(self.wires):
            self._entering, self._indexed = {}, len(self.wires)
            for i, wire in enumerate(self.wires):
                self._entering.setdefault(wire.target, []).append(i)
        return self._entering.get(box, [])
