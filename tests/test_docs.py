"""What the README and the guide show is true: every block of Python runs, every comment of a printed value holds."""

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import nn  # noqa: F401 - what it declares stays in the table

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md")
                             if "```python" in path.read_text(encoding="utf-8") and path.name != "design.md")]


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_python_runs_and_prints_what_it_says(page, tmp_path, monkeypatch, table):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": page}
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)
    assert blocks
    for block in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, page, "exec"), names)
        promised = re.findall(r"^print\(.*\)\s+# (.*)$", block, re.M)
        assert printed.getvalue().splitlines() == promised
    for name, value in names.items():
        if name.startswith("test_"):
            value()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md",
                                  *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))])
def test_links_and_pictures_are_there(page):
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8"))
    missing = [target for target in targets if not ((ROOT / page).parent / target).exists()]
    assert not missing


def test_the_reference_and_the_stubs_follow_the_table():
    result = subprocess.run([sys.executable, ROOT / "docs/generate.py", "--check"], cwd=ROOT, capture_output=True,
                            text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_what_the_design_shows_stands_in_the_source():
    sources = ["".join(path.read_text(encoding="utf-8").split()) for package in ("autograd", "nn")
               for path in ROOT.glob(f"{package}/**/*.py")]
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/design.md").read_text(encoding="utf-8"), re.S)
    for declaration in "\n\n".join(blocks).split("\n\n"):
        parts = "".join(declaration.split()).replace("...)", "...").split("...")
        assert any(re.search(".*?".join(map(re.escape, parts)), source) for source in sources), declaration


def test_every_setting_is_on_the_page_of_settings():
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for package in ("autograd", "nn", "optim", "viz")
                     for path in ROOT.glob(f"{package}/**/*.py"))
    variables = {*re.findall(r"\bGRADCIRCUIT_[A-Z_]+", source), *re.findall(r"environ(?:\.get\(|\[)\"(\w+)\"", source)}
    switches = {name for name in vars(autograd) if name.startswith("set_")}
    assert {"GRADCIRCUIT_PROCESS", "GRADCIRCUIT_COMPILED"} <= variables
    assert [name for name in sorted(variables | switches) if not re.search(rf"\b{name}\b", page)] == []
    assert set(re.findall(r"GRADCIRCUIT_[A-Z_]+", page)) <= variables
    assert {name for name in re.findall(r"`autograd\.(\w+)\(", page) if not hasattr(autograd, name)} == set()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md",
                                  *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))])
def test_files_that_a_page_names_are_there(page):
    named = re.findall(r"`((?:autograd|nn|optim|viz|tests|docs|examples|benchmarks)/[\w/.]*(?:\.\w+|/))[`:]",
                       (ROOT / page).read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []
