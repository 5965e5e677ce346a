"""Docstrings are true: every `>>>` shows what happens, and help() tells about this function."""

import ast
import builtins
import doctest
import importlib
import inspect
import re
from pathlib import Path

import hypothesis
import numpy as np
import pytest

import autograd
import nn
import optim
import viz
from autograd import Tensor, testing  # noqa: F401 - `autograd.testing`
from autograd.table import TABLE

ROOT = Path(__file__).parent.parent
SOURCES = {path: path.read_text(encoding="utf-8") for package in ("autograd", "nn", "optim", "viz", "gradcircuit")
           for path in sorted(ROOT.glob(f"{package}/**/*.py"))}
IMPORTS = {**{name: value for name, value in vars(autograd).items() if name[0] != "_" and name not in vars(builtins)},
           "autograd": autograd, "nn": nn, "F": nn.functional, "optim": optim, "viz": viz, "np": np,
           "given": hypothesis.given, "strategies": autograd.testing.strategies}
"""What an example takes for granted, beside the names of its module and of the package around it."""
EXTRAS = {"set_compiled": "numba", **dict.fromkeys(("NetClassifier", "NetRegressor"), "sklearn"), **dict.fromkeys(
    ("attention", "curves", "heatmap", "image", "images", "mesh", "points", "surface"), "matplotlib")}
"""The examples that need an optional package."""


def users():
    """What an example calls the user's own: a model, its data, its loss, and an optimizer that has made a step."""
    autograd.manual_seed(0)
    model, loss, x, y = nn.Sequential(nn.Linear(3, 2)), nn.MSELoss(), autograd.randn(4, 3), autograd.randn(4, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    loss(model(x), y).backward()
    optimizer.step()
    return {"model": model, "loss": loss, "x": x, "y": y, "optimizer": optimizer}


def examples():
    """The docstrings that have some, by the name of what they tell about."""
    found = {}

    def look(node, name, path):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            text = ast.get_docstring(node, clean=False) or ""
            if ">>>" in text:
                found[name] = (path, text)
            for child in ast.walk(node) if isinstance(node, ast.FunctionDef) else node.body:
                if child is not node and hasattr(child, "name"):
                    look(child, f"{name}.{child.name}", path)

    for path, source in SOURCES.items():
        if ">>>" in source:
            look(ast.parse(source), ".".join(path.relative_to(ROOT).with_suffix("").parts), path)
    return found


EXAMPLES = examples()
NUMPYS = {inspect.getdoc(function) for module in (np, np.linalg) for function in vars(module).values()
          if callable(function)} - {None}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_show_what_happens(name, table, tmp_path, monkeypatch):
    pytest.importorskip(EXTRAS.get(name.rpartition(".")[2], "numpy"))
    path, text = EXAMPLES[name]
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    package = importlib.import_module(module.__name__.rpartition(".")[0] or module.__name__)
    own = {name: value for name, value in [*vars(package).items(), *vars(module).items()] if name[:2] != "__"}
    example = doctest.DocTestParser().get_doctest(text, IMPORTS | own | users(), name, str(path), 0)
    monkeypatch.chdir(tmp_path)
    threads, compiled, report = autograd.get_num_threads(), autograd.is_compiled(), []
    try:
        failed = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=report.append).failed
    finally:
        autograd.set_num_threads(threads)
        autograd.set_compiled(compiled)
        autograd.set_grad_enabled(True)
    assert not failed, "".join(report)


@pytest.mark.parametrize("op", TABLE.values(), ids=lambda op: op.name)
def test_help_tells_about_this_function(op):
    """Not about NumPy's, whose docstrings begin with a call and list parameters that the operation doesn't have."""
    text = inspect.getdoc(op.call) or ""
    assert text not in NUMPYS
    assert text or not is_offered(op)
    taken = {*inspect.signature(op.call).parameters, *op.spellings}
    assert {name for name in re.findall(r"`(\w+)=", text) if name not in taken} == set()


def is_offered(op):
    """Whether users find it in `autograd` or on a Tensor."""
    return any(call is op.call for call in [*vars(autograd).values(), *vars(Tensor).values()])


def test_no_example_stands_where_none_is_looked_for():
    stand = sum(line.strip().startswith(">>>") for source in SOURCES.values() for line in source.splitlines())
    assert stand == sum(line.strip().startswith(">>>") for _, text in EXAMPLES.values() for line in text.splitlines())
