"""A recorded formula, run block by block, gives what NumPy gives on whole arrays."""

import importlib.util
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import optim
from autograd.runtime import blas
from autograd.runtime import threads as engine
from autograd.runtime.tracing import record
from optim import flat_buffers

UNARY = [np.negative, np.abs, np.square, np.tanh, lambda x: x**2, lambda x: np.abs(x) ** 0.5, lambda x: 1 - x]
BINARY = [np.add, np.multiply, np.maximum, lambda x, y: x / (1 + y * y), lambda x, y: x * (x > y)]


@st.composite
def formulas(draw):
    """A random sequence of lines, each a new result or a write into an argument or an earlier result."""
    lines = draw(st.lists(st.tuples(st.sampled_from(UNARY + BINARY), st.integers(0, 99), st.integers(0, 99),
                                    st.sampled_from(["new", "set", "add"]), st.integers(0, 99)),
                          min_size=1, max_size=12))

    def formula(*arrays):
        values = list(arrays)
        for f, i, j, kind, k in lines:
            x, y, target = (values[n % len(values)] for n in (i, j, k))
            result = f(x) if f in UNARY else f(x, y)
            if kind == "new":
                values.append(result)
            elif kind == "set":
                target[...] = result
            else:
                target += result
    return formula


def pieces(sizes, dtype, rng, layouts):
    """Arrays of the given sizes (some transposed, some strided), and two long ones that they share."""
    start, result = 0, []
    for size in sizes:
        arrays = []
        for _ in range(2):
            a = np.asarray(rng.uniform(-1, 1, size), dtype)
            layout = layouts.pop() if layouts else 0
            arrays.append(a.T if layout == 1 else np.repeat(a, 2, 0)[::2] if layout == 2 and a.ndim else a)
        if arrays[0].shape != arrays[1].shape:
            arrays[1] = np.asfortranarray(np.resize(arrays[1], arrays[0].shape))
        result.append((start, tuple(arrays)))
        start += arrays[0].size
    return result, [np.asarray(rng.uniform(-1, 1, start), dtype) for _ in range(2)]


CASES = {"formula": formulas(), "dtype": st.sampled_from([np.float32, np.float64]), "threads": st.integers(1, 3),
         "sizes": st.lists(st.sampled_from([(), (0,), (3,), (2, 5), (40,), (9, 11), (300,)]), min_size=1, max_size=8),
         "layouts": st.lists(st.integers(0, 2), max_size=16), "skip": st.integers(0, 8)}


@settings(max_examples=60)
@given(**CASES)
def test_equals_the_formula_on_whole_arrays(**case):
    equals_the_formula_on_whole_arrays(**case)


@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
@settings(max_examples=25)
@given(**CASES | {"dtype": st.just(np.float32)})
def test_so_does_the_compiled_loop(**case):
    autograd.set_compiled(True)
    try:
        equals_the_formula_on_whole_arrays(**case)
    finally:
        autograd.set_compiled(False)


@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
def test_what_numba_does_not_know_takes_the_plain_form():
    recording, _ = record(lambda p: np.heaviside(p, 0.5, out=p), 1)
    elementwise = importlib.import_module("autograd.compiled.elementwise")
    assert elementwise.computation(recording, np.dtype(np.float32)) is NotImplemented
    p = np.array([-2, 0, 3], np.float32)
    autograd.set_compiled(True)
    try:
        flat_buffers.run(recording, [(0, (p,))])
    finally:
        autograd.set_compiled(False)
    np.testing.assert_array_equal(p, [0, 0.5, 1])


def equals_the_formula_on_whole_arrays(formula, dtype, threads, sizes, layouts, skip):
    given_pieces, joined = pieces(sizes, dtype, np.random.default_rng(0), layouts)
    used = [piece for i, piece in enumerate(given_pieces) if i != skip] or given_pieces
    expected_joined = [array.copy() for array in joined]
    expected = []
    with np.errstate(all="ignore"):
        for start, arrays in used:
            copies = [array.flatten() for array in arrays]
            parts = [array[start:start + arrays[0].size] for array in expected_joined]
            formula(*copies, *parts)
            expected.append(copies)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(flat_buffers, "BLOCK", 64 * np.dtype(dtype).itemsize)
            patch.setattr(flat_buffers, "_local", threading.local())
            patch.setattr(engine, "WORTHWHILE", 128)
            before = autograd.get_num_threads()
            autograd.set_num_threads(threads)
            try:
                flat_buffers.run(record(formula, 4)[0], used, joined)
            finally:
                autograd.set_num_threads(before)
    for (_, arrays), copies in zip(used, expected, strict=True):
        for ours, theirs in zip(arrays, copies, strict=True):
            np.testing.assert_allclose(np.ravel(ours), theirs, rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(joined, expected_joined, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(blas.set_num_threads is None, reason="NumPy uses another BLAS than OpenBLAS")
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_step_takes_as_many_threads_as_it_may(count, monkeypatch):
    shares, run_blocks = [], flat_buffers._run_blocks

    def noted(recording, blocks, *rest):
        shares.append((threading.current_thread(), len(blocks)))
        run_blocks(recording, blocks, *rest)
    monkeypatch.setattr(flat_buffers, "_run_blocks", noted)
    p = autograd.zeros(16 * flat_buffers.BLOCK, requires_grad=True)
    p.grad = autograd.ones(*p.shape)
    before, running = autograd.get_num_threads(), set(threading.enumerate())
    autograd.set_num_threads(count)
    try:
        optim.Adam([p]).step()
        assert len(shares) == count
        if count == 1:
            assert shares[0][0] is threading.current_thread()
            assert set(threading.enumerate()) <= running
    finally:
        autograd.set_num_threads(before)
    assert sum(blocks for _, blocks in shares) == 64
    assert np.ptp(p.detach().numpy()) == 0
