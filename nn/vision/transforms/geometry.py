"""Transforms that move pictures, and masks, boxes and points with them."""

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
from nn.functional.geometry import tuple_of
from nn.vision.transforms import functional as F
from nn.vision.transforms.functional.boxes import convert_bounding_box_format
from nn.vision.transforms.functional.conversion import as_plain
from nn.vision.transforms.functional.geometry import Fill, pair, perspective_coefficients, sides_of
from nn.vision.transforms.transform import RandomApplied, Transform, below, query_size, uniform
from nn.vision.tv_tensors import BoundingBoxes, KeyPoints, Mask, wrap

Size = int | Sequence[int]
Fills = Fill | dict[Any, Fill]
"""What comes in, or a dict of it by types: of `tv_tensors.Mask` 0, of "others" gray."""


def fill_of(fill: Fills, inpt: Any) -> Fill:
    """What comes into a part of a sample."""
    if not isinstance(fill, dict):
        return fill
    return fill[type(inpt)] if type(inpt) in fill else fill.get("others")


def _angles(value: float | Sequence[float], name: str, lengths: tuple[int, ...]) -> list[float]:
    """A range of angles: a number stands for minus to plus of it."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"{name} as one number must be at least 0, not {value}; it stands for minus to plus of it")
        return [-float(value), float(value)]
    if len(value) not in lengths:
        raise ValueError(f"{name} must be a number or {' or '.join(map(str, lengths))} of them, not {value}")
    return [float(one) for one in value]


class RandomHorizontalFlip(RandomApplied):
    """Left and right exchanged with probability p."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.horizontal_flip(inpt)


class RandomVerticalFlip(RandomApplied):
    """Top and bottom exchanged with probability p."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.vertical_flip(inpt)


class Resize(Transform):
    """Scaled to a size; arguments as of `functional.resize`."""

    def __init__(self, size: Size | None, interpolation: str | int = "bilinear", max_size: int | None = None,
                 antialias: bool | None = True) -> None:
        super().__init__()
        self.size, self.interpolation, self.max_size, self.antialias = size, interpolation, max_size, antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.resize(inpt, params.get("size", self.size), self.interpolation, self.max_size, self.antialias)


class RandomResize(Resize):
    """Scaled so that the shorter side has a length from min_size to below max_size."""

    def __init__(self, min_size: int, max_size: int, interpolation: str | int = "bilinear",
                 antialias: bool | None = True) -> None:
        super().__init__(None, interpolation, None, antialias)
        self._range = min_size, max_size

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"size": int(autograd.randint(*self._range, ()).item())}


class RandomShortestSize(Resize):
    """Scaled so that the shorter side has one of several lengths, and the longer one at most max_size."""

    def __init__(self, min_size: int | Sequence[int], max_size: int | None = None,
                 interpolation: str | int = "bilinear", antialias: bool | None = True) -> None:
        super().__init__(None, interpolation, None, antialias)
        self.min_size = [min_size] if isinstance(min_size, int) else list(min_size)
        self._most = max_size

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        ratio = self.min_size[below(len(self.min_size))] / min(height, width)
        if self._most is not None:
            ratio = min(ratio, self._most / max(height, width))
        return {"size": (int(height * ratio), int(width * ratio))}


class ScaleJitter(Resize):
    """Scaled to a size times a random factor, within it in proportion (Ghiasi et al. 2021)."""

    def __init__(self, target_size: tuple[int, int], scale_range: tuple[float, float] = (0.1, 2.0),
                 interpolation: str | int = "bilinear", antialias: bool | None = True) -> None:
        super().__init__(None, interpolation, None, antialias)
        self.target_size, self.scale_range = target_size, scale_range

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        low, high = self.scale_range
        scale = low + autograd.rand(1) * (high - low)
        ratio = min(self.target_size[1] / height, self.target_size[0] / width) * scale
        return {"size": (int((height * ratio).item()), int((width * ratio).item()))}


class CenterCrop(Transform):
    """The rectangle in the middle."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = pair(size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.center_crop(inpt, self.size)


class RandomCrop(Transform):
    """A rectangle of this size from anywhere.

    Args:
        size: (height, width), or one number for both.
        padding: pixels around, before it is cut out, as of `functional.pad`.
        pad_if_needed: as many more that it fits.
        fill: what they are, or a dict of it by types.
        padding_mode: as of `functional.pad`.
    """

    def __init__(self, size: Size, padding: Size | None = None, pad_if_needed: bool = False, fill: Fills = 0,
                 padding_mode: str = "constant") -> None:
        super().__init__()
        self.size, self.padding = pair(size), sides_of(padding) if padding else (0, 0, 0, 0)
        self.pad_if_needed, self.fill, self.padding_mode = pad_if_needed, fill, padding_mode

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        (h, w), (height, width), (left, top, right, bottom) = query_size(flat_inputs), self.size, self.padding
        if self.pad_if_needed:
            rows, columns = max(height - h - top - bottom, 0), max(width - w - left - right, 0)
            left, top, right, bottom = left + columns, top + rows, right + columns, bottom + rows
        h, w = h + top + bottom, w + left + right
        if h < height or w < width:
            raise ValueError(f"a crop of {height} × {width} doesn't fit into a picture of {h} × {w}"
                             f"{' with its padding' * any(self.padding)}; write pad_if_needed=True")
        row = below(h - height + 1) if h > height else 0
        column = below(w - width + 1) if w > width else 0
        return {"padding": [left, top, right, bottom], "place": (row, column, height, width),
                "cut": (h, w) != self.size}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if any(params["padding"]):
            inpt = F.pad(inpt, params["padding"], fill_of(self.fill, inpt), self.padding_mode)
        return F.crop(inpt, *params["place"]) if params["cut"] else inpt


class RandomResizedCrop(Transform):
    """A random rectangle, scaled to one size (Szegedy et al. 2015).

    Args:
        size: of the result, (height, width) or one number for both.
        scale: the least and the largest share of the picture's area.
        ratio: the least and the largest width / height, its logarithm drawn evenly. Of ten rectangles the first that
            fits is taken; if none does, one in the middle.
        interpolation: as of `functional.resize`.
        antialias: likewise.
    """

    def __init__(self, size: Size, scale: Sequence[float] = (0.08, 1.0), ratio: Sequence[float] = (3 / 4, 4 / 3),
                 interpolation: str | int = "bilinear", antialias: bool | None = True) -> None:
        super().__init__()
        self.size, self.scale, self.ratio = pair(size), tuple(scale), tuple(ratio)
        self.interpolation, self.antialias = interpolation, antialias
        if not 0 <= scale[0] <= scale[1] or not 0 < ratio[0] <= ratio[1]:
            raise ValueError(f"scale and ratio are each two numbers in order, above 0, not {scale} and {ratio}")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        for h, w in rectangles(height, width, self.scale, self.ratio):
            if 0 < w <= width and 0 < h <= height:
                return {"place": (below(height - h + 1), below(width - w + 1), h, w)}
        shape = min(max(width / height, self.ratio[0]), self.ratio[1])
        w, h = min(width, round(height * shape)), min(height, round(width / shape))
        return {"place": ((height - h) // 2, (width - w) // 2, h, w)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        top, left, height, width = params["place"]
        return F.resized_crop(inpt, top, left, height, width, self.size, self.interpolation, self.antialias)


def rectangles(height: int, width: int, scale: Sequence[float], ratio: Sequence[float]) -> Any:
    """Ten random heights and widths, of these shares of the area and of this width / height."""
    low, high = np.log(np.asarray(ratio, np.float32))
    for _ in range(10):
        area = height * width * uniform(*scale)
        shape = autograd.empty(1).uniform_(float(low), float(high)).exp().item()
        yield round(math.sqrt(area / shape)), round(math.sqrt(area * shape))


class _Crops(Transform):
    images_only = True

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = pair(size)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if any(isinstance(part, (BoundingBoxes, KeyPoints, Mask)) for part in flat_inputs):
            raise TypeError(f"{type(self).__name__} makes several pictures of one, to which boxes, points and masks "
                            "don't belong")


class FiveCrop(_Crops):
    """The four corners and the middle, as a tuple."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.five_crop(inpt, self.size)


class TenCrop(_Crops):
    """The four corners and the middle, of the picture and of the picture flipped, as a tuple."""

    def __init__(self, size: Size, vertical_flip: bool = False) -> None:
        super().__init__(size)
        self.vertical_flip = vertical_flip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.ten_crop(inpt, self.size, self.vertical_flip)


class Pad(Transform):
    """With more pixels around; arguments as of `functional.pad`, fill may be a dict by types."""

    def __init__(self, padding: Size, fill: Fills = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        self.padding, self.fill, self.padding_mode = list(sides_of(padding)), fill, padding_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.pad(inpt, self.padding, fill_of(self.fill, inpt), self.padding_mode)


class RandomZoomOut(RandomApplied):
    """Somewhere in a frame that is larger by a random factor (Liu et al. 2016).

    Args:
        fill: what is around, or a dict of it by types.
        side_range: the least and the greatest factor.
        p: the probability.
    """

    def __init__(self, fill: Fills = 0, side_range: Sequence[float] = (1.0, 4.0), p: float = 0.5) -> None:
        super().__init__(p)
        if not 1 <= side_range[0] <= side_range[1]:
            raise ValueError(f"side_range must be two numbers in order, at least 1, not {side_range}")
        self.fill, self.side_range = fill, side_range

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        h, w = query_size(flat_inputs)
        low, high = self.side_range
        factor = low + autograd.rand(1) * (high - low)
        width, height = int((w * factor).item()), int((h * factor).item())
        x, y = autograd.rand(2)
        left, top = int(((width - w) * x).item()), int(((height - h) * y).item())
        return {"padding": [left, top, width - w - left, height - h - top]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.pad(inpt, params["padding"], fill_of(self.fill, inpt))


class RandomIoUCrop(Transform):
    """A random rectangle that overlaps with an object by at least a random amount (Liu et al. 2016).

    Boxes whose center isn't in it become empty: `SanitizeBoundingBoxes` takes them out.

    Args:
        min_scale: the least share of the height and width.
        max_scale: the greatest.
        min_aspect_ratio: the least width / height.
        max_aspect_ratio: the greatest.
        sampler_options: the overlaps, of which one is drawn; 1: the picture stays whole.
        trials: how many rectangles are tried before another overlap is drawn.
    """

    def __init__(self, min_scale: float = 0.3, max_scale: float = 1.0, min_aspect_ratio: float = 0.5,
                 max_aspect_ratio: float = 2.0, sampler_options: Sequence[float] | None = None,
                 trials: int = 40) -> None:
        super().__init__()
        self.min_scale, self.max_scale = min_scale, max_scale
        self.min_aspect_ratio, self.max_aspect_ratio, self.trials = min_aspect_ratio, max_aspect_ratio, trials
        self.sampler_options = list(sampler_options or (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0))

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if not any(isinstance(part, BoundingBoxes) for part in flat_inputs):
            raise TypeError("RandomIoUCrop needs tv_tensors.BoundingBoxes in the sample")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        h, w = query_size(flat_inputs)
        boxes = as_plain(convert_bounding_box_format(
            next(part for part in flat_inputs if isinstance(part, BoundingBoxes)), "XYXY")).numpy()
        center = (boxes[:, :2] + boxes[:, 2:]) / 2
        while True:
            least = self.sampler_options[below(len(self.sampler_options))]
            if least >= 1:
                return {}
            for _ in range(self.trials):
                scale = (self.min_scale + (self.max_scale - self.min_scale) * autograd.rand(2)).numpy()
                width, height = int(w * scale[0]), int(h * scale[1])
                if not (height and self.min_aspect_ratio <= width / height <= self.max_aspect_ratio and width):
                    continue
                place = autograd.rand(2).numpy()
                left, top = int((w - width) * place[0]), int((h - height) * place[1])
                start, end = np.array([left, top]), np.array([left + width, top + height])
                inside = ((start < center) & (center < end)).all(1)
                if not inside.any():
                    continue
                both = np.prod(np.maximum(np.minimum(boxes[:, 2:], end) - np.maximum(boxes[:, :2], start), 0), 1)
                overlap = both / (np.prod(boxes[:, 2:] - boxes[:, :2], 1) + width * height - both)
                if overlap[inside].max() >= least:
                    return {"place": (top, left, height, width), "inside": inside}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if not params:
            return inpt
        out = F.crop(inpt, *params["place"])
        return wrap(as_plain(out) * params["inside"][:, None], like=out) if isinstance(out, BoundingBoxes) else out


class RandomRotation(Transform):
    """Rotated by a random angle.

    Args:
        degrees: the range of the angle, counter-clockwise; a number stands for minus to plus of it.
        interpolation: "nearest" or "bilinear".
        expand: enlarge the frame, so that the whole picture is in it.
        center: x and y of what stays in place; default the middle.
        fill: what comes in, or a dict of it by types.
    """

    def __init__(self, degrees: float | Sequence[float], interpolation: str | int = "nearest", expand: bool = False,
                 center: Sequence[float] | None = None, fill: Fills = 0) -> None:
        super().__init__()
        self.degrees, self.interpolation = _angles(degrees, "degrees", (2,)), interpolation
        self.expand, self.center, self.fill = expand, center, fill

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"angle": uniform(*self.degrees)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.rotate(inpt, params["angle"], self.interpolation, self.expand, self.center, fill_of(self.fill, inpt))


class RandomAffine(Transform):
    """Rotated, moved, scaled and sheared at random.

    Args:
        degrees: the range of the angle, clockwise; a number stands for minus to plus of it.
        translate: the greatest shares of width and height by which it is moved.
        scale: the least and the greatest factor.
        shear: the range of the angle along x, and maybe along y; a number stands for minus to plus of it.
        interpolation: "nearest" or "bilinear".
        fill: what comes in, or a dict of it by types.
        center: x and y of what stays in place; default the middle.
    """

    def __init__(self, degrees: float | Sequence[float], translate: Sequence[float] | None = None,
                 scale: Sequence[float] | None = None, shear: float | Sequence[float] | None = None,
                 interpolation: str | int = "nearest", fill: Fills = 0, center: Sequence[float] | None = None) -> None:
        super().__init__()
        if translate is not None and not all(0 <= part <= 1 for part in translate):
            raise ValueError(f"translate must be two shares of the size, between 0 and 1, not {translate}")
        if scale is not None and min(scale) <= 0:
            raise ValueError(f"scale must be two factors above 0, not {scale}")
        self.degrees, self.translate, self.scale = _angles(degrees, "degrees", (2,)), translate, scale
        self.shear = None if shear is None else _angles(shear, "shear", (2, 4))
        self.interpolation, self.fill, self.center = interpolation, fill, center

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        angle = uniform(*self.degrees)
        translate = [round(uniform(-most, most)) for most in (self.translate[0] * width, self.translate[1] * height)
                     ] if self.translate is not None else [0, 0]
        scale = uniform(*self.scale) if self.scale is not None else 1.0
        shear = [uniform(*self.shear[i:i + 2]) for i in range(0, len(self.shear), 2)] if self.shear is not None else []
        return {"angle": angle, "translate": translate, "scale": scale, "shear": [*shear, 0.0, 0.0][:2]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.affine(inpt, **params, interpolation=self.interpolation, fill=fill_of(self.fill, inpt),
                        center=self.center)


class RandomPerspective(RandomApplied):
    """As seen from elsewhere: the corners moved inwards at random.

    Args:
        distortion_scale: how far, between 0 and 1.
        p: the probability.
        interpolation: "nearest" or "bilinear".
        fill: what comes in, or a dict of it by types.
    """

    def __init__(self, distortion_scale: float = 0.5, p: float = 0.5, interpolation: str | int = "bilinear",
                 fill: Fills = 0) -> None:
        super().__init__(p)
        if not 0 <= distortion_scale <= 1:
            raise ValueError(f"distortion_scale must be between 0 and 1, not {distortion_scale}")
        self.distortion_scale, self.interpolation, self.fill = distortion_scale, interpolation, fill

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        x, y = (int(self.distortion_scale * (n // 2)) + 1 for n in (width, height))
        ends = [[width - x + below(x) if right else below(x), height - y + below(y) if low else below(y)]
                for right, low in ((0, 0), (1, 0), (1, 1), (0, 1))]
        corners = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        return {"coefficients": perspective_coefficients(corners, ends)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.perspective(inpt, None, None, self.interpolation, fill_of(self.fill, inpt), **params)


class ElasticTransform(Transform):
    """Bent at random (Simard et al. 2003).

    Args:
        alpha: how strongly, in x and y.
        sigma: how smoothly, in x and y.
        interpolation: "nearest" or "bilinear".
        fill: what comes in, or a dict of it by types.
    """

    def __init__(self, alpha: float | Sequence[float] = 50.0, sigma: float | Sequence[float] = 5.0,
                 interpolation: str | int = "bilinear", fill: Fills = 0) -> None:
        super().__init__()
        real: Any = numbers.Real
        self.alpha, self.sigma = ([float(one) for one in tuple_of(both, 2, "alpha and sigma", real)]
                                  for both in (alpha, sigma))
        self.interpolation, self.fill = interpolation, fill

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        moves = []
        for alpha, sigma, n in zip(self.alpha, self.sigma, (width, height), strict=True):
            move = autograd.rand(1, 1, height, width) * 2 - 1
            if sigma > 0:
                size = int(8 * sigma + 1) | 1
                move = F.gaussian_blur(move, [size, size], self.sigma)
            moves.append(move * alpha / n)
        return {"displacement": autograd.cat(moves, dim=1).permute(0, 2, 3, 1)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.elastic(inpt, params["displacement"], self.interpolation, fill_of(self.fill, inpt))
