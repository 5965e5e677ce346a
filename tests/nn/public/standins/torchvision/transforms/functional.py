"""Functions of transforms."""

import numpy as np
from PIL import Image


def to_tensor(image):
    """(C, H, W), between 0 and 1."""
    import torch
    array = np.array(image)
    return torch.from_numpy(array.reshape(*array.shape[:2], -1).transpose(2, 0, 1).copy()).float().div(255)


def normalize(image, mean, std, inplace=False):
    """(x - mean) / std."""
    import torch
    mean, std = (torch.tensor(value, dtype=image.dtype).reshape(-1, 1, 1) for value in (mean, std))
    return (image - mean) / std


def resize(image, size, *args, **options):
    """An image in another size, or with shorter sides of that length."""
    scale = size / min(image.size) if isinstance(size, int) else 1
    wanted = size[::-1] if scale == 1 and not isinstance(size, int) else [round(side * scale) for side in image.size]
    return image.resize(wanted, Image.BILINEAR)
