"""The tester is tested: every planted fault is caught. That nothing right is reported: test_table.py, the command."""

import pytest

from tests.testing.catalogue import FAULTS, planted, reported


def test_the_catalogue_is_large():
    assert len(FAULTS) >= 40


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(name):
    assert reported(planted(*FAULTS[name]), 0) is not None
