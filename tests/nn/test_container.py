"""Containers of modules and of parameters."""

import pytest

import autograd
import nn


def test_sequential():
    net = nn.Sequential({"first": nn.Linear(2, 3), "second": nn.ReLU()})
    assert net[0] is net.first
    assert net[-1] is net.second
    net.append(nn.Linear(3, 1))
    assert len(net) == 3
    assert [name for name, _ in net[1:].named_children()] == ["second", "2"]
    del net[1]
    assert isinstance(net[1], nn.Linear)
    with pytest.raises(IndexError, match="2 entries"):
        net[5]
    with pytest.raises(TypeError, match="Module"):
        nn.Sequential(nn.Linear(2, 2), "relu")


def test_module_list_and_parameter_list():
    layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    layers.insert(1, nn.ReLU())
    assert [type(layer).__name__ for layer in layers] == ["Linear", "ReLU", "Linear", "Linear"]
    assert [name for name, _ in layers.named_parameters()][:3] == ["0.weight", "0.bias", "2.weight"]
    weights = nn.ParameterList([autograd.ones(2), nn.Parameter(autograd.zeros(3))])
    assert [name for name, _ in weights.named_parameters()] == ["0", "1"]
