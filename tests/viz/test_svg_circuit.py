"""The circuit figure: every number in the right place, read from the geometry of the SVG."""

import pytest

import autograd
import viz
from autograd import Tensor
from tests.viz.pictures import Figure, assert_circuit_is_legible, neuron

GREEN, RED = "#00703c", "#c8102e"


def test_sigmoid_neuron_is_the_figure_of_the_notes():
    f, tensors = neuron()
    figure = Figure(viz.draw(f, names={**tensors, "f": f}))
    assert_circuit_is_legible(figure)
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
    assert_circuit_is_legible(Figure(viz.draw(*outputs) if isinstance(outputs, tuple) else viz.draw(outputs)))


def test_the_same_graph_gives_the_same_bytes():
    assert len({str(viz.draw(neuron()[0])) for _ in range(3)}) == 1


def test_a_long_name_is_written_out_and_ends_at_its_wire_in_every_font():
    weights_of_the_first_hidden_layer, x = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    figure = Figure(viz.draw(weights_of_the_first_hidden_layer * x))
    assert_circuit_is_legible(figure)
    [name] = [e for e in figure.root.iter() if e.text == "weights_of_the_first_hidden_layer"]
    [start] = [start for start, _, y in figure.wires() if y == float(name.get("y")) - 5]
    assert name.get("text-anchor") == "end" and 0 < start - float(name.get("x")) < 8
