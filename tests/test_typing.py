"""Types hold: users' programs pass both checkers, their mistakes are found, and packages say what is public."""

import importlib
import importlib.util
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MISTAKES = ROOT / "tests/typing/mistakes.py"
PACKAGES = ["autograd", "nn", "nn.data", "nn.distributions", "nn.functional", "nn.utils", "optim", "viz"]
CHECKERS = {"mypy": [], "pyright": ["--pythonpath", sys.executable]}


def complaints(checker, path):
    """The lines of a file, or of the files in a folder, that a checker finds errors in."""
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed")
    result = subprocess.run([sys.executable, "-m", checker, *CHECKERS[checker], path], cwd=ROOT, capture_output=True,
                            text=True, check=False)
    assert result.returncode in (0, 1), result.stdout + result.stderr
    return re.findall(r"(\w+\.py):(\d+):(?:\d+ -)? error", result.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_programs_have_no_errors(checker):
    assert complaints(checker, ROOT / "tests/typing/programs") == []


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_mistakes_are_found(checker):
    lines = MISTAKES.read_text(encoding="utf-8").splitlines()
    found = {int(line) for name, line in complaints(checker, MISTAKES) if name == MISTAKES.name}
    assert found == {i for i, line in enumerate(lines, 1) if line.endswith("# error")}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_what_is_public(package):
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    offered = {name for name, value in vars(module).items() if not name.startswith("_")
               and not isinstance(value, types.ModuleType) and getattr(value, "__module__", package) != "builtins"}
    assert offered - {"FUNCTIONS"} <= set(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
