"""Versions that are too old are refused in one sentence."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from autograd.runtime import requirements

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_versions_are_those_of_the_project():
    bounds = [re.search(r">=([\d.]+)", text)[1] for text in (PROJECT["requires-python"], PROJECT["dependencies"][0])]
    assert PROJECT["dependencies"][0].startswith("numpy")
    assert [".".join(map(str, needed)) for needed in (requirements.PYTHON, requirements.NUMPY)] == bounds


@pytest.mark.parametrize(("lie", "message"), [
    ("import sys; sys.version_info = (3, 10, 13)", "Python 3.11 or later; this is 3.10.13"),
    ("import numpy; numpy.__version__ = '1.26.4'", "NumPy 2.2.6 or later; this is 1.26.4"),
    ("import numpy; numpy.__version__ = '2.2.0rc1'", "NumPy 2.2.6 or later; this is 2.2.0")])
@pytest.mark.parametrize("package", ["autograd", "nn", "optim", "viz"])
def test_what_is_too_old_is_named(package, lie, message):
    result = subprocess.run([sys.executable, "-c", f"{lie}\nimport {package}"], capture_output=True, text=True,
                            check=False)
    assert result.stderr.endswith(f"ImportError: gradcircuit needs {message}\n")
