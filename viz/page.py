"""The step player: one HTML page that needs nothing else, no network and no other file."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from viz import text
from viz.picture import Picture


@cache
def _template() -> str:
    return Path(__file__).with_name("page.html").read_text(encoding="utf-8")


def write(picture: Picture, as_svg: Callable[[Picture], str]) -> str:
    """The page that shows a picture and steps through its forward and backward pass; closed modules open on a click."""
    views = {key: {"title": text.clean(inside.summary), "svg": as_svg(inside), **_data(inside)}
             for key, inside in picture.insides.items()}
    views[""] = {"title": "all", **_data(picture)}
    # A JSON text inside an element must not end it; ASCII alone also keeps lone surrogates out of the file.
    script = json.dumps(views, separators=(",", ":")).replace("<", "\\u003c")
    page = _template().replace("{{title}}", text.xml(picture.summary))
    before, between, after = page.replace("{{data}}", "{{svg}}").split("{{svg}}")
    return before + as_svg(picture) + between + script + after


def _data(picture: Picture) -> dict:
    return {"steps": picture.steps or _of_a_model(picture), "wires": [[w.source, w.target] for w in picture.wires]}


def _of_a_model(picture: Picture) -> list[dict]:
    """Forward and back through the boxes of a model, whose texts say it all."""
    found = []
    inputs = [i for i, box in enumerate(picture.boxes) if box.kind not in ("operation", "module")]
    found.append({"phase": "forward", "title": "Inputs and parameters are given.", "lines": [], "box": -1, "wires": [],
                  "shows": {f"v{i}": picture.boxes[i].value for i in inputs}})
    gates = [i for i in range(len(picture.boxes)) if i not in set(inputs)]
    for i in gates:
        box = picture.boxes[i]
        found.append({"phase": "forward", "title": box.label, "lines": [*box.lines, f"value {box.value}"], "box": i,
                      "wires": [k for k, wire in enumerate(picture.wires) if wire.target == i],
                      "shows": {f"v{i}": box.value}})
    for i in reversed(gates):
        box = picture.boxes[i]
        wires = [k for k, wire in enumerate(picture.wires) if wire.target == i]
        sources = dict.fromkeys(picture.wires[k].source for k in wires)
        shows = {f"g{i}": box.gradient} | {f"g{s}": picture.boxes[s].gradient for s in sources if s in inputs}
        found.append({"phase": "backward", "title": f"Back through {box.label}", "box": i, "wires": wires,
                      "lines": [f"gradient of the result: {box.gradient}"], "shows": shows})
    return found
