"""Modules whose first values do not matter."""

import inspect
from typing import TypeVar

import autograd
from nn.module import Module

_Module = TypeVar("_Module", bound=Module)


def skip_init(module_cls: type[_Module], *args: object, **kwargs: object) -> _Module:
    """A module of that class whose random values are not to be relied on; the random state stays untouched.

    Args:
        module_cls: the class, whose constructor takes `device`.
        args: what it is made with.
        kwargs: likewise.
    """
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError(f"{module_cls.__name__} takes no device, so that its initialization cannot be skipped; make "
                           "it as usual")
    state = autograd.get_rng_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        autograd.set_rng_state(state)
