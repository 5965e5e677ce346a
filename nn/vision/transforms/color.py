"""Transforms of colors, and those that blur, disturb or erase: of pictures alone, masks and boxes stay."""

import math
from collections.abc import Sequence
from typing import Any

import autograd
from nn.vision.transforms import functional as F
from nn.vision.transforms.geometry import rectangles
from nn.vision.transforms.transform import RandomApplied, Transform, below, query_chw, uniform


class Grayscale(Transform):
    """The luminance, in 1 channel or in 3 equal ones."""

    images_only = True

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.rgb_to_grayscale(inpt, self.num_output_channels)


class RandomGrayscale(RandomApplied):
    """The luminance, in as many equal channels, with probability p."""

    images_only = True

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.rgb_to_grayscale(inpt, F.get_dimensions(inpt)[0])


class RGB(Transform):
    """One channel as three equal ones."""

    images_only = True

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.grayscale_to_rgb(inpt)


Range = float | Sequence[float] | None


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed by random factors, in random order.

    Args:
        brightness: the range of the factor; a number b stands for max(0, 1 - b) to 1 + b.
        contrast: likewise.
        saturation: likewise.
        hue: the range of the turn, within -0.5 to 0.5; a number stands for minus to plus of it.
    """

    images_only = True

    def __init__(self, brightness: Range = None, contrast: Range = None, saturation: Range = None,
                 hue: Range = None) -> None:
        super().__init__()
        self.brightness = _range("brightness", brightness, 1.0, (0.0, math.inf))
        self.contrast = _range("contrast", contrast, 1.0, (0.0, math.inf))
        self.saturation = _range("saturation", saturation, 1.0, (0.0, math.inf))
        self.hue = _range("hue", hue, 0.0, (-0.5, 0.5))

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        order = autograd.randperm(4).tolist()
        factors = [None if limits is None else uniform(*limits)
                   for limits in (self.brightness, self.contrast, self.saturation, self.hue)]
        return {"changes": [(ADJUSTMENTS[which], factors[which]) for which in order if factors[which] is not None]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        for adjust, factor in params["changes"]:
            inpt = adjust(inpt, factor)
        return inpt


ADJUSTMENTS = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)


def _range(name: str, value: Range, center: float, bound: tuple[float, float]) -> tuple[float, float] | None:
    """The range of a factor, None if it changes nothing."""
    if value is None:
        return None
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"{name} as one number must be at least 0, not {value}")
        low, high = center - value, center + value
        low = max(low, 0.0) if center else low
    else:
        low, high = map(float, value)
    if not bound[0] <= low <= high <= bound[1]:
        raise ValueError(f"{name} must be two numbers in order, from {bound[0]} to {bound[1]}, not {value}")
    return None if low == high == center else (float(low), float(high))


class RandomPhotometricDistort(Transform):
    """Brightness, contrast, saturation, hue and the order of the channels, each changed with probability p.

    Args:
        brightness: the range of the factor.
        contrast: likewise.
        saturation: likewise.
        hue: the range of the turn.
        p: the probability of each change.
    """

    images_only = True

    def __init__(self, brightness: tuple[float, float] = (0.875, 1.125), contrast: tuple[float, float] = (0.5, 1.5),
                 saturation: tuple[float, float] = (0.5, 1.5), hue: tuple[float, float] = (-0.05, 0.05),
                 p: float = 0.5) -> None:
        super().__init__()
        self.brightness, self.contrast, self.saturation, self.hue, self.p = brightness, contrast, saturation, hue, p

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        channels = query_chw(flat_inputs)[0]
        brightness, contrast, saturation, hue = [
            (adjust, uniform(*limits)) if autograd.rand(1).item() < self.p else None for adjust, limits in zip(
                ADJUSTMENTS, (self.brightness, self.contrast, self.saturation, self.hue), strict=True)]
        early = autograd.rand(()).item() < 0.5
        changes: list[Any] = [brightness, *[contrast] * early, saturation, hue, *[contrast] * (not early)]
        if autograd.rand(1).item() < self.p:
            changes.append((F.permute_channels, autograd.randperm(channels).tolist()))
        return {"changes": [change for change in changes if change is not None]}

    transform = ColorJitter.transform


class RandomChannelPermutation(Transform):
    """Channels in random order."""

    images_only = True

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"permutation": autograd.randperm(query_chw(flat_inputs)[0]).tolist()}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.permute_channels(inpt, **params)


class RandomInvert(RandomApplied):
    """White for black with probability p."""

    images_only = True

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.invert(inpt)


class RandomPosterize(RandomApplied):
    """With `bits` bits for each channel, with probability p."""

    images_only = True

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.posterize(inpt, self.bits)


class RandomSolarize(RandomApplied):
    """Inverted from the threshold on, with probability p."""

    images_only = True

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.solarize(inpt, self.threshold)


class RandomAdjustSharpness(RandomApplied):
    """Sharper, or blurred, by a factor, with probability p."""

    images_only = True

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.adjust_sharpness(inpt, self.sharpness_factor)


class RandomAutocontrast(RandomApplied):
    """Each channel stretched from black to white with probability p."""

    images_only = True

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.autocontrast(inpt)


class RandomEqualize(RandomApplied):
    """All brightnesses about equally often, with probability p."""

    images_only = True

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.equalize(inpt)


class GaussianBlur(Transform):
    """Blurred by a Gaussian whose sigma is drawn from a range.

    Args:
        kernel_size: how many pixels count, odd; in y and x.
        sigma: the range, or one number.
    """

    images_only = True

    def __init__(self, kernel_size: int | Sequence[int], sigma: float | Sequence[float] = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
        self.sigma = [float(sigma)] * 2 if isinstance(sigma, (int, float)) else [float(s) for s in sigma]
        if any(size < 1 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"kernel_size must be odd and at least 1, not {kernel_size}")
        if not 0 < self.sigma[0] <= self.sigma[-1]:
            raise ValueError(f"sigma must be above 0, or two such numbers in order, not {sigma}")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"sigma": uniform(self.sigma[0], self.sigma[-1])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.gaussian_blur(inpt, self.kernel_size, **params)


class GaussianNoise(Transform):
    """With normal noise added; arguments as of `functional.gaussian_noise`."""

    images_only = True

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        self.mean, self.sigma, self.clip = mean, sigma, clip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.gaussian_noise(inpt, self.mean, self.sigma, self.clip)


class RandomErasing(RandomApplied):
    """A random rectangle filled with something, with probability p (Zhong et al. 2020).

    Args:
        p: the probability.
        scale: the least and the greatest share of the area.
        ratio: the least and the greatest height / width.
        value: what it is filled with, of each channel or one for all; "random": normal numbers.
        inplace: write into the picture itself.
    """

    images_only = True

    def __init__(self, p: float = 0.5, scale: Sequence[float] = (0.02, 0.33), ratio: Sequence[float] = (0.3, 3.3),
                 value: float | str | Sequence[float] = 0.0, inplace: bool = False) -> None:
        super().__init__(p)
        if isinstance(value, str) and value != "random":
            raise ValueError(f"value must be a number, one for each channel, or 'random', not {value!r}")
        if not 0 <= scale[0] <= scale[1] <= 1 or not 0 < ratio[0] <= ratio[1]:
            raise ValueError("scale must be two shares in order, between 0 and 1, and ratio two numbers in order, "
                             f"above 0, not {scale} and {ratio}")
        self.scale, self.ratio, self.inplace = tuple(scale), tuple(ratio), inplace
        self.value: Any = [float(value)] if isinstance(value, (int, float)) else value

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        channels, height, width = query_chw(flat_inputs)
        if self.value != "random" and len(self.value) not in (1, channels):
            raise ValueError(f"value must be a number, or one for each of the {channels} channels, not {self.value}")
        for w, h in rectangles(height, width, self.scale, self.ratio):  # its ratio is that of the height to the width
            if h < height and w < width:
                value = autograd.empty(channels, h, w).normal_() if self.value == "random" else (
                    autograd.tensor(self.value)[:, None, None])
                return {"i": below(height - h + 1), "j": below(width - w + 1), "h": h, "w": w, "v": value}
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.erase(inpt, **params, inplace=self.inplace) if params else inpt
