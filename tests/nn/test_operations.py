"""Every operation that nn declares, by the properties that all operations share; a new one is tested here by itself."""

import contextlib
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd
from autograd.runtime import threads
from autograd.table import TABLE
from autograd.testing import Draw, flatten, gradient_test
from nn.functional import geometry  # with it, nn declares its operations
from nn.vision import ops  # noqa: F401 - and those of boxes

DECLARED_BY_NN = [op for op in TABLE.values() if op.forward.__module__.startswith("nn.")]


@pytest.mark.parametrize("op", DECLARED_BY_NN, ids=lambda op: op.name)
def test_operation(op):
    gradient_test(op.call, max_examples=30, settings=settings(derandomize=True, database=None))()


DIVIDED = [op for op in DECLARED_BY_NN if hasattr(sys.modules[op.forward.__module__], "in_parallel")]


LIMITS = [(module, limit)
          for module in {threads, geometry, *map(sys.modules.get, (op.forward.__module__ for op in DIVIDED))}
          for limit in ("WORTHWHILE", "CACHE", "CACHED", "QUERIES") if hasattr(module, limit)]


@contextlib.contextmanager
def in_small_parts():
    """Over two threads, however little there is to divide."""
    before = autograd.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        for module, limit in LIMITS:
            patch.setattr(module, limit, 1)
        autograd.set_num_threads(2)
        yield
    autograd.set_num_threads(before)


@pytest.mark.parametrize("op", DIVIDED, ids=lambda op: op.name)
def test_operation_over_threads(op):
    with in_small_parts():
        gradient_test(op.call, max_examples=15, settings=settings(derandomize=True, database=None))()


@pytest.mark.filterwarnings("ignore:.*encountered")
@pytest.mark.parametrize("op", DIVIDED, ids=lambda op: op.name)
def test_in_parts_the_result_is_that_of_the_whole(op):
    @settings(max_examples=20, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(st.data())
    def check(data):
        args, options = op.samples(Draw(data.draw))
        arrays, rebuild = flatten(args)
        results = []
        for circumstances in (contextlib.nullcontext(), in_small_parts()):
            with circumstances:
                leaves = [autograd.Tensor(x, requires_grad=True) for x in arrays]
                out = op.call(*rebuild(leaves), **options)
                outs = list(out) if isinstance(out, (tuple, list)) else [out]
                tracked = [t for t in outs if t.requires_grad]
                given = [autograd.Tensor(np.cos(np.arange(t.numel())).reshape(t.shape)) for t in tracked]
                gradients = autograd.grad(tracked, leaves, given, allow_unused=True) if tracked else ()
                results.append([t.detach().numpy() for t in (*outs, *gradients) if t is not None])
        for whole, parts in zip(*results, strict=True):
            np.testing.assert_allclose(parts, whole, rtol=1e-9, atol=1e-9)
    check()


@pytest.mark.filterwarnings("ignore:.*encountered")
@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.samples], ids=lambda op: op.name)
def test_a_gradient_that_is_recorded_has_all_its_digits(op):
    """Rules run on Tensors then, and a number beside a boolean one would be a float32."""
    @settings(max_examples=8, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(st.data())
    def check(data):
        args, options = op.samples(Draw(data.draw))
        arrays, rebuild = flatten(args)
        leaves = [autograd.Tensor(x, requires_grad=True) for x in arrays]
        out = op.call(*rebuild(leaves), **options)
        outs = [t for t in (out if isinstance(out, (tuple, list)) else [out]) if t.requires_grad]
        given = [autograd.Tensor(np.cos(np.arange(t.numel())).reshape(t.shape).astype(t.dtype)) for t in outs]
        plain, recorded = [autograd.grad(outs, leaves, given, retain_graph=True, create_graph=create, allow_unused=True)
                           for create in (False, True)] if outs else ((), ())
        for g, h in zip(plain, recorded, strict=True):
            assert (g is None) is (h is None)
            if g is not None:
                np.testing.assert_allclose(h.detach().numpy(), g.numpy(), rtol=1e-10, atol=1e-10)
    check()
