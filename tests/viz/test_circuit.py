"""The circuit figure: every number in the right place, read from the geometry of the SVG."""

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import numpy as np
import pytest

import autograd
import viz
from autograd import Tensor
from viz import text

GREEN, RED = "#00703c", "#c8102e"


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
        return Text(content.replace("−", "-"), element.get("fill"), element.get("class").split()[0], left,
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


def assert_legible(figure: Figure) -> None:
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


def test_sigmoid_neuron_is_the_figure_of_the_notes():
    f, tensors = neuron()
    figure = Figure(viz.draw(f, names={**tensors, "f": f}))
    assert_legible(figure)
    expected = {"w0": ("2.00", "-0.20"), "x0": ("-1.00", "0.39"), "w1": ("-3.00", "-0.39"), "x1": ("-2.00", "-0.59"),
                "w2": ("-3.00", "0.20")}
    names = [t for t in figure.of_class("name") if t.content in expected]
    assert [t.content for t in sorted(names, key=lambda t: t.top)] == list(expected)
    for t in names:
        assert figure.numbers_beside(t.right, t.bottom - 5) == expected[t.content]
        assert all(t.right < x for x, _ in figure.gates)

    signs = {t.content: t for t in figure.of_class("ink")}
    assert sorted(t.content for t in figure.of_class("ink")) == sorted(["*", "*", "+", "+", "*-1", "exp", "+1", "1/x"])
    gates = sorted(figure.gates)
    assert [figure.numbers_beside(x, y) for x, y in gates] == [
        ("-2.00", "0.20"), ("6.00", "0.20"), ("4.00", "0.20"), ("1.00", "0.20"), ("-1.00", "-0.20"), ("0.37", "-0.53"),
        ("1.37", "-0.53"), ("0.73", "1.00")]
    last_four = sorted(signs[s].left for s in ("*-1", "exp", "+1", "1/x"))
    assert [signs[s].left for s in ("*-1", "exp", "+1", "1/x")] == last_four
    assert figure.named("f").left > gates[-1][0]
    assert {t.fill for t in figure.of_class("value")} == {GREEN}
    assert {t.fill for t in figure.of_class("gradient")} == {RED}


def test_drawing_changes_nothing_and_can_be_followed_by_backward():
    f, tensors = neuron()
    viz.draw(f)
    assert all(t.grad is None for t in tensors.values())
    f.backward()
    assert tensors["x1"].grad.item() == pytest.approx(-0.589836, abs=1e-5)


def test_no_gradient_is_a_dash_not_zero():
    f, tensors = neuron(x0=False, x1=False)
    figure = Figure(viz.draw(f, names=tensors))
    for name in ("x0", "x1"):
        t = figure.named(name)
        assert figure.numbers_beside(t.right, t.bottom - 5)[1] == "–"
    assert "0.00" not in [t.content for t in figure.texts]


def test_constants_of_one_value_keep_their_names():
    w, x0, x1 = Tensor(2.0, requires_grad=True), Tensor(-1.0), Tensor(-1.0)
    names = [t.content for t in Figure(viz.draw(w * x1 + autograd.maximum(x0, w) + w * -1.0)).of_class("name")]
    assert names == ["w", "x1", "x0"]


def test_a_constant_used_twice_is_one_input():
    w, k = Tensor(2.0, requires_grad=True), Tensor(5.0)
    names = [t.content for t in Figure(viz.draw(w * k + k)).of_class("name")]
    assert names == ["w", "k"]


def test_a_gradient_that_is_zero_is_zero():
    x = Tensor(-1.0, requires_grad=True)
    assert [t.content for t in Figure(viz.draw(autograd.relu(x))).of_class("gradient")] == ["0.00", "1.00"]


def test_names_are_the_callers_variables():
    rate, w_in, b = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True), Tensor(1.0)
    layers = [Tensor(4.0, requires_grad=True)]
    hidden = rate * w_in + b
    loss = hidden * layers[0]
    names = {t.content for t in Figure(viz.draw(loss)).of_class("name")}
    assert names == {"rate", "win", "b", "layers[0]", "hidden", "loss"}  # "in" is a subscript


def test_a_fork_shows_each_branch_and_their_sum():
    a = Tensor(3.0, requires_grad=True)
    figure = Figure(viz.draw(a * a + 5 * a))
    assert_legible(figure)
    assert [t.content for t in figure.of_class("contribution")] == ["3.00", "3.00", "5.00"]
    assert figure.numbers_beside(figure.named("a").right, figure.named("a").bottom - 5) == ("3.00", "11.00")


@pytest.mark.parametrize("make", [
    lambda x, y: x,
    lambda x, y: (x, x * y),
    lambda x, y: (x * y, (x * y) * (x * y) + x),
    lambda x, y: (2.0 ** x - 0.5 / y) * (x - y) * (y - 7) / (x / -3) * x ** 3,
    lambda x, y: autograd.maximum(x, y) + autograd.where(autograd.tensor(True), x, y),
    lambda x, y: autograd.stack([x, y, x * y]).max(0).values * x,
    lambda x, y: autograd.stack([x, y, y, x, y])[1:3].sum(),
], ids=["a leaf", "a leaf and more", "shared", "arithmetic", "where", "several outputs of one", "indexing"])
def test_every_shape_of_graph_is_legible(make):
    x, y = Tensor(1.5, requires_grad=True), Tensor(-2.5, requires_grad=True)
    outputs = make(x, y)
    assert_legible(Figure(viz.draw(*outputs) if isinstance(outputs, tuple) else viz.draw(outputs)))


def test_small_tensors_are_shown_by_their_elements():
    v = Tensor([1.0, 2.0], requires_grad=True)
    figure = Figure(viz.draw((v * v).sum()))
    assert_legible(figure)
    assert "[1.00 2.00]" in [t.content for t in figure.of_class("value")]
    assert "[2.00 4.00]" in [t.content for t in figure.of_class("gradient")]


def test_outputs_of_any_number_are_counted():
    x = Tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    left, right = x.chunk(2)
    figure = Figure(viz.draw((left * right).sum()))
    assert_legible(figure)
    assert [t.content for t in figure.of_class("ink")] == ["split", "output 0", "output 1", "*", "Σ"]


def test_the_same_graph_gives_the_same_bytes():
    assert len({str(viz.draw(neuron()[0])) for _ in range(3)}) == 1


def test_a_released_graph_says_what_to_do():
    f, _ = neuron()
    f.backward()
    with pytest.raises(RuntimeError, match=r"retain_graph=True"):
        viz.draw(f)


def test_nothing_recorded_says_what_to_do():
    with pytest.raises(RuntimeError, match="requires_grad_"):
        viz.draw(Tensor(1.0))


def test_saving_and_showing(tmp_path):
    drawing = viz.draw(neuron()[0])
    path = drawing.save(tmp_path / "figures" / "neuron.svg")
    assert ET.parse(path).getroot().tag.endswith("svg")
    bundle = drawing._repr_mimebundle_()
    assert bundle["image/svg+xml"] == str(drawing)
    assert str(drawing) in bundle["text/html"] and "8 gates" in bundle["text/plain"]
    with pytest.raises(ValueError, match=r"\.svg"):
        drawing.save(tmp_path / "neuron.docx")


@pytest.mark.parametrize(("x", "expected"), [
    (0.0, "0.00"), (-0.0, "0.00"), (-0.19661, "−0.20"), (0.004, "4.0e-3"), (-1e-9, "−1.0e-9"), (1234.5, "1234.50"),
    (1e6, "1.0e6"), (math.nan, "NaN"), (-math.inf, "−∞"), (np.float32(0.5), "0.50")])
def test_numbers_have_two_decimals_but_never_hide_a_value(x, expected):
    assert text.number(x) == expected.replace("e-", "e−")
