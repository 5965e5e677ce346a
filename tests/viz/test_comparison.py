"""Two passes through one net: what has changed glows, by as much as it has changed."""

import copy
import re

import numpy as np
import pytest

import autograd
import nn
import viz
from autograd import Graph, Tensor
from tests.viz import nets
from tests.viz.pictures import Figure, assert_circuit_is_legible, assert_model_is_legible, boxes
from viz.picture import Box


def kept(loss: Tensor) -> Graph:
    graph = Graph(loss)
    graph.forward()
    graph.backward()
    return graph


def before_and_after_a_step(depth: int = 2, only: str = ""):
    autograd.manual_seed(0)
    model = nets.stack(nets.Size(depth=depth), nn.Tanh)
    x, y = autograd.randn(16, 8), nets.classes(16)
    before = kept(nn.functional.cross_entropy(model(x), y))
    was = {name: p.detach().clone() for name, p in model.named_parameters()}
    for name, p in model.named_parameters():
        if name.startswith(only):
            p.data -= 0.1 * before.gradients[p]
    return model, was, before, nn.functional.cross_entropy(model(x), y)


def percent(box: Box) -> float:
    return 0.0 if box.value == "unchanged" else float(re.match(r"changed by (\S+)%", box.value)[1])


def test_parameters_say_by_how_much_they_have_changed():
    model, was, before, after = before_and_after_a_step()
    drawing = viz.diff(before, after, model=model)
    assert_model_is_legible(drawing)
    assert len(boxes(drawing, "parameter")) == 6
    for box in boxes(drawing, "parameter"):
        now, then = model.get_parameter(box.label).detach(), was[box.label]
        change = ((now - then).norm() / max(now.norm().item(), then.norm().item())).item()
        assert percent(box) == pytest.approx(100 * change, rel=0.06)
        assert float(box.value.rpartition(" ")[2]) == pytest.approx((now - then).abs().max().item(), rel=0.06)


def test_what_comes_before_a_change_stays_dark():
    model, _, before, after = before_and_after_a_step(depth=4, only="4.")
    drawing = viz.diff(before, after, model=model)
    values = {box.label: box.value for box in boxes(drawing, "parameter")}
    assert values["4.weight"] != "unchanged" and all(
        value == "unchanged" for label, value in values.items() if not label.startswith("4."))
    linears = [box.value for box in drawing.picture.boxes if box.label == "linear"]
    assert linears[:2] == ["unchanged"] * 2 and "unchanged" not in linears[2:]


def test_two_equal_passes_are_dark():
    model, x = nets.stack(nets.Size(depth=2), nn.Tanh), autograd.randn(16, 8)
    picture = viz.diff((model(x) ** 2).mean(), (model(x) ** 2).mean(), model=model).picture
    assert not any(box.glow for box in picture.boxes) and not any(wire.color for wire in picture.wires)
    assert picture.summary.endswith("nothing has changed")


def test_a_closed_module_glows_by_what_is_in_it():
    model, _, before, after = before_and_after_a_step(depth=8, only="6.")
    picture = viz.diff(before, after, model=model, depth=0).picture
    folded = next(box for box in picture.boxes if box.link)
    assert folded.glow and "changed most" in picture.summary


def test_precisions_differ_by_their_rounding():
    model, x = nets.stack(nets.Size(depth=2), nn.Tanh), autograd.randn(16, 8)
    half = copy.deepcopy(model).half()
    drawing = viz.diff((model(x) ** 2).mean(), (half(x.half()) ** 2).mean(), model=half)
    assert all(0.001 < percent(box) < 0.1 for box in boxes(drawing, "parameter"))  # float16 keeps 11 bits
    assert "float16" in boxes(drawing, "parameter")[0].lines[0]


def test_a_circuit_shows_both_numbers_also_in_the_steps_of_the_page():
    w, x = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    before = kept(w * x + 1)
    w.data -= 0.5
    drawing = viz.diff(before, w * x + 1, names={"w": w, "x": x})
    assert_circuit_is_legible(Figure(drawing))
    assert [(box.value, box.gradient) for box in drawing.picture.boxes[:3]] == [
        ("2.00 → 1.50", "3.00"), ("3.00", "2.00 → 1.50"), ("6.00 → 4.50", "1.00")]
    assert drawing.picture.steps[0].shows["v0"] == "2.00 → 1.50"


def test_operations_are_matched_by_name_and_what_is_new_is_said():
    x = autograd.randn(30).requires_grad_()
    picture = viz.diff((x * 2).tanh().sum(), ((x * 3).tanh().exp()).sum(), style="model", names={"x": x}).picture
    lines = {box.label: box.lines[1:] for box in picture.boxes}
    assert lines["exp"] == ("only in the second",) and lines["tanh"] == ()
    assert all(box.glow for box in picture.boxes if box.label == "exp")
    assert "1 operation only in the second" in picture.summary
    back = viz.diff(((x * 3).tanh().exp()).sum(), (x * 2).tanh().sum(), style="model").picture
    assert "1 operation only in the first" in back.summary


def test_a_change_is_said_in_percent():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for factor, said in ((-7.0, "114%"), (1.001, "0.1%")):
        assert said in viz.diff((x * 1).sum(), (x * factor).sum()).picture.summary


def test_other_shapes_are_said():
    x = autograd.randn(30).requires_grad_()
    picture = viz.diff((x[:20] * 2).tanh().sum(), (x * 2).tanh().sum(), style="model").picture
    assert "was 20" in [box.value for box in picture.boxes if box.label == "tanh"]


def test_nan_is_the_strongest_change():
    x = autograd.ones(30).requires_grad_()
    before, bad = (x * 1).sum(), np.ones(30)
    bad[0] = np.nan
    assert "NaN" in viz.diff(before, (x * Tensor(bad)).sum(), style="model").picture.summary


def test_numbers_that_are_gone_are_not_compared():
    w, x = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    before = w * x
    w.data -= 0.5
    with pytest.raises(RuntimeError, match=r"changed in place since.*Graph"):
        viz.diff(before, w * x)
    with pytest.raises(ValueError, match="no operation in common"):
        viz.diff(x.exp(), x.log())
