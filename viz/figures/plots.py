"""Curves of training, images, heat maps and loss surfaces, by Matplotlib (the extra `gradcircuit[plots]`).

Each function returns a Matplotlib Figure: `.savefig("loss.png")` saves it, a notebook shows it. No window is opened.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from autograd import Tensor
from autograd.errors import shown
from viz.live import show_again
from viz.training.sampling import sparkline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = Tensor | npt.ArrayLike
COLORS = ("#0072b2", "#b34700", "#00703c", "#8a3a8f", "#6b6b6b")
"""Told apart by color-blind readers too."""
PATHS = ("#ffffff", "#ff9d5c", "#ff6bd6", "#ffe14d", "#8cf5ff")
"""To be seen on every color of a surface."""
DIVERGING, SEQUENTIAL, GRAYS = "RdBu_r", "viridis", "gray"


def new_figure(width: float, height: float) -> "Figure":
    """An empty Figure, of so many inches.

    Raises:
        ImportError: Matplotlib is not installed.
    """
    try:
        from viz.figures.figure import NotebookFigure
    except ImportError as error:
        raise ImportError("this picture needs Matplotlib: pip install 'gradcircuit[plots]'") from error
    return NotebookFigure(figsize=(width, height), layout="constrained", dpi=110)


def bare(data: Numbers) -> np.ndarray:
    """The numbers of a Tensor or of whatever NumPy takes."""
    return data.detach().numpy() if isinstance(data, Tensor) else np.asarray(data)


def curves(panels: Mapping[str, Any], *, x: str = "epoch", log: Sequence[str] = (), smooth: float = 0.0,
           live: bool = False) -> "Figure":
    """Curves over training: one panel for each quantity, one line for each series in it.

    Args:
        panels: quantity -> series, or quantity -> {name -> series}. A series is a list of numbers, of which number i
            stands at i + 1; or a tuple of positions and numbers. Several runs, (runs, N), are drawn as their mean and a
            band from the smallest to the largest.
        x: what the positions are.
        log: quantities with a logarithmic axis, and `x` if it is to have one.
        smooth: from 0 (not at all) up to 1: how much of the average so far each new one keeps. The numbers themselves
            are drawn faintly.
        live: show it below the cell in the place of the last one, or in a terminal as lines of text. Call it again as
            the lists grow; it is shown at most twice a second.

    Raises:
        TypeError: `panels` is not a dict.
        ValueError: nothing to show, `smooth` out of its range, another number of positions, or no panel of a name.

    >>> figure = curves({"loss": {"training": [2.3, 0.9], "validation": ([0, 2], [2.4, 1.1])}, "learning rate": [0.1]})
    >>> [axes.get_title() for axes in figure.axes]
    ['loss', 'learning rate']
    """
    if not isinstance(panels, Mapping):
        raise TypeError(f'curves() takes a dict such as {{"loss": losses}}, not {shown(panels)}')
    if unknown := set(log) - {*panels, x}:
        raise ValueError(f"log={log!r}, but {unknown.pop()!r} is none of {', '.join(map(repr, [*panels, x]))}")
    if not panels:
        raise ValueError('curves() needs at least one panel, such as {"loss": losses}')
    if not 0 <= smooth < 1:
        raise ValueError(f"smooth={smooth!r}, but it must be in [0, 1): 0.9 is much")
    figure = new_figure(4.6 * len(panels), 3.2)
    for axes, (quantity, given) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        named = isinstance(given, Mapping)
        for k, (name, series) in enumerate(given.items() if named else [(quantity, given)]):
            positions, runs = _series(name, series)
            color, y = COLORS[k % len(COLORS)], runs.mean(axis=0)
            if len(runs) > 1:
                axes.fill_between(positions, runs.min(axis=0), runs.max(axis=0), color=color, alpha=0.2, linewidth=0)
            if smooth:
                axes.plot(positions, y, color=color, alpha=0.25, linewidth=1)
                y = _smoothed(y, smooth)
            axes.plot(positions, y, label=name, color=color, marker="o" if len(y) <= 30 and not smooth else None,
                      markersize=3)
        if named:
            axes.legend(frameon=False)
        if quantity in log:
            axes.set_yscale("log")
        if x in log:
            axes.set_xscale("log")
        axes.set(xlabel=x, title=quantity)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    if live:
        show_again(figure, _as_text(panels))
    return figure


def _series(name: str, series: Any) -> tuple[np.ndarray, np.ndarray]:
    """Positions (N,) and runs (R, N)."""
    positions = None
    if isinstance(series, tuple) and len(series) == 2 and all(np.ndim(bare(part)) for part in series):
        positions, series = bare(series[0]), series[1]
    runs = np.atleast_2d(bare(series))
    runs = runs if runs.ndim == 2 else runs.reshape(1, -1)
    if positions is None:
        positions = np.arange(1, runs.shape[1] + 1)
    if positions.shape != runs.shape[1:]:
        raise ValueError(f"{name!r} has {runs.shape[1]} numbers at {positions.size} positions")
    return positions, runs


def _smoothed(y: np.ndarray, keep: float) -> np.ndarray:
    """The exponential moving average, without the bias of its beginning (Kingma and Ba, 2015)."""
    average, weight, smoothed = 0.0, 0.0, np.empty(len(y))
    for i, number in enumerate(y):
        if np.isfinite(number):
            average, weight = keep * average + (1 - keep) * number, keep * weight + 1 - keep
        smoothed[i] = average / weight if weight else np.nan
    return smoothed


def _as_text(panels: Mapping[str, Any]) -> str:
    """A line for each series."""
    lines = []
    for quantity, given in panels.items():
        for name, series in given.items() if isinstance(given, Mapping) else [("", given)]:
            y = _series(name, series)[1].mean(axis=0).tolist()
            lines.append(f"{f'{quantity} {name}':<24} {sparkline(y)} {y[-1]:.4g}" if y else f"{quantity} {name}")
    return "\n".join(lines)


def images(batch: Numbers, *, titles: Sequence[object] | None = None, columns: int | None = None,
           scale: Literal["each", "all"] = "each") -> "Figure":
    """A grid of images, filters or activations. (`image` shows one, and things over it.)

    Args:
        batch: (N, C, H, W) with C = 1 (gray) or 3 (red, green, blue), or (N, H, W); a single one (H, W), (1, H, W) or
            (3, H, W), which is one image in color; a Tensor or an array.
        titles: one an image.
        columns: of the grid; by default about square.
        scale: "each" stretches every image from black to white by itself, "all" all alike.

    Raises:
        ValueError: another shape, or another number of titles.

    >>> figure = images(np.zeros((6, 8, 8)), titles=list("abcdef"), columns=3)
    >>> [axes.get_title() for axes in figure.axes]
    ['a', 'b', 'c', 'd', 'e', 'f']
    """
    array = bare(batch).astype(np.float64)
    if array.ndim == 2 or (array.ndim == 3 and array.shape[0] in (1, 3)):
        array = array.reshape(1, -1, *array.shape[-2:])
    if array.ndim == 3:
        array = array[:, None]
    if array.ndim != 4 or array.shape[1] not in (1, 3) or not len(array):
        raise ValueError(f"images() takes (N, C, H, W) with C = 1 or 3, (N, H, W), (C, H, W) or (H, W), not "
                         f"{bare(batch).shape}; for filters of a deeper layer choose one input channel: weight[:, 0]")
    if titles is not None and len(titles) != len(array):
        raise ValueError(f"{len(array)} images need as many titles, not {len(titles)}")
    if scale not in ("each", "all"):
        raise ValueError(f"scale must be 'each' or 'all', not {scale!r}")
    axis = (1, 2, 3) if scale == "each" else None
    low, high = array.min(axis=axis, keepdims=True), array.max(axis=axis, keepdims=True)
    array = (array - low) / np.where(high > low, high - low, 1)
    columns = min(columns or math.ceil(math.sqrt(len(array))), len(array))
    rows = math.ceil(len(array) / columns)
    each = 1.1 if len(array) > 1 else 2.2
    figure = new_figure(each * columns, (each + 0.25 * (titles is not None)) * rows)
    for k, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.set_axis_off()
        if k < len(array):
            pixels = array[k, 0] if array.shape[1] == 1 else array[k].transpose(1, 2, 0)
            axes.imshow(pixels, cmap=GRAYS, vmin=0, vmax=1, interpolation="nearest")
            if titles is not None:
                axes.set_title(str(titles[k]), fontsize=8)
    return figure


def heatmap(matrix: Numbers, *, rows: Sequence[str] | None = None, columns: Sequence[str] | None = None,
            title: str = "", numbers: bool | str = False) -> "Figure":
    """A matrix as colors: attention weights, a confusion matrix, correlations.

    Args:
        matrix: (R, C); or (H, R, C), drawn side by side (for example the heads of an attention layer).
        rows: what the rows are.
        columns: what the columns are.
        title: above everything.
        numbers: whether to write each into its cell; a format such as ".0%" says how, by default with two decimals, and
            integers as they are.

    Raises:
        ValueError: another number of axes, nothing in it, or another number of names.

    >>> figure = heatmap([[0.9, 0.1], [0.4, 0.6]], rows=["cat", "sat"], columns=["the", "cat"], title="attention")
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['cat', 'sat']
    """
    array = bare(matrix)
    if array.ndim not in (2, 3) or not array.size:
        raise ValueError(f"heatmap() takes a matrix (R, C) or several (H, R, C) with elements, not shape {array.shape}")
    for labels, count, what in ((rows, array.shape[-2], "rows"), (columns, array.shape[-1], "columns")):
        if labels is not None and len(labels) != count:
            raise ValueError(f"{count} {what} need as many names, not {len(labels)}")
    maps = array if array.ndim == 3 else array[None]
    form = numbers if isinstance(numbers, str) else "d" if array.dtype.kind in "iu" else "" if array.dtype.kind == "b" \
        else ".2f"
    width, height = (3.6, 3.4) if not numbers else (max(3.6, 0.5 * maps.shape[2]), max(3.4, 0.32 * maps.shape[1]))
    figure = new_figure(width * len(maps) + 0.8, height)
    largest, signed = float(np.nanmax(np.abs(maps))), bool(np.nanmin(maps) < 0)
    all_axes = figure.subplots(1, len(maps), squeeze=False)[0]
    for k, (axes, values) in enumerate(zip(all_axes, maps, strict=True)):
        axes.imshow(values, cmap=DIVERGING if signed else SEQUENTIAL, vmin=-largest if signed else 0, vmax=largest,
                    aspect="auto" if rows is None and columns is None else "equal")
        if numbers:
            for (row, column), number in np.ndenumerate(values):
                red, green, blue, _ = axes.images[0].to_rgba(number)
                dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
                axes.text(column, row, format(number, form), ha="center", va="center", fontsize=7,
                          color="white" if dark else "black")
        if columns is not None:
            axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=8)
        if rows is not None:
            axes.set_yticks(range(len(rows)), rows if k == 0 else [""] * len(rows), fontsize=8)
        if len(maps) > 1:
            axes.set_title(str(k), fontsize=9)
    figure.colorbar(all_axes[0].images[0], ax=all_axes.tolist())
    if title:
        figure.suptitle(title)
    return figure


def surface(function: Callable[[Tensor, Tensor], Numbers], x: tuple[float, float], y: tuple[float, float], *,
            paths: Mapping[str, Numbers] | None = None, levels: int = 30) -> "Figure":
    """A function of two variables: its height as color, its minimum, and the ways of optimizers over it.

    Args:
        function: f(x, y), elementwise on two tensors of one shape.
        x: range of the first variable.
        y: range of the second.
        paths: name -> points (N, 2) that an optimizer visited: from a circle to a star.
        levels: number of contours, spaced by quantiles of the function, and closer towards its minimum.

    The cross is the lowest of 160 × 160 points.

    Raises:
        ValueError: the function is NaN or infinite everywhere.

    >>> figure = surface(lambda x, y: x**2 + 10 * y**2, (-2, 2), (-1, 1), paths={"SGD": [(-1.5, 0.8), (0.0, 0.0)]})
    >>> [line.get_label() for line in figure.axes[0].lines][:2]
    ['minimum', 'SGD']
    """
    grid_x, grid_y = np.meshgrid(np.linspace(*x, 160), np.linspace(*y, 160))
    z = bare(function(Tensor(grid_x), Tensor(grid_y)))
    if not np.isfinite(z).any():
        raise ValueError(f"the function is finite nowhere in {x} × {y}; choose other ranges")
    figure = new_figure(5.6, 4.4)
    from matplotlib.colors import BoundaryNorm
    from matplotlib.patheffects import Normal, Stroke
    axes = figure.subplots()
    between = np.unique(np.quantile(z[np.isfinite(z)], np.linspace(0, 1, levels) ** 2))
    if len(between) > 1:  # not flat
        filled = axes.contourf(grid_x, grid_y, z, levels=between, cmap=SEQUENTIAL, norm=BoundaryNorm(between, 256))
        axes.contour(grid_x, grid_y, z, levels=between, colors="white", linewidths=0.3, alpha=0.5)
        figure.colorbar(filled, ax=axes, format="%.2g")
    lowest = np.unravel_index(np.nanargmin(np.where(np.isfinite(z), z, np.inf)), z.shape)
    axes.plot(grid_x[lowest], grid_y[lowest], "x", label="minimum", color="white", markersize=9, markeredgewidth=2,
              zorder=5, path_effects=[Stroke(linewidth=4, foreground="black"), Normal()])
    for k, (name, points) in enumerate((paths or {}).items()):
        points = bare(points)
        color = PATHS[k % len(PATHS)]
        axes.plot(points[:, 0], points[:, 1], ".-", label=name, color=color, linewidth=1.4, markersize=4,
                  path_effects=[Stroke(linewidth=3, foreground="black"), Normal()])
        axes.plot(*points[0], "o", color=color, markersize=7, markeredgecolor="black")
        axes.plot(*points[-1], "*", color=color, markersize=13, markeredgecolor="black")
    if paths:
        axes.legend(facecolor="#444444", labelcolor="white", framealpha=0.7)
    axes.set(xlim=x, ylim=y)
    return figure
