"""Measures of classification: counts of what was right and wrong in each class, and what is made of them."""

from typing import Any, TypedDict, Unpack

import numpy as np

from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn.metrics.metric import Metric, array_of, ratio, result

AVERAGES = ("micro", "macro", "weighted", "none", None)


class Options(TypedDict, total=False):
    """What the measures of classification share; `Classification` says what it means."""

    threshold: float
    num_classes: int | None
    num_labels: int | None
    average: str | None
    top_k: int
    ignore_index: int | None


class Classification(Metric):
    """Base of the measures that are made of the true and false positives and negatives of each class.

    Args:
        task: "multiclass": target (N, *) holds the class of each example, preds the same or scores (N, C, *), of which
            the greatest counts. "binary": target (N, *) holds 0 and 1, preds the same or probabilities. "multilabel":
            as binary, for each of L labels: (N, L, *).
        threshold: from what a probability is above, its label is 1. Scores outside [0, 1] are taken for logits.
        num_classes: C; may be left out where there are scores.
        num_labels: L; is seen from the shape.
        average: "micro": of all classes' counts together. "macro": the mean over those classes that occur in preds or
            target. "weighted": the mean with each class's number of examples as weight. "none" or None: of each class.
        top_k: count it as right if the class is among the k of greatest score.
        ignore_index: what target holds where nothing is counted.

    Raises:
        ValueError: a label is not one of the classes, or a score is NaN.

    The names, arguments and defaults are those of torchmetrics.
    """

    def __init__(self, task: str = "multiclass", *, threshold: float = 0.5, num_classes: int | None = None,
                 num_labels: int | None = None, average: str | None = "micro", top_k: int = 1,
                 ignore_index: int | None = None) -> None:
        if task not in ("binary", "multiclass", "multilabel"):
            raise ValueError(f"task must be 'binary', 'multiclass' or 'multilabel', not {task!r}")
        if average not in AVERAGES:
            raise ValueError(f"average must be 'micro', 'macro', 'weighted' or 'none', not {average!r}")
        if top_k < 1 or (top_k > 1 and task != "multiclass"):
            raise ValueError("top_k must be at least 1, and 1 if the task isn't 'multiclass', not "
                             f"{top_k} for {task!r}")
        self.task, self.threshold, self.average, self.top_k = task, threshold, average, top_k
        self.num_classes, self.num_labels, self.ignore_index = num_classes, num_labels, ignore_index

    def count(self, preds: TensorLike, target: TensorLike) -> tuple[Any, ...]:
        """True positives, false positives, false negatives and true negatives of each class."""
        p, t, classes = labels(preds, target, self.task, self.threshold, self.num_classes, self.top_k,
                               self.ignore_index, self.num_labels)
        if self.task == "multiclass":
            right, given, there = (np.bincount(a, minlength=classes) for a in (t[p == t], p, t))
            return right, given - right, there - right, len(t) - given - there + right
        counts = np.stack([np.sum((p == a) & (t == b), 0) for a, b in ((1, 1), (1, 0), (0, 1), (0, 0))])
        return tuple(counts[:, 0] if self.task == "binary" else counts)

    def score(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
        """The measure of one class, or of all together."""
        raise NotImplementedError

    def value(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> Tensor:
        """The measure, averaged over the classes as `average` says."""
        counts = tp, fp, fn, tn
        if self.task == "binary":
            return result(self.score(*counts))
        if self.average == "micro":
            return result(self.score(*[np.sum(a) for a in counts]))
        each = self.score(*counts)
        if self.average in (None, "none"):
            return result(each)
        weight = tp + fn if self.average == "weighted" else np.ones(len(tp))
        if self.average == "macro" and self.task == "multiclass":
            weight = self._occurs(tp, fp, fn)
        return result(ratio(np.sum(weight * each), np.sum(weight)))

    def _occurs(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
        return tp + fn + (fp if self.top_k == 1 else 0) > 0


def labels(preds: TensorLike, target: TensorLike, task: str, threshold: float, num_classes: int | None, top_k: int,
           ignore_index: int | None, num_labels: int | None = None) -> tuple[np.ndarray, np.ndarray, int]:
    """Labels predicted and true, and how many classes there are.

    Vectors for classes; matrices of 0, 1 and, where nothing counts, -1 for a binary (one column) or several labels.
    """
    p, t = array_of(preds), array_of(target)
    if t.dtype.kind == "f":
        raise TypeError(f"target holds labels, whole numbers, not {t.dtype}; write target.long()")
    if task != "multiclass":
        return *_binary(p, t, task, threshold, ignore_index, num_labels), 2
    if p.dtype.kind == "f":
        if p.ndim != t.ndim + 1 or p.shape[:1] + p.shape[2:] != t.shape:
            raise ShapeError(f"scores (N, C, *) go with a target (N, *), not {p.shape} with {t.shape}; for "
                             "probabilities of one label write task='binary'")
        if num_classes not in (None, p.shape[1]) or top_k > p.shape[1]:
            raise ValueError(f"scores of shape {p.shape} are of {p.shape[1]} classes; num_classes={num_classes} and "
                             f"top_k={top_k} don't go with them")
        no_nan(p)
        num_classes = int(p.shape[1])
        scores = np.moveaxis(p, 1, -1).reshape(-1, num_classes)
    elif p.shape != t.shape:
        raise ShapeError(f"labels predicted and true must have one shape, not {p.shape} and {t.shape}")
    elif top_k > 1:
        raise ValueError(f"top_k={top_k} needs scores (N, C, *), and preds holds labels ({p.dtype})")
    t = t.reshape(-1).astype(np.int64)
    counts = np.ones(len(t), np.bool_) if ignore_index is None else t != ignore_index
    t = t[counts]
    if p.dtype.kind == "f":
        scores = scores[counts]
        p = scores.argmax(1) if num_classes else np.zeros(0, np.int64)
    else:
        p = p.reshape(-1).astype(np.int64)[counts]
    if num_classes is None:
        raise ValueError("labels alone don't say how many classes there are; give num_classes")
    for name, held in (("target", t), ("preds", p)):
        wrong = held[(held < 0) | (held >= num_classes)]
        if len(wrong):
            raise ValueError(f"{name} holds the label {wrong[0]}, but the {num_classes} classes are 0 to "
                             f"{num_classes - 1}; what isn't to be counted is said by ignore_index")
    if top_k > 1:  # right if it is among the k best, otherwise what the best one says
        own = scores[np.arange(len(t)), t][:, None]
        ahead = (scores > own).sum(1) + ((scores == own) & (np.arange(num_classes) < t[:, None])).sum(1)
        p = np.where(ahead < top_k, t, p)
    return p, t, num_classes


def _binary(p: np.ndarray, t: np.ndarray, task: str, threshold: float, ignore_index: int | None,
            num_labels: int | None) -> tuple[np.ndarray, np.ndarray]:
    p, t = columns(p, t, task, num_labels, ignore_index)
    if p.dtype.kind == "f":
        p = probabilities(p) > threshold
    elif ((p != 0) & (p != 1)).any():
        raise ValueError(f"preds holds the label {p[(p != 0) & (p != 1)][0]}; labels are 0 and 1, probabilities are "
                         "floating")
    return p.astype(np.int64), t


def columns(p: np.ndarray, t: np.ndarray, task: str, num_labels: int | None,
            ignore_index: int | None) -> tuple[np.ndarray, np.ndarray]:
    """What is binary as a matrix with a column for each label; the true ones 0, 1 and -1, where nothing counts."""
    if p.shape != t.shape:
        raise ShapeError(f"for task {task!r} preds and target must have one shape, not {p.shape} and {t.shape}; for "
                         "scores (N, C) of classes write task='multiclass'")
    count = 1
    if task == "multilabel":
        if t.ndim < 2 or num_labels not in (None, t.shape[1]):
            raise ShapeError(f"task 'multilabel' needs labels (N, L, *) with L = num_labels = {num_labels}, not "
                             f"{t.shape}")
        count = t.shape[1]
        p, t = np.moveaxis(p, 1, -1), np.moveaxis(t, 1, -1)
    p, t = p.reshape(-1, count), t.reshape(-1, count).astype(np.int64)
    t = t if ignore_index is None else np.where(t == ignore_index, -1, t)
    wrong = t[(t != 0) & (t != 1) & ((t != -1) | (ignore_index is None))]
    if len(wrong):
        raise ValueError(f"target holds the label {wrong[0]}, but labels are 0 and 1; what isn't to be counted is said "
                         "by ignore_index")
    return p, t


def no_nan(scores: np.ndarray) -> None:
    """Refuse scores that are no numbers: they have no order."""
    if np.isnan(scores).any():
        raise ValueError(f"preds holds NaN, {np.isnan(scores).sum()} of {scores.size} scores; these have no order")


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Scores as they are if all are within [0, 1], else the sigmoids of these logits."""
    no_nan(scores)
    if ((scores >= 0) & (scores <= 1)).all():
        return scores
    return np.exp(-np.logaddexp(0, -scores.astype(np.float64)))


class Accuracy(Classification):
    """The share of examples whose class was found: of all ("micro"), or within each class.

    >>> metric = Accuracy(num_classes=3)
    >>> metric.update(tensor([0, 2, 1]), tensor([0, 1, 1]))
    >>> metric.update(tensor([2]), tensor([2]))
    >>> metric.compute()
    tensor(0.7500)
    """

    def score(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
        """TP / (TP + FN) of classes, (TP + TN) / all of labels."""
        return ratio(tp, tp + fn) if self.task == "multiclass" else ratio(tp + tn, tp + fp + fn + tn)


class Precision(Classification):
    """The share of what was found that is right: TP / (TP + FP)."""

    def score(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
        """TP / (TP + FP)."""
        return ratio(tp, tp + fp)


class Recall(Classification):
    """The share of what is there that was found: TP / (TP + FN)."""

    def score(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
        """TP / (TP + FN)."""
        return ratio(tp, tp + fn)


class F1Score(Classification):
    """The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN)."""

    def score(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
        """2 TP / (2 TP + FP + FN)."""
        return ratio(2 * tp, 2 * tp + fp + fn)

    def _occurs(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
        return tp + fp + fn > 0


class JaccardIndex(Classification):
    """Intersection over union, TP / (TP + FP + FN), by default the mean over the classes that occur.

    Of all examples, or pixels, of all batches together; `MeanIoU` is that of each image.
    """

    def __init__(self, task: str = "multiclass", *, average: str | None = "macro", **options: Any) -> None:
        super().__init__(task, average=average, **options)

    def score(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
        """TP / (TP + FP + FN)."""
        return ratio(tp, tp + fp + fn)

    def value(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> Tensor:
        """The index; a class that is ignored is none to be averaged over."""
        if self.task == "multiclass" and self.ignore_index in range(len(tp)) and self.average in ("micro", "macro"):
            tp, fp, fn, tn = (np.where(np.arange(len(a)) == self.ignore_index, 0, a) for a in (tp, fp, fn, tn))
        return super().value(tp, fp, fn, tn)


class ConfusionMatrix(Metric):
    """How often which class was taken for which: rows are the true classes, columns the predicted ones.

    Args:
        task: as of `Classification`, as are the arguments that are not named here. Of labels each has a matrix of two
            rows.
        normalize: "true": each row adds up to 1. "pred": each column. "all": the whole matrix. None: counts.
    """

    def __init__(self, task: str = "multiclass", *, threshold: float = 0.5, num_classes: int | None = None,
                 num_labels: int | None = None, normalize: str | None = None, ignore_index: int | None = None) -> None:
        if normalize not in ("true", "pred", "all", "none", None):
            raise ValueError(f"normalize must be 'true', 'pred', 'all' or None, not {normalize!r}")
        self.task, self.threshold, self.num_classes, self.num_labels = task, threshold, num_classes, num_labels
        self.normalize, self.ignore_index = normalize, ignore_index

    def count(self, preds: TensorLike, target: TensorLike) -> tuple[np.ndarray]:
        """The matrix of a batch, or matrices."""
        p, t, classes = labels(preds, target, self.task, self.threshold, self.num_classes, 1, self.ignore_index,
                               self.num_labels)
        p, t = np.atleast_2d(p.T), np.atleast_2d(t.T)
        each = np.stack([np.bincount(classes * true[true >= 0] + pred[true >= 0], minlength=classes ** 2)
                         .reshape(classes, classes) for pred, true in zip(p, t, strict=True)])
        return (each if self.task == "multilabel" else each[0],)

    def value(self, matrix: np.ndarray) -> Tensor:
        """The matrix, normalized."""
        if self.normalize in (None, "none"):
            return Tensor(matrix)
        axes = {"true": (-1,), "pred": (-2,), "all": (-2, -1)}[str(self.normalize)]
        return result(ratio(matrix, matrix.sum(axis=axes, keepdims=True)))


class AveragePrecision(Metric):
    """The area under the curve of precision over recall, in steps: the sum of (R_n - R_(n-1)) P_n over all thresholds.

    Args:
        task: as of `Classification`: scores (N, C, *) of classes, (N, L, *) of labels, or (N, *).
        num_classes: C; is seen from the shape.
        num_labels: L; likewise.
        average: "macro": the mean over the classes of which there are examples. "weighted": with their numbers as
            weights. "none" or None: of each class, NaN where there is no example.
        ignore_index: what target holds where nothing is counted.

    Examples of equal score are counted together. All scores are kept until `reset`.
    """

    def __init__(self, task: str = "multiclass", *, num_classes: int | None = None, num_labels: int | None = None,
                 average: str | None = "macro", ignore_index: int | None = None) -> None:
        if task not in ("binary", "multiclass", "multilabel"):
            raise ValueError(f"task must be 'binary', 'multiclass' or 'multilabel', not {task!r}")
        if average not in AVERAGES or (average == "micro" and task != "multilabel"):
            raise ValueError(f"average must be 'macro', 'weighted' or 'none', not {average!r} for task {task!r}")
        self.task, self.average, self.ignore_index = task, average, ignore_index
        self.num_classes, self.num_labels = num_classes, num_labels

    def count(self, preds: TensorLike, target: TensorLike) -> tuple[list, list]:
        """Scores and labels of a batch."""
        p, t = array_of(preds), array_of(target)
        if p.dtype.kind != "f":
            raise TypeError(f"preds must hold scores, floating numbers, not {p.dtype}")
        if self.task == "multiclass":
            _, true, classes = labels(p, t, "multiclass", 0.5, self.num_classes, 1, self.ignore_index)
            scores = np.moveaxis(p, 1, -1).reshape(-1, classes)
            return [scores[t.reshape(-1) != self.ignore_index]], [true[:, None] == np.arange(classes)]
        scores, true = columns(p, t, self.task, self.num_labels, self.ignore_index)
        no_nan(scores)
        return [scores], [true]

    def value(self, scores: list, true: list) -> Tensor:
        """The mean over the classes, as `average` says."""
        p, t = np.concatenate(scores), np.concatenate(true).astype(np.int64)
        if self.task == "multiclass" and not ((p >= 0) & (p <= 1)).all():  # logits: classes compare in probabilities
            p = np.exp(p - p.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
        if self.average == "micro":
            p, t = p.reshape(-1, 1), t.reshape(-1, 1)
        each = np.array([step_area(a[b >= 0], b[b >= 0]) for a, b in zip(p.T, t.T, strict=True)])
        if p.shape[1] == 1 and self.task != "multiclass":
            return result(np.nan_to_num(each[0]))
        if self.average in (None, "none"):
            return result(each)
        there = (t == 1).sum(0)
        weight = np.where(there > 0, there if self.average == "weighted" else 1, 0)
        return result(ratio(np.sum(weight * np.nan_to_num(each)), weight.sum(), np.nan))


def step_area(scores: np.ndarray, positive: np.ndarray) -> float:
    """Average precision of one class; NaN without a positive example."""
    order = np.argsort(-scores, kind="stable")
    scores, found = scores[order], np.cumsum(positive[order])
    if not len(found) or not found[-1]:
        return np.nan
    last = np.append(np.nonzero(np.diff(scores))[0], len(scores) - 1)  # of each score
    return float(np.sum(np.diff(found[last], prepend=0) / found[-1] * found[last] / (last + 1)))


# As functions of all examples at once

def _of(metric: type[Metric], preds: TensorLike, target: TensorLike, task: str, options: Any) -> Tensor:
    """A measure of one batch; how many classes there are may be seen from the greatest label."""
    p, t = array_of(preds), array_of(target)
    if task == "multiclass" and options.get("num_classes") is None and p.dtype.kind != "f":
        counted = t[t != options.get("ignore_index")]
        options["num_classes"] = int(max(counted.max(initial=0), p.max(initial=0))) + 1
    return metric(task, **options)(p, t)  # type: ignore[call-arg]


def accuracy(preds: TensorLike, target: TensorLike, task: str = "multiclass", **options: Unpack[Options]) -> Tensor:
    """The share of examples whose class was found; options as of `Classification`.

    >>> accuracy(tensor([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]]), tensor([1, 1]))
    tensor(0.5000)
    >>> accuracy(tensor([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]]), tensor([1, 1]), top_k=2)
    tensor(1.)
    """
    return _of(Accuracy, preds, target, task, options)


def precision(preds: TensorLike, target: TensorLike, task: str = "multiclass", **options: Unpack[Options]) -> Tensor:
    """The share of what was found that is right; options as of `Classification`."""
    return _of(Precision, preds, target, task, options)


def recall(preds: TensorLike, target: TensorLike, task: str = "multiclass", **options: Unpack[Options]) -> Tensor:
    """The share of what is there that was found; options as of `Classification`."""
    return _of(Recall, preds, target, task, options)


def f1_score(preds: TensorLike, target: TensorLike, task: str = "multiclass", **options: Unpack[Options]) -> Tensor:
    """The harmonic mean of precision and recall; options as of `Classification`."""
    return _of(F1Score, preds, target, task, options)


def jaccard_index(preds: TensorLike, target: TensorLike, task: str = "multiclass",
                  **options: Unpack[Options]) -> Tensor:
    """Intersection over union, by default the mean over the classes; options as of `Classification`.

    >>> jaccard_index(tensor([[0, 1], [1, 1]]), tensor([[0, 1], [0, 1]]))
    tensor(0.5833)
    """
    return _of(JaccardIndex, preds, target, task, options)


def confusion_matrix(preds: TensorLike, target: TensorLike, task: str = "multiclass", *, threshold: float = 0.5,
                     num_classes: int | None = None, num_labels: int | None = None, normalize: str | None = None,
                     ignore_index: int | None = None) -> Tensor:
    """How often which class (its row) was taken for which (its column); arguments as of `ConfusionMatrix`.

    >>> confusion_matrix(tensor([0, 1, 1]), tensor([0, 0, 1]))
    tensor([[1, 1],
            [0, 1]])
    """
    return _of(ConfusionMatrix, preds, target, task, {
        "threshold": threshold, "num_classes": num_classes, "num_labels": num_labels, "normalize": normalize,
        "ignore_index": ignore_index})


def average_precision(preds: TensorLike, target: TensorLike, task: str = "multiclass", *,
                      num_classes: int | None = None, num_labels: int | None = None, average: str | None = "macro",
                      ignore_index: int | None = None) -> Tensor:
    """The area under the curve of precision over recall; arguments as of `AveragePrecision`.

    >>> average_precision(tensor([0.9, 0.6, 0.3]), tensor([1, 0, 1]), "binary")
    tensor(0.8333)
    """
    return AveragePrecision(task, num_classes=num_classes, num_labels=num_labels, average=average,
                            ignore_index=ignore_index)(preds, target)
