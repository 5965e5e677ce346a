"""Every operation of the table, by the properties that all of them share.

An operation that is declared is tested here without another line: the parameters are the table itself.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd  # noqa: F401 - declares the operations
from autograd.table import TABLE
from autograd.testing import Draw, check_operation

WITH_SAMPLES = [op for op in TABLE.values() if op.samples]


@pytest.mark.parametrize("op", WITH_SAMPLES, ids=lambda op: op.name)
def test_operation(op):
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(st.data())
    def check(data):
        check_operation(op, Draw(data.draw))
    check()
