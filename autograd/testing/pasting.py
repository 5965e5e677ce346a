"""A program that shows a failure again: it can be pasted, and runs as it is."""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd.table import TABLE
from autograd.tensor import Tensor


def snippet(check: Callable, function: Any, args: Sequence[Any], options: dict[str, Any], **settings: Any) -> str:
    """Python that runs a check (`check_function`, `check_module`) once more on this example."""
    lines = ["import numpy as np", f"from autograd.testing import {check.__name__}"]
    pair = isinstance(function, (tuple, list))
    special = getattr(settings.get("engine"), "text", lambda function: None)(function)
    names = []
    if special:
        more, name, settings["engine"] = special[0], special[1], special[2]
        lines, names = lines + more, [name]
    for part, otherwise in zip(function, ("forward", "vjp"), strict=True) if pair else (
            [] if special else [(function, "function")]):
        more, name = reference_to(part, otherwise)
        lines += [line for line in more if line not in lines]
        names.append(name)
    call = [f"({', '.join(names)})" if pair else names[0], f"[{', '.join(literal(a) for a in args)}]"]
    if options:
        call.append(literal(options))
    defaults = {p.name: p.default for p in inspect.signature(check).parameters.values()}
    for key, value in settings.items():
        if value is not defaults[key] and value != defaults[key]:
            if callable(value):
                more, value = reference_to(value, key)
                lines += [line for line in more if line not in lines]
            elif key == "engine" and not special:
                if not isinstance(value, str):
                    lines += [*_reachable(type(value).__module__),
                              f"from {type(value).__module__} import {type(value).__name__}"]
                value = repr(value) if isinstance(value, str) else f"{type(value).__name__}()"
            call.append(f"{key}={value}")
    return "To see it again, run:\n\n" + "\n".join([*lines, "", f"{check.__name__}({', '.join(call)})"]) + "\n"


def reference_to(function: Callable, otherwise: str) -> tuple[list[str], str]:
    """Lines that make a function known, by import or by its own text, and its name."""
    op: Any = getattr(function, "operation", None)
    key = next((key for key, declared in TABLE.items() if declared is op), None)
    if key is not None:
        room = op.forward.__module__ if isinstance(getattr(op.forward, "__module__", None), str) else "autograd"
        room = room.split(".")[0] if room.startswith(("autograd", "nn.")) else room
        room = "autograd" if room in ("_operator", "numpy") else room
        table = [] if room == "__main__" else [*_reachable(room), f"import {room}  # declares the operation"]
        return [*table, "from autograd.table import TABLE"], f"TABLE[{key!r}].call"
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "<")
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type):  # a class method, perhaps inherited
        module, name = owner.__module__, f"{owner.__qualname__}.{function.__name__}"
    if module and "<" not in name and module != "__main__":
        top, _, rest = name.partition(".")
        return [*_reachable(module), f"from {module} import {top}"], f"{top}.{rest}" if rest else top
    lines = _text(function, otherwise)
    if lines:
        return lines, otherwise
    code = getattr(function, "__code__", None)
    place = f", {code.co_filename}:{code.co_firstlineno}" if code else ""
    return [f"{otherwise} = ...  # {name}{place}"], otherwise


def _reachable(module: str) -> list[str]:
    """A line that lets a module be imported, if it is not found from everywhere."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file or "site-packages" in file or Path(sys.prefix) in Path(file).parents:
        return []
    root = Path(file).resolve().parents[len(module.split(".")) - (0 if Path(file).name == "__init__.py" else 1)]
    if root == Path(__file__).resolve().parents[2]:
        return []
    return [f"import sys; sys.path.insert(0, {str(root)!r})"]


def _text(function: Callable, name: str) -> list[str]:
    """The text of a function that has no name to import it by, with what it refers to; [] if that is not to be had."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
        known = inspect.getclosurevars(function)
    except (OSError, TypeError, ValueError):
        return []
    if getattr(function, "__name__", "") == "<lambda>":
        nodes = _lambdas(source)
        if len(nodes) != 1:
            return []
        text = [f"{name} = {ast.unparse(nodes[0])}"]
    elif source.startswith("def "):
        text = [*source.rstrip().splitlines(), f"{name} = {function.__name__}"]
    else:
        return []
    lines: list[str] = []
    for key, value in {**known.globals, **known.nonlocals}.items():
        if inspect.ismodule(value):
            lines.append(f"import {value.__name__} as {key}" if value.__name__ != key else f"import {key}")
        elif isinstance(value, (int, float, str, tuple, list, np.ndarray)):
            lines.append(f"{key} = {literal(value)}")
        elif callable(value) or isinstance(value, type):
            more, reference = reference_to(value, key)
            if any("= ..." in line for line in more):
                return []
            lines += more + ([f"{key} = {reference}"] if reference != key else [])
        else:
            return []
    return lines + text


def _lambdas(source: str) -> list[ast.Lambda]:
    """The lambdas of a piece of text, which may be a part of a statement."""
    start = source.find("lambda")
    for text in (source, source[start:]):
        for end in range(len(text), 0, -1):
            try:
                tree = ast.parse(text[:end])
            except SyntaxError:
                continue
            found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
            if found and (text is not source or end == len(text)):
                outer = [n for n in found if not any(n is not m and n in ast.walk(m) for m in found)]
                return outer if source.count("lambda") == len(found) else []
    return []


def literal(value: Any) -> str:
    """A value as Python writes it, with NumPy as np."""
    if isinstance(value, np.ndarray):
        if not value.size:
            return f"np.zeros({value.shape}, np.{value.dtype})"
        numbers = re.sub(r"\b(inf|nan)\b", r"np.\1", repr(value.tolist()))
        usual = np.array(value.tolist()).dtype == value.dtype
        return f"np.array({numbers})" if usual else f"np.array({numbers}, np.{value.dtype})"
    if isinstance(value, Tensor):
        return f"Tensor({literal(value.array)})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {literal(part)}" for key, part in value.items()) + "}"
    return re.sub(r"(?<![.\w])(inf|nan)\b", r"np.\1", repr(value))
