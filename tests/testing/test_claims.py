"""What the kit once accused wrongly, or overlooked; each is accepted, or found, without a word of declaration."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, settings

import autograd
from autograd import Function, where
from autograd.testing import (
    GradientError,
    check_derivatives,
    check_function,
    gradient_test,
    numeric_gradient,
    strategies,
)

ROOT = Path(__file__).parent.parent.parent
QUIET = settings(database=None, derandomize=True, phases=[Phase.generate])
ROWS = dict(min_dims=1, min_side=1)


def det(x):
    return autograd.linalg.det(x)


@pytest.mark.parametrize(("function", "domain"), {
    "a small number beside a norm": (lambda x: x / (x.norm(dim=-1, keepdim=True) + 1e-6), ROWS),
    "a small number beside a deviation": (lambda x: (x - x.mean(0)) / (x.std(0) + 1e-5), dict(min_dims=1, min_side=2)),
    "a root that is nearly a kink": (lambda x: (x * x + 1e-8).sqrt(), {}),
    "floor": (lambda x: x.floor() + x, {}),
    "round": (lambda x: x * x.round(), {}),
    "sign": (lambda x: x.sign() * x * x, {}),
    "where with a jump": (lambda x, y: where(x > y, x * x, y - 1), {}),
    "remainder": (lambda x: x % 1, {}),
    "sort": (lambda x: x.sort(-1)[0], ROWS),
    "topk": (lambda x: x.topk(1, -1)[0], ROWS),
    "median": (lambda x: x.median(-1)[0], ROWS),
    "atan2": (autograd.atan2, {}),
    "a kink in a power": (lambda x, y: (x.abs() + 0.5) ** y, {}),
    "a steep sigmoid": (lambda x: (1000 * x).sigmoid(), {}),
    "fast oscillation": (lambda x: (50 * x).sin(), {}),
    "lost digits": (lambda x: (1e8 + x) - 1e8, {}),
    "less than rounding": (lambda x: x.tanh(), dict(low=8)),
    "kinks that cancel": (lambda x: autograd.maximum(x, 0 * x) + (-x.abs()).exp().log1p(), {}),
    "as many as are positive": (lambda x: x[x > 0], ROWS),
}.values())
def test_nobody_is_accused(function, domain):
    gradient_test(function, settings=QUIET, max_examples=60, **domain)()


def test_singular_matrices_are_no_fault():
    gradient_test(det, strategies.arrays((3, 3)), settings=QUIET, max_examples=60)()


class Planted(Function):
    """x², with a rule of the test's."""

    rule = None

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @classmethod
    def backward(cls, ctx, g):
        x, = ctx.saved_tensors
        return cls.rule(g, x) * (2 * x * g)


CALLS = []


def number(condition):
    return 1.0005 if condition else 1.0


PLANTS = {
    "beyond 4": lambda g, x: where(x.abs() > 4, 1.0005, 1.0),
    "beyond 30": lambda g, x: where(x.abs() > 30, 1.0005, 1.0),
    "below a thousandth": lambda g, x: where(x.abs() < 1e-3, 1.0005, 1.0),
    "batches above 8": lambda g, x: number(x.ndim and len(x) > 8),
    "widths above 16": lambda g, x: number(x.ndim and x.shape[-1] > 16),
    "without axes": lambda g, x: number(not x.ndim),
    "four axes": lambda g, x: number(x.ndim == 4),
    "five axes": lambda g, x: number(x.ndim == 5),
    "square matrices": lambda g, x: number(x.ndim > 1 and x.shape[-1] == x.shape[-2] > 1),
    "sorted": lambda g, x: number(x.numel() > 2 and (np.diff(x.array.reshape(-1)) >= 0).all()),
    "all positive": lambda g, x: number(x.numel() > 1 and (x.array > 0).all()),
    "all equal": lambda g, x: number(x.numel() > 1 and np.ptp(x.array) == 0),
    "one element only": lambda g, x: _first(x),
    "a stride of zero": lambda g, x: number(0 in x.array.strides and x.numel() > 1),
    "the incoming gradient is constant": lambda g, x: number(g.numel() > 1 and np.ptp(g.array) == 0),
    "the incoming gradient is one": lambda g, x: number(g.numel() and (g.array == 1).all()),
    "the incoming gradient has zeros": lambda g, x: number(g.numel() and (g.array == 0).any() and g.array.any()),
    "the incoming gradient is huge": lambda g, x: number(g.numel() and np.abs(g.array).max() > 1e9),
    "the incoming gradient is infinite in one place": lambda g, x: number(not np.isfinite(g.array).all()),
    "float32 only": lambda g, x: 1.01 if x.dtype == np.float32 else 1.0,
    "one time in ten": lambda g, x: number(not CALLS.append(0) and len(CALLS) % 10 == 0),
}


def _first(x):
    factor = np.ones(x.shape)
    factor.reshape(-1)[:1] = 1.0005
    return factor


@pytest.mark.parametrize("name", PLANTS)
def test_half_a_per_mille_in_one_circumstance_is_found(name):
    planted = type("Planted", (Planted,), {"rule": staticmethod(PLANTS[name])})
    with pytest.raises(GradientError):
        gradient_test(lambda x: planted.apply(x), order=1, settings=QUIET)()


@pytest.mark.parametrize(("maximum", "right"), [(1.0, False), (0.5, True), (0.0, False)])
def test_ties_must_be_shared_out(maximum, right):
    """At a tie any share is right, as long as the shares add up."""
    larger = autograd.operation(np.maximum, names="_larger", vjps=(
        lambda g, out, x, y: g * ((x > y) + maximum * (x == y)),
        lambda g, out, x, y: g * ((y > x) + maximum * (x == y))))
    try:
        test = gradient_test(lambda x, y: larger(x, y), order=1, settings=QUIET)
        if right:
            return test()
        with pytest.raises(GradientError):
            test()
    finally:
        del autograd.table.TABLE["_larger"]


def test_what_could_not_be_decided_is_counted_and_said(capsys):
    test = gradient_test(autograd.relu, strategies.arrays((1,), low=-0.0625, high=0.0625), settings=QUIET)
    test()
    assert "of them some derivatives could not be decided" in capsys.readouterr().out
    assert "could not be decided" in test.report


def test_the_message_comes_first_and_without_our_own_frames(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "from autograd.testing import gradient_test\n\ndef f(x):\n    return x.detach() * x\n\n"
        "test_f = gradient_test(f)\n")
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)], cwd=tmp_path,
                         capture_output=True, text=True, check=False,
                         env={**os.environ, "CI": "1", "PYTHONPATH": str(ROOT)})
    assert "properties.py" not in run.stdout
    first = next(line for line in run.stdout.splitlines() if line.startswith("E "))
    assert "f: order 1: d output / d input 0 is 1 by the rules and 2 by central differences" in first


def test_a_slow_function_gets_fewer_examples_and_it_is_said():
    test = gradient_test(lambda x: x * x, settings=QUIET, seconds=0)
    test()
    assert "right on 5 examples" in test.report
    assert "more were not tried" in test.report


def test_seeds_of_hypothesis_choose_the_examples():
    import hypothesis
    seen = []
    for seed in (1, 1, 2):
        drawn = []
        test = gradient_test(lambda x: x * x, settings=settings(QUIET, derandomize=False), max_examples=5,
                             watch=lambda args, options, errors, drawn=drawn: drawn.append(repr(args)))
        hypothesis.seed(seed)(test)()
        seen.append(drawn)
    assert seen[0] == seen[1] != seen[2]


def test_numeric_gradient_is_there_to_import():
    assert np.allclose(numeric_gradient(lambda x: (x ** 2).sum(), np.array([1.0, 2.0])), [2, 4])
    assert np.allclose(numeric_gradient(lambda x: x.exp().sum(), autograd.zeros(2, dtype=autograd.float64)), 1)
    with pytest.raises(ValueError, match="returns one number"):
        numeric_gradient(lambda x: x, np.ones(2))


def test_a_derivative_that_exists_at_a_kink_of_a_part_is_compared():
    assert check_function(lambda x: x * x.abs(), [np.array([0.0, 1.0])], order=1)
    assert len(check_derivatives(lambda x: x / (x.norm() + 1e-6), [np.array([3.0, 4.0])])) == 2
