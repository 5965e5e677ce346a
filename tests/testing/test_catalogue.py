"""The tester is tested: it finds what was planted and accuses nothing that is right; see catalogue.py."""

import pytest

pytest.importorskip("hypothesis")

from tests.testing.catalogue import MARKERS, ROOT, column, table
from tests.testing.engines import outcome
from tests.testing.plants import PLANTS, TWINS
from tests.testing.plants_in_table import FAULTS
from tests.testing.right import RIGHT

SEEDS = (1, 2)
"""Of the slow tests; the quick ones begin with 0."""
EXAMPLES = 20
"""For right functions, which take all of them: the command draws as many as users do by default."""


def test_the_catalogues_are_large():
    assert len(PLANTS) + len(FAULTS) >= 200
    assert len(RIGHT) >= 150


def test_the_twins_of_the_plants_are_among_the_right():
    assert TWINS.keys() <= RIGHT.keys()


@pytest.mark.parametrize("name", [*PLANTS, *FAULTS])
def test_a_planted_fault_is_found(name):
    """With one of two seeds: what one finds in nine cases of ten, two find in all but one of a hundred."""
    assert "accused" in (outcome(PLANTS.get(name) or FAULTS[name], seed)[0] for seed in (0, 1))


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_function_is_not_accused(name):
    word, _, said = outcome(RIGHT[name], 0, EXAMPLES)
    assert word != "accused", said


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_nearly_all_plants_are_found_with_every_seed(seed):
    missed = [name for name, case in (PLANTS | FAULTS).items() if outcome(case, seed)[0] != "accused"]
    assert len(missed) <= 0.05 * len(PLANTS | FAULTS), missed


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_no_right_function_is_accused_with_any_seed(seed):
    accused = {name: said for name, case in RIGHT.items()
               for word, _, said in [outcome(case, seed, EXAMPLES)] if word == "accused"}
    assert not accused


def test_the_table_counts_only_what_an_engine_can_say():
    said = [{"kind": "plant", "name": name, "seed": seed, "verdict": word, "seconds": 1.0}
            for name, words in {"a": ("accused", "accused"), "b": ("accused", "passed"),
                                "c": ("inexpressible", "inexpressible")}.items() for seed, word in enumerate(words)]
    assert column(said, said) == ["2", "3 of 4 (75 %)", "3 of 4 (75 %)", "1 of 2 (50 %)", "0", "0 of 0", "0 of 0", "3"]
    assert table({"gradcircuit": said, "torch": said}).count("3 of 4 (75 %)") == 4


def test_the_documentation_has_the_table():
    text = (ROOT / "docs" / "testing.md").read_text()
    begin, end = (text.index(marker) for marker in MARKERS)
    assert "| found, all seeds together |" in text[begin:end]
