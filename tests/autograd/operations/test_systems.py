"""Stacks of small systems, compiled, have NumPy's solutions."""

import importlib.util

import numpy as np
import pytest

import autograd

pytestmark = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    monkeypatch.setattr("autograd.runtime.compiled.LEAST", 1)
    autograd.set_compiled(True)
    yield
    autograd.set_compiled(False)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 2), (5, 7, 7), (2, 3, 32, 32), (2, 33, 33), (0, 4, 4), (4, 4)])
@pytest.mark.parametrize("transposed", [False, True])
def test_solutions_and_inverses(shape, dtype, transposed):
    """Where rows must change places, too: with a zero on the diagonal, and with the largest number below it."""
    from autograd.operations.linalg import _inverted, _solved
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(shape).astype(dtype), rng.standard_normal((*shape[:-1], 3)).astype(dtype)
    if shape[-1] > 1:
        a[..., 0, 0] = 0
    a = a.swapaxes(-1, -2) if transposed else a
    for found, expected in ((_solved(a, b), np.linalg.solve(a, b)), (_inverted(a), np.linalg.inv(a))):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(found, expected, rtol=1e-4 if dtype == np.float32 else 1e-9, atol=1e-6)


def test_errors_and_what_is_no_number_are_numpys():
    a = np.eye(3, dtype=np.float32)[None].repeat(4, 0)
    a[2, 1] = 0
    with pytest.raises(np.linalg.LinAlgError, match="is singular"):
        autograd.linalg.solve(autograd.tensor(a), autograd.ones(4, 3, 1))
    a[2, 1, 1] = np.nan
    found = autograd.linalg.inv(autograd.tensor(a)).numpy()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(np.linalg.inv(a)))
