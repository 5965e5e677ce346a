"""What is given away is whole: the README as PyPI shows it, the source distribution, the wheel, the version."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import numpy
import pytest

import autograd

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HOME = PROJECT["urls"]["Homepage"]
OURS = rf"{HOME}/(?:blob|tree)/main/|{HOME.replace('github.com', 'raw.githubusercontent.com')}/main/"
BUILD = "from setuptools import build_meta as b; print(b.build_sdist('dist'), b.build_wheel('dist'), sep='\\n')"


def test_links_of_the_readme_are_absolute_and_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r"^\[[^\]]+\]: (\S+)$", text, re.M)
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    own = [re.sub(OURS, "", link).partition("#")[0] for link in links if link.startswith((HOME, "https://raw"))]
    assert own
    assert [path for path in own if not (ROOT / path).exists()] == []


def test_addresses_of_the_project_lead_somewhere():
    own = [re.sub(OURS, "", link) for link in PROJECT["urls"].values() if re.match(OURS, link)]
    assert own
    assert [path for path in own if not (ROOT / path).exists()] == []


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """The names in the source distribution, in the wheel, in the repository; what was built, from a copy, and where."""
    pytest.importorskip("setuptools", minversion="77")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("what belongs to the project is known from git only")
    files = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    copy = tmp_path_factory.mktemp("project")
    for name in files:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    built = subprocess.run([sys.executable, "-W", "ignore", "-c", BUILD], cwd=copy, capture_output=True, text=True,
                           check=True).stdout.splitlines()[-2:]
    with tarfile.open(copy / "dist" / built[0]) as archive:
        source = {name.partition("/")[2] for name in archive.getnames()}
    with zipfile.ZipFile(copy / "dist" / built[1]) as archive:
        wheel = set(archive.namelist())
    return source, wheel, files, built, copy / "dist"


@pytest.mark.slow
def test_the_source_distribution_holds_all_files(distributions):
    source, _, files, built, _ = distributions
    assert files - source == set()
    assert built[0] == f"gradcircuit-{autograd.__version__}.tar.gz"


@pytest.mark.slow
def test_the_wheel_holds_the_packages_and_nothing_else(distributions):
    _, wheel, files, _, _ = distributions
    packages = {name for name in files if name.startswith(("autograd/", "nn/", "optim/", "viz/", "gradcircuit/"))}
    assert {name for name in wheel if ".dist-info/" not in name} == packages


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_the_wheel_runs_with_numpy_and_graphviz_alone(distributions, tmp_path):
    *_, built, folder = distributions
    with zipfile.ZipFile(folder / built[1]) as archive:
        archive.extractall(tmp_path)
    installed = Path(numpy.__file__).parents[1]
    for name in ("numpy", "numpy.libs", "graphviz"):
        if (installed / name).exists():
            (tmp_path / name).symlink_to(installed / name)
    program = (f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
               "import autograd, nn, optim, viz, gradcircuit\n"
               "x = autograd.ones(2, 3, requires_grad=True); loss = nn.Linear(3, 1)(x).sum(); viz.draw(loss)\n"
               "loss.backward(); optim.SGD([x], lr=1.0).step(); print(autograd.__file__, gradcircuit.__version__)")
    said = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert said.stdout.split() == [str(tmp_path / "autograd" / "__init__.py"), autograd.__version__], said.stderr
