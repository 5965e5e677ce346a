"""From images of any size to a batch, and from what is found in it back to the images."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor
from autograd.errors import ShapeError
from nn import functional as F
from nn.vision.models.detection._utils import Target
from nn.vision.models.detection.image_list import ImageList
from nn.vision.models.detection.roi_heads import paste_masks_in_image

Size = Sequence[int]


class GeneralizedRCNNTransform(nn.Module):
    """Normalizes and resizes images, with their targets, and makes a batch of them; and the reverse of it.

    Args:
        min_size: the length of the shorter side; of several numbers one is drawn in training, and the last one is used
            otherwise.
        max_size: the longer side has at most this length.
        image_mean: what is subtracted from each channel.
        image_std: what each channel is divided by.
        size_divisible: height and width of the batch are multiples of this.
        fixed_size: instead of all this, (width, height) of every image.
        _skip_resize: leave images as large as they are, in training.
    """

    def __init__(self, min_size: int | Sequence[int], max_size: int, image_mean: Sequence[float],
                 image_std: Sequence[float], size_divisible: int = 32, fixed_size: tuple[int, int] | None = None,
                 _skip_resize: bool = False) -> None:
        super().__init__()
        self.min_size = tuple(min_size) if isinstance(min_size, Sequence) else (min_size,)
        self.max_size, self.image_mean, self.image_std = max_size, image_mean, image_std
        self.size_divisible, self.fixed_size, self._skip_resize = size_divisible, fixed_size, _skip_resize

    def forward(self, images: Sequence[Tensor],
                targets: Sequence[Target] | None = None) -> tuple[ImageList, list[dict[str, Tensor]] | None]:
        """The batch of images (C, H, W), and the targets in it."""
        if not len(images):
            raise ValueError("there are no images")
        resized, fitting = [], []
        for i, image in enumerate(images):
            if image.ndim != 3:
                raise ShapeError(f"images are a list of tensors of shape (C, H, W), not {image.shape}")
            image, target = self.resize(self.normalize(image), None if targets is None else targets[i])
            resized.append(image)
            fitting.append(target)
        sizes = [(image.shape[1], image.shape[2]) for image in resized]
        return ImageList(self.batch_images(resized), sizes), None if targets is None else fitting

    def normalize(self, image: Tensor) -> Tensor:
        """Each channel less its mean, divided by its standard deviation."""
        if not image.is_floating_point():
            raise TypeError(f"images hold floating numbers from 0 to 1, and this one {image.dtype}; write "
                            "image.float() / 255")
        mean, std = (np.array(numbers, image.dtype)[:, None, None] for numbers in (self.image_mean, self.image_std))
        return (image - mean) / std

    def resize(self, image: Tensor, target: Target | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """An image and its target in the size in which it is looked at."""
        target = dict(target or {})
        before = image.shape[-2:]
        if not (self.training and self._skip_resize):
            size = self._size(before)
            image = F.interpolate(image.unsqueeze(0), size, mode="bilinear", align_corners=False)[0]
            if "masks" in target:
                target["masks"] = F.interpolate(target["masks"].unsqueeze(1).float(), size)[:, 0].to("uint8")
        for name, resized in (("boxes", resize_boxes), ("keypoints", resize_keypoints)):
            if name in target:
                target[name] = resized(target[name], before, image.shape[-2:])
        return image, target

    def _size(self, size: Size) -> tuple[int, int]:
        shorter = self.min_size[-1]
        if self.training:
            shorter = self.min_size[int(autograd.empty(1).uniform_(0, len(self.min_size)).item())]
        if self.fixed_size is not None:
            return self.fixed_size[1], self.fixed_size[0]
        scale = min(shorter / min(size), self.max_size / max(size))
        return math.floor(size[0] * scale), math.floor(size[1] * scale)

    def batch_images(self, images: Sequence[Tensor]) -> Tensor:
        """Images (C, H, W) as one tensor (N, C, H, W), with zeros below and beside the smaller ones."""
        height, width = (math.ceil(max(image.shape[axis] for image in images) / self.size_divisible)
                         * self.size_divisible for axis in (1, 2))
        return autograd.stack([F.pad(image, (0, width - image.shape[2], 0, height - image.shape[1]))
                               for image in images])

    def postprocess(self, result: list[dict[str, Tensor]], image_shapes: Sequence[Size],
                    original_image_sizes: Sequence[Size]) -> list[dict[str, Tensor]]:
        """Boxes, masks and keypoints that were found in images of one size, in images of another."""
        for found, before, after in zip(result, image_shapes, original_image_sizes, strict=True):
            found["boxes"] = resize_boxes(found["boxes"], before, after)
            if "masks" in found:
                found["masks"] = paste_masks_in_image(found["masks"], found["boxes"], after)
            if "keypoints" in found:
                found["keypoints"] = resize_keypoints(found["keypoints"], before, after)
        return result

    def extra_repr(self) -> str:
        return (f"mean={self.image_mean}, std={self.image_std}, min_size={self.min_size}, max_size={self.max_size}" +
                f", fixed_size={self.fixed_size}" * (self.fixed_size is not None))


def _ratios(before: Size, after: Size, dtype: np.dtype) -> np.ndarray:
    """How much wider and higher an image has become, to single precision as in torchvision."""
    return (np.array(after[::-1], np.float32) / np.array(before[::-1], np.float32)).astype(dtype)


def resize_boxes(boxes: Tensor, original_size: Size, new_size: Size) -> Tensor:
    """Boxes (N, 4) in an image of another size (height, width)."""
    return boxes * np.tile(_ratios(original_size, new_size, boxes.dtype), 2)


def resize_keypoints(keypoints: Tensor, original_size: Size, new_size: Size) -> Tensor:
    """Keypoints (N, K, 3) in an image of another size (height, width)."""
    return keypoints * np.append(_ratios(original_size, new_size, keypoints.dtype), keypoints.dtype.type(1))


def detector_transform(min_size: Any, max_size: int, image_mean: Sequence[float] | None,
                       image_std: Sequence[float] | None, **options: Any) -> GeneralizedRCNNTransform:
    """The transform, with ImageNet's mean and standard deviation unless others are given."""
    return GeneralizedRCNNTransform(min_size, max_size, image_mean or [0.485, 0.456, 0.406],
                                    image_std or [0.229, 0.224, 0.225], **options)
