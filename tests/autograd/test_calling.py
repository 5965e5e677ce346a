"""Calls: the short ways and the general one say the same."""

import math

import numpy as np
import pytest

from autograd import tensor


@pytest.mark.parametrize("x", [2.0, [2.0]])
@pytest.mark.parametrize("operator", ["__mul__", "__rmul__", "__truediv__", "__rsub__", "__pow__"])
def test_a_number_of_numpys_counts_as_a_number(x, operator):
    y = getattr(tensor(x, requires_grad=True), operator)
    assert y(np.float64(3)).dtype == np.float32
    assert y(np.float64(3)).tolist() == y(3.0).tolist()


def test_minus_zero_is_not_zero():
    x = tensor([1.0])
    assert [math.copysign(1, (x * zero).item()) for zero in (0.0, -0.0, 0.0)] == [1, -1, 1]
