"""Where others may look on while the engine works: the profiler, anomaly detection, whoever comes next.

A Watcher is told what begins and ends (an operation, a Function, a node's turn in the backward pass, a module, an
optimizer's step), which nodes are born, and every gradient that a node sends on. At each of these places the engine
asks one question, whether anybody watches at all.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

watchers: tuple["Watcher", ...] = ()
"""Those of any thread that are on now and told of everything."""
of_steps: tuple["Watcher", ...] = ()
"""The same, and those who want to know of optimizers' steps only."""
_switching = threading.Lock()
_silenced: dict[int, tuple["Watcher", ...]] = {}
"""Thread -> who is not told, at the moment, what it does."""


class Watcher:
    """What is told, from `with watcher:` on until the end of the block; override what you want to know.

    Attributes:
        every_thread: whether it is told of all threads, or only of the one that entered the block.

    >>> class Calls(Watcher):
    ...     def begins(self, kind, what):
    ...         print(kind, what.name)
    >>> with Calls():
    ...     y = tensor(1.0) + 2
    operation add
    """

    every_thread = False
    only_steps = False
    """Whether it is told of the steps of optimizers and of nothing else, which then runs at full speed."""
    same_arrays = False
    """Whether it knows arrays again by being the same object, so that options keep the caller's and not copies."""

    def __enter__(self) -> Self:
        global watchers, of_steps
        self._thread = threading.get_ident()
        with _switching:
            of_steps = (*of_steps, self)
            watchers = watchers if self.only_steps else (*watchers, self)
        return self

    def __exit__(self, *exception: object) -> None:
        global watchers, of_steps
        with _switching:
            of_steps = tuple([watcher for watcher in of_steps if watcher is not self])
            watchers = tuple([watcher for watcher in watchers if watcher is not self])

    def begins(self, kind: str, what: Any) -> Any:
        """Something begins; `ends` will get what is returned here.

        Args:
            kind: "operation", "function" (a Function of the user's), "turn" (of a node in the backward pass), "module"
                or "step" (of an optimizer).
            what: the Operation, the class, the Node, the Module or the Optimizer.
        """

    def ends(self, begun: Any, result: Any, args: tuple, options: dict) -> None:
        """It ends: what it returned (None after an error, or of a turn) and what it was called with."""

    def born(self, node: Any) -> None:
        """A node has been recorded."""

    def sends(self, node: Any, argument: int, gradient: Any) -> None:
        """A node's rule has given the gradient of one of its arguments."""


def of_this_thread(kind: str = "") -> list[Watcher]:
    """Those that are told what this thread does."""
    here = threading.get_ident()
    listening = of_steps if kind == "step" else watchers
    silenced = _silenced.get(here, ())
    return [watcher for watcher in listening
            if (watcher.every_thread or watcher._thread == here) and watcher not in silenced]


@contextlib.contextmanager
def unwatched() -> Iterator[None]:
    """Tell none of those who watch by now what this thread does: it only looks at what has been done."""
    here = threading.get_ident()
    before = _silenced.get(here, ())
    _silenced[here] = of_steps
    try:
        yield
    finally:
        _silenced[here] = before


def told(kind: str, what: Any, function: Callable, args: tuple, options: dict) -> Any:
    """function(*args, **options), between the words to those who watch."""
    begun = [(watcher, watcher.begins(kind, what)) for watcher in of_this_thread(kind)]
    result = None
    try:
        result = function(*args, **options)
        return result
    finally:
        for watcher, token in reversed(begun):
            watcher.ends(token, result, args, options)


def turns(nodes: Iterable[Any]) -> Iterator[Any]:
    """The nodes of a backward pass, each between the words that its turn begins and has ended; leaves have none."""
    for node in nodes:
        if not hasattr(node, "operation"):
            yield node
            continue
        begun = [(watcher, watcher.begins("turn", node)) for watcher in of_this_thread()]
        try:
            yield node
        finally:
            for watcher, token in reversed(begun):
                watcher.ends(token, None, (), {})


def born(node: Any) -> None:
    """Tell of a new node."""
    for watcher in of_this_thread():
        watcher.born(node)


def sends(also: Callable[[Any, int, Any], None] | None) -> Callable[[Any, int, Any], None]:
    """What tells of a gradient: those who watch this thread, and `also` this one."""
    here = [watcher.sends for watcher in of_this_thread()]

    def tell(node: Any, argument: int, gradient: Any) -> None:
        for send in [*here, also] if also else here:
            send(node, argument, gradient)
    return tell
