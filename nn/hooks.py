"""Functions of the user's that see, and may replace, what goes into and comes out of a Module."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd import Function, Tensor, watching
from autograd.errors import shown, warn
from autograd.hooks import RemovableHandle

if TYPE_CHECKING:
    from nn.module import Module


class Hook(NamedTuple):
    """A function of the user's, and how it is to be called."""

    function: Callable
    with_kwargs: bool = False
    always_call: bool = False


everywhere: dict[str, list[Any]] = {}
"""Hooks of all modules, by kind; they are called before a module's own."""


def _register_everywhere(kind: str, hook: Any) -> RemovableHandle:
    return RemovableHandle(everywhere.setdefault(kind, []), hook)


def register_module_forward_pre_hook(hook: Callable[["Module", tuple], Any]) -> RemovableHandle:
    """Call `hook(module, args)` before the forward of every module; what it returns replaces the arguments."""
    return _register_everywhere("forward_pre", Hook(hook))


def register_module_forward_hook(hook: Callable[..., Any], *, with_kwargs: bool = False,
                                 always_call: bool = False) -> RemovableHandle:
    """Call `hook(module, args, output)` after the forward of every module; what it returns replaces the output.

    Args:
        hook: the function.
        with_kwargs: call `hook(module, args, kwargs, output)`.
        always_call: also, with None for the output, if forward raises an error.
    """
    return _register_everywhere("forward", Hook(hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Callable[["Module", tuple], Any]) -> RemovableHandle:
    """Call `hook(module, grad_output)` before the backward pass goes through any module."""
    return _register_everywhere("full_backward_pre", Hook(hook))


def register_module_full_backward_hook(hook: Callable[["Module", tuple, tuple], Any]) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` in the backward pass of every module."""
    return _register_everywhere("full_backward", Hook(hook))


def call_with_hooks(module: "Module", args: tuple, kwargs: dict) -> Any:
    """What `module(*args, **kwargs)` does once hooks have been registered, or while somebody watches."""
    if watching.watchers:
        return watching.told("module", module, functools.partial(_through_hooks, module), args, kwargs)
    return _through_hooks(module, *args, **kwargs)


def _of(module: "Module", kind: str) -> list[Hook]:
    return [*everywhere.get(kind, ()), *module._registered_hooks.get(kind, ())]


def _through_hooks(module: "Module", *args: Any, **kwargs: Any) -> Any:
    call = _Call(module, args, kwargs)
    try:
        return _forward(call)
    except Exception:
        for hook in [hook for hook in _of(module, "forward") if hook.always_call and hook not in call.seen]:
            try:
                call.show(hook)
            except Exception as error:  # the first error is what is told
                warn(f"a forward hook with always_call=True raised {type(error).__name__}: {error}; the error of "
                     "forward itself is raised")
        raise


class _Call:
    """What a module was called with, as hooks left it; what came out so far; and the hooks that have seen that."""

    def __init__(self, module: "Module", args: tuple, kwargs: dict) -> None:
        self.module, self.args, self.kwargs, self.output = module, args, kwargs, None
        self.seen: list[Hook] = []

    def show(self, hook: Hook) -> Any:
        """Call a forward hook."""
        self.seen.append(hook)
        return hook.function(self.module, self.args, *([self.kwargs] if hook.with_kwargs else []), self.output)


def _forward(call: _Call) -> Any:
    module, args, kwargs = call.module, call.args, call.kwargs
    for hook in _of(module, "forward_pre"):
        if hook.with_kwargs:
            replaced = hook.function(module, args, kwargs)
            if replaced is not None:
                if not isinstance(replaced, tuple) or len(replaced) != 2:
                    raise RuntimeError("a forward pre-hook with_kwargs must return None or a pair (args, kwargs), not "
                                       f"{shown(replaced)}")
                args, kwargs = replaced
        else:
            replaced = hook.function(module, args)
            if replaced is not None:
                args = replaced if isinstance(replaced, tuple) else (replaced,)
        call.args, call.kwargs = args, kwargs
    if not (_of(module, "full_backward_pre") or _of(module, "full_backward")):
        return _after(call, module.forward(*args, **kwargs))

    grad_output: list[tuple] = []

    def see_output(gradients: tuple) -> tuple:
        for hook in _of(module, "full_backward_pre"):
            gradients = _replaced(hook.function(module, gradients), gradients)
        grad_output[:] = [gradients]
        if not input_is_tracked:
            for hook in _of(module, "full_backward"):
                hook.function(module, (None,) * len(args), gradients)
        return gradients

    def see_input(gradients: tuple) -> tuple:
        for hook in _of(module, "full_backward"):
            gradients = _replaced(hook.function(module, gradients, grad_output[0]), gradients)
        return gradients

    input_is_tracked = any(isinstance(a, Tensor) and a.requires_grad for a in args)
    output = module.forward(*_passing(args, see_input), **kwargs)
    return _after(call, _passing(output, see_output))


def _after(call: _Call, output: Any) -> Any:
    call.output = output
    for hook in _of(call.module, "forward"):
        replaced = call.show(hook)
        call.output = call.output if replaced is None else replaced
    return call.output


def _replaced(given: Any, gradients: tuple) -> tuple:
    if given is None:
        return gradients
    given = given if isinstance(given, tuple) else (given,)
    if len(given) != len(gradients):
        raise RuntimeError(f"a backward hook returned {len(given)} gradients where there are {len(gradients)}; return "
                           "one for each, or None to leave them as they are")
    return given


class Passage(Function):
    """The identity of several tensors, which lets `see` look at all their gradients at once."""

    @staticmethod
    def forward(ctx: Any, see: Callable, *tensors: Tensor) -> Any:
        """The tensors as they are."""
        ctx.see = see
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """The gradients as `see` leaves them."""
        return None, *ctx.see(gradients)


def _passing(values: Any, see: Callable) -> Any:
    """`values` (a Tensor, or a tuple with some in it) after a Passage; what is no Tensor has None for a gradient."""
    if not isinstance(values, (tuple, Tensor)):
        return values
    parts = list(values) if isinstance(values, tuple) else [values]
    where = [i for i, part in enumerate(parts) if isinstance(part, Tensor)]

    def see_all(gradients: tuple) -> list[Any]:
        given = dict(zip(where, gradients, strict=True))
        seen = see(tuple(given.get(i) for i in range(len(parts))))
        return [seen[i] for i in where]
    for i, tensor in zip(where, Passage.apply(see_all, *[parts[i] for i in where]), strict=True):
        parts[i] = tensor
    if not isinstance(values, tuple):
        return parts[0]
    return type(values)(*parts) if hasattr(values, "_fields") else tuple(parts)
