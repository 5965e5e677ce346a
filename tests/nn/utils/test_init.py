"""Modules without an initialization."""

import pytest

import autograd
import nn


def test_skipping_the_initialization_leaves_the_random_state_alone():
    autograd.manual_seed(0)
    expected = autograd.randn(3).tolist()
    autograd.manual_seed(0)
    layer = nn.utils.skip_init(nn.Linear, 3, 2, bias=False, dtype=autograd.float64)
    assert autograd.randn(3).tolist() == expected
    assert layer.weight.shape == (2, 3) and layer.weight.dtype == autograd.float64 and layer.bias is None
    with pytest.raises(RuntimeError, match="ReLU takes no device"):
        nn.utils.skip_init(nn.ReLU)
