"""Gradient flow: how much of the gradient comes back along every wire, in color, width and numbers."""

import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Node, Tensor
from viz.drawing import Drawing, draw
from viz.model import Model, ModelReading
from viz.picture import PARAMETER, Bar, Box, Picture, Scale, Wire
from viz.reading import Reading
from viz.scopes import operations, readable_depth
from viz.text import short_number

DECADES = 2.0, 6.0
"""The least and the greatest range of the scale, in powers of ten."""


def flow(*what: Any, **options: Any) -> Drawing:
    """Draw a graph as `draw` does, and on each wire the norm of the gradient that comes back along it.

    Wires are the wider and the redder the larger the norm; the scale is logarithmic, and at the top of the picture. A
    dashed wire brings nothing. Boxes say the norm of the gradient that arrives, parameters also how large it is beside
    their own norm. Blocks that are folded show a bar for each: one a layer, or one a time step, where the same module
    is called again and again; in the page (.html) a click on a bar opens that one. A recurrent layer shows a bar for
    each step.

    Args:
        what: as for `draw`.
        options: as for `draw`.

    Raises:
        RuntimeError: nothing was recorded, or the graph has been released.
        ValueError: there would be more boxes than `limit`.

    >>> w, x = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    >>> [wire.note for wire in flow(w * x).picture.wires]
    ['gradient: norm 3', 'gradient: norm 2', 'gradient: norm 1']
    """
    return draw(*what, overlay=_lay, **options)


def _lay(picture: Picture, reading: Reading) -> None:
    """Color the wires of a picture and of all that opens in it."""
    if isinstance(reading, ModelReading):
        _open_rounds(reading)
    pictures = [picture, *picture.insides.values()]
    wires = [wire for each in pictures for wire in each.wires]
    boxes = [box for each in pictures for box in each.boxes]
    norms = {id(wire): _of_wire(reading, wire) for wire in wires}
    strips = {id(box): _strip(reading, box) for box in boxes}
    picture.scale = logarithmic("norm of the gradient", [*norms.values(), *itertools.chain(*strips.values())])
    for each in pictures:
        each.scale = picture.scale
        for wire in each.wires:
            norm = norms[id(wire)]
            wire.color, wire.width, wire.dash = picture.scale.color(norm), picture.scale.width(norm), not norm
            wire.note = f"gradient: norm {short_number(norm, 2)}" if norm else "no gradient comes back here"
        for box in each.boxes:
            if isinstance(reading, ModelReading):
                _say(reading, box)
            calls = [reading.link(call) for call in reading.rounds.get(id(box), ())]
            box.strip = tuple(
                Bar(picture.scale.share(norm), picture.scale.color(norm),
                    f"{label}gradient: norm {short_number(norm, 2)}", link)
                for norm, label, link in itertools.zip_longest(
                    strips[id(box)], [f"{call.partition('@')[0]}, " for call in calls], calls, fillvalue="")
                if isinstance(norm, float))


def _open_rounds(reading: ModelReading) -> None:
    """A picture of each folded call, to be opened by its bar."""
    waiting = list(reading.rounds.values())
    known = len(reading.rounds)
    for call in itertools.chain(*waiting):
        key = reading.link(call)
        if key not in reading.insides:
            reading.insides[key] = Model(reading, call, readable_depth(call)).picture
    if len(reading.rounds) > known:  # of what is folded inside, one level is enough
        for call in itertools.chain(*list(reading.rounds.values())[known:]):
            reading.insides.setdefault(reading.link(call), Model(reading, call, 0).picture)


def _of_wire(reading: Reading, wire: Wire) -> float:
    """The norm of all that comes back along a wire; an output's own gradient is 1."""
    uses = reading.uses.get(id(wire))
    if uses is None:
        return 1.0
    return norm_of(reading.graph.contributions.get(use) for use in uses)


def _strip(reading: Reading, box: Box) -> list[float]:
    """The norm at the end of each folded call, or at each step of a recurrent layer."""
    rounds = reading.rounds.get(id(box))
    if rounds:
        last = [list(operations(call))[-1] for call in rounds]
        return [norm_of([reading.graph.gradients.get(node)]) for node in last]
    origin = reading.origin_of.get(id(box))
    if isinstance(origin, Node) and origin.parents and isinstance(origin.parents[0], Node):
        origin = origin.parents[0] if origin.parents[0].name.endswith("_sequence") else origin
    if isinstance(origin, Node) and origin.name.endswith("_sequence"):
        sent = reading.graph.contributions.get((origin, 0))
        arrived = reading.graph.gradients.get(origin)
        steps = sent if sent is not None else arrived.get(0) if isinstance(arrived, dict) else arrived
        return [] if steps is None or np.ndim(steps) < 2 else [norm_of([step]) for step in steps]
    return []


def _say(reading: ModelReading, box: Box) -> None:
    """The norm of the gradient instead of statistics."""
    origin = reading.origin_of.get(id(box))
    box.value, box.value_bars = "", ()
    gradient = None if origin is None else reading.gradient(origin)
    if gradient is None:
        return
    norm = norm_of([gradient])
    box.gradient, box.gradient_bars = f"norm {short_number(norm, 2)}", ()
    if box.kind is PARAMETER and isinstance(origin, Tensor) and (own := norm_of([reading.value(origin)])):
        box.gradient += f", {short_number(norm / own, 2)} of the weights"


def norm_of(parts: Iterable[Any]) -> float:
    """The Euclidean norm of some arrays together; of None and of several outputs, too."""
    total = 0.0
    for part in parts:
        for array in part.values() if isinstance(part, dict) else () if part is None else (part,):
            numbers = np.asarray(array, np.float64).ravel()
            largest = float(np.abs(numbers).max(initial=0.0))
            if largest and math.isfinite(largest):
                numbers = numbers / largest
                total = math.hypot(total, largest * math.sqrt(float(numbers @ numbers)))
            else:
                total += largest
    return total


def logarithmic(title: str, sizes: Iterable[float]) -> Scale:
    """A scale from the least to the greatest of some numbers, as far as `DECADES` allow."""
    sizes = [size for size in sizes if size and math.isfinite(size)]
    high = max(sizes, default=1.0)
    least, most = DECADES
    low = min(max(min(sizes, default=1.0), high * 10 ** -most), high * 10 ** -least)
    return Scale(title, low, high, short_number(low, 2), short_number(high, 2))
