"""Norms: PyTorch's values and gradients, also at zero."""

import math

import numpy as np
import pytest

pytest.importorskip("torch")

import autograd
from autograd import linalg
from tests.autograd.operations.test_linalg import like_pytorch

CASES = {
    "vector norm": lambda t, x: t.linalg.vector_norm(x), "vector norm 3": lambda t, x: t.linalg.vector_norm(x, 3, -1),
    "vector norm inf": lambda t, x: t.linalg.vector_norm(x, math.inf, (0, 1), True),
    "vector norm 0": lambda t, x: t.linalg.vector_norm(x, 0) + 0 * x.sum(),
    "vector norm half": lambda t, x: t.linalg.vector_norm(x, 0.5, dim=1),
    "norm": lambda t, x: t.linalg.norm(x), "norm dim": lambda t, x: t.linalg.norm(x, dim=(0, 2), keepdim=True),
    "norm nuc": lambda t, x: t.linalg.norm(x[0], "nuc"), "norm 1": lambda t, x: t.linalg.norm(x, 1, dim=-1),
    **{f"matrix norm {order}": lambda t, x, order=order: t.linalg.matrix_norm(x, order, keepdim=order == 2)
       for order in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)},
    "matrix norm dim": lambda t, x: t.linalg.matrix_norm(x, 1, dim=(0, 1)),
}


@pytest.mark.parametrize("name", CASES)
def test_like_pytorch(name):
    like_pytorch(CASES[name])


def test_a_norm_at_zero_has_gradient_zero():
    for norm in (linalg.norm, linalg.vector_norm, lambda x: linalg.vector_norm(x, 3), linalg.matrix_norm):
        x = autograd.zeros(2, 2, requires_grad=True)
        norm(x).backward()
        assert x.grad.tolist() == [[0, 0], [0, 0]]


def test_errors_name_the_call():
    with pytest.raises(ValueError, match="'nuclear' is no norm"):
        linalg.matrix_norm(autograd.eye(2), "nuclear")
    with pytest.raises(RuntimeError, match=r"shape \(1, 2, 2\); name the axes"):
        linalg.norm(autograd.eye(2)[None], "fro")


@pytest.mark.parametrize("scale", [1, 1e-25, 1e25])
@pytest.mark.parametrize("shape", [(1023,), (1024,), (5000,), (3, 5, 700)])
def test_a_norm_of_many_numbers_is_that_of_float64(shape, scale):
    x = np.random.default_rng(0).standard_normal(shape) * scale
    norm = linalg.vector_norm(autograd.tensor(x.astype(np.float32)))
    assert norm.shape == () and norm.dtype is autograd.float32
    np.testing.assert_allclose(norm.item(), np.linalg.norm(x.reshape(-1)), rtol=3e-7)


def test_a_norm_of_many_numbers_keeps_what_is_not_finite():
    x = autograd.ones(3, 1000)
    x[1, 2] = math.inf
    assert linalg.vector_norm(x).item() == math.inf
    x[2, 999] = math.nan
    assert math.isnan(linalg.vector_norm(x).item())
