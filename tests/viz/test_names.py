"""What tensors are called: by a dict, by their module, by the caller's variables."""

import pytest

import autograd
import nn
import viz
from autograd import Tensor
from tests.viz.pictures import Figure, labels, mlp


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
