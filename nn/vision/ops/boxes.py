"""Boxes: their forms, areas and overlaps, and which of many to keep.

A box is its corners (x1, y1, x2, y2), x1 <= x2 and y1 <= y2, unless a format says otherwise.
"""

import math
from collections.abc import Callable

import numpy as np

import autograd
from autograd import Tensor, as_tensor, maximum, minimum, stack
from autograd.errors import ShapeError
from autograd.typing import TensorLike


def checked(boxes: TensorLike, numbers: int = 4) -> Tensor:
    """Boxes as a Tensor.

    Raises:
        ShapeError: they have not as many numbers each.
    """
    boxes = as_tensor(boxes)
    if not boxes.ndim or boxes.shape[-1] != numbers:
        raise ShapeError(f"boxes must have shape (..., {numbers}), not {boxes.shape}")
    return boxes


def upcast(x: Tensor) -> Tensor:
    """Numbers whose products don't overflow: float16 as float32, small integers as int32."""
    if x.is_floating_point():
        return x.float() if x.dtype == autograd.float16 else x
    return x if x.dtype in (autograd.int32, autograd.int64) else x.int()


# Formats

def _from_xywh(boxes: Tensor) -> Tensor:
    x, y, w, h = boxes.unbind(-1)
    return stack([x, y, x + w, y + h], -1)


def _to_xywh(boxes: Tensor) -> Tensor:
    x1, y1, x2, y2 = boxes.unbind(-1)
    return stack([x1, y1, x2 - x1, y2 - y1], -1)


def _from_cxcywh(boxes: Tensor) -> Tensor:
    cx, cy, w, h = boxes.unbind(-1)
    return stack([cx - 0.5 * w, cy - 0.5 * h, cx + 0.5 * w, cy + 0.5 * h], -1)


def _to_cxcywh(boxes: Tensor) -> Tensor:
    x1, y1, x2, y2 = boxes.unbind(-1)
    return stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], -1)


def _turned(r: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of an angle in degrees."""
    return (r * math.pi / 180).cos(), (r * math.pi / 180).sin()


def _from_cxcywhr(boxes: Tensor) -> Tensor:
    cx, cy, w, h, r = boxes.unbind(-1)
    cos, sin = _turned(r)
    return stack([cx - w / 2 * cos - h / 2 * sin, cy - h / 2 * cos + w / 2 * sin, w, h, r], -1)


def _to_cxcywhr(boxes: Tensor) -> Tensor:
    x, y, w, h, r = boxes.unbind(-1)
    cos, sin = _turned(r)
    return stack([x + w / 2 * cos + h / 2 * sin, y - w / 2 * sin + h / 2 * cos, w, h, r], -1)


def _from_xyxyxyxy(boxes: Tensor) -> Tensor:
    x1, y1, x2, y2, x3, y3, _, _ = boxes.unbind(-1)
    w, h = ((x2 - x1) ** 2 + (y1 - y2) ** 2).sqrt(), ((x3 - x2) ** 2 + (y3 - y2) ** 2).sqrt()
    return stack([x1, y1, w, h, autograd.atan2(y1 - y2, x2 - x1) * 180 / math.pi], -1)


def _to_xyxyxyxy(boxes: Tensor) -> Tensor:
    x, y, w, h, r = boxes.unbind(-1)
    cos, sin = _turned(r)
    x2, y2 = x + w * cos, y - w * sin
    return stack([x, y, x2, y2, x2 + h * sin, y2 + h * cos, x + h * sin, y + h * cos], -1)


def _same(boxes: Tensor) -> Tensor:
    return boxes


_UPRIGHT: dict[str, tuple[int, Callable, Callable]] = {
    "xyxy": (4, _same, _same),
    "xywh": (4, _from_xywh, _to_xywh),
    "cxcywh": (4, _from_cxcywh, _to_cxcywh),
}
"""Format -> how many numbers a box has, and how it becomes xyxy and comes from there."""
_ROTATED: dict[str, tuple[int, Callable, Callable]] = {
    "xywhr": (5, _same, _same),
    "cxcywhr": (5, _from_cxcywhr, _to_cxcywhr),
    "xyxyxyxy": (8, _from_xyxyxyxy, _to_xyxyxyxy),
}
"""The same of boxes turned by an angle r, by way of xywhr."""


def box_convert(boxes: TensorLike, in_fmt: str, out_fmt: str) -> Tensor:
    """Boxes (..., K) in another format.

    Args:
        boxes: K is 4 for upright boxes, 5 or 8 for rotated ones.
        in_fmt: "xyxy" (two corners), "xywh" (top left corner, width, height) or "cxcywh" (center, width, height); or,
            of boxes turned counterclockwise by r degrees, "xywhr", "cxcywhr" or "xyxyxyxy" (all four corners, clockwise
            from the top left).
        out_fmt: the same; upright boxes stay upright, rotated ones rotated.

    >>> box_convert(tensor([10.0, 20.0, 30.0, 60.0]), "xyxy", "cxcywh").tolist()
    [20.0, 40.0, 20.0, 40.0]
    """
    forms = _UPRIGHT if in_fmt in _UPRIGHT else _ROTATED
    if in_fmt not in forms or out_fmt not in forms:
        raise ValueError(f"boxes cannot be converted from {in_fmt!r} to {out_fmt!r}: upright ones have the formats "
                         f"{', '.join(_UPRIGHT)}, rotated ones {', '.join(_ROTATED)}")
    boxes = checked(boxes, forms[in_fmt][0])
    if in_fmt == out_fmt:
        return boxes.clone()
    converted = forms[out_fmt][2](forms[in_fmt][1](boxes))
    if forms is _ROTATED and not boxes.is_floating_point():
        return converted.round().to(boxes.dtype)
    return converted


# Areas and overlaps

def box_area(boxes: TensorLike, fmt: str = "xyxy") -> Tensor:
    """The areas (...) of boxes (..., 4), in the format "xyxy", "xywh" or "cxcywh"."""
    if fmt not in _UPRIGHT:
        raise ValueError(f"the format of the boxes must be one of {', '.join(_UPRIGHT)}, not {fmt!r}")
    boxes = upcast(checked(boxes))
    if fmt != "xyxy":
        return boxes[..., 2] * boxes[..., 3]
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _every_pair(boxes1: TensorLike, boxes2: TensorLike) -> tuple[Tensor, Tensor]:
    """Boxes (..., N, 4) and (..., M, 4) as (..., N, 1, 4) and (..., 1, M, 4)."""
    boxes1, boxes2 = checked(boxes1), checked(boxes2)
    for boxes in (boxes1, boxes2):
        if boxes.ndim < 2:
            raise ShapeError(f"sets of boxes have shape (..., N, 4), not {boxes.shape}; unsqueeze(0) makes one of a "
                             "box")
    return boxes1.unsqueeze(-2), boxes2.unsqueeze(-3)


def _sides(corner1: Tensor, corner2: Tensor) -> Tensor:
    """Width and height between two corners (..., 2), 0 if the second isn't beyond the first."""
    return upcast(corner2 - corner1).clamp(min=0)


def _intersection_union(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """The areas that boxes which broadcast have in common, and together."""
    sides = _sides(maximum(boxes1[..., :2], boxes2[..., :2]), minimum(boxes1[..., 2:], boxes2[..., 2:]))
    intersection = sides[..., 0] * sides[..., 1]
    return intersection, box_area(boxes1) + box_area(boxes2) - intersection


def _enclosing(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """Width and height of the smallest box around two."""
    sides = _sides(minimum(boxes1[..., :2], boxes2[..., :2]), maximum(boxes1[..., 2:], boxes2[..., 2:]))
    return sides[..., 0], sides[..., 1]


def box_iou(boxes1: TensorLike, boxes2: TensorLike, fmt: str = "xyxy") -> Tensor:
    """Intersection over union of all pairs: boxes (..., N, 4) and (..., M, 4) give (..., N, M).

    Of two boxes without area it is nan. In batches, the leading axes broadcast.

    Args:
        boxes1: the first set.
        boxes2: the second set.
        fmt: "xyxy", "xywh" or "cxcywh".

    >>> box_iou(tensor([[0.0, 0.0, 2.0, 2.0]]), tensor([[0.0, 0.0, 2.0, 1.0], [5.0, 5.0, 6.0, 6.0]])).tolist()
    [[0.5, 0.0]]
    """
    if fmt not in _UPRIGHT:
        raise ValueError(f"the format of the boxes must be one of {', '.join(_UPRIGHT)}, not {fmt!r}")
    if fmt != "xyxy":
        boxes1, boxes2 = box_convert(boxes1, fmt, "xyxy"), box_convert(boxes2, fmt, "xyxy")
    intersection, union = _intersection_union(*_every_pair(boxes1, boxes2))
    return intersection / union


def generalized_box_iou(boxes1: TensorLike, boxes2: TensorLike) -> Tensor:
    """GIoU of all pairs: boxes (..., N, 4) and (..., M, 4) give (..., N, M), from -1 to 1 (Rezatofighi et al. 2019).

    It is the IoU less what of the smallest box around both belongs to neither.
    """
    pairs = _every_pair(boxes1, boxes2)
    intersection, union = _intersection_union(*pairs)
    width, height = _enclosing(*pairs)
    return intersection / union - (width * height - union) / (width * height)


def _distance_iou(boxes1: Tensor, boxes2: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    intersection, union = _intersection_union(boxes1, boxes2)
    width, height = _enclosing(boxes1, boxes2)
    between = (boxes1[..., :2] + boxes1[..., 2:]) / 2 - (boxes2[..., :2] + boxes2[..., 2:]) / 2
    iou = intersection / union
    return iou - (between ** 2).sum(-1) / (width ** 2 + height ** 2 + eps), iou


def distance_box_iou(boxes1: TensorLike, boxes2: TensorLike, eps: float = 1e-7) -> Tensor:
    """DIoU of all pairs: boxes (..., N, 4) and (..., M, 4) give (..., N, M) (Zheng et al. 2020).

    It is the IoU less the squared distance of the centers, relative to the diagonal of the smallest box around both.

    Args:
        boxes1: the first set.
        boxes2: the second set.
        eps: is added to the square of the diagonal.
    """
    first, second = map(upcast, _every_pair(boxes1, boxes2))
    return _distance_iou(first, second, eps)[0]


def complete_box_iou(boxes1: TensorLike, boxes2: TensorLike, eps: float = 1e-7) -> Tensor:
    """CIoU of all pairs: boxes (..., N, 4) and (..., M, 4) give (..., N, M) (Zheng et al. 2020).

    It is the DIoU less a penalty for different aspect ratios, whose weight counts as a constant in the derivative.

    Args:
        boxes1: the first set.
        boxes2: the second set.
        eps: is added to denominators.
    """
    first, second = map(upcast, _every_pair(boxes1, boxes2))
    diou, iou = _distance_iou(first, second, eps)
    return diou - aspect_penalty(first, second, iou, eps)


def aspect_penalty(boxes1: Tensor, boxes2: Tensor, iou: Tensor, eps: float) -> Tensor:
    """What the complete IoU takes from the distance IoU, for different aspect ratios."""
    def angle(boxes: Tensor) -> Tensor:
        return ((boxes[..., 2] - boxes[..., 0]) / (boxes[..., 3] - boxes[..., 1])).atan()
    v = 4 / math.pi ** 2 * (angle(boxes1) - angle(boxes2)) ** 2
    return (v / (1 - iou + v + eps)).detach() * v


# Which of many

def clip_boxes_to_image(boxes: TensorLike, size: tuple[int, int]) -> Tensor:
    """Boxes (..., 4) with the coordinates moved into an image of size (height, width)."""
    height, width = size
    x1, y1, x2, y2 = checked(boxes).unbind(-1)
    return stack([x1.clamp(0, width), y1.clamp(0, height), x2.clamp(0, width), y2.clamp(0, height)], -1)


def remove_small_boxes(boxes: TensorLike, min_size: float) -> Tensor:
    """The indices of those boxes (N, 4) both of whose sides have at least this length."""
    corners = checked(boxes).detach().numpy()
    return autograd.tensor(np.nonzero((corners[..., 2:] - corners[..., :2] >= min_size).all(-1))[0])


def masks_to_boxes(masks: TensorLike) -> Tensor:
    """The boxes (N, 4), float32, around what is not zero in masks (N, H, W): their first and last columns and rows.

    Around nothing it is (0, 0, 0, 0).
    """
    there = as_tensor(masks).detach().numpy() != 0
    if there.ndim != 3:
        raise ShapeError(f"masks must have shape (N, H, W), not {there.shape}")
    boxes = np.zeros((len(there), 4), np.float32)
    if there.size:
        for axis, across in ((0, 1), (1, 2)):  # x: any row; y: any column
            along = there.any(across)
            boxes[:, axis] = along.argmax(1)
            boxes[:, axis + 2] = along.shape[1] - 1 - along[:, ::-1].argmax(1)
        boxes[~there.any((1, 2))] = 0
    return autograd.from_numpy(boxes)
