"""The notebooks of docs/tutorials run, show what they tell, and lie in git without outputs."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from docs import notebooks

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs/tutorials").glob("*.ipynb"))
SHOWN = {  # what the text beside a cell says, and how many pictures there are
    "first_circuit": ("(tensor(-4.), tensor(-4.), tensor(3.))", "w2.grad  = 0.1966", "now says 0.100", 4),
    "layer_by_hand": ("(4, 3) True\n(3, 2) True\n(2,) True", "'1.bias': (2,)", 1),
    "pretrained_net": ("conv1.weight     (32, 3, 3, 3)", "a face:   0.99", "a sleeve: 0.0", "steps: a face", 6),
    "test_your_gradient": ("0.880797078 by central differences", "all is well", "inf\nand should be",
                           "likely cause: transposed", 0),
    "train_and_watch": ("with pixels of 0 to 1:  2.3", "after 100 steps: 0.00", "held out 9", 4),
}


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.usefixtures("table")
def test_a_notebook_runs_and_shows_what_it_tells(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        ran = list(notebooks.run(path))
    except metadata.PackageNotFoundError as missing:
        pytest.skip(str(missing))
    text = "".join(cell.text for cell in ran)
    *told, pictures = SHOWN[path.stem]
    assert [words for words in told if words not in text] == []
    assert sum(cell.picture is not None for cell in ran) == pictures


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_no_outputs_in_git_and_leads_on(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    assert [cell for cell in notebook["cells"] if cell.get("outputs") or cell.get("execution_count")] == []
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    links = re.findall(r"\]\(([^)#:]+)\)", "".join(notebook["cells"][-1]["source"]))
    assert links and [link for link in links if not (path.parent / link).exists()] == []


def test_without_a_package_the_page_says_so_and_has_no_outputs(tmp_path):
    cells = [{"cell_type": "markdown", "source": ["# A title"]},
             {"cell_type": "code", "source": ["1 + 1"]},
             {"cell_type": "code", "source": ["import a_package_that_nobody_has"]}]
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    page, pictures = notebooks.as_page(path)
    assert "a_package_that_nobody_has" in page and "import a_package_that_nobody_has" in page
    assert ".output" not in page and not pictures
