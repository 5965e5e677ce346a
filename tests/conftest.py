"""What several tests share."""

import pytest

from autograd import Tensor
from autograd.table import FUNCTIONS, TABLE


@pytest.fixture
def table():
    """The table of operations, as it was before."""
    before = dict(TABLE), dict(FUNCTIONS), set(vars(Tensor))
    yield
    for current, old in zip((TABLE, FUNCTIONS), before[:2], strict=True):
        current.clear()
        current.update(old)
    for name in set(vars(Tensor)) - before[2]:
        delattr(Tensor, name)
