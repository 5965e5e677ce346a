"""Layout engines: Graphviz says the order, the built-in layout steps in; what is missing is named with its remedy."""

import importlib.util
import random
import subprocess
import sys
import warnings

import pytest

import autograd
import viz
from autograd import Tensor
from tests.viz.pictures import assert_well_laid_out, some_graph
from viz import engines
from viz.layout import Layout, Link, place

needs_pygraphviz = pytest.mark.skipif(importlib.util.find_spec("pygraphviz") is None, reason="needs pygraphviz")


def crossings(layout: Layout, links: list[Link]) -> int:
    """How many pairs of wires cross between the same ranks."""
    bends = {(a, b) for route in layout.routes for a, b in zip(route[1::2], route[2::2], strict=False)}
    return sum(a[0] == c[0] and (a[1] - c[1]) * (b[1] - d[1]) < 0 for a, b in bends for c, d in bends) // 2


def tanh_of_sums(count: int) -> Tensor:
    x = [Tensor(float(i), requires_grad=True) for i in range(4)]
    draw = random.Random(0)
    while len(x) < count:
        x.append(autograd.tanh(draw.choice(x) + draw.choice(x)))
    return sum(x[-8:], x[0])


@needs_pygraphviz
@pytest.mark.parametrize("seed", range(3))
def test_graphviz_gives_an_order_and_the_layout_keeps_its_promises(seed):
    sizes, links = some_graph(seed, 40)
    layout = place(sizes, links, gap=12.0, engine="pygraphviz")
    assert_well_laid_out(layout, sizes, links, 12.0)
    first = [across for along, across in layout.centers if along == layout.centers[0][0]]
    assert first == sorted(first)  # inputs stay in their order
    assert crossings(layout, links) < crossings(place(sizes, links, gap=12.0), links)


@needs_pygraphviz
@pytest.mark.parametrize("style", ["circuit", "model"])
def test_a_drawing_by_graphviz_shows_the_same_and_is_the_same_every_time(style):
    y = tanh_of_sums(30)
    built_in, by_graphviz = (viz.draw(y, style=style, engine=engine) for engine in ("layered", "graphviz"))
    assert by_graphviz.picture == built_in.picture and str(by_graphviz) != str(built_in)
    assert str(by_graphviz) == str(viz.draw(y, style=style, engine="pygraphviz"))


@needs_pygraphviz
def test_dot_on_the_path_does_the_same(tmp_path, monkeypatch):
    dot = tmp_path / "dot"
    dot.write_text(f"#!{sys.executable}\nimport sys\nassert sys.argv[1:] == ['-Tplain']\n{engines._IN_PYTHON}\n")
    dot.chmod(0o755)
    y = tanh_of_sums(20)
    expected = str(viz.draw(y, engine="graphviz"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert str(viz.draw(y, engine="dot")) == expected
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert str(viz.draw(y, engine="graphviz")) == expected


def test_small_graphs_need_no_program_and_large_ones_use_it(monkeypatch):
    asked = []
    monkeypatch.setattr(engines, "command", lambda engine: ["a program"])

    def run(*args, **options):
        asked.append(args)
        raise subprocess.TimeoutExpired("a program", 1)
    monkeypatch.setattr(subprocess, "run", run)
    str(viz.draw(tanh_of_sums(20)))
    assert not asked
    with pytest.warns(UserWarning, match="Graphviz took more than"):
        str(viz.draw(tanh_of_sums(200)))
    assert len(asked) == 1


@pytest.mark.parametrize(("program", "message"), [
    ("import time; time.sleep(60)", r"took more than 0\.3 s"),
    ("import sys; sys.exit('out of memory')", r"exit status 1 \(out of memory\)"),
    ("import os; os.kill(os.getpid(), 9)", "exit status -9"),
    ("print('node 0 1.0')", "failed"), ("print()", "failed")])
def test_whatever_goes_wrong_the_built_in_layout_steps_in_with_one_line(program, message, monkeypatch):
    y = tanh_of_sums(20)
    expected = str(viz.draw(y, engine="layered"))
    monkeypatch.setattr(engines, "command", lambda engine: [sys.executable, "-c", program])
    if "sleep" in program:
        monkeypatch.setattr(engines, "TIME_OUT", 0.3)
    with pytest.warns(UserWarning, match=message) as caught:
        assert str(viz.draw(y, engine="graphviz")) == expected
    [warning] = caught
    assert "\n" not in str(warning.message) and "built-in layout" in str(warning.message)


@pytest.mark.parametrize("engine", ["graphviz", "pygraphviz", "dot"])
def test_an_engine_that_is_not_there_is_missed_by_name(engine, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ImportError, match=r"pip install 'gradcircuit\[layout\]'"):
        viz.draw(tanh_of_sums(8), engine=engine)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = tanh_of_sums(200)
        assert str(viz.draw(y)) == str(viz.draw(y, engine="layered"))


def test_an_engine_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"'auto', 'layered', .* or 'dot', not 'neato'"):
        viz.draw(tanh_of_sums(8), engine="neato")
