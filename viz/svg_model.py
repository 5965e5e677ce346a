"""Models as SVG: operations are boxes with shapes and statistics, read from top to bottom, framed by their modules."""

from collections import Counter

from viz import text
from viz.layout import Link, Size
from viz.picture import MODULE, OPERATION, PARAMETER, Bar
from viz.svg import GRAY, GREEN, INK, RED, Writer, decimal, name_element, name_width, tag

TITLE, LINE = 13.0, 11.0
"""Sizes of type, in pixels."""
PADDING, ROW, TITLE_ROW = 9.0, 15.0, 18.0
BARS = 46.0
"""Width of a histogram."""
STRIP, MIN_BAR = 34.0, 4.0
"""Height of bars that stand for calls or time steps, and width of each at least."""
FRAME = 10.0
"""Between a module's frame and what it holds; its title needs TITLE_ROW more."""
BESIDE, STACK = 26.0, 8.0
"""Between an operation and its parameters, and between those."""


class ModelWriter(Writer):
    """Inputs at the top, each parameter just above the operation that reads it."""

    inputs_first = False
    sweeps = 4
    longest_bend = 60.0

    def prepare(self) -> None:
        """Parameters stand beside the one operation that reads them; frames inside each other need room."""
        boxes = self.picture.boxes
        for wire in self.picture.wires:
            if (boxes[wire.source].kind is PARAMETER and boxes[wire.target].kind is OPERATION
                    and self.uses[wire.source] == 1):
                self.attached[wire.source] = wire.target
                self.entries[wire.target] -= 1
        self.nesting = self._nesting()
        self.gap = 18.0 + 2 * FRAME * self.nesting
        self.frames_before, self.frames_after = self._frames_around()

    def place(self) -> None:
        """The attached boxes are stacked at the right of their operation."""
        widest: dict[int, float] = {}
        for i, at in self.attached.items():
            widest[at] = max(widest.get(at, 0.0), self.sizes[i].extent)
        for i, at in self.attached.items():
            size, own = self.sizes[at], self.sizes[i]
            own.extent = widest[at]
            size.beside = max(size.beside, BESIDE + own.extent)
            size.room += own.length + STACK
        super().place()
        top = {at: self.centers[at][0] - self.sizes[at].room / 2 for at in self.attached.values()}
        for i, at in self.attached.items():
            own = self.sizes[i]
            along = top[at] + own.length / 2 + STACK / 2
            top[at] += own.length + STACK
            self.centers[i] = along, self.centers[at][1] + self.sizes[at].extent / 2 + BESIDE + own.extent / 2

    def _frames_around(self) -> tuple[dict[int, float], dict[int, float]]:
        """The room for frames before the boxes that come first in them, and after those that come last."""
        before: dict[int, float] = {}
        after: dict[int, float] = {}
        for k, cluster in enumerate(self.picture.clusters):
            levels, members = self._frames_inside(k) + 1, set(cluster.members)
            inner = [w for w in self.picture.wires if w.source in members and w.target in members]
            for i in members - {w.target for w in inner if w.source not in self.attached}:
                before[i] = max(before.get(i, 0.0), levels * (FRAME + TITLE_ROW))
            for i in members - {w.source for w in inner}:
                after[i] = max(after.get(i, 0.0), levels * FRAME)
        return before, after

    def link(self, i: int) -> Link:
        """A straight run where a frame begins."""
        wire = self.picture.wires[i]
        return Link(wire.source, wire.target, self.frames_before.get(wire.target, 0.0))

    def _nesting(self) -> int:
        """How many frames lie around one box at most."""
        around = Counter(member for cluster in self.picture.clusters for member in cluster.members)
        return max(around.values(), default=0)

    def rows(self, i: int) -> list[tuple[str, str, tuple[float, ...]]]:
        """The lines under the title: class, text and histogram."""
        box = self.picture.boxes[i]
        lines = () if box.kind is PARAMETER else box.lines
        rows: list[tuple[str, str, tuple[float, ...]]] = [("gray", line, ()) for line in lines]
        if box.value:
            rows.append(("value", box.value, box.value_bars))
        if box.gradient == text.NONE:
            rows.append(("gray", box.gradient_in_words(), ()))
        elif box.gradient:
            rows.append(("gradient", box.gradient, box.gradient_bars))
        if box.alarm:
            rows.append(("gray", f"↳ {box.alarm}", ()) if box.follows else ("alarm", f"⚠ {box.alarm}", ()))
        return rows

    def beside_title(self, i: int) -> str:
        """What stands at the right of the title: the shape of a parameter, the name of a variable."""
        box = self.picture.boxes[i]
        return box.lines[0] if box.kind is PARAMETER else box.name

    def size(self, i: int) -> Size:
        """As its texts need. Along the flow means downward here."""
        box, beside = self.picture.boxes[i], self.beside_title(i)
        title = 1.05 * text.width(box.label, TITLE) + (name_width(beside, TITLE) + 10 if beside else 0)
        widths = [text.width(content, LINE) + (BARS + 10 if bars else 0) for _, content, bars in self.rows(i)]
        if box.strip:
            widths.append(max(MIN_BAR * len(box.strip), BARS))
        return Size(2 * PADDING + TITLE_ROW + ROW * len(widths) - 4 + (STRIP - ROW) * bool(box.strip),
                    max([title, *widths, 20.0 * self.entries.get(i, 1)]) + 2 * PADDING,
                    6.0 + self.frames_after.get(i, 0.0))

    def wire(self, i: int) -> str:
        """The wire and its arrowhead."""
        wire = self.picture.wires[i]
        half = max(4.0, 0.5 + 1.1 * wire.width)
        if wire.source in self.attached:
            target, size = self.centers[wire.target], self.sizes[wire.target]
            siblings = [j for j, at in self.attached.items() if at == wire.target]
            step = min(18.0, size.length / len(siblings))
            x, y = self.at(target[0] + (siblings.index(wire.source) - (len(siblings) - 1) / 2) * step,
                           target[1] + size.extent / 2)
            start, y0 = self.at(self.centers[wire.source][0],
                                self.centers[wire.source][1] - self.sizes[wire.source].extent / 2)
            bends = [start - 14, y0, x + 16, y, x + 4, y]
            path = f"M{decimal(start)} {decimal(y0)}C{' '.join(decimal(c) for c in bends)}"
            arrow = f"M{decimal(x)} {decimal(y)}l{decimal(1.75 * half)} {decimal(-half)}v{decimal(2 * half)}z"
        else:
            path, (x, y) = self.path(i), self.at(*self.routes[i][-1])
            arrow = f"M{decimal(x)} {decimal(y)}l{decimal(-half)} {decimal(-1.75 * half)}h{decimal(2 * half)}z"
        look = self.look(i, 1.2)
        return (tag("path", tag("title", text.xml(wire.note)) if wire.note else None, class_="wire", d=path,
                    fill="none", data_wire=i, **look)
                + tag("path", class_="arrow", d=arrow, fill=look["stroke"]))

    def fork(self, i: int) -> str:
        """Arrowheads say enough."""
        return ""

    def box(self, i: int) -> str:
        """A frame with a title and rows."""
        box, size, beside = self.picture.boxes[i], self.sizes[i], self.beside_title(i)
        x, y = self.at(*self.centers[i])
        left, top = x - size.extent / 2, y - size.length / 2
        frame = {"class_": f"box {box.kind.name}{' born' * box.born}", "width": size.extent, "height": size.length,
                 "stroke": RED if box.born else INK, "stroke_width": 2.4 if box.born else 1.2,
                 "fill": box.kind.fill, "rx": box.kind.corner, "stroke_dasharray": box.kind.dash}
        parts = [tag("title", text.xml(box.note))]
        if box.kind is MODULE:  # a pile
            parts.append(tag("rect", x=left + 4, y=top + 4, **frame))
        parts.append(tag("rect", x=left, y=top, **frame))
        y = top + PADDING + 11
        parts.append(tag("text", text.xml(box.label), class_="ink", x=left + PADDING, y=y, fill=INK, font_size=TITLE,
                         font_weight="bold"))
        right = left + size.extent - PADDING
        if box.kind is PARAMETER:
            parts.append(tag("text", text.xml(beside), class_="gray", x=right, y=y, fill=GRAY, font_size=LINE,
                             text_anchor="end"))
        elif beside:
            parts.append(name_element(beside, right - name_width(beside, TITLE), y, TITLE, gray=True))
        y += TITLE_ROW - ROW
        for class_, content, bars in self.rows(i):
            y += ROW
            color = {"value": GREEN, "gray": GRAY}.get(class_, RED)
            parts.append(tag("text", text.xml(content), class_=class_, x=left + PADDING, y=y, fill=color,
                             font_size=LINE, font_weight="bold" if class_ == "alarm" else None,
                             data_box=i if class_ in ("value", "gradient") else None))
            if bars:
                parts.append(_histogram(bars, right - BARS, y, class_=class_, fill=color, data_box=i))
        if box.strip:
            parts.append(_strip(box.strip, left + PADDING, y + STRIP, size.extent - 2 * PADDING))
        return tag("g", "".join(parts), class_="node", data_box=i, data_kind=box.kind.name,
                   data_link=box.link or None)

    def background(self) -> list[str]:
        """The frames of the modules, as far as they hold nothing else."""
        parts = []
        for k, cluster in enumerate(self.picture.clusters):
            inner = self._frames_inside(k)
            corners = [self._corners(i) for i in cluster.members]
            if not corners:
                continue
            pad = FRAME * (inner + 1)
            left, top = min(c[0] for c in corners) - pad, min(c[1] for c in corners) - pad - TITLE_ROW * (inner + 1) + 4
            right, bottom = max(c[2] for c in corners) + pad, max(c[3] for c in corners) + pad
            members = set(cluster.members)
            if any(c[0] < right and c[2] > left and c[1] < bottom and c[3] > top
                   for i in range(len(self.sizes)) if i not in members for c in [self._corners(i)]):
                continue
            parts.append(tag("rect", class_="cluster", x=left, y=top, width=right - left, height=bottom - top, rx=8.0,
                             fill="#fafbfc", stroke="#b8c0c8", stroke_width=1.0)
                         + tag("text", text.xml(cluster.title), class_="gray", x=left + 8, y=top + 14, fill=GRAY,
                               font_size=LINE))
        return parts

    def _frames_inside(self, k: int) -> int:
        """How deep the frames inside frame k are nested."""
        members = set(self.picture.clusters[k].members)
        inside = [other for other in range(k + 1, len(self.picture.clusters))
                  if members >= set(self.picture.clusters[other].members)]
        return max((1 + self._frames_inside(other) for other in inside), default=0)

    def _corners(self, i: int) -> tuple[float, float, float, float]:
        (x, y), size = self.at(*self.centers[i]), self.sizes[i]
        return x - size.extent / 2, y - size.length / 2, x + size.extent / 2, y + size.length / 2

    def at(self, along: float, across: float) -> tuple[float, float]:
        """Frames need a wider margin."""
        x, y = super().at(along, across)
        return x + FRAME * self.nesting, y + (FRAME + TITLE_ROW) * self.nesting

    def extent(self) -> tuple[float, float]:
        """Frames need a wider margin."""
        width, height = super().extent()
        return width + 2 * FRAME * self.nesting + 4, height + (2 * FRAME + TITLE_ROW) * self.nesting + 4


def _strip(bars: tuple[Bar, ...], x: float, y: float, width: float) -> str:
    """Bars side by side, standing on y; each opens what it stands for."""
    step = min(width / len(bars), 24.0)
    return "".join(
        tag("rect", tag("title", text.xml(bar.note)), class_="bar", x=x + k * step, y=y - (STRIP - 6) * bar.height - 2,
            width=step - min(1.5, step / 4), height=(STRIP - 6) * bar.height + 2, fill=bar.color,
            data_link=bar.link or None)
        for k, bar in enumerate(bars))


def _histogram(bars: tuple[float, ...], x: float, y: float, **look: object) -> str:
    """Bars from x on, standing on y."""
    step = BARS / len(bars)
    path = "".join(f"M{x + k * step:.1f} {y:.1f}v{-max(10 * h, 0.6):.1f}h{step - 0.6:.1f}V{y:.1f}z"
                   for k, h in enumerate(bars) if h)
    return tag("path", d=path, opacity=0.7, **look)
