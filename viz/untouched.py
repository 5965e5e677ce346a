"""Looking without touching: what a picture needs to be computed leaves no trace in modules, generators and watchers."""

import contextlib
import random
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, watching


@contextlib.contextmanager
def untouched(modules: Iterable[Any]) -> Iterator[None]:
    """Within the block modules can be called, and backward passes run; after it all is as it was before.

    That is: buffers (running statistics), other attributes (counters, lists, what was kept of the last call), weights
    that a forward pass writes, random generators. Hooks of modules aren't run, and watchers (a profile, anomaly
    detection) aren't told.

    Args:
        modules: that may be called, with all in them.
    """
    inner = {id(module): module for outer in modules for _, module in outer.named_modules()}
    with contextlib.ExitStack() as after, watching.unwatched():
        _keep_generators(after)
        if "nn.hooks" in sys.modules:  # those of all modules
            _without_hooks(after, sys.modules["nn.hooks"].everywhere)
        for module in inner.values():
            _keep_attributes(after, vars(module))
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


def _keep_attributes(after: contextlib.ExitStack, attributes: dict[str, Any]) -> None:
    """Put back each attribute, the elements of containers, and the memory of Tensors that a forward pass writes."""
    before = dict(attributes)

    def put_back() -> None:
        attributes.clear()
        attributes.update(before)
    after.callback(put_back)
    for value in before.values():
        if isinstance(value, (list, dict, set)):
            after.callback(_refill, value, value.copy())
        elif isinstance(value, np.ndarray):
            after.callback(np.copyto, value, value.copy())
        elif isinstance(value, Tensor) and (not value.tracked or before.get("max_norm") is not None):
            after.callback(setattr, value, "array", value.array)
            value.array = np.array(value.array)


def _refill(container: Any, elements: Any) -> None:
    container.clear()
    (container.extend if isinstance(container, list) else container.update)(elements)
