"""Pages of the site that are made of other files: the README as its home, with the neuron alive, and the notebooks.

A hook of mkdocs; see mkdocs.yml. `make docs` builds the site into site/.
"""

import logging
import re
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

import viz
from autograd import Tensor, exp
from docs import notebooks

ROOT = Path(__file__).parents[1]
OURS = r"https://(?:github\.com|raw\.githubusercontent\.com)/gradcircuit/gradcircuit/(?:(?:blob|tree)/)?main/"
SOURCE = "https://github.com/gradcircuit/gradcircuit/blob/main/"
PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
PLAYER = "neuron.html"
FRAME = f'<iframe src="{PLAYER}" title="Step through the passes" style="width:100%;height:34rem;border:0"></iframe>'


def on_files(files: Files, config: Any) -> Files:
    """Add them to the files of the site."""
    for name, page in PAGES.items():
        files.append(File.generated(config, page, content=as_page((ROOT / name).read_text(encoding="utf-8"))))
    files.append(File.generated(config, PLAYER, content=neuron()))
    for path in sorted((ROOT / "docs/tutorials").glob("*.ipynb")):
        page, pictures = notebooks.as_page(path)
        files.append(File.generated(config, f"tutorials/{path.stem}.md", content=page))
        for name, content in pictures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A page as it is on the site, where files of the repository that are no pages lie elsewhere."""
    return re.sub(r"\]\(\.\./", f"]({SOURCE}", markdown)


def as_page(text: str) -> str:
    """A file of the repository as a page: its links lead to pages, and the picture of the neuron is alive."""
    text = re.sub(OURS, "", text)
    text = re.sub(r"!\[[^]]*\]\[neuron\]", FRAME, text)
    for name, page in PAGES.items():
        text = re.sub(rf"(\]\(|\]: ){re.escape(name)}", rf"\g<1>{page}", text)
    text = re.sub(r"(\]\(|\]: )docs/", r"\1", text)
    return re.sub(r"(\]\(|\]: )(?=(autograd|nn|optim|viz|tests|examples|benchmarks)/)", rf"\1{SOURCE}", text)


def neuron() -> str:
    """The sigmoid neuron of the CS231n notes, as a page that steps through its passes."""
    w0, x0, w1, x1, w2 = (Tensor(value, requires_grad=True) for value in (2.0, -1.0, -3.0, -2.0, -3.0))
    f = 1 / (1 + exp(-(w0 * x0 + w1 * x1 + w2)))
    with tempfile.TemporaryDirectory() as folder:
        return viz.draw(f).save(Path(folder) / PLAYER).read_text(encoding="utf-8")
