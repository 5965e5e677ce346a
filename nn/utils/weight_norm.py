"""Weight normalization with the parameters named as PyTorch's older function did, for its checkpoints.

The mathematics is that of `nn.utils.parametrizations`, which new models should use.
"""

from autograd import Tensor
from nn.module import Module
from nn.parameter import Parameter
from nn.utils.parametrizations import WeightNorm
from nn.utils.parametrize import compute_attribute, parameter_to_compute, remove_computed


class _WeightNorm:
    def __init__(self, name: str, dim: int | None) -> None:
        self.g, self.v, self.rule = f"{name}_g", f"{name}_v", WeightNorm(dim)

    def __call__(self, module: Module) -> Tensor:
        return self.rule(getattr(module, self.g), getattr(module, self.v))

    def remove(self, module: Module) -> Tensor:
        """Take the parameters away; returns the last weight."""
        weight = self(module)
        delattr(module, self.g)
        delattr(module, self.v)
        return weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train the length g and the direction v of weights apart: w = g v / ‖v‖ (Salimans and Kingma 2016).

    In the state_dict they are `weight_g` and `weight_v`, as in PyTorch's older `torch.nn.utils.weight_norm`; new models
    should use `nn.utils.parametrizations.weight_norm`.

    Args:
        module: the layer, which is changed and returned.
        name: of its parameter.
        dim: each slice along this axis has a length of its own; None or -1: the whole has one.
    """
    weight, compute = parameter_to_compute("weight_norm", module, name), _WeightNorm(name, dim)
    delattr(module, name)
    setattr(module, compute.g, Parameter(compute.rule.norm(weight.detach())))
    setattr(module, compute.v, Parameter(weight.detach().clone()))
    return compute_attribute(module, name, compute)


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make the attribute a plain parameter again, with the value it has now."""
    return remove_computed("weight_norm", _WeightNorm, module, name)
