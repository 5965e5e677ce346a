"""Boxes and points of a picture by themselves: their format, and what of them is within it."""

from typing import Any

import numpy as np

from autograd import Tensor
from nn.vision.transforms.functional.conversion import as_plain
from nn.vision.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, wrap


def _format(name: BoundingBoxFormat | str) -> BoundingBoxFormat:
    return name if isinstance(name, BoundingBoxFormat) else BoundingBoxFormat[name.upper()]


def _converted(boxes: np.ndarray, old: BoundingBoxFormat, new: BoundingBoxFormat) -> np.ndarray:
    """Boxes of integers stay integers: corners are cut off to whole numbers, centers rounded down."""
    if old == new:
        return boxes.copy()
    first, second = boxes[..., :2], boxes[..., 2:]
    start = first if old != BoundingBoxFormat.CXCYWH else first - second / 2
    end = second if old == BoundingBoxFormat.XYXY else start + second
    start, end = start.astype(boxes.dtype), end.astype(boxes.dtype)
    if new == BoundingBoxFormat.XYXY:
        return np.concatenate([start, end], -1)
    if new == BoundingBoxFormat.XYWH:
        return np.concatenate([start, end - start], -1)
    middle = (start + end) / 2 if boxes.dtype.kind == "f" else (start + end) // 2
    return np.concatenate([middle, end - start], -1)


def convert_bounding_box_format(inpt: Tensor, new_format: BoundingBoxFormat | str,
                                old_format: BoundingBoxFormat | str | None = None) -> Any:
    """Boxes in another format; of a Tensor that doesn't say its own, `old_format`."""
    new = _format(new_format)
    if isinstance(inpt, BoundingBoxes):
        return wrap(Tensor(_converted(inpt.numpy(), inpt.format, new)), like=inpt, format=new)
    if old_format is None:
        raise ValueError("a Tensor doesn't say the format of its boxes; give old_format")
    return Tensor(_converted(inpt.detach().numpy(), _format(old_format), new))


def clamp_bounding_boxes(inpt: Tensor, format: BoundingBoxFormat | str | None = None,
                         canvas_size: tuple[int, int] | None = None) -> Any:
    """Boxes cut off where the picture ends; of a Tensor that doesn't say them, with format and canvas_size."""
    if not isinstance(inpt, BoundingBoxes):
        if format is None or canvas_size is None:
            raise ValueError("a Tensor doesn't say the format and canvas_size of its boxes; give both")
        return as_plain(clamp_bounding_boxes(BoundingBoxes(inpt, format=format, canvas_size=canvas_size)))
    height, width = inpt.canvas_size
    values = inpt.detach().numpy()
    exact = values if values.dtype.kind == "f" else values.astype(np.float32)
    corners = _converted(exact, inpt.format, BoundingBoxFormat.XYXY)
    corners = np.clip(corners, 0, np.array([width, height, width, height], corners.dtype))
    return wrap(Tensor(_converted(corners, BoundingBoxFormat.XYXY, inpt.format).astype(values.dtype)), like=inpt)


def clamp_keypoints(inpt: Tensor, canvas_size: tuple[int, int] | None = None) -> Any:
    """Points moved to the nearest pixel of the picture."""
    size = inpt.canvas_size if isinstance(inpt, KeyPoints) else canvas_size
    if size is None:
        raise ValueError("a Tensor doesn't say the size of the picture; give canvas_size")
    values = inpt.detach().numpy()
    out = Tensor(np.clip(values, 0, np.array([size[1] - 1, size[0] - 1], values.dtype)))
    return wrap(out, like=inpt) if isinstance(inpt, KeyPoints) else out


def sanitize_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat | str | None = None,
                            canvas_size: tuple[int, int] | None = None, min_size: float = 1.0,
                            min_area: float = 1.0) -> tuple[Any, Tensor]:
    """Those boxes that lie within the picture and are neither narrow nor small, and which these are."""
    like = bounding_boxes
    if not isinstance(like, BoundingBoxes):
        if format is None or canvas_size is None:
            raise ValueError("a Tensor doesn't say the format and canvas_size of its boxes; give both")
        like = BoundingBoxes(like, format=format, canvas_size=canvas_size)
    corners = _converted(like.detach().numpy(), like.format, BoundingBoxFormat.XYXY)
    sides, (height, width) = corners[:, 2:] - corners[:, :2], like.canvas_size
    valid = ((sides >= min_size).all(1) & (np.prod(sides, 1) >= min_area) & (corners >= 0).all(1)
             & (corners <= [width, height, width, height]).all(1))
    kept = as_plain(bounding_boxes)[valid]
    return wrap(kept, like=bounding_boxes) if isinstance(bounding_boxes, BoundingBoxes) else kept, Tensor(valid)
