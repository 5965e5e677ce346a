"""Random programs give here what they give in PyTorch; and a planted fault is found and made small."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("hypothesis")

from autograd import inplace
from autograd.table import TABLE
from tests.differential import generate, run
from tests.differential.__main__ import main
from tests.differential.differences import DIFFERENCES

PROGRAMS, PARTS = 300, 6
DESIGN = Path(__file__).parents[2] / "docs/design.md"


@pytest.mark.parametrize("part", range(PARTS))
def test_random_programs_give_what_they_give_in_pytorch(part):
    for number in range(part, PROGRAMS, PARTS):
        found = run.unlisted(generate.program(f"0/{number}"))
        if found is not None:
            pytest.fail(f"program 0/{number}:\n\n{run.shrink(found).text()}", pytrace=False)


def test_a_seed_gives_the_same_program_again():
    assert generate.program("7/1") == generate.program("7/1") != generate.program("7/2")


def test_every_operation_that_both_libraries_have_takes_part():
    writer = generate.Writer("all")
    for op, _ in generate.CALLABLE:
        args, _ = generate.arguments(op, writer.draw)
        assert args, op.name


def test_the_design_page_lists_what_differs_on_purpose():
    _, _, after = DESIGN.read_text(encoding="utf-8").partition("## Where the behavior differs from PyTorch\n")
    section = after.partition("\n## ")[0]
    listed = [re.sub(r"\s+", " ", entry.strip()) for entry in re.split(r"^- ", section, flags=re.M)[1:]]
    assert listed == [reason for reason, _ in DIFFERENCES]


FAULTS = {
    "mul": (TABLE["mul"], dict(vjps=(lambda g, out, x, y: g * y, lambda g, out, x, y: 1.001 * g * x))),
    "tanh": (TABLE["tanh"], dict(vjps=(lambda g, out, x: g * (1 - out),))),
    "unsqueeze": (inplace, dict(relatives=lambda tensor: [])),  # views of a changed tensor do not see the change
}
"""By a name that a program must hold for the fault to show: whose attributes are exchanged for which."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_made_small(name, monkeypatch):
    def planted(judge, program):
        with monkeypatch.context() as patch:
            for attribute, value in attributes.items():
                patch.setattr(owner, attribute, value)
            return judge(program)

    owner, attributes = FAULTS[name]
    programs = (generate.program(f"{name}/{number}") for number in range(1000))
    holding = (program for program in programs if any(re.search(rf"\b{name}\(", line) for line in program))
    right = (program for program in holding if run.unlisted(program) is None)
    found = next(found for program in right if (found := planted(run.unlisted, program)))
    small = planted(run.shrink, found)
    assert len(small.program) <= 5
    assert run.unlisted(small.program) is None


def test_rounding_is_no_difference():
    program = ["a = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)", "b = a.exp() - a.exp().mean()",
               "c = 1 / (b.sum() + a.sum() - a.exp().log().sum())"]
    assert run.differences(program) == []


def test_the_command_prints_the_shrunk_programs_and_says_by_its_status_whether_there_are_any(capsys, monkeypatch):
    monkeypatch.setattr(TABLE["sin"], "vjps", (lambda g, out, x: g * np.cos(x) * 2,))
    monkeypatch.setattr("tests.differential.__main__.program", lambda seed: [
        "a = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)", "b = a.sin()", "b.sum().backward()"])
    assert main(["--count", "1"]) == 1
    printed = capsys.readouterr().out
    assert "sin" in printed and "gradient: a.grad" in printed and "1 differ" in printed
