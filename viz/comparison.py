"""What differs between two passes through the same net: `diff` draws the second, and what has changed glows."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import partial
from typing import Any

import numpy as np

from autograd import Graph, Node, Tensor
from viz import text
from viz.drawing import Drawing, draw
from viz.flow import logarithmic, norm_of
from viz.model import ModelReading
from viz.picture import Box, Picture
from viz.reading import Reading, arguments
from viz.text import short_number


def diff(before: Tensor | Graph, after: Tensor, **options: Any) -> Drawing:
    """Draw what an output was computed from, and how its values and gradients differ from those of another pass.

    The passes are those of one net before and after a step, with two seeds, in float32 and float16, or of two
    checkpoints. Operations are matched by their names, in order. A box glows the stronger the more it has changed,
    relative to its size; the scale is logarithmic, and at the top of the picture. A circuit shows both numbers.

    Args:
        before: the other output. If something that it was computed from is changed in between, as a step changes the
            weights, a `Graph` after `forward()` and `backward()`, which holds the numbers of that time.
        after: the output that is drawn.
        options: as for `draw`.

    Raises:
        RuntimeError: nothing was recorded, the graph has been released, or `before` has been changed since.
        ValueError: no operation of the one is in the other; there would be more boxes than `limit`.

    >>> w, x = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    >>> before = Graph(w * x)
    >>> numbers = before.forward(), before.backward()
    >>> w.data -= 0.5
    >>> [box.value for box in diff(before, w * x).picture.boxes if box.value]
    ['2.00 → 1.50', '3.00', '6.00 → 4.50']
    """
    graph = before if isinstance(before, Graph) else Graph(before)
    if not (graph.values and graph.gradients) and any(True for _ in graph.changed()):
        raise RuntimeError("what the first output was computed from has been changed in place since, for example by an "
                           "optimizer step. Keep the numbers before the change: before = autograd.Graph(loss); "
                           "before.forward(); before.backward(); then diff(before, ...)")
    with np.errstate(all="ignore"):
        if not graph.values:
            graph.recall()
        if not graph.gradients:
            graph.backward()
    return draw(after, overlay=partial(_lay, graph), **options)


def _lay(before: Graph, picture: Picture, reading: Reading) -> None:
    """Write the changes into the boxes of a picture and of all that opens in it."""
    partner = dict(_matched(before, reading.graph))
    if not partner:
        raise ValueError("the two outputs have no operation in common: diff() compares two passes through one net")
    pictures, was = [picture, *picture.insides.values()], partial(_then, before, partner)
    boxes = [box for each in pictures for box in each.boxes]

    def changed(origin: Any) -> float:
        if isinstance(origin, Node) and id(origin) not in partner:
            return 1.0
        return max((_change(then, _now(reading, origin, part)) for part in ("value", "gradient")
                    for then in was(origin, part)), default=0.0)
    changes = {id(box): max(map(changed, _covered(reading, box)), default=0.0) for box in boxes}
    picture.scale = logarithmic("relative change", changes.values())
    for each in pictures:
        each.scale = picture.scale
        texts = [(f"{part[0]}{i}", box, part) for i, box in enumerate(each.boxes) for part in ("value", "gradient")]
        single = {key: getattr(box, part) for key, box, part in texts}
        for box in each.boxes:
            box.glow = picture.scale.color(changes[id(box)]) if changes[id(box)] else ""
            _say(reading, box, was, partner)
        both = {key: getattr(box, part) for key, box, part in texts}
        for step in each.steps:
            step.shows.update({key: both[key] for key, shown in step.shows.items() if shown == single.get(key)})
        for wire in each.wires:
            if change := changes[id(each.boxes[wire.source])]:
                wire.color, wire.width = picture.scale.color(change), picture.scale.width(change)
                wire.note = f"changed by {_percent(change)}"
    most = max(picture.boxes, key=lambda box: changes[id(box)], default=None)
    new = sum(id(node) not in partner for node in reading.graph.nodes)
    missing = len(before.nodes) - sum(isinstance(origin, Node) for origin in partner.values())
    picture.summary += "; nothing has changed" if most is None or not changes[id(most)] else (
        f"; changed most: {most.name or most.label} by {_percent(changes[id(most)])}")
    for count, where in ((missing, "first"), (new, "second")):
        picture.summary += f"; {count} operation{'s' * (count > 1)} only in the {where}" * bool(count)


def _matched(before: Graph, after: Graph) -> Iterator[tuple[int, Any]]:
    """The id of each origin in the second graph, and what stands for it in the first."""
    first, second = ([node.name for node in graph.nodes] for graph in (before, after))
    for a, b, size in SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks():
        for old, new in zip(before.nodes[a:a + size], after.nodes[b:b + size], strict=True):
            yield id(new), old
            for (_, was), (_, now) in zip(arguments(old), arguments(new), strict=False):
                if not isinstance(was, Node) and not isinstance(now, Node) and now is not None:
                    yield id(now), was


def _covered(reading: Reading, box: Box) -> list[Any]:
    """What a box stands for; an output's end stands for nothing."""
    origin = reading.origin_of.get(id(box))
    return reading.covered.get(id(box)) or ([] if origin is None else [origin])


def _then(before: Graph, partner: dict[int, Any], origin: Any, part: str) -> tuple[Any, ...]:
    """A value or gradient of the first pass; nothing if it has none."""
    if id(origin) not in partner:
        return ()
    old = partner[id(origin)]
    known = before.values if part == "value" else before.gradients
    array = known.get(old) if isinstance(old, (Node, Tensor)) else old if part == "value" else None
    return () if array is None or isinstance(array, (tuple, dict)) else (np.asarray(array),)


def _now(reading: Reading, origin: Any, part: str) -> Any:
    array = reading.value(origin) if part == "value" else reading.gradient(origin)
    return None if array is None or isinstance(array, (tuple, dict)) else np.asarray(array)


def _change(was: np.ndarray, now: np.ndarray | None) -> float:
    """The norm of the difference, relative to the larger of both; 1 where shapes differ."""
    if now is None or was.shape != now.shape:
        return 1.0
    if was.dtype.kind not in "fiub" or (was.dtype == now.dtype and np.array_equal(was, now, equal_nan=True)):
        return 0.0
    with np.errstate(all="ignore"):
        difference = norm_of([now.astype(np.float64) - was.astype(np.float64)])
    return difference / (max(norm_of([was]), norm_of([now])) or 1.0) if np.isfinite(difference) else np.inf


def _say(reading: Reading, box: Box, was: Any, partner: dict[int, Any]) -> None:
    """What has changed, in the place of what is."""
    origin = reading.origin_of.get(id(box))
    if origin is None:
        return
    if id(origin) not in partner:
        box.lines = (*box.lines, "only in the second")
        return
    for part, bars in (("value", "value_bars"), ("gradient", "gradient_bars")):
        now, then = _now(reading, origin, part), was(origin, part)
        if now is None or not then:
            continue
        if isinstance(reading, ModelReading):
            setattr(box, part, _difference(then[0], now))
            setattr(box, bars, ())
        else:
            numbers = [text.values(then[0]), text.values(now)]
            setattr(box, part, " → ".join(dict.fromkeys(numbers)))
    box.note += f"; value {box.value}, {box.gradient_in_words()}"


def _difference(was: np.ndarray, now: np.ndarray) -> str:
    if was.shape != now.shape:
        return f"was {text.shape(was.shape)}"
    change = _change(was, now)
    if not change:
        return "unchanged"
    if not np.isfinite(change):
        return "changed by NaN or infinity"
    if now.size == 1:
        return f"{text.number(was)} → {text.number(now)}"
    largest = float(np.abs(now.astype(np.float64) - was.astype(np.float64)).max())
    return f"changed by {_percent(change)}, at most {short_number(largest, 2)}"


def _percent(share: float) -> str:
    if not np.isfinite(share):
        return "NaN or infinity"
    return f"{100 * share:.0f}%" if share >= 0.1 else f"{short_number(100 * share, 2)}%"
