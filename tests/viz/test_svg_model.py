"""The figure of a model: legible, framed by its modules, well-formed whatever the names."""

import xml.etree.ElementTree as ET

import autograd
import nn
import viz
from tests.viz.pictures import HARD, assert_model_is_legible
from viz.svg_model import ModelWriter


def test_a_frame_that_would_hold_something_else_is_not_drawn():
    wide, deep = nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    x = autograd.randn(2, 4)
    drawing = viz.draw((wide(deep(x)) + wide(x) * deep(x.relu())).sum(), constants=True)
    assert_model_is_legible(drawing)
    for frame in ET.fromstring(str(drawing)).iter("{http://www.w3.org/2000/svg}rect"):
        if frame.get("class") == "cluster":
            left, top = float(frame.get("x")), float(frame.get("y"))
            right, bottom = left + float(frame.get("width")), top + float(frame.get("height"))
            writer = ModelWriter(drawing.picture)
            corners = [writer._corners(i) for i in range(len(drawing.picture.boxes))]
            inside = {i for i, (x0, y0, x1, y1) in enumerate(corners)
                      if x0 < right and x1 > left and y0 < bottom and y1 > top}
            assert any(inside <= set(cluster.members) for cluster in drawing.picture.clusters)


def test_model_with_hard_names_is_well_formed():
    x = autograd.randn(4, 4).requires_grad_()
    for name in HARD:
        ET.fromstring(str(viz.draw((x @ x).tanh().sum(), names={name: x}, style="model")).encode())
