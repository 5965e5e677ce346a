"""Circuits: which boxes there are, and which number stands where."""

import numpy as np

import autograd
import viz
from autograd import Tensor
from tests.viz.pictures import Figure, assert_circuit_is_legible, neuron


def test_no_gradient_is_a_dash_not_zero():
    f, tensors = neuron(x0=False, x1=False)
    figure = Figure(viz.draw(f, names=tensors))
    for name in ("x0", "x1"):
        t = figure.named(name)
        assert figure.numbers_beside(t.right, t.bottom - 5)[1] == "–"
    assert "0.00" not in [t.content for t in figure.texts]


def test_a_constant_used_twice_is_one_input():
    w, k = Tensor(2.0, requires_grad=True), Tensor(5.0)
    names = [t.content for t in Figure(viz.draw(w * k + k)).of_class("name")]
    assert names == ["w", "k"]


def test_a_gradient_that_is_zero_is_zero():
    x = Tensor(-1.0, requires_grad=True)
    assert [t.content for t in Figure(viz.draw(autograd.relu(x))).of_class("gradient")] == ["0.00", "1.00"]


def test_a_fork_shows_each_branch_and_their_sum():
    a = Tensor(3.0, requires_grad=True)
    figure = Figure(viz.draw(a * a + 5 * a))
    assert_circuit_is_legible(figure)
    assert [t.content for t in figure.of_class("contribution")] == ["3.00", "3.00", "5.00"]
    assert figure.numbers_beside(figure.named("a").right, figure.named("a").bottom - 5) == ("3.00", "11.00")


def test_small_tensors_are_shown_by_their_elements():
    v = Tensor([1.0, 2.0], requires_grad=True)
    figure = Figure(viz.draw((v * v).sum()))
    assert_circuit_is_legible(figure)
    assert "[1.00 2.00]" in [t.content for t in figure.of_class("value")]
    assert "[2.00 4.00]" in [t.content for t in figure.of_class("gradient")]


def test_values_that_are_not_finite_are_shown():
    x = Tensor(0.0, requires_grad=True)
    with np.errstate(all="ignore"):
        y = autograd.log(x) * 0.0
    drawing = str(viz.draw(y))
    assert "-∞" in drawing and "NaN" in drawing
