"""Other packages of the same names: what happened and what to do is said in one sentence."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("autograd", "nn", "optim", "viz")
CURE = "pip uninstall -y autograd gradcircuit, then pip install gradcircuit"


@pytest.fixture
def installed(tmp_path):
    """A folder with the packages, as pip fills it."""
    for package in (*PACKAGES, "gradcircuit"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def said(folder, program):
    """What an import wrote to the standard error, on its last line."""
    others = [path for path in sys.path if not (Path(path) / "autograd").exists()]
    python = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {[str(folder), *others]!r}; {program}"]
    result = subprocess.run(python, capture_output=True, text=True, check=False)
    return result.stderr.strip().rpartition("\n")[2] if result.returncode else result.stderr


def hips(folder):
    """What HIPS autograd puts into the folder, as far as it matters."""
    (folder / "autograd/tracer.py").write_text("def trace(): ...\n")
    (folder / "autograd/__init__.py").write_text("from .tracer import trace\n")


@pytest.mark.parametrize("package", ["nn", "optim", "viz", "gradcircuit"])
def test_hips_autograd_over_ours(installed, package):
    hips(installed)
    message = said(installed, f"import {package}")
    assert message.startswith("ImportError: ") and "HIPS autograd, which was installed over" in message
    assert message.endswith(CURE)


@pytest.mark.parametrize("package", [*PACKAGES, "gradcircuit"])
def test_hips_autograd_beneath_ours(installed, package):
    (installed / "autograd/tracer.py").write_text("def trace(): ...\n")
    message = said(installed, f"import {package}; import autograd; autograd.ones(2).sum()")
    assert message.count("RuntimeWarning: HIPS autograd lies in") == 1 and CURE in message


@pytest.mark.parametrize("package", ["nn", "optim", "viz", "gradcircuit"])
def test_hips_autograd_uninstalled_again(installed, package):
    hips(installed)
    (installed / "autograd/tracer.py").unlink()
    (installed / "autograd/__init__.py").unlink()
    message = said(installed, f"import {package}")
    assert "__init__.py is missing, because HIPS autograd" in message and message.endswith(CURE)


def test_a_file_of_ones_own_that_hides_a_package(installed, tmp_path_factory):
    own = tmp_path_factory.mktemp("own")
    (own / "nn.py").write_text("class Mine: ...\n")
    message = said(installed, f"sys.path.insert(0, {str(own)!r}); import gradcircuit")
    assert message == (f"ImportError: the name nn means {own / 'nn.py'} here, which hides gradcircuit's package of "
                       "that name; rename the file, or run the program from another folder")


def test_all_under_one_name(installed):
    assert said(installed, "from gradcircuit import autograd, nn, optim, viz, __version__; "
                           "assert nn.Linear and __version__ == autograd.__version__") == ""
