"""Looking without touching: what a picture needs to be computed leaves no trace in modules, generators and watchers."""

import contextlib
import random
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, watching
from viz.names import MANY, is_plain_object

DEPTH = 4
"""How deep containers and objects in an attribute are looked into."""


@contextlib.contextmanager
def untouched(modules: Iterable[Any], weights: bool = True) -> Iterator[None]:
    """Within the block modules can be called, and backward passes run; after it all is as it was before.

    That is: buffers (running statistics), weights that a forward pass writes, other attributes (counters, what is in
    containers and plain objects), random generators. Hooks of modules aren't run, and watchers (a profile, anomaly
    detection) aren't told.

    Args:
        modules: that may be called, with all in them.
        weights: whether a forward pass may write them, too; they are the most to copy.
    """
    inner = {id(module): module for outer in modules for _, module in outer.named_modules()}
    with contextlib.ExitStack() as after, watching.unwatched():
        _keep_generators(after)
        if "nn.hooks" in sys.modules:  # those of all modules
            _without_hooks(after, sys.modules["nn.hooks"].everywhere)
        for module in inner.values():
            _keep_attributes(after, vars(module), weights)
            _without_hooks(after, vars(module).get("_registered_hooks", {}))
        yield


def _keep_generators(after: contextlib.ExitStack) -> None:
    after.callback(autograd.set_rng_state, autograd.get_rng_state())
    after.callback(np.random.set_state, np.random.get_state())  # the user may have drawn from it
    after.callback(random.setstate, random.getstate())


def _without_hooks(after: contextlib.ExitStack, registered: dict[str, list[Any]]) -> None:
    """Empty the lists of hooks, which handles refer to, for the time being."""
    for kind in ("forward_pre", "forward", "full_backward_pre", "full_backward"):
        if found := registered.get(kind):
            after.callback(found.extend, list(found))
            found.clear()


def _keep_attributes(after: contextlib.ExitStack, attributes: dict[str, Any], weights: bool) -> None:
    """Put back each attribute, and what is in it."""
    kept = {id(value): value for value in attributes.values()
            if isinstance(value, Tensor) and value.requires_grad and not weights}
    for value in attributes.values():
        _keep(after, value, kept, DEPTH)
    after.callback(_refill, attributes, dict(attributes))


def _keep(after: contextlib.ExitStack, value: Any, kept: dict[int, Any], depth: int) -> None:
    """Put back the elements of containers and objects, the states of generators, and the memory of Tensors."""
    if id(value) in kept or depth == 0:
        return
    kept[id(value)] = value  # as long as its id is known
    if isinstance(value, Tensor):
        after.callback(setattr, value, "array", value.array)
        value.array = np.array(value.array)
    elif isinstance(value, np.ndarray):
        after.callback(np.copyto, value, value.copy())
    elif isinstance(value, np.random.Generator):
        after.callback(setattr, value.bit_generator, "state", value.bit_generator.state)
    elif isinstance(value, (np.random.RandomState, autograd.Generator)):
        generator: Any = value  # each takes what it has given
        after.callback(generator.set_state, generator.get_state())
    elif isinstance(value, random.Random):
        after.callback(value.setstate, value.getstate())
    elif isinstance(value, (list, dict, set, deque, tuple)):
        if not isinstance(value, tuple):
            after.callback(_refill, value, value.copy())
        if not isinstance(value, set) and len(value) <= MANY:
            for inner in value.values() if isinstance(value, dict) else value:
                _keep(after, inner, kept, depth - 1)
    elif is_plain_object(value):
        _keep(after, vars(value), kept, depth)


def _refill(container: Any, elements: Any) -> None:
    container.clear()
    (container.extend if isinstance(container, (list, deque)) else container.update)(elements)
