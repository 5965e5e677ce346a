"""Every operation that nn declares, by the properties that all operations share; a new one is tested here by itself."""

import pytest
from hypothesis import settings

import nn  # noqa: F401 - declares the operations
from autograd.table import TABLE
from autograd.testing import gradient_test

DECLARED_BY_NN = [op for op in TABLE.values() if op.forward.__module__.startswith("nn.")]


@pytest.mark.parametrize("op", DECLARED_BY_NN, ids=lambda op: op.name)
def test_operation(op):
    gradient_test(op.call, max_examples=30, settings=settings(derandomize=True, database=None))()
