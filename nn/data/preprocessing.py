"""Preprocessing: features centered, scaled, decorrelated, by statistics of the training set only (CS231n notes)."""

from typing import Self

import numpy as np

from autograd import Tensor, as_tensor


class Preprocessing:
    """Base: `fit` takes the statistics from training data, calling applies them to any data.

    >>> train, test = randn(80, 3), randn(20, 3)
    >>> prepare = Normalize().fit(train)
    >>> train, test = prepare(train), prepare(test)
    """

    mean: np.ndarray | None = None

    def fit(self, data: Tensor | np.ndarray) -> Self:
        """Take the statistics of training data, (N, *)."""
        x = np.asarray(as_tensor(data).detach().array)
        if x.ndim < 2 or not len(x) or x.dtype.kind != "f":
            raise ValueError(f"{type(self).__name__}.fit needs floating data of shape (N, features), N at least 1, not "
                             f"{x.dtype} of shape {x.shape}")
        x = x.reshape(len(x), -1).astype(np.float64)
        self.mean = x.mean(0)
        self._learn(x - self.mean)
        return self

    def __call__(self, data: Tensor | np.ndarray) -> Tensor:
        """Data with the statistics of the training data applied, in its own dtype."""
        if self.mean is None:
            raise RuntimeError(f"{type(self).__name__} has no statistics yet; call fit(training_data) first")
        x = np.asarray(as_tensor(data).detach().array)
        if x.reshape(len(x), -1).shape[1:] != self.mean.shape:
            raise ValueError(f"{type(self).__name__} was fitted to {len(self.mean)} features an "
                             f"example, the data has shape {x.shape}")
        out = self._apply(x.reshape(len(x), -1) - self.mean)
        return as_tensor((out.reshape(x.shape) if out.shape[1] == len(self.mean) else out).astype(x.dtype))

    def _learn(self, centered: np.ndarray) -> None:
        """What else there is to know about the training data."""

    def _apply(self, centered: np.ndarray) -> np.ndarray:
        return centered


class ZeroCenter(Preprocessing):
    """Subtract the mean of each feature."""


class Normalize(Preprocessing):
    """Subtract the mean of each feature and divide by its standard deviation (1 where a feature is constant)."""

    def _learn(self, centered: np.ndarray) -> None:
        deviation = np.sqrt((centered ** 2).mean(0))
        self.std = np.where(deviation > 0, deviation, 1)

    def _apply(self, centered: np.ndarray) -> np.ndarray:
        return centered / self.std


class PCA(Preprocessing):
    """Project on the directions of largest variance, in falling order; each has the sign that makes its largest part
    positive.

    Args:
        components: how many to keep; None: all, which is a rotation.

    After `fit`, with scikit-learn's names and meanings:

    Attributes:
        components_: the directions, (components, features).
        explained_variance_: the variance along each, of an example (divided by N - 1).
        explained_variance_ratio_: its share of all variance.

    >>> pca = PCA(2).fit(randn(50, 5))
    >>> pca.inverse_transform(pca(randn(7, 5))).shape
    (7, 5)
    """

    def __init__(self, components: int | None = None) -> None:
        self.components = components

    def _learn(self, centered: np.ndarray) -> None:
        values, vectors = np.linalg.eigh(centered.T @ centered / len(centered))
        count, every = len(values) if self.components is None else self.components, np.maximum(values, 0).sum()
        if not 1 <= count <= len(values):
            raise ValueError(f"{type(self).__name__}: components must be from 1 to "
                             f"{len(values)}, the features, not {count}")
        self.variances, self.directions = np.maximum(values[::-1][:count], 0), vectors[:, ::-1][:, :count]
        largest = np.take_along_axis(self.directions, np.abs(self.directions).argmax(0)[None], 0)
        self.directions = self.directions * np.sign(largest)
        self.components_ = self.directions.T
        self.explained_variance_ = self.variances * (len(centered) / max(len(centered) - 1, 1))
        self.explained_variance_ratio_ = self.variances / every if every else np.zeros(count)

    def _apply(self, centered: np.ndarray) -> np.ndarray:
        return centered @ self.directions

    def inverse_transform(self, data: Tensor | np.ndarray) -> Tensor:
        """Features (N, features) of projections (N, components): the nearest that has them."""
        if self.mean is None:
            raise RuntimeError(f"{type(self).__name__} has no statistics yet; call fit(training_data) first")
        x = np.asarray(as_tensor(data).detach().array)
        if x.ndim != 2 or x.shape[1] != self.directions.shape[1]:
            raise ValueError(f"projections have shape (N, {self.directions.shape[1]}), not {x.shape}")
        return as_tensor((self._undo(x) @ self.directions.T + self.mean).astype(x.dtype))

    def _undo(self, projected: np.ndarray) -> np.ndarray:
        return projected


class Whiten(PCA):
    """PCA, with each direction divided by its standard deviation: decorrelated features of variance 1.

    Args:
        components: how many to keep; None: all.
        eps: added to the variances, so that directions with hardly any are not blown up to noise.
    """

    def __init__(self, components: int | None = None, eps: float = 1e-5) -> None:
        super().__init__(components)
        self.eps = eps

    def _apply(self, centered: np.ndarray) -> np.ndarray:
        return super()._apply(centered) / np.sqrt(self.variances + self.eps)

    def _undo(self, projected: np.ndarray) -> np.ndarray:
        return projected * np.sqrt(self.variances + self.eps)
