"""The site of the documentation is built without a warning, and has all pages."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")
pytest.importorskip("material")
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
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    made = {"index", "changelog", "contributing", "neuron", "404"}
    assert {path.stem for path in site.glob("*.html")} == pages | made
    home = (site / "index.html").read_text(encoding="utf-8")
    assert pages <= {name.removesuffix(".html") for name in re.findall(r'href="([a-z_]+\.html)', home)}


@pytest.mark.slow
def test_the_neuron_of_the_home_page_is_alive(site):
    assert '<iframe src="neuron.html"' in (site / "index.html").read_text(encoding="utf-8")
    neuron = (site / "neuron.html").read_text(encoding="utf-8")
    assert "<script" in neuron and "w0" in neuron and "0.73" in neuron


@pytest.mark.slow
def test_no_link_leads_nowhere(site):
    for page in site.glob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#?:]+)(?:#[^"]*)?"', page.read_text(encoding="utf-8")):
            assert target.startswith("/") or (site / target).exists(), f"{page.name}: {target}"
