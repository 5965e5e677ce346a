"""Loops compiled by numba in place of NumPy's functions: an extra, off until it is switched on.

NumPy computes a formula one function at a time, each a trip through memory, and between two of them a thread waits for
the interpreter. A compiled loop does all of it in one go, without the interpreter. A function that has such a form says
where: the form has the same name, arguments and results, and may return NotImplemented for what it does not do.

    @compilable("nn.compiled.normalization")
    def normalize(x, *, eps): ...              # in NumPy: what is computed

    @loop                                      # in nn/compiled/normalization.py
    def normalize(x, *, eps): ...              # how to do it faster
"""

import functools
import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any

on = False
"""Whether loops are used; see `set_compiled`."""


def set_compiled(mode: bool) -> None:
    """Let operations that have a form compiled by numba use it, or no longer; at first they don't.

    `GRADCIRCUIT_COMPILED=1` in the environment does the same. There are forms of random draws and, for float32, of what
    is elementwise, convolution, batch and layer normalization, attention, the LSTM and the optimizers; results differ
    in the last digits. A function is compiled when it is first called, which takes seconds; later processes find it on
    disk.

    Raises:
        ImportError: numba is not installed.

    >>> autograd.set_compiled(True)
    >>> autograd.is_compiled()
    True
    """
    global on
    if mode and importlib.util.find_spec("numba") is None:
        raise ImportError("set_compiled(True) needs numba, which is not installed: pip install 'gradcircuit[compiled]'")
    on = bool(mode)


def is_compiled() -> bool:
    """Whether operations use their compiled forms."""
    return on


def compilable(module: str) -> Callable[[Callable], Callable]:
    """Declares that a function has a compiled form of the same name (without a leading _) in a module."""
    def decorate(plain: Callable) -> Callable:
        form = None

        @functools.wraps(plain)
        def either(*args: Any, **options: Any) -> Any:
            nonlocal form
            if on:
                form = form or getattr(importlib.import_module(module), plain.__name__.lstrip("_"))
                result = form(*args, **options)
                if result is not NotImplemented:
                    return result
            return plain(*args, **options)
        return either
    return decorate


if os.environ.get("GRADCIRCUIT_COMPILED") == "1":
    set_compiled(True)
