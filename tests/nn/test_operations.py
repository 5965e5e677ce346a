"""Every operation that nn declares, by the properties that all operations share; a new one is tested here by itself."""

import sys

import pytest
from hypothesis import settings

import autograd
from autograd.runtime import threads
from autograd.table import TABLE
from autograd.testing import gradient_test
from nn.functional import geometry  # with it, nn declares its operations

DECLARED_BY_NN = [op for op in TABLE.values() if op.forward.__module__.startswith("nn.")]


@pytest.mark.parametrize("op", DECLARED_BY_NN, ids=lambda op: op.name)
def test_operation(op):
    gradient_test(op.call, max_examples=30, settings=settings(derandomize=True, database=None))()


DIVIDED = [op for op in DECLARED_BY_NN if hasattr(sys.modules[op.forward.__module__], "in_parallel")]


@pytest.mark.parametrize("op", DIVIDED, ids=lambda op: op.name)
def test_operation_over_threads(op, monkeypatch):
    """As above, however little there is to divide."""
    monkeypatch.setattr(threads, "WORTHWHILE", 1)
    for module in {threads, geometry, *map(sys.modules.get, (op.forward.__module__ for op in DIVIDED))}:
        for limit in ("CACHE", "CACHED", "QUERIES"):
            if hasattr(module, limit):
                monkeypatch.setattr(module, limit, 1)
    before = autograd.get_num_threads()
    autograd.set_num_threads(2)
    try:
        gradient_test(op.call, max_examples=15, settings=settings(derandomize=True, database=None))()
    finally:
        autograd.set_num_threads(before)
