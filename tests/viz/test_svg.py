"""What all figures have in common: what a screen reader says, dark mode, and elements."""

import xml.etree.ElementTree as ET

import viz
from autograd import Tensor
from viz.picture import KINDS
from viz.svg import STYLE, decimal, tag


def test_a_screen_reader_says_every_value_and_gradient():
    w, x = Tensor(2.0, requires_grad=True), Tensor(-1.0)
    y = w * x
    said = ET.fromstring(str(viz.draw(y, names={"w": w, "x": x}))).find("{http://www.w3.org/2000/svg}desc").text
    assert said == ("Circuit of 1 gates and 1 inputs. w: value 2.00, gradient -1.00; x: value -1.00, no gradient; "
                    "*: value -2.00, gradient 1.00")


def test_what_is_light_is_dark_in_dark_mode():
    for kind in KINDS:
        assert (f".{kind.name} {{ fill: {kind.dark}; }}" in STYLE) == bool(kind.dark)


def test_attributes_are_spelled_as_in_python():
    assert tag("text", "a", class_="ink", font_size=12.0, x=0.25, opacity=None) == (
        '<text class="ink" font-size="12" x="0.2">a</text>')
    assert decimal(-3.06) == "-3.1"
