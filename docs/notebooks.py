"""Notebooks, run cell by cell and written as pages. No kernel is needed: a cell is a block of Python."""

import ast
import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Cell(NamedTuple):
    """A text in Markdown, or code with what it printed and what its last line gave."""

    kind: str
    source: str
    printed: str = ""
    value: Any = None


def run(path: Path) -> Iterator[Cell]:
    """The cells of a notebook, each run when it is asked for."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            yield Cell("markdown", source)
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value = _value(ast.parse(source), f"{path.name}, {cell['id']}", names)
        yield Cell("code", source, printed.getvalue(), value)


def _value(tree: ast.Module, name: str, names: dict[str, Any]) -> Any:
    """Run a cell; its value is that of a last line that is an expression."""
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    return eval(compile(ast.Expression(last.value), name, "eval"), names) if last else None


def as_page(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook with its outputs in Markdown, and its pictures by file name."""
    parts, pictures = [], {}
    for cell in run(path):
        if cell.kind == "markdown":
            parts.append(cell.source.replace(".ipynb)", ".md)"))
            continue
        parts.append(f"```python\n{cell.source}\n```")
        text, picture = cell.printed, _picture(cell.value)
        if picture:
            suffix, content = picture
            name = f"{path.stem}_{len(pictures) + 1}.{suffix}"
            pictures[name] = content
        elif cell.value is not None:
            text += f"{cell.value!r}\n"
        if text:
            parts.append(f"``` {{ .text .output }}\n{text.rstrip()}\n```")
        if picture:
            parts.append(f"![What the cell shows]({name})")
    parts.append(f"[Download this notebook]({path.name}){{ download }}")
    return "\n\n".join(parts) + "\n", pictures


def _picture(value: Any) -> tuple[str, bytes] | None:
    """A picture's suffix and bytes, as a notebook would show it: a drawing's SVG, a Matplotlib figure's PNG."""
    if hasattr(value, "_repr_mimebundle_"):
        return "svg", value._repr_mimebundle_()["image/svg+xml"].encode()
    if hasattr(value, "savefig"):
        png = io.BytesIO()
        value.savefig(png, format="png")
        return "png", png.getvalue()
    return None
