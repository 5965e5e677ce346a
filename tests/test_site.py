"""The site of the documentation is built without a warning, and has all pages."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs import api

pytest.importorskip("mkdocs")
pytest.importorskip("material")
pytest.importorskip("sklearn")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    result = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
                            cwd=ROOT, capture_output=True, text=True, check=False,
                            env=os.environ | {"NO_MKDOCS_2_WARNING": "1"})
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr
    return folder


@pytest.mark.slow
def test_every_page_is_there_and_found_from_the_others(site):
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} | {"changelog", "contributing", "gallery"}
    pages |= {f"tutorials/{path.stem}" for path in (ROOT / "docs/tutorials").glob("*.ipynb")}
    pages |= {f"api/{module}" for modules in api.MODULES.values() for module in modules}
    built = {path.relative_to(site).as_posix().removesuffix(".html") for path in site.rglob("*.html")}
    assert built == pages | {"index", "neuron", "404"}
    home = (site / "index.html").read_text(encoding="utf-8")
    assert pages <= {name.removesuffix(".html") for name in re.findall(r'href="([\w./]+\.html)', home)}


@pytest.mark.slow
def test_the_reference_has_signatures_types_and_examples(site):
    page = html.unescape(re.sub(r"<[^>]+>", "", (site / "api/nn.html").read_text(encoding="utf-8")))
    assert re.search(r"Linear\(\s+in_features: int,\s+out_features: int,\s+bias: bool = True", page)
    assert ">>> Linear(20, 30)(autograd.randn(128, 20)).shape" in page
    table = (site / "reference_nn.html").read_text(encoding="utf-8")
    assert 'href="api/nn.html#nn.Linear"' in table and 'href="api/nn.functional.html#nn.functional.conv2d"' in table
    for place in re.findall(r'href="api/nn.html#([^"]+)"', table):
        assert f'id="{place}"' in (site / "api/nn.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_notebooks_are_shown_with_outputs_and_pictures(site):
    page = (site / "tutorials/first_circuit.html").read_text(encoding="utf-8")
    assert "(tensor(-4.), tensor(-4.), tensor(3.))" in html.unescape(re.sub(r"<[^>]+>", "", page))
    assert 'src="first_circuit_2.svg"' in page and (site / "tutorials/first_circuit.ipynb").exists()


@pytest.mark.slow
def test_the_neuron_of_the_home_page_is_alive(site):
    assert '<iframe src="neuron.html"' in (site / "index.html").read_text(encoding="utf-8")
    neuron = (site / "neuron.html").read_text(encoding="utf-8")
    assert "<script" in neuron and "w0" in neuron and "0.73" in neuron


@pytest.mark.slow
def test_no_link_leads_nowhere(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    assert '<a href="gallery.html">The gallery</a>' in home
    assert '<a href="tutorials/first_circuit.html">notebooks</a>' in home
    for page in site.rglob("*.html"):
        for target in set(re.findall(r'(?:href|src)="([^"#?:]+)(?:#[^"]*)?"', page.read_text(encoding="utf-8"))):
            assert target.startswith("/") or (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.slow
def test_lists_and_tables_are_recognized(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8").partition("<article")[2]
        lost = [part for part in re.findall(r"<p>(.*?)</p>", text, re.S) if re.search(r"\n([-*] |\|)", part)]
        assert lost == [], page.name
