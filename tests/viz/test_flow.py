"""The gradient on every wire: in numbers that PyTorch's definition gives, in width, color and bars."""

import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd
import nn
import viz
from autograd import Tensor
from tests.viz import nets
from tests.viz.pictures import assert_model_is_legible, boxes, neuron_with_a_fork
from viz.flow import norm_of
from viz.picture import Scale


def norms(text: str) -> float:
    return float(re.search(r"norm (\S+?),?( |$)", text)[1].replace("−", "-"))


def test_parameters_show_the_norm_of_their_gradient_and_its_size_beside_their_own():
    autograd.manual_seed(0)
    loss, model = nets.mlp(nets.Size(depth=2))
    drawing = viz.flow(loss, model=model)
    assert_model_is_legible(drawing)
    loss.backward()
    for name, p in model.named_parameters():
        [box] = [box for box in boxes(drawing, "parameter") if box.label == name]
        assert norms(box.gradient) == pytest.approx(p.grad.norm().item(), rel=0.06)
        share = float(re.search(r", (\S+) of the weights", box.gradient)[1].replace("−", "-"))
        assert share == pytest.approx((p.grad.norm() / p.norm()).item(), rel=0.06)


def test_a_wire_shows_what_its_use_sends_back_and_the_wire_before_a_fork_splits():
    x = autograd.randn(64).requires_grad_()
    drawing = viz.flow((x * 3).sum() + (x * 4).sum(), style="model")
    sent = [norms(wire.note) for wire in drawing.picture.wires if drawing.picture.boxes[wire.source].label == "x"]
    assert sorted(sent) == [24, 32]  # 3 and 4 times the square root of 64
    [box] = [box for box in drawing.picture.boxes if box.label == "x"]
    assert norms(box.gradient) == 56


def test_the_larger_gradient_has_the_wider_wire_and_another_color():
    autograd.manual_seed(0)
    loss, model = nets.vanishing_by_sigmoid(nets.Size(depth=3))
    picture = viz.flow(loss, model=model, depth=9).picture
    wires = sorted((norms(wire.note), wire.width, wire.color) for wire in picture.wires if not wire.dash)
    assert [width for _, width, _ in wires] == sorted(width for _, width, _ in wires)
    assert wires[0][1] < 2 and wires[-1][1] > 6 and wires[0][2] != wires[-1][2]


def test_circuits_have_it_too():
    drawing = viz.flow(neuron_with_a_fork_output())
    assert all(wire.width and wire.note for wire in drawing.picture.wires)
    root = ET.fromstring(str(drawing))
    drawn = [path for path in root.iter("{http://www.w3.org/2000/svg}path") if path.get("class") == "wire"]
    assert [path.get("stroke") for path in drawn] == [wire.color for wire in drawing.picture.wires]
    assert "norm of the gradient" in str(drawing) and "norm of the gradient" not in str(neuron_with_a_fork())


def neuron_with_a_fork_output() -> Tensor:
    w, x, b = (Tensor(v, requires_grad=True) for v in (2.0, -1.0, 0.5))
    return (w * x + b).sigmoid() + w


def test_a_constant_gets_nothing():
    x, mask = autograd.randn(40).requires_grad_(), autograd.ones(40)
    picture = viz.flow((x * mask).sum(), style="model", names={"x": x, "mask": mask}).picture
    assert {picture.boxes[wire.source].label: wire.dash for wire in picture.wires} == {
        "x": False, "mask": True, "mul": False}


def test_folded_steps_are_bars_that_open():
    autograd.manual_seed(0)
    model = nets.Recurrent(nn.LSTMCell(8, 16), 16)
    drawing = viz.flow(model, autograd.randn(30, 4, 8), depth=0)
    [cell] = [box for box in drawing.picture.boxes if box.strip]
    assert len(cell.strip) == 30 and len({bar.link for bar in cell.strip}) == 30
    heights = [bar.height for bar in cell.strip]
    assert heights[-1] > heights[-5] > heights[-10]  # an untrained LSTM forgets
    for bar in cell.strip:
        inside = drawing.picture.insides[bar.link]
        assert inside.wires and all(wire.note for wire in inside.wires)
    last = drawing.picture.insides[cell.strip[-1].link]
    assert norms(cell.strip[-1].note) == pytest.approx(norms(last.boxes[-1].gradient))


def test_a_recurrent_layer_has_a_bar_a_step():
    autograd.manual_seed(0)
    loss, model = nets.lstm(nets.Size())
    strips = [box.strip for box in viz.flow(loss, model=model, depth=9).picture.boxes if box.strip]
    assert strips and all(len(strip) == 50 for strip in strips)


def test_it_is_the_drawing_otherwise():
    loss, model = nets.mlp(nets.Size(depth=2))
    plain, flow = viz.draw(loss, model=model).picture, viz.flow(loss, model=model).picture
    assert [box.label for box in plain.boxes] == [box.label for box in flow.boxes]
    assert [(w.source, w.target) for w in plain.wires] == [(w.source, w.target) for w in flow.wires]
    assert not any(wire.color for wire in plain.wires) and "2.weight" in [box.label for box in flow.boxes]


def test_names_are_those_of_the_caller():
    weight = autograd.randn(30, 30).requires_grad_()
    assert "weight" in [box.label for box in viz.flow((weight @ weight).sum()).picture.boxes]


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e300, math.inf, math.nan])
def test_any_norm_has_a_place_on_the_scale(x):
    scale = Scale("", 1e-3, 1.0, "", "")
    assert 0 <= scale.share(x) <= 1 and scale.width(x) > 0 and re.fullmatch("#[0-9a-f]{6}", scale.color(x))


def test_norms_do_not_overflow():
    assert norm_of([np.full(4, 1e200), None, {0: np.zeros(3)}]) == pytest.approx(2e200)
    assert norm_of([np.full(4, 6e4, np.float16)]) == pytest.approx(1.2e5, rel=1e-3)
    assert norm_of([np.array([1e-170, 1e-170])]) == pytest.approx(math.sqrt(2) * 1e-170)
