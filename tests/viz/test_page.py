"""The step player: its steps are the engine's, and a browser shows them."""

import base64
import json
import re
import shutil
import subprocess
import urllib.parse
from pathlib import Path

import pytest

import autograd
import nn
import viz
from autograd import Tensor

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)


def neuron_with_a_fork() -> viz.Drawing:
    w0, x0, w1 = (Tensor(v, requires_grad=True) for v in (2.0, -1.0, -3.0))
    f = 1 / (1 + autograd.exp(-(w0 * x0 + w1))) + w0 * w1
    return viz.draw(f)


def test_steps_go_forward_in_the_order_of_recording_and_back_in_the_reverse():
    x = Tensor(3.0, requires_grad=True)
    a = x * x
    b = a + 1
    c = a.exp()
    y = b * c
    steps = viz.draw(y).picture.steps
    assert [s.title for s in steps if s.phase == "forward"][1:] == [
        "a = x × x", "b = a + 1", "c = exp a", "y = b × c"]
    assert [s.title for s in steps if s.phase == "backward"][1:] == [
        "Back through b × c", "Back through exp a", "Back through a + 1", "Back through x × x"]


def test_each_step_back_shows_local_derivative_times_upstream_and_the_running_sum():
    w, x = Tensor(3.0, requires_grad=True), Tensor(-2.0, requires_grad=True)
    q = w * x
    y = q * w
    through_y, through_q = viz.draw(y).picture.steps[-2:]
    assert through_y.lines == ["Upstream gradient: 1.00",
                                  "∂(q × w)/∂q = w = 3.00; times upstream: 3.00 × 1.00 = 3.00",
                                  "∂(q × w)/∂w = q = −6.00; times upstream: (−6.00) × 1.00 = −6.00"]
    assert through_q.lines == ["Upstream gradient: 3.00",
                                  "∂(w × x)/∂w = x = −2.00; times upstream: (−2.00) × 3.00 = −6.00; "
                                  "added to what came before: −6.00 + (−6.00) = −12.00",
                                  "∂(w × x)/∂x = w = 3.00; times upstream: 3.00 × 3.00 = 9.00"]


def test_the_local_derivative_is_said_where_the_upstream_gradient_is_zero():
    x, w = Tensor(-2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    y = autograd.relu(autograd.tanh(w * x))
    through_relu, through_tanh, _ = viz.draw(y).picture.steps[-3:]
    assert through_relu.lines[1].endswith("times upstream: 0.00 × 1.00 = 0.00")
    assert through_tanh.lines[1].endswith("= 1 − (−1.00)² = 2.5e−5; times upstream: 2.5e−5 × 0.00 = 0.00")


def test_after_the_last_step_every_number_of_the_figure_is_shown():
    drawing = neuron_with_a_fork()
    shown: dict[str, str] = {}
    for step in drawing.picture.steps:
        shown.update(step.shows)
    for i, box in enumerate(drawing.picture.boxes):
        if box.value:
            assert (shown[f"v{i}"], shown[f"g{i}"]) == (box.value, box.gradient)
    for k, wire in enumerate(drawing.picture.wires):
        if wire.contribution:
            assert shown[f"c{k}"] == wire.contribution


def test_the_page_needs_nothing_else_and_is_small(tmp_path):
    page = neuron_with_a_fork().save(tmp_path / "backprop.html").read_text()
    assert len(page.encode()) < 150_000
    assert not re.findall(r'(?:src|href)\s*=|url\(|@import|fetch\(|XMLHttpRequest', page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://www.w3.org/2000/svg"}


REPORT = """document.body.replaceChildren(Object.assign(document.createElement("pre"), {id: "found",
  textContent: btoa(encodeURIComponent(JSON.stringify(found)))}));"""
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


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
