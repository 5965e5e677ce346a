"""One-line tests: what they find, and the program that they print."""

import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st

import autograd
from autograd import Tensor, no_grad
from autograd.samples import call
from autograd.testing import GradientError, check_function, gradient_test, strategies

QUIET = settings(database=None, derandomize=True)


def softsign(x):
    return x / (1 + x.abs())


def detaching(x, y):
    return x * y.detach()


@pytest.mark.parametrize("test", [
    gradient_test(softsign, settings=QUIET),
    gradient_test(softsign, reference=lambda x: x / (1 + np.abs(x)), settings=QUIET),
    gradient_test(autograd.log1p, reference=np.log1p, low=-0.5, settings=QUIET),
    gradient_test(lambda x, y: x * y.tanh(), broadcasts=True, settings=QUIET),
    gradient_test(autograd.amax, strategies.arrays(min_dims=1, min_side=1), st.just(-1), settings=QUIET),
    gradient_test(lambda x, i: x[i], strategies.arrays((3,)), strategies.class_indices((4,), 3), settings=QUIET),
    gradient_test(lambda x: 1 / x, strategies.arrays(), kinks=lambda x: x, settings=QUIET),
    gradient_test(lambda a: autograd.linalg.inv(a), strategies.well_conditioned(), order=1, settings=QUIET),
], ids=["plain", "reference", "bounds", "broadcasts", "strategies", "indices", "kinks", "order"])
def test_right_functions_pass(test):
    test()


def changes(x):
    with no_grad():
        x += 1
    return x * 1


REMEMBERED = []
COUNTER = iter(range(10 ** 9))


class Remembering(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        REMEMBERED[:] = [x]
        return x * x

    @staticmethod
    def backward(ctx, g):
        return 2 * REMEMBERED[0] * g


class Clipping(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1

    @staticmethod
    def backward(ctx, g):
        return g.clamp(-1, 1)


def in_memory_order(x):
    return x * np.abs(np.ravel(x.detach().numpy(), order="K")).reshape(x.shape)


def doubling(x):
    return x * Tensor(np.ones(1))


def unlike(x, y):
    return x * 2 if x.shape != y.shape else x * y


@pytest.mark.parametrize(("function", "options", "message"), [
    (detaching, {}, "d input 1"),
    (autograd.exp, {"reference": np.expm1}, "not that of the reference"),
    (lambda x: x + next(COUNTER), {}, "two runs on the same inputs"),
    (changes, {}, r"two runs on the same|somebody writes|read-only"),
    (lambda x: Remembering.apply(x), {"order": 1}, "a value kept outside the graph"),
    (lambda x: Clipping.apply(x), {"order": 1}, "is not 2 J'u - J'v|by central differences"),
    (in_memory_order, {"low": 0.25}, "laid out in memory|by central differences"),
    (doubling, {"low": 0.25}, "float32 arguments give a result of float64"),
    (unlike, {"broadcasts": True}, "stretched beforehand|by central differences"),
])
def test_each_property_can_fail(function, options, message):
    with pytest.raises((GradientError, ValueError), match=message):
        gradient_test(function, settings=settings(QUIET, phases=[Phase.generate]), **options)()


def test_a_function_checked_on_kinks_only_is_not_passed():
    with pytest.raises(GradientError, match=r"each of the .* examples lies on a kink"):
        gradient_test(autograd.relu, strategies.arrays((2,), low=0, high=0), settings=QUIET)()


def test_the_smallest_failing_case_is_printed_as_a_program_that_shows_it():
    with pytest.raises(GradientError) as caught:
        gradient_test(detaching, settings=QUIET)()
    note = next(note for note in caught.value.__notes__ if note.startswith("To see it again"))
    program = note.partition("\n\n")[2]
    assert program.endswith("check_function(detaching, [np.array(1.0), np.array(1.0)])\n")
    program = program.replace(f"from {detaching.__module__} import detaching", "def detaching(x, y):\n"
                              "    return x * y.detach()")
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert shown.returncode == 1
    assert "GradientError: order 1: d output / d input 1 is 0 by the rules and 1 by central differences" in shown.stderr


def always_one(*args, **options):
    return 1


def test_programs_hold_all_kinds_of_arguments():
    def failing(x, *rest, **options):
        return x.detach() * 1
    args = [np.array([1.0, np.inf]), np.zeros((0, 2)), np.array([1], np.int64), np.array([1.5], np.float32),
            [np.array([True])], (1, slice(None)), None]
    with pytest.raises(GradientError) as caught, np.errstate(all="ignore"):
        check_function(failing, args, {"p": np.inf}, order=1, reference=always_one)
    program = re.search(r"check_function\(.*", caught.value.__notes__[0]).group()
    names = {"np": np, "check_function": lambda *a, **k: (a, k), "function": failing, "always_one": always_one}
    found = eval(program, names)
    assert str(found[0][1]) == str(args)
    assert found[0][2] == {"p": np.inf}
    assert found[1] == {"reference": always_one, "order": 1}


def test_calls_and_tuples_spread():
    drawn = []

    def function(x, y, scale=1):
        drawn.append((x.shape, y.shape, scale))
        return x * y * scale
    gradient_test(function, st.just(call(np.ones(2), np.ones(1), scale=3)), max_examples=1, settings=QUIET)()
    gradient_test(function, strategies.alike(2).map(tuple), st.just(4), max_examples=1, settings=QUIET)()
    assert {scale for _, _, scale in drawn} == {3, 4}


def test_importing_autograd_or_gradcheck_needs_no_hypothesis():
    program = ("import sys; import autograd; from autograd.testing import gradcheck, check_function; "
               "sys.exit('hypothesis' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_command(capsys):
    from autograd.testing.__main__ import main
    assert main(["autograd:tanh", "--examples", "20"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"1 +20 +\d.\de[-+]\d\d  right\n +2 +20 +\d.\de[-+]\d\d  right", printed)
    assert "Everything else" in printed
    assert main([f"{__name__}:nothing"]) == 2
    sys.modules.setdefault("wrong_functions", sys.modules[__name__])
    assert main(["wrong_functions:detaching", "--examples", "20"]) == 1
    printed = capsys.readouterr().out
    assert "probably wrong" in printed
    assert "check_function(" in printed
