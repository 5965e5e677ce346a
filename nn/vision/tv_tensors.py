"""Tensors that say what they are of a picture, so that transforms know what to do; names are torchvision's."""

from enum import Enum
from typing import Any, TypeVar

from autograd import Tensor, as_tensor
from autograd.errors import ShapeError
from autograd.typing import DTypeLike

Kind = TypeVar("Kind", bound="TVTensor")


class TVTensor(Tensor):
    """Base. They share the memory of what they are made of; what is computed of them is a Tensor."""

    def __init__(self, data: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> None:
        values = as_tensor(data).detach()
        super().__init__((values if dtype is None else values.to(dtype)).array, requires_grad)

    def _describe(self) -> dict[str, Any]:
        """What is known beside the values, to make another one of the kind."""
        return {}

    def __repr__(self) -> str:
        known = "".join(f", {name}={getattr(value, 'value', value)}" for name, value in self._describe().items())
        return f"{type(self).__name__}{super().__repr__().removeprefix('tensor')[:-1]}{known})"


class Image(TVTensor):
    """A picture, (C, H, W), or several of one size, (*, C, H, W)."""

    def __init__(self, data: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> None:
        super().__init__(data, dtype=dtype, requires_grad=requires_grad)
        if self.ndim < 2:
            raise ShapeError(f"an Image has shape (*, C, H, W), not {self.shape}")
        if self.ndim == 2:
            self.array = self.array[None]


class Video(Image):
    """Pictures in time, (*, T, C, H, W)."""


class Mask(TVTensor):
    """What belongs to what in a picture: (H, W) of labels, or (N, H, W), one for each object."""


class BoundingBoxFormat(Enum):
    """What the four numbers of a box are."""

    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"


class BoundingBoxes(TVTensor):
    """Boxes in a picture.

    Args:
        data: (N, 4), or one box.
        format: "XYXY" (left, top, right, bottom), "XYWH" (left, top, width, height) or "CXCYWH" (center, width,
            height).
        canvas_size: (height, width) of the picture.
        dtype: of the numbers.
        requires_grad: whether a gradient is wanted.

    >>> BoundingBoxes([[10, 20, 30, 40]], format="XYXY", canvas_size=(100, 200))
    BoundingBoxes([[10, 20, 30, 40]], format=XYXY, canvas_size=(100, 200))
    """

    def __init__(self, data: Any, *, format: BoundingBoxFormat | str, canvas_size: tuple[int, int],
                 dtype: DTypeLike | None = None, requires_grad: bool = False) -> None:
        super().__init__(data, dtype=dtype, requires_grad=requires_grad)
        if self.ndim == 1:
            self.array = self.array[None]
        if self.ndim != 2 or self.shape[1] != 4:
            raise ShapeError(f"boxes have shape (N, 4), not {self.shape}")
        names = [f.value for f in BoundingBoxFormat]
        if not isinstance(format, BoundingBoxFormat) and format.upper() not in names:
            raise ValueError(f"format must be one of {', '.join(names)}, not {format!r}")
        self.format = format if isinstance(format, BoundingBoxFormat) else BoundingBoxFormat[format.upper()]
        self.canvas_size = (int(canvas_size[0]), int(canvas_size[1]))

    def _describe(self) -> dict[str, Any]:
        return {"format": self.format, "canvas_size": self.canvas_size}


class KeyPoints(TVTensor):
    """Points in a picture.

    Args:
        data: (*, 2), each as x, y.
        canvas_size: (height, width) of the picture.
        dtype: of the numbers.
        requires_grad: whether a gradient is wanted.
    """

    def __init__(self, data: Any, *, canvas_size: tuple[int, int], dtype: DTypeLike | None = None,
                 requires_grad: bool = False) -> None:
        super().__init__(data, dtype=dtype, requires_grad=requires_grad)
        if self.ndim == 0 or self.shape[-1] != 2:
            raise ShapeError(f"points have shape (*, 2), not {self.shape}")
        self.canvas_size = (int(canvas_size[0]), int(canvas_size[1]))

    def _describe(self) -> dict[str, Any]:
        return {"canvas_size": self.canvas_size}


def wrap(wrappee: Any, *, like: Kind, **changes: Any) -> Kind:
    """A tensor of the kind of `like`, with what is known of it, but for changes such as `canvas_size=`.

    >>> boxes = BoundingBoxes([[10, 20, 30, 40]], format="XYXY", canvas_size=(100, 200))
    >>> wrap(boxes / 2, like=boxes, canvas_size=(50, 100))
    BoundingBoxes([[ 5., 10., 15., 20.]], format=XYXY, canvas_size=(50, 100))
    """
    return type(like)(wrappee, **like._describe() | changes)
