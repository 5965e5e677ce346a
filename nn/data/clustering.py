"""Clustering: groups of examples that lie together, found without labels."""

from typing import Self

import numpy as np

from autograd import Generator, Tensor, as_tensor
from autograd.errors import ShapeError
from autograd.random import numpy_generator
from nn.points import knn_points


class KMeans:
    """Centers such that examples are near the nearest one: Lloyd's algorithm, from centers far apart (k-means++).

    Args:
        n_clusters: how many centers.
        init: "k-means++", or the centers to begin with, (n_clusters, features).
        n_init: how often it is done from other beginnings; the best is kept.
        max_iter: at most so many rounds.
        tol: it ends when the centers move by less than this share of the features' variance.
        generator: of the random numbers.

    After `fit`, with scikit-learn's names:

    Attributes:
        cluster_centers_: (n_clusters, features), a Tensor.
        labels_: the number of each example's center.
        inertia_: the sum of the squared distances from it.
        n_iter_: how many rounds it took.

    >>> x = autograd.cat([randn(20, 2), randn(20, 2) + 20])
    >>> labels = KMeans(2).fit(x).labels_
    >>> bool((labels[:20] == labels[0]).all() and labels[0] != labels[-1])
    True
    """

    def __init__(self, n_clusters: int = 8, init: str | Tensor | np.ndarray = "k-means++", n_init: int = 1,
                 max_iter: int = 300, tol: float = 1e-4, generator: Generator | None = None) -> None:
        if n_clusters < 1 or n_init < 1 or max_iter < 1:
            raise ValueError("n_clusters, n_init and max_iter must be at least 1, not "
                             f"{n_clusters}, {n_init} and {max_iter}")
        if isinstance(init, str) and init != "k-means++":
            raise ValueError(f"init must be 'k-means++' or the centers, not {init!r}")
        self.n_clusters, self.init, self.n_init, self.max_iter = n_clusters, init, n_init, max_iter
        self.tol, self.generator = tol, generator

    def fit(self, data: Tensor | np.ndarray) -> Self:
        """Find the centers of examples (N, features)."""
        x = as_tensor(data).detach().numpy()
        if x.ndim != 2 or x.dtype.kind != "f" or len(x) < self.n_clusters or not np.isfinite(x).all():
            raise ShapeError(f"KMeans.fit needs finite floating data (N, features), N at least {self.n_clusters}, the "
                             f"number of clusters, not {x.dtype} of shape {x.shape}")
        best = np.inf
        for _ in range(self.n_init):
            centers, labels, inertia, rounds = self._run(x.astype(np.float64))
            if inertia < best:
                best = self.inertia_ = inertia
                self.cluster_centers_, self.labels_ = Tensor(centers.astype(x.dtype)), Tensor(labels)
                self.n_iter_ = rounds
        return self

    def _run(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, int]:
        centers = self._beginning(x)
        small = self.tol * x.var(0).mean()
        labels, rounds = np.zeros(0, np.int64), 0
        while rounds < self.max_iter:
            rounds += 1
            before, (labels, distances) = labels, _nearest(x, centers)
            counts = np.bincount(labels, minlength=self.n_clusters)
            sums = np.zeros_like(centers)
            np.add.at(sums, labels, x)
            for empty, far in zip(np.nonzero(counts == 0)[0], np.argsort(-distances, kind="stable"), strict=False):
                counts[labels[far]] -= 1  # a center without examples takes the one that lies worst
                sums[labels[far]] -= x[far]
                counts[empty], sums[empty] = 1, x[far]
            old, centers = centers, sums / np.maximum(counts, 1)[:, None]
            if np.array_equal(labels, before) or ((centers - old) ** 2).sum() <= small:
                break
        labels, distances = _nearest(x, centers)
        return centers, labels, float(distances.sum()), rounds

    def _beginning(self, x: np.ndarray) -> np.ndarray:
        if not isinstance(self.init, str):
            centers = as_tensor(self.init).detach().numpy().astype(np.float64)
            if centers.shape != (self.n_clusters, x.shape[1]):
                raise ShapeError(f"init must have shape {(self.n_clusters, x.shape[1])}, not {centers.shape}")
            return centers
        rng = numpy_generator(self.generator)
        chosen = [int(rng.integers(len(x)))]
        distances = ((x - x[chosen[0]]) ** 2).sum(1)
        for _ in range(1, self.n_clusters):  # Arthur and Vassilvitskii (2007): the farther, the likelier
            total = distances.sum()
            chosen.append(int(rng.choice(len(x), p=distances / total if total else None)))
            distances = np.minimum(distances, ((x - x[chosen[-1]]) ** 2).sum(1))
        return x[chosen]

    def predict(self, data: Tensor | np.ndarray) -> Tensor:
        """The numbers of the centers that are nearest to examples (N, features)."""
        if not hasattr(self, "cluster_centers_"):
            raise RuntimeError("KMeans has no centers yet; call fit(data) first")
        return knn_points(as_tensor(data).detach(), self.cluster_centers_).idx[:, 0]


def _nearest(x: np.ndarray, centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = knn_points(x, centers)
    return found.idx.numpy()[:, 0], found.dists.numpy()[:, 0]
