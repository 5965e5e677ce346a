"""Circuits as TikZ: the texts and places of the SVG, and a file that LaTeX takes whatever the names."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import viz
from autograd import Tensor
from viz.picture import GATE
from viz.tikz import _SPECIAL, escaped

NODE = re.compile(r"\\node\[(.*?)\] at \(([-\d.]+),([-\d.]+)\) \{(.*)\};")
HARD = ["a_b_c", "100%", "#1", "$x$", "a & b", "{", "}", "\\end{document}", "x^2", "a~b", "<", "α_1", 'say "a"', "[0]"]


def circuit(names: list[str]) -> viz.Drawing:
    inputs = [Tensor(0.5 + i, requires_grad=True) for i in range(len(names))]
    y = autograd.exp(-inputs[0]) * inputs[0]
    for x in inputs:
        y = autograd.maximum(y + x, x / 3).sqrt()
    return viz.draw(y, names=dict(zip(names, inputs, strict=True)))


def test_numbers_stand_where_they_stand_in_the_svg(tmp_path):
    drawing = circuit(["w0", "x"])
    source = drawing.save(tmp_path / "circuit.tex").read_text()
    figure = ET.fromstring(str(drawing))
    for class_ in ("value", "gradient"):
        in_svg = [(t.text, float(t.get("x")), float(t.get("y"))) for t in figure.iter("{http://www.w3.org/2000/svg}text")
                  if t.get("class") == class_]
        in_tex = [(content, float(x), float(y)) for look, x, y, content in NODE.findall(source)
                  if look.startswith(class_) and "scriptsize" not in look]
        assert [content for content, _, _ in in_tex] == [content for content, _, _ in in_svg]
        for (_, x, y), (_, x2, y2) in zip(in_tex, in_svg, strict=True):
            assert abs(x - x2) < 0.2 and abs(y - y2 + (-3 if class_ == "value" else 14)) < 0.2
    assert source.count("\\draw[gate]") == sum(box.kind is GATE for box in drawing.picture.boxes)
    assert source.count("\\draw[wire]") == len(drawing.picture.wires)
    assert r"\textit{w}$_{\mathrm{0}}$" in source


@given(st.one_of(st.sampled_from(HARD), st.text(max_size=20)))
def test_nothing_in_a_name_is_taken_for_a_command(name):
    rest = re.sub("|".join(map(re.escape, sorted(_SPECIAL.values(), key=len, reverse=True))), "", escaped(name))
    assert not set(rest) & set("\\{}$&#%_^~\n")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs LaTeX")
def test_latex_takes_it(tmp_path):
    circuit(HARD).save(tmp_path / "circuit.tex")
    done = subprocess.run(["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "circuit.tex"], cwd=tmp_path,
                          capture_output=True, timeout=60, check=False)
    if b"standalone.cls' not found" in done.stdout:
        pytest.skip("needs the LaTeX class standalone")
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "circuit.pdf").stat().st_size


def test_a_model_is_no_circuit(tmp_path):
    x = autograd.randn(4, 4).requires_grad_()
    with pytest.raises(ValueError, match=r"save it as \.pdf"):
        viz.draw((x @ x).sum(), style="model").save(tmp_path / "model.tex")
