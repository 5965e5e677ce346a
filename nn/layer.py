"""Layers without parameters: a function of `nn.functional` and its options."""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from autograd import Tensor
from autograd.errors import unfit
from nn.module import Module


class FunctionLayer(Module):
    """Base of layers that are a function: its options are given when the layer is made, and are its attributes.

    A subclass names the function, and how many of its parameters `forward` takes; the others are the options. An option
    that is a Tensor becomes a buffer. A parameter `training` is the layer's mode.

    >>> class Scaled(FunctionLayer, function=lambda input, factor=2.0: input * factor):
    ...     '''x times a factor.'''
    >>> Scaled(factor=3.0)
    Scaled(factor=3.0)
    """

    function: ClassVar[Callable]
    options: ClassVar[dict[str, Any]]
    shown: ClassVar[bool] = True
    _inputs: ClassVar[list[str]]
    __signature__: ClassVar[inspect.Signature]

    def __init_subclass__(cls, function: Callable | None = None, inputs: int = 1, **defaults: Any) -> None:
        super().__init_subclass__()
        if function is None:
            return
        parameters = list(inspect.signature(function).parameters.values())
        cls._inputs, parameters = [p.name for p in parameters[:inputs]], parameters[inputs:]
        cls.function = staticmethod(function)
        cls.options = {p.name: p.default for p in parameters if p.name != "dtype"} | defaults
        cls.__signature__ = inspect.Signature(
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
             for name, default in cls.options.items() if name != "training"])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        why = unfit(type(self).__name__, type(self).__signature__, args, kwargs)
        if why is not None:
            raise TypeError(why)
        bound = type(self).__signature__.bind(*args, **kwargs)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            if isinstance(value, Tensor) and "weight" not in name and "samples" not in name:
                raise TypeError(f"a Tensor of shape {value.shape} was given for the option '{name}': a layer is made "
                                "with its options and then called with Tensors, as in "
                                f"{type(self).__name__}(...)({', '.join(self._inputs)})")
            if isinstance(value, Tensor) or (value is None and "weight" in name):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return self.function(*inputs, **named, **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        """The options; `inplace` only if it is on, as in PyTorch."""
        hidden = ("training", *(() if getattr(self, "inplace", False) else ("inplace",)))
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.options if name not in hidden) * self.shown
