"""Modules that hold other modules."""

import inspect
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from autograd import Tensor
from nn.module import Module, _indented
from nn.parameter import Parameter


class _Numbered(Module):
    """A module whose entries are its attributes "0", "1", …, with the behavior of a list."""

    _kind: type = Module

    def _entries(self) -> list[Any]:
        return [value for value in vars(self).values() if isinstance(value, self._kind)]

    def _names(self) -> list[str]:
        return [name for name, value in vars(self).items() if isinstance(value, self._kind)]

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
            return self._of(self._entries()[index])
        return vars(self)[self._name_of(index)]

    def _of(self, entries: list) -> Any:
        return type(self)(entries)  # type: ignore[call-arg]  # the layers that are made of a list

    def __setitem__(self, index: int, entry: Any) -> None:
        self._put(self._name_of(index), entry)

    def __delitem__(self, index: Any) -> None:
        entries = self._entries()
        del entries[index]
        self._replace_all(entries)

    def append(self, entry: Any) -> Self:
        """Add an entry at the end."""
        self._put(str(len(self)), entry)
        return self

    def extend(self, entries: Iterable[Any]) -> Self:
        """Add entries at the end."""
        for entry in entries:
            self.append(entry)
        return self

    def insert(self, index: int, entry: Any) -> None:
        """Add an entry before position `index`."""
        entries = self._entries()
        entries.insert(index, entry)
        self._replace_all(entries)


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

    def _of(self, entries: list) -> "Sequential":
        return Sequential({name: vars(self)[name] for name in self._names()
                           if any(vars(self)[name] is entry for entry in entries)})

    def forward(self, input: Any) -> Any:
        for module in self._entries():
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list of modules whose parameters are found."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        if isinstance(modules, Module) and not isinstance(modules, Iterable):
            raise TypeError(f"a list of Modules belongs in the place of this {type(modules).__name__}; write "
                            f"{type(self).__name__}([layer])")
        self.extend(modules)

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


class ModuleDict(Module):
    """A dict of modules whose parameters are found."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add or replace entries."""
        for name, module in modules.items():
            self[name] = module

    def _dict(self) -> dict[str, Module]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Module)}

    def __getitem__(self, name: str) -> Module:
        return self._dict()[name]

    def __setitem__(self, name: str, module: Module) -> None:
        if hasattr(type(self), name) or (name in vars(self) and name not in self._dict()):
            raise KeyError(f"'{name}' is an attribute of every ModuleDict; choose another key")
        self.register_module(name, module)

    def __delitem__(self, name: str) -> None:
        del vars(self)[name]

    def __len__(self) -> int:
        return len(self._dict())

    def __iter__(self) -> Iterator[str]:
        return iter(self._dict())

    def __contains__(self, name: str) -> bool:
        return name in self._dict()

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._dict().keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._dict().values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names and modules."""
        return self._dict().items()


class ParameterList(_Numbered):
    """A list of parameters that are found; plain Tensors become Parameters."""

    _kind = Parameter

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)

    def _put(self, name: str, entry: Any) -> None:
        if isinstance(entry, Tensor) and not isinstance(entry, Parameter):
            entry = Parameter(entry)
        super()._put(name, entry)

    def extra_repr(self) -> str:
        return "\n".join(f"({i}): Parameter containing: [{p.dtype} of size {'x'.join(map(str, p.shape))}]"
                         for i, p in enumerate(self))
