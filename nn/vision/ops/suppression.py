"""Non-maximum suppression: of boxes that overlap, the one with the highest score is kept."""

import numpy as np

import autograd
from autograd import Tensor, as_tensor
from autograd.errors import ShapeError
from autograd.runtime.threads import pieces
from autograd.typing import TensorLike
from nn.functional.geometry import wide
from nn.vision.ops.boxes import checked

_FEW = 64
"""How many boxes are compared with the others at a time."""
_PAIRS = 1 << 15
"""How many pairs are looked at together: they stay in the cache."""


def nms(boxes: TensorLike, scores: TensorLike, iou_threshold: float) -> Tensor:
    """The indices (K,) of the boxes that are kept, by falling score; of equal scores the first comes first.

    A box goes if its intersection over union with one that is kept is above the threshold. One with a nan overlaps
    nothing; a score that is nan is the highest.

    Args:
        boxes: (N, 4), corners (x1, y1, x2, y2).
        scores: (N,).
        iou_threshold: a box is kept if it overlaps no more than this.

    >>> boxes = tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 3.0], [5.0, 5.0, 6.0, 6.0]])
    >>> nms(boxes, tensor([0.5, 0.9, 0.7]), iou_threshold=0.5).tolist()
    [1, 2]
    """
    corners, values = _arrays(boxes, scores)
    return autograd.tensor(_kept(corners, _by_falling(values), iou_threshold))


def batched_nms(boxes: TensorLike, scores: TensorLike, idxs: TensorLike, iou_threshold: float) -> Tensor:
    """`nms` within each category: boxes of different ones do not rule each other out.

    (For up to 1000 boxes torchvision moves the categories apart and rounds what results, so that it may decide
    otherwise where an overlap is the threshold but for the last digits.)

    Args:
        boxes: (N, 4), corners (x1, y1, x2, y2).
        scores: (N,).
        idxs: (N,), the category of each box.
        iou_threshold: a box is kept if it overlaps no more than this.
    """
    corners, values = _arrays(boxes, scores)
    categories = as_tensor(idxs).numpy()
    if categories.shape != values.shape:
        raise ShapeError(f"idxs must have one entry per box, shape {values.shape}, not {categories.shape}")
    order = _by_falling(values)
    keep = np.zeros(len(order), bool)
    for category in np.unique(categories):
        keep[_kept(corners, order[categories[order] == category], iou_threshold)] = True
    return autograd.tensor(order[keep[order]])


def _arrays(boxes: TensorLike, scores: TensorLike) -> tuple[np.ndarray, np.ndarray]:
    corners, values = checked(boxes).detach().numpy(), as_tensor(scores).detach().numpy()
    if corners.ndim != 2 or values.shape != corners.shape[:1]:
        raise ShapeError(f"boxes must have shape (N, 4) and scores (N,), not {corners.shape} and {values.shape}")
    return wide(corners) if corners.dtype.kind == "f" else corners.astype(np.float32), values


def _by_falling(scores: np.ndarray) -> np.ndarray:
    """The order of falling scores; equal ones stay in theirs, and nan comes first."""
    return len(scores) - 1 - np.argsort(scores[::-1], kind="stable")[::-1]


def _kept(boxes: np.ndarray, order: np.ndarray, threshold: float) -> np.ndarray:
    """Those of the boxes in `order` that stay: each rules out what comes after it and overlaps it."""
    kept: list[np.ndarray] = [np.zeros(0, np.int64)]
    boxes, bound = boxes[order], boxes.dtype.type(threshold)
    if float(bound) > threshold:  # what is above a number is above the next smaller one of its dtype
        bound = np.nextafter(bound, bound.dtype.type(-np.inf))
    with np.errstate(all="ignore"):  # 0 / 0 and what is infinite: not above any threshold
        rows = np.stack([*boxes.T, (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])])
        while len(order):
            first, rest = rows[:, :_FEW], rows[:, _FEW:]
            staying = np.ones(first.shape[1], bool)
            later = np.triu(_overlapping(first, first, bound), 1)
            for i in np.nonzero(later.any(1))[0]:
                if staying[i]:
                    staying &= ~later[i]
            kept.append(order[:_FEW][staying])
            first = first[:, staying]
            parts = pieces(slice(0, rest.shape[1]), first.shape[1], _PAIRS)
            alone = [~_overlapping(first, rest[:, part], bound).any(0) for part in parts]
            remaining = np.concatenate(alone) if alone else np.zeros(0, bool)
            order, rows = order[_FEW:][remaining], rest[:, remaining]
    return np.concatenate(kept)


def _overlapping(first: np.ndarray, others: np.ndarray, threshold: np.floating) -> np.ndarray:
    """Whether boxes overlap others by more than the threshold (A, B); each is a column x1, y1, x2, y2, area."""
    def common(low: int, high: int) -> np.ndarray:
        length = np.minimum(first[high, :, None], others[high])
        length -= np.maximum(first[low, :, None], others[low])
        return np.fmax(length, 0, out=length)

    intersection = common(0, 2)
    intersection *= common(1, 3)
    union = first[4, :, None] + others[4]
    union -= intersection
    return np.divide(intersection, union, out=union) > threshold
