"""Samples that leave nothing out, and what is said of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from viz.training.sampling import BINS, COUNT, describe, sample, sparkline


@given(array_shapes(min_dims=1, max_dims=4, max_side=60))
def test_a_sample_has_elements_of_every_row_and_column(shape):
    """As many as there are, at most COUNT; of the first and the last axis every index, if there are so few."""
    taken = sample(np.arange(np.prod(shape)).reshape(shape)).astype(int)
    assert len(set(taken)) == len(taken) <= COUNT
    assert np.prod(shape) > COUNT or len(taken) == np.prod(shape)
    for axis in (0, -1):
        if shape[axis] * 4 <= len(taken):
            assert len(set(np.unravel_index(taken, shape)[axis])) == shape[axis]


def test_a_sample_is_a_copy_of_what_is_transposed_too():
    x = np.arange(6.0).reshape(2, 3)
    taken = sample(x.T)
    x[:] = 0
    assert sorted(taken) == [0, 1, 2, 3, 4, 5]


@given(st.lists(arrays(np.float64, st.integers(0, 20), elements=st.floats(-1e6, 1e6) | st.just(np.nan) |
                       st.just(np.inf)), max_size=5))
def test_descriptions_are_those_of_numpy(samples):
    for given_, found in zip(samples, describe(samples), strict=True):
        finite = given_[np.isfinite(given_)]
        if not len(finite):
            assert found is None
            continue
        assert (found.low, found.high) == (finite.min(), finite.max())
        assert found.mean == pytest.approx(finite.mean(), rel=1e-9, abs=1e-6)
        assert found.std == pytest.approx(finite.std(), rel=1e-6, abs=1e-3)
        assert len(found.bars) == BINS and "9" in found.bars


def test_bars_are_a_histogram():
    x = np.repeat(np.arange(BINS), np.arange(BINS)).astype(float)
    [found] = describe([x])
    counts = np.histogram(x, BINS)[0]
    assert found.bars == "".join(str(int(np.ceil(9 * n / counts.max()))) for n in counts)


@pytest.mark.parametrize(("numbers", "line"), [
    ([], ""), ([1.0], "▁"), ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"), ([1.0, np.nan, 2.0], "▁×█"),
    ([0.0] * 30 + [1.0] * 30, "▁▁▁███")])
def test_sparklines(numbers, line):
    assert sparkline(numbers, 6 if len(numbers) > 8 else 20) == line
