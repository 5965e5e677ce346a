"""What the user calls his tensors: by a dict, by the module tree, or by the variables where `draw` was called."""

import dis
import itertools
import types
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from autograd import Graph, Node, Tensor
from viz import text
from viz.scopes import returned_by

_LETTERS = "abcfghkmnpqrstuvwyz"
"""Neither x, which stands for the argument in a gate (1/x), nor what looks like a number, a differential or exp."""

MANY = 1000
"""Elements of a list that are looked at, at most."""
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
    for name, tensor in [*variables(scope), *_attributes(modules)]:
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


def owners(modules: Mapping[str, Module]) -> dict[int, str]:
    """Key of a parameter or buffer -> path of the module it belongs to."""
    owner: dict[int, str] = {}
    for path, tensor in _state(modules):
        owner.setdefault(key(tensor), path.rpartition(".")[0])
    return owner


def paths(modules: Mapping[str, Module]) -> dict[int, str]:
    """id of a module -> its path."""
    found: dict[int, str] = {}
    for path, part in inner(modules):
        found.setdefault(id(part), path)
    return found


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


def _attributes(modules: Mapping[str, Module]) -> Iterator[tuple[str, Tensor]]:
    """Tensors that are neither parameters nor buffers, as a state that a module keeps, by their paths."""
    for path, module in inner(modules):
        for name, value in vars(module).items():
            if isinstance(value, Tensor):
                yield _joined(path, name), value


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


def held(scope: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Variables, and what is in their lists, tuples, dicts and attributes, two levels deep; the nearest first.

    Modules aren't looked into: they name what is in them themselves.
    """
    seen: set[int] = set()
    left_over = getattr(scope, "left_over", ())
    level = [(name, value) for name, value in scope.items()
             if name not in left_over and name.isidentifier()]  # pytest puts others there
    for _ in range(3):
        inner: list[tuple[str, Any]] = []
        for name, value in level:
            if name.rpartition(".")[2].startswith("_"):
                continue
            yield name, value
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, (list, tuple, dict)) and len(value) <= MANY:
                items = value.items() if isinstance(value, dict) else enumerate(value)
                inner += [(f"{name}[{place!r}]", item) for place, item in items]
            elif is_plain_object(value) and len(vars(value)) <= MANY:
                inner += [(f"{name}.{attribute}", item) for attribute, item in vars(value).items()]
        level = inner[:10 * MANY]
    yield from ((name, scope[name]) for name in left_over if name in scope)


def is_plain_object(value: Any) -> bool:
    """Whether a value is there to hold others: neither called, nor a Module, nor numbers."""
    return (hasattr(value, "__dict__") and not callable(value) and not hasattr(value, "named_parameters")
            and not isinstance(value, (type, types.ModuleType, Tensor, np.ndarray)))


def variables(scope: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The Tensors and arrays among some variables, and inside what they hold."""
    return ((name, value) for name, value in held(scope) if isinstance(value, (Tensor, np.ndarray)))


class Variables(dict[str, Any]):
    """The variables where a function was called, the nearest first.

    Attributes:
        left_over: the names left over from loops that have ended. After `for w in ws: …` the last element is rather
            `ws[2]`, as the others are `ws[0]` and `ws[1]`.
    """

    def __init__(self, frame: types.FrameType) -> None:
        super().__init__({**frame.f_locals, **frame.f_globals, **frame.f_locals})
        self.left_over = _left_over(frame)


def _left_over(frame: types.FrameType) -> list[str]:
    code, here = list(dis.get_instructions(frame.f_code)), frame.f_lasti
    stored = [(k, name) for k, instruction in enumerate(code) for name in _stored(instruction)]
    left = []
    for k, instruction in enumerate(code):
        if instruction.opname != "FOR_ITER" or here < instruction.argval:
            continue  # not yet, or still running
        targets = itertools.takewhile(lambda i: i.opname.startswith(("STORE", "UNPACK")), code[k + 1:])
        for name in [name for target in targets for name in _stored(target)]:
            again = any(other == name and instruction.argval <= code[place].offset < here for place, other in stored)
            if not again and name not in left:
                left.append(name)
    return left


def _stored(instruction: dis.Instruction) -> list[str]:
    """The variables that an instruction writes."""
    if not instruction.opname.startswith("STORE_") or instruction.opname in ("STORE_SUBSCR", "STORE_ATTR"):
        return []
    if isinstance(instruction.argval, tuple):  # two in one
        return list(instruction.argval[:1 if "LOAD" in instruction.opname else 2])
    return [instruction.argval] if isinstance(instruction.argval, str) else []


def all_modules(scope: Mapping[str, Any], function: Any) -> list[Any]:
    """The Modules that a function may call: those it is or is bound to, those it holds, those of the caller."""
    inner = {"function": function, "self": getattr(function, "__self__", None), "partial": getattr(function, "func", 0)}
    cells = getattr(function, "__closure__", None) or ()
    inner |= {f"cell{k}": cell.cell_contents for k, cell in enumerate(cells) if cell != types.CellType()}
    return [value for _, value in [*held(scope), *held(inner)]
            if not isinstance(value, type) and hasattr(value, "named_modules")]


def modules_in(scope: Mapping[str, Any], graph: Graph) -> dict[str, Module]:
    """The modules whose parameters are drawn, by the prefix that tells them apart: none if there is one.

    They are found among the variables of the caller, or as what returned the values in the graph.
    """
    wanted = {id(leaf) for leaf in graph.leaves}
    found: list[tuple[set[int], str, Module]] = []
    for name, value in [*held(scope), *_called(graph.nodes)]:
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


def _called(nodes: list[Node]) -> Iterator[tuple[str, Any]]:
    """The modules that returned some values, by their classes."""
    modules: dict[int, Any] = {}
    for reference, _ in (call for node in nodes for call in returned_by(node)):
        modules[id(reference())] = reference()
    several = Counter(type(module).__name__ for module in modules.values())
    number: Counter[str] = Counter()
    for module in modules.values():
        kind = type(module).__name__
        number[kind] += 1
        yield f"{kind}{number[kind]}" if several[kind] > 1 else kind, module
