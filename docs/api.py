"""The reference as the site shows it: of every public class and function the signature and the whole docstring."""

import enum
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

from autograd.table import FUNCTIONS, TABLE
from docs.generate import FROM_TEXT, PAGES, listed, notes_of

MODULES = {"autograd": ("autograd", "autograd.linalg", "autograd.special", "autograd.functional", "autograd.testing",
                        "autograd.testing.strategies"),
           **PAGES, "gradcircuit": ("gradcircuit.estimators",)}
TABLES = {"autograd": "reference.md", **{package: f"reference_{package}.md" for package in PAGES}}
WIDTH = 88
SECTION = re.compile(r"^(Args|Returns|Raises|Attributes|Yields|Shape|Example|Note):$")


def pages() -> dict[str, str]:
    """Each module's page, by the name of its file."""
    return {f"{module}.md": page(module, package) for package, modules in MODULES.items() for module in modules}


def names() -> dict[str, list[str]]:
    """What each module's page has."""
    return {module: [name for name, _ in offered(importlib.import_module(module), package)]
            for package, modules in MODULES.items() for module in modules}


def page(name: str, package: str) -> str:
    """What a module offers, in the order of the alphabet; classes first."""
    module = importlib.import_module(name)
    lines = [f"# {name}", "", _text((module.__doc__ or "").strip())]
    if package in TABLES:
        lines += ["", f"All of {package} at a glance: [the table](../{TABLES[package]})."]
    for title, want_classes in (("Classes", True), ("Functions", False)):
        entries = [entry for entry in offered(module, package) if inspect.isclass(entry[1]) is want_classes]
        lines += ["", f"## {title}"] * bool(entries)
        for key, value in entries:
            lines += ["", f"### {key} {{ #{name}.{key} data-toc-label='{key}' }}", "", *_entry(key, value)]
    return "\n".join(lines) + "\n"


def offered(module: Any, package: str) -> Iterator[tuple[str, Any]]:
    """The public names of a module that can be called; of several names of one operation, its own."""
    for name in sorted(getattr(module, "__all__", vars(module)), key=str.lower):
        value = getattr(module, name)
        ours = (getattr(value, "__module__", None) or "").startswith(package)
        alias = name in FUNCTIONS and name not in TABLE
        if name[0] != "_" and callable(value) and inspect.getdoc(value) and ours and not alias:
            yield name, value


def _entry(name: str, value: Any) -> list[str]:
    lines = ["```python", signature(name, value), "```", "", _text(inspect.getdoc(value) or "")]
    for method, function in vars(value).items() if inspect.isclass(value) else ():
        own = inspect.isfunction(function) and not hasattr(function, "operation")
        if own and method[0] != "_" and function.__doc__:
            lines += ["", f"#### {name}.{method} {{ data-toc-label='{method}' }}", "", "```python",
                      signature(method, function), "```", "", _text(inspect.getdoc(function) or "")]
    return lines


def signature(name: str, value: Any) -> str:
    """How something is called, with its types; one parameter a line if it is long."""
    if inspect.isclass(value) and issubclass(value, Exception | enum.Enum):
        return f"class {name}({', '.join(base.__name__ for base in value.__bases__)})"
    op = None if inspect.isclass(value) else getattr(value, "operation", None)
    written = op.forward if op else value.__init__ if inspect.isclass(value) else value
    if inspect.isclass(value) and getattr(value, "options", None) and getattr(value, "function", None):
        written = value.function  # a layer made of a function
    types = notes_of(written)
    given = [p.replace(annotation=types.get(p.name, "TensorLike" if op and p.name not in op.options else ""))
             for p in inspect.signature(value, **FROM_TEXT).parameters.values() if p.name != "self"]
    result = "" if inspect.isclass(value) else types.get("return") or ("Tensor" if op else "")
    arrow = f" -> {result}" if result else ""
    line = f"{name}({listed(*given)}){arrow}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {part}," for part in _parts(listed(*given))), f"){arrow}"])


def _parts(text: str) -> list[str]:
    """A list of parameters, cut at those commas that are not between brackets."""
    depth, parts = 0, [""]
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def _text(doc: str) -> str:
    """A docstring in Markdown: sections as lists, examples and formulas as blocks."""
    lines, section = [], ""
    blocks = re.split(r"\n\s*\n", doc)
    for block in blocks:
        first, _, rest = block.partition("\n")
        if match := SECTION.match(first):
            section = match[1]
            lines += ["", f"**{section}**", "", *_items(inspect.cleandoc(rest), section)]
        elif first.startswith(">>>"):
            lines += ["", "```pycon", block, "```"]
        elif first.startswith("    "):
            if lines[-1:] == ["```"] and section == "literal":
                lines.pop()
                lines += ["", inspect.cleandoc(block), "```"]
            else:
                lines += ["", "```text", inspect.cleandoc(block), "```"]
            section = "literal"
            continue
        else:
            lines += ["", *(_plain(line) for line in block.split("\n"))]
        section = ""
    return "\n".join(lines).strip()


def _items(text: str, section: str) -> list[str]:
    """`name: what it is` lines, those that go on being indented."""
    if section == "Returns" and not re.match(r"^\w+:", text):
        return [_plain(line) for line in text.split("\n")]
    items: list[str] = []
    for line in text.split("\n"):
        name, colon, what = line.partition(": ")
        if colon and not line.startswith(" "):
            items.append(f"- `{name}`: {_plain(what)}")
        else:
            items.append(f"  {_plain(line.strip())}")
    return items


def _plain(text: str) -> str:
    """Text whose signs mean themselves, but for what stands between backquotes."""
    return "".join(part if part.startswith("`") else re.sub(r"([*_<\[\]#|])", r"\\\1", part)
                   for part in re.split(r"(`[^`]*`)", text))
