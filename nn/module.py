"""Module: the base of layers and models. Its attributes are all it knows about itself.

A Parameter, a registered buffer or a Module that is an attribute is found by looking through the attributes; nothing is
kept twice, and reading `self.weight` costs what reading any attribute costs.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

import autograd
from autograd import Tensor, watching
from autograd.creation import is_device
from autograd.dtypes import as_dtype
from autograd.errors import REFUSALS, explain_constructor, is_of, refused
from autograd.hooks import RemovableHandle
from autograd.inplace import write
from autograd.typing import DTypeLike
from nn.hooks import call_with_hooks
from nn.parameter import Parameter


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` left alone."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """Base of all layers and models: subclass it, assign parameters and submodules as attributes, write `forward`.

    >>> class Perceptron(Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden, self.out = Linear(64, 32), Linear(32, 10)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())

    Attributes:
        training: whether layers such as Dropout and BatchNorm behave as in training; see `train` and `eval`.
    """

    training: bool

    def __init__(self) -> None:
        self.training = True
        self._buffers: dict[str, bool] = {}  # name -> whether it is part of the state_dict
        self._hooks: dict[str, list[Callable]] = {}  # kind -> hooks

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if is_of(cls, __name__):
            explain_constructor(cls)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; called as `module(...)`, which also runs the hooks."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooks or watching.watchers:
                return call_with_hooks(self, args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            if isinstance(error, AttributeError) and "_hooks" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__} was made without Module.__init__(); begin its __init__ "
                                     "with super().__init__()") from None
            if hasattr(error, "__notes__"):  # the innermost layer is where it went wrong
                raise
            if is_of(type(self), __name__) and isinstance(error, REFUSALS):
                error = refused(error, type(self).__name__, inspect.signature(self.forward), args, kwargs)
            error.add_note(f"raised in the layer {self._line()}")
            raise error

    def __setattr__(self, name: str, value: Any) -> None:
        present = self.__dict__.get(name)
        if present is None:
            if isinstance(value, (Parameter, Module)) and "_hooks" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__}.{name} is assigned before Module.__init__() was called; "
                                     "begin __init__ with super().__init__()")
        elif isinstance(present, Parameter) and not isinstance(value, Parameter) and value is not None:
            raise TypeError(f"{type(self).__name__}.{name} is a Parameter and cannot become a {type(value).__name__}, "
                            "which would not be trained; assign nn.Parameter(...), or write new values into it: "
                            f"with no_grad(): module.{name}[:] = values")
        elif isinstance(present, Module) and not isinstance(value, Module) and value is not None:
            raise TypeError(f"{type(self).__name__}.{name} is a Module and cannot become a {type(value).__name__}; "
                            "assign a Module or None, or del it first")
        object.__setattr__(self, name, value)

    # What it is made of

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """The same as assigning it to the attribute `name`."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"register_parameter({name!r}) takes a Parameter or None, not {type(param).__name__}; "
                            "write nn.Parameter(tensor)")
        setattr(self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """A tensor that belongs to the module and isn't trained, as the attribute `name`.

        Args:
            name: the attribute.
            tensor: its value.
            persistent: whether it is part of the state_dict.
        """
        if hasattr(self, name) and name not in self._buffers:
            raise KeyError(f"{type(self).__name__} has an attribute '{name}' already; "
                           "choose another name for the buffer")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer({name!r}) takes a Tensor or None, not {type(tensor).__name__}; "
                            "write autograd.tensor(values)")
        self._buffers[name] = persistent
        setattr(self, name, tensor)

    def register_module(self, name: str, module: "Module | None") -> None:
        """The same as assigning it to the attribute `name`, which need not be an identifier."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"'{name}' must be a Module, not {type(module).__name__}")
        if not name or "." in name:
            raise KeyError(f"a module cannot be called {name!r}: names are joined by dots, so they "
                           "must be non-empty and without any")
        setattr(self, name, module)

    add_module = register_module

    def _own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        return ((name, value) for name, value in vars(self).items() if isinstance(value, Parameter))

    def _own_buffers(self, persistent_only: bool = False) -> Iterator[tuple[str, Tensor]]:
        return ((name, vars(self)[name]) for name, persistent in self._buffers.items()
                if vars(self).get(name) is not None and (persistent or not persistent_only))

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules that are attributes of this one, each once, with their names."""
        seen = set()
        for name, value in vars(self).items():
            if isinstance(value, Module) and value not in seen:
                seen.add(value)
                yield name, value

    def children(self) -> Iterator["Module"]:
        """The modules that are attributes of this one."""
        return (module for _, module in self.named_children())

    def named_modules(self, memo: set["Module"] | None = None, prefix: str = "",
                      remove_duplicate: bool = True) -> Iterator[tuple[str, "Module"]]:
        """This module and all below it, with dotted names; a shared one once, unless `remove_duplicate` is False."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield from value.named_modules(memo, _dotted(prefix, name), remove_duplicate)

    def modules(self) -> Iterator["Module"]:
        """This module and all below it."""
        return (module for _, module in self.named_modules())

    def _named(self, members: Callable, prefix: str, recurse: bool,
               remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in members(module):
                if id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield _dotted(path, name), value

    def named_parameters(self, prefix: str = "", recurse: bool = True,
                         remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """All parameters with dotted names; a shared one once, unless `remove_duplicate` is False."""
        return self._named(Module._own_parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, as an optimizer takes them."""
        return (param for _, param in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True,
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """All buffers with dotted names."""
        return self._named(Module._own_buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> "Module":
        """The module of that dotted name; "" is this one."""
        return self._get(target, Module) if target else self

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of that dotted name."""
        return self._get(target, Parameter)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of that dotted name."""
        return self._get(target, Tensor)

    def _get(self, target: str, kind: type) -> Any:
        found: Any = self
        for name in target.split("."):
            if name not in vars(found):
                known = [n for n, v in vars(found).items() if isinstance(v, (Module, Tensor))]
                raise AttributeError(f"{type(self).__name__} has no '{target}': {type(found).__name__} has no "
                                     f"'{name}', only {known}")
            found = vars(found)[name]
        if not isinstance(found, kind):
            raise AttributeError(f"'{target}' of {type(self).__name__} is a "
                                 f"{type(found).__name__}, not a {kind.__name__}")
        return found

    # Modes, dtypes, gradients

    def apply(self, fn: Callable[["Module"], Any]) -> Self:
        """Call `fn` on every module below and on this one, e.g. to initialize them."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Let this module and all below it behave as in training."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Let this module and all below it behave as in use: no dropout, running statistics."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Train the parameters, or freeze them."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for param in self.parameters():
            if param.grad is not None:
                param.grad = None if set_to_none else autograd.zeros_like(param.grad)

    def to(self, dtype: DTypeLike) -> Self:
        """Convert floating parameters and buffers, in place, to a floating dtype."""
        if is_device(dtype):  # lets PyTorch code run unchanged
            return self
        dtype = as_dtype(dtype)
        if dtype.kind != "f":
            raise TypeError(f"a module can only be converted to a floating dtype, not {dtype}")
        for tensor in [*self.parameters(), *self.buffers()]:
            for t in (tensor, tensor.grad):
                if t is not None and t.dtype.kind == "f":
                    t.data = t.detach().to(dtype)
        return self

    def float(self) -> Self:
        """Convert to float32."""
        return self.to(autograd.float32)

    def double(self) -> Self:
        """Convert to float64."""
        return self.to(autograd.float64)

    def half(self) -> Self:
        """Convert to float16."""
        return self.to(autograd.float16)

    # State

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Every parameter and persistent buffer under its dotted name, sharing memory with the module."""
        state = {}
        for path, module in self.named_modules(prefix=prefix.removesuffix("."), remove_duplicate=False):
            for name, tensor in [*module._own_parameters(), *module._own_buffers(persistent_only=True)]:
                state[_dotted(path, name)] = tensor.detach()
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values into the parameters and buffers, each keeping its own dtype.

        Args:
            state_dict: dotted name -> Tensor or anything that becomes an array (PyTorch's tensors do).
            strict: refuse missing and unexpected names; otherwise they are returned.

        Raises:
            RuntimeError: lists missing and unexpected names and wrong shapes. Nothing has been copied then.
        """
        own = {_dotted(path, name): tensor
               for path, module in self.named_modules(remove_duplicate=False)
               for name, tensor in [*module._own_parameters(), *module._own_buffers(persistent_only=True)]}
        given = {name: value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
                 for name, value in state_dict.items() if name in own}
        result = IncompatibleKeys([name for name in own if name not in state_dict],
                                  [name for name in state_dict if name not in own])
        problems = []
        if strict and result.missing_keys:
            problems.append("Missing key(s) in state_dict: " + _listed(result.missing_keys))
        if strict and result.unexpected_keys:
            problems.append("Unexpected key(s) in state_dict: " + _listed(result.unexpected_keys))
        problems += [f"size mismatch for {name}: the state_dict has shape {value.shape}, the module {own[name].shape}"
                     for name, value in given.items() if value.shape != own[name].shape]
        if problems:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(problems))
        for name, value in given.items():
            write(own[name], ..., value)
        return result

    # Hooks

    def _register(self, kind: str, hook: Callable, prepend: bool = False) -> RemovableHandle:
        return RemovableHandle(self._hooks.setdefault(kind, []), hook, prepend)

    def register_forward_pre_hook(self, hook: Callable[["Module", tuple], Any], *,
                                  prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; what it returns replaces the arguments.

        This and the other hooks return a handle: `handle.remove()` takes the hook away.
        """
        return self._register("forward_pre", hook, prepend)

    def register_forward_hook(self, hook: Callable[["Module", tuple, Any], Any], *,
                              prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward; what it returns replaces the output."""
        return self._register("forward", hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[["Module", tuple], Any]) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the backward pass goes through; a tuple it returns replaces it."""
        return self._register("full_backward_pre", hook)

    def register_full_backward_hook(self, hook: Callable[["Module", tuple, tuple], Any]) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` in the backward pass; a tuple it returns replaces grad_input."""
        return self._register("full_backward", hook)

    # Text

    def extra_repr(self) -> str:
        """What stands between the parentheses of the module's own line."""
        return ""

    def __repr__(self) -> str:
        return self._text([f"({name}): {_indented(child)}" for name, child in vars(self).items()
                           if isinstance(child, Module)])

    def _line(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"

    def _text(self, lines: list[str]) -> str:
        extra = self.extra_repr()
        name = type(self).__name__
        if not lines:
            return self._line() if "\n" not in extra else f"{name}(\n  {_indented(extra)}\n)"
        body = [*(extra.split("\n") if extra else []), *lines]
        return f"{name}(\n  " + "\n  ".join(body) + "\n)"


def _dotted(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names) + "."


def _indented(child: Any) -> str:
    return str(child).replace("\n", "\n  ")
