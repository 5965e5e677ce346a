"""Pictures of models: what each box says, what is hidden, which modules are closed."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd
import nn
import viz
from autograd import Tensor
from viz.picture import Box
from viz.svg_model import ModelWriter


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


def boxes(drawing: viz.Drawing, kind: str) -> list[Box]:
    return [box for box in drawing.picture.boxes if box.kind.name == kind]


def labels(drawing: viz.Drawing, kind: str) -> list[str]:
    return [box.label for box in boxes(drawing, kind)]


def mlp() -> tuple[nn.Module, Tensor, Tensor]:
    autograd.manual_seed(0)
    model, images = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), autograd.randn(16, 64)
    return model, images, (model(images) ** 2).mean()


def assert_legible(drawing: viz.Drawing) -> None:
    """No two boxes overlap, every wire ends at its target, all is inside the view box, the SVG is well-formed."""
    root = ET.fromstring(str(drawing))
    _, _, width, height = (float(n) for n in root.get("viewBox").split())
    writer = ModelWriter(drawing.picture)
    corners = [writer._corners(i) for i in range(len(drawing.picture.boxes))]
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


def test_an_mlp_shows_operations_parameters_shapes_and_statistics():
    model, images, loss = mlp()
    drawing = viz.draw(loss, model=model)
    assert_legible(drawing)
    assert labels(drawing, "operation") == ["linear", "relu", "linear", "power ^2", "mean"]
    assert labels(drawing, "parameter") == ["0.weight", "0.bias", "2.weight", "2.bias"]
    weight = boxes(drawing, "parameter")[0]
    assert weight.lines == ("32 × 64  float32",)
    array = model.get_parameter("0.weight").detach().numpy()
    assert f"{array.mean():.2g}".replace("e-0", "e-").replace("-", "−") in weight.value
    assert f"{array.max():.2g}" in weight.value and len(weight.value_bars) == 16 and len(weight.gradient_bars) == 16
    assert labels(drawing, "constant") == ["images"]  # found among the variables here
    assert boxes(drawing, "constant")[0].gradient == "–"
    assert images.grad is None and model.get_parameter("0.weight").grad is None
    assert [cluster.title for cluster in drawing.picture.clusters] == ["0 Linear", "2 Linear"]


def test_the_model_is_found_among_the_callers_variables():
    model, _, loss = mlp()
    assert labels(viz.draw(loss), "parameter") == [name for name, _ in model.named_parameters()]


def test_two_models_are_told_apart_by_their_variables():
    encoder, decoder = nn.Linear(4, 2), nn.Linear(2, 4)
    x = autograd.randn(3, 4)
    drawing = viz.draw(((decoder(encoder(x)) - x) ** 2).sum())
    assert labels(drawing, "parameter") == ["encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias"]


def test_constants_without_a_name_are_hidden_unless_asked_for():
    x = autograd.randn(8, 8).requires_grad_()
    y = (x * np.ones((8, 8), np.float32)).sum()
    assert labels(viz.draw(y), "constant") == []
    assert labels(viz.draw(y, constants=True), "constant") == ["constant"]


def test_a_module_and_its_input_are_called_and_every_call_is_framed():
    model, images, _ = mlp()
    drawing = viz.draw(model, images)
    assert_legible(drawing)
    assert [cluster.title for cluster in drawing.picture.clusters] == ["0 Linear", "1 ReLU", "2 Linear"]
    assert not any(inner._hooks.get("forward") for _, inner in model.named_modules())


def test_a_function_and_its_arguments_are_called():
    def square(side: Tensor) -> Tensor:
        return side * side
    figure = str(viz.draw(square, Tensor(3.0, requires_grad=True)))
    assert "side" in figure and "9.00" in figure and "6.00" in figure


@pytest.mark.parametrize("how", ["output", "module"])
def test_repeated_blocks_are_folded(how):
    model, x = Tower(8, 12), autograd.randn(5, 8)
    drawing = viz.draw(model(x).sum(), depth=0) if how == "output" else viz.draw(model, x, depth=0)
    assert_legible(drawing)
    [blocks, head] = boxes(drawing, "module")
    assert blocks.label == "blocks.0 … blocks.11 × 12" and blocks.lines[0] == "Block"
    assert f"{12 * (8 * 16 + 16 + 16 * 8 + 8):,} parameters" in blocks.lines[1]
    assert head.label == "head"


def test_blocks_with_different_operations_between_them_are_not_folded():
    blocks = nn.ModuleList([nn.Linear(4, 4) for _ in range(10)])
    y = autograd.randn(2, 4)
    for i, block in enumerate(blocks):
        y = block(y).tanh() if i == 4 else block(y).relu()
    drawing = viz.draw(y.sum(), model=blocks, depth=0)
    assert labels(drawing, "module") == ["0 … 4 × 5", "5 … 9 × 5"]  # a relu is between each two
    assert "tanh" in labels(drawing, "operation")


def test_a_few_repeats_are_drawn_one_by_one():
    assert len(boxes(viz.draw(Tower(4, 4), autograd.randn(2, 4), depth=0), "module")) == 5


def test_a_parameter_that_is_only_brought_into_shape_stands_beside_the_operation_that_reads_it():
    norm, x = nn.BatchNorm2d(3), autograd.randn(2, 3, 4, 4)
    weight = norm.weight
    drawing = viz.draw(norm(x).sum(), model=norm)
    assert_legible(drawing)
    assert "reshape" not in labels(drawing, "operation")
    assert [box.lines for box in boxes(drawing, "parameter")] == [("3  float32",)] * 2
    assert labels(viz.draw(weight.reshape(3, 1) * 1, model=norm, style="model"), "operation") == ["mul *1"]
    assert labels(viz.draw(weight.reshape(3, 1), model=norm, style="model"), "operation") == ["reshape"]
    for view, drawn in ((lambda: weight.expand(2, 3).flatten(), ["flatten"]), (lambda: weight[None], []),
                        (lambda: weight[1:], ["getitem [1:]"]), (lambda: weight.unfold(0, 2, 1), ["unfold"]),
                        (lambda: weight.unbind()[0], ["unbind"])):
        assert labels(viz.draw(view() * 1, model=norm, style="model"), "operation") == [*drawn, "mul *1"]


def test_a_frame_that_would_hold_something_else_is_not_drawn():
    wide, deep = nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    x = autograd.randn(2, 4)
    drawing = viz.draw((wide(deep(x)) + wide(x) * deep(x.relu())).sum(), constants=True)
    assert_legible(drawing)
    for frame in ET.fromstring(str(drawing)).iter("{http://www.w3.org/2000/svg}rect"):
        if frame.get("class") == "cluster":
            left, top = float(frame.get("x")), float(frame.get("y"))
            right, bottom = left + float(frame.get("width")), top + float(frame.get("height"))
            writer = ModelWriter(drawing.picture)
            corners = [writer._corners(i) for i in range(len(drawing.picture.boxes))]
            inside = {i for i, (x0, y0, x1, y1) in enumerate(corners)
                      if x0 < right and x1 > left and y0 < bottom and y1 > top}
            assert any(inside <= set(cluster.members) for cluster in drawing.picture.clusters)


def test_opening_shows_the_first_of_the_repeats():
    drawing = viz.draw(Tower(8, 12), autograd.randn(5, 8), depth=1)
    assert_legible(drawing)
    assert labels(drawing, "module") == ["blocks.0.up", "blocks.0.down", "blocks.1 … blocks.11 × 11"]


def test_one_of_several_outputs_is_drawn_with_its_operation_even_if_that_is_in_a_closed_module():
    lstm, x = nn.LSTM(3, 4), autograd.randn(5, 2, 3)
    head = nn.Linear(4, 1)
    drawing = viz.draw(head(lstm(x)[0]).sum(), depth=0, names={"x": x})
    assert_legible(drawing)
    [recurrent, linear] = [drawing.picture.boxes.index(box) for box in boxes(drawing, "module")]
    assert (recurrent, linear) in [(wire.source, wire.target) for wire in drawing.picture.wires]


def test_large_models_are_closed_until_they_can_be_read():
    drawing = viz.draw(Tower(4, 60), autograd.randn(5, 4))
    assert len(drawing.picture.boxes) <= 60
    assert len(str(drawing)) < 300_000
    assert_legible(drawing)


def test_shared_parameters_are_drawn_once():
    w = autograd.randn(8, 8).requires_grad_()
    drawing = viz.draw(((w @ w).tanh() @ w).sum())
    assert_legible(drawing)
    assert [box.label for box in drawing.picture.boxes].count("w") == 1


def test_the_first_bad_value_is_pointed_out():
    x = Tensor(np.linspace(-1, 1, 11), requires_grad=True)
    with np.errstate(all="ignore"):
        y = (autograd.log(x) * 2 + x).sum()
    drawing = viz.draw(y, style="model")
    alarms = {box.label: box.alarm for box in drawing.picture.boxes if box.alarm}
    assert alarms["log"] == "first bad value: 5 of 11 NaN"
    assert sum("first" in alarm for alarm in alarms.values()) == 1


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
    assert_legible(viz.draw((Tensor(x, requires_grad=True) * 2).sum(), style="model"))
