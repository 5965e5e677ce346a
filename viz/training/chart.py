"""Curves as SVG, for pages and notebooks that have no Matplotlib."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from viz import text
from viz.svg import decimal, tag

COLORS = ("#0072b2", "#b34700", "#00703c", "#8a3a8f", "#6b6b6b")
DARK = ("#6bb8ff", "#ff9d5c", "#4fd08b", "#d79be0", "#a5afb8")
"""The same, to be read on black."""
WIDTH, HEIGHT = 380, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 26, 40
FEW = len(COLORS)
"""So many lines have names beside them; more are colored from blue (the first) to orange (the last)."""
DECADES = 8
"""A logarithmic axis shows no more than these below its largest number."""

STYLE = "\n".join([
    "@media (prefers-color-scheme: dark) {",
    " .chart .ink { fill: #f0f3f6 } .chart .gray { fill: #a5afb8 } .chart .axis { stroke: #59636d }",
    " .chart .paper { fill: #14171a }",
    *[f" .chart .line{k} {{ stroke: {color} }} .chart .fill{k} {{ fill: {color} }}" for k, color in enumerate(DARK)],
    "}", ".chart path:hover { stroke-width: 4 }"])


@dataclass
class Panel:
    """Lines over common axes.

    Attributes:
        title: what they show.
        lines: name -> x positions and numbers; what isn't finite leaves a gap.
        log: whether the numbers' axis is logarithmic; then numbers that are not positive leave gaps.
        guides: numbers at which a dashed line is drawn.
    """

    title: str
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    log: bool = False
    guides: Sequence[float] = ()


def grid(panels: Sequence[Panel], x: str = "step", columns: int = 2) -> str:
    """Panels side by side, as one SVG."""
    columns = max(1, min(columns, len(panels)))
    rows = -(-len(panels) // columns)
    parts = [tag("rect", class_="paper", x=0, y=0, width=columns * WIDTH, height=rows * HEIGHT, fill="#ffffff")]
    parts += [tag("g", draw(panel, x), transform=f"translate({k % columns * WIDTH} {k // columns * HEIGHT})")
              for k, panel in enumerate(panels)]
    return _svg("".join(parts), columns * WIDTH, rows * HEIGHT, ", ".join(panel.title for panel in panels))


def single(panel: Panel, x: str = "step") -> str:
    """One panel as an SVG of its own."""
    return _svg(draw(panel, x), WIDTH, HEIGHT, panel.title)


def _svg(content: str, width: int, height: int, title: str) -> str:
    inside = f"{tag('title', text.xml(title))}<style>{STYLE}</style>{content}"
    return tag("svg", inside, xmlns="http://www.w3.org/2000/svg", class_="chart",
               role="img", width=width, height=height, viewBox=f"0 0 {width} {height}",
               font_family="Helvetica, Arial, sans-serif", font_size=11)


def draw(panel: Panel, x: str) -> str:
    """Title, axes, lines; and the range of x, for who wants to draw something over it."""
    kept = {name: ([float(a) for a in positions], [_height(b, panel.log) for b in numbers])
            for name, (positions, numbers) in panel.lines.items()}
    across = [a for positions, _ in kept.values() for a in positions] or [0.0]
    up = [b for _, heights in kept.values() for b in heights if b is not None] or [0.0]
    left, right, low, high = min(across), max(across), min(up), max(up)
    if panel.log:
        low = math.floor(max(low, high - DECADES))
        high = max(math.ceil(high), low + 1)
    marks = _marks(low, high, panel.log)
    half = max(abs(low), 1) / 2
    low, high = (low, high) if high > low else (low - half, high + half)
    right = right if right > left else left + max(abs(left), 1)

    def place(a: float, b: float) -> tuple[float, float]:
        return (LEFT + (a - left) / (right - left) * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - (max(b, low) - low) / (high - low) * (HEIGHT - TOP - BOTTOM))
    bottom = HEIGHT - BOTTOM
    parts = [tag("text", text.xml(panel.title), class_="ink", x=LEFT, y=16, fill="#1a1a1a", font_size=13,
                 font_weight="bold"),
             tag("text", f"{left:,.6g}", class_="gray", x=LEFT, y=HEIGHT - 24, fill="#6b6b6b"),
             tag("text", text.xml(f"{x} {right:,.6g}"), class_="gray", x=WIDTH - RIGHT, y=HEIGHT - 24, fill="#6b6b6b",
                 text_anchor="end")]
    for mark in marks:
        y = place(left, mark)[1]
        parts.append(tag("path", class_="axis", d=f"M{LEFT} {decimal(y)}H{WIDTH - RIGHT}", stroke="#dde2e7",
                         stroke_width=1))
        parts.append(tag("text", text.xml(_power(mark) if panel.log else text.short_number(mark)), class_="gray",
                         x=LEFT - 6, y=y + 4, fill="#6b6b6b", text_anchor="end"))
    for guide in panel.guides:
        if low <= (level := math.log10(guide) if panel.log else guide) <= high:
            y = decimal(place(left, level)[1])
            parts.append(tag("path", class_="axis", d=f"M{LEFT} {y}H{WIDTH - RIGHT}", stroke="#6b6b6b",
                             stroke_dasharray="4 3", fill="none"))
    many = len(kept) > FEW
    for k, (name, (positions, heights)) in enumerate(kept.items()):
        points = [None if b is None else place(a, b) for a, b in zip(positions, heights, strict=True)]
        look = {"stroke": _between(k / (len(kept) - 1))} if many else {"stroke": COLORS[k], "class_": f"line{k}"}
        parts.append(tag("path", tag("title", text.xml(name or panel.title)), d=_path(points), fill="none",
                         stroke_width=1.2 if many else 1.8, stroke_linejoin="round", stroke_linecap="round",
                         data_name=name, **look))
    parts += _legend(list(kept), many)
    return tag("g", "".join(parts), data_left=left, data_right=right, data_bottom=bottom)


def _height(number: float, log: bool) -> float | None:
    number = float(number)
    if not math.isfinite(number) or (log and number <= 0):
        return None
    return math.log10(number) if log else number


def _marks(low: float, high: float, log: bool) -> list[float]:
    """Where the axis has numbers: powers of ten, or about four round numbers."""
    if log:
        step = max(1, round((high - low) / 4))
        return [low + k * step for k in range(int((high - low) / step) + 1)]
    if high <= low:
        return [low]
    unit = 10.0 ** math.floor(math.log10((high - low) / 3))
    step = next(unit * m for m in (1, 2, 5, 10) if (high - low) / (unit * m) <= 5.5)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _power(exponent: float) -> str:
    return f"1e{exponent:.0f}".replace("-", "−")


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """Through the points; a line so short that nobody would see it becomes a dot."""
    steps = []
    for k, (before, point) in enumerate(pairwise([None, *points])):
        if point is not None:
            x, y = map(decimal, point)
            lonely = before is None and (k + 1 == len(points) or points[k + 1] is None)
            steps.append(f"{'M' if before is None else 'L'}{x} {y}" + ("h0.1" if lonely else ""))
    return "".join(steps)


def _between(share: float) -> str:
    """From blue to orange."""
    first, last = ((0, 114, 178), (214, 94, 0))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(first, last, strict=True))


def _legend(names: list[str], many: bool) -> list[str]:
    """Names below the axis; for many lines only the first and the last."""
    if names in ([], [""]):
        return []
    if many:
        shown = [(names[0], {"fill": _between(0)}), ("…", {"fill": "#6b6b6b"}), (names[-1], {"fill": _between(1)})]
    else:
        shown = [(name, {"fill": COLORS[k], "class_": f"fill{k}"}) for k, name in enumerate(names)]
    parts, x = [], float(LEFT)
    for name, look in shown:
        label = text.shorten(name, 18)
        parts.append(tag("text", text.xml(label), x=x, y=HEIGHT - 8, **look))
        x += text.width(label, 11) + 12
    return parts
