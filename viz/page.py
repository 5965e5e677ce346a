"""The step player: one HTML page that needs nothing else, no network and no other file."""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from viz import steps, text
from viz.picture import Picture
from viz.svg import STYLE

MOST = 3_000_000
"""Characters of a page that still goes into the cell of a notebook."""
CHROME = 190
"""Height of what is around the figure of a page, in pixels."""


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


def in_cell(svg: str, page: str, summary: str) -> str:
    """A picture for a notebook: an image, and the page, which takes its place where scripts run.

    Sanitizers (GitHub, notebooks that are not trusted) leave the image. It has the colors of paper: what an image takes
    for the reader's mode is that of the system, not of the notebook. The page takes those of the notebook.
    """
    width, height = (float(svg.partition(f' {side}="')[2].partition('"')[0]) for side in ("width", "height"))
    paper = base64.b64encode(svg.replace(f"<style>{STYLE}</style>", "").encode()).decode()
    image = f'<img src="data:image/svg+xml;base64,{paper}" alt="{text.xml(summary)}" style="max-width:100%">'
    if len(page) > MOST:
        return f"<div>{image}</div>"
    shown = round(min(max(height * min(1.0, 900 / width), 160.0), 480.0)) + CHROME
    quoted = page.replace("&", "&amp;").replace('"', "&quot;")
    return (f'<div>{image}<iframe srcdoc="{quoted}" title="{text.xml(summary)}" '
            f'style="display:none;width:100%;height:{shown}px;border:0"></iframe></div>')


def _data(picture: Picture) -> dict[str, Any]:
    return {"steps": [asdict(step) for step in picture.steps or steps.of_model(picture)],
            "wires": [[wire.source, wire.target] for wire in picture.wires],
            "places": [[box.line, box.lookup] for box in picture.boxes]}
