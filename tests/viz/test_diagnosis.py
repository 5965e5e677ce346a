"""What is wrong with a net is found, said where it is born, at every depth of the drawing; a healthy net is silent."""

import re
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import viz
from autograd import Tensor
from tests.viz import nets
from tests.viz.nets import Size
from tests.viz.pictures import Figure, assert_circuit_is_legible
from viz.picture import Box, Picture

SIZES = [Size(), Size(width=8, depth=5, batch=8), Size(width=32, depth=12, batch=32)]


def drawn(net, size, depth):
    with np.errstate(all="ignore"):
        loss, model = net(size)
        return viz.draw(loss, model=model, depth=depth, limit=5000).picture


def alarms(picture: Picture) -> list[tuple[str, str]]:
    return [(box.label, box.alarm) for box in picture.boxes if box.alarm]


def birth(whole: Picture, picture: Picture) -> Box:
    """The only box where something is born; in a closed module, the box inside it."""
    [born] = [box for box in picture.boxes if box.born]
    assert born.alarm.startswith("born here")
    return birth(whole, whole.insides[born.link]) if born.link else born


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", nets.SICK)
def test_a_fault_is_marked_once_where_it_is_born_at_every_depth(name, seed):
    net, place, what = nets.SICK[name]
    for depth in (0, 1, 9):
        autograd.manual_seed(seed)
        picture = drawn(net, SIZES[seed], depth)
        born = birth(picture, picture)
        assert re.search(place, born.label) and re.search(what, born.alarm), (depth, born)
        assert born.alarm.partition(": ")[2] in picture.summary


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", nets.HEALTHY)
def test_a_healthy_net_is_silent(name, seed):
    for depth in (0, 9):
        autograd.manual_seed(seed)
        assert not alarms(drawn(nets.HEALTHY[name], SIZES[seed], depth)), depth


def test_the_guide_names_every_net():
    guide = " ".join((Path(__file__).parents[2] / "docs/visualizing.md").read_text(encoding="utf-8").split())
    table = guide.partition("| net | born at | found | | --- | --- | --- |")[2]
    named = ", ".join(re.findall(r"\| ([^|]+) \| [^|]+ \| [^|]+ \|", table))
    assert sorted(named.split(", ")) == sorted(", ".join(nets.SICK).split(", "))
    assert f"silent: {', '.join(nets.HEALTHY)}." in guide


def test_consequences_are_gray():
    autograd.manual_seed(0)
    loss, model = nets.dead_relu(Size(depth=3))
    drawing = viz.draw(loss, model=model)
    assert [box.label for box in drawing.picture.boxes if box.born] == ["relu"]
    assert {box.label for box in drawing.picture.boxes if box.follows} >= {"0.weight", "2.weight", "4.weight"}
    assert str(drawing).count("⚠") == 1 and str(drawing).count('class="gray"') and "↳ gradient is zero" in str(drawing)


def test_the_size_of_the_loss_does_not_matter():
    for net in (nets.mlp, nets.vanishing_by_sigmoid):
        found = []
        for factor in (1e-10, 1.0, 1e10):
            autograd.manual_seed(0)
            loss, model = net(Size())
            found.append(alarms(viz.draw(loss * factor, model=model).picture))
        assert found[0] == found[1] == found[2]


def test_a_bias_before_a_batch_norm_has_no_gradient_but_that_is_no_alarm():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 2))
    loss = (model(autograd.randn(16, 3, 8, 8)) ** 2).mean()
    picture = viz.draw(loss, model=model).picture
    assert not alarms(picture)
    [bias] = [box for box in picture.boxes if box.label == "0.bias"]
    assert re.search(r"e-(9|1\d)", bias.gradient)  # the rounding of zero


def test_what_is_wrong_in_one_of_many_folded_calls_is_shown_when_they_are_opened():
    autograd.manual_seed(0)
    model = nets.Blocks(Size(depth=12), lambda _: nets.Block(16))
    with autograd.no_grad():
        model.blocks[6].down.weight[0, 0] = np.nan
    loss, _ = nets.classified(model, Size())
    picture = viz.draw(loss, model=model, depth=1).picture
    [folded] = [box for box in picture.boxes if box.born]
    assert "×" in folded.label and folded.alarm.startswith("born here, in blocks.6.down.weight: 1 of 512 NaN")
    assert folded.link.startswith("blocks.6@")


def test_without_modules_leaves_are_the_parameters():
    autograd.manual_seed(0)
    weights = [(autograd.randn(8, 8) * 0.05).requires_grad_() for _ in range(9)]
    x = autograd.randn(4, 8)
    for w in weights:
        x = (x @ w).sigmoid()
    drawing = viz.draw(x.sum(), names={f"layer {i}": w for i, w in enumerate(weights)})
    found = {box.label: box.alarm for box in drawing.picture.boxes}
    assert found["layer 0"].startswith("gradient vanishes") and not found["layer 8"]


@pytest.mark.parametrize(("value", "born"), [(-2.0, "ln"), (np.nan, "x"), (2.0, "")])
def test_circuits_show_where_a_number_stops_being_finite(value, born):
    w, x = Tensor(3.0, requires_grad=True), Tensor(value, requires_grad=True)
    with np.errstate(all="ignore"):
        y = (w * x).log() * w + 1
    drawing = viz.draw(y, names={"w": w, "x": x})
    marked = [box for box in drawing.picture.boxes if box.born]
    assert [box.label for box in marked] == [born] * bool(born)
    assert str(drawing).count("⚠ born here") == len(marked)
    assert_circuit_is_legible(Figure(drawing))


def test_an_infinity_that_reaches_the_output_is_born_where_it_was_written():
    x, offset = autograd.randn(40).requires_grad_(), Tensor(np.full(40, np.inf))
    picture = viz.draw((x + offset).sum(), style="model").picture
    assert [box.label for box in picture.boxes if box.born] == ["offset"]


def test_a_gradient_that_overflows_when_it_is_added_up():
    x = (autograd.ones(40) * 1e-30).requires_grad_()
    y = x * 1.0
    picture = viz.draw((y * 3e38 + y * 3e38).sum(), style="model", names={"y": y}).picture
    assert [(box.name, box.alarm) for box in picture.boxes if box.born] == [
        ("y", "born here: gradients add up to 40 of 40 infinite")]
