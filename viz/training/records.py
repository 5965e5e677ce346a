"""What was recorded of a training: as lines of text, curves, a page with a slider, CSV and TensorBoard's files."""

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from viz import saving, text
from viz.training import chart, events
from viz.training.chart import Panel
from viz.training.moments import DEAD, GRADIENT, LOSS, RATE, RATIO, SATURATED, WEIGHT, Moment, Series, series, standing
from viz.training.sampling import sparkline

LINES = 12
"""So many places are shown as text."""
USUAL = 1e-3
"""An update, relative to the weights, that is neither slow nor fast (A. Karpathy's rule of thumb in CS231n)."""


def panels(moments: Sequence[Moment], logged: Series) -> list[Panel]:
    """The curves, without those that have nothing to show."""
    found = [Panel(LOSS, series(moments, LOSS))]
    found += [Panel(name, {"": points}) for name, points in logged.items()]
    found += [Panel("gradient, root mean square", series(moments, GRADIENT), log=True),
              Panel("update / weight", series(moments, RATIO), log=True, guides=(USUAL,)),
              Panel("dead units, share", series(moments, DEAD)), Panel("saturated, share", series(moments, SATURATED)),
              Panel("weight, root mean square", series(moments, WEIGHT)), Panel(RATE, series(moments, RATE))]
    return [panel for panel in found if panel.lines and not _flat(panel)]


def _flat(panel: Panel) -> bool:
    """Whether it says nothing: shares that are always zero, a learning rate that never changes."""
    numbers = {number for _, line in panel.lines.values() for number in line}
    return (panel.title.endswith("share") and numbers == {0.0}) or (panel.title == RATE and len(numbers) == 1)


def lines(moments: Sequence[Moment], logged: Series) -> str:
    """As text: a line for each place, its course as a sparkline and its last number."""
    if not moments:
        return "nothing recorded yet"
    last = moments[-1]
    found = [f"step {last.step:,}"]
    losses = [(f"{LOSS} {place}".rstrip(), points) for place, points in series(moments, LOSS).items()]
    found += [f"{name:<24} {sparkline(numbers)} {numbers[-1]:.4g}" for name, (_, numbers) in [*losses, *logged.items()]]
    gradients, ratios, dead = (series(moments, quantity) for quantity in (GRADIENT, RATIO, DEAD))
    if gradients:
        found.append(f"{'':<24} {'gradient':<30} update/weight")
    chosen = _some(list(gradients), standing(moments))
    found += [f"{text.shorten(place, 24):<24} " + " ".join(
        f"{sparkline([_log(x) for x in known[place][1]]):<20} {known[place][1][-1]:<9.1e}"
        for known in (gradients, ratios) if place in known).rstrip() for place in chosen]
    if len(chosen) < len(gradients):
        found.append(f"… {len(gradients) - len(chosen)} more parameters")
    found += [f"{text.shorten(place, 24):<24} {sparkline(shares):<20} {shares[-1]:.0%} of the units dead"
              for place, (_, shares) in dead.items() if max(shares) > 0]
    found += [f"⚠ {place}: {what}" for place, what in standing(moments).items()]
    return "\n".join(found)


def _log(x: float) -> float:
    return math.log10(x) if x > 0 else math.nan


def _some(places: list[str], wanted: Any) -> list[str]:
    """All, or the alarming ones and some from the first to the last."""
    if len(places) <= LINES:
        return places
    kept = [place for place in places if place in wanted][:LINES // 2]
    others = [place for place in places if place not in kept]
    count = LINES - len(kept)
    kept += [others[k * (len(others) - 1) // (count - 1)] for k in range(count)]
    return sorted(kept, key=places.index)


def svg(moments: Sequence[Moment], logged: Series) -> str:
    """The curves."""
    return chart.grid(panels(moments, logged) or [Panel("nothing recorded yet", {})])


def save(moments: Sequence[Moment], logged: Series, path: Path, title: str) -> Path:
    """Write a file (or the folder of TensorBoard's file) in the format that its suffix says.

    Raises:
        ValueError: no such format.
        OSError: the file cannot be written.
    """
    if not path.suffix:
        saving.save(path / "events.out.tfevents.0.gradcircuit", {".gradcircuit": lambda: tensorboard(moments, logged)},
                    "this")
        return path
    return saving.save(path, {
        ".html": lambda: page(moments, logged, title), ".csv": lambda: rows(moments, logged),
        ".svg": lambda: svg(moments, logged) + "\n"},
        "a training", ", or into a folder (a name without a suffix) for TensorBoard")


def rows(moments: Sequence[Moment], logged: Series) -> str:
    """CSV: step, quantity, place, number."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["step", "quantity", "place", "number"])
    for moment in moments:
        table.writerows([moment.step, quantity, place, repr(number)]
                        for quantity, places in moment.numbers.items() for place, number in places.items())
        table.writerows([moment.step, f"{kind} {what}", place, repr(getattr(d, what))]
                        for kind, places in moment.distributions.items() for place, d in places.items()
                        for what in ("mean", "std", "low", "high"))
    table.writerows([step, name, "", repr(number)] for name, points in logged.items()
                    for step, number in zip(*points, strict=True))
    return stream.getvalue()


def tensorboard(moments: Sequence[Moment], logged: Series) -> bytes:
    """An event file: tags are quantity/place."""
    def tag(quantity: str, place: str) -> str:
        return f"{quantity.replace('/', ' per ')}/{place}".rstrip("/")
    parts = [events.version()]
    parts += [events.event(
        moment.step,
        [(tag(quantity, place), x) for quantity, places in moment.numbers.items() for place, x in places.items()],
        [(tag(kind + "s", place), d) for kind, places in moment.distributions.items() for place, d in places.items()])
        for moment in moments]
    parts += [events.event(step, [(name, x)]) for name, points in logged.items()
              for step, x in zip(*points, strict=True)]
    return b"".join(parts)


def page(moments: Sequence[Moment], logged: Series, title: str) -> str:
    """One HTML page that needs nothing else: curves, and a table of all places at the step that a slider chooses."""
    places = _in_order(moments)
    data = {"steps": [moment.step for moment in moments], "places": places,
            "moments": [[_row(moment, place) for place in places] for moment in moments],
            "alarms": [moment.alarms for moment in moments]}
    # A JSON text inside an element must not end it.
    script = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    template = Path(__file__).with_name("records.html").read_text(encoding="utf-8")
    figures = "".join(f"<figure>{chart.single(panel)}</figure>" for panel in panels(moments, logged))
    before, between, after = template.replace("{{title}}", text.xml(title)).replace("{{data}}", "{{charts}}").split(
        "{{charts}}")
    return before + figures + between + script + after


def _in_order(moments: Sequence[Moment]) -> list[str]:
    """All places, modules as they were called, and after each its parameters."""
    kinds = [moment.distributions for moment in moments]
    modules = dict.fromkeys(place for kind in kinds for place in kind.get("activation", ()))
    parameters = dict.fromkeys(place for kind in kinds for place in kind.get("weight", ()))
    owners = {place: place.rpartition(".")[0] for place in parameters}
    return [*(place for place, owner in owners.items() if owner not in modules),
            *(place for module in modules
              for place in (module, *(name for name, owner in owners.items() if owner == module)))]


def _row(moment: Moment, place: str) -> list[str]:
    """What the table says of a place: values, their bars, gradient, its bars, update, what else is to be noted."""
    cells = []
    for kinds in (("activation", "weight"), ("gradient",)):
        d = next((d for kind in kinds if (d := moment.distributions.get(kind, {}).get(place))), None)
        cells += [f"{d.mean:.2g} ± {d.std:.2g}", f"{d.low:.2g} … {d.high:.2g}", d.bars] if d else ["", "", ""]
    ratio, gradient = moment.of(RATIO).get(place), moment.of(GRADIENT).get(place)
    cells[3] = "" if gradient is None else f"{gradient:.1e}"
    shares = [f"{share:.0%} {what}" for what in (DEAD, SATURATED) if (share := moment.of(what).get(place))]
    return [*(cell.replace("-", "−") for cell in cells), "" if ratio is None else f"{ratio:.1e}".replace("-", "−"),
            ", ".join(shares)]
