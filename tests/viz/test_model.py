"""Pictures of models: what each box says, what is hidden."""

import numpy as np
import pytest

import autograd
import nn
import viz
from autograd import Tensor
from tests.viz.pictures import Tower, assert_model_is_legible, boxes, labels, mlp


def test_an_mlp_shows_operations_parameters_shapes_and_statistics():
    model, images, loss = mlp()
    drawing = viz.draw(loss, model=model)
    assert_model_is_legible(drawing)
    assert labels(drawing, "operation") == ["linear", "relu", "linear", "power ^2", "mean"]
    assert labels(drawing, "parameter") == ["0.weight", "0.bias", "2.weight", "2.bias"]
    weight = boxes(drawing, "parameter")[0]
    assert weight.lines == ("32 × 64  float32",)
    array = model.get_parameter("0.weight").detach().numpy()
    assert f"{array.mean():.2g}".replace("e-0", "e-") in weight.value
    assert f"{array.max():.2g}" in weight.value and len(weight.value_bars) == 16 and len(weight.gradient_bars) == 16
    assert labels(drawing, "constant") == ["images"]  # found among the variables here
    assert boxes(drawing, "constant")[0].gradient == "–"
    assert images.grad is None and model.get_parameter("0.weight").grad is None
    assert [cluster.title for cluster in drawing.picture.clusters] == ["0 Linear", "1 ReLU", "2 Linear"]


def test_constants_without_a_name_are_hidden_unless_asked_for():
    x = autograd.randn(8, 8).requires_grad_()
    y = (x * np.ones((8, 8), np.float32)).sum()
    assert labels(viz.draw(y), "constant") == []
    assert labels(viz.draw(y, constants=True), "constant") == ["constant"]


def test_a_parameter_that_is_only_brought_into_shape_stands_beside_the_operation_that_reads_it():
    norm, x = nn.BatchNorm2d(3), autograd.randn(2, 3, 4, 4)
    weight = norm.weight
    drawing = viz.draw(norm(x).sum(), model=norm)
    assert_model_is_legible(drawing)
    assert "reshape" not in labels(drawing, "operation")
    assert [box.lines for box in boxes(drawing, "parameter")] == [("3  float32",)] * 2
    assert labels(viz.draw(weight.reshape(3, 1) * 1, model=norm, style="model"), "operation") == ["mul *1"]
    assert labels(viz.draw(weight.reshape(3, 1), model=norm, style="model"), "operation") == ["reshape"]
    for view, drawn in ((lambda: weight.expand(2, 3).flatten(), ["flatten"]), (lambda: weight[None], []),
                        (lambda: weight[1:], ["getitem [1:]"]), (lambda: weight.unfold(0, 2, 1), ["unfold"]),
                        (lambda: weight.unbind()[0], ["unbind"])):
        assert labels(viz.draw(view() * 1, model=norm, style="model"), "operation") == [*drawn, "mul *1"]


def test_one_of_several_outputs_is_drawn_with_its_operation_even_if_that_is_in_a_closed_module():
    lstm, x = nn.LSTM(3, 4), autograd.randn(5, 2, 3)
    head = nn.Linear(4, 1)
    drawing = viz.draw(head(lstm(x)[0]).sum(), depth=0, names={"x": x})
    assert_model_is_legible(drawing)
    [recurrent, linear] = [drawing.picture.boxes.index(box) for box in boxes(drawing, "module")]
    assert (recurrent, linear) in [(wire.source, wire.target) for wire in drawing.picture.wires]


def test_shared_parameters_are_drawn_once():
    w = autograd.randn(8, 8).requires_grad_()
    drawing = viz.draw(((w @ w).tanh() @ w).sum())
    assert_model_is_legible(drawing)
    assert [box.label for box in drawing.picture.boxes].count("w") == 1


def test_the_first_bad_value_is_pointed_out():
    x = Tensor(np.linspace(-1, 1, 11), requires_grad=True)
    with np.errstate(all="ignore"):
        y = (autograd.log(x) * 2 + x).sum()
    drawing = viz.draw(y, style="model")
    alarms = {box.label: box.alarm for box in drawing.picture.boxes if box.alarm}
    assert alarms["log"] == "born here: 5 of 11 NaN: ln (-1.00) = NaN"
    assert sum("born" in alarm for alarm in alarms.values()) == 1


def test_what_is_open_is_chosen_by_depth_by_name_or_by_a_function():
    net, x = nn.Sequential(Tower(4, 2), Tower(3, 12)), autograd.randn(2, 4)

    def closed(**options):
        return [box.link.partition("@")[0] for box in boxes(viz.draw(net, x, **options), "module")]
    assert closed(depth=0) == ["0", "1"]
    assert closed(depth=1) == ["0.blocks.0", "0.blocks.1", "0.head", "1.blocks.0", "1.head"]
    assert closed(depth=0, opened=["0.blocks.1"]) == ["0.blocks.0", "0.blocks.1.up", "0.blocks.1.down", "0.head", "1"]
    assert closed(depth=0, opened=["1.blocks.7"])[:9] == ["0", *(f"1.blocks.{i}" for i in range(7)), "1.blocks.7.up"]
    assert closed(depth=0, opened=["0.*"]) == ["0.blocks.0", "0.blocks.1", "1"]
    assert closed(depth=0, opened=lambda path: path == "0") == ["0.blocks.0", "0.blocks.1", "0.head", "1"]


def test_operations_that_only_change_a_shape_can_be_left_out():
    x = autograd.randn(4, 6).requires_grad_()
    y = (x.exp().reshape(2, 12).transpose(0, 1) @ x.reshape(2, 12)).flatten()[3:].sum()
    assert labels(viz.draw(y, style="model"), "operation") == [
        "exp", "reshape", "transpose", "reshape", "matmul", "flatten", "getitem [3:]", "sum"]
    drawing = viz.draw(y, style="model", shapes=False)
    assert_model_is_legible(drawing)
    assert labels(drawing, "operation") == ["exp", "matmul", "getitem [3:]", "sum"]
    assert len(drawing.picture.wires) == 5  # matmul still takes x and exp(x)


@pytest.mark.parametrize(("options", "message"), [
    ({"direction": "up"}, "'down' or 'right', not 'up'"), ({"show": ["values"]}, "'value'.*not 'values'"),
    ({"ratio": -1}, "not -1")])
def test_an_option_without_meaning_says_what_it_may_be(options, message):
    with pytest.raises(ValueError, match=message):
        viz.draw(Tensor(1.0, requires_grad=True) * 2, **options)
