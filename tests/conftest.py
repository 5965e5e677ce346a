"""What several tests share."""

import os
from collections import Counter

import hypothesis
import pytest

os.environ.setdefault("GRADCIRCUIT_COMPILED", "0")  # or results would depend on what is on disk

from autograd import Tensor
from autograd.table import FUNCTIONS, METHODS, NUMPY, TABLE

# The machine may be busy. What is drawn is the same each time, so that what fails has been broken by the last change
# (but Hypothesis also tries constants of our modules that are loaded, which may be others where a test runs alone);
# pytest --hypothesis-profile random draws anew.
hypothesis.settings.register_profile("random", deadline=None)
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.load_profile("same")


def pytest_addoption(parser):
    parser.addoption("--every", type=int, default=1, metavar="N", help="of a test with many cases, run each N-th")


def pytest_collection_modifyitems(config, items):
    """With --every 3, a third of the cases of a test that has many, such as one for each operation of the table."""
    step, count, chosen, others = config.getoption("every"), Counter(), [], []
    for item in items:
        test = item.nodeid.partition("[")[0]
        (chosen if count[test] < 10 or count[test] % step == 0 else others).append(item)
        count[test] += 1
    items[:] = chosen
    if others:
        config.hook.pytest_deselected(items=others)


@pytest.fixture
def table():
    """The table of operations, as it was before."""
    current, attributes = (TABLE, FUNCTIONS, NUMPY, METHODS), set(vars(Tensor))
    before = [dict(each) for each in current]
    yield
    for each, old in zip(current, before, strict=True):
        each.clear()
        each.update(old)
    for name in set(vars(Tensor)) - attributes:
        delattr(Tensor, name)
