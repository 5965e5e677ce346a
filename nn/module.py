"""Module: the base of layers and models. Its attributes are all it knows about itself.

A Parameter, a registered buffer or a Module that is an attribute is found by looking through the attributes; nothing is
kept twice, and reading `self.weight` costs what reading any attribute costs.
"""

import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple, Self, TypeVar
from weakref import ref as reference

import numpy as np

import autograd
from autograd import Tensor, watching
from autograd.clock import clock
from autograd.creation import check_device, is_device
from autograd.dtypes import as_dtype
from autograd.errors import REFUSALS, explain_constructor, is_of, refused
from autograd.grad_mode import mode
from autograd.graph import tensors_in
from autograd.hooks import RemovableHandle
from autograd.inplace import write
from autograd.typing import DTypeLike
from nn.hooks import Hook, call_with_hooks, everywhere
from nn.parameter import Buffer, Parameter, Uninitialized

T_destination = TypeVar("T_destination", bound=dict[str, Any])


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` left alone."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not (self.missing_keys or self.unexpected_keys):
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class _Members(MutableMapping[str, Any]):
    """The attributes of a module that are of one kind, as a dict: writing to it writes the attributes, unchecked.

    What is None is found, but not listed.
    """

    def __new__(cls, module: Any, kind: Any = None) -> Any:
        return super().__new__(cls) if kind else dict(module)  # who makes another of its type expects a dict's

    def __init__(self, module: "Module", kind: Callable[["Module", str, Any], bool]) -> None:
        self._module, self._kind = module, kind

    def __getitem__(self, name: str) -> Any:
        value = vars(self._module)[name]
        if value is not None and not self._kind(self._module, name, value):
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        vars(self._module)[name] = value

    def __delitem__(self, name: str) -> None:
        self[name]  # of this kind, or a KeyError
        del vars(self._module)[name]

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, value in vars(self._module).items() if self._kind(self._module, name, value)])

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def items(self) -> Any:
        """The names and the members, those of now: a dict's items, which have a reverse order, too."""
        return self.copy().items()

    def copy(self) -> dict[str, Any]:
        """A dict of its own."""
        return dict(self)

    def __repr__(self) -> str:
        return repr(dict(self))


class _Parameters(_Members):
    def __setitem__(self, name: str, value: Any) -> None:  # a plain tensor too is a parameter from here on
        if value is not None and not isinstance(value, Parameter):
            self._module._plain_parameters |= {name}
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._module._plain_parameters -= {name}


class _Buffers(_Members):
    def __setitem__(self, name: str, value: Any) -> None:
        self._module._buffer_persistence.setdefault(name, True)
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._module._buffer_persistence.pop(name, None)


def _members(kind: Callable[["Module", str, Any], bool], view: type[_Members] = _Members) -> Any:
    """A property of modules: their members of one kind; another dict takes the place of them all."""
    def replace(self: "Module", members: Mapping[str, Any]) -> None:
        new = dict(members)
        view(self, kind).clear()
        view(self, kind).update(new)
    return property(lambda self: view(self, kind), replace)


class _Errors(list[str]):
    """What is wrong with a state, and what is to be written if nothing is; None: at once."""

    def __init__(self, writes: list[tuple[Tensor, Any]] | None) -> None:
        super().__init__()
        self.writes = writes


def _on_the_cpu(init: Callable) -> Callable:
    """A constructor that takes a `device`: it may be the one there is, which changes nothing."""
    parameters = list(inspect.signature(init).parameters)
    if "device" not in parameters:
        return init
    place = parameters.index("device")

    @functools.wraps(init)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        check_device(args[place - 1] if len(args) >= place else kwargs.get("device"))
        init(self, *args, **kwargs)
    return construct


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
    _plain_parameters: frozenset[str] = frozenset()
    """Names of parameters that are plain tensors, as who adapts a copy of a model writes them to `_parameters`."""
    _version = 1
    """Of the class, in its state; what loads an older one may look at it."""

    def __init__(self) -> None:
        self.training = True
        self._buffer_persistence: dict[str, bool] = {}  # name of a buffer -> whether it is part of the state_dict
        self._registered_hooks: dict[str, list[Any]] = {}  # kind -> Hooks

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if is_of(cls, __name__):
            if "__init__" in vars(cls):
                cls.__init__ = _on_the_cpu(cls.__init__)
            explain_constructor(cls)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; called as `module(...)`, which also runs the hooks."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            called = next(clock)
            if self._registered_hooks or everywhere or watching.watchers:
                result = call_with_hooks(self, args, kwargs)
            else:
                result = self.forward(*args, **kwargs)
            if type(result) is Tensor:  # what a picture has to know
                node = result.node
                if node is not None and node.birth > called:  # not of what it was given
                    node.calls = reference(self), called, node.calls
            elif mode.enabled:
                for part in tensors_in(result):
                    if part.node is not None and part.node.birth > called:
                        part.node.calls = reference(self), called, part.node.calls
            return result
        except Exception as error:
            if isinstance(error, AttributeError) and "_registered_hooks" not in self.__dict__:
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
            if isinstance(value, (Parameter, Module)) and "_registered_hooks" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__}.{name} is assigned before Module.__init__() was called; "
                                     "begin __init__ with super().__init__()")
        elif isinstance(present, Parameter) and not isinstance(value, Parameter) and value is not None:
            raise TypeError(f"{type(self).__name__}.{name} is a Parameter and cannot become a {type(value).__name__}, "
                            "which would not be trained; assign nn.Parameter(...), or write new values into it: "
                            f"with no_grad(): module.{name}[:] = values")
        elif isinstance(present, Module) and not isinstance(value, Module) and value is not None:
            raise TypeError(f"{type(self).__name__}.{name} is a Module and cannot become a {type(value).__name__}; "
                            "assign a Module or None, or del it first")
        if name in self.__dict__.get("_buffer_persistence", ()):
            if isinstance(value, (Parameter, Module)):
                del self._buffer_persistence[name]
            elif value is not None and not isinstance(value, Tensor):
                raise TypeError(f"{type(self).__name__}.{name} is a buffer and cannot become a {type(value).__name__}; "
                                "assign a Tensor or None, or del it first")
        if isinstance(value, Buffer):
            self._buffer_persistence[name] = value.persistent
        if isinstance(value, (Parameter, Module)):  # also beside a property of that name
            vars(self)[name] = value
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self.__dict__.get("_buffer_persistence", {}).pop(name, None)
        object.__delattr__(self, name)

    # What it is made of

    def _check_new(self, name: Any, what: str, kind: Any, given: Any, known: Mapping, remedy: str = "") -> None:
        if given is not None and not isinstance(given, kind):
            raise TypeError(f"the {what} {name!r} must be a {kind.__name__} or None, not {type(given).__name__}"
                            f"{remedy}")
        if not isinstance(name, str):
            raise TypeError(f"the name of a {what} is text, not a {type(name).__name__}; write {str(name)!r}")
        if not name or "." in name:
            raise KeyError(f"a {what} cannot be called {name!r}: names are joined by dots, so they "
                           "must be non-empty and without any")
        if name not in known and hasattr(self, name):
            raise KeyError(f"{type(self).__name__} has an attribute '{name}' already; choose another name for the "
                           f"{what}")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """The same as assigning it to the attribute `name`."""
        self._check_new(name, "parameter", Parameter, param, self._parameters, "; write nn.Parameter(tensor)")
        setattr(self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """A tensor that belongs to the module and isn't trained, as the attribute `name`.

        Args:
            name: the attribute.
            tensor: its value.
            persistent: whether it is part of the state_dict.
        """
        self._check_new(name, "buffer", Tensor, tensor, self._buffer_persistence, "; write autograd.tensor(values)")
        self._buffer_persistence[name] = persistent
        object.__setattr__(self, name, tensor)

    def register_module(self, name: str, module: "Module | None") -> None:
        """The same as assigning it to the attribute `name`, which need not be an identifier."""
        self._check_new(name, "module", Module, module, self._modules)
        setattr(self, name, module)

    add_module = register_module

    _parameters: MutableMapping[str, Any] = _members(
        lambda self, name, value: isinstance(value, Parameter) or name in self._plain_parameters, _Parameters)
    _modules: MutableMapping[str, Any] = _members(lambda self, name, value: isinstance(value, Module))
    _buffers: MutableMapping[str, Any] = _members(lambda self, name, value: name in self._buffer_persistence, _Buffers)

    @property
    def _non_persistent_buffers_set(self) -> set[str]:
        return {name for name, persistent in self._buffer_persistence.items() if not persistent}

    def _get_name(self) -> str:
        return type(self).__name__

    def _own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        plain = self._plain_parameters
        return ((name, value) for name, value in vars(self).items() if isinstance(value, Parameter) or name in plain)

    def _own_modules(self) -> list[tuple[str, "Module"]]:
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Module)]

    def _own_buffers(self, persistent_only: bool = False) -> Iterator[tuple[str, Tensor]]:
        return ((name, vars(self)[name]) for name, persistent in self._buffer_persistence.items()
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

    def set_submodule(self, target: str, module: "Module", strict: bool = False) -> None:
        """Put a module in the place of that dotted name; with `strict`, only in the place of another one."""
        above, _, name = target.rpartition(".")
        if not name:
            raise ValueError(f"set_submodule({target!r}) needs the name of a module below this one")
        if not isinstance(module, Module):
            raise ValueError(f"set_submodule({target!r}) takes a Module, not a {type(module).__name__}")
        parent = self.get_submodule(above)
        if strict or name in vars(parent):
            parent.get_submodule(name)
        setattr(parent, name, module)

    def _get(self, target: str, kind: Any) -> Any:
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
        if not isinstance(mode, bool):
            raise ValueError(f"train(mode) takes True or False, not {mode!r}")
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

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Call `fn` on the values of all parameters, their gradients and all buffers, which become what it returns."""
        for module in self.modules() if recurse else [self]:
            for _, param in module._own_parameters():
                for t in (param, param._grad):
                    if isinstance(t, Uninitialized):
                        t.convert(fn)
                    elif t is not None:
                        t.data = fn(t.detach())
            for name, buffer in list(module._own_buffers()):
                if isinstance(buffer, Uninitialized):
                    buffer.convert(fn)
                elif (changed := fn(buffer)) is not buffer:
                    vars(module)[name] = changed
        return self

    def to(self, *args: Any, device: str | None = None, dtype: DTypeLike | None = None, non_blocking: bool = False,
           memory_format: Any = None) -> Self:
        """Convert floating parameters and buffers, in place, to a floating dtype: `to(dtype)`, `to("cpu", dtype)`.

        Args:
            args: a dtype, a device, a Tensor whose dtype is meant, in any order.
            device: "cpu", the one there is.
            dtype: float16, float32 or float64.
            non_blocking: is accepted for PyTorch's sake.
            memory_format: is accepted for PyTorch's sake; the values stay where they are.

        Raises:
            TypeError: the dtype is not floating.
            RuntimeError: another device is asked for.
        """
        check_device(device)
        for wish in args:
            if isinstance(wish, Tensor):
                dtype = wish.dtype
            elif wish is not None and not isinstance(wish, bool) and not is_device(wish):
                dtype = wish
        if dtype is None:
            return self
        wanted = as_dtype(dtype)
        if wanted.kind != "f":
            raise TypeError(f"a module can only be converted to a floating dtype, not {wanted}")
        return self._apply(lambda t: t.to(wanted) if t.is_floating_point() else t)

    def type(self, dst_type: DTypeLike) -> Self:
        """Convert all parameters and buffers, also those of integers, in place."""
        wanted = as_dtype(dst_type)
        if wanted.kind != "f" and any(param.requires_grad for param in self.parameters()):
            raise TypeError(f"parameters that are trained cannot become {wanted}; write requires_grad_(False) first")
        return self._apply(lambda t: t.to(wanted))

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: lets PyTorch code run unchanged. (`autograd.set_compiled` is about compiled loops.)"""

    def cpu(self) -> Self:
        """The module itself, which is on the CPU already."""
        return self

    def cuda(self, device: int | str | None = None) -> Self:
        """There is no such device.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"{type(self).__name__}.cuda(): there is only the CPU; leave out the call, or write "
                           ".to('cpu')")

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

    def get_extra_state(self) -> Any:
        """What else belongs to the state, for a class that defines it, beside `set_extra_state`."""
        raise NotImplementedError(f"{type(self).__name__} has no get_extra_state()")

    def set_extra_state(self, state: Any) -> None:
        """Take what `get_extra_state` returned."""
        raise NotImplementedError(f"{type(self).__name__} has a get_extra_state(), and no set_extra_state(state) to "
                                  "take it back; define both")

    def _extra_state(self, prefix: str) -> str | None:
        """The name of the extra state, if there is one."""
        return None if type(self).get_extra_state is Module.get_extra_state else f"{prefix}_extra_state"

    def _own_state(self) -> list[tuple[str, Tensor]]:
        return [*self._own_parameters(), *self._own_buffers(persistent_only=True)]

    def state_dict(self, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> dict[str, Any]:
        """Every parameter and persistent buffer under its dotted name, sharing memory with the module.

        Args:
            destination: a dict to put them into; by default a new OrderedDict.
            prefix: what the names begin with.
            keep_vars: the very parameters, and not their detached values.
        """
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()  # type: ignore[attr-defined]
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        self._run_hooks("state_dict_pre", prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._own_modules():
            module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in list(self._registered_hooks.get("state_dict_post", ())):
            replaced = hook.function(self, destination, prefix, metadata)
            destination = destination if replaced is None else replaced
        return destination

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Put what is this module's own into a state."""
        for name, tensor in self._own_state():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        extra = self._extra_state(prefix)
        if extra:
            destination[extra] = self.get_extra_state()

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True,
                        assign: bool = False) -> IncompatibleKeys:
        """Copy values into the parameters and buffers, each keeping its own dtype.

        Args:
            state_dict: dotted name -> Tensor or anything that becomes an array (PyTorch's tensors do).
            strict: refuse missing and unexpected names; otherwise they are returned.
            assign: take the tensors themselves, with their memory and dtype, instead of copying their values.

        Raises:
            RuntimeError: lists missing and unexpected names and wrong shapes. Nothing has been copied then, unless a
                module of yours has its own `_load_from_state_dict` or hooks of loading, which see what came before.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict() takes a dict of names and tensors, not a {type(state_dict).__name__}; "
                            "of a file, write nn.load(path)")
        state, versions = OrderedDict(state_dict), getattr(state_dict, "_metadata", None)
        result = IncompatibleKeys([], [])
        errors = _Errors(None if any(module._has_own_loading() for module in self.modules()) else [])

        def load(module: Module, own: dict[str, Any], prefix: str) -> None:
            metadata = {} if versions is None else versions.get(prefix[:-1], {})
            if assign:
                metadata["assign_to_params_buffers"] = True
            module._load_from_state_dict(own, prefix, metadata, True, result.missing_keys, result.unexpected_keys,
                                         errors)
            below: dict[str, dict[str, Any]] = {}
            for key, value in own.items():
                name, dot, _ = key[len(prefix):].partition(".")
                if dot and key.startswith(prefix):
                    below.setdefault(name, {})[key] = value
            for name, child in module._own_modules():
                load(child, below.get(name, {}), f"{prefix}{name}.")
            module._run_hooks("load_state_dict_post", result)
        load(self, state, "")
        listed = [("Unexpected", result.unexpected_keys), ("Missing", result.missing_keys)] if strict else []
        for kind, names in listed:
            if names:
                errors.insert(0, f"{kind} key(s) in state_dict: " + _listed(names))
        if errors:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(errors))
        for tensor, value in errors.writes or ():
            write(tensor, ..., value)
        return result

    def _has_own_loading(self) -> bool:
        """Whether code of the user's is called while a state is loaded."""
        return not is_of(type(self)._load_from_state_dict, __name__) or any(
            kind[:4] == "load" for kind in self._registered_hooks)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any],
                              strict: bool, missing_keys: list[str], unexpected_keys: list[str],
                              error_msgs: list[str]) -> None:
        """Take what is this module's own, and add to the lists what is wrong; those below it take theirs."""
        self._run_hooks("load_state_dict_pre", state_dict, prefix, local_metadata, strict, missing_keys,
                        unexpected_keys, error_msgs)
        own = dict(self._own_state())
        for name, tensor in own.items():
            given = state_dict.get(prefix + name)
            if prefix + name not in state_dict:
                if strict:
                    missing_keys.append(prefix + name)
                continue
            if isinstance(given, Uninitialized):
                if not isinstance(tensor, Uninitialized):
                    error_msgs.append(f"{prefix}{name} has no shape in the state_dict, which is that of a lazy layer")
                continue
            value = given.detach().numpy() if isinstance(given, Tensor) else np.asarray(given)
            if isinstance(tensor, Uninitialized):
                tensor.materialize(value.shape)
            if value.shape != tensor.shape:
                error_msgs.append(f"size mismatch for {prefix}{name}: the state_dict has shape {value.shape}, the "
                                  f"module {tensor.shape}")
            elif local_metadata.get("assign_to_params_buffers"):
                taken = given if isinstance(given, Tensor) else autograd.as_tensor(value)
                if isinstance(tensor, Parameter) and not isinstance(taken, Parameter):
                    taken = Parameter(taken.detach(), tensor.requires_grad)
                setattr(self, name, taken)
            elif getattr(error_msgs, "writes", None) is None:
                write(tensor, ..., value)
            else:
                error_msgs.writes.append((tensor, value))  # type: ignore[attr-defined]
        extra = self._extra_state(prefix)
        if extra and extra in state_dict:
            self.set_extra_state(state_dict[extra])
        elif extra and strict:
            missing_keys.append(extra)
        if strict:
            children = dict(self._own_modules())
            for key in state_dict:
                name = key[len(prefix):]
                first, dot, _ = name.partition(".")
                known = name in own or (dot and first in children)
                if key.startswith(prefix) and key != extra and not known:
                    unexpected_keys.append(key)

    # Hooks

    def _register(self, kind: str, hook: Callable, prepend: bool = False, **how: bool) -> RemovableHandle:
        registered: Any = Hook(hook, **how)
        return RemovableHandle(self._registered_hooks.setdefault(kind, []), registered, prepend)

    def _run_hooks(self, kind: str, *args: Any) -> None:
        for hook in list(self._registered_hooks.get(kind, ())):
            hook.function(self, *args)

    def register_forward_pre_hook(self, hook: Callable[..., Any], *, prepend: bool = False,
                                  with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; what it returns replaces the arguments.

        This and the other hooks return a handle: `handle.remove()` takes the hook away.

        Args:
            hook: the function.
            prepend: call it before the other hooks.
            with_kwargs: call `hook(module, args, kwargs)`; it returns None, or a pair (args, kwargs).
        """
        return self._register("forward_pre", hook, prepend, with_kwargs=with_kwargs)

    def register_forward_hook(self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False,
                              always_call: bool = False) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward; what it returns replaces the output.

        Args:
            hook: the function.
            prepend: call it before the other hooks.
            with_kwargs: call `hook(module, args, kwargs, output)`.
            always_call: also, with None for the output, if forward raises an error.
        """
        return self._register("forward", hook, prepend, with_kwargs=with_kwargs, always_call=always_call)

    def register_full_backward_pre_hook(self, hook: Callable[["Module", tuple], Any],
                                        prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the backward pass goes through; a tuple it returns replaces it."""
        return self._register("full_backward_pre", hook, prepend)

    def register_full_backward_hook(self, hook: Callable[["Module", tuple, tuple], Any],
                                    prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` in the backward pass; a tuple it returns replaces grad_input."""
        return self._register("full_backward", hook, prepend)

    def register_state_dict_pre_hook(self, hook: Callable[["Module", str, bool], Any]) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict` looks at this module."""
        return self._register("state_dict_pre", hook)

    def register_state_dict_post_hook(self, hook: Callable[["Module", dict, str, dict], Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)`, which may change the state that was made."""
        return self._register("state_dict_post", hook)

    _register_state_dict_hook = register_state_dict_post_hook

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call a hook before this module takes its state, which it may change.

        It is called `hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
        error_msgs)`.
        """
        return self._register("load_state_dict_pre", hook)

    def _register_load_state_dict_pre_hook(self, hook: Callable[..., Any],
                                           with_module: bool = False) -> RemovableHandle:
        return self._register("load_state_dict_pre", hook if with_module else lambda module, *args: hook(*args))

    def register_load_state_dict_post_hook(
            self, hook: Callable[["Module", IncompatibleKeys], Any]) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)`, which may change these lists, when this module has its state."""
        return self._register("load_state_dict_post", hook)

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
