"""An image with what was found in it: boxes, masks, key points, heat; attention over an image or over words.

By Matplotlib (the extra `gradcircuit[plots]`): each function returns a Figure.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import ShapeError
from viz.figures.plots import COLORS, DIVERGING, GRAYS, Numbers, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEAT = "inferno"
COLUMNS, LINE = 6, 90
"""Images beside each other and letters in a line, at most, where attention is shown."""


def image(image: Any, *, boxes: Numbers | None = None, labels: Sequence[object] | None = None,
          scores: Numbers | None = None, masks: Numbers | None = None, keypoints: Numbers | None = None,
          heat: Numbers | None = None, title: str = "") -> "Figure":
    """One image, and what was found in it.

    Args:
        image: (H, W), (1, H, W), (3, H, W) or (H, W, 3): a Tensor, an array or a PIL image. Bytes are 0 to 255,
            floating numbers 0 to 1; if some lie outside, all are stretched from black to white.
        boxes: (K, 4): left, top, right and bottom, in pixels from the image's upper left corner.
        labels: what is in each box, or mask; those of one label have one color.
        scores: (K,), written beside the labels.
        masks: (K, H, W): true, or above 0.5, where the object is.
        keypoints: (K, P, 2) or (P, 2): x and y of points.
        heat: (h, w) of any size, laid over the whole image: saliency, class activation, attention. With negative
            numbers it is colored from blue to red, otherwise from black to yellow.
        title: above it.

    Raises:
        ShapeError: one of them has another shape, or there are more labels than boxes or masks.
        ValueError: a box whose right is left of its left, or whose bottom is above its top.

    >>> figure = image(np.zeros((32, 48)), boxes=[[4, 8, 20, 30]], labels=["seven"], scores=[0.93])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['seven 0.93']
    """
    pixels = _pixels(image)
    height, width = pixels.shape[:2]
    inches = [max(2.0, 4.5 * length / max(height, width)) for length in (width, height)]
    figure = new_figure(inches[0], inches[1] + 0.3 * bool(title))
    axes = figure.subplots()
    _show(axes, pixels)
    found = {"boxes": _of_shape("boxes", boxes, (None, 4)), "masks": _of_shape("masks", masks, (None, height, width))}
    counts = {len(each) for each in found.values() if each is not None} or {0}
    given: dict[str, Any] = {"labels": labels, "scores": scores}
    if len(counts) > 1 or any(value is not None and len(value) != max(counts) for value in given.values()):
        raise ShapeError("boxes, masks, labels and scores must be of as many objects, not of " + ", ".join(
            f"{len(value)} ({name})" for name, value in (found | given).items() if value is not None))
    names = [str(label) for label in labels] if labels is not None else [""] * max(counts)
    colors = {name: COLORS[k % len(COLORS)] for k, name in enumerate(dict.fromkeys(names))}
    if heat is not None:
        _lay_heat(axes, _of_shape("heat", heat, (None, None)), height, width)
        figure.colorbar(axes.images[-1], ax=axes, shrink=0.8)
    for k, name in enumerate(names):
        color = colors[name] if labels is not None else COLORS[k % len(COLORS)]
        text = f"{name} {float(bare(scores)[k]):.2f}".strip() if scores is not None else name
        box, mask = (each if each is None else each[k] for each in found.values())
        _mark(axes, box, mask, color, text)
    if keypoints is not None:
        objects = bare(keypoints)[None] if bare(keypoints).ndim == 2 else keypoints
        for k, points in enumerate(_of_shape("keypoints", objects, (None, None, 2))):
            axes.plot(*points.T, "o", color=COLORS[k % len(COLORS)], markeredgecolor="white", markersize=5)
    axes.set(xlim=(0, width), ylim=(height, 0))
    if title:
        axes.set_title(title, fontsize=10)
    return figure


def attention(over: Any, weights: Numbers, *, titles: Sequence[object] | None = None) -> "Figure":
    """Where attention lies, step by step: over an image or over words.

    Args:
        over: an image, as for `image`, or a list of words.
        weights: for an image (T, h, w), of T steps over h x w places, or (h, w); for words (T, len(over)) or
            (len(over),). Each step is shown from its 0 to its maximum.
        titles: what came out at each step: the words of a caption, of a translation.

    Raises:
        ShapeError: weights of another shape, or another number of titles.

    >>> figure = attention(["the", "cat", "sat"], [[0.1, 0.8, 0.1], [0.0, 0.2, 0.8]], titles=["le chat", "assis"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['le chat', 'the', 'cat', 'sat', 'assis', 'the', 'cat', 'sat']
    """
    values = bare(weights).astype(np.float64)
    words = list(over) if isinstance(over, (list, tuple)) and all(isinstance(word, str) for word in over) else None
    wanted = (len(words),) if words is not None else (None, None)
    values = _of_shape("weights", values[None] if values.ndim == len(wanted) else values, (None, *wanted))
    if titles is not None and len(titles) != len(values):
        raise ShapeError(f"{len(values)} steps need as many titles, not {len(titles)}")
    names = [str(title) for title in titles] if titles is not None else [""] * len(values)
    return _over_words(words, values, names) if words is not None else _over_image(_pixels(over), values, names)


def _over_image(pixels: np.ndarray, values: np.ndarray, names: list[str]) -> "Figure":
    columns = min(COLUMNS, len(values))
    rows = math.ceil(len(values) / columns)
    figure = new_figure(1.9 * columns, 2.1 * rows * pixels.shape[0] / pixels.shape[1])
    for k, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.set_axis_off()
        if k < len(values):
            _show(axes, pixels)
            _lay_heat(axes, values[k], *pixels.shape[:2])
            axes.set_title(names[k], fontsize=9)
    return figure


def _over_words(words: list[str], values: np.ndarray, names: list[str]) -> "Figure":
    from matplotlib import colormaps
    start = max(len(name) for name in names) + 2
    rows, column = [], start
    places = []  # of each word: line of its step, first letter
    for word in words:
        if column > start and column + len(word) > LINE:
            rows.append(column)
            column = start
        places.append((len(rows), column))
        column += len(word) + 1
    lines = (len(rows) + 1) * len(values)
    widest = max([*rows, column])
    figure = new_figure(0.085 * widest + 0.3, 0.26 * lines + 0.3)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, widest), ylim=(lines, 0))
    style: dict[str, Any] = {"family": "monospace", "fontsize": 9, "va": "center"}
    for step, (name, row) in enumerate(zip(names, values, strict=True)):
        first = step * (len(rows) + 1) + 0.5
        axes.text(0, first, name, weight="bold", **style)
        for word, (line, letter), share in zip(words, places, row / max(row.max(), 1e-300), strict=True):
            share = float(np.clip(share, 0, 1))
            axes.text(letter, first + line, word, color="white" if share > 0.6 else "black", **style,
                      bbox={"facecolor": colormaps["Blues"](share), "edgecolor": "none", "pad": 1.5})
    return figure


def _pixels(image: Any) -> np.ndarray:
    """(H, W) or (H, W, 3), from 0 to 1."""
    given = bare(image)
    array = given[0] if given.ndim == 3 and given.shape[0] == 1 else given
    if array.ndim == 3 and array.shape[0] == 3:
        array = array.transpose(1, 2, 0)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3) or not array.size:
        raise ShapeError(f"an image has shape (H, W), (1, H, W), (3, H, W) or (H, W, 3), not {given.shape}; a batch of "
                         "them is shown by viz.images()")
    if array.dtype.kind in "biu":
        return array / (255 if array.dtype == np.uint8 else max(array.max(), 1))
    low, high = float(np.nanmin(array)), float(np.nanmax(array))
    return array if low >= 0 and high <= 1 else (array - low) / ((high - low) or 1)


def _of_shape(name: str, data: Numbers | None, shape: tuple[int | None, ...]) -> Any:
    """An array of this shape, in which None may be any length; None if nothing was given."""
    if data is None:
        return None
    array = bare(data)
    if array.size == 0 and shape[0] is None:
        array = array.reshape(0, *[length or 0 for length in shape[1:]])
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("*" if length is None else str(length) for length in shape)
        raise ShapeError(f"{name} must have shape ({wanted}), not {array.shape}")
    return array


def _show(axes: "Axes", pixels: np.ndarray) -> None:
    """The image, in coordinates that begin at the corner of its first pixel."""
    axes.set_axis_off()
    height, width = pixels.shape[:2]
    axes.imshow(pixels, cmap=GRAYS, vmin=0, vmax=1, interpolation="nearest", extent=(0, width, height, 0))


def _lay_heat(axes: "Axes", heat: np.ndarray, height: int, width: int) -> None:
    largest, signed = float(np.nanmax(np.abs(heat))) or 1.0, bool(np.nanmin(heat) < 0)
    axes.imshow(heat.astype(np.float64), cmap=DIVERGING if signed else HEAT, vmin=-largest if signed else 0,
                vmax=largest, alpha=0.55, interpolation="bilinear", extent=(0, width, height, 0))


def _mark(axes: "Axes", box: np.ndarray | None, mask: np.ndarray | None, color: str, text: str) -> None:
    """One object: its mask, its box, and its name at the corner of one of them."""
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle
    corner: tuple[float, float] = (0.0, 0.0)
    if mask is not None:
        there = mask > 0.5 if mask.dtype.kind == "f" else mask.astype(np.bool_)
        layer = np.zeros((*there.shape, 4))
        layer[there] = to_rgba(color, 0.5)
        axes.imshow(layer, interpolation="nearest", extent=(0, there.shape[1], there.shape[0], 0))
        if there.any():
            corner = tuple(np.argwhere(there).min(axis=0)[::-1].astype(float))
    if box is not None:
        left, top, right, bottom = (float(side) for side in box)
        if right < left or bottom < top:
            raise ValueError(f"a box is left, top, right, bottom, and {box.tolist()} ends before it begins; from "
                             "centers or sizes nn.vision.ops.box_convert() makes one")
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=color, linewidth=2))
        corner = left, top
    if text:
        axes.text(*corner, text, color="white", fontsize=8, va="bottom", clip_on=True,
                  bbox={"facecolor": color, "edgecolor": "none", "pad": 1.5})
