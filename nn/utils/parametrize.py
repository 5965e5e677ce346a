"""Parameters that are computed from others.

The attribute becomes a property of the layer's class, computed when it is read, so the layer needs to know nothing.
"""

from collections.abc import Callable
from typing import Any

from autograd import Tensor, no_grad
from nn.module import Module
from nn.parameter import Parameter


class ParametrizationList(Module):
    """The parameters that stand in for one, and the module that computes it from them."""

    def __init__(self, parametrization: Module, **originals: Tensor) -> None:
        super().__init__()
        for name, value in originals.items():
            setattr(self, name, Parameter(value.detach().clone()))
        self.register_module("0", parametrization)

    def forward(self) -> Tensor:
        return vars(self)["0"](*self.parameters(recurse=False))


def parametrize(module: Module, name: str, parametrization: Module, **originals: Tensor) -> Module:
    """Put parameters, from which a module computes it, in the place of one."""
    delattr(module, name)
    if not is_parametrized(module):
        module.register_module("parametrizations", Module())
    setattr(vars(module)["parametrizations"], name, ParametrizationList(parametrization, **originals))
    return compute_attribute(module, name, lambda self: getattr(vars(self)["parametrizations"], name)())


def computed_attributes(module: Module) -> dict[str, Callable[[Module], Tensor]]:
    """What is computed when it is read: attribute -> function of the module."""
    return vars(type(module)).get("computed", {})


def compute_attribute(module: Module, name: str, compute: Callable[[Module], Tensor] | None) -> Module:
    """Give a module a class of its own, in which an attribute is computed when it is read; with None no longer."""
    computed = {**computed_attributes(module), name: compute}
    if compute is None:
        del computed[name]
    kind = next(k for k in type(module).__mro__ if "computed" not in vars(k))
    properties = {name: property(function) for name, function in computed.items()}
    module.__class__ = kind if not computed else type(
        f"Parametrized{kind.__name__}", (kind,), {**properties, "computed": computed, "__module__": kind.__module__})
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether an attribute, or any, is computed from other parameters."""
    found = vars(module).get("parametrizations")
    return found is not None and (tensor_name is None or tensor_name in vars(found))


def remove_parametrizations(module: Module, tensor_name: str) -> Module:
    """Make the attribute a plain parameter again, with the value it has now."""
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"{type(module).__name__}.{tensor_name} is not parametrized")
    value = getattr(module, tensor_name).detach().clone()
    standing_in = module.get_submodule("parametrizations")
    delattr(standing_in, tensor_name)
    compute_attribute(module, tensor_name, None)
    if not list(standing_in.children()):
        delattr(module, "parametrizations")
    setattr(module, tensor_name, Parameter(value))
    return module


def remove_computed(function: str, kind: Any, module: Module, name: str) -> Module:
    """Make an attribute that `nn.utils.<function>` computes a plain parameter again, with the value it has now."""
    compute = computed_attributes(module).get(name)
    if not isinstance(compute, kind):
        raise ValueError(f"remove_{function}: nn.utils.{function} was not applied to {type(module).__name__}.{name}")
    with no_grad():
        weight = compute.remove(module)
    compute_attribute(module, name, None)
    setattr(module, name, Parameter(weight))
    return module


def parameter_to_compute(function: str, module: Module, name: str) -> Parameter:
    """The parameter of that name, or an error of `function`."""
    value = vars(module).get(name)
    if not isinstance(value, Parameter):
        own = [n for n, _ in module._own_parameters()]
        reason = f"is no parameter; there are {own}"
        reason = "is parametrized already" if name in computed_attributes(module) else reason
        raise ValueError(f"{function}: {type(module).__name__}.{name} {reason}")
    return value
