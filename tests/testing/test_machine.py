"""Random programs on the graph; and engines with a fault in them, which the machine must find."""

import importlib

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from autograd import inplace, sharing
from autograd.testing import GraphMachine
from autograd.testing.diagnosis import GradientError

backward = importlib.import_module("autograd.backward")  # autograd.backward is the function

SETTINGS = settings(max_examples=60, stateful_step_count=25, suppress_health_check=list(HealthCheck),
                    database=None, derandomize=True, phases=[Phase.generate], print_blob=False)


def run(examples=60):
    run_state_machine_as_test(GraphMachine, settings=settings(SETTINGS, max_examples=examples,
                                                              report_multiple_bugs=False))


def test_random_programs_give_the_reference_or_are_refused():
    run()


def _latest_only(monkeypatch):
    class Latest(dict):
        def get(self, key, default=None):
            return default
    monkeypatch.setattr(backward, "dict", Latest, raising=False)


FAULTS = {
    "writes to saved arrays go unnoticed": lambda m: m.setattr(sharing, "check_saved", lambda node: None),
    "views of changed tensors stay in use": lambda m: m.setattr(inplace, "relatives", lambda tensor: []),
    "gradients of a fork are not added": _latest_only,
    "gradients are overwritten, not accumulated": lambda m: m.setattr(backward, "np", _Overwriting),
    "in-place changes lose the history": lambda m: m.setattr(
        inplace, "_record", lambda tensor, result: inplace.write(tensor, ..., result.array)),
    "broadcasting is not undone by a sum": lambda m: m.setattr(
        backward, "unbroadcast", lambda g, shape, node, i: g.reshape(-1)[:int(np.prod(shape))].reshape(shape)),
}


class _Overwriting:
    """NumPy, but += is =."""

    def __getattr__(self, name):
        return getattr(np, name)

    @staticmethod
    def add(a, b, out):
        out[...] = b


_Overwriting = _Overwriting()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_engine_is_found(fault, monkeypatch):
    FAULTS[fault](monkeypatch)
    with pytest.raises((GradientError, BaseExceptionGroup)):
        run(1500)  # it stops at the first
