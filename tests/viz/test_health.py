"""Numbers of a tensor in a few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import viz
from autograd import Tensor
from tests.viz.pictures import assert_model_is_legible
from viz.health import summarize


@pytest.mark.parametrize("x", [np.zeros((0, 3)), np.zeros((50,)), np.full((50,), np.nan), np.arange(50.0),
                               np.where(np.arange(50) % 2, 1.0, np.nextafter(1.0, 2)), np.full(50, np.float32(3e38))])
def test_any_values_can_be_summed_up(x):
    assert_model_is_legible(viz.draw((Tensor(x, requires_grad=True) * 2).sum(), style="model"))


@given(st.integers(0, 10 ** 6), st.sampled_from(["float16", "float32", "float64", "int64", "bool"]),
       st.sampled_from([1, 1e-20, 1e25, 1e4]), st.sampled_from(["rows", "columns", "every other", "broadcast"]))
@settings(max_examples=60)
def test_a_summary_says_what_numpy_says_of_any_layout(seed, dtype, scale, layout):
    rng = np.random.default_rng(seed)
    numbers = rng.standard_normal((rng.integers(1, 300), 2 * rng.integers(1, 200))) + rng.integers(0, 3)
    numbers *= 1 if dtype in ("float16", "int64", "bool") else scale
    array = numbers.astype(dtype)
    array = {"rows": lambda: array, "columns": lambda: array.T, "every other": lambda: array[:, ::2],
             "broadcast": lambda: np.broadcast_to(array[:, None], (array.shape[0], 3, array.shape[1]))}[layout]()
    exact, summary = array.astype(np.float64), summarize(array)
    assert summary.rms == pytest.approx(np.sqrt(np.mean(exact ** 2)), rel=1e-4)
    if exact.min() != exact.max():
        mean, deviation, low, high = (float(word) for word in
                                      summary.text.replace(",", "").replace("±", "").replace("…", "").split())
        near = {"rel": 0.06, "abs": 1e-5 * np.abs(exact).max()}  # two digits are printed
        assert (mean, deviation) == (pytest.approx(exact.mean(), **near), pytest.approx(exact.std(), **near))
        assert (low, high) == (pytest.approx(exact.min(), rel=0.06), pytest.approx(exact.max(), rel=0.06))
        assert max(summary.bars) == 1


def test_a_histogram_of_many_elements_is_that_of_all():
    numbers = np.random.default_rng(0).standard_normal(10 ** 6).astype(np.float32)
    counts = np.histogram(numbers, 16, (numbers.min(), numbers.max()))[0]
    np.testing.assert_allclose(summarize(numbers).bars, counts / counts.max(), atol=0.08)
    stripes = np.tile([0.0, 1.0, 2.0, 3.0], 10 ** 5)
    assert sum(bar > 0.9 for bar in summarize(stripes).bars) == 4


def test_every_element_is_looked_at_for_nan():
    for value, word in ((np.nan, "NaN"), (np.inf, "infinite"), (-np.inf, "infinite")):
        numbers = np.ones(10 ** 6, np.float32)
        numbers[777_777] = value
        assert summarize(numbers).alarm == f"1 of 1000000 {word}"
        assert summarize(np.broadcast_to(numbers[777_000:778_000], (3, 1000))).alarm == f"3 of 3000 {word}"
