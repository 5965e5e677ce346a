"""A forward pass that fails is drawn as far as it came, and what failed, with its shapes, in red."""

import pytest

import autograd
import nn
import viz
from autograd import Tensor
from autograd.errors import ShapeError
from tests.viz.pictures import Block, assert_model_is_legible, boxes, labels


def sources(drawing: viz.Drawing) -> list[str]:
    """What the last box reads."""
    picture = drawing.picture
    return [picture.boxes[picture.wires[k].source].label for k in picture.entering(len(picture.boxes) - 1)]


def test_a_layer_that_does_not_fit_is_drawn_in_red_behind_what_came_before():
    model = nn.Sequential(Block(4), nn.Linear(4, 5), nn.ReLU(), nn.Linear(4, 2))
    images = autograd.randn(8, 4)
    with pytest.warns(UserWarning, match="failed at linear, on 8 × 5 and 2 × 4 and 2; the drawing shows how far"):
        drawing = viz.draw(model, images)
    assert_model_is_legible(drawing)
    *recorded, failed = boxes(drawing, "operation")
    assert [box.label for box in recorded] == ["linear", "relu", "linear", "add", "linear", "relu"]
    assert failed.born and failed.alarm == "failed on 8 × 5 and 2 × 4 and 2"
    assert sources(drawing) == ["relu", "3.weight", "3.bias"]
    assert [cluster.title for cluster in drawing.picture.clusters][:3] == ["0 Block", "0.up Linear", "0.down Linear"]
    assert isinstance(drawing.error, ShapeError) and 'stroke="#c8102e"' in str(drawing)
    assert all(box.gradient in ("", "–") for box in drawing.picture.boxes)


def test_the_module_that_did_not_return_is_framed():
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x).relu() @ x
    model = nn.Sequential(nn.Linear(4, 4), Broken())
    with pytest.warns(UserWarning, match="failed at matmul"):
        drawing = viz.draw(model, autograd.randn(2, 4))
    assert "1 Broken" in [cluster.title for cluster in drawing.picture.clusters]
    assert sources(drawing)[0] == "relu"


@pytest.mark.parametrize("function", [
    lambda w, x: x @ w, lambda w, x: (x * 2).reshape(7), lambda w, x: autograd.cat([x.exp(), w.exp()], 1)])
def test_operations_fail_in_functions_too(function):
    w, x = autograd.randn(2, 3, requires_grad=True), autograd.randn(5, 6, requires_grad=True)
    with pytest.warns(UserWarning, match="the forward pass failed"):
        drawing = viz.draw(function, w, x)
    assert "failed on" in boxes(drawing, "operation")[-1].alarm
    assert "x" in labels(drawing, "input")


def test_a_function_that_refuses_its_arguments_in_a_module_is_what_failed():
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.conv2d(x.exp(), autograd.randn(2, 3, 3, 3))
    with pytest.warns(UserWarning, match="failed at conv2d, on 1 × 1 × 4 × 4 and 2 × 3 × 3 × 3"):
        drawing = viz.draw(Net(), autograd.randn(1, 1, 4, 4).requires_grad_())
    assert sources(drawing)[0] == "exp"


@pytest.mark.parametrize(("function", "reason"), [
    (lambda x: None, "returned None, in which there is no Tensor"), (lambda x: {"n": 3}, "returned {'n': 3}"),
    (nn.Linear(2, 2), "the argument 'input' is missing")])
def test_what_returns_nothing_to_draw_or_gets_nothing_is_refused(function, reason):
    with pytest.raises(TypeError, match=reason):
        viz.draw(function, *[Tensor(1.0)] * (not isinstance(function, nn.Module)))


def test_what_does_not_begin_raises():
    with pytest.raises(TypeError):
        viz.draw(lambda x: x, 1, 2, 3)
    with pytest.raises(ZeroDivisionError):
        viz.draw(lambda x: 1 / 0, Tensor(1.0, requires_grad=True))


def test_a_pass_that_succeeds_has_no_error():
    assert viz.draw(nn.Linear(2, 2), autograd.randn(1, 2)).error is None
