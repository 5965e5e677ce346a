"""What tensors are called: by a dict, by their module, by the caller's variables."""

import itertools
import re

import pytest

import autograd
import nn
import viz
from autograd import Tensor
from tests.viz.pictures import Figure, labels, mlp
from viz.names import letters


def test_constants_of_one_value_keep_their_names():
    w, x0, x1 = Tensor(2.0, requires_grad=True), Tensor(-1.0), Tensor(-1.0)
    names = [t.content for t in Figure(viz.draw(w * x1 + autograd.maximum(x0, w) + w * -1.0)).of_class("name")]
    assert names == ["w", "x1", "x0"]


def test_names_are_the_callers_variables():
    rate, w_in, b = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True), Tensor(1.0)
    layers = [Tensor(4.0, requires_grad=True)]
    hidden = rate * w_in + b
    loss = hidden * layers[0]
    names = {t.content for t in Figure(viz.draw(loss)).of_class("name")}
    assert names == {"rate", "win", "b", "layers[0]", "hidden", "loss"}  # "in" is a subscript


def test_the_model_is_found_among_the_callers_variables():
    model, _, loss = mlp()
    assert labels(viz.draw(loss), "parameter") == [name for name, _ in model.named_parameters()]


def test_two_models_are_told_apart_by_their_variables():
    encoder, decoder = nn.Linear(4, 2), nn.Linear(2, 4)
    x = autograd.randn(3, 4)
    drawing = viz.draw(((decoder(encoder(x)) - x) ** 2).sum())
    assert labels(drawing, "parameter") == ["encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias"]


def test_wrong_options_say_why():
    x = Tensor(1.0, requires_grad=True)
    with pytest.raises(ValueError, match="'circuit' or 'model'"):
        viz.draw(x * x, style="cirquit")
    with pytest.raises(TypeError, match="names must be a dict"):
        viz.draw(x * x, names=["x"])
    with pytest.raises(TypeError, match="names must map"):
        viz.draw(x * x, names={"x": "x"})


@pytest.mark.parametrize("function", [
    lambda w, x, b: x * (x + 1), lambda w, x, b: (w * x + b) / x, lambda w, x, b: x - x * x,
    lambda w, x, b: x / (2 * x + 1), lambda w, x, b: (x + 1) * (x + 2) * (w + 3) / (b - 4),
    lambda w, x, b: 1 / x + 3 - (x * w).abs() - 2 ** (b + 1)])
def test_no_letter_means_two_things_on_a_page(function):
    w, x, b = (Tensor(v, requires_grad=True) for v in (2.0, 3.0, 0.5))
    picture = viz.draw(function(w, x, b)).picture
    worth = {"w": 2.0, "x": 3.0, "b": 0.5}
    for step in picture.steps[1:]:
        name = step.title.rpartition(" = ")[0]
        if step.phase == "forward" and name:
            assert name not in worth
            worth[name] = float(step.lines[0].rpartition(" ")[2])
    for step in picture.steps:
        for line in step.lines:
            for letter, value in re.findall(r"= (\w+) = (\(?-?[\d.]+)", line):  # each derivative that is a letter
                assert worth[letter] == pytest.approx(float(value.strip("(")), abs=0.006), line
    assert not any(box.kind.name == "gate" and "x" in box.label for box in picture.boxes)  # 1/x, of another x


def test_values_without_a_name_get_letters_that_are_not_in_use():
    a, b = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    y = (a + 1) * (b + 1)
    assert [step.title for step in viz.draw(y).picture.steps if step.phase == "forward"][1:] == [
        "c = a + 1", "f = b + 1", "y = c * f"]


def test_there_are_letters_for_any_number_of_values():
    some = list(itertools.islice(letters(["a1", "b", "x"]), 100))
    assert len(set(some)) == 100 and not {"a1", "b", "x"}.intersection(some)


def test_inputs_without_a_name_are_told_apart():
    y = Tensor(2.0, requires_grad=True) * Tensor(3.0, requires_grad=True) + Tensor([1.0]) * Tensor([2.0, 3.0])
    drawing = viz.draw(y, names={"input_2": y})
    assert labels(drawing, "input") == ["input", "input_3"]


def test_two_names_that_look_the_same_are_not_given_twice():
    x0, x_0 = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    assert labels(viz.draw(x0 * x_0), "input") == ["x0", "input"]
