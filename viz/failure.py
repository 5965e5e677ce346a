"""A forward pass that failed: what was recorded up to there, and the call that could not be made."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from autograd import Node, Tensor
from autograd.clock import clock
from autograd.recording import wrap
from autograd.watching import Watcher
from viz import text
from viz.picture import OPERATION, Box
from viz.scopes import Scope, is_pick


class Forward(Watcher):
    """Remembers the nodes of a forward pass while it runs, and what failed.

    Args:
        leaves: Tensors that may take part.

    Attributes:
        error: what was raised.
        failed: the innermost call that raised it: its kind, what was called, and the arrays or Tensors it was given.
        arrays: node -> its value; for several outputs a tuple.
    """

    def __init__(self, leaves: Iterable[Any]) -> None:
        self.error: Exception | None = None
        self.failed: tuple[str, Any, list[Any]] | None = None
        self.arrays: dict[Node, Any] = {}
        self._latest: Any = None
        self._tensors = [t for t in leaves if isinstance(t, Tensor)]
        self._modules: list[tuple[Any, int]] = []
        self._failed_in: list[tuple[Any, int]] = []

    def begins(self, kind: str, what: Any) -> tuple[str, Any]:
        """What is called, for `ends`."""
        if kind == "module":
            self._modules.append((what, next(clock)))
        return kind, what

    def ends(self, begun: tuple[str, Any], result: Any, args: tuple, options: dict) -> None:
        """It has returned, or raised what is being handled now."""
        kind, what = begun
        given = [a for a in (*_flat(args), *_flat(options)) if _is_array(a)]
        self._tensors += [t for t in given if isinstance(t, Tensor)]
        if result is None and (error := sys.exc_info()[1]) is not None and self.failed is None:
            own = [p for _, p in what.named_parameters(recurse=False)] if kind == "module" else []
            name, arguments = getattr(error, "call", ("", []))
            if kind == "module" and name not in ("", type(what).__name__):  # a function in it, not an operation
                kind, what, given, own = "function", name, [a for a in _flat(arguments) if _is_array(a)], []
            self.failed = kind, what, [*given, *own]
            self._failed_in = list(self._modules)
        self._latest = result
        if begun[0] == "module":
            self._modules.pop()

    def born(self, node: Node) -> None:
        """It is that of the result that was computed last."""
        if is_pick(node):
            self._latest = self.arrays.get(node.parents[0], {}).get(node.options["index"])
        if node.shape is None:
            self.arrays[node] = dict(enumerate(self._latest)) if isinstance(self._latest, tuple) else {}
        elif np.shape(self._latest) == node.shape:
            self.arrays[node] = self._latest

    def ends_of_the_graph(self) -> list[Tensor]:
        """The results that nothing was computed from."""
        read = {parent for node in self.arrays for parent in node.parents}
        return [wrap(array, node) for node, array in self.arrays.items()
                if node.shape is not None and node not in read]

    def origins(self) -> list[Any]:
        """Where the arguments of what failed came from: nodes, leaves or constants."""
        assert self.failed
        known: dict[int, Any] = {id(array): node for node, array in self.arrays.items() if node.shape is not None}
        leaves = [p for node in self.arrays for p in node.parents if isinstance(p, Tensor)]
        leaves += [p for module, _ in self._failed_in[:1] for p in module.parameters()] + self._tensors
        known = {id(leaf.array): leaf for leaf in leaves if leaf.requires_grad and leaf.node is None} | known
        bare = [a.array if isinstance(a, Tensor) else a for a in self.failed[2]]
        return [known.get(id(array), array) for array in bare]

    def open_calls(self, paths: Mapping[int, str]) -> Iterator[Scope]:
        """The calls of modules that did not return."""
        last = max([node.birth for node in self.arrays], default=0)
        for module, first in self._failed_in:
            if path := paths.get(id(module), ""):
                yield Scope(path, type(module).__name__, first, last)

    def summary(self, paths: Mapping[int, str]) -> str:
        """What failed, an operation or a module by its path and class, and the shapes that it was called on."""
        assert self.failed
        kind, what, arguments = self.failed
        title = (f"{paths.get(id(what), '')} {type(what).__name__}".strip() if kind == "module" else
                 what if kind == "function" else getattr(what, "__name__", None) or str(what.name))
        return f"failed at {title}, on {' and '.join(text.shape(t.shape) for t in arguments) or 'no tensor'}"

    def drawn(self, paths: Mapping[int, str]) -> tuple[Box, list[Any]]:
        """The box of what failed, and what it was called on."""
        summary, reason = self.summary(paths), text.clean(str(self.error))
        title, _, shapes = summary.removeprefix("failed at ").partition(", on ")
        why = text.shorten(reason.partition(": ")[2] or reason, 90)  # without the call
        box = Box(OPERATION, text.shorten(title, 34), lines=(why,), alarm=f"failed on {shapes}", born=True,
                  note=f"{summary}: {reason}")
        return box, self.origins()


def _is_array(value: Any) -> bool:
    return isinstance(value, (Tensor, np.ndarray))


def _flat(values: Any) -> Iterator[Any]:
    for value in values.values() if isinstance(values, Mapping) else values:
        if isinstance(value, (tuple, list, Mapping)):
            yield from _flat(value)
        else:
            yield value
