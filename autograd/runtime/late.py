"""Packages that are read when somebody asks for them: `import nn` costs no more, and `nn.vision` is there."""

import importlib
import sys
from collections.abc import Callable, Collection
from types import ModuleType


def late(package: str, names: Collection[str]) -> Callable[[str], ModuleType]:
    """The `__getattr__` of a package, by which modules of these names are imported when they are first mentioned."""
    def find(name: str) -> ModuleType:
        if name in names:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
    return find
