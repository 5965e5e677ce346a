"""A function in pieces gives what it gives at once, whatever function it is."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn.functional  # noqa: F401 - more operations
from autograd.runtime import piecewise, threads
from autograd.table import TABLE
from autograd.testing import Draw


@pytest.fixture
def pieces(monkeypatch):
    """However little there is to do is done in pieces of three numbers, by two threads."""
    monkeypatch.setattr(piecewise, "MANY", 1)
    monkeypatch.setattr(piecewise, "LEAST", 1)
    monkeypatch.setattr(threads, "CACHED", 3)
    monkeypatch.setattr(threads, "WORTHWHILE", 1)
    before = autograd.get_num_threads()
    autograd.set_num_threads(2)
    yield
    autograd.set_num_threads(before)


@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.many < sys.maxsize and op.samples],
                         ids=lambda op: op.name)
def test_in_pieces_and_at_once(op, pieces):
    known = [{} for _ in range(1 + len(op.vjps))]

    @settings(derandomize=True, database=None, max_examples=30)
    @given(st.composite(lambda draw: op.samples(Draw(draw)))(), st.booleans())
    def property_(call, everywhere):
        args, options = call
        options = {**op.options, **options}
        out = op.forward(*args, **options)
        g = np.broadcast_to(out.dtype.type(0.5), out.shape) if everywhere else np.cos(np.arange(out.size)).reshape(
            out.shape).astype(out.dtype)
        for function, found, given_ in zip((op.forward, *op.vjps), known, [args, *[(g, out, *args)] * len(op.vjps)],
                                           strict=True):
            together = piecewise.piecewise(function, found, tuple(given_), options) if function else NotImplemented
            if together is not NotImplemented:
                once = function(*given_, **options)
                assert (together.dtype, together.shape) == (once.dtype, once.shape)
                np.testing.assert_allclose(together, once, rtol=1e-14, atol=1e-300)
    with np.errstate(all="ignore"):
        property_()


@pytest.mark.parametrize("name", ["sigmoid", "gelu", "silu", "_hardswish", "lerp", "_huber", "sin"])
def test_what_is_elementwise_is_done_in_pieces(name, pieces):
    op, x = TABLE[name], np.linspace(-4, 4, 100, dtype=np.float32)
    args = (x, x[::-1].copy(), 0.3)[:len(op.arguments)]
    options = {"delta": 0.5, "slope": 1.0} if name == "_huber" else {}
    out = op.forward(*args, **options)
    for function, given_ in ((op.forward, args), (op.vjps[0], (x, out, *args))):
        if name != "sin" or function is not op.forward:
            np.testing.assert_allclose(piecewise.piecewise(function, {}, given_, options), function(*given_, **options))


@pytest.mark.parametrize("args", [
    (np.ones(8)[::2], np.ones(4)), (np.ones((4, 2)), np.ones(2)), (np.ones(4), np.ones(4, np.float32)),
    (np.ones(4, int), np.ones(4)), (np.broadcast_to(1.0, (4,)),) * 2, (np.ones(0), np.ones(0))])
def test_what_is_left_to_numpy(args, pieces):
    """Gaps, other shapes, dtypes that meet, nothing that varies, nothing at all."""
    assert piecewise.piecewise(lambda x, y: x * y + x - y, {}, args, {}) is NotImplemented


def test_few_are_done_at_once():
    x = np.ones(1000)
    assert piecewise.piecewise(lambda x: x * x + x - 1, {}, (x,), {}) is NotImplemented
