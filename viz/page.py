"""The step player: one HTML page that needs nothing else, no network and no other file."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from viz import steps, text
from viz.picture import Picture


def write(picture: Picture, as_svg: Callable[[Picture], str]) -> str:
    """The page that shows a picture and steps through its forward and backward pass; closed modules open on a click."""
    views = {key: {"title": text.clean(inside.summary), "svg": as_svg(inside), **_data(inside)}
             for key, inside in picture.insides.items()}
    views[""] = {"title": "all", **_data(picture)}
    # A JSON text inside an element must not end it; ASCII alone also keeps lone surrogates out of the file.
    script = json.dumps(views, separators=(",", ":")).replace("<", "\\u003c")
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    page = template.replace("{{title}}", text.xml(picture.summary))
    before, between, after = page.replace("{{data}}", "{{svg}}").split("{{svg}}")
    return before + as_svg(picture) + between + script + after


def _data(picture: Picture) -> dict[str, Any]:
    return {"steps": [asdict(step) for step in picture.steps or steps.of_model(picture)],
            "wires": [[wire.source, wire.target] for wire in picture.wires]}
