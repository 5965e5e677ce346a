"""Point clouds and meshes in space, by Matplotlib (the extra `gradcircuit[plots]`): each function returns a Figure."""

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import ShapeError
from viz.figures.plots import COLORS, SEQUENTIAL, Numbers, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def points(points: Numbers, *, values: Numbers | None = None, title: str = "") -> "Figure":
    """A cloud of points.

    Args:
        points: (P, 3): x, y and z, drawn with one unit of length for all.
        values: (P,), shown as colors: heights, labels of parts, distances.
        title: above it.

    Raises:
        ShapeError: another shape.

    >>> figure = points(np.eye(3), values=[0, 1, 2], title="corners")
    >>> figure.axes[0].get_title()
    'corners'
    """
    positions = _positions("points", points)
    color = _one_each("values", values, len(positions))
    figure, axes = _space(positions, title)
    size = max(1.0, min(20.0, 4000 / max(len(positions), 1)))
    if color is None:
        axes.scatter(*positions.T, s=size, color=COLORS[0])
    else:
        figure.colorbar(axes.scatter(*positions.T, s=size, c=color, cmap=SEQUENTIAL), ax=axes, shrink=0.6)
    return figure


def mesh(verts: Numbers, faces: Numbers, *, values: Numbers | None = None, title: str = "") -> "Figure":
    """A surface of triangles.

    Args:
        verts: (V, 3).
        faces: (F, 3): the vertices of each triangle, as positions in verts.
        values: (F,), shown as colors of the triangles.
        title: above it.

    Raises:
        ShapeError: another shape.
        IndexError: a face names a vertex that isn't there.

    >>> figure = mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])
    >>> len(figure.axes)
    1
    """
    positions, corners = _positions("verts", verts), bare(faces)
    if corners.ndim != 2 or corners.shape[1] != 3 or not len(corners):
        raise ShapeError(f"faces must have shape (F, 3), with at least one of them, not {corners.shape}")
    if corners.min() < 0 or corners.max() >= len(positions):
        raise IndexError(f"faces name vertices 0 to {len(positions) - 1}, and these {corners.min()} to {corners.max()}")
    color = _one_each("values", values, len(corners))
    figure, axes = _space(positions, title)
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection
    surface = Poly3DCollection(positions[corners.astype(np.int64)], facecolors=COLORS[0] if color is None else None,
                               edgecolors="#00000030", linewidths=0.3, shade=color is None)
    if color is not None:
        surface.set_array(color)
        surface.set_cmap(SEQUENTIAL)
        figure.colorbar(surface, ax=axes, shrink=0.6)
    axes.add_collection3d(surface)
    return figure


def _positions(name: str, data: Numbers) -> np.ndarray:
    array = bare(data).astype(np.float64)
    if array.ndim != 2 or array.shape[1] != 3:
        raise ShapeError(f"{name} must have shape (P, 3), x, y and z of each, not {array.shape}")
    return array


def _one_each(name: str, data: Numbers | None, count: int) -> np.ndarray | None:
    if data is None:
        return None
    array = bare(data).astype(np.float64)
    if array.shape != (count,):
        raise ShapeError(f"{name} must have shape ({count},), one number for each, not {array.shape}")
    return array


def _space(positions: np.ndarray, title: str) -> tuple["Figure", Any]:
    """Axes around the positions, with one unit of length."""
    figure = new_figure(4.6, 4.2)
    import mpl_toolkits.mplot3d  # noqa: F401 - makes the projection known
    axes: Any = figure.add_subplot(projection="3d")
    if len(positions):
        low, high = np.nanmin(positions, axis=0), np.nanmax(positions, axis=0)
        room = np.where(high > low, high - low, max(float(np.max(high - low)), 1.0) / 10)
        for name, middle, length in zip("xyz", (low + high) / 2, room, strict=True):
            getattr(axes, f"set_{name}lim")(middle - length / 2, middle + length / 2)
        axes.set_box_aspect(room)
    axes.locator_params(nbins=4)
    axes.set(xlabel="x", ylabel="y", zlabel="z", title=title)
    return figure, axes
