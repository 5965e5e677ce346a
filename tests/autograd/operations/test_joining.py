"""Parts share one gradient, and have to add up. Joins and parts stand beside PyTorch's in test_shaping.py."""

import numpy as np
import pytest

import autograd
from autograd import tensor


def test_the_gradients_of_parts_are_joined_once():
    x = autograd.ones(100, 3, requires_grad=True)
    parts = x.unbind()
    nodes = autograd.Graph(sum(part.sum() for part in parts)).nodes
    assert [node.name for node in nodes].count("unbind") == 1
    sum(part.sum() * i for i, part in enumerate(parts)).backward()
    assert x.grad[:, 0].tolist() == list(range(100))


def test_parts_that_nobody_uses_have_gradient_zero():
    x = autograd.ones(4, requires_grad=True)
    x.split([1, 2, 1])[1].sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 0]


def test_iteration_gives_views_and_membership_compares():
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert all(np.shares_memory(row.array, x.array) for row in x)
    assert 3.0 in x
    assert 5.0 not in x


@pytest.mark.parametrize(("wrong", "says"), [
    (lambda x: x.split([1, 1], 1), r"\(1, 1\) add up to 2, but axis 1 has length 3"),
    (lambda x: x.repeat(2), r"^repeat\(.*, 2\): \(2,\) has a number for 1 of the 2 axes.*tile"),
    (lambda x: np.split(x, 2, axis=1), "array_split"),
])
def test_errors_say_what_does_not_fit(wrong, says):
    with pytest.raises((RuntimeError, ValueError, IndexError), match=says):
        wrong(autograd.zeros(2, 3))
