"""The same seed gives PyTorch's numbers: of all that draws, after any mixture of it, and in whole programs."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd
from tests.same_seed import EXPECTED, EXPRESSIONS, SEEDS, evaluated, shortened

TABLE = json.loads(EXPECTED.read_text())
ROOT = Path(__file__).parent.parent
CLOSE = {"float16": 1e-3, "float32": 2e-6, "float64": 1e-15}


def assert_close(found, expected, dtype):
    tolerance = CLOSE.get(str(dtype), 0)
    if tolerance == 0:
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_the_table_is_of_these_expressions():
    assert list(TABLE) == EXPRESSIONS
    assert len(set(EXPRESSIONS)) == len(EXPRESSIONS) > 100


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.filterwarnings("ignore")
def test_numbers_are_those_of_the_table(expression):
    for seed, expected in zip(SEEDS, TABLE[expression], strict=True):
        values = evaluated(expression, "autograd", seed)
        found = shortened(values)
        if values.dtype.kind != "f":
            assert found == expected
            continue
        tolerance = max(20 * CLOSE[str(values.dtype)], 1e-8)
        np.testing.assert_allclose(found[:-1], expected[:-1], rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(found[-1], expected[-1], rtol=tolerance,
                                   atol=tolerance * np.abs(values).sum(dtype=np.float64))


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.filterwarnings("ignore")
def test_numbers_are_pytorchs_and_so_are_those_that_follow(expression):
    torch = pytest.importorskip("torch")
    for seed in SEEDS:
        expected = evaluated(expression, "torch", seed)
        found = evaluated(expression, "autograd", seed)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        tolerance = 20 if expression.startswith(("nn.", "F.")) else 1  # they compute with what they draw
        np.testing.assert_allclose(found, expected, rtol=tolerance * CLOSE.get(str(found.dtype), 0),
                                   atol=tolerance * CLOSE.get(str(found.dtype), 0))
        assert_same_state(torch)


def assert_same_state(torch):
    """Seed, position, words, and the sine that is kept."""
    ours, theirs = autograd.get_rng_state().numpy(), torch.get_rng_state().numpy()
    np.testing.assert_array_equal(ours[:5024], theirs[:5024])
    np.testing.assert_allclose(ours[5024:5032].view(float), theirs[5024:5032].view(float), rtol=1e-15)
    np.testing.assert_array_equal(ours[5032:], theirs[5032:])


def test_any_mixture_of_draws_keeps_step():
    torch = pytest.importorskip("torch")
    tensors = [expression for expression in EXPRESSIONS if expression[:2] == "t." and "data." not in expression]
    chosen = np.random.default_rng(0).permutation(tensors * 2)[:150]
    autograd.manual_seed(11)
    torch.manual_seed(11)
    for expression in chosen:
        found, expected = eval(expression, {"t": autograd}), eval(expression, {"t": torch})
        assert_close(found.numpy(), expected.numpy(), found.dtype)
    assert_same_state(torch)


@pytest.mark.parametrize("program", ["mlp", "cnn", "lstm", "transformer", "vae", "wgan_gp"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whole_programs_print_pytorchs_losses(program, dtype):
    torch = pytest.importorskip("torch")
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import same_seed as programs
    finally:
        sys.path.pop(0)
    before = autograd.get_default_dtype(), torch.get_default_dtype()
    try:
        autograd.set_default_dtype(getattr(autograd, dtype))
        torch.set_default_dtype(getattr(torch, dtype))
        ours, theirs = [programs.losses(getattr(programs, program), name, 50) for name in ("autograd", "torch")]
    finally:
        autograd.set_default_dtype(before[0])
        torch.set_default_dtype(before[1])
    np.testing.assert_allclose(ours, theirs, rtol=1e-4 if dtype == "float32" else 1e-10)
    assert np.ptp(theirs) > 0


def test_a_process_starts_anywhere():
    program = "import autograd; print(autograd.initial_seed())"
    first, second = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                                    cwd=ROOT).stdout for _ in range(2)]
    assert first != second
