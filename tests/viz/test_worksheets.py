"""Worksheets: blanks where answers belong and nowhere else, numbers that a person can calculate, a page that marks."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
import viz
from autograd import Tensor
from tests.viz.test_page import in_a_browser, in_browser

SVG = "{http://www.w3.org/2000/svg}"
FUNCTIONS = [lambda w, x, b: w * x + b, lambda w, x, b, y: (w * x + b - y) ** 2, lambda x, y, z: (x + y) * z,
             lambda a, b: (a * b).relu() + a]


def forked():
    a, b = Tensor(3.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    return viz.draw(a * b + a)


@settings(max_examples=10)
@given(st.sampled_from(FUNCTIONS), st.integers(0, 1000), st.sampled_from(["gradients", "values", "both"]))
def test_what_is_blank_stands_nowhere_on_the_sheet_and_all_else_does(function, seed, blank):
    """What is given away: inputs' values, and the gradient 1 of the output."""
    sheet = viz.worksheet(function, blank=blank, seed=seed)
    root = ET.fromstring(str(sheet))
    assert len([e for e in root.iter() if e.get("class") == "blank"]) == len(sheet.blanks)
    shown = {e.get("class")[0] + (e.get("data-box") or e.get("data-wire")): e.text for e in root.iter(f"{SVG}text")
             if e.get("class") in ("value", "gradient", "contribution")}
    solved = {e.get("class")[0] + (e.get("data-box") or e.get("data-wire")): e.text
              for e in ET.fromstring(str(sheet.solution)).iter(f"{SVG}text")
              if e.get("class") in ("value", "gradient", "contribution")}
    assert {**shown, **sheet.blanks} == solved and not shown.keys() & sheet.blanks.keys()
    given_away = {key for key in shown if blank == "both" or key[0] in ("v" if blank == "values" else "gc")}
    boxes = sheet.solution.picture.boxes
    assert all(boxes[int(key[1:])].kind.given if key[0] == "v" else solved[key] == "1.00" for key in given_away)
    assert not list(root.iter(f"{SVG}desc")) and "gradient" not in "".join(e.text for e in root.iter(f"{SVG}title"))


@settings(max_examples=15)
@given(st.sampled_from(FUNCTIONS), st.integers(0, 1000))
def test_drawn_numbers_come_out_in_two_decimals(function, seed):
    sheet = viz.worksheet(function, seed=seed)
    for box in sheet.solution.picture.boxes:
        for what in (box.value, box.gradient):
            assert what in ("", "–") or abs(float(what)) >= 0.05
        for precise in re.findall(r"(?:value|gradient) (-?[\d.]+)", box.note):
            assert float(precise) == round(float(precise), 2)


def test_a_seed_gives_the_same_sheet_and_another_one_another():
    first, again, other = (str(viz.worksheet(FUNCTIONS[1], seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_fork_has_blanks_for_what_comes_back_along_each_branch():
    assert sorted(viz.worksheet(forked()).blanks.values()) == ["1.00", "1.00", "2.00", "3.00", "3.00"]


def test_tikz_has_the_sheet_and_then_the_solution(tmp_path):
    first, second = viz.worksheet(forked()).save(tmp_path / "sheet.tex").read_text().split("\\end{tikzpicture}")[:2]
    assert first.count(r"\_\_\_\_\_") == 5 and r"\_" not in second and second.count("\\begin{tikzpicture}") == 1


MARKING = """
const answer = fields.map(f => answers[f.dataset.key]);
const check = () => { document.getElementById("check").click(); return document.getElementById("score").textContent; };
found.empty = check(); found.wrongWhenEmpty = document.querySelectorAll(".wrong").length;
fields.forEach((f, k) => { f.value = answer[k].replace("-", "\\u2212").replace(".", ","); });
found.all = check();
fields[0].value = String(-Number(answer[0])); fields[1].value = String(Number(answer[1]) + 0.009);
fields[2].value = String(Number(answer[2]) + 0.3); fields[3].value = "no idea";
found.some = check(); found.marked = fields.map(f => f.className.split(" ").at(-1));
found.labels = fields.map(f => f.getAttribute("aria-label"));
const hidden = () => document.getElementById("solution").hidden;
found.hidden = [hidden()]; document.getElementById("show").click(); found.hidden.push(hidden());
document.getElementById("clear").click(); found.cleared = fields.map(f => f.value).join("");
"""


@pytest.mark.slow
@in_browser
def test_the_page_marks_answers(tmp_path):
    page = viz.worksheet(forked()).save(tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)\s*=|url\(|@import|fetch\(|XMLHttpRequest", page)
    found = in_a_browser(page, MARKING, tmp_path)
    assert found["errors"] == [] and found["wrongWhenEmpty"] == 0
    assert (found["empty"], found["all"], found["some"]) == ("0 of 5 right", "5 of 5 right ✓", "2 of 5 right")
    assert found["marked"][:4] == ["wrong", "right", "wrong", "wrong"] and found["hidden"] == [True, False]
    assert "gradient of a" in found["labels"] and found["cleared"] == ""


@pytest.mark.parametrize(("call", "message"), [
    (lambda: viz.worksheet(forked(), blank="all"), "blank must be"),
    (lambda: viz.worksheet(lambda *numbers: numbers[0]), "named parameter for each input"),
    (lambda: viz.worksheet(viz.draw(nn.Linear(3, 2), autograd.randn(4, 3))), "drawing of a model"),
    (lambda: viz.worksheet(forked()).save("x.doc"), "a worksheet can be saved as")])
def test_what_makes_no_sheet_says_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()
