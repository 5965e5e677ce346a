"""The step player: a page that needs nothing else, and that a browser shows."""

import base64
import importlib.util
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
import optim
import viz
from tests.viz.pictures import names, neuron_with_a_fork, product
from viz.page import write as page_of

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
AXE = next((Path(found.origin).with_name("axe.min.js") for name in ("axe_playwright_python", "axe_selenium_python")
            if (found := importlib.util.find_spec(name))), None)
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


def in_a_browser(page: str, probe: str, tmp_path: Path, report: bool = True) -> dict:
    """What a script at the end of a page finds: it fills `found`, and may report it by itself, later."""
    script = ('<script>const found = {errors: []};'
              'addEventListener("error", e => found.errors.push(e.message));</script>'
              f"<script>{probe}\n{REPORT if report else ''}</script></body>")
    path = tmp_path / "probe.html"
    path.write_text(script.join(page.rsplit("</body>", 1)), encoding="utf-8")
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


IN_A_NOTEBOOK = """
const frame = document.querySelector("iframe"), page = frame.contentDocument;
found.images = document.querySelectorAll("img").length;
found.shown = frame.style.display;
const fill = () => frame.contentWindow.getComputedStyle(page.querySelector("svg .paper")).fill;
found.dark = [page.documentElement.style.colorScheme, fill()];
document.body.dataset.jpThemeLight = "true";
frame.contentWindow.recolor();
found.light = [page.documentElement.style.colorScheme, fill()];
found.first = page.querySelectorAll("svg .later").length;
frame.contentWindow.eval("go(4)");
found.said = page.getElementById("say").textContent;
"""


COMPLAINTS = """
axe.run().then(result => {
  found.checked = result.passes.length;
  found.complaints = result.violations.map(v => `${v.help}: ${v.nodes[0].html}`);
  REPORT
});
"""


def recorded() -> viz.watch:
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, every=1, show=False) as record:
        for _ in range(3):
            model(autograd.randn(4, 3)).sum().backward()
            optimizer.step()
    return record


@pytest.mark.slow
@in_browser
@pytest.mark.skipif(AXE is None, reason="needs axe-core: pip install --no-deps axe-playwright-python")
@pytest.mark.parametrize("saved", [
    neuron_with_a_fork, lambda: viz.draw(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), autograd.randn(2, 3), depth=0),
    lambda: viz.worksheet(neuron_with_a_fork()), recorded], ids=["circuit", "model", "worksheet", "training"])
def test_axe_finds_nothing_to_complain_about(saved, tmp_path):
    page = saved().save(tmp_path / "page.html").read_text()
    axe = AXE.read_text().replace("</script", "<\\/script")
    probe = axe + COMPLAINTS.replace("REPORT", REPORT)
    found = in_a_browser(page, probe, tmp_path, report=False)
    assert found["checked"] > 10 and found["complaints"] == found["errors"] == []


@pytest.mark.slow
@in_browser
def test_in_the_cell_of_a_notebook_the_page_takes_the_place_of_its_image_and_the_colors_of_the_notebook(tmp_path):
    drawing = neuron_with_a_fork()
    cell = drawing._repr_mimebundle_()["text/html"]
    notebook = f'<!DOCTYPE html><html><body data-jp-theme-light="false">{cell}</body></html>'
    probe = 'addEventListener("load", () => {' + IN_A_NOTEBOOK + REPORT + "});"
    found = in_a_browser(notebook, probe, tmp_path, report=False)
    assert (found["images"], found["shown"]) == (0, "block")
    assert found["dark"] == ["dark", "rgb(20, 23, 26)"] and found["light"] == ["light", "rgb(255, 255, 255)"]
    assert found["first"] == 0 and drawing.picture.steps[4].title in found["said"]


def test_without_scripts_a_cell_shows_an_image_in_the_colors_of_paper():
    drawing = neuron_with_a_fork()
    cell = drawing._repr_mimebundle_()["text/html"]
    [image] = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]*)" alt="Circuit of 8 gates', cell)
    svg = base64.b64decode(image).decode()
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg" and "prefers-color-scheme" not in svg
    assert svg.replace("\n\n", "\n") == re.sub("<style>.*?</style>", "", str(drawing), flags=re.DOTALL).replace(
        "\n\n", "\n")


LOOKING = """
const key = k => document.body.dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true, cancelable: true}));
const sight = () => svg.getAttribute("viewBox").split(" ").map(Number);
found.gates = [...document.querySelectorAll("g.node")].map(e =>
  [e.tabIndex, e.getAttribute("role"), e.getAttribute("aria-label")]);
found.whole = sight();
document.getElementById("in").click(); found.larger = sight()[2];
document.getElementById("out").click(); found.again = sight()[2];
key("+"); key("0"); found.fitted = sight();
const search = document.getElementById("search");
search.value = "exp"; search.dispatchEvent(new Event("input"));
found.count = document.getElementById("found").textContent;
found.bright = [...document.querySelectorAll("g.node:not(.faint)")].map(e => e.dataset.box);
search.value = ""; search.dispatchEvent(new Event("input"));
go(6); found.address = location.hash;
const touch = (type, id, x, y) => document.getElementById("figure").dispatchEvent(
  new PointerEvent(type, {pointerId: id, clientX: x, clientY: y, bubbles: true}));
touch("pointerdown", 1, 300, 200); touch("pointerdown", 2, 400, 200); touch("pointermove", 2, 500, 200);
found.pinched = sight()[2];
touch("pointerup", 1, 300, 200); touch("pointerup", 2, 500, 200);
dispatchEvent(new Event("beforeprint")); found.printed = sight();
dispatchEvent(new Event("afterprint")); found.after = sight()[2];
"""


@pytest.mark.slow
@in_browser
def test_a_browser_zooms_searches_links_to_a_step_and_prints_the_whole(tmp_path):
    drawing = neuron_with_a_fork()
    found = in_a_browser(drawing.save(tmp_path / "a.html").read_text(encoding="utf-8"), LOOKING, tmp_path)
    assert found["errors"] == []
    assert len(found["gates"]) == len(drawing.picture.boxes)
    assert all(index == 0 and role == "img" and name for index, role, name in found["gates"])
    width = found["whole"][2]
    assert found["larger"] < width and found["again"] == pytest.approx(width) and found["fitted"] == found["whole"]
    [exp] = [str(i) for i, box in enumerate(drawing.picture.boxes) if box.label == "exp"]
    assert (found["count"], found["bright"]) == ("1 found", [exp])
    assert found["address"] == "#7"
    assert found["pinched"] == pytest.approx(width / 2, rel=0.01)
    assert found["printed"] == found["whole"] and found["after"] == found["pinched"]


FINDING = """
const click = e => e.dispatchEvent(new MouseEvent("click", {bubbles: true}));
const told = () => document.getElementById("place").textContent;
let copied = "";
Object.defineProperty(navigator, "clipboard",
  {value: {writeText: text => { copied = text; return Promise.resolve(); }}});
found.told = [...document.querySelectorAll("g.node")].map(e => { click(e); return told(); });
click(nodes[2]); document.querySelector("#place button").click(); found.copied = copied;
"""


def tripled(w, b):
    scaled = w * 3.0
    return scaled + b


def places(drawing):
    return [(box.line, box.lookup) for box in drawing.picture.boxes]


def test_a_box_knows_its_line_and_how_python_finds_it():
    w, b = autograd.tensor(2.0, requires_grad=True), autograd.tensor(1.0, requires_grad=True)
    drawing, graph = viz.draw(tripled, w, b), autograd.Graph(tripled(w, b))
    lines = dict.fromkeys(line for line, _ in places(drawing))
    assert [line.partition(": ")[2] for line in lines if line] == ["scaled = w * 3.0", "return scaled + b"]
    assert all(line.startswith("test_page.py, line ") for line in lines if line)
    for box in drawing.picture.boxes:
        if box.lookup:
            found = eval(box.lookup, {"graph": graph})
            assert found is {"w": w, "b": b}.get(box.label) or box.label in ("*3", "+")
    with autograd.detect_anomaly():
        y = tripled(w, b)
        assert places(viz.draw(y)) == places(drawing)
    assert [line for line, _ in places(viz.draw(tripled(w, b))) if line] == []  # nobody noted them
    with pytest.raises(IndexError, match="has 2 nodes, from 0 on, and no node 2"):
        graph.node(2)


@pytest.mark.slow
@in_browser
def test_a_browser_tells_where_a_box_comes_from(tmp_path):
    w, b = autograd.tensor(2.0, requires_grad=True), autograd.tensor(1.0, requires_grad=True)
    drawing = viz.draw(tripled, w, b)
    found = in_a_browser(drawing.save(tmp_path / "page.html").read_text(encoding="utf-8"), FINDING, tmp_path)
    assert found["errors"] == []
    assert found["told"] == [f"{line} Copy {lookup}".lstrip() if lookup else "" for line, lookup in places(drawing)]
    assert found["copied"] == drawing.picture.boxes[2].lookup
