"""What the user calls his tensors: by a dict, by the module tree, or by the variables where `draw` was called."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from autograd import Node, Tensor
from viz import text

_LETTERS = "abcfghkmnpqrstuvwyz"
"""Neither x, which stands for the argument in a gate (1/x), nor what looks like a number, a differential or exp."""

Names = dict[int, str]
"""id of a Node, a leaf Tensor or a constant's array -> name. Whoever holds the Graph keeps those objects alive."""


class Module(Protocol):
    """What a model is taken for. It may also have `named_buffers` and `named_modules`, as an `nn.Module` has."""

    def named_parameters(self) -> Iterable[tuple[str, Tensor]]:
        """All parameters with dotted names."""
        ...


def key(tensor: Any) -> int:
    """What a Tensor (or a bare array) is found by in the graph."""
    if not isinstance(tensor, Tensor):
        return id(tensor)
    return id((tensor.node or tensor) if tensor.requires_grad else tensor.array)


def find(given: Mapping[str, Any] | None, scope: Mapping[str, Any], modules: Mapping[str, Module]) -> Names:
    """All names, the surest first: those given, parameters by their module path, variables of the caller.

    Raises:
        TypeError: `given` is not a dict of names and Tensors.
    """
    names: Names = {}
    for name, tensor in [*_checked(given), *_state(modules)]:
        names.setdefault(key(tensor), name)
    taken = set(map(text.name_parts, names.values()))  # x0 and x_0 look the same
    for name, tensor in variables(scope):
        if text.name_parts(name) not in taken and key(tensor) not in names:
            names[key(tensor)] = name
            taken.add(text.name_parts(name))
    return names


def letters(taken: Iterable[str]) -> Iterator[str]:
    """Names for what has none: letters with which nothing is called, then the same with numbers."""
    stems = {text.name_parts(name)[0] for name in taken}
    free = [letter for letter in _LETTERS if letter not in stems] or ["v"]
    yield from (letter for letter in free if letter not in stems)
    names = set(map(text.name_parts, taken))
    yield from (f"{letter}{i}" for i in itertools.count(1) for letter in free if (letter, str(i)) not in names)


def owners(modules: Mapping[str, Module]) -> tuple[dict[int, str], dict[str, str]]:
    """Key of a parameter or buffer -> path of the module it belongs to; path of a module -> its class."""
    owner: dict[int, str] = {}
    for path, tensor in _state(modules):
        owner.setdefault(key(tensor), path.rpartition(".")[0])
    return owner, {path: type(module).__name__ for path, module in inner(modules)}


def inner(modules: Mapping[str, Module]) -> Iterator[tuple[str, Any]]:
    """All modules, by their paths."""
    for prefix, module in modules.items():
        for path, part in getattr(module, "named_modules", list)():
            yield _joined(prefix, path), part


def parameters(modules: Mapping[str, Module]) -> Iterator[tuple[str, Tensor]]:
    """All parameters, by their paths."""
    for prefix, module in modules.items():
        for path, parameter in module.named_parameters():
            yield _joined(prefix, path), parameter


def _state(modules: Mapping[str, Module]) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers, by their paths."""
    for prefix, module in modules.items():
        for method in ("named_parameters", "named_buffers"):
            for path, tensor in getattr(module, method, list)():
                yield _joined(prefix, path), tensor


def _joined(prefix: str, path: str) -> str:
    return ".".join(part for part in (prefix, path) if part)


def _checked(given: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise TypeError(f'names must be a dict such as {{"w": w, "x": x}}, not a {type(given).__name__}')
    for name, tensor in given.items():
        if not isinstance(name, str) or not isinstance(tensor, (Tensor, np.ndarray)):
            raise TypeError(f"names must map each name to its Tensor, as in {{'w': w}}; got {name!r}: {tensor!r:.80}")
    return list(given.items())


def variables(scope: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The Tensors and arrays among some variables, and inside their lists, tuples and dicts."""
    containers = []
    for name, value in list(scope.items()):
        if name.startswith("_") or not name.isidentifier():  # pytest and IPython put others there
            continue
        if isinstance(value, (Tensor, np.ndarray)):
            yield name, value
        elif isinstance(value, (list, tuple, dict)) and len(value) <= 1000:
            containers.append((name, value))
    for name, value in containers:
        for place, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(item, (Tensor, np.ndarray)):
                yield f"{name}[{place!r}]", item


def all_modules(values: Iterable[Any]) -> list[Any]:
    """The Modules among some values, each with whatever is in it."""
    return [value for value in values if not isinstance(value, type) and hasattr(value, "named_modules")]


def modules_in(scope: Mapping[str, Any], leaves: list[Tensor]) -> dict[str, Module]:
    """The caller's modules whose parameters are drawn, by the prefix that tells them apart: none if there is one."""
    wanted = {id(leaf) for leaf in leaves}
    found: list[tuple[set[int], str, Module]] = []
    for name, value in list(scope.items()):
        if not isinstance(value, (type, Tensor, Node)) and callable(getattr(value, "named_parameters", None)):
            owned = {id(parameter) for _, parameter in value.named_parameters()} & wanted
            if owned:
                found.append((owned, name, value))
    found.sort(key=lambda entry: -len(entry[0]))
    chosen: dict[str, Module] = {}
    for owned, name, value in found:
        if owned & wanted:  # not just a part of a module chosen before
            chosen[name] = value
            wanted -= owned
    return {"": next(iter(chosen.values()))} if len(chosen) == 1 else chosen
