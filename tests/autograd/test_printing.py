"""The text of a Tensor: PyTorch's, and never long."""

import numpy as np
import pytest

import autograd
from autograd import tensor


@pytest.mark.parametrize(("value", "text"), [
    (tensor([1.0, 2.5]), "tensor([1.0000, 2.5000])"),
    (tensor([1.0, 2.0], requires_grad=True), "tensor([1., 2.], requires_grad=True)"),
    (tensor(3), "tensor(3)"),
    (tensor([True, False]), "tensor([ True, False])"),
    (tensor([1.0], dtype=np.float64), "tensor([1.], dtype=float64)"),
    (tensor([1.0], requires_grad=True) * 2, "tensor([2.], grad_fn=<mul>)"),
    (tensor([]), "tensor([])"),
    (tensor(np.zeros((2, 0), np.float32)), "tensor([], size=(2, 0))"),
    (tensor([1e-6, 1.0]), "tensor([1.0000e-06, 1.0000e+00])"),
    (tensor([float("nan"), float("inf"), 1.5]), "tensor([   nan,    inf, 1.5000])"),
])
def test_repr_is_in_pytorchs_style(value, text):
    assert repr(value) == text


def test_a_long_tensor_is_summarised():
    assert len(repr(autograd.zeros(10_000))) < 200
