"""Layers, losses and what surrounds them: PyTorch's names and meanings on autograd's tensors."""

from nn import functional, init
from nn.activation import ReLU
from nn.container import ModuleDict, ModuleList, ParameterList, Sequential
from nn.linear import Flatten, Identity, Linear, Unflatten
from nn.loss import CrossEntropyLoss
from nn.module import Module
from nn.parameter import Parameter

__all__ = [
    "CrossEntropyLoss", "Flatten", "Identity", "Linear", "Module", "ModuleDict", "ModuleList", "Parameter",
    "ParameterList", "ReLU", "Sequential", "Unflatten", "functional", "init",
]
