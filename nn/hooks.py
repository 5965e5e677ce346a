"""Functions of the user's that see, and may replace, what goes into and comes out of a Module."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograd import Function, Tensor, watching

if TYPE_CHECKING:
    from nn.module import Module


def call_with_hooks(module: "Module", args: tuple, kwargs: dict) -> Any:
    """What `module(*args, **kwargs)` does once hooks have been registered, or while somebody watches."""
    if watching.watchers:
        return watching.told("module", module, functools.partial(_through_hooks, module), args, kwargs)
    return _through_hooks(module, *args, **kwargs)


def _through_hooks(module: "Module", *args: Any, **kwargs: Any) -> Any:
    hooks = module._hooks
    for hook in list(hooks.get("forward_pre", ())):
        replaced = hook(module, args)
        if replaced is not None:
            args = replaced if isinstance(replaced, tuple) else (replaced,)
    backward_pre, backward = hooks.get("full_backward_pre", ()), hooks.get("full_backward", ())
    if not (backward_pre or backward):
        return _after(module, args, module.forward(*args, **kwargs))

    grad_output: list[tuple] = []

    def see_output(gradients: tuple) -> tuple:
        for hook in list(backward_pre):
            gradients = _replaced(hook(module, gradients), gradients)
        grad_output[:] = [gradients]
        if not input_is_tracked:
            for hook in list(backward):
                hook(module, (None,) * sum(isinstance(a, Tensor) for a in args), gradients)
        return gradients

    def see_input(gradients: tuple) -> tuple:
        for hook in list(backward):
            gradients = _replaced(hook(module, gradients, grad_output[0]), gradients)
        return gradients

    input_is_tracked = any(isinstance(a, Tensor) and a.requires_grad for a in args)
    output = module.forward(*_passing(args, see_input), **kwargs)
    return _after(module, args, _passing(output, see_output))


def _after(module: "Module", args: tuple, output: Any) -> Any:
    for hook in list(module._hooks.get("forward", ())):
        replaced = hook(module, args, output)
        output = output if replaced is None else replaced
    return output


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
    """`values` (a Tensor, or a tuple with some in it) after a Passage."""
    if not isinstance(values, (tuple, Tensor)):
        return values
    parts = list(values) if isinstance(values, tuple) else [values]
    where = [i for i, part in enumerate(parts) if isinstance(part, Tensor)]
    for i, tensor in zip(where, Passage.apply(see, *[parts[i] for i in where]), strict=True):
        parts[i] = tensor
    if not isinstance(values, tuple):
        return parts[0]
    return type(values)(*parts) if hasattr(values, "_fields") else tuple(parts)
