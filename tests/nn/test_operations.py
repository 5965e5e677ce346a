"""Every operation that nn declares, by the properties that all operations share; a new one is tested here by itself."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nn  # noqa: F401 - declares the operations
from autograd.table import TABLE
from autograd.testing import Draw, check_operation

DECLARED_BY_NN = [op for op in TABLE.values() if op.forward.__module__.startswith("nn.")]


@pytest.mark.parametrize("op", DECLARED_BY_NN, ids=lambda op: op.name)
def test_operation(op):
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(st.data())
    def check(data):
        check_operation(op, Draw(data.draw))
    check()
