"""What PyTorch gives is asked where it is installed, and kept in pytorchs.json for where it isn't.

`python -m pytest -n 0 tests/nn --keep-pytorchs` keeps it, of the tests that are run.
"""

import importlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn

KEPT = Path(__file__).with_name("pytorchs.json")
HERE = importlib.util.find_spec("torch") is not None


def pytest_addoption(parser):
    parser.addoption("--keep-pytorchs", action="store_true", help="write what PyTorch gives into pytorchs.json")


@pytest.fixture(scope="session")
def kept(request):
    answers = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    yield answers
    if request.config.getoption("--keep-pytorchs", default=False):
        rows = [f"{json.dumps(test)}: {json.dumps(answers[test])}" for test in sorted(answers)]
        KEPT.write_text("{\n" + ",\n".join(rows) + "\n}\n")


@pytest.fixture
def as_pytorch(request, kept):
    """Runs a program `(library, nn)` with both libraries, and compares all arrays, numbers and texts that it returns.

    Where PyTorch isn't installed with what is kept: of an array its shape, and a number that others hardly have.
    """
    test, calls = request.node.nodeid.removeprefix("tests/nn/"), []
    keeping = request.config.getoption("--keep-pytorchs", default=False)

    def check(program, tolerance=1e-9):
        calls.append(program)
        found = leaves(program(autograd, nn))
        if HERE:
            expected = leaves(program(importlib.import_module("torch"), importlib.import_module("torch.nn")))
            compare(found, expected, tolerance)
        if HERE and keeping:
            kept[test] = [*kept.get(test, [])[:len(calls) - 1], list(map(shortened, expected))]
        elif not keeping:
            assert len(kept.get(test, ())) >= len(calls), f"PyTorch's answer is not kept; run {test} --keep-pytorchs"
            if not HERE:
                compare(list(map(shortened, found)), kept[test][len(calls) - 1], 20 * tolerance)
    return check


def leaves(result):
    """The arrays, numbers and texts in nested lists, tuples and dicts."""
    if isinstance(result, dict):
        result = [part for pair in result.items() for part in pair]
    if isinstance(result, list | tuple) and not hasattr(result, "numel"):
        return [leaf for part in result for leaf in leaves(part)]
    return [result.detach().numpy() if hasattr(result, "detach") else result]


def compare(found, expected, tolerance):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        if isinstance(other, np.ndarray | list | float):
            assert np.shape(one) == np.shape(other)
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
        else:
            assert one == other


def shortened(leaf):
    """Of an array its shape and a number, of floats by their logarithms, or the huge would drown the others."""
    if not isinstance(leaf, np.ndarray):
        return leaf
    values = np.nan_to_num(np.arcsinh(leaf.astype(np.float64)).ravel(), nan=1e3, posinf=2e3, neginf=-2e3)
    return [*leaf.shape, float(f"{np.cos(np.arange(values.size)) @ values:.9g}")]
