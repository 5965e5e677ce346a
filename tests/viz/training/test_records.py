"""A recorded training in every format: the same numbers everywhere, and a page that a browser shows."""

import csv
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd
import nn
import optim
import viz
from tests.viz.test_page import in_a_browser, in_browser
from viz.training import records
from viz.training.moments import GRADIENT, LOSS


@pytest.fixture(scope="module")
def record():
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, every=2, show=False) as watched:
        for step in range(20):
            optimizer.zero_grad()
            (model(autograd.randn(16, 4)) ** 2).mean().backward()
            optimizer.step()
            if step % 10 == 9:
                watched.log(accuracy=step / 20)
    return watched


def test_the_table_has_every_number(record, tmp_path):
    with record.save(tmp_path / "training.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["quantity"], row["place"], int(row["step"])): float(row["number"]) for row in rows}
    for moment in record.moments:
        for quantity, places in moment.numbers.items():
            for place, number in places.items():
                assert found[quantity, place, moment.step] == number
    assert found["accuracy", "", 10] == 0.45
    assert len(rows) == len(found)


def test_the_lines_name_every_parameter_and_its_last_number(record):
    text = str(record)
    assert "step 18" in text and re.search(r"accuracy +▁█ 0\.95", text)
    for name, (_, numbers) in record.series(GRADIENT).items():
        assert re.search(rf"^{re.escape(name)} +[▁▂▃▄▅▆▇█]{{10}} +{numbers[-1]:.1e}", text, re.MULTILINE)


def test_of_many_places_some_are_shown_and_the_alarming_ones():
    places = [f"layer{k}.weight" for k in range(100)]
    shown = records._some(places, {"layer41.weight": "vanishes"})
    assert len(shown) == records.LINES and shown == sorted(shown, key=places.index)
    assert {"layer0.weight", "layer41.weight", "layer99.weight"} <= set(shown)


def test_curves_are_well_formed(record, tmp_path):
    root = ET.parse(record.save(tmp_path / "training.svg")).getroot()
    names = {path.get("data-name") for path in root.iter("{http://www.w3.org/2000/svg}path")}
    assert {"0.weight", "0.bias", "2.weight", "2.bias", ""} <= names
    assert record._repr_mimebundle_()["image/svg+xml"].startswith("<svg")


def test_a_folder_is_for_tensorboard(record, tmp_path):
    folder = record.save(tmp_path / "runs" / "first")
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    from tensorboard.compat.proto.event_pb2 import Event
    [path] = folder.iterdir()
    seen = {(value.tag, event.step): value.simple_value
            for event in map(Event.FromString, loader.RawEventFileLoader(str(path)).Load())
            for value in event.summary.value}
    steps, losses = record.series(LOSS)[""]
    np.testing.assert_allclose([seen["loss", step] for step in steps], losses, rtol=1e-6)
    assert ("weights/0.weight", 0) in seen and ("update per weight/0.weight", 18) in seen


def test_the_page_needs_nothing_else(record, tmp_path):
    page = record.save(tmp_path / "training.html").read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)\s*=|url\(|@import|fetch\(|XMLHttpRequest", page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("step", [0, 1])
def test_a_page_of_few_moments_is_whole(step, tmp_path):
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, show=False) as watched:
        for _ in range(step):
            model(autograd.randn(3, 2)).sum().backward()
            optimizer.step()
    page = watched.save(tmp_path / "short.html").read_text(encoding="utf-8")
    [data] = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert len(json.loads(data)["steps"]) == step
    ET.fromstring(watched._repr_mimebundle_()["image/svg+xml"])
    assert str(watched)


SLIDING = """
const told = () => [...document.querySelectorAll("tbody tr")].map(r => r.innerText);
found.places = places; found.last = document.getElementById("step").textContent; found.rows = told();
const slider = document.getElementById("slider"); slider.value = 0; slider.dispatchEvent(new Event("input"));
found.first = document.getElementById("step").textContent;
found.changed = told().filter((r, i) => r !== found.rows[i]).length;
document.getElementById("next").click(); found.second = document.getElementById("step").textContent;
document.querySelector("tbody button").click(); document.querySelectorAll("tbody button")[1].click();
found.chosen = [...document.querySelectorAll(".chosen")].map(e => e.dataset.name);
found.cursor = document.querySelector(".cursor").getAttribute("d");
"""


@pytest.mark.slow
@in_browser
def test_a_browser_slides_through_the_steps(record, tmp_path):
    found = in_a_browser(record.save(tmp_path / "training.html").read_text(encoding="utf-8"), SLIDING, tmp_path)
    assert found["errors"] == [] and found["places"] == ["0", "0.weight", "0.bias", "1", "2", "2.weight", "2.bias"]
    assert (found["last"], found["first"], found["second"]) == ("step 18", "step 0", "step 2")
    assert found["changed"] == 7 and found["chosen"] and set(found["chosen"]) == {"0.weight"}
    assert found["cursor"].startswith("M")
    assert f"{record.series(GRADIENT)['0.weight'][1][-1]:.1e}".replace("-", "−") in found["rows"][1]


def test_another_format_is_refused(record, tmp_path):
    with pytest.raises(ValueError, match=r"'training.xlsx': a training can be saved as .html, .csv, .svg, or into"):
        record.save(tmp_path / "training.xlsx")
