"""Whether operations are recorded: a switch each thread has for itself."""

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any


class _Mode(threading.local):
    enabled = True


mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require gradients are recorded in this thread."""
    return mode.enabled


class set_grad_enabled:
    """Switch recording on or off: at once when called, until the end of a `with` block, or in a decorated function.

    >>> with set_grad_enabled(False):
    ...     y = model(x)
    >>> y.requires_grad
    False
    """

    def __init__(self, enabled: bool) -> None:
        self.enabled = bool(enabled)
        self._previous = mode.enabled
        mode.enabled = self.enabled

    def __enter__(self) -> None:
        mode.enabled = self.enabled

    def __exit__(self, *exception: object) -> None:
        mode.enabled = self._previous

    def __call__(self, function: Callable) -> Callable:  # noqa: D102 - as a decorator it does not switch at once
        mode.enabled = self._previous
        return _decorate(function, lambda: set_grad_enabled(self.enabled))


class _Switch:
    """Base of `no_grad` and `enable_grad`: re-entrant, and a decorator with or without parentheses."""

    enabled: bool

    def __new__(cls, function: Callable | None = None) -> Any:
        self = super().__new__(cls)
        return self if function is None else self(function)

    def __init__(self) -> None:
        self._previous: list[bool] = []

    def __enter__(self) -> None:
        self._previous.append(mode.enabled)
        mode.enabled = self.enabled

    def __exit__(self, *exception: object) -> None:
        mode.enabled = self._previous.pop()

    def __call__(self, function: Callable) -> Callable:
        return _decorate(function, type(self))


class no_grad(_Switch):
    """Record nothing: a context manager and a decorator. Results do not require gradients.

    >>> with no_grad():
    ...     for p in model.parameters():
    ...         p -= 0.1 * p.grad
    """

    enabled = False


class enable_grad(_Switch):
    """Record again inside `no_grad`: a context manager and a decorator."""

    enabled = True


def _decorate(function: Callable, switch: Callable[[], Any]) -> Callable:
    if inspect.isgeneratorfunction(function):  # the mode belongs to the body, not to whoever iterates
        @functools.wraps(function)
        def generate(*args: Any, **kwargs: Any) -> Any:
            iterator = function(*args, **kwargs)
            send, value = iterator.send, None
            while True:
                with switch():
                    try:
                        result = send(value)
                    except StopIteration as stop:
                        return stop.value
                try:
                    value, send = (yield result), iterator.send
                except BaseException as error:  # thrown in or closed by the caller: the body's to handle
                    value, send = error, iterator.throw
        return generate

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with switch():
            return function(*args, **kwargs)
    return call
