"""Transforms of torchvision, which draw from the library's own generator."""

import numpy as np
from PIL import Image

from torchvision.transforms.functional import normalize, resize, to_tensor


class _Transform:
    def __init__(self, *args, **options):
        self.args, self.options = args, options


class ToTensor(_Transform):
    """An image as a tensor (C, H, W) between 0 and 1."""

    def __call__(self, image):
        return to_tensor(image)


class Normalize(_Transform):
    """(x - mean) / std."""

    def __call__(self, image):
        return normalize(image, *self.args, **self.options)


class Resize(_Transform):
    """An image in another size."""

    def __call__(self, image):
        return resize(image, self.args[0])


class Compose(_Transform):
    """One after the other."""

    @property
    def transforms(self):
        """Them."""
        return self.args[0]

    def __call__(self, image):
        for transform in self.transforms:
            image = transform(image)
        return image


class Lambda(_Transform):
    """A function."""

    def __call__(self, image):
        return self.args[0](image)


class CenterCrop(_Transform):
    """As it is, being as large as that."""

    def __call__(self, image):
        return image


class RandomCrop(_Transform):
    """A part of the image with a border around it."""

    def __call__(self, image):
        import torch
        border = self.options.get("padding", 0)
        array = np.pad(np.asarray(image), [(border, border)] * 2 + [(0, 0)])
        y, x = torch.randint(0, 2 * border + 1, (2,)).tolist()
        return Image.fromarray(array[y:y + image.height, x:x + image.width])


class RandomHorizontalFlip(_Transform):
    """Now and then the mirror image."""

    def __call__(self, image):
        import torch
        return image.transpose(Image.FLIP_LEFT_RIGHT) if torch.rand(1).item() < 0.5 else image
