"""Any name comes out as valid XML, HTML and DOT; graphs that are too large are refused at once."""

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import viz
from autograd import Tensor
from viz.page import write as page_of

HARD = ['a"b', "a'b", "<b>", "a&amp;b", "</script><script>alert(1)</script>", "]]>", "<!--", "two\nlines",
        "\0", "\ud800",
        "🙂", "שלום", "مرحبا", "\u202e", "\ufffe", "x" * 500, "", " ",
        "{{svg}}", "{{data}}", "\\N", "%s", "w_0_1", "é́"]
names = st.one_of(st.sampled_from(HARD), st.text(st.characters(exclude_categories=()), max_size=30))


def product(name_x: str, name_y: str) -> viz.Drawing:
    x, y = Tensor(2.0, requires_grad=True), Tensor([3.0, 4.0])
    return viz.draw((x * y).sum() * x, names={name_x: x, name_y: y})


@given(names, names)
def test_svg_and_page_are_well_formed_whatever_the_names(name_x, name_y):
    drawing = product(name_x, name_y)
    root = ET.fromstring(str(drawing).encode())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    page = page_of(drawing.picture, lambda picture: str(drawing))
    page.encode()
    [data] = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert len(json.loads(data)[""]["steps"]) == len(drawing.picture.steps)
    assert page.count("<svg") == 1 and page.count("<script") == 2


@given(names)
def test_dot_has_one_node_a_box_whatever_the_names(name):
    source = product(name, "y").to_dot().source
    assert len(re.findall(r"^\tn\d+ \[", source, re.MULTILINE)) == len(product(name, "y").picture.boxes)
    source.encode()


def test_dot_does_not_take_a_name_for_html():
    assert 'label="<b>"' in product("<b>", "y").to_dot().source


def test_model_with_hard_names_is_well_formed():
    x = autograd.randn(4, 4).requires_grad_()
    for name in HARD:
        ET.fromstring(str(viz.draw((x @ x).tanh().sum(), names={name: x}, style="model")).encode())


def test_a_chain_too_long_to_read_is_refused_with_a_remedy():
    x = y = Tensor(1.0, requires_grad=True)
    for _ in range(100_000):
        y = y + 1.0
    for style in (None, "model"):
        with pytest.raises(ValueError, match=r"100,000 boxes.*Draw a part"):
            viz.draw(y, style=style)
    assert x.grad is None


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ((1.5,), TypeError, "not a float"),
    ((), TypeError, r"draw\(y\)"), ((Tensor(1.0),), RuntimeError, "requires_grad_")])
def test_what_cannot_be_drawn_says_why(arguments, error, message):
    with pytest.raises(error, match=message):
        viz.draw(*arguments)


def test_wrong_options_say_why():
    x = Tensor(1.0, requires_grad=True)
    with pytest.raises(ValueError, match="'circuit' or 'model'"):
        viz.draw(x * x, style="cirquit")
    with pytest.raises(TypeError, match="names must be a dict"):
        viz.draw(x * x, names=["x"])
    with pytest.raises(TypeError, match="names must map"):
        viz.draw(x * x, names={"x": "x"})


def test_values_that_are_not_finite_are_shown():
    x = Tensor(0.0, requires_grad=True)
    with np.errstate(all="ignore"):
        y = autograd.log(x) * 0.0
    drawing = str(viz.draw(y))
    assert "−∞" in drawing and "NaN" in drawing


def test_png_and_pdf(tmp_path):
    try:
        import cairosvg  # noqa: F401
    except (ImportError, OSError):
        pytest.skip("needs CairoSVG and the Cairo library")
    drawing = product("x", "y")
    assert drawing.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert drawing.save(tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert drawing.save(tmp_path / "a.dot").read_text().startswith("digraph")


def test_png_without_its_extra_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cairosvg", None)
    with pytest.raises(ImportError, match=r"gradcircuit\[images\]"):
        product("x", "y").save(tmp_path / "a.png")
