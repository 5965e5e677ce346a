"""Worksheets: a circuit whose gradients or values are left blank, with solutions, and a page that marks the answers."""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

import numpy as np

from autograd import Graph, Tensor
from viz import saving, text
from viz.drawing import Drawing, draw
from viz.picture import CIRCUIT, Picture
from viz.svg import tag
from viz.svg_circuit import CONTRIBUTION, NUMBER, CircuitWriter
from viz.tikz import PREAMBLE, TikzWriter

Blank = Literal["gradients", "values", "both"]
CHOICES = np.array([-4, -3, -2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2, 3, 4])
"""What inputs are drawn from."""
TRIES = 100
"""So many draws are compared."""


class Worksheet:
    """A circuit with blanks.

    Attributes:
        solution: the Drawing with all its numbers.
        blanks: what is to be found: "v3" is the value of box 3, "g3" its gradient, "c5" the contribution on wire 5; and
            the answer as it is printed.
    """

    def __init__(self, solution: Drawing, blank: Blank) -> None:
        self.solution = solution
        self.blanks = dict(_blanks(solution.picture, blank))

    def __str__(self) -> str:
        return _SheetWriter(self.solution.picture, self.blanks).svg()

    def __repr__(self) -> str:
        return f"<Worksheet: {self.solution.picture.summary}, {len(self.blanks)} blanks>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": str(self), "text/plain": repr(self)}

    def save(self, path: str | Path) -> Path:
        """Write it to a file, in the format that the suffix says, and return the path.

        `.html`: a page to be filled in, which marks the answers and shows solutions on a click; printed, the solutions
        are a second page. `.tex`: TikZ, solutions on a second page. `.svg`, and `.png` and `.pdf` after
        `pip install 'gradcircuit[images]'`: the sheet alone; `solution.save` writes the other.

        Raises:
            ValueError: no such format.
            ImportError: CairoSVG is missing, for .png and .pdf.
            OSError: the file cannot be written; one that was there is untouched.

        >>> worksheet(lambda w, x, b: w * x + b).save("sheet.html").name
        'sheet.html'
        """
        return saving.save(path, {
            ".html": self._page, ".tex": self._tex, ".svg": lambda: f"{self}\n",
            ".png": lambda: saving.converted(str(self), "png"),
            ".pdf": lambda: saving.converted(str(self), "pdf")}, "a worksheet")

    def _page(self) -> str:
        data = json.dumps(self.blanks, ensure_ascii=True).replace("<", "\\u003c")
        template = Path(__file__).with_name("worksheet.html").read_text(encoding="utf-8")
        form = _FormWriter(self.solution.picture, self.blanks).svg()
        parts = {"title": text.xml(self.solution.picture.summary), "sheet": form, "solution": str(self.solution),
                 "data": data}
        return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)

    def _tex(self) -> str:
        head, opening = PREAMBLE.split("\\begin{tikzpicture}")
        opening = "\\begin{tikzpicture}" + opening
        ending = "\\end{tikzpicture}\n"
        empty = deepcopy(self.solution.picture)
        for key in self.blanks:
            line = "_" * 5
            if key[0] == "c":
                empty.wires[int(key[1:])].contribution = line
            else:
                setattr(empty.boxes[int(key[1:])], "value" if key[0] == "v" else "gradient", line)
        pages = [opening + TikzWriter(picture).body() + ending for picture in (empty, self.solution.picture)]
        return f"{head}% The second page has the solutions.\n" + "\n".join(pages) + "\\end{document}\n"


def worksheet(what: Drawing | Callable[..., Tensor], *, blank: Blank = "gradients", seed: int = 0) -> Worksheet:
    """A worksheet of a circuit, for a course: on paper, or as a page that marks itself.

    Args:
        what: the Drawing of a circuit; or a function of numbers, whose parameters are the inputs. Then numbers are
            drawn with which everything in the circuit comes out in few digits, if there are any.
        blank: what is left blank: "gradients" (but that of the output, which is 1), "values" (but those of the inputs),
            or "both".
        seed: other seeds give other numbers.

    Raises:
        ValueError: the drawing is not of a circuit, there is nothing to leave blank, or `blank` is something else.

    >>> worksheet(lambda w, x, b: (w * x + b) ** 2, seed=1)
    <Worksheet: Circuit of 3 gates and 3 inputs, 5 blanks>
    """
    if blank not in ("gradients", "values", "both"):
        raise ValueError(f"blank must be 'gradients', 'values' or 'both', not {blank!r}")
    drawing = what if isinstance(what, Drawing) else draw(what, *_nice_numbers(what, seed), style="circuit")
    if drawing.picture.style is not CIRCUIT:
        raise ValueError("a worksheet is made of a circuit, and this is the drawing of a model; draw it with "
                         "style='circuit'")
    sheet = Worksheet(drawing, blank)
    if not sheet.blanks:
        raise ValueError(f"this circuit has no {'numbers' if blank == 'both' else blank} to leave blank; "
                         "its inputs need requires_grad=True")
    return sheet


def _blanks(picture: Picture, blank: Blank) -> Iterator[tuple[str, str]]:
    ends = {wire.source for wire in picture.wires if picture.boxes[wire.target].kind.name == "output"}
    for i, box in enumerate(picture.boxes):
        if box.value and blank != "gradients" and not box.kind.given:
            yield f"v{i}", box.value
        if box.gradient not in ("", text.NONE) and blank != "values" and i not in ends:
            yield f"g{i}", box.gradient
    for k, wire in enumerate(picture.wires):
        if wire.contribution not in ("", text.NONE) and blank != "values" and wire.source not in ends:
            yield f"c{k}", wire.contribution


# Numbers

def _nice_numbers(function: Callable[..., Tensor], seed: int) -> list[Tensor]:
    """Inputs with which values and gradients need at most two decimals; otherwise the best of many."""
    parameters = inspect.signature(function).parameters.values()
    if not parameters or any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        raise ValueError("a worksheet needs a function with a named parameter for each input, such as "
                         "lambda w, x, b: w * x + b")
    random = np.random.default_rng(seed)
    best: tuple[float, list[float]] | None = None
    for _ in range(TRIES):
        numbers = random.choice(CHOICES, len(parameters), replace=len(parameters) > len(CHOICES)).tolist()
        with np.errstate(all="ignore"):
            penalty = _penalty(function, numbers)
        if best is None or penalty < best[0]:
            best = penalty, numbers
    assert best is not None
    return [Tensor(number, requires_grad=True) for number in best[1]]


def _penalty(function: Callable[..., Tensor], numbers: list[float]) -> float:
    """How unpleasant the numbers of a circuit are: too many digits, zero, large, the same again and again."""
    graph = Graph(function(*[Tensor(np.float64(number), requires_grad=True) for number in numbers]))
    graph.forward()
    graph.backward()
    found = np.array([float(x) for kind in (graph.values, graph.gradients, graph.contributions)
                      for x in kind.values() if np.size(x) == 1])
    long = np.abs(found * 100 - np.round(found * 100)) > 1e-6
    tiny, large = np.abs(found) < 0.05, np.abs(found) >= 20
    repeated = len(found) - len(np.unique(found))
    return float(0.1 * repeated + np.sum(long + 3.0 * tiny + 2.0 * large + 100.0 * ~np.isfinite(found)))


# Blanks in the picture

class _SheetWriter(CircuitWriter):
    """A circuit with empty frames in the places of some numbers."""

    def __init__(self, picture: Picture, blanks: dict[str, str]) -> None:
        super().__init__(picture)
        self.blanks = blanks

    def wire(self, i: int) -> str:
        """A wire, and the blank on it."""
        return self._emptied(super().wire(i))

    def box(self, i: int) -> str:
        """A box without a note that would tell, and the blanks beside it."""
        return self._emptied(re.sub("<title>.*?</title>", "", super().box(i), flags=re.DOTALL))

    def _emptied(self, elements: str) -> str:
        def empty(match: re.Match[str]) -> str:
            look = dict(re.findall(r'([\w-]+)="([^"]*)"', match[1]))
            key = look["class"][0] + (look.get("data-box") or look["data-wire"])
            return self.blank(key, look) if key in self.blanks else match[0]
        return re.sub(r"<text ([^>]*\bclass=\"(?:value|gradient|contribution)\"[^>]*)>[^<]*</text>", empty, elements)

    def room(self, key: str, look: dict[str, str]) -> tuple[float, float, float, float]:
        """Left, top, width and height of a blank."""
        size = CONTRIBUTION if key[0] == "c" else NUMBER
        width = max(text.width(self.blanks[key], size) + 6, 34.0)
        return float(look["x"]) - width / 2, float(look["y"]) - size, width, size + 3

    def blank(self, key: str, look: dict[str, str]) -> str:
        """The frame."""
        left, top, width, height = self.room(key, look)
        return tag("rect", class_="blank", x=left, y=top, width=width, height=height, rx=2.0, fill="#ffffff",
                   stroke=look["fill"], stroke_width=1.0)

    def svg(self) -> str:
        """Without the description, which says every number."""
        return re.sub("<desc>.*?</desc>", "", super().svg(), flags=re.DOTALL)


class _FormWriter(_SheetWriter):
    """The same with fields to write into."""

    def svg(self) -> str:
        """Not an image, for a screen reader: it has fields in it."""
        return super().svg().replace('role="img"', 'role="group"', 1)

    def blank(self, key: str, look: dict[str, str]) -> str:
        """The field."""
        left, top, width, height = self.room(key, look)
        field = tag("input", xmlns="http://www.w3.org/1999/xhtml", data_key=key, class_=look["class"],
                    aria_label=self._label(key), inputmode="text", autocomplete="off")
        return tag("foreignObject", field, x=left, y=top, width=width, height=height)

    def _label(self, key: str) -> str:
        index = int(key[1:])
        if key[0] == "c":
            wire = self.picture.wires[index]
            return f"gradient that {self._name(wire.target)} sends back to {self._name(wire.source)}"
        return f"{'value' if key[0] == 'v' else 'gradient'} of {self._name(index)}"

    def _name(self, i: int) -> str:
        box = self.picture.boxes[i]
        return box.name or f"{'gate ' * (not box.kind.given)}{box.label or 'output'}"
