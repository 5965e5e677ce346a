"""Writes what follows from the source: the reference pages, and stubs for editors and type checkers.

    python docs/generate.py            writes docs/reference*.md, autograd/__init__.pyi and autograd/tensor.pyi
    python docs/generate.py --check    says whether they are up to date (exit status 1 if not)
"""

import functools
import importlib
import inspect
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path

if sys.version_info >= (3, 14):
    import annotationlib

import numpy as np

import autograd
from autograd.table import FUNCTIONS, NUMPY, TABLE
from autograd.tensor import Tensor

ROOT = Path(__file__).parent.parent
AS_TEXT, FROM_TEXT = {}, {}
if sys.version_info >= (3, 14):  # annotations are evaluated when asked for: by then int is the method of that name
    AS_TEXT = {"format": annotationlib.Format.STRING}
    FROM_TEXT = {"annotation_format": annotationlib.Format.STRING}
PYTHONS_OWN = ("__init_subclass__", "__class__", "__annotate_func__")
HEAD = "# Written by docs/generate.py from the table of operations.\n"


# The reference pages

def reference() -> str:
    """Every function of the table by kind, with its call, what it does, and where else it is found."""
    lines = ["# Operations", "", "<!-- written by docs/generate.py from the table of operations -->", "",
             "All are functions of `autograd`; options may be given by position or by name, `axis` and `keepdims` are",
             "understood as `dim` and `keepdim`. ★: the derivative is a rule of its own, not that of other operations.",
             ""]
    kinds: dict[str, list] = {}
    for name, op in TABLE.items():
        if not name.startswith("_") and _module(op).startswith("autograd.operations."):
            kinds.setdefault(_module(op), []).append(op)
    for module, operations in sorted(kinds.items()):
        title = (sys.modules[module].__doc__ or module).strip().splitlines()[0].rstrip(".")
        lines += [f"## {title}", "", f"`{module.replace('.', '/')}.py`", "",
                  "| function | | method | NumPy | |", "|---|---|---|---|---|"]
        lines += [_row(op) for op in operations]
        lines.append("")
    return "\n".join(lines)


def _module(op) -> str:
    """The file of the table in which an operation is declared: the first that holds its function."""
    for name, module in sorted(sys.modules.items(), key=lambda item: item[0] != op.call.__module__):
        if name.startswith("autograd.operations.") and any(value is op.call for value in vars(module).values()):
            return name
    return ""


def _row(op) -> str:
    names = [name for name, call in FUNCTIONS.items() if call is op.call]
    others = ", ".join(f"`{name}`" for name in names if name != op.name)
    methods = [name for name, value in vars(Tensor).items() if value is op.call and not name.startswith("__")]
    numpy = sorted({f"`np.{f.__name__}`" for f, call in NUMPY.items() if call is op.call or _adapts(call, op)})
    doc = (inspect.getdoc(op.call) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
    also = f"{'' if doc.endswith('.') else '.'} Also {others}." if others else ""
    call = f"{op.name}{_shown(op.signature)}".replace("|", "\\|")
    return (f"| `{call}` | {doc}{also} | {'yes' if methods else ''} | {', '.join(numpy)} | "
            f"{'★' if op.differentiable and any([*op.vjps, op.joint_vjp]) else ''} |")


def _adapts(adapter: Callable, op) -> bool:
    code = getattr(adapter, "__code__", None)
    return code is not None and adapter.__name__ == "<lambda>" and op.name in code.co_names


def _shown(signature: inspect.Signature) -> str:
    """A signature without annotations and without the star that sets options apart: they may be given by position."""
    plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    text = str(inspect.Signature([p for p in plain if p.kind is not p.KEYWORD_ONLY]))[1:-1]
    options = [str(p) for p in plain if p.kind is p.KEYWORD_ONLY]
    return f"({', '.join([*filter(None, [text]), *options])})"


PAGES = {
    "nn": ("nn", "nn.functional", "nn.data", "nn.distributions", "nn.init", "nn.utils", "nn.utils.parametrizations",
           "nn.utils.rnn"),
    "optim": ("optim", "optim.lr_scheduler", "optim.swa_utils", "optim.search"),
    "viz": ("viz",)}
"""The other packages, and where in them users find what they need."""


def package_reference(package: str) -> str:
    """Every public class and function of a package, with its call and the first sentence of what it says."""
    lines = [f"# {package}", "", "<!-- written by docs/generate.py from the docstrings -->"]
    seen: set[Callable] = set()
    for place in PAGES[package]:
        module = importlib.import_module(place)
        lines += ["", f"## {place}", "", (module.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")]
        files: dict[str, list[str]] = {}
        for name, value in sorted(vars(module).items(), key=lambda item: item[0].lower()):
            made_in = getattr(value, "__module__", None) or ""
            offered = name in module.__all__ if hasattr(module, "__all__") else (
                name[0] != "_" and made_in.startswith(f"{package}."))
            if offered and callable(value) and value not in seen:
                seen.add(value)
                files.setdefault(made_in, []).append(f"| `{name}{_call(value)}` | {_first_sentence(value)} |")
        for made_in, rows in sorted(files.items()):
            lines += ["", f"`{made_in.replace('.', '/')}.py`", "", "| | |", "|---|---|", *rows]
    return "\n".join(lines)


def _call(value: Callable) -> str:
    """Its signature without annotations; of a default that is a function, the name."""
    signature = inspect.signature(value, **FROM_TEXT)
    plain = [p.replace(annotation=p.empty, default=_Raw(p.default.__name__) if callable(p.default) and p.default is not
                       p.empty else p.default) for p in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=signature.empty)).replace("|", "\\|")


def _first_sentence(value: Callable) -> str:
    text = " ".join((inspect.cleandoc(value.__doc__) if value.__doc__ else "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z])", text)[0].rstrip(":").replace("|", "\\|")


# Stubs

STUB = HEAD + """
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

"""


def module_stub() -> str:
    """`autograd/__init__.pyi`: imports as they are, functions of the table with their signatures."""
    imports, functions, values = [], [], []
    for name, value in sorted(vars(autograd).items()):
        if name.startswith("_") or name in ("FUNCTIONS", "annotations"):
            continue
        if name in FUNCTIONS:
            functions.append(_function(name, FUNCTIONS[name].operation))
        elif isinstance(value, types.ModuleType):
            if value.__name__ == f"autograd.{name}":
                imports.append(f"from autograd import {name} as {name}")
        elif isinstance(value, np.dtype):
            values.append(f"{name}: np.dtype")
        elif getattr(value, "__module__", "").startswith("autograd.") and hasattr(value, "__name__"):
            imports.append(f"from {value.__module__} import {value.__name__} as {name}")
        else:
            values.append(f"{name}: Any")
    values.append("__version__: str")
    return "\n".join([STUB + "\n".join(sorted(imports)), "", *values, "", *functions, ""])


def tensor_stub() -> str:
    """`autograd/tensor.pyi`: the source file with its bodies left out, and the methods of the table."""
    source = (ROOT / "autograd/tensor.py").read_text(encoding="utf-8")
    own = set(re.findall(r"^    (?:def )?(\w+)", source.split("class Tensor:")[1].split("\nclass ")[0], re.M))
    lines = [STUB + "clock: Iterator[int]", ""]
    for cls in _classes():
        lines += [f"class {cls.__name__}:", *_members(cls)]
        if cls is Tensor:
            for name, value in sorted(vars(Tensor).items()):
                if name not in own and callable(value) and name not in PYTHONS_OWN:
                    lines.append("    " + _method(name, value))
        lines.append("")
    return "\n".join(lines)


def _classes() -> list[type]:
    module = sys.modules["autograd.tensor"]  # autograd.tensor is the function
    return [value for value in vars(module).values() if inspect.isclass(value) and value.__module__ == module.__name__]


def _members(cls: type) -> list[str]:
    notes = inspect.get_annotations(cls, **AS_TEXT)
    lines = [f"    {name}: {_annotation(note)}" for name, note in notes.items()]
    lines += [f"    {name}: Any" for name in vars(cls).get("__slots__", ())
              if name not in notes and not name.startswith("__")]
    for name, value in vars(cls).items():
        if isinstance(value, property):
            note = _annotation(inspect.signature(value.fget, **FROM_TEXT).return_annotation)
            lines += ["    @property", f"    def {name}(self) -> {note}: ..."]
            if value.fset:
                lines += [f"    @{name}.setter", f"    def {name}(self, value: Any) -> None: ..."]
        elif (inspect.isfunction(value) and name not in PYTHONS_OWN and not hasattr(value, "operation")
              and value.__module__ == "autograd.tensor"):
            lines.append(f"    def {name}{_typed(inspect.signature(value, **FROM_TEXT))}: ...")
    return lines


def _method(name: str, value: Callable) -> str:
    op = getattr(value, "operation", None)
    if op is None:
        return f"def {name}(self, *args: Any, **kwargs: Any) -> Any: ..."
    parameters = [p.replace(kind=p.POSITIONAL_OR_KEYWORD) if p.kind is p.KEYWORD_ONLY else p
                  for p in op.signature.parameters.values()][1:]
    return f"def {name}(self{''.join(f', {_parameter(p)}' for p in parameters)}) -> {_result(op)}: ..."


def _function(name: str, op) -> str:
    """Options may be given by position too."""
    return f"def {name}({', '.join(_parameter(p) for p in op.signature.parameters.values())}) -> {_result(op)}: ..."


def _parameter(p: inspect.Parameter) -> str:
    star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
    return f"{star}{p.name}: Any" + ("" if p.default is p.empty else " = ...")


def _result(op) -> str:
    if op.differentiable:
        return "Any" if op.outputs else "Tensor"
    note = inspect.signature(op.forward).return_annotation
    return "Any" if note is inspect.Signature.empty else _annotation(note)


def _typed(signature: inspect.Signature) -> str:
    return str(signature.replace(
        parameters=[p.replace(annotation=_Raw(_annotation(p.annotation)) if p.name != "self" else p.empty,
                              default=p.default if p.default is p.empty else _Raw("..."))
                    for p in signature.parameters.values()],
        return_annotation=_Raw(_annotation(signature.return_annotation))))


class _Raw:
    """Text that shows itself as it is."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _annotation(note) -> str:
    if note is inspect.Signature.empty:
        return "Any"
    text = note if isinstance(note, str) else inspect.formatannotation(note)
    text = text.replace("numpy.", "np.").replace("typing.", "").replace("collections.abc.", "").replace("'", "")
    return text.replace("autograd.tensor.", "")


FILES: dict[str, Callable[[], str]] = {
    "docs/reference.md": reference,
    **{f"docs/reference_{package}.md": functools.partial(package_reference, package) for package in PAGES},
    "autograd/__init__.pyi": module_stub, "autograd/tensor.pyi": tensor_stub}


def main() -> None:
    """Write the files, or compare them."""
    stale = []
    for name, make in FILES.items():
        path, text = ROOT / name, make().rstrip() + "\n"
        if "--check" in sys.argv:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.exit(f"not up to date: {', '.join(stale)}; run python docs/generate.py")


if __name__ == "__main__":
    main()
