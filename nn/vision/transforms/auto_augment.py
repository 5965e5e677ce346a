"""Augmentation by policies: which changes, how often and how strongly, as they were found or drawn at random."""

import math
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from nn.distributions import Dirichlet
from nn.vision.transforms import functional as F
from nn.vision.transforms.functional.conversion import is_pil, max_value, opened
from nn.vision.transforms.geometry import Fills, fill_of
from nn.vision.transforms.transform import Transform, below, leaves, query_size, rebuilt, sample_of
from nn.vision.tv_tensors import BoundingBoxes, KeyPoints, Mask

Magnitudes = Callable[[int, int, int], Any]
"""From the number of steps, height and width to the magnitudes, or None if there are none."""
SIGNED = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness")
"""Those whose magnitude is negative half of the time."""


def _evenly(start: float, end: float, bins: int) -> np.ndarray:
    """Numbers at equal distances, to the last digit as PyTorch has them in single precision: from the nearer end."""
    first, last = np.float32(start), np.float32(end)
    step, i = float((last - first) / np.float32(bins - 1)), np.arange(bins)
    return np.where(i < bins // 2, first + step * i, last - step * (bins - 1 - i)).astype(np.float32)


def _to(most: float) -> Magnitudes:
    return lambda bins, height, width: _evenly(0, most, bins)


def _of_side(share: float, vertical: bool) -> Magnitudes:
    return lambda bins, height, width: _evenly(0, share * (height if vertical else width), bins)


def _space(*, shear: float, translate: tuple[Magnitudes, Magnitudes], rotate: float, color: float | None, bits: int,
           lost: int, names: str) -> dict[str, Magnitudes]:
    """The changes named, with their magnitudes."""
    every: dict[str, Magnitudes] = {
        "ShearX": _to(shear), "ShearY": _to(shear), "TranslateX": translate[0], "TranslateY": translate[1],
        "Rotate": _to(rotate), **{name: _to(color or 0) for name in ("Brightness", "Color", "Contrast", "Sharpness")},
        "Posterize": lambda bins, height, width: np.round(bits - np.arange(bins) / ((bins - 1) / lost)),
        "Solarize": lambda bins, height, width: _evenly(1, 0, bins)}
    return {name: every.get(name, lambda bins, height, width: None) for name in names.split()}


_MOVES = "ShearX ShearY TranslateX TranslateY Rotate"
_COLORS = "Brightness Color Contrast Sharpness"
_LEVELS = "Posterize Solarize AutoContrast Equalize"
_BY_SIDE = _of_side(150 / 331, False), _of_side(150 / 331, True)


class _Augmentation(Transform):
    """Base: one picture of the sample is changed; boxes, points and masks are refused."""

    images_only = True

    def __init__(self, interpolation: str | int = "nearest", fill: Fills = None) -> None:
        super().__init__()
        self.interpolation, self.fill = interpolation, fill

    def forward(self, *inputs: Any) -> Any:
        sample = sample_of(inputs)
        parts = list(leaves(sample))
        for part in parts:
            if isinstance(part, (BoundingBoxes, KeyPoints, Mask)):
                raise TypeError(f"{type(self).__name__} would leave {type(part).__name__} where they are while the "
                                "picture moves; it is for classification")
        chosen = self.chosen(parts)
        if sum(chosen) != 1:
            raise TypeError(f"{type(self).__name__} changes one picture, and there are {sum(chosen)} in the sample")
        return rebuilt(sample, iter([self.augmented(part) if changes else part
                                     for part, changes in zip(parts, chosen, strict=True)]))

    def augmented(self, image: Any) -> Any:
        """The picture, changed."""
        raise NotImplementedError

    def changed(self, image: Any, name: str, magnitudes: Any, which: Any) -> Any:
        """One change, of the magnitude at the place `which`, its sign drawn."""
        magnitude = 0.0
        if magnitudes is not None:
            magnitude = float(magnitudes[which() if callable(which) else which])
            if name in SIGNED and autograd.rand(()).item() <= 0.5:
                magnitude = -magnitude
        return self._one(image, name, magnitude)

    def _one(self, image: Any, name: str, magnitude: float) -> Any:
        fill = fill_of(self.fill, image)

        def affine(translate: Sequence[float], shear: Sequence[float], center: Any = None) -> Any:
            return F.affine(image, 0.0, translate, 1.0, shear, self.interpolation, fill, center)
        sheared = math.degrees(math.atan(magnitude))
        white = 255 if is_pil(image) else max_value(image.dtype)
        return {"Identity": lambda: image,
                "ShearX": lambda: affine([0, 0], [sheared, 0.0], [0, 0]),
                "ShearY": lambda: affine([0, 0], [0.0, sheared], [0, 0]),
                "TranslateX": lambda: affine([int(magnitude), 0], [0.0, 0.0]),
                "TranslateY": lambda: affine([0, int(magnitude)], [0.0, 0.0]),
                "Rotate": lambda: F.rotate(image, magnitude, self.interpolation, fill=fill),
                "Brightness": lambda: F.adjust_brightness(image, 1 + magnitude),
                "Color": lambda: F.adjust_saturation(image, 1 + magnitude),
                "Contrast": lambda: F.adjust_contrast(image, 1 + magnitude),
                "Sharpness": lambda: F.adjust_sharpness(image, 1 + magnitude),
                "Posterize": lambda: F.posterize(image, int(magnitude)),
                "Solarize": lambda: F.solarize(image, white * magnitude),
                "AutoContrast": lambda: F.autocontrast(image),
                "Equalize": lambda: F.equalize(image),
                "Invert": lambda: F.invert(image)}[name]()


class AutoAugmentPolicy(Enum):
    """Policies that were found for data sets."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


_POLICIES = {
    AutoAugmentPolicy.IMAGENET: """
        Posterize .4 8 Rotate .6 9; Solarize .6 5 AutoContrast .6 -; Equalize .8 - Equalize .6 -;
        Posterize .6 7 Posterize .6 6; Equalize .4 - Solarize .2 4; Equalize .4 - Rotate .8 8;
        Solarize .6 3 Equalize .6 -; Posterize .8 5 Equalize 1 -; Rotate .2 3 Solarize .6 8;
        Equalize .6 - Posterize .4 6; Rotate .8 8 Color .4 0; Rotate .4 9 Equalize .6 -; Equalize 0 - Equalize .8 -;
        Invert .6 - Equalize 1 -; Color .6 4 Contrast 1 8; Rotate .8 8 Color 1 2; Color .8 8 Solarize .8 7;
        Sharpness .4 7 Invert .6 -; ShearX .6 5 Equalize 1 -; Color .4 0 Equalize .6 -; Equalize .4 - Solarize .2 4;
        Solarize .6 5 AutoContrast .6 -; Invert .6 - Equalize 1 -; Color .6 4 Contrast 1 8;
        Equalize .8 - Equalize .6 -""",
    AutoAugmentPolicy.CIFAR10: """
        Invert .1 - Contrast .2 6; Rotate .7 2 TranslateX .3 9; Sharpness .8 1 Sharpness .9 3;
        ShearY .5 8 TranslateY .7 9; AutoContrast .5 - Equalize .9 -; ShearY .2 7 Posterize .3 7;
        Color .4 3 Brightness .6 7; Sharpness .3 9 Brightness .7 9; Equalize .6 - Equalize .5 -;
        Contrast .6 7 Sharpness .6 5; Color .7 7 TranslateX .5 8; Equalize .3 - AutoContrast .4 -;
        TranslateY .4 3 Sharpness .2 6; Brightness .9 6 Color .2 8; Solarize .5 2 Invert 0 -;
        Equalize .2 - AutoContrast .6 -; Equalize .2 - Equalize .6 -; Color .9 9 Equalize .6 -;
        AutoContrast .8 - Solarize .2 8; Brightness .1 3 Color .7 0; Solarize .4 5 AutoContrast .9 -;
        TranslateY .9 9 TranslateY .7 9; AutoContrast .9 - Solarize .8 3; Equalize .8 - Invert .1 -;
        TranslateY .7 9 AutoContrast .9 -""",
    AutoAugmentPolicy.SVHN: """
        ShearX .9 4 Invert .2 -; ShearY .9 8 Invert .7 -; Equalize .6 - Solarize .6 6; Invert .9 - Equalize .6 -;
        Equalize .6 - Rotate .9 3; ShearX .9 4 AutoContrast .8 -; ShearY .9 8 Invert .4 -; ShearY .9 5 Solarize .2 6;
        Invert .9 - AutoContrast .8 -; Equalize .6 - Rotate .9 3; ShearX .9 4 Solarize .3 3; ShearY .8 8 Invert .7 -;
        Equalize .9 - TranslateY .6 6; Invert .9 - Equalize .6 -; Contrast .3 3 Rotate .8 4;
        Invert .8 - TranslateY 0 2; ShearY .7 6 Solarize .4 8; Invert .6 - Rotate .8 4; ShearY .3 7 TranslateX .9 3;
        ShearX .1 6 Invert .6 -; Solarize .7 2 TranslateY .6 7; ShearY .8 4 Invert .8 -; ShearX .7 9 TranslateY .8 3;
        ShearY .8 5 AutoContrast .7 -; ShearX .7 2 Invert .1 -"""}
"""Pairs of changes, each with its probability and the place of its magnitude among ten."""


class AutoAugment(_Augmentation):
    """One of 25 pairs of changes that were found by search (Cubuk et al. 2019).

    Args:
        policy: for which data set: `AutoAugmentPolicy.IMAGENET`, `.CIFAR10` or `.SVHN`.
        interpolation: "nearest" or "bilinear".
        fill: what comes in, or a dict of it by types.
    """

    SPACE = _space(shear=0.3, translate=_BY_SIDE, rotate=30.0, color=0.9, bits=8, lost=4,
                   names=f"{_MOVES} {_COLORS} {_LEVELS} Invert")

    def __init__(self, policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET, interpolation: str | int = "nearest",
                 fill: Fills = None) -> None:
        super().__init__(interpolation, fill)
        self.policy = AutoAugmentPolicy(policy)
        self._pairs = [line.split() for line in _POLICIES[self.policy].split(";")]

    def augmented(self, image: Any) -> Any:
        height, width = query_size([image])
        pair = self._pairs[below(len(self._pairs))]
        for name, often, place in (pair[:3], pair[3:]):
            if autograd.rand(()).item() <= np.float32(often):
                image = self.changed(image, name, self.SPACE[name](10, height, width), int(place.replace("-", "0")))
        return image


class RandAugment(_Augmentation):
    """Some random changes of one magnitude (Cubuk et al. 2020).

    Args:
        num_ops: how many.
        magnitude: the place of the magnitude, from 0.
        num_magnitude_bins: among how many.
        interpolation: "nearest" or "bilinear".
        fill: what comes in, or a dict of it by types.
    """

    SPACE = _space(shear=0.3, translate=_BY_SIDE, rotate=30.0, color=0.9, bits=8, lost=4,
                   names=f"Identity {_MOVES} {_COLORS} {_LEVELS}")

    def __init__(self, num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31,
                 interpolation: str | int = "nearest", fill: Fills = None) -> None:
        super().__init__(interpolation, fill)
        if num_ops < 0 or not 0 <= magnitude < num_magnitude_bins:
            raise ValueError(f"num_ops must be at least 0, and magnitude from 0 to below {num_magnitude_bins}, not "
                             f"{num_ops} and {magnitude}")
        self.num_ops, self.magnitude, self.num_magnitude_bins = num_ops, magnitude, num_magnitude_bins

    def augmented(self, image: Any) -> Any:
        height, width = query_size([image])
        for _ in range(self.num_ops):
            name = list(self.SPACE)[below(len(self.SPACE))]
            image = self.changed(image, name, self.SPACE[name](self.num_magnitude_bins, height, width), self.magnitude)
        return image


class TrivialAugmentWide(_Augmentation):
    """One random change of random magnitude (Müller and Hutter 2021).

    Args:
        num_magnitude_bins: among how many magnitudes is drawn.
        interpolation: "nearest" or "bilinear".
        fill: what comes in, or a dict of it by types.
    """

    SPACE = _space(shear=0.99, translate=(_to(32.0), _to(32.0)), rotate=135.0, color=0.99, bits=8, lost=6,
                   names=f"Identity {_MOVES} {_COLORS} {_LEVELS}")

    def __init__(self, num_magnitude_bins: int = 31, interpolation: str | int = "nearest", fill: Fills = None) -> None:
        super().__init__(interpolation, fill)
        self.num_magnitude_bins = num_magnitude_bins

    def augmented(self, image: Any) -> Any:
        name = list(self.SPACE)[below(len(self.SPACE))]
        magnitudes = self.SPACE[name](self.num_magnitude_bins, *query_size([image]))
        return self.changed(image, name, magnitudes, lambda: below(self.num_magnitude_bins))


class AugMix(_Augmentation):
    """The picture mixed with several that chains of changes made of it (Hendrycks et al. 2020).

    Args:
        severity: the greatest magnitude, from 1 to 10.
        mixture_width: how many chains.
        chain_depth: how many changes each has; at most 0: drawn, 1 to 3.
        alpha: of the Dirichlet and Beta distributions from which the shares are drawn.
        all_ops: with changes of brightness, contrast, color and sharpness.
        interpolation: "nearest" or "bilinear".
        fill: what comes in, or a dict of it by types.
    """

    SPACE = _space(shear=0.3, translate=(_of_side(1 / 3, False), _of_side(1 / 3, True)), rotate=30.0, color=0.9, bits=4,
                   lost=4, names=f"{_MOVES} {_LEVELS} {_COLORS}")

    def __init__(self, severity: int = 3, mixture_width: int = 3, chain_depth: int = -1, alpha: float = 1.0,
                 all_ops: bool = True, interpolation: str | int = "bilinear", fill: Fills = None) -> None:
        super().__init__(interpolation, fill)
        if not 1 <= severity <= 10:
            raise ValueError(f"severity must be from 1 to 10, not {severity}")
        self.severity, self.mixture_width, self.chain_depth = severity, mixture_width, chain_depth
        self.alpha, self.all_ops = alpha, all_ops

    def augmented(self, image: Any) -> Any:
        x, back = opened(image)
        names = list(self.SPACE) if self.all_ops else f"{_MOVES} {_LEVELS}".split()
        batch = x.reshape(-1, *x.shape[-3:]) if x.ndim > 4 else x[None] if x.ndim == 3 else x
        kept = self._shares(len(batch), 2)
        shares = self._shares(len(batch), self.mixture_width) * kept[:, 1:]
        mixed = kept[:, 0].reshape(-1, 1, 1, 1) * batch
        for chain in range(self.mixture_width):
            made: Any = batch
            for _ in range(self.chain_depth if self.chain_depth > 0 else 1 + below(3)):
                name = names[below(len(names))]
                made = self.changed(made, name, self.SPACE[name](10, *x.shape[-2:]), lambda: below(self.severity))
            mixed = mixed + shares[:, chain].reshape(-1, 1, 1, 1) * made
        return back(mixed.reshape(x.shape).to(x.dtype))

    def _shares(self, count: int, of: int) -> Tensor:
        return Dirichlet(autograd.full((of,), self.alpha)).sample((count,))
