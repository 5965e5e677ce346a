"""Circuits as SVG: gates are circles, numbers stand on the wires."""

from viz import text
from viz.layout import Link, Size
from viz.picture import CONSTANT, GATE, OUTPUT
from viz.svg import GREEN, INK, NAME_GAP, RED, Writer, name_element, name_width, tag

RADIUS = 20.0
"""Of a gate that is a circle, in pixels."""
NUMBER, CONTRIBUTION, SIGN, GATE_NAME = 13.0, 11.0, 14.0, 13.0
"""Sizes of type, in pixels: numbers on wires, contributions at forks, signs in gates, names under gates."""
BORN = "⚠ born here"
BORN_WIDTH = text.width(BORN, CONTRIBUTION) + 6
"""What stands under a gate whose number is the first that isn't finite."""
PORT = 20.0
"""Distance of the wires that enter a gate."""


MANY = 16
"""More inputs would stand far from their gates if they all stood at the left."""


class CircuitWriter(Writer):
    """Inputs at the left, every forward value above its wire, every gradient below."""

    def prepare(self) -> None:
        """All inputs are as wide as the widest; many stand beside their first gate."""
        self.inputs_first = sum(box.kind.given for box in self.picture.boxes) <= MANY
        self.input_width = max([max(name_width(box.label), box.born * BORN_WIDTH) for box in self.picture.boxes
                                if box.kind.given], default=0.0)

    def size(self, i: int) -> Size:
        """A gate grows with its sign and with the number of wires that enter it."""
        box = self.picture.boxes[i]
        run = max(text.width(box.value, NUMBER), text.width(box.gradient, NUMBER)) + 14
        if box.kind is OUTPUT:
            return Size(name_width(box.label) if box.label else 0.0, 2 * RADIUS)
        if box.kind.given:
            return Size(self.input_width, 2 * RADIUS, run)
        length = max(2 * RADIUS, text.width(box.label, SIGN) + 12)
        return Size(length, self.height(i) + 32 * bool(box.name) + 32 * box.born, run)

    def height(self, i: int) -> float:
        """Of a gate's outline."""
        return max(2 * RADIUS, PORT * self.entries.get(i, 1))

    def link(self, i: int) -> Link:
        """A contribution needs a straight run; so does a name that is wider than its gate."""
        wire = self.picture.wires[i]
        box = self.picture.boxes[wire.target]
        run = text.width(wire.contribution, CONTRIBUTION) + 12 if wire.contribution else 0.0
        if box.kind is GATE:
            below = max(name_width(_short(box.name), GATE_NAME), box.born * BORN_WIDTH)
            overhang = (below - self.sizes[wire.target].length) / 2 + 4
            run = max(run, overhang, 6.0)
        return Link(wire.source, wire.target, run)

    def round(self, i: int) -> bool:
        """Whether the gate is a circle."""
        return self.sizes[i].length == self.height(i) == 2 * RADIUS

    def place(self) -> None:
        """Wires go on to the edge of a circle."""
        super().place()
        for route, wire in zip(self.routes.values(), self.picture.wires, strict=True):
            if self.picture.boxes[wire.target].kind is GATE and self.round(wire.target):
                along, across = route[-1]
                sagitta = RADIUS - (RADIUS ** 2 - (across - self.centers[wire.target][1]) ** 2) ** 0.5
                route[-1] = along + sagitta, across

    def wire(self, i: int) -> str:
        """The wire, and the contribution that comes back along it."""
        wire, route = self.picture.wires[i], self.routes[i]
        note = tag("title", text.xml(wire.note)) if wire.note else None
        drawn = tag("path", note, class_="wire", d=self.path(i), fill="none", data_wire=i, **self.look(i, 1.4))
        if wire.contribution:
            (start, y), (end, _) = self.at(*route[-2]), self.at(*route[-1])
            drawn += tag("text", text.xml(wire.contribution), class_="contribution", x=(start + end) / 2, y=y + 12,
                         fill=RED, font_size=CONTRIBUTION, text_anchor="middle", data_wire=i)
        return drawn

    def box(self, i: int) -> str:
        """A gate, or the name of an input or output; and the numbers on the wire that leaves it."""
        box, size = self.picture.boxes[i], self.sizes[i]
        x, y = self.at(*self.centers[i])
        parts = [tag("title", text.xml(box.note))] if box.note else []
        if box.kind is GATE:
            parts.append(self.gate(i, x, y))
        elif box.kind is OUTPUT:
            parts.append(name_element(box.label, x - size.length / 2 + 4, y + 5))
        else:
            end = x + size.length / 2 - NAME_GAP
            parts.append(name_element(box.label, end, y + 5, gray=box.kind is CONSTANT, anchor="end"))
            if box.born:
                parts.append(_born(end, y + 22, "end"))
        if i in self.uses:
            middle = (x + size.length / 2 + self.at(self.run_ends[i], 0)[0]) / 2
            parts += [tag("text", text.xml(content), class_=class_, x=middle, y=y + dy, fill=color, font_size=NUMBER,
                          text_anchor="middle", data_box=i)
                      for content, class_, color, dy in ((box.value, "value", GREEN, -6.0),
                                                          (box.gradient, "gradient", RED, 17.0)) if content]
        return tag("g", "".join(parts), class_="node", data_box=i, data_kind=box.kind.name)

    def gate(self, i: int, x: float, y: float) -> str:
        """A circle, or an outline as long as its sign and as high as its wires need."""
        box, length, height = self.picture.boxes[i], self.sizes[i].length, self.height(i)
        class_ = f"gate{' born' * box.born}"
        look = {"fill": box.kind.fill, "stroke": RED if box.born else INK, "stroke_width": 3.0 if box.born else 1.4,
                "stroke_dasharray": "4 3" if box.backward else None}
        glow = ""
        if box.glow:
            glow = tag("rect", class_="glow", x=x - length / 2, y=y - height / 2, width=length, height=height,
                       rx=RADIUS, fill="none", stroke=box.glow, stroke_width=11.0, opacity=0.6)
        if self.round(i):
            outline = tag("circle", class_=class_, cx=x, cy=y, r=RADIUS, **look)
        else:
            outline = tag("rect", class_=class_, x=x - length / 2, y=y - height / 2, width=length, height=height,
                          rx=RADIUS, **look)
        sign = tag("text", text.xml(box.label), class_="ink", x=x, y=y + 5, fill=INK, font_size=SIGN,
                   text_anchor="middle")
        name = _short(box.name)
        sign += name_element(name, x, y + height / 2 + 14, GATE_NAME, gray=True, anchor="middle")
        return glow + outline + sign + (_born(x, y + height / 2 + (30 if name else 14), "middle") if box.born else "")


def _born(x: float, y: float, anchor: str) -> str:
    return tag("text", BORN, class_="alarm", x=x, y=y, fill=RED, font_size=CONTRIBUTION, font_weight="bold",
               text_anchor=anchor)


def _short(name: str) -> str:
    return text.shorten(name, 24)
