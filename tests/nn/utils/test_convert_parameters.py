"""Parameters as one vector."""

import numpy as np
import pytest

import nn
from nn import utils


def test_parameters_become_a_vector_and_come_back():
    a, b = nn.Linear(3, 2), nn.Linear(3, 2)
    vector = utils.parameters_to_vector(a.parameters())
    assert vector.shape == (8,)
    utils.vector_to_parameters(vector, b.parameters())
    np.testing.assert_array_equal(a.weight.array, b.weight.array)
    (vector * vector).sum().backward()
    np.testing.assert_allclose(a.bias.grad.numpy(), 2 * a.bias.array)
    with pytest.raises(ValueError, match="8 elements"):
        utils.vector_to_parameters(vector[:5], b.parameters())
