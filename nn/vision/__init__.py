"""Pictures: published models, what works on boxes, transforms, pictures to look at. Names are torchvision's."""

from typing import TYPE_CHECKING

from autograd.runtime.late import late

if TYPE_CHECKING:
    from nn.vision import features, models, ops, transforms, tv_tensors, utils

__all__ = ["features", "models", "ops", "transforms", "tv_tensors", "utils"]

__getattr__ = late(__name__, __all__)
