"""Modules called with other parameters than their own: `functional_call`."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import autograd
from autograd import Tensor
from nn.module import Module


def functional_call(module: Module, parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
                    args: Any = None, kwargs: Mapping[str, Any] | None = None, *, tie_weights: bool = True,
                    strict: bool = False) -> Any:
    """`module(*args, **kwargs)` with these Tensors in the place of its parameters and buffers, during the call.

    So what the module computes is a function of its parameters, to differentiate or to map over.

    Args:
        module: the module, which is as before afterward.
        parameter_and_buffer_dicts: dotted name -> Tensor, or several such dictionaries.
        args: the arguments: a tuple, or the only one.
        kwargs: the arguments by name.
        tie_weights: a parameter that has several names is exchanged under all of them.
        strict: refuse names that are missing.

    Raises:
        RuntimeError: the module has no parameter or buffer of a name, or with `strict` names are missing.

    >>> layer = nn.Linear(2, 1)
    >>> functional_call(layer, {"weight": autograd.ones(1, 2), "bias": autograd.zeros(1)}, (autograd.ones(2),))
    tensor([2.])
    """
    several = [parameter_and_buffer_dicts] if isinstance(parameter_and_buffer_dicts, Mapping) else (
        parameter_and_buffer_dicts)
    given = {name: tensor for some in several for name, tensor in some.items()}
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _exchanged(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


@contextlib.contextmanager
def _exchanged(module: Module, given: Mapping[str, Tensor], tie_weights: bool, strict: bool) -> Iterator[None]:
    own = {name: tensor for members in (module.named_parameters, module.named_buffers)
           for name, tensor in members(remove_duplicate=False)}
    unknown, missing = [name for name in given if name not in own], [name for name in own if name not in given]
    tied = {id(own[name]): tensor for name, tensor in given.items() if name in own} if tie_weights else {}
    missing = [name for name in missing if id(own[name]) not in tied]
    if unknown or (strict and missing):
        raise RuntimeError(f"functional_call(): there is nothing in the place of {missing}" if not unknown else
                           f"functional_call(): {type(module).__name__} has no {unknown}, only {list(own)}")
    before = []
    try:
        for name, tensor in own.items():
            new = given.get(name, tied.get(id(tensor)))
            if new is not None:
                path, _, attribute = name.rpartition(".")
                holder = vars(module.get_submodule(path))
                before.append((holder, attribute, holder[attribute]))
                holder[attribute] = new
        yield
    finally:
        for holder, attribute, tensor in reversed(before):
            holder[attribute] = tensor


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and the buffers of modules of one kind, stacked: an ensemble, for `vmap` over `functional_call`.

    Returns:
        (parameters, buffers), by dotted name; the parameters are new leaves.

    Raises:
        ValueError: there is no module.
    """
    if not models:
        raise ValueError("stack_module_state() needs at least one module")
    parameters = {name: autograd.stack([dict(m.named_parameters())[name].detach() for m in models]).requires_grad_()
                  for name, _ in models[0].named_parameters()}
    buffers = {name: autograd.stack([dict(m.named_buffers())[name].detach() for m in models])
               for name, _ in models[0].named_buffers()}
    return parameters, buffers
