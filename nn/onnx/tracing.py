"""What a model does, as a list: every call of an operation, with the arrays that went in and came out."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor
from autograd.recording import wrap
from autograd.watching import Watcher
from nn.module import Module


class Call(NamedTuple):
    """One call: of what, on what, with what result, and the name of the module that made it."""

    name: str
    args: tuple
    options: Mapping[str, Any]
    results: tuple
    module: str


class Trace(Watcher):
    """The calls of a model. An array is known again by being the same object, so all of them are kept.

    Args:
        model: whose modules give the calls their names.
        known: the operations and modules that can be written; another is followed into its composition.
        fused: class of a module -> what its call is as a whole, (name, args, options), or None.
    """

    same_arrays = True

    def __init__(self, model: Module, known: Mapping[str, Any], fused: Mapping[type, Callable]) -> None:
        self.calls: list[Call] = []
        self.known, self.fused = known, fused
        self._names = {id(module): name for name, module in model.named_modules()}
        self._path: list[str] = []
        self._depth = 0

    @property
    def module(self) -> str:
        """The name of the module that is at work."""
        return self._path[-1] if self._path else ""

    def begins(self, kind: str, what: Any) -> Any:
        if kind == "module":
            self._path.append(self._names.get(id(what), type(what).__name__))
        elif kind == "operation" and what.differentiable:
            self._depth += 1  # what an operation calls in its turn is its own affair
        return kind, what, len(self.calls)

    def ends(self, begun: Any, result: Any, args: tuple, options: dict) -> None:
        kind, what, start = begun
        if kind == "module":
            base: Any = next((base for base in type(what).__mro__ if base in self.fused), None)
            if base and type(what).forward is base.forward and not what._registered_hooks and result is not None:
                whole = self.fused[base](what, *args, **options)
                if whole is not None:
                    name, given, chosen = whole
                    self.calls[start:] = [Call(name, given, chosen, (result.array,), self.module)]
            self._path.pop()
        elif kind == "operation" and what.differentiable:
            self._depth -= 1
            if result is not None and not self._depth:
                self._called(what, args, options, result)

    def _called(self, operation: Any, args: tuple, options: dict, result: Any) -> None:
        results = tuple(result) if operation.outputs else (result,)
        if operation.name in self.known or operation.composition is None:
            self.calls.append(Call(operation.name, args, options, results, self.module))
            return
        tensors = [wrap(a) if isinstance(a, (np.ndarray, np.generic)) else a for a in args]
        composed = operation.composition(*tensors, **options)
        for ours, theirs in zip(results, composed, strict=False):
            self.calls.append(Call("alias", (theirs.array,), {}, (ours,), self.module))


def arrays_in(value: Any) -> list[Any]:
    """The arrays of the Tensors in nested tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        return [value.array]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (tuple, list)) else ()
    return [array for part in parts for array in arrays_in(part)]
