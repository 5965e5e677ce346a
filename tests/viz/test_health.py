"""Numbers of a tensor in a few, and alarms."""

import numpy as np
import pytest

import autograd
import viz
from autograd import Tensor
from tests.viz.pictures import assert_model_is_legible, boxes


def test_dead_and_saturated_activations_are_marked():
    x = autograd.randn(10, 10).requires_grad_()
    drawing = viz.draw((x - 100).relu().sum() + (x * 1e4).tanh().sum())
    alarms = {box.label: box.alarm for box in boxes(drawing, "operation")}
    assert alarms["relu"] == "100% zero" and "saturated" in alarms["tanh"]


def test_vanishing_gradients_are_marked():
    autograd.manual_seed(0)
    weights = [(autograd.randn(8, 8) * 0.05).requires_grad_() for _ in range(9)]
    x = autograd.randn(4, 8)
    for w in weights:
        x = (x @ w).sigmoid()
    drawing = viz.draw(x.sum(), names={f"layer {i}": w for i, w in enumerate(weights)})
    alarms = {box.label: box.alarm for box in drawing.picture.boxes}
    assert alarms["layer 0"].startswith("gradient vanishes") and not alarms["layer 4"]


@pytest.mark.parametrize("x", [np.zeros((0, 3)), np.zeros((50,)), np.full((50,), np.nan), np.arange(50.0)])
def test_any_values_can_be_summed_up(x):
    assert_model_is_legible(viz.draw((Tensor(x, requires_grad=True) * 2).sum(), style="model"))
