"""What is put somewhere is what NumPy would put there, and nothing beside it is written."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd.runtime.copies import put


@st.composite
def places(draw, shape, read):
    """An array of a shape in some order of its axes, with steps of any sign along them, within another array."""
    order = draw(st.permutations(range(len(shape))))
    steps = [draw(st.sampled_from([1, 1, 1, 2, -1])) for _ in shape]
    around = [shape[i] * abs(step) + draw(st.sampled_from([0, 0, 3])) for i, step in zip(order, steps, strict=True)]
    base = np.random.default_rng(draw(st.integers(0, 99))).standard_normal(around).astype(np.float32)
    array = base[(..., *[slice(None, None, step) for step in steps])][(..., *[slice(shape[i]) for i in order])]
    array = array.transpose(np.argsort(order))
    if read and shape and draw(st.booleans()):
        axis = draw(st.integers(0, len(shape) - 1))
        array = np.broadcast_to(array[(slice(None),) * axis + (slice(1),)], shape)
    return base, array


@st.composite
def pairs(draw):
    shape = draw(st.lists(st.sampled_from([0, 1, 2, 5, 8, 9, 17, 40]), max_size=5).filter(
        lambda shape: np.prod(shape) < 20_000))
    base, out = draw(places(shape, read=False))
    _, values = draw(places(shape, read=True) | st.sampled_from([(None, np.float32(2)), (None, -1.5)]))
    return base, out, values


@pytest.mark.parametrize("compiled", [False, True])
def test_all_of_it_and_nothing_else(compiled, monkeypatch):
    if compiled and importlib.util.find_spec("numba") is None:
        pytest.skip("numba is not installed")
    for limit in ("runtime.copies.MANY", "runtime.compiled.LEAST"):
        monkeypatch.setattr(f"autograd.{limit}", 1)
    before = autograd.is_compiled()

    @settings(max_examples=300, derandomize=True, database=None)
    @given(pairs())
    def is_numpys(drawn):
        base, out, values = drawn
        beside = base.copy()
        earlier = out.copy()
        put(out, values)
        np.testing.assert_array_equal(out, np.broadcast_to(values, out.shape))
        out[...] = earlier
        np.testing.assert_array_equal(base, beside)

    try:
        autograd.set_compiled(compiled)
        is_numpys()
        for numbers in (np.arange(-40, 60).reshape(5, 20) << 40, np.arange(9, dtype=np.int32), np.full((2, 3), np.nan)):
            out = np.empty_like(numbers)
            put(out, numbers)
            assert out.tobytes() == numbers.tobytes()
    finally:
        autograd.set_compiled(before)
