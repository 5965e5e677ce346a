"""Random search draws from its ranges, finds the best, warns at edges, and refines."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optim.search import choice, integers, log_uniform, search, uniform


@given(low=st.floats(1e-6, 1), factor=st.floats(1.5, 1e6), seed=st.integers(0, 9))
def test_draws_lie_in_the_range_and_fill_it_evenly(low, factor, seed):
    rng = np.random.default_rng(seed)
    for space in (uniform(low, low * factor), log_uniform(low, low * factor)):
        values = [space.draw(rng) for _ in range(200)]
        assert low <= min(values) and max(values) <= low * factor
        shares = [space.share(value) for value in values]
        assert 0.35 < np.mean(shares) < 0.65 and min(shares) < 0.1 and max(shares) > 0.9
    assert log_uniform(low, low * factor).at(0.5) == pytest.approx(low * math.sqrt(factor))


def test_coarse_to_fine_finds_the_optimum():
    def loss(lr, width, momentum):
        return (math.log10(lr) + 3) ** 2 + (width - 40) ** 2 / 1000 + (momentum != 0.9)
    space = {"lr": log_uniform(1e-6, 1), "width": integers(8, 128), "momentum": choice(0, 0.9)}
    result = search(loss, space, 40, seed=0, maximize=False)
    for seed in range(1, 4):
        before = result.best.score
        result = search(loss, result.refined(), 40, seed=seed, maximize=False)
        assert result.best.score <= before + 0.05
    assert result.best.options["lr"] == pytest.approx(1e-3, rel=0.3)
    assert isinstance(result.best.options["width"], int) and result.best.options["momentum"] == 0.9


def test_the_same_seed_gives_the_same_trials():
    run = [search(lambda x: -x * x, {"x": uniform(-1, 1)}, 10, seed=3).trials for _ in range(2)]
    assert run[0] == run[1]
    assert [t.score for t in run[0]] == sorted((t.score for t in run[0]), reverse=True)


def test_warns_at_an_edge_and_only_there():
    with pytest.warns(UserWarning, match="best lr.*upper edge of its range 0.0001 to 0.1"):
        search(lambda lr: lr, {"lr": log_uniform(1e-4, 1e-1)}, 200, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search(lambda lr: -abs(lr - 1), {"lr": uniform(0, 2)}, 200, seed=0)


def test_a_diverged_trial_is_the_worst_and_fixed_options_are_passed_on():
    result = search(lambda x, y: math.nan if x > 0 else x + y, {"x": uniform(-2, 2), "y": 10}, 30, seed=0)
    assert result.best.score <= 10 and math.isnan(result.trials[-1].score)


@pytest.mark.parametrize("make, message", [
    (lambda: uniform(2, 1), "from 2 to 1"),
    (lambda: log_uniform(0, 1), "above 0"),
    (lambda: search(abs, {"x": 3}), "nothing to search"),
    (lambda: search(abs, {"x": uniform(0, 1)}, 0), "at least 1 trial"),
])
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
