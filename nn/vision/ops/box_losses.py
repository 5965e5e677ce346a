"""Losses of boxes (..., 4) against as many others: 1 less their overlap, less what tells how far apart they are.

Corners are (x1, y1, x2, y2). `reduction` is "none" (one number a box), "mean" or "sum"; of no boxes both are 0.
"""

from autograd import Tensor, maximum, minimum, where
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn.functional.loss import chosen
from nn.vision.ops.boxes import aspect_penalty, checked


def _pairs(boxes1: TensorLike, boxes2: TensorLike) -> tuple[Tensor, Tensor]:
    first, second = [boxes if boxes.dtype == "float64" else boxes.float() for boxes in map(checked, (boxes1, boxes2))]
    if first.shape != second.shape:
        raise ShapeError(f"each box has one that it is compared with, so the shapes must be equal, not {first.shape} "
                         f"and {second.shape}; overlaps of all pairs are box_iou's")
    return first, second


def _overlap(boxes1: Tensor, boxes2: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """The IoU, the area of the union, and the sides (..., 2) of the smallest box around both."""
    common = minimum(boxes1[..., 2:], boxes2[..., 2:]) - maximum(boxes1[..., :2], boxes2[..., :2])
    intersection = where((common > 0).all(-1), common.prod(-1), 0.0)
    union = sum([(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (boxes1, boxes2)]) - intersection
    around = maximum(boxes1[..., 2:], boxes2[..., 2:]) - minimum(boxes1[..., :2], boxes2[..., :2])
    return intersection / (union + eps), union, around


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    reduction = chosen(reduction)
    return losses if reduction == "none" else losses.sum() / max(1, losses.numel() if reduction == "mean" else 1)


def generalized_box_iou_loss(boxes1: TensorLike, boxes2: TensorLike, reduction: str = "none",
                             eps: float = 1e-7) -> Tensor:
    """1 - GIoU, which has a slope also where boxes don't overlap (Rezatofighi et al. 2019).

    Args:
        boxes1: (N, 4) or (4,).
        boxes2: the same shape.
        reduction: "none", "mean" or "sum".
        eps: is added to denominators.

    >>> generalized_box_iou_loss(tensor([0.0, 0.0, 1.0, 1.0]), tensor([1.0, 0.0, 2.0, 1.0])).item()
    1.0
    """
    iou, union, around = _overlap(*_pairs(boxes1, boxes2), eps)
    area = around.prod(-1)
    return _reduced(1 - iou + (area - union) / (area + eps), reduction)


def _distance_loss(boxes1: Tensor, boxes2: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    iou, _, around = _overlap(boxes1, boxes2, eps)
    between = (boxes1[..., :2] + boxes1[..., 2:]) / 2 - (boxes2[..., :2] + boxes2[..., 2:]) / 2
    return 1 - iou + (between ** 2).sum(-1) / ((around ** 2).sum(-1) + eps), iou


def distance_box_iou_loss(boxes1: TensorLike, boxes2: TensorLike, reduction: str = "none",
                          eps: float = 1e-7) -> Tensor:
    """1 - DIoU: the overlap, and the distance of the centers (Zheng et al. 2020).

    Args:
        boxes1: (N, 4) or (4,).
        boxes2: the same shape.
        reduction: "none", "mean" or "sum".
        eps: is added to denominators.
    """
    return _reduced(_distance_loss(*_pairs(boxes1, boxes2), eps)[0], reduction)


def complete_box_iou_loss(boxes1: TensorLike, boxes2: TensorLike, reduction: str = "none",
                          eps: float = 1e-7) -> Tensor:
    """1 - CIoU: the overlap, the distance of the centers and the aspect ratios (Zheng et al. 2020).

    Args:
        boxes1: (N, 4) or (4,).
        boxes2: the same shape.
        reduction: "none", "mean" or "sum".
        eps: is added to denominators.
    """
    first, second = _pairs(boxes1, boxes2)
    losses, iou = _distance_loss(first, second, 1e-7)  # torchvision's, whatever eps is
    return _reduced(losses + aspect_penalty(first, second, iou, eps), reduction)
