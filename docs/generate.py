"""Writes what follows from the source: the reference pages, and stubs for editors and type checkers.

    python docs/generate.py            writes docs/reference*.md and the stubs, *.pyi
    python docs/generate.py --check    says whether they are up to date (exit status 1 if not)
"""

import ast
import enum
import functools
import importlib
import inspect
import operator
import re
import sys
import types
from collections.abc import Callable, Iterable
from pathlib import Path

if sys.version_info >= (3, 14):
    import annotationlib

import numpy as np

import autograd
import nn
from autograd.table import FUNCTIONS, METHODS, NUMPY, TABLE
from autograd.tensor import Tensor

ROOT = Path(__file__).parent.parent
FROM_TEXT = {}
if sys.version_info >= (3, 14):  # annotations are evaluated when asked for: by then int is the method of that name
    FROM_TEXT = {"annotation_format": annotationlib.Format.STRING}
PYTHONS_OWN = ("__init_subclass__", "__class__", "__annotate_func__")
HEAD = "# Written by docs/generate.py from the table of operations.\n"


# The reference page

def reference() -> str:
    """Every function of the table by kind, with its call, what it does, and where else it is found."""
    lines = ["# Operations", "", "<!-- written by docs/generate.py from the table of operations -->", "",
             "These are functions of `autograd`. Pass options by position or by name; `axis` and `keepdims` mean `dim`",
             "and `keepdim`. The columns tell which are also methods of Tensor, and which NumPy functions call them.",
             "★ marks operations with a gradient rule of their own; the others are composed of operations.", ""]
    kinds: dict[str, list] = {}
    for name, op in TABLE.items():
        if not name.startswith("_") and _module(op).startswith("autograd.operations."):
            kinds.setdefault(_module(op), []).append(op)
    for module, operations in sorted(kinds.items()):
        title = (sys.modules[module].__doc__ or module).strip().splitlines()[0].rstrip(".")
        lines += [f"## {title}", "", f"`{module.replace('.', '/')}.py`", "",
                  "| function | what it computes | method | NumPy | rule |", "|---|---|---|---|---|"]
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
    "nn": ("nn", "nn.functional", "nn.data", "nn.decoding", "nn.distributed", "nn.distributions", "nn.init",
           "nn.metrics", "nn.ode", "nn.parallel", "nn.points", "nn.utils", "nn.utils.parametrizations",
           "nn.utils.parametrize", "nn.utils.prune", "nn.utils.rnn", "nn.vision.models",
           "nn.vision.models.detection", "nn.vision.models.segmentation", "nn.vision.models.video",
           "nn.vision.models.feature_extraction", "nn.vision.features", "nn.vision.ops", "nn.vision.transforms",
           "nn.vision.transforms.functional", "nn.vision.tv_tensors", "nn.vision.utils"),
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
            file = Path(sys.modules[made_in].__file__ or "").resolve().relative_to(ROOT.resolve()).as_posix()
            lines += ["", f"`{file}`", "", "| | |", "|---|---|", *rows]
    return "\n".join(lines)


def _call(value: Callable) -> str:
    """Its signature without annotations; of a default that is a function, the name."""
    if isinstance(value, enum.EnumType):
        return "(value)"  # Python's versions have signatures of their own for it
    signature = inspect.signature(value, **FROM_TEXT)
    plain = [p.replace(annotation=p.empty, default=_Raw(p.default.__name__) if callable(p.default) and p.default is not
                       p.empty else p.default) for p in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=signature.empty)).replace("|", "\\|")


def _first_sentence(value: Callable) -> str:
    text = " ".join((inspect.cleandoc(value.__doc__) if value.__doc__ else "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z])", text)[0].rstrip(":").replace("|", "\\|")


class _Raw:
    """Text that shows itself as it is."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


# Stubs: the types are those that a function is written with; what is not written there is here

STUB = HEAD + """
import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, Self, overload

import numpy as np

"""
OUTPUTS = {value._fields: name for name, value in vars(autograd.typing).items() if hasattr(value, "_fields")}
"""Named tuples for several outputs."""
KNOWN = {"autograd.typing": ["DTypeLike", "Dims", "Shape", "TensorLike", *OUTPUTS.values()],
         "autograd.tensor": ["Node", "Tensor"], "autograd.hooks": ["RemovableHandle"],
         "autograd.generator": ["Generator"], "nn.layer": ["FunctionLayer"], "nn.module": ["Module"]}
"""Where the names that types are written in come from."""
SELF = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="")
FOR_THE_SECOND = {"dim": "int", "dtype": "DTypeLike", "return_indices": "Literal[True]",
                  "as_tuple": "Literal[True]"}
"""Where a result is one of two, what a parameter is for the second: `max(x)` is a Tensor, `max(x, dim=0)` a pair."""
BUILTINS = re.compile(r"\b(?<!# )(bool|float|int|type)\b")
"""Python's types, behind methods of Tensor and values of autograd that have their names."""


def module_stub() -> str:
    """`autograd/__init__.pyi`: imports as they are, functions of the table with their signatures."""
    imports, functions, values = [], [], []
    for name in autograd.__all__:
        value = getattr(autograd, name)
        if name in FUNCTIONS:
            functions += _function(name, value)
        elif isinstance(value, types.ModuleType):
            imports.append(f"from autograd import {name} as {name}")
        elif isinstance(value, np.dtype):
            values.append(f"{name}: np.dtype")
        else:
            imports.append(f"from {_home(value)} import {getattr(value, '__name__', name)} as {name}")
    return _stub(imports, [*values, "__version__: str", "", *map(_plain, functions)])


def _home(value) -> str:
    return value.__module__ if hasattr(value, "__name__") else type(value).__module__


def functions_stub(module: types.ModuleType) -> str:
    """The stub of a module that collects functions, some of them operations."""
    classes = [name for name in module.__all__ if inspect.isclass(getattr(module, name))]
    return _stub([f"from {getattr(module, name).__module__} import {name} as {name}" for name in classes],
                 [line for name in module.__all__ if name not in classes
                  for line in _function(name, getattr(module, name))])


def layers_stub() -> str:
    """`nn/__init__.pyi`: imports as they are, and those layers that are made of something, with its types."""
    imports, layers = [], []
    for name in nn.__all__:
        value = getattr(nn, name)
        if isinstance(value, types.ModuleType):
            imports.append(f"from nn import {name} as {name}")
        elif hasattr(value, "options"):
            layers += _layer(name, value)
        elif value.__module__ == nn.padding.__name__:
            layers += [f"class {name}(Module):", *[f"    {line}" for method in (value.__init__, value.forward)
                                                   for line in _function(method.__name__, method)]]
        else:
            imports.append(f"from {value.__module__} import {value.__name__} as {name}")
    return _stub(imports, layers)


def _layer(name: str, cls: type) -> list[str]:
    """A FunctionLayer: the options of its function make it, and what is left is what it is called with."""
    every, result = _written(cls.function)
    parameters = {p.name: p for p in every}
    options = [parameters[option].replace(default=default, kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
               for option, default in cls.options.items() if option != "training"]
    inputs = [p for p in every if p.name not in cls.options and p.name != "dtype"]
    return [f"class {name}(FunctionLayer):", *[f"    {p.name}: {p.annotation}" for p in options],
            f"    def __init__({listed(SELF, *options)}) -> None: ...",
            f"    def forward({listed(SELF, *inputs)}) -> {result}: ..."]


def tensor_stub() -> str:
    """`autograd/tensor.pyi`: the source file with its bodies left out, and the methods of the table."""
    source = (ROOT / "autograd/tensor.py").read_text(encoding="utf-8")
    own = set(re.findall(r"^    (?:def )?(\w+)", source.split("class Tensor:")[1].split("\nclass ")[0], re.M))
    lines = []
    for cls in _classes():
        lines += [f"class {cls.__name__}:", *_members(cls)]
        if cls is Tensor:
            for name, value in sorted(vars(Tensor).items()):
                known = not name.startswith("__i") or hasattr(operator, name)
                if name not in own and callable(value) and name not in PYTHONS_OWN and known:
                    lines += ["    " + line for line in _method(name, value)]
    return _stub(["from autograd.clock import clock as clock"], map(_plain, lines), without=("Node", "Tensor"))


def _classes() -> list[type]:
    module = sys.modules["autograd.tensor"]  # autograd.tensor is the function
    return [value for value in vars(module).values() if inspect.isclass(value) and value.__module__ == module.__name__]


def _members(cls: type) -> list[str]:
    notes, given = inspect.get_annotations(cls), notes_of(cls.__init__)
    lines = [f"    {name}: {note}" for name, note in notes.items()]
    lines += [f"    {name}: {given.get(name, 'Any')}" for name in vars(cls).get("__slots__", ())
              if name not in notes and not name.startswith("__")]
    for name, value in vars(cls).items():
        if isinstance(value, property):
            theirs = cls is Tensor and not value.fget.__qualname__.startswith("Tensor.")  # T, mT, H
            note = "Tensor" if theirs else notes_of(value.fget).get("return", "Any")
            lines += ["    @property", f"    def {name}(self) -> {note}: ..."]
            if value.fset:
                lines += [f"    @{name}.setter", f"    def {name}(self, value: {_set(value.fset)}) -> None: ..."]
            if value.fdel:
                lines += [f"    @{name}.deleter", f"    def {name}(self) -> None: ..."]
        elif (inspect.isfunction(value) and name not in PYTHONS_OWN and not hasattr(value, "operation")
              and value.__module__ == "autograd.tensor"):
            parameters, result = _written(value)
            lines += ["    " + line for line in _versions(name, parameters, _or_self(name, result))]
    return lines


def _or_self(name: str, result: str) -> str:
    """An in-place method returns its tensor, which may be a Parameter."""
    inplace = name not in METHODS if name.startswith("__i") else name.endswith("_") and not name.endswith("__")
    return "Self" if inplace and result == "Tensor" else result


def _set(setter: Callable) -> str:
    return notes_of(setter)[list(inspect.signature(setter).parameters)[1]]


def _function(name: str, function: Callable) -> list[str]:
    return _versions(name, *_written(function))


def _method(name: str, value: Callable) -> list[str]:
    op = METHODS.get(name, METHODS.get(name.replace("__i", "__", 1)))
    (_, *others), result = _written(op.call if op else value)
    if op and name.startswith("__"):
        others = [p for p in others if p.default is p.empty]
        if name.startswith("__r") and "__" + name[3:] in METHODS:
            others = [p.replace(name="other", annotation="TensorLike") for p in others]
    lines = _versions(name, [SELF, *others], _or_self(name, result))
    return [f"{line}  # type: ignore[override]" if name in ("__eq__", "__ne__") else line for line in lines]


def _written(function: Callable) -> tuple[list[inspect.Parameter], str]:
    """The parameters of a function, with types, and the type of its result."""
    op = getattr(inspect.unwrap(function), "operation", None)
    notes = notes_of(op.forward if op else function)
    parameters = []
    for p in inspect.signature(function, **FROM_TEXT).parameters.values():
        note = notes.get(p.name)
        if isinstance(p.annotation, type) and "__signature__" in vars(function) and p.annotation is not p.empty:
            note = p.annotation.__name__
        if not note and op and p.name not in op.options:
            note = "TensorLike | None" if p.default is None else "TensorLike"
        if not note and p.name != "self":
            sys.exit(f"{function.__module__}.{function.__name__}() does not say what its parameter {p.name!r} takes; "
                     "annotate it")
        parameters.append(p.replace(annotation=note))
    if op and not op.variadic:  # options may be given by position
        parameters = [p.replace(kind=p.POSITIONAL_OR_KEYWORD) if p.kind is p.KEYWORD_ONLY else p for p in parameters]
    several = op and op.outputs and OUTPUTS.get(op.outputs._fields, "tuple[Tensor, ...]")
    result = several or notes.get("return") or ("Tensor" if op and op.differentiable else "")
    if not result:
        sys.exit(f"{function.__module__}.{function.__name__}() does not say what it returns; annotate it")
    return parameters, result


def notes_of(function: Callable) -> dict[str, str]:
    """The types that stand in a function's definition, as they stand there; that of the result is "return"."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    node = _definitions(code.co_filename).get(code.co_firstlineno) if code else None
    if node is None:
        return {}
    a = node.args
    every = {p.arg: p.annotation for p in [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, [a.vararg, a.kwarg])]}
    return {name: ast.unparse(note).replace("'", "")
            for name, note in [*every.items(), ("return", node.returns)] if note}


@functools.cache
def _definitions(path: str) -> dict[int, ast.FunctionDef]:
    """The functions of a file, by the line on which they begin."""
    if not Path(path).exists():
        return {}
    return {min([node.lineno, *(d.lineno for d in node.decorator_list)]): node
            for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef)}


def _versions(name: str, parameters: list[inspect.Parameter], result: str) -> list[str]:
    """The lines of a definition: one, or more where the arguments decide about the result or have two forms."""
    last = parameters[-1] if parameters else None
    versions = [(parameters, result)]
    decides = next((p for p in parameters if p.name in FOR_THE_SECOND), None) if " | " in result else None
    if decides is not None and not result.endswith("None"):
        first, second = _halves(result)
        wish = FOR_THE_SECOND[decides.name]
        others = [part for part in decides.annotation.split(" | ") if part not in wish.split(" | ")]
        without = " | ".join(others).replace("bool", "Literal[False]")
        at = parameters.index(decides)
        versions = [([*parameters[:at], decides.replace(annotation=without), *parameters[at + 1:]], first),
                    (_needed(parameters, at, wish), second)]
    elif last is not None and last.annotation in ("Dims", "Shape") and len(parameters) == 2 and (
            last.default is last.empty and last.kind is last.POSITIONAL_OR_KEYWORD):  # view(2, 3) and view((2, 3))
        versions.append(([parameters[0], last.replace(annotation="int", kind=last.VAR_POSITIONAL)], result))
    elif parameters and (parameters[0].kind, parameters[0].annotation) == (last.VAR_POSITIONAL, "TensorLike"):
        options = [p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in parameters[1:]]  # cat(x, y, dim=1), cat([x, y], 1)
        together = parameters[0].replace(annotation="Sequence[TensorLike]", kind=parameters[0].POSITIONAL_ONLY)
        versions.insert(0, ([together, *options], result))
    mark = ["@overload"] * (len(versions) > 1)
    return [line for given, out in versions for line in (*mark, f"def {name}({listed(*given)}) -> {out}: ...")]


def _halves(result: str) -> list[str]:
    """`A | B` as A and B."""
    depths = [result[:i].count("[") - result[:i].count("]") for i in range(len(result))]
    cut = next(i for i, depth in enumerate(depths) if not depth and result[i:i + 3] == " | ")
    return [result[:cut], result[cut + 3:]]


def _needed(parameters: list[inspect.Parameter], at: int, note: str) -> list[inspect.Parameter]:
    """The parameters when one must be given: by its name, if others before it need not."""
    p = parameters[at].replace(annotation=note, default=inspect.Parameter.empty)
    if any(other.default is not other.empty for other in parameters[:at]):
        p = p.replace(kind=p.KEYWORD_ONLY)
        return [*parameters[:at], p, *[other.replace(kind=p.KEYWORD_ONLY) for other in parameters[at + 1:]]]
    return [*parameters[:at], p, *parameters[at + 1:]]


def listed(*parameters: inspect.Parameter) -> str:
    """Parameters as they stand between parentheses."""
    parts, kinds = [], [p.kind for p in parameters]
    for i, p in enumerate(parameters):
        if p.kind is p.KEYWORD_ONLY and p.VAR_POSITIONAL not in kinds and kinds.index(p.KEYWORD_ONLY) == i:
            parts.append("*")
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        plain = isinstance(p.default, (int, float, str, tuple, type(None))) and p.default == p.default
        default = "" if p.default is p.empty else f" = {p.default!r}" if plain else " = ..."
        parts.append(f"{star}{p.name}{f': {p.annotation}' if p.annotation else ''}{default}")
        if p.kind is p.POSITIONAL_ONLY and p.POSITIONAL_ONLY not in kinds[i + 1:]:
            parts.append("/")
    return ", ".join(parts)


def _plain(line: str) -> str:
    """A line with `int` written as `builtins.int`, and so on, where another `int` would be meant."""
    head, colon, notes = line.partition("(" if "def " in line else ":")
    return head + colon + BUILTINS.sub(r"builtins.\1", notes)


def _stub(imports: list[str], lines: Iterable[str], without: tuple[str, ...] = ()) -> str:
    """A stub's text, with imports of the names in it."""
    text = "\n".join(lines)
    words = set(re.findall(r"\w+", text)) - {line.split()[-1] for line in imports} - set(without)
    more = [f"from {module} import {', '.join(sorted(words.intersection(names)))}"
            for module, names in KNOWN.items() if words.intersection(names)]
    return STUB + "\n".join([*sorted([*imports, *more]), "", text])


FILES: dict[str, Callable[[], str]] = {
    "docs/reference.md": reference,
    **{f"docs/reference_{package}.md": functools.partial(package_reference, package) for package in PAGES},
    "autograd/__init__.pyi": module_stub, "autograd/tensor.pyi": tensor_stub,
    "nn/__init__.pyi": layers_stub,
    **{f"{module.__name__.replace('.', '/')}{'/__init__' * hasattr(module, '__path__')}.pyi":
       functools.partial(functions_stub, module) for module in (autograd.linalg, autograd.special, nn.functional)}}


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
