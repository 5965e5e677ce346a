"""Modules that hold other modules."""

import inspect
import itertools
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Self

from autograd import Tensor
from nn.module import Module, _indented
from nn.parameter import Parameter


class _Numbered(Module):
    """A module whose entries are its attributes "0", "1", …, with the behavior of a list."""

    _kind: type = Module

    def _names(self) -> list[str]:
        return [name for name, value in vars(self).items() if isinstance(value, self._kind)]

    def _entries(self) -> list[Any]:
        return [vars(self)[name] for name in self._names()]

    def _replace_all(self, entries: Iterable[Any]) -> None:
        entries = list(entries)
        for name in self._names():
            delattr(self, name)
        for i, entry in enumerate(entries):
            self._put(str(i), entry)

    def _put(self, name: str, entry: Any) -> None:
        if not isinstance(entry, self._kind):
            remedy = (f"; write {type(self).__name__}(*layers)" if isinstance(entry, (list, tuple)) else
                      "; nn has layers of many functions, such as nn.ReLU()" if inspect.isroutine(entry) else "")
            raise TypeError(f"{type(self).__name__} holds {self._kind.__name__}s, not a {type(entry).__name__}{remedy}")
        setattr(self, name, entry)

    def __len__(self) -> int:
        return len(self._entries())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._entries())

    def _name_of(self, index: int) -> str:
        names = self._names()
        if not -len(names) <= index < len(names):
            raise IndexError(f"index {index} is out of range: this {type(self).__name__} has {len(names)} entries")
        return names[index]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._of(self._names()[index])
        return vars(self)[self._name_of(index)]

    def _of(self, names: list[str]) -> Any:
        entries = [vars(self)[name] for name in names]
        return type(self)(entries)  # type: ignore[call-arg]  # the layers that are made of a list

    def __setitem__(self, index: int, entry: Any) -> None:
        self._put(self._name_of(index), entry)

    def __delitem__(self, index: Any) -> None:
        entries = self._entries()
        if not isinstance(index, slice):
            self._name_of(index)
        del entries[index]
        self._replace_all(entries)

    def __iadd__(self, entries: Iterable[Any]) -> Self:
        return self.extend(entries)

    def append(self, entry: Any) -> Self:
        """Add an entry at the end."""
        self._put(str(len(self)), entry)
        return self

    def extend(self, entries: Iterable[Any]) -> Self:
        """Add entries at the end."""
        if isinstance(entries, (str, Tensor)) or not isinstance(entries, Iterable):
            raise TypeError(f"{type(self).__name__}.extend() takes a list of entries, not a {type(entries).__name__}")
        for entry in list(entries):
            self.append(entry)
        return self

    def insert(self, index: int, entry: Any) -> Self:
        """Add an entry before position `index`."""
        entries = self._entries()
        entries.insert(index, entry)
        self._replace_all(entries)
        return self

    def pop(self, index: int) -> Any:
        """Take an entry away and return it."""
        entry = self[index]
        del self[index]
        return entry


class Sequential(_Numbered):
    """Modules one after the other: each takes what the one before returned.

    Args:
        *args: the modules, or one dict of names and modules.

    >>> Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))(randn(5, 64)).shape
    (5, 10)
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.register_module(name, module)
        else:
            for i, module in enumerate(args):
                self._put(str(i), module)

    def _of(self, names: list[str]) -> "Sequential":
        return Sequential({name: vars(self)[name] for name in names})

    def insert(self, index: int, entry: Module) -> Self:
        """Add a module before position `index`."""
        if not -len(self) <= index <= len(self):
            raise IndexError(f"index {index} is out of range: this Sequential has {len(self)} entries")
        return super().insert(index, entry)

    def __add__(self, other: "Sequential") -> "Sequential":
        if not isinstance(other, Sequential):
            raise ValueError(f"a Sequential and a {type(other).__name__} cannot be added; write Sequential(*a, b)")
        return Sequential(*self, *other)

    def __mul__(self, times: int) -> "Sequential":
        """The same modules, with the same parameters, several times one after the other."""
        if not isinstance(times, int):
            raise TypeError(f"a Sequential is multiplied by a whole number, not by a {type(times).__name__}")
        if times < 1:
            raise ValueError(f"a Sequential cannot be multiplied by {times}; the number must be at least 1")
        return Sequential(*[module for _ in range(times) for module in self])

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        return self.extend(list((self * times)[len(self):]))

    def forward(self, input: Any) -> Any:
        for module in self._entries():
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list of modules whose parameters are found; an entry may be None."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        if isinstance(modules, Module) and not isinstance(modules, Iterable):
            raise TypeError(f"a list of Modules belongs in the place of this {type(modules).__name__}; write "
                            f"{type(self).__name__}([layer])")
        self.extend(modules)

    def _names(self) -> list[str]:
        return list(filter(str.isdecimal, vars(self)))

    def _put(self, name: str, entry: Any) -> None:
        if entry is None:
            self.register_module(name, None)
        else:
            super()._put(name, entry)

    def __add__(self, other: Iterable[Module]) -> "ModuleList":
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        lines, start = [], 0
        for text, group in itertools.groupby(self, repr):
            count = len(list(group))
            many = f"({start}-{start + count - 1}): {count} x " if count > 1 else f"({start}): "
            lines.append(many + _indented(text))
            start += count
        return self._text(lines)


class _Keyed(Module, MutableMapping[str, Any]):
    """A module whose entries are attributes, with the behavior of a dict."""

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:  # a dict has none, since it may change; as a module it is a key
        return object.__hash__(self)

    def _names(self) -> Iterable[str]:
        return (name for name, value in vars(self).items() if isinstance(value, Module))

    def _check_key(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a key of a {type(self).__name__} is text, not a {type(name).__name__}; write "
                            f"{str(name)!r}")
        if not name or "." in name:
            raise KeyError(f"{name!r} cannot be a key: names are joined by dots, so they need a letter and no dot")
        if name not in self and hasattr(self, name):
            raise KeyError(f"'{name}' is an attribute of every {type(self).__name__}; choose another key")

    def _put_all(self, entries: Any) -> None:
        if not isinstance(entries, Iterable):
            raise TypeError(f"{type(self).__name__}.update() takes a dict, or pairs of keys and values, not a "
                            f"{type(entries).__name__}")
        for pair in entries.items() if isinstance(entries, Mapping) else entries:
            if not isinstance(pair, Iterable) or len(pair := tuple(pair)) != 2:
                raise ValueError(f"{type(self).__name__}.update() takes pairs of keys and values, not {pair!r}")
            self[pair[0]] = pair[1]

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        return vars(self)[name]

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        delattr(self, name)

    def __len__(self) -> int:
        return len(list(self._names()))

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._names()))

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._names()))

    def __contains__(self, name: object) -> bool:
        return any(name == own for own in self._names())


class ModuleDict(_Keyed):
    """A dict of modules whose parameters are found."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self._put_all({} if modules is None else modules)

    def __setitem__(self, name: str, module: Module) -> None:
        self._check_key(name)
        self.register_module(name, module)

    def update(self, modules: Any) -> None:  # type: ignore[override]  # a dict's takes keyword arguments, too
        """Add or replace entries: a dict, or pairs of names and modules."""
        self._put_all(modules)


def _as_entry(value: Any) -> Any:
    """A Tensor as a Parameter, anything else as it is."""
    return Parameter(value.detach()) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _described(name: object, value: Any) -> str:
    """A line of text about an entry, in which a module has one of its own."""
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    return f"  ({name}): {kind} containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]"


class ParameterList(_Numbered):
    """A list of parameters that are found; plain Tensors become Parameters, anything else is kept as it is."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)

    def _names(self) -> list[str]:
        return sorted(filter(str.isdecimal, vars(self)), key=int)

    def _put(self, name: str, entry: Any) -> None:
        setattr(self, name, _as_entry(entry))

    def extra_repr(self) -> str:
        return "\n".join(_described(i, value) for i, value in enumerate(self))


class ParameterDict(_Keyed):
    """A dict of parameters that are found; plain Tensors become Parameters, anything else is kept as it is.

    Args:
        parameters: a dict, whose keys are sorted unless it is an OrderedDict or a ParameterDict, or pairs.

    >>> weights = ParameterDict({"left": autograd.ones(2), "right": autograd.zeros(3)})
    >>> [name for name, _ in weights.named_parameters()]
    ['left', 'right']
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        self.update({} if parameters is None else parameters)

    def _names(self) -> Iterable[str]:
        return self._keys

    def __setitem__(self, name: str, value: Any) -> None:
        self._check_key(name)
        self._keys[name] = None
        setattr(self, name, _as_entry(value))

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        del self._keys[name]

    def update(self, parameters: Any) -> None:  # type: ignore[override]  # a dict's takes keyword arguments, too
        """Add or replace entries: a dict, or pairs of keys and values."""
        if isinstance(parameters, Mapping) and not isinstance(parameters, (OrderedDict, ParameterDict)):
            parameters = sorted(parameters.items())
        self._put_all(parameters)

    def popitem(self) -> tuple[str, Any]:
        """Take the newest entry away and return its key and value."""
        if not self._keys:
            raise KeyError("the ParameterDict is empty")
        name = next(reversed(self))
        return name, self.pop(name)

    def copy(self) -> "ParameterDict":
        """Another one with the same parameters."""
        return ParameterDict(OrderedDict(self))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> "ParameterDict":
        """Another one, with one value for all keys."""
        return ParameterDict((key, default) for key in keys)

    def __or__(self, other: "ParameterDict") -> "ParameterDict":
        result = self.copy()
        result.update(other)
        return result

    def __ror__(self, other: Mapping[str, Any]) -> "ParameterDict":
        return ParameterDict(OrderedDict([*other.items(), *self.items()]))

    def __ior__(self, other: Mapping[str, Any]) -> Self:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        return "\n".join(_described(name, value) for name, value in self.items())

    def forward(self, *args: Any) -> Any:
        raise RuntimeError("a ParameterDict is no layer; read its entries: parameters['name']")
