"""NumPy under the name that HIPS autograd gives it, for programs and libraries that look there."""

import numpy as np
import pytest

import autograd
import autograd.numpy as anp
from autograd.func import grad


def test_it_is_numpy():
    assert anp.einsum is np.einsum and anp.linalg is np.linalg and anp.pi == np.pi


def test_a_program_of_hips_autograd():
    slope = grad(lambda x: anp.sum(anp.sin(x) ** 2))
    np.testing.assert_allclose(slope(autograd.tensor([0.5, 1.0])).tolist(), np.sin([1.0, 2.0]), rtol=1e-6)


def test_opt_einsum_contracts_tensors():
    opt_einsum = pytest.importorskip("opt_einsum")
    a, b, c = autograd.rand(3, 4, requires_grad=True), autograd.rand(4, 5), autograd.rand(5, 2)
    out = opt_einsum.contract("ij,jk,kl->il", a, b, c)
    np.testing.assert_allclose(out.detach(), (a @ b @ c).detach(), rtol=1e-5)
    out.sum().backward()
    np.testing.assert_allclose(a.grad, (b @ c).sum(1).expand(3, 4), rtol=1e-5)
