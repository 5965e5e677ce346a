"""Layers and functions of vision models: torchvision's names and meanings."""

from nn.dropout import StochasticDepth
from nn.functional.dropout import stochastic_depth
from nn.vision.ops.misc import MLP, Conv2dNormActivation, Conv3dNormActivation, Permute, SqueezeExcitation

__all__ = ["MLP", "Conv2dNormActivation", "Conv3dNormActivation", "Permute", "SqueezeExcitation", "StochasticDepth",
           "stochastic_depth"]
