"""Which module a recorded operation belongs to: the calls of modules, as nested spans of the clock.

Every Node has a number on the clock (its birth), and a call of a module covers a span of it. Spans nest, and drawing a
span as one box cannot make a cycle, since no operation depends on a younger one.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from autograd import Node
from autograd.backward import backward_pass

BACKWARD = "backward pass", "(create_graph)"
"""What a recorded backward pass is called, as if it were a module."""
FEW = 4
"""Up to so many repeats are drawn one by one."""

Chosen = Callable[[str], bool]
"""Whether the module of a path is opened, however deep it is."""
READABLE = 50
"""Operations and closed modules in one picture, without leaves."""


def is_pick(node: Node) -> bool:
    """Whether a node picks one output of an operation with several: nothing else takes what has no shape."""
    whole = node.parents[0]
    return isinstance(whole, Node) and whole.shape is None


@dataclass
class Scope:
    """One call of a module, and what happened in it.

    Attributes:
        path: the module's dotted name; "" for all that is drawn.
        kind: the module's class.
        first: birth of its first operation.
        last: birth of its last operation.
        items: operations and inner calls, in order.
    """

    path: str
    kind: str
    first: int
    last: int
    items: list["Node | Scope"] = field(default_factory=list)

    def shape(self) -> tuple[Any, ...]:
        """What has to be equal for two calls to be repeats of each other; not which of several outputs are used."""
        return (self.kind, *((item.shape() if isinstance(item, Scope) else (item.name, item.shape))
                             for item in self.items if isinstance(item, Scope) or not is_pick(item)))


@dataclass
class Repeats:
    """Several calls in a row that do the same, and the operations between them: drawn as one box."""

    items: list["Node | Scope"]

    @property
    def calls(self) -> list[Scope]:
        """The calls alone."""
        return [item for item in self.items if isinstance(item, Scope)]

    def rounds(self) -> list[Scope]:
        """Each call with the operations that follow it."""
        found: list[Scope] = []
        for item in self.items:
            if isinstance(item, Scope):
                found.append(Scope(f"{item.path} …", item.kind, item.first, item.last, [item]))
            else:
                found[-1].items.append(item)
        return found


def operations(place: Scope | Repeats) -> Iterator[Node]:
    """All operations in one or several calls, and between them, in order."""
    for item in place.items:
        yield from operations(item) if isinstance(item, Scope) else [item]


def all_paths(scope: Scope) -> Iterator[str]:
    """The paths of all calls in a scope."""
    for item in scope.items:
        if isinstance(item, Scope):
            yield item.path
            yield from all_paths(item)


def innermost(scope: Scope, node: Node) -> Scope:
    """The innermost call in a scope that holds an operation."""
    inner = next((item for item in scope.items if isinstance(item, Scope) and node in operations(item)), None)
    return innermost(inner, node) if inner else scope


def returned_by(node: Node) -> Iterator[tuple[Any, int]]:
    """The modules that returned a result, as weak references, and when each call began."""
    calls = node.calls
    while calls:
        reference, first, calls = calls
        yield reference, first


def calls(nodes: list[Node], paths: Mapping[int, str]) -> list[Scope]:
    """The calls of modules that led to these nodes: a node tells which modules returned it.

    Args:
        nodes: oldest first.
        paths: id of a module -> its dotted name.
    """
    found: dict[tuple[str, int], Scope] = {}
    for node in nodes:
        for reference, first in returned_by(node):
            module = reference()
            path, kind = paths.get(id(module), ""), type(module).__name__
            if reference is backward_pass:
                path, kind = BACKWARD
            if module is not None and path:
                scope = found.setdefault((path, first), Scope(path, kind, first, node.birth))
                scope.last = node.birth  # of several outputs, the last
    return list(found.values())


def tree(nodes: list[Node], calls: list[Scope]) -> Scope:
    """The calls and operations as one tree. Calls without operations are left out."""
    root = Scope("", "", 0, nodes[-1].birth if nodes else 0)
    waiting = sorted(calls, key=lambda call: (call.first, -call.last, call.path.count(".")))[::-1]
    inside = [root]
    for node in nodes:
        while len(inside) > 1 and inside[-1].last < node.birth:
            inside.pop()
        while waiting and waiting[-1].first <= node.birth:
            call = waiting.pop()
            if call.last < node.birth:
                continue
            while len(inside) > 1 and inside[-1].last < call.last:
                inside.pop()
            scope = Scope(call.path, call.kind, call.first, call.last)
            inside[-1].items.append(scope)
            inside.append(scope)
        inside[-1].items.append(node)
    return root


def chosen(opened: Collection[str] | Chosen) -> Chosen:
    """What opens the modules of some names (or patterns, as in a shell) and all around them."""
    if callable(opened):
        return opened
    if isinstance(opened, str):
        opened = [opened]
    patterns = {".".join(pattern.split(".")[:k]) for pattern in opened for k in range(1, pattern.count(".") + 2)}
    return lambda path: any(path.count(".") == pattern.count(".") and fnmatchcase(path, pattern)
                            for pattern in patterns)


NONE = chosen(())


def fold(scope: Scope, opened: bool, chosen: Chosen = NONE) -> list["Node | Scope | Repeats"]:
    """The items of a scope, many repeats in a row put together; if calls are opened, the first stays apart."""
    folded: list[Node | Scope | Repeats] = []
    i = 0
    while i < len(scope.items):
        run = _run_of_repeats(scope.items, i)
        calls = [place for place, item in enumerate(run) if isinstance(item, Scope)]
        apart = calls[1] if opened and len(calls) > 1 else 0
        open_ones = any(isinstance(item, Scope) and chosen(item.path) for item in run)
        if len(calls) - bool(apart) > FEW and not open_ones:
            folded += [*run[:apart], Repeats(run[apart:])]
            i += len(run)
        else:
            folded.append(scope.items[i])
            i += 1
    return folded


def _run_of_repeats(items: list[Node | Scope], i: int) -> list[Node | Scope]:
    """From items[i] on, the calls that do the same as it, as long as the operations between them are equal too."""
    first, gap, end = items[i], None, i + 1
    if not isinstance(first, Scope):
        return items[i:end]
    shape = first.shape()
    while True:
        following = next(((j, item) for j, item in enumerate(items[end:], end) if isinstance(item, Scope)), None)
        if following is None or following[1].shape() != shape:
            return items[i:end]
        between = [node.name for node in items[end:following[0]] if isinstance(node, Node)]
        if gap is not None and between != gap:
            return items[i:end]
        gap, end = between, following[0] + 1


def visible(scope: Scope, depth: int, chosen: Chosen = NONE) -> int:
    """How many operations and closed modules are drawn if so many levels of modules, and those chosen, are opened."""
    return sum(visible(item, depth - 1, chosen) if isinstance(item, Scope) and (depth > 0 or chosen(item.path)) else 1
               for item in fold(scope, depth > 0, chosen))


def readable_depth(root: Scope, chosen: Chosen = NONE) -> int:
    """How many levels of modules to open so that at most about 60 boxes are drawn, if that is possible."""
    depth = 0
    while depth < _depth(root) and visible(root, depth + 1, chosen) <= READABLE:
        depth += 1
    return depth


def _depth(scope: Scope) -> int:
    return max((1 + _depth(item) for item in scope.items if isinstance(item, Scope)), default=0)
