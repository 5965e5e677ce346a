"""`draw`: what it takes, refuses and leaves alone, and the files it saves."""

import xml.etree.ElementTree as ET

import pytest

import viz
from autograd import Tensor
from tests.viz.pictures import neuron, product
from viz.nested import place_groups


def test_drawing_changes_nothing_and_can_be_followed_by_backward():
    f, tensors = neuron()
    viz.draw(f)
    assert all(t.grad is None for t in tensors.values())
    f.backward()
    assert tensors["x1"].grad.item() == pytest.approx(-0.589836, abs=1e-5)


def test_a_released_graph_says_what_to_do():
    f, _ = neuron()
    f.backward()
    with pytest.raises(RuntimeError, match=r"retain_graph=True"):
        viz.draw(f)


def test_nothing_recorded_says_what_to_do():
    with pytest.raises(RuntimeError, match="requires_grad_"):
        viz.draw(Tensor(1.0))


def test_saving_and_showing(tmp_path):
    drawing = viz.draw(neuron()[0])
    path = drawing.save(tmp_path / "figures" / "neuron.svg")
    assert ET.parse(path).getroot().tag.endswith("svg")
    bundle = drawing._repr_mimebundle_()
    assert bundle["image/svg+xml"] == str(drawing)
    assert "8 gates" in bundle["text/html"] and "8 gates" in bundle["text/plain"]
    with pytest.raises(ValueError, match=r"\.svg"):
        drawing.save(tmp_path / "neuron.docx")


def test_a_picture_is_laid_out_once_however_often_it_is_saved(tmp_path, monkeypatch):
    drawing, places = viz.draw(neuron()[0]), []
    monkeypatch.setattr("viz.svg.place_groups", lambda *args, **more: places.append(1) or place_groups(*args, **more))
    for name in ("a.svg", "b.svg", "c.html"):
        drawing.save(tmp_path / name)
    drawing._repr_mimebundle_()
    assert len(places) == 1


def test_a_function_and_its_arguments_are_called():
    def square(side: Tensor) -> Tensor:
        return side * side
    figure = str(viz.draw(square, Tensor(3.0, requires_grad=True)))
    assert "side" in figure and "9.00" in figure and "6.00" in figure


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
