"""A Picture with positions, written as SVG.

Every text has its own x and y in pixels, colours stand in attributes as well as in the style sheet (so that programs
which ignore style sheets show them), and nothing depends on fonts, clocks or addresses: the same graph gives the same
bytes.
"""

from viz import text
from viz.layout import Layout, Link, Size, place
from viz.picture import RADIUS, Box, Picture, Wire

MARGIN = 16.0
VALUE, SMALL, SIGN, NAME = 13.0, 11.0, 14.0, 17.0
"""Sizes of type, in pixels: numbers on wires, contributions, signs in gates, names."""
NAME_GAP = 6.0
"""Between a name and its wire."""
GREEN, RED, INK, GREY, PAPER, GATE = "#00703c", "#c8102e", "#1a1a1a", "#6b6b6b", "#ffffff", "#f4f6f8"
SANS = "Helvetica, Arial, sans-serif"
SERIF = "'STIX Two Text', 'Times New Roman', Times, serif"

STYLE = """
.gradcircuit { font-family: Helvetica, Arial, sans-serif; }
@media (prefers-color-scheme: dark) {
  .gradcircuit .paper { fill: #14171a; }
  .gradcircuit .gate, .gradcircuit .box { fill: #23282d; stroke: #c9d1d9; }
  .gradcircuit .wire { stroke: #9aa4ad; }
  .gradcircuit .dot, .gradcircuit .arrow { fill: #9aa4ad; }
  .gradcircuit .ink { fill: #f0f3f6; }
  .gradcircuit .grey { fill: #a5afb8; }
  .gradcircuit .value { fill: #4fd08b; }
  .gradcircuit .gradient, .gradcircuit .contribution, .gradcircuit .alarm { fill: #ff8085; }
}
"""


def write(picture: Picture) -> str:
    """The picture as one SVG element."""
    return _Writer(picture).svg()


def _tag(name: str, content: str | None = None, /, **attributes: object) -> str:
    """An element; `class_` and names with _ for - are attributes' names in Python's spelling."""
    texts = "".join(f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"' for key, value in attributes.items()
                    if value is not None)
    return f"<{name}{texts}/>" if content is None else f"<{name}{texts}>{content}</{name}>"


def _attribute(value: object) -> str:
    return _decimal(value) if isinstance(value, float) else text.xml(value)


def _decimal(x: float) -> str:
    return f"{x + 0.0:.1f}".removesuffix(".0")


class _Writer:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.uses: dict[int, int] = {}
        self.entries: dict[int, int] = {}
        for wire in picture.wires:
            self.uses[wire.source] = self.uses.get(wire.source, 0) + 1
            self.entries[wire.target] = self.entries.get(wire.target, 0) + 1
        self.input_width = max([name_width(box.label) for box in picture.boxes if box.kind in ("input", "constant")],
                               default=0.0)
        self.sizes = [self.size(i, box) for i, box in enumerate(picture.boxes)]
        self.layout: Layout = place(self.sizes, [self.link(wire) for wire in picture.wires], gap=16.0)

    # What everything needs

    def size(self, i: int, box: Box) -> Size:
        run = max(text.width(box.value, VALUE), text.width(box.gradient, VALUE)) + 14
        if box.kind == "output":
            return Size(name_width(box.label) if box.label else 0.0, 2 * RADIUS)
        if box.kind != "gate":
            return Size(self.input_width, 2 * RADIUS, run)
        extent = max(2 * RADIUS, 20.0 * self.entries.get(i, 1)) + (32 if box.name else 0)
        return Size(max(2 * RADIUS, text.width(box.label, SIGN) + 12), extent, run)

    def link(self, wire: Wire) -> Link:
        box = self.picture.boxes[wire.target]
        overhang = (name_width(_short_name(box.name), SMALL + 2) - self.sizes[wire.target].length) / 2 + 4
        run = text.width(wire.contribution, SMALL) + 12 if wire.contribution else 0.0
        return Link(wire.source, wire.target, max(run, overhang, 6.0) if box.kind == "gate" else run)

    # The elements, from back to front

    def svg(self) -> str:
        layout, picture = self.layout, self.picture
        width, height = layout.length + 2 * MARGIN, layout.extent + 2 * MARGIN
        parts = [_tag("rect", class_="paper", x=0.0, y=0.0, width=width, height=height, fill=PAPER)]
        parts += [self.wire(i) for i in range(len(picture.wires))]
        parts += [self.fork(i) for i, count in sorted(self.uses.items()) if count > 1]
        parts += [self.box(i) for i in range(len(picture.boxes))]
        head = _tag("title", text.xml(picture.summary)) + _tag("desc", text.xml(description(picture)))
        body = "\n".join([head, f"<style>{STYLE}</style>", *parts])
        return _tag("svg", f"\n{body}\n", xmlns="http://www.w3.org/2000/svg", class_="gradcircuit", role="img",
                    width=width, height=height, viewBox=f"0 0 {_decimal(width)} {_decimal(height)}", font_family=SANS)

    def wire(self, i: int) -> str:
        wire, route = self.picture.wires[i], [(MARGIN + x, MARGIN + y) for x, y in self.layout.routes[i]]
        (x, y), *rest = route
        path = [f"M{_decimal(x)} {_decimal(y)}"]
        for k, (x2, y2) in enumerate(rest):
            if k % 2 == 0 or y2 == y:
                if path[-1].startswith("H"):
                    path.pop()
                path.append(f"H{_decimal(x2)}")
            else:
                middle = _decimal((x + x2) / 2)
                path.append(f"C{middle} {_decimal(y)} {middle} {_decimal(y2)} {_decimal(x2)} {_decimal(y2)}")
            x, y = x2, y2
        target = self.picture.boxes[wire.target]
        if target.kind == "gate" and self.round(wire.target):  # on to the circle
            x += RADIUS - max(RADIUS ** 2 - (y - MARGIN - self.layout.centres[wire.target][1]) ** 2, 0.0) ** 0.5
            path[-1] = f"H{_decimal(x)}"
        drawn = _tag("path", class_="wire", d="".join(path), fill="none", stroke=GREY, stroke_width=1.4,
                     data_source=wire.source, data_target=wire.target)
        if wire.contribution:
            start, end = route[-2][0], route[-1][0]
            drawn += _tag("text", text.xml(wire.contribution), class_="contribution", x=(start + end) / 2,
                          y=route[-1][1] + 12, fill=RED, font_size=SMALL, text_anchor="middle",
                          data_wire=i)
        return drawn

    def round(self, i: int) -> bool:
        return self.sizes[i].length == 2 * RADIUS and self.entries.get(i, 1) <= 2

    def fork(self, i: int) -> str:
        return _tag("circle", class_="dot", cx=MARGIN + self.layout.run_ends[i], cy=MARGIN + self.layout.centres[i][1],
                    r=3.0, fill=GREY)

    def box(self, i: int) -> str:
        box, size = self.picture.boxes[i], self.sizes[i]
        x, y = (MARGIN + c for c in self.layout.centres[i])
        parts = [_tag("title", text.xml(box.note))] if box.note else []
        if box.kind == "gate":
            parts.append(self.gate(i, x, y))
        elif box.kind == "output":
            parts.append(name_element(box.label, x - size.length / 2 + 4, y + 5))
        else:
            start = x + size.length / 2 - name_width(box.label)
            parts.append(name_element(box.label, start, y + 5, grey=box.kind == "constant"))
        if i in self.uses:
            middle = (x + size.length / 2 + MARGIN + self.layout.run_ends[i]) / 2
            parts += [_tag("text", text.xml(content), class_=class_, x=middle, y=y + dy, fill=colour, font_size=VALUE,
                           text_anchor="middle", data_box=i)
                      for content, class_, colour, dy in ((box.value, "value", GREEN, -6.0),
                                                          (box.gradient, "gradient", RED, 17.0)) if content]
        return _tag("g", "".join(parts), data_kind=box.kind)

    def gate(self, i: int, x: float, y: float) -> str:
        box, size = self.picture.boxes[i], self.sizes[i]
        if self.round(i):
            outline = _tag("circle", class_="gate", cx=x, cy=y, r=RADIUS, fill=GATE, stroke=INK, stroke_width=1.4)
        else:
            height = max(2 * RADIUS, 20.0 * self.entries.get(i, 1))
            outline = _tag("rect", class_="gate", x=x - size.length / 2, y=y - height / 2, width=size.length,
                           height=height, rx=RADIUS, fill=GATE, stroke=INK, stroke_width=1.4)
        sign = _tag("text", text.xml(box.label), class_="ink", x=x, y=y + 5, fill=INK, font_size=SIGN,
                    text_anchor="middle")
        name, start = _short_name(box.name), x - (name_width(_short_name(box.name), SMALL + 2) - NAME_GAP) / 2
        return outline + sign + name_element(name, start, y + RADIUS + 14, SMALL + 2, grey=True)


def _short_name(name: str) -> str:
    return text.shorten(name, 14)


def name_width(name: str, size: float = NAME) -> float:
    """The room that a variable's name takes."""
    stem, subscript = text.name_parts(text.shorten(name))
    return 0.9 * text.width(stem, size) + text.width(subscript, size * 0.7) + NAME_GAP  # italics with serifs are narrow


def name_element(name: str, x: float, y: float, size: float = NAME, grey: bool = False) -> str:
    """A variable's name, from x on: italics, with the digits at its end as a subscript."""
    if not name:
        return ""
    stem, subscript = text.name_parts(text.shorten(name))
    content = text.xml(stem)
    if subscript:
        content += _tag("tspan", text.xml(subscript), dy=size * 0.2, font_size=size * 0.7)
    return _tag("text", content, class_="name grey" if grey else "name ink", x=x, y=y, fill=GREY if grey else INK,
                font_size=size, font_family=SERIF, font_style="italic")


def description(picture: Picture) -> str:
    """What a screen reader says: every box with its value and gradient."""
    notes = "; ".join(f"{box.name or box.label}: value {box.value}, gradient {box.gradient}" for box in picture.boxes
                      if box.value)
    return f"{picture.summary}. {notes}".replace("−", "-").replace("gradient –", "no gradient")
