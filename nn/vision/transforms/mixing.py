"""Transforms of whole batches: each picture mixed with the one before it, and their labels with it."""

import math
from typing import Any

import autograd
from autograd import Tensor, as_tensor
from autograd.errors import ShapeError
from nn import functional
from nn.distributions import Beta
from nn.vision.transforms.conversion import labels_by
from nn.vision.transforms.functional.conversion import is_pil, opened
from nn.vision.transforms.transform import Transform, below, leaves, query_size, rebuilt, sample_of
from nn.vision.tv_tensors import BoundingBoxes, KeyPoints, Mask


class _Mixed(Transform):
    """Base of both. Pictures are (N, C, H, W), labels (N,) of classes, or (N, C) of probabilities, which they become.

    Args:
        alpha: of the Beta(alpha, alpha) from which the share of each picture itself is drawn, one for the batch.
        num_classes: C; needed for labels of classes.
        labels_getter: a function of the sample that gives its labels; "default": the second part, or what is called
            labels in a dict.
    """

    images_only = True

    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None, labels_getter: Any = "default") -> None:
        super().__init__()
        self.alpha, self.num_classes, self._labels_getter = float(alpha), num_classes, labels_getter
        self._shares = Beta(autograd.tensor([self.alpha]), autograd.tensor([self.alpha]))

    def forward(self, *inputs: Any) -> Any:
        sample = sample_of(inputs)
        parts = list(leaves(sample))
        if any(is_pil(part) or isinstance(part, (BoundingBoxes, KeyPoints, Mask)) for part in parts):
            raise ValueError(f"{type(self).__name__} mixes batches of Tensors and their labels, not PIL images, boxes, "
                             "points or masks")
        labels, = labels_by(self._labels_getter, sample)
        y = as_tensor(labels)
        if y.ndim not in (1, 2) or (y.ndim == 2 and self.num_classes not in (None, y.shape[1])):
            raise ShapeError(f"labels have shape (N,), or (N, C) with C = num_classes = {self.num_classes}, not "
                             f"{y.shape}")
        if y.ndim == 1 and self.num_classes is None:
            raise ValueError("labels of classes become probabilities of them; give num_classes")
        chosen = [changes and part is not labels for part, changes in zip(parts, self.chosen(parts), strict=True)]
        for part, changes in zip(parts, chosen, strict=True):
            if changes and (part.ndim != 4 or len(part) != len(y)):
                raise ShapeError(f"pictures have shape (N, C, H, W), of as many as there are labels, {len(y)}, not "
                                 f"{part.shape}")
        params = self.make_params([part for part, changes in zip(parts, chosen, strict=True) if changes])
        return rebuilt(sample, iter([
            self._labels(y, params["share"]) if part is labels else self.transform(part, params) if changes else part
            for part, changes in zip(parts, chosen, strict=True)]))

    def _labels(self, y: Tensor, share: float) -> Tensor:
        y = functional.one_hot(y, self.num_classes or -1) if y.ndim == 1 else y
        return _mix(y if y.is_floating_point() else y.float(), share)


def _mix(x: Tensor, share: float) -> Tensor:
    return x.roll(1, 0) * (1 - share) + x * share


class MixUp(_Mixed):
    """Each picture λ · (itself) + (1 - λ) · (the one before it), and the labels likewise (Zhang et al. 2018).

    >>> images, labels = MixUp(num_classes=10)(autograd.rand(4, 3, 8, 8), tensor([1, 5, 0, 7]))
    >>> labels.shape
    (4, 10)
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"share": float(self._shares.sample(()).item())}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        x, back = opened(inpt)
        return back(_mix(x, params["share"]))


class CutMix(_Mixed):
    """Each picture with a rectangle of the one before it, and the labels mixed by its area (Yun et al. 2019)."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        share = float(self._shares.sample(()).item())
        height, width = query_size(flat_inputs)
        x, y = below(width), below(height)
        half = 0.5 * math.sqrt(1 - share)
        w, h = int(half * width), int(half * height)
        left, top, right, bottom = max(x - w, 0), max(y - h, 0), min(x + w, width), min(y + h, height)
        return {"box": (top, bottom, left, right), "share": 1 - (right - left) * (bottom - top) / (width * height)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        x, back = opened(inpt)
        top, bottom, left, right = params["box"]
        out = x.clone()
        out[..., top:bottom, left:right] = x.roll(1, 0)[..., top:bottom, left:right]
        return back(out)
