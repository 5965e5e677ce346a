"""Measures of images: peak signal to noise ratio, structural similarity, Fréchet distance and coverage of features."""

import math
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, as_tensor
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn import functional as F
from nn.metrics.metric import Metric, array_of, result
from nn.points import knn_points

Range = float | tuple[float, float] | None


def _pair(preds: TensorLike, target: TensorLike, data_range: Range) -> tuple[Tensor, Tensor, Any]:
    """Two floating tensors of one shape, clamped if the range is a pair, and how wide the range is."""
    p, t = (x if x.is_floating_point() else x.float() for x in map(as_tensor, (preds, target)))
    if p.shape != t.shape:
        raise ShapeError(f"preds and target must have one shape, not {p.shape} and {t.shape}")
    if isinstance(data_range, tuple):
        p, t = p.clamp(*data_range), t.clamp(*data_range)
        data_range = data_range[1] - data_range[0]
    return p, t, data_range


def _reduced(each: Tensor, reduction: str | None) -> Tensor:
    if reduction not in ("elementwise_mean", "sum", "none", None):
        raise ValueError(f"reduction must be 'elementwise_mean', 'sum' or 'none', not {reduction!r}")
    return each.mean() if reduction == "elementwise_mean" else each.sum() if reduction == "sum" else each


class PeakSignalNoiseRatio(Metric):
    """10 log₁₀ (range² / mean squared error), in decibels, of all pixels of all batches together.

    Args:
        data_range: how far the values may lie apart: 1.0, 255, or (least, greatest), to which they are clamped.
    """

    def __init__(self, data_range: float | tuple[float, float]) -> None:
        self.data_range = data_range

    def count(self, preds: TensorLike, target: TensorLike) -> tuple[Any, ...]:
        """The sum of the squares, and how many there are."""
        p, t, _ = _pair(preds, target, self.data_range)
        return ((p - t).double() ** 2).sum(), p.numel()

    def value(self, squares: Tensor, size: int) -> Tensor:
        """The ratio; infinite where nothing differs."""
        return result(_decibels(squares / size, self.data_range).array)


def _decibels(error: Tensor, data_range: Range) -> Tensor:
    wide = data_range[1] - data_range[0] if isinstance(data_range, tuple) else data_range
    return 10 * (2 * math.log10(float(wide or 0)) - error.log10())


def peak_signal_noise_ratio(preds: TensorLike, target: TensorLike, data_range: float | tuple[float, float],
                            reduction: str | None = "elementwise_mean", dim: Any = None) -> Tensor:
    """10 log₁₀ (range² / mean squared error), in decibels; differentiable.

    Args:
        preds: of any shape.
        target: of the same.
        data_range: how far the values may lie apart: 1.0, 255, or (least, greatest), to which they are clamped.
        reduction: of several values: "elementwise_mean", "sum", "none" or None.
        dim: the axes over which the mean of the squares is taken: (1, 2, 3) gives a value for each image; default all.

    >>> peak_signal_noise_ratio(zeros(3, 8, 8), ones(3, 8, 8) / 2, data_range=2.0)
    tensor(12.0412)
    """
    p, t, _ = _pair(preds, target, data_range)
    error = ((p - t) ** 2).mean() if dim is None else ((p - t) ** 2).mean(dim=dim)
    return _reduced(_decibels(error, data_range), reduction)


def _similarity(preds: TensorLike, target: TensorLike, gaussian_kernel: bool, sigma: float, kernel_size: int,
                data_range: Range, k1: float, k2: float) -> Tensor:
    """The mean structural similarity of each image, (N,)."""
    p, t, wide = _pair(preds, target, data_range)
    if p.ndim != 4:
        raise ShapeError(f"images must have shape (N, C, H, W), not {p.shape}")
    if not gaussian_kernel and (kernel_size < 1 or kernel_size % 2 == 0):
        raise ValueError(f"kernel_size must be odd, not {kernel_size}")
    if wide is None:
        wide = max(float(p.max() - p.min()), float(t.max() - t.min()))
    reach = int(3.5 * sigma + 0.5) if gaussian_kernel else kernel_size // 2
    if min(p.shape[2:]) <= reach:
        raise ShapeError(f"images of {p.shape[2]} × {p.shape[3]} are too small: windows reach {reach} pixels around "
                         "each pixel, and the mirrored edges must have as many; take a smaller sigma")
    x = np.arange(-reach, reach + 1)
    weights = np.exp(-(x / sigma) ** 2 / 2) if gaussian_kernel else np.ones(len(x))
    weights = (weights / weights.sum()).astype(p.dtype)
    channels = p.shape[1]
    line = as_tensor(np.tile(weights, (channels, 1, 1, 1)))
    every = F.pad(autograd.cat([p, t, p * p, t * t, p * t]), (reach,) * 4, mode="reflect")
    means = F.conv2d(F.conv2d(every, line, groups=channels), line.transpose(2, 3), groups=channels)
    mean_p, mean_t, square_p, square_t, product = means.reshape(5, *p.shape)
    c1, c2 = (k1 * wide) ** 2, (k2 * wide) ** 2
    variances = (square_p - mean_p ** 2).clamp(min=0) + (square_t - mean_t ** 2).clamp(min=0)
    similar = ((2 * mean_p * mean_t + c1) * (2 * (product - mean_p * mean_t) + c2)
               / ((mean_p ** 2 + mean_t ** 2 + c1) * (variances + c2)))
    return similar.mean(dim=(1, 2, 3))


class StructuralSimilarityIndexMeasure(Metric):
    """SSIM, the mean over all images; the arguments are those of `structural_similarity_index_measure`."""

    def __init__(self, gaussian_kernel: bool = True, sigma: float = 1.5, kernel_size: int = 11,
                 data_range: Range = None, k1: float = 0.01, k2: float = 0.03) -> None:
        self.options: tuple[Any, ...] = gaussian_kernel, sigma, kernel_size, data_range, k1, k2

    def count(self, preds: TensorLike, target: TensorLike) -> tuple[Any, ...]:
        """The sum over the images, and how many there are."""
        each = _similarity(preds, target, *self.options)
        return each.double().sum(), len(each)

    def value(self, total: Tensor, images: int) -> Tensor:
        """The mean."""
        return result((total / images).array)


def structural_similarity_index_measure(preds: TensorLike, target: TensorLike, gaussian_kernel: bool = True,
                                        sigma: float = 1.5, kernel_size: int = 11,
                                        reduction: str | None = "elementwise_mean", data_range: Range = None,
                                        k1: float = 0.01, k2: float = 0.03) -> Tensor:
    """SSIM (Wang et al. 2004): how alike images are in mean, contrast and structure, around each pixel; differentiable.

    Args:
        preds: images (N, C, H, W).
        target: of the same shape.
        gaussian_kernel: weigh pixels by a Gaussian that reaches 3.5 sigma; False: all of a square alike.
        sigma: of the Gaussian.
        kernel_size: of the square, odd.
        reduction: over the images: "elementwise_mean", "sum", "none" or None.
        data_range: as of `peak_signal_noise_ratio`; default, how far the values do lie apart.
        k1: with the range, what keeps the means' quotient from 0 / 0.
        k2: the same for contrasts.

    >>> image = autograd.rand(1, 3, 16, 16)
    >>> structural_similarity_index_measure(image, image, data_range=1.0)
    tensor(1.)
    """
    return _reduced(_similarity(preds, target, gaussian_kernel, sigma, kernel_size, data_range, k1, k2), reduction)


class FrechetDistance(Metric):
    """The Fréchet distance of real and generated images' features, as Gaussians (Heusel et al. 2017).

    `update(features, real)` takes features (N, D) of whatever network; with those of Inception-v3 it is the FID. Their
    means and covariances are gathered, not the features.

    >>> metric = FrechetDistance()
    >>> metric.update(autograd.randn(50, 4), real=True)
    >>> metric.update(autograd.randn(50, 4) + 3, real=False)
    >>> bool(metric.compute() > 20)
    True
    """

    def count(self, features: TensorLike, real: bool) -> tuple[Any, ...]:
        """Of each of both: how many, the sum, the sum of the products."""
        x = array_of(features).astype(np.float64)
        if x.ndim != 2:
            raise ShapeError(f"features must have shape (N, D), not {x.shape}; write features.flatten(1)")
        moments = np.array([len(x)]), x.sum(0), x.T @ x
        nothing = tuple(np.zeros_like(m) for m in moments)
        return (*moments, *nothing) if real else (*nothing, *moments)

    def value(self, *moments: np.ndarray) -> Tensor:
        """|difference of the means|² + trace of (A + B - 2 √(A B)), with A and B the covariances."""
        means, covariances = [], []
        for (count,), total, products in (moments[:3], moments[3:]):
            if count < 2:
                raise RuntimeError("the distance needs at least two real and two generated examples, there are "
                                   f"{int(moments[0][0])} and {int(moments[3][0])}")
            means.append(total / count)
            covariances.append((products - count * np.outer(means[-1], means[-1])) / (count - 1))
        root = np.linalg.eigvals(covariances[0] @ covariances[1])
        return result(np.sum((means[0] - means[1]) ** 2) + np.trace(covariances[0] + covariances[1])
                      - 2 * np.real(np.sqrt(root.astype(np.complex128))).sum())

    def __call__(self, features: TensorLike, real: bool) -> None:
        """As `update`: one batch, of one kind, has no distance."""
        self.update(features, real)


def frechet_distance(preds: TensorLike, target: TensorLike) -> Tensor:
    """The Fréchet distance of two sets of features, (N, D) and (M, D), as Gaussians; see `FrechetDistance`.

    >>> frechet_distance(tensor([[0.0], [2.0]]), tensor([[3.0], [5.0]]))
    tensor(9.)
    """
    metric = FrechetDistance()
    metric.update(target, real=True)
    metric.update(preds, real=False)
    return metric.compute()


def coverage(preds: TensorLike, target: TensorLike, nearest_k: int = 5) -> Tensor:
    """The share of real features, target (M, D), that have one of the generated features, preds (N, D), as near as
    their own `nearest_k` nearest real ones (Naeem et al. 2020).

    It falls when a generator leaves kinds of images out. Equally many examples of one distribution reach about
    1 - 1/2^nearest_k.

    >>> coverage(tensor([[0.1], [0.2]]), tensor([[0.0], [1.0], [9.0], [10.0]]), nearest_k=1)
    tensor(0.5000)
    """
    generated, real = array_of(preds), array_of(target)
    if generated.ndim != 2 or real.ndim != 2 or generated.shape[1] != real.shape[1]:
        raise ShapeError(f"features must have shapes (N, D) and (M, D), not {generated.shape} and {real.shape}; write "
                         "features.flatten(1)")
    if not 1 <= nearest_k < len(real):
        raise ValueError(f"nearest_k must be from 1 to {len(real) - 1}, the number of other real examples, not "
                         f"{nearest_k}")
    reach = knn_points(real, real, nearest_k + 1).dists[:, -1]  # the nearest one is itself
    return (knn_points(real, generated).dists[:, 0] <= reach).float().mean()
