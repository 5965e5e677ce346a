"""Sums and differences with a factor."""

import numpy as np
import pytest

import autograd

INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]


@pytest.mark.parametrize("x", ["float16", "float32", "float64", "int64"])
@pytest.mark.parametrize("other", INTEGERS)
def test_alpha_multiplies_in_the_dtype_of_the_result(x, other):
    """A small integer times alpha may be too large for its own dtype; PyTorch's rule."""
    x, other = autograd.tensor(np.array([1, 2], x)), autograd.tensor(np.array([100, 3], other))
    for alpha in (2, 5, 300, -1):
        for found, sign in ((autograd.add(x, other, alpha=alpha), 1), (autograd.sub(x, other, alpha=alpha), -1),
                            (autograd.rsub(other, x, alpha=alpha), -1), (x.clone().add_(other, alpha=alpha), 1)):
            assert found.dtype == x.dtype
            assert found.tolist() == pytest.approx([1 + sign * alpha * 100, 2 + sign * alpha * 3], rel=1e-3)


def test_alpha_of_what_has_more_digits():
    exact = autograd.add(autograd.tensor(np.ones(2)), autograd.tensor([16777217, 2]), alpha=1.5)
    assert exact.tolist() == [1 + 1.5 * 16777217, 4]
    assert autograd.add(autograd.tensor([1.0, 2.0]), [1, 2], alpha=2).tolist() == [3, 6]


@pytest.mark.parametrize("into", INTEGERS)
@pytest.mark.parametrize("other", INTEGERS)
def test_an_integer_is_changed_in_place_by_any_other(into, other):
    """As in PyTorch: the result wraps around if it does not fit."""
    x = autograd.tensor(np.array([3, 4], into))
    x += autograd.tensor(np.array([1, -2 if other[0] == "i" else 2], other))
    assert (str(x.dtype), x.tolist()) == (into, [4, 2 if other[0] == "i" else 6])
    with pytest.raises(RuntimeError, match="cannot be stored in place"):
        x += 0.5
