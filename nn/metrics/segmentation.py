"""Measures of segmentation, image by image: intersection over union, and Dice."""

import math
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn.metrics.metric import Metric, array_of, ratio, result


def _one_hot(values: np.ndarray, num_classes: int | None) -> np.ndarray:
    """Labels (N, *) as booleans (N, C, *)."""
    if num_classes is None:
        raise ValueError("labels alone don't say how many classes there are; give num_classes")
    if values.dtype.kind == "f":
        raise TypeError(f"labels are whole numbers, not {values.dtype}; with scores (N, C, *) write "
                        "input_format='mixed'")
    wrong = values[(values < 0) | (values >= num_classes)]
    if len(wrong):
        raise ValueError(f"there is a label {wrong[0]}, but the {num_classes} classes are 0 to {num_classes - 1}")
    return np.moveaxis(values[..., None] == np.arange(num_classes), -1, 1)


def _masks(values: np.ndarray) -> np.ndarray:
    """Masks or scores (N, C, *) as booleans; of scores, the greatest."""
    if values.dtype.kind == "f":
        return _one_hot(values.argmax(1), values.shape[1])
    if ((values != 0) & (values != 1)).any():
        raise ValueError(f"masks hold 0 and 1, these also {values[(values != 0) & (values != 1)][0]}; for labels "
                         "(N, *) write input_format='index' and num_classes")
    return values.astype(np.bool_)


def _overlap(preds: TensorLike, target: TensorLike, num_classes: int | None, include_background: bool,
             input_format: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each image and class (N, C): how many pixels are in both, in preds, in target."""
    p, t = array_of(preds), array_of(target)
    if input_format not in ("one-hot", "index", "mixed"):
        raise ValueError(f"input_format must be 'one-hot', 'index' or 'mixed', not {input_format!r}")
    if input_format == "index":
        p, t = _one_hot(p, num_classes), _one_hot(t, num_classes)
    elif input_format == "mixed":
        if p.ndim > t.ndim:
            p, t = _masks(p), _one_hot(t, p.shape[1])
        else:
            p, t = _one_hot(p, t.shape[1]), _masks(t)
    else:
        p, t = _masks(p), _masks(t)
    if p.shape != t.shape or p.ndim < 3 or num_classes not in (None, p.shape[1]):
        raise ShapeError(f"preds and target must be of the same N images of C = num_classes = {num_classes} classes, "
                         f"(N, C, *); as masks these are {p.shape} and {t.shape}")
    p, t = (a.reshape(*a.shape[:2], math.prod(a.shape[2:]))[:, 0 if include_background else 1:] for a in (p, t))
    return (p & t).sum(2), p.sum(2), t.sum(2)


class MeanIoU(Metric):
    """Intersection over union of each class in each image where it occurs, and the mean.

    Args:
        num_classes: C; may be left out where there are masks.
        include_background: whether class 0 counts.
        per_class: a value for each class, -1 where it never occurs.
        input_format: "one-hot": preds and target are masks (N, C, *), or floating scores, of which the greatest counts.
            "index": both are labels (N, *). "mixed": one is this, the other that.

    `JaccardIndex` is that of all pixels of all images together, as it is usually given for a data set.
    """

    def __init__(self, num_classes: int | None = None, include_background: bool = True, per_class: bool = False,
                 input_format: str = "one-hot") -> None:
        self.options: tuple[Any, ...] = num_classes, include_background, input_format
        self.per_class = per_class

    def count(self, preds: TensorLike, target: TensorLike) -> tuple[np.ndarray, np.ndarray]:
        """The sum over the images for each class, and in how many it occurs."""
        both, p, t = _overlap(preds, target, *self.options)
        union = p + t - both
        return ratio(both, union).sum(0), (union > 0).sum(0)

    def value(self, score: np.ndarray, images: np.ndarray) -> Tensor:
        """The mean."""
        return result(ratio(score, images, -1) if self.per_class else ratio(score.sum(), images.sum(), np.nan))


def mean_iou(preds: TensorLike, target: TensorLike, num_classes: int | None = None, include_background: bool = True,
             per_class: bool = False, input_format: str = "one-hot") -> Tensor:
    """Intersection over union of each image, (N,): the mean over its classes; `per_class`: of each, (N, C).

    The arguments are those of `MeanIoU`, the meaning torchmetrics'.

    >>> mean_iou(tensor([[[0, 1], [1, 1]]]), tensor([[[0, 1], [0, 1]]]), num_classes=2, input_format="index")
    tensor([0.5833])
    """
    both, p, t = _overlap(preds, target, num_classes, include_background, input_format)
    union = p + t - both
    if per_class:
        return result(ratio(both, union, -1))
    return result(ratio(ratio(both, union).sum(1), (union > 0).sum(1), np.nan))


class DiceScore(Metric):
    """Dice's coefficient, 2 · (both) / (preds + target), of each image, and the mean over the images.

    Args:
        num_classes: C.
        include_background: whether class 0 counts.
        average: over the classes: "macro" (of those that occur in an image), "micro" (their pixels together),
            "weighted" (by their pixels in target), "none" or None (a value for each).
        input_format: as of `MeanIoU`.
        aggregation_level: "samplewise", or "global": of the pixels of all images together.
    """

    def __init__(self, num_classes: int, include_background: bool = True, average: str | None = "macro",
                 input_format: str = "one-hot", aggregation_level: str = "samplewise") -> None:
        if average not in ("micro", "macro", "weighted", "none", None):
            raise ValueError(f"average must be 'micro', 'macro', 'weighted' or 'none', not {average!r}")
        if aggregation_level not in ("samplewise", "global"):
            raise ValueError(f"aggregation_level must be 'samplewise' or 'global', not {aggregation_level!r}")
        self.options: tuple[Any, ...] = num_classes, include_background, input_format
        self.average, self.aggregation_level = average, aggregation_level

    def count(self, preds: TensorLike, target: TensorLike) -> tuple[list]:
        """Pixels in both, in either and in target, of each image or of all together."""
        counts = np.stack(_overlap(preds, target, *self.options), 1)
        return ([counts],)

    def each(self, counts: list) -> np.ndarray:
        """The coefficient of each image, or of all together."""
        both, p, t = np.moveaxis(np.concatenate(counts), 1, 0)
        if self.aggregation_level == "global":
            both, p, t = (a.sum(0, keepdims=True) for a in (both, p, t))
        if self.average == "micro":
            return ratio(2 * both.sum(1), (p + t).sum(1), np.nan)
        score = ratio(2 * both, p + t, np.nan)
        if self.average in (None, "none"):
            return score
        weight = t if self.average == "weighted" else p + t > 0
        return np.where((p + t).any(1), ratio((weight * np.nan_to_num(score)).sum(1), weight.sum(1)), np.nan)

    def value(self, counts: list) -> Tensor:
        """The mean over those images that have a value."""
        each = self.each(counts)
        there = ~np.isnan(each)
        return result(ratio(np.where(there, each, 0).sum(0), there.sum(0), np.nan))


def dice_score(preds: TensorLike, target: TensorLike, num_classes: int, include_background: bool = True,
               average: str | None = "macro", input_format: str = "one-hot",
               aggregation_level: str = "samplewise") -> Tensor:
    """Dice's coefficient of each image, (N,), or (N, C) if `average` is None; NaN where nothing occurs.

    The arguments are those of `DiceScore`, the meaning torchmetrics'.

    >>> dice_score(tensor([[[0, 1], [1, 1]]]), tensor([[[0, 1], [0, 1]]]), num_classes=2, input_format="index")
    tensor([0.7333])
    """
    metric = DiceScore(num_classes, include_background, average, input_format, aggregation_level)
    return result(metric.each(*metric.count(preds, target)))
