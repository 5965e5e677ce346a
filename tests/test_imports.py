"""Imports point one way: no circle in the packages, and in the core none that waits for a call."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("autograd", "nn", "optim", "viz", "gradcircuit")
FILES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
         for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
BELOW = {"autograd": (), "nn": ("autograd",), "optim": ("autograd",), "viz": ("autograd",),
         "gradcircuit": ("autograd", "nn", "optim", "viz")}
CORE = ("clock", "watching", "reads", "errors", "dtypes", "grad_mode", "sharing", "hooks", "tensor", "operation",
        "recording", "calling", "inplace", "table", "backward", "graph", "function")
"""In the order in which they may know each other."""


def imports(module, late):
    """The modules that a module imports: at its beginning, or (`late`) within its functions."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    at_once = {node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))}
    typing = {child for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
              for child in node.body}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and node not in typing and (node not in at_once) == late:
            names = [a.name for a in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module, *[f"{node.module}.{name}" for name in names]]
            yield from (name for name in names if name in FILES and name != module)


def is_package(module):
    return FILES[module].name == "__init__.py"


def test_no_circle():
    known = {module: {name for late in (False, True) for name in imports(module, late) if not is_package(name)}
             for module in FILES if not is_package(module)}
    try:
        list(TopologicalSorter(known).static_order())
    except CycleError as error:
        pytest.fail(f"modules import each other: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("module", FILES)
def test_a_package_knows_only_what_is_below_it(module):
    package = module.partition(".")[0]
    known = BELOW["gradcircuit"] if module.endswith("__main__") else (package, *BELOW[package])  # a program knows all
    for late in (False, True):
        for name in imports(module, late):
            assert name.partition(".")[0] in known, f"{module} imports {name}"


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_at_once_and_downward(module):
    assert not list(imports(f"autograd.{module}", late=True))
    above = {f"autograd.{name}" for name in CORE[CORE.index(module):]}
    assert not above & set(imports(f"autograd.{module}", late=False))
