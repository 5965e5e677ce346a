"""Scans and differences along an axis."""

import numpy as np
import pytest

import autograd


@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_by_differences_are_numpys(order):
    x = np.cumsum(np.arange(20.0) ** 1.5).reshape(4, 5)
    positions = [np.array([0.0, 1.0, 3.0, 4.5]), 0.5]
    ours = autograd.gradient(autograd.tensor(x), spacing=[autograd.tensor(positions[0]), 0.5], edge_order=order)
    for a, b in zip(ours, np.gradient(x, *positions, edge_order=order), strict=True):
        np.testing.assert_allclose(a.numpy(), b)
    with pytest.raises(RuntimeError, match="need more than"):
        autograd.gradient(autograd.tensor(x[:1]), dim=0)
