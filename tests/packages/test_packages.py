"""Published packages run through the door, and print what PyTorch printed; run.py keeps that in expected.json."""

import json

import pytest

from tests.packages.run import EXPECTED, PAGE, PROGRAMS, described, difference, page, through_the_door, version

KEPT = json.loads(EXPECTED.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", KEPT)
def test_it_prints_what_pytorch_printed(name):
    kept, (package, _) = KEPT[name], described(name)
    if version(package) != kept["version"]:
        pytest.skip(f"{package} {kept['version']} isn't installed")
    printed, error = through_the_door(name)
    if kept["missing"]:
        assert error, "it runs now: write tests/packages/run.py"
    else:
        assert not error
        assert not difference(printed, kept["printed"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_says_what_it_is_about(name):
    package, does = described(name)
    assert package and does
    assert name in KEPT


def test_the_page_is_of_this_run():
    assert PAGE.read_text(encoding="utf-8") == page(KEPT), "run tests/packages/run.py"


def test_a_difference_is_seen():
    assert difference(["a 1.0"], ["a 1.1"]) and difference(["a 1.0"], ["b 1.0"]) and difference(["a"], ["a", "b"])
    assert not difference(["a 1.00001 -2e-05"], ["a 1.0 1e-05"])
