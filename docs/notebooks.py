"""Notebooks, run cell by cell and written as pages. No kernel is needed: a cell is a block of Python."""

import ast
import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Cell(NamedTuple):
    """Text in Markdown; or code with what it printed, what its last line gave, and that as a picture, if it is one."""

    kind: str
    source: str
    text: str = ""
    picture: tuple[str, bytes] | None = None


def cells(path: Path) -> Iterator[Cell]:
    """The cells of a notebook, not run."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        yield Cell(cell["cell_type"], "".join(cell["source"]))


def run(path: Path) -> Iterator[Cell]:
    """The cells of a notebook, each run when it is asked for."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(cells(path)):
        if cell.kind != "code":
            yield cell
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value = _value(ast.parse(cell.source), f"{path.name}, cell {number}", names)
        picture = _picture(value)
        shown = "" if value is None or picture else f"{value!r}\n"
        yield cell._replace(text=printed.getvalue() + shown, picture=picture)


def _value(tree: ast.Module, name: str, names: dict[str, Any]) -> Any:
    """Run a cell; its value is that of a last line that is an expression."""
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    return eval(compile(ast.Expression(last.value), name, "eval"), names) if last else None


def _picture(value: Any) -> tuple[str, bytes] | None:
    """A picture's suffix and bytes, as a notebook would show it: a drawing's SVG, a plot's PNG."""
    if hasattr(value, "_repr_mimebundle_"):
        return "svg", value._repr_mimebundle_()["image/svg+xml"].encode()
    return ("png", value._repr_png_()) if hasattr(value, "_repr_png_") else None


def as_page(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook with its outputs in Markdown, and its pictures by file name.

    Where a package that it needs is missing, it is a page without outputs, and says so.
    """
    parts, pictures = [f"[Download this notebook]({path.name}){{ download }}"], {}
    try:
        shown = list(run(path))
    except ModuleNotFoundError as error:
        shown = list(cells(path))
        parts.append(f"Without outputs, because the site was built without a package: {error}.")
    for cell in shown:
        if cell.kind == "markdown":
            parts.append(cell.source.replace(".ipynb)", ".md)"))
            continue
        parts.append(f"```python\n{cell.source}\n```")
        if cell.text:
            parts.append(f"``` {{ .text .output }}\n{cell.text.rstrip()}\n```")
        if cell.picture:
            suffix, content = cell.picture
            name = f"{path.stem}_{len(pictures) + 1}.{suffix}"
            pictures[name] = content
            parts.append(f"![What the cell shows]({name})")
    parts[0], parts[1] = parts[1], parts[0]
    return "\n\n".join(parts) + "\n", pictures
