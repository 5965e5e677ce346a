"""Activations: kinks, digits, and those that the comparison of layers leaves open."""

import numpy as np
import pytest

import autograd
from nn import functional as F
from nn.functional import activation


def test_maxout_takes_the_largest_of_consecutive_features():
    assert F.maxout(autograd.tensor([[1.0, 5.0, 2.0, -1.0, -3.0, -2.0]]), 3).tolist() == [[5.0, -1.0]]


def test_gumbel_softmax_samples_the_distribution():
    autograd.manual_seed(0)
    p = np.array([0.2, 0.5, 0.3])
    hard = F.gumbel_softmax(autograd.tensor(np.log(np.tile(p, (20000, 1)))), hard=True).numpy()
    np.testing.assert_allclose(hard.mean(0), p, atol=0.02)


def test_the_normal_distribution_of_gelu_has_the_precision_of_its_dtype():
    special = pytest.importorskip("scipy.special")
    x = np.linspace(-9, 9, 100001)
    np.testing.assert_allclose(activation.normal_cdf(x), special.ndtr(x), atol=4e-16)
    np.testing.assert_allclose(activation.normal_cdf(x.astype(np.float32)), special.ndtr(x), atol=3e-7)


@pytest.mark.parametrize("name", ["relu", "relu6", "leaky_relu", "elu", "celu", "selu", "hardtanh", "hardsigmoid",
                                  "hardswish", "hardshrink", "softshrink", "softsign"])
def test_derivatives_at_kinks_are_pytorchs(name, as_pytorch):
    def program(library, layers):
        t = library.tensor(np.array([-3, -1, -0.5, 0, 0.5, 1, 3, 6], np.float64)).requires_grad_()
        getattr(layers.functional, name)(t).sum().backward()
        return t.grad
    as_pytorch(program, 1e-7)
