"""Pictures to look at: drawings read back from their SVG, graphs and models that several tests draw."""

import math
import random
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from hypothesis import strategies as st

import autograd
import nn
import viz
from autograd import Tensor
from viz.layout import Layout, Link, Size
from viz.picture import Box
from viz.svg_model import ModelWriter


@dataclass
class Text:
    """A text of the figure and the box around it."""

    content: str
    fill: str
    class_: str
    left: float
    right: float
    top: float
    bottom: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


class Figure:
    """An SVG, read back."""

    def __init__(self, drawing: viz.Drawing) -> None:
        self.root = ET.fromstring(str(drawing))
        self.texts = [self._text(element) for element in self._all("text")]
        self.gates = [(float(c.get("cx")), float(c.get("cy")))
                      for c in self._all("circle") if c.get("class") == "gate"]
        self.box = [float(n) for n in self.root.get("viewBox").split()]

    def _all(self, tag: str) -> list[ET.Element]:
        return [element for element in self.root.iter() if element.tag == "{http://www.w3.org/2000/svg}" + tag]

    def _text(self, element: ET.Element) -> Text:
        size, x = float(element.get("font-size")), float(element.get("x"))
        content = "".join(element.itertext())
        length = 0.55 * size * len(content)  # a digit of Helvetica is 0.556 em wide
        left = x - {"middle": 0.5, "end": 1}.get(element.get("text-anchor"), 0) * length
        y = float(element.get("y"))
        return Text(content, element.get("fill"), element.get("class").split()[0], left,
                    left + length, y - 0.75 * size, y + 0.1 * size)

    def wires(self) -> list[list[tuple[float, float]]]:
        """The horizontal runs of every wire, as (start, end) and y."""
        runs = []
        for path in self._all("path"):
            if path.get("class") == "wire":
                x = y = 0.0
                for command, numbers in re.findall(r"([MHC])([^MHC]*)", path.get("d")):
                    values = [float(n) for n in numbers.split()]
                    if command == "H":
                        runs.append((x, values[0], y))
                        x = values[0]
                    else:
                        x, y = values[-2:]
        return runs

    def of_class(self, class_: str) -> list[Text]:
        return [t for t in self.texts if t.class_ == class_]

    def named(self, content: str) -> Text:
        [found] = [t for t in self.texts if t.content == content]
        return found

    def numbers_beside(self, x: float, y: float) -> tuple[str, str]:
        """The value and the gradient on the wire that leaves (x, y)."""
        near = {}
        for class_, side in (("value", -1), ("gradient", 1)):
            on_line = [t for t in self.of_class(class_)
                       if t.left >= x - 5 and 0 < side * ((t.top + t.bottom) / 2 - y) < 20]
            near[class_] = min(on_line, key=lambda t: t.left).content
        return near["value"], near["gradient"]


def assert_circuit_is_legible(figure: Figure) -> None:
    """No text runs into another text or a gate, all are inside the view box, and numbers stand on straight wires."""
    _, _, width, height = figure.box
    for i, t in enumerate(figure.texts):
        assert t.left >= 0 and t.right <= width and t.top >= 0 and t.bottom <= height, t
        for u in figure.texts[:i]:
            apart = t.right <= u.left or u.right <= t.left or t.bottom <= u.top or u.bottom <= t.top
            assert apart, (t, u)
        if t.class_ in ("value", "gradient", "contribution"):
            for x, y in figure.gates:
                assert math.hypot(max(t.left - x, x - t.right, 0), max(t.top - y, y - t.bottom, 0)) > 20, t
            assert any(start <= t.middle <= end and 0 <= (y - t.bottom if t.class_ == "value" else t.top - y) < 8
                       for start, end, y in figure.wires()), t


def neuron(**requires_grad: bool) -> tuple[Tensor, dict[str, Tensor]]:
    start = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
    t = {name: Tensor(value, requires_grad=requires_grad.get(name, True)) for name, value in start.items()}
    return 1 / (1 + autograd.exp(-(t["w0"] * t["x0"] + t["w1"] * t["x1"] + t["w2"]))), t


class Block(nn.Module):
    """x + linear(relu(linear(x))): a residual block."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(n, 2 * n), nn.Linear(2 * n, n)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(self.up(x).relu())


class Tower(nn.Module):
    """A stack of equal blocks."""

    def __init__(self, n: int, depth: int) -> None:
        super().__init__()
        self.blocks, self.head = nn.ModuleList([Block(n) for _ in range(depth)]), nn.Linear(n, 3)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def mlp() -> tuple[nn.Module, Tensor, Tensor]:
    autograd.manual_seed(0)
    model, images = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), autograd.randn(16, 64)
    return model, images, (model(images) ** 2).mean()


def boxes(drawing: viz.Drawing, kind: str) -> list[Box]:
    return [box for box in drawing.picture.boxes if box.kind.name == kind]


def labels(drawing: viz.Drawing, kind: str) -> list[str]:
    return [box.label for box in boxes(drawing, kind)]


def assert_model_is_legible(drawing: viz.Drawing) -> None:
    """No two boxes overlap, every wire ends at its target, all is inside the view box, the SVG is well-formed."""
    root = ET.fromstring(str(drawing))
    _, _, width, height = (float(n) for n in root.get("viewBox").split())
    writer = ModelWriter(drawing.picture)
    corners = [writer.corners(i) for i in range(len(drawing.picture.boxes)) if writer.is_drawn(i)]
    for i, (left, top, right, bottom) in enumerate(corners):
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        for left2, top2, right2, bottom2 in corners[:i]:
            assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
    for element in root.iter("{http://www.w3.org/2000/svg}rect"):
        x, y = float(element.get("x")), float(element.get("y"))
        assert x >= 0 and x + float(element.get("width")) <= width + 0.1
        assert y >= 0 and y + float(element.get("height")) <= height + 0.1
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 <= float(text.get("x")) <= width and 0 <= float(text.get("y")) <= height


HARD = ['a"b', "a'b", "<b>", "a&amp;b", "</script><script>alert(1)</script>", "]]>", "<!--", "two\nlines",
        "\0", "\ud800",
        "🙂", "שלום", "مرحبا", "\u202e", "\ufffe", "x" * 500, "", " ",
        "{{svg}}", "{{data}}", "\\N", "%s", "w_0_1", "é́"]


def neuron_with_a_fork() -> viz.Drawing:
    w0, x0, w1 = (Tensor(v, requires_grad=True) for v in (2.0, -1.0, -3.0))
    f = 1 / (1 + autograd.exp(-(w0 * x0 + w1))) + w0 * w1
    return viz.draw(f)


def product(name_x: str, name_y: str) -> viz.Drawing:
    x, y = Tensor(2.0, requires_grad=True), Tensor([3.0, 4.0])
    return viz.draw((x * y).sum() * x, names={name_x: x, name_y: y})


names = st.one_of(st.sampled_from(HARD), st.text(st.characters(exclude_categories=()), max_size=30))


def some_graph(seed: int, count: int) -> tuple[list[Size], list[Link]]:
    draw = random.Random(seed)
    sizes = [Size(40, draw.uniform(20, 90), 10, beside=draw.choice([0, 0, 50])) for _ in range(count)]
    return sizes, [Link(draw.randrange(i), i) for i in range(3, count) for _ in range(2)]


def assert_well_laid_out(layout: Layout, sizes: list[Size], links: list[Link], gap: float) -> None:
    """Wires lead onward, boxes keep their distance, and between bends wires run straight."""
    for link, route in zip(links, layout.routes, strict=True):
        assert layout.centers[link.source][0] < layout.centers[link.target][0]
        assert all(a[1] == b[1] and a[0] <= b[0] + 1e-6 for a, b in zip(route[::2], route[1::2], strict=True))
    for i, (along, across) in enumerate(layout.centers):
        for j in range(i):
            if layout.centers[j][0] == along:
                near, far = (i, j) if across < layout.centers[j][1] else (j, i)
                room = sizes[near].extent / 2 + sizes[near].beside + gap + sizes[far].extent / 2
                assert layout.centers[far][1] - layout.centers[near][1] >= room - 1e-6
