"""The figure of a model: legible, framed by its modules, well-formed whatever the names."""

import xml.etree.ElementTree as ET

import pytest

import autograd
import nn
import viz
from tests.viz.pictures import HARD, Block, Tower, assert_model_is_legible
from viz.picture import A4, Look
from viz.svg_model import ModelWriter


def test_a_frame_holds_its_module_and_nothing_else():
    wide, deep = nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    x = autograd.randn(2, 4)
    y = (wide(deep(x)) + wide(x) * deep(x.relu())).sum()
    for direction in ("down", "right"):
        drawing = viz.draw(y, constants=True, direction=direction, show=["shape", "parameters"])
        assert_model_is_legible(drawing)
        writer = ModelWriter(drawing.picture)
        assert writer.frames
        for number, (begin, end) in writer.frames.items():
            (left, top), (right, bottom) = writer.at(*begin), writer.at(*end)
            corners = [writer.corners(i) for i in range(len(drawing.picture.boxes))]
            assert {i for i, (x0, y0, x1, y1) in enumerate(corners) if x0 < right and x1 > left and y0 < bottom
                    and y1 > top} == set(drawing.picture.clusters[number].members)


def forty_layers() -> nn.Sequential:
    """Healthy: no gradient vanishes."""
    net = nn.Sequential(*[nn.Linear(4, 4) for _ in range(40)])
    for layer in net:
        nn.init.orthogonal_(layer.weight)
    return net


@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize("net", [Tower(8, 3), forty_layers()])
def test_a_long_network_is_wrapped_to_fit_a_page(net, direction):
    """In one ribbon it is several pages long; on one page the smallest type would have less than four points."""
    x = autograd.randn(2, net.get_parameter(next(iter(dict(net.named_parameters())))).shape[1])
    drawings = [viz.draw(net, x, depth=3, opened=["*.*"], direction=direction, ratio=ratio) for ratio in (None, 0)]
    writers = []
    for drawing in drawings:
        assert_model_is_legible(drawing)
        writers.append(ModelWriter(drawing.picture))
    page = Look(direction == "down", ratio=A4 if direction == "down" else 1 / A4)
    scales = []
    for writer in writers:
        writer.picture.look = page
        scales.append(writer.scale(*writer.sides))
    assert scales[0] > 0.7 and scales[0] > 1.2 * scales[1]


def test_where_there_is_no_room_only_shapes_are_shown_and_costs_on_request():
    net, x = forty_layers(), autograd.randn(2, 4)
    full, compact = str(viz.draw(net[:4], x)), str(viz.draw(net, x, depth=1, opened=["*"]))
    assert 'class="value"' in full and 'class="value"' not in compact and "2 × 4 float32" in compact
    assert "0.weight</text>" in full and "0.weight</text>" not in compact
    asked = str(viz.draw(net[:4], x, show=["count", "flops", "bytes", "time"]))
    assert 'class="value"' not in asked and asked.count("20 parameters, 25%") == 4 and asked.count("ms, ") == 4
    costs = nn.summary(net[:4], x)
    assert sum(box.costs["flops"] for box in viz.draw(net[:4], x).picture.boxes if box.costs) == costs.flops


def test_a_wire_past_a_longer_way_is_marked_as_a_skip():
    net = Block(8)
    drawing = viz.draw(net, autograd.randn(2, 8).requires_grad_().exp())
    boxes = drawing.picture.boxes
    writer = ModelWriter(drawing.picture)
    assert [(boxes[w.source].label, boxes[w.target].label) for i, w in enumerate(drawing.picture.wires)
            if writer.skips(i)] == [("exp", "add")]


def test_model_with_hard_names_is_well_formed():
    x = autograd.randn(4, 4).requires_grad_()
    for name in HARD:
        ET.fromstring(str(viz.draw((x @ x).tanh().sum(), names={name: x}, style="model")).encode())


def test_the_same_program_gives_the_same_bytes_whatever_ran_before():
    def drawn() -> str:
        autograd.manual_seed(0)
        model = nn.Sequential(*[nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in range(7)])
        return "".join(str(draw(model, autograd.randn(2, 4), depth=0)) for draw in (viz.draw, viz.flow))
    assert drawn() == drawn()
