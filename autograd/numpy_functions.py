"""NumPy's functions on Tensors: `np.exp(t)`, `array * t`, `np.concatenate([t, u])`."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.errors import close_to
from autograd.sharing import increment_version, own
from autograd.table import FUNCTIONS, NUMPY
from autograd.tensor import Tensor


def for_numpy(function: Callable, name: str, args: tuple, kwargs: dict) -> Any:
    """What a NumPy function gives of Tensors: what the table says, else bare arrays, from which nothing can be lost.

    Raises:
        TypeError: the table does not have it, and a Tensor requires gradients; names what to use instead.
    """
    into_arrays = kwargs.get("out") is not None
    unknown = ["out"] if into_arrays else []
    if function in NUMPY and not into_arrays:
        call = NUMPY[function]
        args, kwargs = _options_by_name(function, args, kwargs)
        unknown = [name for name in kwargs if not _takes(call, name)]
        if not unknown:
            return call(*args, **kwargs)
    found: list[Tensor] = []
    bare = _bare((args, kwargs), found)
    if any(tensor.tracked for tensor in found):
        raise TypeError(f"np.{name} does not work on Tensors that require gradients"
                        f"{f' with {unknown[0]}=' if unknown else close_to(name, FUNCTIONS, 0.8)}; for the bare values "
                        "write t.detach().numpy()")
    result = function(*bare[0], **bare[1])
    if result is None or into_arrays:  # it has written to what it was given
        increment_version(found)
    return result


@functools.cache
def _parameters_of(function: Callable) -> tuple[list[str], dict[str, Any]]:
    """Of a NumPy function: what must be given, and the options with their defaults; nothing if that isn't known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return [], {}
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return [], {}
    return ([p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD],
            {p.name: p.default for p in parameters if p.default is not p.empty and p.kind is not p.POSITIONAL_ONLY})


def _options_by_name(function: Callable, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """What a NumPy function was given, by its names, since ours may have another order; without what is its default."""
    needed, options = _parameters_of(function)
    if options:
        kwargs = {**dict(zip(options, args[len(needed):], strict=False)), **kwargs}
        args = (*args[:len(needed)], *[kwargs.pop(name) for name in needed[len(args):] if name in kwargs])
    return args, {name: value for name, value in kwargs.items() if value is not options.get(name, kwargs)}


@functools.cache
def _takes(call: Callable, name: str) -> bool:
    operation = getattr(call, "operation", None)
    parameters = inspect.signature(call).parameters
    return (name in parameters or (operation is not None and name in operation.spellings)
            or any(p.kind is p.VAR_KEYWORD for p in parameters.values()))


def _bare(value: Any, found: list[Tensor]) -> Any:
    """`value` with arrays in the place of Tensors, which are appended to `found`."""
    if isinstance(value, Tensor):
        found.append(value)
        own(value)
        return value.array
    if type(value) in (tuple, list):
        return type(value)([_bare(part, found) for part in value])
    if type(value) is dict:
        return {key: _bare(part, found) for key, part in value.items()}
    return value


def _array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
    if method == "__call__":
        return for_numpy(ufunc, ufunc.__name__, args, kwargs)
    return for_numpy(getattr(ufunc, method), f"{ufunc.__name__}.{method}", args, kwargs)


def _array_function(self: Tensor, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
    return for_numpy(function, getattr(function, "__name__", str(function)), args, kwargs)


Tensor.__array_ufunc__, Tensor.__array_function__ = _array_ufunc, _array_function
