"""Transforms of the form of pictures and of their numbers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, as_tensor
from autograd.errors import ShapeError
from autograd.typing import DTypeLike
from nn.vision.transforms import functional as F
from nn.vision.transforms.functional.conversion import as_plain, is_image, is_pil, is_pure_tensor, opened
from nn.vision.transforms.transform import Transform, labels_of, leaves, rebuilt, sample_of
from nn.vision.tv_tensors import BoundingBoxes, BoundingBoxFormat, Image, KeyPoints, Mask, TVTensor, wrap


class ToTensor(Transform):
    """PIL images, and arrays (H, W, C) or (H, W), as Tensors (C, H, W); numbers of 0 to 255 become those of [0, 1]."""

    def takes(self, inpt: Any) -> bool:
        return is_pil(inpt) or isinstance(inpt, np.ndarray)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        return F.to_tensor(inpt)


class PILToTensor(Transform):
    """PIL images as Tensors (C, H, W) of their own numbers."""

    def takes(self, inpt: Any) -> bool:
        return is_pil(inpt)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        return F.pil_to_tensor(inpt)


class ToImage(Transform):
    """Tensors, arrays (H, W, C) and PIL images as `tv_tensors.Image`, without changing the numbers."""

    def takes(self, inpt: Any) -> bool:
        return is_pil(inpt) or is_pure_tensor(inpt)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Image:
        return F.to_image(inpt)


class ToPILImage(Transform):
    """Tensors (C, H, W) and arrays (H, W, C) as PIL images."""

    images_only = True

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.to_pil_image(inpt, self.mode)


class ToPureTensor(Transform):
    """Images, boxes, points and masks as Tensors that don't say what they are."""

    def takes(self, inpt: Any) -> bool:
        return isinstance(inpt, TVTensor)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        return as_plain(inpt)


class ToDtype(Transform):
    """Pictures in another dtype.

    Args:
        dtype: the dtype, or a dict from types (`tv_tensors.Mask`, `Tensor`, … or "others") to dtypes; None: as it is.
        scale: bring the range of a picture from that of one dtype to that of the other.
    """

    def __init__(self, dtype: DTypeLike | Mapping[Any, DTypeLike | None], scale: bool = False) -> None:
        super().__init__()
        self.dtype, self.scale = dtype, scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        dtype: Any = self.dtype
        if isinstance(dtype, Mapping):
            if type(inpt) not in dtype and "others" not in dtype:
                raise ValueError(f"dtype says nothing of {type(inpt).__name__}; add 'others': None")
            dtype = dtype[type(inpt)] if type(inpt) in dtype else dtype["others"]
        elif not is_image(inpt):
            return inpt
        return inpt if dtype is None else F.to_dtype(inpt, dtype, self.scale)


class ConvertImageDtype(Transform):
    """Pictures in another dtype, with its range."""

    images_only = True

    def __init__(self, dtype: DTypeLike = autograd.float32) -> None:
        super().__init__()
        self.dtype = dtype

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.to_dtype(inpt, self.dtype, scale=True)


class Normalize(Transform):
    """Each channel less its mean, divided by its standard deviation."""

    images_only = True

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std, self.inplace = list(mean), list(std), inplace

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if any(map(is_pil, flat_inputs)):
            raise TypeError("a PIL image holds no floating numbers; write ToTensor() before Normalize(...)")

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.normalize(inpt, self.mean, self.std, self.inplace)


class LinearTransformation(Transform):
    """(x - mean_vector) @ transformation_matrix of each picture as a vector, e.g. to whiten it."""

    images_only = True

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        if transformation_matrix.shape != (len(mean_vector), len(mean_vector)):
            raise ShapeError(f"transformation_matrix must be square, of the length of mean_vector, {len(mean_vector)}, "
                             f"not {transformation_matrix.shape}")
        self.transformation_matrix, self.mean_vector = transformation_matrix, mean_vector

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        x, back = opened(inpt)
        flat = x.reshape(-1, len(self.mean_vector)) - self.mean_vector
        return back((flat @ self.transformation_matrix.to(flat.dtype)).reshape(x.shape))


class Identity(Transform):
    """The sample as it is."""

    def forward(self, *inputs: Any) -> Any:
        return sample_of(inputs)


class Lambda(Transform):
    """A function of each part of a sample, or of those of some types.

    Args:
        lambd: the function.
        types: of the parts; default all.
    """

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        super().__init__()
        self.lambd, self.types = lambd, types or (object,)

    def chosen(self, parts: list[Any]) -> list[bool]:
        return [isinstance(part, self.types) for part in parts]

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self.lambd(inpt)


# Boxes and points

class ConvertBoundingBoxFormat(Transform):
    """Boxes in another format: "XYXY", "XYWH" or "CXCYWH"."""

    def __init__(self, format: BoundingBoxFormat | str) -> None:
        super().__init__()
        self.format = format

    def takes(self, inpt: Any) -> bool:
        return isinstance(inpt, BoundingBoxes)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.convert_bounding_box_format(inpt, self.format)


class ClampBoundingBoxes(Transform):
    """Boxes cut off where the picture ends."""

    def takes(self, inpt: Any) -> bool:
        return isinstance(inpt, BoundingBoxes)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.clamp_bounding_boxes(inpt)


class ClampKeyPoints(Transform):
    """Points moved to the nearest pixel of the picture."""

    def takes(self, inpt: Any) -> bool:
        return isinstance(inpt, KeyPoints)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.clamp_keypoints(inpt)


class SanitizeBoundingBoxes(Transform):
    """Without the boxes that are too small or not within the picture, and without their labels and masks.

    Args:
        min_size: the least width and height.
        min_area: the least area.
        labels_getter: a function of the sample that gives its labels, or a tuple of such; "default": what is called
            labels in a dict; None: there are none.
    """

    def __init__(self, min_size: float = 1.0, min_area: float = 1.0, labels_getter: Any = "default") -> None:
        super().__init__()
        if min_size < 1 or min_area < 1:
            raise ValueError(f"min_size and min_area must be at least 1, not {min_size} and {min_area}")
        self.min_size, self.min_area, self._labels_getter = min_size, min_area, labels_getter

    def forward(self, *inputs: Any) -> Any:
        sample = sample_of(inputs)
        parts = list(leaves(sample))
        boxes = next((part for part in parts if isinstance(part, BoundingBoxes)), None)
        if boxes is None:
            raise ValueError("there are no tv_tensors.BoundingBoxes in the sample")
        labels = labels_by(self._labels_getter, sample)
        for label in labels:
            if len(label) != len(boxes):
                raise ShapeError(f"there are {len(boxes)} boxes, and labels of shape {label.shape}")
        valid = F.sanitize_bounding_boxes(boxes, min_size=self.min_size, min_area=self.min_area)[1]

        def kept(part: Any) -> Any:
            of_boxes = isinstance(part, Mask) and part.ndim == 3 and len(part) == len(boxes)
            if of_boxes or isinstance(part, BoundingBoxes):
                return wrap(as_plain(part)[valid], like=part)
            return as_tensor(part)[valid] if any(part is label for label in labels) else part
        return rebuilt(sample, iter([kept(part) for part in parts]))


def labels_by(getter: Any, sample: Any) -> tuple[Any, ...]:
    """The labels in a sample, by a function, by default rules, or none."""
    if getter is None:
        return ()
    found = labels_of(sample) if getter == "default" else getter(sample)
    return tuple(found) if isinstance(found, (tuple, list)) else (found,)
