"""examples/README.md: a table of the gallery, written from the files and from what their last full runs reached."""

import json
import re
from collections.abc import Mapping
from inspect import signature
from itertools import groupby
from pathlib import Path

from examples import data
from examples.gallery import HERE, Example, Run

README, RESULTS, THUMBNAILS = HERE / "README.md", HERE / "results.json", HERE / "thumbnails"


def number(value: float, unit: str = "") -> str:
    """A number with its unit."""
    return f"{value:.4g} {unit}".rstrip()


def results(reached: Mapping[str, tuple[float, str]]) -> str:
    """All numbers of a run in one line."""
    return "; ".join([f"{name} {number(*value)}" for name, value in reached.items()])


def kept() -> dict[str, dict]:
    """What the last full runs reached, by name."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def keep(run: Run) -> None:
    """Note what a run reached, and make its picture's thumbnail."""
    reached = kept() | {run.name: {"seconds": round(run.seconds, 1), "held": run.held, "results": run.results,
                                   "picture": thumbnail(run.pictures[0])}}
    lines = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in sorted(reached.items())]
    RESULTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")  # a line each, which git can merge


def thumbnail(picture: Path) -> str:
    """The name of a small copy of a picture: a few kilobytes."""
    THUMBNAILS.mkdir(exist_ok=True)
    if picture.suffix == ".svg":
        small = THUMBNAILS / picture.name
        small.write_text(picture.read_text(encoding="utf-8"), encoding="utf-8")
    else:
        from PIL import Image  # Matplotlib brings it
        small = THUMBNAILS / f"{picture.stem}.webp"
        with Image.open(picture) as image:
            image = image.convert("RGB")
            image.thumbnail((480, 300))
            image.save(small, quality=60)
    return small.name


def text(examples: Mapping[str, Example]) -> str:
    """The page: a table a chapter, and an index from the notes' words to files."""
    reached = kept()
    lines = [
        "# The gallery", "",
        "What the notes of Stanford's CS231n teach, each in one file: model, loss, loop, picture, and a claim that is",
        "checked. `make gallery` runs all in full, with seed 0, and writes this page. `python -m examples` lists all;",
        "`python -m examples NAME --seed 1` runs one, with its picture in `out/`.",
        "Seconds are those of the machine that did, of two cores. \\[[index](#index)\\]"]
    for chapter, members in groupby(examples.values(), key=lambda example: example.chapter):
        lines += ["", f"## {chapter[3:].replace('_', ' ').capitalize()}", "",
                  "| | what it shows | data | lines | s | result | claim |",
                  "| --- | --- | --- | --: | --: | --- | --- |"]
        lines += [entry(example, reached.get(example.name, {})) for example in members]
    index: dict[str, list[str]] = {}
    for example in examples.values():
        for system in example.systems:
            index.setdefault(system, []).append(link(example))
    lines += ["", "## Index", ""]
    lines += [f"- {system}: {', '.join(index[system])}" for system in sorted(index, key=str.casefold)]
    return "\n".join(lines) + "\n"


def entry(example: Example, reached: dict) -> str:
    """An example's row."""
    source = example.path.read_text(encoding="utf-8")
    used = dict.fromkeys(re.findall(r"\bdata\.(\w+)\(", source))  # once each, in order
    helpers = {"axis", "image", "images"}  # what takes one of these draws or changes images that are there
    described = [getattr(data, name).__doc__.partition(":")[0] for name in used
                 if name != "package_file" and not helpers & {*signature(getattr(data, name)).parameters}]
    packages = dict.fromkeys(re.findall(r'\bdata\.package_file\("(.+?)"', source))
    sources = "; ".join([" ".join(text.split()) for text in described] + [f"package {name}" for name in packages])
    picture = f'<img src="thumbnails/{reached["picture"]}" width="240">' if reached else ""
    cells = [picture, f"{link(example)}: {example.doc.splitlines()[0]}", sources, len(source.splitlines()),
             reached.get("seconds", ""), results(reached.get("results", {})), example.claim]
    return f"| {' | '.join([str(cell).replace('|', chr(92) + '|') for cell in cells])} |"


def link(example: Example) -> str:
    """Where the file is."""
    return f"[{example.name}]({example.chapter}/{example.path.name})"


def write(examples: Mapping[str, Example]) -> None:
    """Write the page."""
    README.write_text(text(examples), encoding="utf-8")
