"""Sets of points: their nearest neighbors, and points on the surface of a mesh; names and meanings are PyTorch3D's."""

from typing import NamedTuple

import numpy as np

import autograd
from autograd import Generator, Tensor, as_tensor
from autograd.errors import ShapeError
from autograd.typing import TensorLike

BLOCK = 1 << 21
"""How many distances are held at once."""


class Neighbors(NamedTuple):
    """What `knn_points` finds: squared distances, positions and the neighbors themselves."""

    dists: Tensor
    idx: Tensor
    knn: Tensor


def knn_points(p1: TensorLike, p2: TensorLike, K: int = 1) -> Neighbors:  # noqa: N803 - PyTorch3D's
    """The K points of p2 that are nearest to each point of p1, nearest first.

    Args:
        p1: (N, P1, D), or (P1, D).
        p2: (N, P2, D), or (P2, D).
        K: how many.

    Returns squared distances (N, P1, K), which are differentiable, positions in p2 (N, P1, K), and the points at these,
    (N, P1, K, D). Distances are computed block by block: memory grows with P1 + P2, and not with their product.

    >>> knn_points(tensor([[0.0, 0.0]]), tensor([[3.0, 4.0], [1.0, 0.0]])).dists
    tensor([[1.]])
    """
    x, y = as_tensor(p1), as_tensor(p2)
    if x.ndim != y.ndim or x.ndim not in (2, 3) or x.shape[:-2] != y.shape[:-2] or x.shape[-1] != y.shape[-1]:
        raise ShapeError(f"points have shapes (N, P1, D) and (N, P2, D), or (P1, D) and (P2, D), not {x.shape} and "
                         f"{y.shape}")
    if not 1 <= K <= y.shape[-2]:
        raise ValueError(f"K must be from 1 to {y.shape[-2]}, the number of points in p2, not {K}")
    if x.ndim == 2:
        return Neighbors(*[part[0] for part in knn_points(x[None], y[None], K)])
    idx = np.stack([_nearest(a, b, K) for a, b in zip(x.detach().numpy(), y.detach().numpy(), strict=True)]
                   or [np.zeros((x.shape[1], K), np.int64)])[:len(x)]
    knn = y[np.arange(len(y))[:, None, None], idx]
    return Neighbors(((x.unsqueeze(2) - knn) ** 2).sum(-1), Tensor(idx), knn)


def _nearest(x: np.ndarray, y: np.ndarray, count: int) -> np.ndarray:
    """The positions in y (m, D) of the nearest to each of x (n, D), (n, count)."""
    found = np.empty((len(x), count), np.int64)
    middle = y.mean(0, dtype=np.float64)  # |a|² - 2 a·b + |b|² loses digits far from 0
    y = y - middle
    squares = (y * y).sum(1)
    rows = max(BLOCK // len(y), 1)
    for start in range(0, len(x), rows):
        few = x[start:start + rows] - middle
        distance = squares - 2 * (few @ y.T)
        nearest = distance.argmin(1)[:, None] if count == 1 else np.argpartition(distance, count - 1, 1)[:, :count]
        exact = ((few[:, None] - y[nearest]) ** 2).sum(2)
        found[start:start + rows] = np.take_along_axis(nearest, np.lexsort((nearest, exact)), 1)
    return found


def sample_points_from_meshes(verts: TensorLike, faces: TensorLike, num_samples: int = 10000,
                              generator: Generator | None = None) -> Tensor:
    """Points drawn evenly from the surface of a mesh, (num_samples, 3); differentiable in the vertices.

    Args:
        verts: (V, 3).
        faces: triangles (F, 3), as positions in verts.
        num_samples: how many.
        generator: of the random numbers.

    >>> verts = tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    >>> sample_points_from_meshes(verts, tensor([[0, 1, 2]]), 100).shape
    (100, 3)
    """
    v, f = as_tensor(verts), np.asarray(as_tensor(faces).numpy())
    if v.ndim != 2 or v.shape[1] != 3 or f.ndim != 2 or f.shape[1] != 3 or not len(f):
        raise ShapeError(f"a mesh has vertices (V, 3) and at least one face, (F, 3), not {v.shape} and {f.shape}")
    if f.min() < 0 or f.max() >= len(v):
        raise IndexError(f"faces name vertices 0 to {len(v) - 1}, and these {f.min()} to {f.max()}")
    corners = v.detach().numpy()[f].astype(np.float64)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    if not np.isfinite(areas).all() or not areas.any():
        raise ValueError("the surface must have an area, finite and above 0")
    chosen = autograd.multinomial(Tensor(areas), num_samples, replacement=True, generator=generator).numpy()
    a, b = autograd.rand(2, num_samples, 1, generator=generator, dtype=v.dtype)
    a = a.sqrt()
    first, second, third = (v[f[chosen, corner]] for corner in range(3))
    return (1 - a) * first + a * (1 - b) * second + a * b * third
