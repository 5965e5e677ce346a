"""Parameters that are computed from others.

The attribute becomes a property of the layer's class, computed when it is read, so the layer needs to know nothing.
"""

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from autograd import Tensor, no_grad
from autograd.inplace import write
from nn.container import ModuleDict, ModuleList
from nn.module import Module
from nn.parameter import Parameter

__all__ = ["ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
           "type_before_parametrizations"]

_known: dict[tuple[int, str], Tensor] | None = None
"""Values of computed attributes inside of `cached()`, by module and name; None outside."""


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized attribute once, at its first reading, for as long as the context lasts.

    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    >>> with nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    global _known
    outer = _known
    _known = {} if outer is None else outer
    try:
        yield
    finally:
        _known = outer


class ParametrizationList(ModuleList):
    """Modules, one after the other, that compute a tensor from what stands in for it: `original`, or `original0`, ….

    Args:
        modules: the first takes the originals, each other one what the one before returned. Those with a method
            `right_inverse` say what the originals are for a given value.
        original: the value now.
        unsafe: don't ask whether the result has the shape and dtype of the original.
    """

    def __init__(self, modules: Iterable[Module], original: Tensor, unsafe: bool = False) -> None:
        modules = list(modules)
        if not modules:
            raise ValueError("a ParametrizationList needs at least one module")
        super().__init__(modules)
        self.unsafe = unsafe
        value = self._inverted(original.detach(), strict=False)
        self.is_tensor = isinstance(value, Tensor)
        values = [value] if self.is_tensor else list(value)
        for i, part in enumerate(values):
            if not isinstance(part, Tensor):
                raise ValueError(f"right_inverse must return a Tensor or several, not {type(part).__name__}")
            if part.dtype != original.dtype and not unsafe:
                raise ValueError(f"right_inverse returned {part.dtype} for a tensor of {original.dtype}; with "
                                 "unsafe=True that is not asked")
            name = "original" if self.is_tensor else f"original{i}"
            if isinstance(original, Parameter):
                if not (self.is_tensor and part.shape == original.shape and part.dtype == original.dtype):
                    setattr(self, name, Parameter(part.detach().clone(), original.requires_grad))
                    continue
                if part.array is not original.array:
                    write(original, ..., part.array)
                setattr(self, name, original)  # the same parameter, which an optimizer may know
            else:
                self.register_buffer(name, part.detach().clone())
        self.ntensors = len(values)
        if not unsafe:
            with no_grad():
                _check_like(self(), original, "the parametrization")

    def _originals(self) -> list[Tensor]:
        names = ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]
        return [vars(self)[name] for name in names]

    def _inverted(self, value: Any, strict: bool) -> Any:
        with no_grad():
            for module in reversed(list(self)):
                inverse = getattr(module, "right_inverse", None)
                if inverse is not None:
                    try:
                        value = inverse(value)
                    except NotImplementedError:
                        if strict:
                            raise
                elif strict:
                    raise RuntimeError(f"{type(module).__name__} has no method right_inverse(value), so that a value "
                                       "cannot be assigned to what it computes; write one, or write to the originals")
        return value

    def right_inverse(self, value: Tensor) -> None:
        """Write into the originals what gives `value`."""
        inverted = self._inverted(value.detach(), strict=True)
        values = [inverted] if isinstance(inverted, Tensor) else list(inverted)
        if len(values) != self.ntensors:
            raise ValueError(f"right_inverse returned {len(values)} tensors in the place of {self.ntensors}")
        for own, given in zip(self._originals(), values, strict=True):
            if own.shape != given.shape or own.dtype != given.dtype:
                own.data = given.detach().clone()
            else:
                write(own, ..., given.array)

    def forward(self) -> Tensor:
        first, *others = self
        value: Tensor = first(*self._originals())
        for module in others:
            value = module(value)
        return value


def _check_like(value: Any, original: Tensor, what: str) -> None:
    if not isinstance(value, Tensor):
        raise ValueError(f"{what} must return a Tensor, not {type(value).__name__}")
    if value.shape != original.shape or value.dtype != original.dtype:
        raise ValueError(f"{what} makes {value.dtype} of shape {value.shape} from {original.dtype} of shape "
                         f"{original.shape}; with unsafe=True that is not asked")


def register_parametrization(module: Module, tensor_name: str, parametrization: Module, *,
                             unsafe: bool = False) -> Module:
    """Let a module compute a parameter, or buffer, of another one.

    `module.weight` is from then on `parametrization(module.parametrizations.weight.original)`. Assigning to it writes
    what `parametrization.right_inverse(value)` returns into the original, which may be several tensors: original0, ….
    Registering another one puts it after the first.

    Args:
        module: the layer, which is changed and returned.
        tensor_name: of its parameter or buffer.
        parametrization: takes the original and returns the value.
        unsafe: don't ask whether both have one shape and dtype.

    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all())
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        present: ParametrizationList = vars(module)["parametrizations"][tensor_name]
        if not unsafe:
            with no_grad():
                value = getattr(module, tensor_name)
                _check_like(parametrization(value), value, f"{type(parametrization).__name__}")
                if hasattr(parametrization, "right_inverse"):
                    _check_like(parametrization.right_inverse(value), value, "right_inverse")
        present.append(parametrization)
        present.unsafe |= unsafe
        return module
    original = vars(module).get(tensor_name)
    if not isinstance(original, Parameter) and (original is None or tensor_name not in module._buffer_persistence):
        names = [name for name, _ in [*module._own_parameters(), *module._own_buffers()]]
        raise ValueError(f"{type(module).__name__}.{tensor_name} is no parameter and no buffer; there are {names}")
    standing_in = ParametrizationList([parametrization], original, unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.register_module("parametrizations", ModuleDict())
    vars(module)["parametrizations"][tensor_name] = standing_in
    return compute_attribute(module, tensor_name, _Parametrized(tensor_name))


class _Parametrized:
    """What reads and writes an attribute that a ParametrizationList computes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Module) -> Tensor:
        """Its value."""
        compute: ParametrizationList = vars(module)["parametrizations"][self.name]
        if _known is None:
            return compute()
        key = (id(module), self.name)
        if key not in _known:
            _known[key] = compute()
        return _known[key]

    def assign(self, module: Module, value: Tensor) -> None:
        """Write the originals."""
        vars(module)["parametrizations"][self.name].right_inverse(value)


def computed_attributes(module: Module) -> dict[str, Any]:
    """What is computed when it is read: attribute -> function of the module."""
    return vars(type(module)).get("computed", {})


def compute_attribute(module: Module, name: str, compute: Callable[[Module], Tensor] | None,
                      renamed: bool = True) -> Module:
    """Give a module a class of its own, in which an attribute is computed when it is read; with None no longer."""
    computed = {**computed_attributes(module), name: compute}
    if compute is None:
        del computed[name]
    kind = type_before_parametrizations(module)
    properties = {name: property(function, getattr(function, "assign", None)) for name, function in computed.items()}
    module.__class__ = kind if not computed else type(
        f"Parametrized{kind.__name__}" if renamed else kind.__name__, (kind,),
        {**properties, "computed": computed, "__module__": kind.__module__, "__deepcopy__": _copied,
         "__reduce_ex__": _cannot_be_pickled})
    return module


def _copied(self: Module, memo: dict) -> Module:
    twin: Module = object.__new__(type(self))
    memo[id(self)] = twin
    vars(twin).update(copy.deepcopy(vars(self), memo))
    return twin


def _cannot_be_pickled(self: Module, protocol: Any) -> None:
    raise RuntimeError(f"a {type(self).__name__}, whose attributes {list(computed_attributes(self))} are computed, "
                       "cannot be pickled; save its state_dict()")


def type_before_parametrizations(module: Module) -> type[Module]:
    """The class that a module was made of."""
    return next(kind for kind in type(module).__mro__ if "computed" not in vars(kind))


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether an attribute, or any, is computed from other parameters."""
    found = vars(module).get("parametrizations")
    return found is not None and (tensor_name is None or tensor_name in vars(found))


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make the attribute a plain parameter, or buffer, again.

    Args:
        module: the layer, which is changed and returned.
        tensor_name: the attribute.
        leave_parametrized: with the value it has now; otherwise with that of the original.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"{type(module).__name__}.{tensor_name} is not parametrized")
    standing_in = vars(module)["parametrizations"]
    present: ParametrizationList = standing_in[tensor_name]
    originals = present._originals()
    original = originals[0]
    if not leave_parametrized and not present.is_tensor:
        raise ValueError(f"{type(module).__name__}.{tensor_name} has {len(originals)} originals, so leave_parametrized="
                         "False says nothing; leave it out")
    if leave_parametrized:
        with no_grad():
            value = getattr(module, tensor_name).detach().clone()
        if not present.is_tensor:
            original = Parameter(value, original.requires_grad) if isinstance(original, Parameter) else value
        elif original.shape == value.shape and original.dtype == value.dtype:
            write(original, ..., value.array)
        else:
            original.data = value
    persistent = isinstance(original, Parameter)
    del standing_in[tensor_name]
    compute_attribute(module, tensor_name, None)
    if not len(standing_in):
        delattr(module, "parametrizations")
    if persistent:
        setattr(module, tensor_name, original)
    else:
        module.register_buffer(tensor_name, original)
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
