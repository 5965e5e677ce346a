"""Models as SVG: operations are boxes with shapes and statistics, read from top to bottom, framed by their modules."""

from viz import text
from viz.layout import Size
from viz.nested import Frame, Group
from viz.picture import FAMILIES, MODULE, OPERATION, PARAMETER, Bar, Box
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
MANY = 100
"""With more boxes, only shapes are shown unless the caller says what."""
LEAST = 0.9
"""The scale to which statistics may make a picture shrink."""
FULL, COMPACT = ("shape", "value", "gradient", "parameters"), ("shape",)
UNITS = {"count": "", "flops": "FLOPs", "bytes": "B", "time": "s"}


class ModelWriter(Writer):
    """Inputs at the top, each parameter just above the operation that reads it."""

    inputs_first = False
    sweeps = 4
    longest_bend = 60.0
    gap = 18.0

    def arrange(self) -> None:
        """With statistics, if they fit the page; else with shapes alone, unless the caller says what to show."""
        look, few = self.picture.look, len(self.picture.boxes) <= MANY
        chosen = look.show if look else None
        compact = (*COMPACT, "value", "gradient") if self.picture.scale else COMPACT
        self.show = chosen if chosen is not None else FULL if few else compact
        super().arrange()
        if chosen is None and few and self.scale(*self.sides) < LEAST:
            self.show = compact
            super().arrange()

    def prepare(self) -> None:
        """Parameters stand beside the one operation that reads them, or are left out."""
        boxes = self.picture.boxes
        self.bend = 34.0 if "value" in self.show or "gradient" in self.show else 24.0
        for wire in self.picture.wires:
            alone = boxes[wire.target].kind is OPERATION and self.uses[wire.source] == 1
            hidden = "parameters" not in self.show and not self.is_ill(wire.source)
            if boxes[wire.source].kind is PARAMETER and (alone or hidden):
                self.attached[wire.source] = wire.target
                self.entries[wire.target] -= 1
        self.siblings: dict[int, list[int]] = {}
        for i, at in self.attached.items():
            if self.is_drawn(i):
                self.siblings.setdefault(at, []).append(i)
        self.depths = self._depths()
        self.titles = self._titles()
        self.captions: dict[int, str] = {}  # box -> the module that it is all of
        for number, cluster in enumerate(self.picture.clusters):
            members = [i for i in cluster.members if i not in self.attached]
            if len(members) == 1 and "parameters" not in self.show:
                self.captions[members[0]] = self.titles[number]
        self.most = {cost: max([box.costs.get(cost, 0.0) for box in boxes], default=0.0) for cost in UNITS}
        self.total = {cost: sum(box.costs.get(cost, 0.0) for box in boxes) for cost in UNITS}

    def _titles(self) -> list[str]:
        """Of the frames: a module's path from the module around it, and its class."""
        titles: list[str] = []
        around: dict[int, str] = {}  # box -> path of the innermost module so far
        for cluster in self.picture.clusters:
            path = cluster.title.partition(" ")[0]
            outer = around.get(cluster.members[0], "") if cluster.members else ""
            titles.append(cluster.title.removeprefix(f"{outer}.") if outer else cluster.title)
            around.update(dict.fromkeys(cluster.members, path))
        return titles

    def is_ill(self, i: int) -> bool:
        """Whether something is wrong with a box that is not a consequence of what is wrong elsewhere."""
        return bool(self.picture.boxes[i].alarm) and not self.picture.boxes[i].follows

    def _depths(self) -> list[int]:
        """How long the longest way to each box is; 0 for what is given."""
        depths = [0] * len(self.picture.boxes)
        for wire in sorted(self.picture.wires, key=lambda wire: wire.target):
            if not self.picture.boxes[wire.source].kind.given:
                depths[wire.target] = max(depths[wire.target], depths[wire.source] + 1)
        return depths

    def skips(self, i: int) -> bool:
        """Whether there is also a longer way to where a wire leads, and its color means nothing else."""
        wire = self.picture.wires[i]
        return (not wire.color and not self.picture.boxes[wire.source].kind.given
                and self.depths[wire.target] > self.depths[wire.source] + 1)

    def is_drawn(self, i: int) -> bool:
        """Whether a box is drawn at all: whatever is wrong is."""
        return i not in self.attached or "parameters" in self.show or self.is_ill(i)

    def place(self) -> None:
        """The attached boxes are stacked at the far side of their operation."""
        for at, stack in self.siblings.items():
            size, widest = self.sizes[at], max(self.sizes[i].extent for i in stack)
            if self.picture.downward:
                size.beside = BESIDE + widest
                size.room = sum(self.sizes[i].length + STACK for i in stack)
                for i in stack:
                    self.sizes[i].extent = widest
            else:
                size.beside = sum(STACK + self.sizes[i].extent for i in stack)
                size.room = max(self.sizes[i].length for i in stack)
        super().place()
        for at, stack in self.siblings.items():
            (along, across), size = self.centers[at], self.sizes[at]
            free = along - size.room / 2 if self.picture.downward else across + size.extent / 2
            for i in stack:
                own = self.sizes[i]
                if self.picture.downward:
                    self.centers[i] = (free + (own.length + STACK) / 2,
                                       across + size.extent / 2 + BESIDE + own.extent / 2)
                    free += own.length + STACK
                else:
                    self.centers[i] = along, free + STACK + own.extent / 2
                    free += STACK + own.extent

    def groups(self, boxes: list[int]) -> tuple[Group, dict[int, Frame]]:
        """The modules that are open; where only shapes are shown, one with a single box needs no frame."""
        innermost: dict[int, Group] = {}
        root = Group(number=-1)
        frames: dict[int, Frame] = {}
        drawn = set(boxes)
        for number, cluster in enumerate(self.picture.clusters):
            members = [i for i in cluster.members if i in drawn]
            if members and not (len(members) == 1 and members[0] in self.captions):
                group = Group(number=number)
                innermost.get(members[0], root).groups.append(group)
                innermost.update(dict.fromkeys(members, group))
                title = text.width(self.titles[number], LINE) + 2 * FRAME
                frames[number] = (Frame(FRAME + TITLE_ROW, FRAME, FRAME, FRAME, extent=title) if self.picture.downward
                                  else Frame(FRAME, FRAME, FRAME + TITLE_ROW, FRAME, length=title))
        for i in boxes:
            innermost.get(i, root).boxes.append(i)
        return root, frames

    def rows(self, i: int) -> list[tuple[str, str, tuple[float, ...]]]:
        """The lines under the title: class, text and histogram."""
        box = self.picture.boxes[i]
        rows: list[tuple[str, str, tuple[float, ...]]] = []
        if box.kind is not PARAMETER:
            if i in self.captions:
                rows.append(("gray", self.captions[i], ()))
            if box.settings:
                rows.append(("gray", box.settings, ()))
            lines = box.lines if "value" in self.show or box.kind is not MODULE else (box.lines[0], *box.lines[2:])
            rows += [("gray", line, ()) for line in lines] if "shape" in self.show else []
        if box.value and "value" in self.show:
            rows.append(("value", box.value, box.value_bars))
        if box.gradient and "gradient" in self.show:
            rows.append(("gray", box.gradient_in_words(), ()) if box.gradient == text.NONE else
                        ("gradient", box.gradient, box.gradient_bars))
        rows += [("cost", self.cost(box, cost), (box.costs[cost] / self.most[cost],)) for cost in UNITS
                 if cost in self.show and box.costs.get(cost)]
        if box.alarm:
            rows.append(("gray", f"↳ {box.alarm}", ()) if box.follows else ("alarm", f"⚠ {box.alarm}", ()))
        return rows

    def cost(self, box: Box, cost: str) -> str:
        """How much, and what part of the whole."""
        much, name = box.costs[cost], UNITS[cost]
        what = (f"{text.amount(much)} parameters" if cost == "count" else f"{1000 * much:.3g} ms" if cost == "time"
                else f"{text.amount(much)} {name}" if text.amount(much)[-1].isdigit() else f"{text.amount(much)}{name}")
        return f"{what}, {much / self.total[cost]:.0%}"

    def beside_title(self, i: int) -> str:
        """What stands at the right of the title: the shape of a parameter, the name of a variable."""
        box = self.picture.boxes[i]
        return box.lines[0] if box.kind is PARAMETER else box.name

    def size(self, i: int) -> Size:
        """As its texts need."""
        box, beside = self.picture.boxes[i], self.beside_title(i)
        title = 1.05 * text.width(box.label, TITLE) + (name_width(beside, TITLE) + 10 if beside else 0)
        rows = self.rows(i)
        widths = [text.width(content, LINE) + (BARS + 10 if bars else 0) for _, content, bars in rows]
        if box.strip:
            widths.append(max(MIN_BAR * len(box.strip), BARS))
        height = 2 * PADDING + TITLE_ROW + ROW * len(rows) - 4 + STRIP * bool(box.strip)
        width, wires = max([title, *widths]) + 2 * PADDING, 20.0 * self.entries.get(i, 1)
        if self.picture.downward:
            return Size(height, max(width, wires), 6.0)
        return Size(width, max(height, wires), 6.0)

    def sides_of(self, i: int) -> tuple[float, float]:
        """Width and height of a box."""
        return self.turned(self.sizes[i].length, self.sizes[i].extent)

    def wire(self, i: int) -> str:
        """The wire and its arrowhead."""
        wire = self.picture.wires[i]
        if not self.is_drawn(wire.source):
            return ""
        half = max(4.0, 0.5 + 1.1 * wire.width)
        if wire.source in self.attached:
            path, arrow = self.from_attached(wire.source, wire.target, half)
        else:
            path, (x, y) = self.path(i), self.at(*self.routes[i][-1])
            arrow = f"M{decimal(x)} {decimal(y)}" + (f"l{decimal(-half)} {decimal(-1.75 * half)}h{decimal(2 * half)}z"
                                                     if self.picture.downward else
                                                     f"l{decimal(-1.75 * half)} {decimal(-half)}v{decimal(2 * half)}z")
        skip, look = " skip" * self.skips(i), self.look(i, 1.2)
        if skip:
            look |= {"stroke": SKIP, "stroke_width": 1.8}
        return (tag("path", tag("title", text.xml(wire.note)) if wire.note else None, class_="wire" + skip, d=path,
                    fill="none", data_wire=i, **look)
                + tag("path", class_="arrow" + skip, d=arrow, fill=look["stroke"]))

    def from_attached(self, source: int, target: int, half: float) -> tuple[str, str]:
        """From a parameter to the side of its operation, and the arrowhead."""
        siblings = self.siblings[target]
        (x, y), (width, height) = self.at(*self.centers[target]), self.sides_of(target)
        (x0, y0), (own_width, _) = self.at(*self.centers[source]), self.sides_of(source)
        if self.picture.downward:
            x += width / 2
            y += (siblings.index(source) - (len(siblings) - 1) / 2) * min(18.0, height / len(siblings))
            start = x0 - own_width / 2
            bends = [start - 14, y0, x + 16, y, x + 4, y]
            return (f"M{decimal(start)} {decimal(y0)}C{' '.join(decimal(c) for c in bends)}",
                    f"M{decimal(x)} {decimal(y)}l{decimal(1.75 * half)} {decimal(-half)}v{decimal(2 * half)}z")
        y += height / 2
        x = max(x0 - own_width / 2, x - width / 2) + 12 + 10 * siblings.index(source)
        top = y0 - self.sides_of(source)[1] / 2
        wing, tip = decimal(half), decimal(1.75 * half)
        return (f"M{decimal(x)} {decimal(top)}V{decimal(y + 4)}",
                f"M{decimal(x)} {decimal(y)}l-{wing} {tip}h{decimal(2 * half)}z")

    def fork(self, i: int) -> str:
        """Arrowheads say enough."""
        return ""

    def box(self, i: int) -> str:
        """A frame with a title and rows."""
        if not self.is_drawn(i):
            return ""
        box, beside = self.picture.boxes[i], self.beside_title(i)
        (x, y), (width, height) = self.at(*self.centers[i]), self.sides_of(i)
        left, top = x - width / 2, y - height / 2
        fill, class_ = box.kind.fill, f"box {box.kind.name}{' born' * box.born}"
        if box.family:
            fill, class_ = FAMILIES[box.family][0], f"{class_} family-{box.family.replace(' ', '-')}"
        frame = {"class_": class_, "width": width, "height": height, "fill": fill, "stroke": RED if box.born else INK,
                 "stroke_width": 2.4 if box.born else 1.2, "rx": box.kind.corner, "stroke_dasharray": box.kind.dash}
        parts = [tag("title", text.xml(box.note))]
        if box.glow:
            parts.append(tag("rect", class_="glow", x=left, y=top, width=width, height=height, fill="none",
                             stroke=box.glow, stroke_width=11.0, opacity=0.6, rx=box.kind.corner))
        if box.kind is MODULE:  # a pile
            parts.append(tag("rect", x=left + 4, y=top + 4, **frame))
        parts.append(tag("rect", x=left, y=top, **frame))
        y = top + PADDING + 11
        parts.append(tag("text", text.xml(box.label), class_="ink", x=left + PADDING, y=y, fill=INK, font_size=TITLE,
                         font_weight="bold"))
        right = left + width - PADDING
        if box.kind is PARAMETER:
            parts.append(tag("text", text.xml(beside), class_="gray", x=right, y=y, fill=GRAY, font_size=LINE,
                             text_anchor="end"))
        elif beside:
            parts.append(name_element(beside, right - name_width(beside, TITLE), y, TITLE, gray=True))
        y += TITLE_ROW - ROW
        for class_, content, bars in self.rows(i):
            y += ROW
            color = {"value": GREEN, "gray": GRAY, "cost": INK}.get(class_, RED)
            parts.append(tag("text", text.xml(content), class_="ink" if class_ == "cost" else class_, x=left + PADDING,
                             y=y, fill=color, font_size=LINE, font_weight="bold" if class_ == "alarm" else None,
                             data_box=i if class_ in ("value", "gradient") else None))
            if class_ == "cost":
                parts.append(tag("rect", class_="share", x=right - BARS, y=y - 8, width=max(1.0, BARS * bars[0]),
                                 height=8.0, fill=SHARE))
            elif bars:
                parts.append(_histogram(bars, right - BARS, y, class_=class_, fill=color, data_box=i))
        if box.strip:
            parts.append(_strip(box.strip, left + PADDING, y + STRIP, width - 2 * PADDING))
        return tag("g", "".join(parts), class_="node", data_box=i, data_kind=box.kind.name,
                   data_link=box.link or None)

    def background(self) -> list[str]:
        """The frames of the modules, and what the colors mean."""
        parts = []
        for number, (begin, end) in self.frames.items():
            (left, top), (right, bottom) = self.at(*begin), self.at(*end)
            parts.append(tag("rect", class_="cluster", x=left, y=top, width=right - left, height=bottom - top, rx=8.0,
                             fill="#fafbfc", stroke="#b8c0c8", stroke_width=1.0)
                         + tag("text", text.xml(self.titles[number]), class_="gray", x=left + 8,
                               y=top + 14, fill=GRAY, font_size=LINE))
        (width, height), step = super().extent(), ROW + 4
        for line, entries in enumerate(self.legend_lines(width)):
            x, y = self.at(0.0, 0.0)
            y += height + STACK + step * (line + 1)
            for name in entries:
                class_ = f"box family-{name.replace(' ', '-')}"
                parts.append(tag("rect", class_=class_, x=x, y=y - 10, width=12.0, height=12.0, rx=2.0, stroke=INK,
                                 stroke_width=0.8, fill=FAMILIES[name][0])
                             + tag("text", name, class_="gray", x=x + 17, y=y, fill=GRAY, font_size=LINE))
                x += _legend_width(name)
        return parts

    def legend_lines(self, width: float) -> list[list[str]]:
        """The families in the picture, if there are several, in lines as wide as the picture."""
        found = [name for name in FAMILIES if any(box.family == name for box in self.picture.boxes)]
        lines: list[list[str]] = []
        free = 0.0
        for name in found if len(found) > 1 else []:
            if not lines or free + _legend_width(name) > width:
                lines.append([])
                free = 0.0
            lines[-1].append(name)
            free += _legend_width(name)
        return lines

    def extent(self) -> tuple[float, float]:
        """With the pile of the lowest box and the legend."""
        width, height = super().extent()
        lines = self.legend_lines(width)
        legend = max([sum(map(_legend_width, line)) for line in lines], default=0.0)
        return max(width, legend) + 4, height + 4 + (len(lines) * (ROW + 4) + STACK if lines else 0)

    def corners(self, i: int) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of a box."""
        (x, y), (width, height) = self.at(*self.centers[i]), self.sides_of(i)
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2


SHARE, SKIP = "#b34700", "#0072b2"


def _legend_width(name: str) -> float:
    return 17 + text.width(name, LINE) + 14


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
