"""Every operation of the table, by the properties that all of them share.

An operation that is declared is tested here without another line: the parameters are the table itself. Those of nn have
their place in tests/nn/test_operations.py.
"""

import pytest
from hypothesis import settings

import autograd  # noqa: F401 - declares the operations
from autograd.table import TABLE
from autograd.testing import gradient_test

WITH_SAMPLES = [op for op in TABLE.values() if op.samples and not op.forward.__module__.startswith("nn.")]


@pytest.mark.parametrize("op", WITH_SAMPLES, ids=lambda op: op.name)
def test_operation(op):
    gradient_test(op.call, max_examples=40, settings=settings(derandomize=True, database=None))()
