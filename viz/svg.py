"""A Picture with positions, written as SVG: what circuits and models have in common.

Every text has its own x and y in pixels, colors stand in attributes as well as in the style sheet (so that programs
which ignore style sheets show them), and nothing depends on fonts, clocks or addresses: the same graph gives the same
bytes.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from viz import text
from viz.layout import TURN, Link, Size
from viz.nested import Frame, Group, Nested, place_groups
from viz.picture import FAMILIES, KINDS, Picture

MARGIN = 16.0
LEGEND = 40.0
"""Height of what says the meaning of colors, in pixels."""
NAME = 17.0
"""Size of a variable's name, in pixels."""
NAME_GAP = 6.0
"""Between a name and its wire."""
LONG = 24
"""From so many points on, wires of one value share their way in the file too."""
PAGE = 1090.0 * 1540.0
"""Square pixels of a page: printed on A4, the smallest type has six points."""
MOST_RIBBONS = 9
GREEN, RED, INK, GRAY, PAPER = "#00703c", "#c8102e", "#1a1a1a", "#595959", "#ffffff"
SANS = "Helvetica, Arial, sans-serif"
SERIF = "'STIX Two Text', 'Times New Roman', Times, serif"

_KINDS = "\n".join(f"  .gradcircuit .{name} {{ fill: {dark}; }}" for name, dark in
                   [*((kind.name, kind.dark) for kind in KINDS if kind.dark),
                    *((f"family-{name.replace(' ', '-')}", dark) for name, (_, dark) in FAMILIES.items())])
STYLE = f"""
@media (prefers-color-scheme: dark) {{
  .gradcircuit .paper {{ fill: #14171a; }}
  .gradcircuit .gate, .gradcircuit .box {{ fill: #23282d; stroke: #c9d1d9; }}
{_KINDS}
  .gradcircuit .cluster {{ fill: #1b2024; stroke: #59636d; }}
  .gradcircuit .wire {{ stroke: #9aa4ad; }}
  .gradcircuit .skip {{ stroke: #6bb8ff; }} .gradcircuit .arrow.skip {{ fill: #6bb8ff; stroke: none; }}
  .gradcircuit .dot, .gradcircuit .arrow {{ fill: #9aa4ad; }}
  .gradcircuit .ink {{ fill: #f0f3f6; }}
  .gradcircuit .gray {{ fill: #a5afb8; }}
  .gradcircuit .value {{ fill: #4fd08b; }}
  .gradcircuit .gradient, .gradcircuit .contribution, .gradcircuit .alarm {{ fill: #ff8085; }}
  .gradcircuit .box.born, .gradcircuit .gate.born {{ stroke: #ff8085; }}
}}
"""


class Writer:
    """Writes a Picture. What a box looks like and how much room it needs is said by those who derive from it."""

    gap = 16.0
    bend = 34.0
    longest_bend = 160.0
    inputs_first = True
    sweeps = 0

    def __init__(self, picture: Picture, engine: str = "layered") -> None:
        self.picture, self.engine = picture, engine
        self.uses = Counter(wire.source for wire in picture.wires)
        self.drawn: dict[int, list[tuple[float, float]]] = {}  # box -> the longest way of its wires so far
        self.arrange()

    def arrange(self) -> None:
        """Measure all boxes and say where they stand."""
        self.entries = Counter(wire.target for wire in self.picture.wires)
        self.attached: dict[int, int] = {}  # box -> the box at whose side it stands
        self.prepare()
        self.sizes = {i: self.size(i) for i in range(len(self.picture.boxes))}
        self.place()

    def place(self) -> None:
        """Positions of all boxes and wires; those of attached boxes are left to whoever attached them."""
        boxes = [i for i in self.sizes if i not in self.attached]
        wires = [i for i, wire in enumerate(self.picture.wires) if wire.source not in self.attached]
        groups, frames = self.groups(boxes)
        links = [self.link(i) for i in wires]

        memory: dict[int, dict[str, Any]] = {}

        def nested(limit: float) -> Nested:
            return place_groups(groups, self.sizes, links, frames, limit, memory, gap=self.gap, bend=self.bend,
                                longest_bend=self.longest_bend, inputs_first=self.inputs_first, sweeps=self.sweeps,
                                engine=self.engine)
        layout = self.fitted(nested)
        self.centers, self.run_ends, self.frames = layout.centers, layout.run_ends, layout.frames
        self.routes = dict(zip(wires, layout.routes, strict=True))
        self.sides = layout.length, layout.extent

    def groups(self, boxes: list[int]) -> tuple[Group, dict[int, Frame]]:
        """The boxes to lay out, in groups, and the room around each group."""
        return Group(boxes), {}

    def fitted(self, layout: Callable[[float], Nested]) -> Nested:
        """In one ribbon if that can be read on a page, else in as many as fit the page best."""
        whole = layout(math.inf)

        def scale(found: Nested) -> float:
            return self.scale(found.length, found.extent)
        best, ribbons, few = whole, 1, len(whole.centers) < 100
        while scale(best) < 1 and ribbons < (MOST_RIBBONS if few else 4):
            ribbons += 1
            tried = [layout(room * whole.length / ribbons) for room in ((1.05, 1.2) if few else (1.05,))]
            found = max(tried, key=scale)
            if scale(found) > scale(best):
                best = found
            elif scale(found) < 0.8 * scale(best):
                break
        return best

    def scale(self, length: float, extent: float) -> float:
        """How large a picture comes out on a page, if 1 has the smallest type that can be read; infinite for no page.
        """
        ratio = self.picture.look.ratio if self.picture.look else 0.0
        if not 0 < ratio < math.inf:
            return math.inf
        page = math.sqrt(PAGE * ratio), math.sqrt(PAGE / ratio)
        return min(side / max(own, 1.0) for side, own in zip(page, self.turned(length, extent), strict=True))

    def prepare(self) -> None:
        """Whatever has to be known before the boxes are measured."""

    def size(self, i: int) -> Size:
        """The room that box i needs."""
        raise NotImplementedError

    def link(self, i: int) -> Link:
        """Wire i, and the room it needs."""
        wire = self.picture.wires[i]
        return Link(wire.source, wire.target)

    def box(self, i: int) -> str:
        """The elements of box i."""
        raise NotImplementedError

    def wire(self, i: int) -> str:
        """The elements of wire i."""
        raise NotImplementedError

    def background(self) -> list[str]:
        """What lies behind wires and boxes."""
        return []

    def turned(self, along: float, across: float) -> tuple[float, float]:
        """Right and down, of a way in the layout."""
        return (across, along) if self.picture.downward else (along, across)

    def at(self, along: float, across: float) -> tuple[float, float]:
        """The pixel of a place of the layout."""
        x, y = self.turned(along, across)
        return MARGIN + x, MARGIN + y + (LEGEND if self.picture.scale else 0)

    def look(self, i: int, width: float) -> dict[str, object]:
        """Color and width of a wire; they mean something if the picture has a scale."""
        wire = self.picture.wires[i]
        look: dict[str, object] = {"stroke": wire.color or GRAY, "stroke_width": wire.width or width}
        if wire.color:  # stronger than the style sheet of dark mode
            look["style"] = f"stroke:{wire.color}"
        if wire.dash:
            look["stroke_dasharray"] = "2 4"
        return look

    def legend(self) -> list[str]:
        """What colors and widths mean, if they mean something."""
        scale, parts = self.picture.scale, []
        if scale:
            title = 12 + text.width(scale.title, 11.0)
            at = MARGIN + title + text.width(scale.first, 11.0)
            parts = [_note(scale.title, MARGIN, 26.0), _note(scale.first, MARGIN + title - 6, 26.0),
                     *(tag("rect", x=at + 8 * k, y=22.0 - (1.2 + 5.8 * k / 15) / 2, width=8.0,
                           height=1.2 + 5.8 * k / 15, fill=scale.mixed(k / 15)) for k in range(16)),
                     _note(scale.last, at + 134, 26.0)]
        return parts

    def svg(self) -> str:
        """The picture as one SVG element."""
        picture = self.picture
        width, height = (2 * MARGIN + side for side in self.extent())
        if self.picture.scale:
            width, height = max(width, 400.0), height + LEGEND
        parts = [tag("title", text.xml(picture.summary)), tag("desc", text.xml(description(picture))),
                 f"<style>{STYLE}</style>",
                 tag("rect", class_="paper", x=0.0, y=0.0, width=width, height=height, fill=PAPER),
                 *self.legend(), *self.background(),
                 *(self.wire(i) for i in range(len(picture.wires))),
                 *map(self.fork, self.forks()),
                 *(self.box(i) for i in range(len(picture.boxes)))]
        return tag("svg", "\n" + "\n".join(parts) + "\n", xmlns="http://www.w3.org/2000/svg", class_="gradcircuit",
                   role="img", width=width, height=height, viewBox=f"0 0 {decimal(width)} {decimal(height)}",
                   font_family=SANS)

    def extent(self) -> tuple[float, float]:
        """Width and height without margins."""
        return self.turned(*self.sides)

    def path(self, i: int) -> str:
        """The way of wire i: straight along the boxes, bent between them."""
        straight, axis = ("V", 1) if self.picture.downward else ("H", 0)
        (along, across), *rest = self.routes[i][self.shared(i):]
        x, y = self.at(along, across)
        path, onward = [f"M{decimal(x)} {decimal(y)}"], 1
        for k, (along2, across2) in enumerate(rest):
            end = self.at(along2, across2)
            if k % 2 and along2 == along:  # a turn, at the end of a ribbon or at the begin of the next
                beyond = along + TURN * onward
                onward = -onward
                bends = [*self.at(beyond, across), *self.at(beyond, across2), *end]
                path.append("C" + " ".join(decimal(c) for c in bends))
            elif k % 2 == 0 or across2 == across:
                if path[-1].startswith(straight):
                    path.pop()
                path.append(straight + decimal(end[axis]))
            else:
                middle = (along + along2) / 2
                bends = [*self.at(middle, across), *self.at(middle, across2), *end]
                path.append("C" + " ".join(decimal(c) for c in bends))
            along, across = along2, across2
        return "".join(path)

    def shared(self, i: int) -> int:
        """How many points of a long way, shared with a wire drawn before, are left out (an even number)."""
        source, route = self.picture.wires[i].source, self.routes[i]
        longest = self.drawn.setdefault(source, route)
        common = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(route, longest, strict=False)))
        if len(route) > len(longest):
            self.drawn[source] = route
        return (common - 1) // 2 * 2 if common > LONG else 0

    def forks(self) -> list[int]:
        """The boxes whose values are used several times."""
        return [i for i, count in sorted(self.uses.items()) if count > 1]

    def fork(self, i: int) -> str:
        """The dot where the wires of a value part."""
        x, y = self.at(self.run_ends[i], self.centers[i][1])
        return tag("circle", class_="dot", cx=x, cy=y, r=3.0, fill=GRAY)


def _note(content: str, x: float, y: float) -> str:
    return tag("text", text.xml(content), class_="gray", x=x, y=y, fill=GRAY, font_size=11.0)


def tag(name: str, content: str | None = None, /, **attributes: object) -> str:
    """An element; attributes are spelled as in Python: `class_`, and `_` for `-`."""
    texts = "".join(f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"' for key, value in attributes.items()
                    if value is not None)
    return f"<{name}{texts}/>" if content is None else f"<{name}{texts}>{content}</{name}>"


def _attribute(value: object) -> str:
    return decimal(value) if isinstance(value, float) else text.xml(value)


def decimal(x: float) -> str:
    """A coordinate."""
    return f"{x:.1f}".removesuffix(".0")


def name_width(name: str, size: float = NAME) -> float:
    """The room that a variable's name takes."""
    stem, subscript = text.name_parts(text.shorten(name, text.LONG_NAME))
    return text.width(stem, size) + text.width(subscript, size * 0.7) + NAME_GAP


def name_element(name: str, x: float, y: float, size: float = NAME, gray: bool = False,
                 anchor: str | None = None) -> str:
    """A variable's name in italics, with a subscript.

    It begins at x; where the anchor is "end" or "middle", x is that of its end or middle, in whatever font.
    """
    if not name:
        return ""
    stem, subscript = text.name_parts(text.shorten(name, text.LONG_NAME))
    content = text.xml(stem)
    if subscript:
        content += tag("tspan", text.xml(subscript), dy=size * 0.2, font_size=size * 0.7)
    return tag("text", content, class_="name gray" if gray else "name ink", x=x, y=y, fill=GRAY if gray else INK,
               font_size=size, font_family=SERIF, font_style="italic", text_anchor=anchor)


def description(picture: Picture) -> str:
    """What a screen reader says: every box with its value and gradient."""
    notes = "; ".join(f"{box.name or box.label}: value {box.value}, {box.gradient_in_words()}"
                      for box in picture.boxes if box.value)
    return f"{picture.summary}. {notes}"
