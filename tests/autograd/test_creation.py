"""Tensors from nothing: PyTorch's dtypes and shapes."""

import numpy as np
import pytest

import autograd
from autograd import tensor

torch = pytest.importorskip("torch")

CONSTANTS = [
    lambda t: t.zeros(2, 3), lambda t: t.zeros((2, 3), dtype=t.int64), lambda t: t.ones([2]), lambda t: t.zeros(()),
    lambda t: t.full((2, 2), 7), lambda t: t.full((2,), 1.5), lambda t: t.full((2,), True), lambda t: t.full([], 2),
    lambda t: t.zeros(2, device="cpu"), lambda t: t.eye(3), lambda t: t.eye(2, 3, dtype=t.float64),
    lambda t: t.arange(5),
    lambda t: t.arange(1, 4), lambda t: t.arange(0, 1, 0.25), lambda t: t.arange(3.0), lambda t: t.arange(5, 0, -2),
    lambda t: t.arange(3, dtype=t.float32), lambda t: t.linspace(0, 1, 5), lambda t: t.linspace(-1, 1, 1),
    lambda t: t.logspace(0, 2, 3), lambda t: t.logspace(0, 3, 4, base=2), lambda t: t.zeros_like(t.arange(3)),
    lambda t: t.ones_like(t.zeros(2, 2), dtype=t.int64), lambda t: t.full_like(t.zeros(2), 3),
    lambda t: t.full_like(t.arange(2), 3.7), lambda t: t.tensor([1, 2]), lambda t: t.tensor([1, 2.0]),
    lambda t: t.tensor(True),
    lambda t: t.tensor([[1], [2]], dtype=t.float64), lambda t: t.as_tensor([1.0, 2.0]), lambda t: t.tensor([]),
    lambda t: t.zeros(2, dtype=t.float64).new_zeros(3), lambda t: t.zeros(2).new_ones((2, 2)),
    lambda t: t.arange(2).new_full((2,), 5), lambda t: t.zeros(2, dtype=t.float64).new_tensor([1, 2]),
    lambda t: t.zeros(2).new_zeros(2, dtype=t.int64),
]


@pytest.mark.parametrize("number", range(len(CONSTANTS)))
def test_like_pytorch(number):
    ours, theirs = CONSTANTS[number](autograd), CONSTANTS[number](torch)
    assert ours.shape == tuple(theirs.shape)
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


def test_empty_has_shape_and_dtype():
    assert autograd.empty(2, 3).shape == autograd.empty_like(autograd.zeros(2, 3)).shape == (2, 3)
    assert autograd.arange(2).new_empty(4).dtype == np.int64


def test_another_device_is_refused():
    for make in (lambda: autograd.zeros(2, device="cuda"), lambda: autograd.randn(2, device="cuda:0"),
                 lambda: autograd.zeros(2).to("cuda"), lambda: autograd.Generator(device="mps")):
        with pytest.raises(RuntimeError, match="'cpu' alone"):
            make()


@pytest.mark.parametrize(("wrong", "says"), [
    (lambda: autograd.multinomial(tensor([1.0, 0.0]), 2), "num_samples=2 positions without replacement .* 1 weights"),
    (lambda: autograd.multinomial(tensor([1.0, -1.0]), 1), "between -1.0 and 1.0"),
    (lambda: autograd.bernoulli(tensor([0.5, 2.0])), "between 0.5 and 2.0.*sigmoid"),
    (lambda: autograd.normal(0.0, -1.0, (2,)), "at least 0, not -1.0"),
    (lambda: autograd.from_numpy([1.0]), "takes a NumPy array, not list"),
])
def test_errors_say_which_numbers_are_wrong(wrong, says):
    with pytest.raises((RuntimeError, ValueError, TypeError), match=says):
        wrong()
