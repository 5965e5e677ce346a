"""A batch of images of different sizes."""

from typing import NamedTuple

from autograd import Tensor


class ImageList(NamedTuple):
    """Images (N, C, H, W) with zeros below and beside them, and each one's own size (height, width)."""

    tensors: Tensor
    image_sizes: list[tuple[int, int]]
