"""The step player: a page that needs nothing else, and that a browser shows."""

import base64
import json
import re
import shutil
import subprocess
import urllib.parse
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given

import autograd
import nn
import viz
from tests.viz.pictures import names, neuron_with_a_fork, product
from viz.page import write as page_of

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@given(names, names)
def test_svg_and_page_are_well_formed_whatever_the_names(name_x, name_y):
    drawing = product(name_x, name_y)
    root = ET.fromstring(str(drawing).encode())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    page = page_of(drawing.picture, lambda picture: str(drawing))
    page.encode()
    [data] = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert len(json.loads(data)[""]["steps"]) == len(drawing.picture.steps)
    assert page.count("<svg") == 1 and page.count("<script") == 2


def test_the_page_needs_nothing_else_and_is_small(tmp_path):
    page = neuron_with_a_fork().save(tmp_path / "backprop.html").read_text()
    assert len(page.encode()) < 150_000
    assert not re.findall(r'(?:src|href)\s*=|url\(|@import|fetch\(|XMLHttpRequest', page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://www.w3.org/2000/svg"}


REPORT = """document.body.replaceChildren(Object.assign(document.createElement("pre"), {id: "found",
  textContent: btoa(encodeURIComponent(JSON.stringify(found)))}));"""


def in_a_browser(page: str, probe: str, tmp_path: Path) -> dict:
    """What a script at the end of a page finds: it fills `found`."""
    script = ('<script>const found = {errors: []};'
              'addEventListener("error", e => found.errors.push(e.message));</script>'
              f"<script>{probe}\n{REPORT}</script></body>")
    path = tmp_path / "probe.html"
    path.write_text(page.replace("</body>", script), encoding="utf-8")
    out = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
         path.as_uri()], capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(urllib.parse.unquote(base64.b64decode(re.search(r'id="found">([^<]+)<', out)[1]).decode()))


STEPPING = """
found.seen = [];
const visible = () => Object.fromEntries(Object.entries(texts)
  .filter(([, e]) => getComputedStyle(e).visibility === "visible").map(([key, e]) => [key, e.textContent]));
const note = () => found.seen.push({numbers: visible(), said: document.getElementById("say").textContent});
const key = k => document.body.dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true, cancelable: true}));
note();
for (let i = 1; i < steps.length; i++) {
  i % 2 ? key("ArrowRight") : document.getElementById("next").click();
  note();
}
key("ArrowRight"); key("ArrowLeft"); note();
key("Home"); note();
document.getElementById("last").click(); note();
const slider = document.getElementById("slider"); slider.value = 3; slider.dispatchEvent(new Event("input")); note();
nodes[0].dispatchEvent(new MouseEvent("click", {bubbles: true}));
found.faint = document.querySelectorAll(".faint").length;
"""


@pytest.mark.slow
@in_browser
def test_a_browser_steps_through_by_keyboard_and_mouse(tmp_path):
    drawing = neuron_with_a_fork()
    found = in_a_browser(drawing.save(tmp_path / "backprop.html").read_text(encoding="utf-8"), STEPPING, tmp_path)
    assert found["errors"] == []
    steps, shown = drawing.picture.steps, {}
    dashes = {f"g{i}": box.gradient for i, box in enumerate(drawing.picture.boxes) if box.gradient == "–"}
    expected = []
    for step in steps:
        shown = {**shown, **{key: value for key, value in step.shows.items() if value}}
        expected.append({**shown, **dashes})
    after = [len(steps) - 2, 0, len(steps) - 1, 3]
    assert [seen["numbers"] for seen in found["seen"]] == [*expected, *(expected[i] for i in after)]
    for seen, step in zip(found["seen"], steps, strict=False):
        assert step.title in seen["said"] and all(line in seen["said"] for line in step.lines)
    assert found["faint"] > 0


OPENING = """
const labels = () => [...document.querySelectorAll("#figure text.ink")].map(e => e.textContent);
const click = e => e.dispatchEvent(new MouseEvent("click", {bubbles: true}));
found.before = labels();
click(document.querySelector(".node.link"));
found.inside = labels(); found.way = document.getElementById("way").textContent;
document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true}));
found.after = labels();
"""


@pytest.mark.slow
@in_browser
def test_a_browser_opens_closed_modules_and_goes_back(tmp_path):
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    drawing = viz.draw(model, autograd.randn(3, 4), depth=0)
    found = in_a_browser(drawing.save(tmp_path / "model.html").read_text(encoding="utf-8"), OPENING, tmp_path)
    assert found["errors"] == []
    assert found["before"] == found["after"] == ["input", "0", "1", "2"]
    assert found["inside"] == ["input", "0.weight", "0.bias", "linear"]
    assert "0 Linear" in found["way"]
