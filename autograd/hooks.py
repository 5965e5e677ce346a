"""Functions that see, and may replace, a gradient when it is complete."""

import weakref
from collections.abc import Callable
from typing import Any, Self


class RemovableHandle:
    """A hook in a list of them, at the end or in front; `remove()` takes it away again."""

    def __init__(self, hooks: list[Callable], hook: Callable, prepend: bool = False) -> None:
        self._hooks, self._hook = hooks, hook
        hooks.insert(0 if prepend else len(hooks), hook)

    def remove(self) -> None:
        """Take the hook away; once is enough."""
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class AfterAccumulation:
    """A hook that sees the leaf when its `.grad` has been added to; `backward()` calls the function then."""

    __slots__ = ("function",)

    def __init__(self, function: Callable) -> None:
        self.function = function


class KeepGradient:
    """The hook of `retain_grad()`: the gradient, as the other hooks leave it, is added to `.grad` of the owner."""

    __slots__ = ("owner",)

    def __init__(self, owner: weakref.ref) -> None:
        self.owner = owner

    def __call__(self, g: Any) -> None:  # noqa: D102
        tensor = self.owner()
        if tensor is not None:
            tensor._grad = g.clone() if tensor._grad is None else tensor._grad + g
