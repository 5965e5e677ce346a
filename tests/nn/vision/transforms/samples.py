"""Pictures, and what belongs to them, to be changed by each transform here and by torchvision's."""

import numpy as np
import pytest

from autograd import Tensor
from nn.vision import tv_tensors

BOXES = np.array([[10.0, 5, 40, 30], [0, 0, 64, 48], [60, 40, 64, 47.5], [20.5, 10.25, 21, 11]], np.float32)


def photo():
    """A part of a photograph, (3, 48, 64) of uint8; without scikit-learn something as varied."""
    try:
        from sklearn.datasets import load_sample_image
        return np.ascontiguousarray(np.moveaxis(load_sample_image("china.jpg")[100:292:4, 200:456:4], 2, 0))
    except ImportError:
        rows, columns = np.mgrid[:48, :64]
        waves = np.stack([rows * 4 + columns % 7, columns * 3 + rows % 5, rows * columns // 12])
        return (waves % 256).astype(np.uint8)


PHOTO = photo()


def pictures():
    """The photograph in the forms that count: of integers, floating, without color, several of them."""
    floating = (PHOTO / 255).astype(np.float32)
    return {"uint8": PHOTO, "float32": floating, "gray": PHOTO[:1], "batch": np.stack([floating, 1 - floating])}


def torchvision():
    """torch, and torchvision with what is needed of it."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision.transforms.v2")
    import torchvision
    return torch, torchvision


def ours(kind, format="XYXY"):
    """Boxes, points or a mask of the photograph."""
    return {"boxes": lambda: tv_tensors.BoundingBoxes(in_format(format), format=format, canvas_size=(48, 64)),
            "points": lambda: tv_tensors.KeyPoints(BOXES[:, :2], canvas_size=(48, 64)),
            "mask": lambda: tv_tensors.Mask(PHOTO[0] // 64)}[kind]()


def theirs(kind, format="XYXY"):
    """The same, of torchvision."""
    torch, vision = torchvision()
    made = vision.tv_tensors
    return {"boxes": lambda: made.BoundingBoxes(torch.tensor(in_format(format)), format=format, canvas_size=(48, 64)),
            "points": lambda: made.KeyPoints(torch.tensor(BOXES[:, :2]), canvas_size=(48, 64)),
            "mask": lambda: made.Mask(torch.tensor(PHOTO[0] // 64))}[kind]()


def in_format(format):
    first, second = BOXES[:, :2], BOXES[:, 2:]
    return {"XYXY": BOXES, "XYWH": np.concatenate([first, second - first], 1),
            "CXCYWH": np.concatenate([(first + second) / 2, second - first], 1)}[format]


def array_of(value):
    return np.asarray(value.detach().numpy() if isinstance(value, Tensor) or hasattr(value, "detach") else value)


def same(a, b, few=0.0, message=""):
    """Of one dtype and shape, and equal: floating numbers but for rounding, but for a share `few` of all pixels."""
    a, b = array_of(a), array_of(b)
    assert a.dtype == b.dtype and a.shape == b.shape, f"{message} {a.dtype} {a.shape}, not {b.dtype} {b.shape}"
    wrong = np.abs(a.astype(np.float64) - b) > (2e-5 * (1 + np.abs(b)) if a.dtype.kind == "f" else 0)
    assert wrong.sum() <= few * wrong.size, (
        f"{message}{wrong.sum()} of {wrong.size} differ, by up to {np.abs(a.astype(float) - b).max()}")
