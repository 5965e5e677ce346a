"""What several tests share."""

import os

import pytest

os.environ.setdefault("GRADCIRCUIT_COMPILED", "0")  # or results would depend on what is on disk

from autograd import Tensor
from autograd.table import FUNCTIONS, METHODS, NUMPY, TABLE


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
