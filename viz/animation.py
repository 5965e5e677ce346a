"""Training in the circuit: a small picture over the steps, with values, gradients and the decision boundary."""

import io
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Tensor, get_default_dtype, no_grad
from viz import names, saving, text
from viz.drawing import Drawing
from viz.picture import CIRCUIT, GATE, Picture
from viz.svg import GRAY, MARGIN, PAPER, SANS, STYLE, decimal, tag
from viz.svg_circuit import CircuitWriter
from viz.training.chart import COLORS
from viz.untouched import untouched

PLANE, CELLS = 220, 44
"""Side of the decision boundary's picture in pixels, and cells along it."""
CAPTION = 26.0
_MOVES = re.compile(r'<text [^>]*\bclass="(?:value|gradient|contribution|ink)"[^>]*>[^<]*</text>')
"""Numbers, and the signs in gates, which may hold a number too."""


class Animation:
    """The drawings of one circuit at several steps, one after the other.

    Args:
        points: (N, 2), the examples, for the decision boundary.
        labels: (N,), their classes, from 0.
        seconds: how long a step is shown.

    Raises:
        ValueError: points of another shape, or another number of labels.

    >>> w = Tensor(3.0, requires_grad=True)
    >>> film = Animation()
    >>> for step in range(3):
    ...     loss = (w - 1) ** 2
    ...     film.add(draw(loss))
    ...     _ = w.data.sub_(0.5 * (w.item() - 1))
    >>> film.save("descent.svg").name
    'descent.svg'
    """

    def __init__(self, points: Any = None, labels: Any = None, *, seconds: float = 0.4) -> None:
        self.seconds = seconds
        self.pictures: list[Picture] = []
        self.captions: list[str] = []
        self.planes: list[str] = []
        self.points = None if points is None else np.asarray(points, dtype=np.float64)
        self.labels = np.asarray([] if labels is None else labels).reshape(-1).astype(np.int64)
        if self.points is not None and (self.points.ndim != 2 or self.points.shape[1] != 2):
            raise ValueError(f"points must have shape (N, 2), for a picture of the plane, not {self.points.shape}")
        if len(self.labels) != (0 if self.points is None else len(self.points)):
            raise ValueError(f"{0 if self.points is None else len(self.points)} points need as many labels, not "
                             f"{len(self.labels)}")

    def add(self, drawing: Drawing, decide: Callable[[Tensor], Tensor] | None = None, caption: str = "") -> None:
        """Add a step.

        Args:
            drawing: of the circuit at this step.
            decide: takes (N, 2) points and gives their scores: (N,) or (N, 1), class 1 where positive; or (N, C), the
                class of the largest. Called with the model as it is now; nothing is recorded.
            caption: below the picture; by default the number of the step.

        Raises:
            ValueError: not the same circuit as before, or a boundary without points.
        """
        picture = drawing.picture
        if picture.style is not CIRCUIT:
            raise ValueError("an animation shows a circuit, and this is the drawing of a model; draw it with "
                             "style='circuit'")
        if self.pictures and _structure(picture) != _structure(self.pictures[0]):
            raise ValueError(f"an animation shows one circuit over time, but after {self.pictures[0].summary} comes "
                             f"{picture.summary}; let every step compute the same")
        if (decide is None) != (self.points is None):
            raise ValueError("a decision boundary needs points and a function: Animation(points, labels), and "
                             "add(drawing, decide) at every step")
        self.pictures.append(picture)
        self.captions.append(caption or f"step {len(self.pictures) - 1}")
        self.planes.append(self._boundary(decide) if decide else "")

    def __repr__(self) -> str:
        return f"<Animation: {len(self.pictures)} steps of {self.pictures[0].summary if self.pictures else 'nothing'}>"

    def __str__(self) -> str:
        return self._svg(range(len(self.pictures)))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": str(self), "text/plain": repr(self)}

    def save(self, path: str | Path) -> Path:
        """Write it to a file, in the format that the suffix says, and return the path.

        `.svg`, which moves in every browser, and stands still at the last step for readers who want no motion; `.gif`
        after `pip install 'gradcircuit[images]'`; `.mp4`, which also needs the program ffmpeg.

        Raises:
            ValueError: no such format, or no steps.
            ImportError: CairoSVG or ffmpeg is missing.
            OSError: the file cannot be written; one that was there is untouched.
        """
        if not self.pictures:
            raise ValueError("this animation has no steps; add(draw(loss)) at every step of the training")
        return saving.save(path, {".svg": lambda: f"{self}\n", ".gif": self._gif, ".mp4": self._mp4}, "an animation")

    # The picture

    def _svg(self, steps: Sequence[int]) -> str:
        """Some steps; what is the same in all of them is written once."""
        writer = CircuitWriter(_widest(self.pictures))
        boxes, wires = range(len(writer.picture.boxes)), range(len(writer.picture.wires))
        width, height = (2 * MARGIN + side for side in writer.extent())
        still, dots = "", ""
        moving: list[list[str]] = []
        for step in steps:
            writer.picture = self.pictures[step]
            parts = [*map(writer.wire, wires), *map(writer.fork, writer.forks()), *map(writer.box, boxes)]
            drawn = re.sub("<title>.*?</title>", "", "\n".join(parts), flags=re.DOTALL)
            still = _MOVES.sub("", drawn)
            moving.append(_MOVES.findall(drawn))
        if self.points is not None:
            dots = tag("g", self._dots(), transform=f"translate({decimal(width)} 16)")
            for step, numbers in zip(steps, moving, strict=True):
                numbers.insert(0, tag("g", self.planes[step], transform=f"translate({decimal(width)} 16)"))
            width, height = width + PLANE + MARGIN, max(height, PLANE + 32.0)
        for step, numbers in zip(steps, moving, strict=True):
            numbers.append(tag("text", text.xml(self.captions[step]), class_="gray", x=MARGIN, y=height + 10, fill=GRAY,
                               font_size=14.0))
        height += CAPTION
        paper = tag("rect", class_="paper", x=0.0, y=0.0, width=width, height=height, fill=PAPER)
        frames = "\n".join(self._frame(k, len(steps), "".join(numbers)) for k, numbers in enumerate(moving))
        content = [tag("title", text.xml(f"{self.pictures[0].summary} over {len(steps)} steps")),
                   f"<style>{STYLE}{self._motion(len(steps))}</style>", paper, still, frames, dots]
        return tag("svg", "\n" + "\n".join(content) + "\n", xmlns="http://www.w3.org/2000/svg", class_="gradcircuit",
                   role="img", width=width, height=height, viewBox=f"0 0 {decimal(width)} {decimal(height)}",
                   font_family=SANS)

    def _frame(self, k: int, count: int, content: str) -> str:
        """What is seen at one step. Programs that know no animation show the last."""
        delay = f"animation-delay:{(k - count) * self.seconds:.2f}s"
        last = k == count - 1
        return tag("g", content, class_="frame last" if last else "frame", visibility=None if last else "hidden",
                   style=delay)

    def _motion(self, count: int) -> str:
        if count == 1:
            return ""
        return (f"@keyframes frame {{ 0% {{ visibility: visible }} {100 / count:.4f}% {{ visibility: hidden }} }}\n"
                f".frame {{ visibility: hidden; animation: frame {count * self.seconds:.2f}s step-end infinite }}\n"
                "@media (prefers-reduced-motion: reduce), print { .frame { animation: none } "
                ".last { visibility: visible } }\n")

    # The decision boundary

    def _range(self) -> tuple[np.ndarray, np.ndarray]:
        assert self.points is not None
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        middle, half = (low + high) / 2, 0.6 * max(float((high - low).max()), 1e-9)
        return middle - half, middle + half

    def _boundary(self, decide: Callable[[Tensor], Tensor]) -> str:
        """The plane in the colors of the classes."""
        low, high = self._range()
        across, up = (a + (np.arange(CELLS) + 0.5) / CELLS * (b - a) for a, b in zip(low, high, strict=True))
        grid = np.stack(np.meshgrid(across, up[::-1]), axis=-1).reshape(-1, 2)
        with no_grad(), untouched(names.all_modules({}, decide)):
            scores = np.asarray(decide(Tensor(grid.astype(get_default_dtype()))).detach())
        if scores.shape not in ((len(grid),), (len(grid), 1)) and not (scores.ndim == 2 and len(scores) == len(grid)):
            raise ValueError(f"decide must give a score for each of {len(grid)} points, shape ({len(grid)},) or "
                             f"({len(grid)}, C), not {scores.shape}")
        scores = scores.reshape(len(grid), -1)
        classes = (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)
        side = PLANE / CELLS
        paths = []
        for label in np.unique(classes):
            rows = np.pad(classes.reshape(CELLS, CELLS) == label, ((0, 0), (1, 1))).astype(int)
            runs = [(row, start, end) for row, line in enumerate(np.diff(rows, axis=1))
                    for start, end in zip(np.flatnonzero(line == 1), np.flatnonzero(line == -1), strict=True)]
            path = "".join(f"M{decimal(start * side)} {decimal(row * side)}H{decimal(end * side)}v{decimal(side)}"
                           f"H{decimal(start * side)}z" for row, start, end in runs)
            paths.append(tag("path", d=path, fill=COLORS[label % len(COLORS)], fill_opacity=0.3,
                             shape_rendering="crispEdges"))
        return "".join(paths)

    def _dots(self) -> str:
        assert self.points is not None
        low, high = self._range()
        frame = tag("rect", class_="axis", x=0.0, y=0.0, width=float(PLANE), height=float(PLANE), fill="none",
                    stroke=GRAY)
        places = (self.points - low) / (high - low) * PLANE
        return frame + "".join(
            tag("circle", cx=float(x), cy=float(PLANE - y), r=3.0, fill=COLORS[label % len(COLORS)], stroke=PAPER,
                stroke_width=0.8) for (x, y), label in zip(places, self.labels, strict=True))

    # Other formats

    def _pngs(self) -> list[bytes]:
        return [saving.converted(self._svg([step]), "png") for step in range(len(self.pictures))]

    def _gif(self) -> bytes:
        pngs = self._pngs()
        from PIL import Image  # CairoSVG brings it
        first, *others = (Image.open(io.BytesIO(png)).convert("P", palette=Image.Palette.ADAPTIVE) for png in pngs)
        file = io.BytesIO()
        first.save(file, format="GIF", save_all=True, append_images=others, duration=round(1000 * self.seconds), loop=0)
        return file.getvalue()

    def _mp4(self) -> bytes:
        if (ffmpeg := shutil.which("ffmpeg")) is None:
            raise ImportError("saving as .mp4 needs the program ffmpeg (https://ffmpeg.org) on the PATH; .svg needs "
                              "nothing, and .gif only 'gradcircuit[images]'")
        done = subprocess.run(
            [ffmpeg, "-loglevel", "error", "-f", "image2pipe", "-framerate", f"{1 / self.seconds:g}", "-i", "-",
             "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "frag_keyframe+empty_moov",
             "-f", "mp4", "-"], input=b"".join(self._pngs()), capture_output=True, check=False)
        if done.returncode:
            raise OSError(f"ffmpeg could not write the film: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout


def _structure(picture: Picture) -> tuple:
    return ([(box.kind, box.name, box.kind is not GATE and box.label) for box in picture.boxes],
            [(wire.source, wire.target, wire.argument) for wire in picture.wires])


def _widest(pictures: Sequence[Picture]) -> Picture:
    """With the longest text that each place ever has, so that there is room for all of them."""
    widest = deepcopy(pictures[0])
    for i, box in enumerate(widest.boxes):
        for what in ("value", "gradient", "label"):
            setattr(box, what, max((getattr(picture.boxes[i], what) for picture in pictures), key=len))
    for k, wire in enumerate(widest.wires):
        wire.contribution = max((picture.wires[k].contribution for picture in pictures), key=len)
    return widest
