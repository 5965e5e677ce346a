"""Curves of training, images, heat maps and loss surfaces, by Matplotlib (the extra `gradcircuit[plots]`).

Each function returns a Matplotlib Figure: `.savefig("loss.png")` saves it, a notebook shows it. No window is opened.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from autograd import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = Tensor | npt.ArrayLike
COLORS = ("#0072b2", "#b34700", "#00703c", "#8a3a8f", "#6b6b6b")
"""Told apart by color-blind readers too."""
DIVERGING, SEQUENTIAL, GRAYS = "RdBu_r", "viridis", "gray"


def new_figure(width: float, height: float) -> "Figure":
    """An empty Figure, of so many inches.

    Raises:
        ImportError: Matplotlib is not installed.
    """
    try:
        from viz.figure import NotebookFigure
    except ImportError as error:
        raise ImportError("this picture needs Matplotlib: pip install 'gradcircuit[plots]'") from error
    return NotebookFigure(figsize=(width, height), layout="constrained", dpi=110)


def bare(data: Numbers) -> np.ndarray:
    """The numbers of a Tensor or of whatever NumPy takes."""
    return data.detach().numpy() if isinstance(data, Tensor) else np.asarray(data)


def curves(panels: Mapping[str, Any], *, x: str = "epoch", log: Sequence[str] = ()) -> "Figure":
    """Curves over training: one panel for each quantity, one line for each series in it.

    Args:
        panels: quantity -> numbers, or quantity -> {series -> numbers}. Point i stands at i + 1.
        x: what the points are.
        log: quantities with a logarithmic axis.

    Raises:
        ValueError: nothing to show.

    >>> figure = curves({"loss": {"training": [2.3, 0.9], "validation": [2.2, 1.1]}, "learning rate": [0.1, 0.01]})
    >>> [axes.get_title() for axes in figure.axes]
    ['loss', 'learning rate']
    """
    if not panels:
        raise ValueError('curves() needs at least one panel, such as {"loss": losses}')
    figure = new_figure(4.6 * len(panels), 3.2)
    for axes, (quantity, series) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        named = isinstance(series, Mapping)
        for k, (name, numbers) in enumerate(series.items() if named else [(quantity, series)]):
            y = bare(numbers).reshape(-1)
            axes.plot(np.arange(1, len(y) + 1), y, label=name, color=COLORS[k % len(COLORS)],
                      marker="o" if len(y) <= 30 else None, markersize=3)
        if named:
            axes.legend(frameon=False)
        if quantity in log:
            axes.set_yscale("log")
        axes.set(xlabel=x, title=quantity)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


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
            title: str = "") -> "Figure":
    """A matrix as colors: attention weights, a confusion matrix, correlations.

    Args:
        matrix: (R, C); or (H, R, C), drawn side by side (for example the heads of an attention layer).
        rows: what the rows are.
        columns: what the columns are.
        title: above everything.

    Raises:
        ValueError: another number of axes, or nothing in it.

    >>> figure = heatmap([[0.9, 0.1], [0.4, 0.6]], rows=["cat", "sat"], columns=["the", "cat"], title="attention")
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['cat', 'sat']
    """
    array = bare(matrix)
    if array.ndim not in (2, 3) or not array.size:
        raise ValueError(f"heatmap() takes a matrix (R, C) or several (H, R, C) with elements, not shape {array.shape}")
    maps = array if array.ndim == 3 else array[None]
    figure = new_figure(3.6 * len(maps) + 0.8, 3.4)
    largest, signed = float(np.nanmax(np.abs(maps))), bool(np.nanmin(maps) < 0)
    all_axes = figure.subplots(1, len(maps), squeeze=False)[0]
    for k, (axes, values) in enumerate(zip(all_axes, maps, strict=True)):
        axes.imshow(values, cmap=DIVERGING if signed else SEQUENTIAL, vmin=-largest if signed else 0, vmax=largest,
                    aspect="auto" if rows is None and columns is None else "equal")
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
    """The contours of a function of two variables, and the ways of optimizers over it.

    Args:
        function: f(x, y), elementwise on two tensors of one shape.
        x: range of the first variable.
        y: range of the second.
        paths: name -> points (N, 2) that an optimizer visited.
        levels: number of contours, spaced by quantiles of the function.

    >>> figure = surface(lambda x, y: x**2 + 10 * y**2, (-2, 2), (-1, 1), paths={"SGD": [(-1.5, 0.8), (0.0, 0.0)]})
    >>> [line.get_label() for line in figure.axes[0].lines][0]
    'SGD'
    """
    grid_x, grid_y = np.meshgrid(np.linspace(*x, 160), np.linspace(*y, 160))
    z = bare(function(Tensor(grid_x), Tensor(grid_y)))
    figure = new_figure(5.2, 4.4)
    axes = figure.subplots()
    between = np.unique(np.quantile(z[np.isfinite(z)], np.linspace(0, 1, levels)))
    axes.contour(grid_x, grid_y, z, levels=between, cmap=SEQUENTIAL, linewidths=0.8)
    for k, (name, points) in enumerate((paths or {}).items()):
        points = bare(points)
        color = COLORS[k % len(COLORS)]
        axes.plot(points[:, 0], points[:, 1], ".-", label=name, color=color, linewidth=1.2, markersize=4)
        axes.plot(*points[-1], "*", color=color, markersize=12)
    if paths:
        axes.legend(frameon=False)
    axes.set(xlim=x, ylim=y)
    return figure
