"""Moving pictures, and with them masks, boxes and points: each function says where pixels and where points go."""

import math
import numbers
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from nn import functional as F
from nn.functional.resampling import resizing
from nn.vision.transforms.functional.boxes import clamp_bounding_boxes, convert_bounding_box_format
from nn.vision.transforms.functional.conversion import as_plain, get_size, on_images, opened
from nn.vision.tv_tensors import BoundingBoxes, KeyPoints, Mask, wrap

Size = tuple[int, int]
Fill = float | Sequence[float] | None


class InterpolationMode(StrEnum):
    """How pixels between pixels are made; each may be given as text, too. Two, which are PIL's, can be named only."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"
    BOX = "box"
    HAMMING = "hamming"


_OF_PIL = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
"""PIL's numbers for them."""
_HERE = ("nearest", "nearest-exact", "bilinear", "bicubic", "lanczos")


def _interpolation(mode: str | int, allowed: Sequence[str] = _HERE) -> str:
    mode = str(_OF_PIL.get(mode, mode)) if isinstance(mode, int) else str(mode)
    if mode not in allowed:
        raise ValueError(f"interpolation must be one of {', '.join(map(repr, map(str, allowed)))}, not {mode!r}")
    return mode


def _moved(inpt: Any, pixels: Callable[[Tensor, bool], Any],
           points: Callable[[np.ndarray, Size, Size, int], np.ndarray],
           size: Callable[[int, int], Size] = lambda h, w: (h, w), clamp: bool = True) -> Any:
    """A picture or mask by `pixels(x, is_mask)`, boxes and points by `points`, in their own forms.

    Args:
        inpt: what is moved.
        pixels: of a tensor (*, C, H, W).
        points: of x and y (n, 2), the sizes before and after, and what the last coordinate is less than the size: 0 of
            a box, whose edges are between pixels, 1 of points, which are pixels.
        size: (height, width) afterwards.
        clamp: cut boxes off where the picture ends.
    """
    if not isinstance(inpt, (BoundingBoxes, KeyPoints)):
        x, back = opened(inpt)
        return back(pixels(x, isinstance(inpt, Mask)))
    before = inpt.canvas_size
    after = size(*before)
    known = inpt if isinstance(inpt, KeyPoints) else convert_bounding_box_format(inpt, "XYXY")
    values = as_plain(known).detach().numpy()
    dtype = values.dtype if values.dtype.kind == "f" else np.dtype(np.float32)
    if isinstance(inpt, KeyPoints):
        moved = points(values.astype(dtype).reshape(-1, 2), before, after, 1)
        return wrap(Tensor(moved.reshape(values.shape).astype(values.dtype)), like=inpt, canvas_size=after)
    corners = values.astype(dtype)[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)
    corners = points(corners, before, after, 0).reshape(-1, 4, 2)
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1).astype(values.dtype)
    made = BoundingBoxes(Tensor(boxes), format="XYXY", canvas_size=after)
    return convert_bounding_box_format(clamp_bounding_boxes(made) if clamp else made, inpt.format)


def pair(size: int | Sequence[int]) -> Size:
    """(height, width) of a size, which may be one number."""
    sizes: tuple[Any, ...] = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    if len(sizes) not in (1, 2) or not all(isinstance(n, (int, np.integer)) and n > 0 for n in sizes):
        raise ValueError(f"a size is a whole number above 0, or two of them, (height, width), not {size!r}")
    return int(sizes[0]), int(sizes[-1])


# Flips

def horizontal_flip(inpt: Any) -> Any:
    """Left and right exchanged."""
    return _moved(inpt, lambda x, _: x.flip(-1),
                  lambda at, size, _, edge: np.stack([size[1] - edge - at[:, 0], at[:, 1]], 1), clamp=False)


def vertical_flip(inpt: Any) -> Any:
    """Top and bottom exchanged."""
    return _moved(inpt, lambda x, _: x.flip(-2),
                  lambda at, size, _, edge: np.stack([at[:, 0], size[0] - edge - at[:, 1]], 1), clamp=False)


hflip, vflip = horizontal_flip, vertical_flip


# Sizes

def resize(inpt: Any, size: int | Sequence[int] | None, interpolation: str | int = InterpolationMode.BILINEAR,
           max_size: int | None = None, antialias: bool | None = True) -> Any:
    """Scaled to a size.

    Args:
        inpt: a picture, mask, boxes or points. Masks are scaled by the nearest pixel.
        size: (height, width), or the length of the shorter side, the other in proportion.
        interpolation: "nearest", "nearest-exact", "bilinear", "bicubic", "lanczos".
        max_size: the greatest length of the longer side; alone, with `size=None`, its length.
        antialias: whether, where it shrinks, all pixels count.

    The numbers are torchvision's, for uint8 too, which has sums of its own.

    >>> resize(autograd.rand(3, 40, 60), 20).shape
    (3, 20, 30)
    """
    mode = _interpolation(interpolation)

    def after(height: int, width: int) -> Size:
        return _resized(height, width, size, max_size)

    def pixels(x: Tensor, is_mask: bool) -> Tensor:
        how = "nearest" if is_mask and not mode.startswith("nearest") else mode
        return _resize(x, after(*x.shape[-2:]), how, bool(antialias))
    return _moved(inpt, pixels, lambda at, old, new, _: at * np.array([new[1] / old[1], new[0] / old[0]], at.dtype),
                  after, clamp=False)


def _resized(height: int, width: int, size: int | Sequence[int] | None, max_size: int | None) -> Size:
    """(height, width) afterwards."""
    sizes: Any = None if size is None else tuple(size) if isinstance(size, (tuple, list)) else (size,)
    if sizes is not None and len(sizes) == 2:
        if max_size is not None:
            raise ValueError(f"max_size goes with the length of the shorter side, not with both, {size}")
        return pair(sizes)
    short, long = sorted((height, width))
    if sizes is None:
        if max_size is None:
            raise ValueError("give size, or max_size")
        new_short, new_long = int(max_size * short / long), max_size
    else:
        new_short = pair(sizes)[0]
        new_long = int(new_short * long / short)
        if max_size is not None:
            if max_size <= new_short:
                raise ValueError(f"max_size={max_size} must be greater than the shorter side's length, {new_short}")
            if new_long > max_size:
                new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_long, new_short) if width <= height else (new_short, new_long)


def _resize(x: Tensor, size: Size, mode: str, antialias: bool) -> Tensor:
    if x.shape[-2:] == size:
        return x
    if mode == "lanczos" and not antialias:
        raise ValueError("interpolation 'lanczos' needs antialias=True")
    if not x.numel() or min(size) < 1:
        if min(size) < 1:
            raise ShapeError(f"a picture of {x.shape[-2:]} can't become one of {size}")
        return x.new_zeros((*x.shape[:-2], *size))
    images = x.reshape(-1, *x.shape[-3:])
    if mode.startswith("nearest"):
        out = F.interpolate(images, size, mode=mode)
    elif x.dtype == np.uint8:
        out = Tensor(_resize_bytes(images.numpy(), size, mode, antialias))
    else:
        made = images if x.is_floating_point() else images.float()
        out = F.interpolate(made, size, mode=mode, align_corners=False, antialias=antialias)
        out = out if x.is_floating_point() else out.round().to(x.dtype)
    return out.reshape(*x.shape[:-2], *size)


def _resize_bytes(x: np.ndarray, size: Size, mode: str, antialias: bool) -> np.ndarray:
    """By weights of whole numbers, first along rows, as PyTorch and Pillow do it."""
    along = {"bilinear": "linear", "bicubic": "cubic"}.get(mode, mode)
    for axis in (3, 2):
        if x.shape[axis] == size[axis - 2]:
            continue
        taps: Any = resizing(x.shape[axis], size[axis - 2], along, False, None, antialias, np.dtype(np.float64))
        bits = 0  # as many as let the greatest weight be less than 2¹⁵
        while bits < 21 and int(0.5 + taps.weights.max() * (1 << (bits + 1))) < 1 << 15:
            bits += 1
        scaled = taps.matrix(np.dtype(np.float64)) * (1 << bits)
        weights = np.trunc(scaled + np.copysign(0.5, scaled))
        sums = x.astype(np.float64) @ weights.T if axis == 3 else weights @ x.astype(np.float64)
        x = np.clip(np.floor((sums + (1 << (bits - 1))) / (1 << bits)), 0, 255).astype(np.uint8)
    return x


# Cutting and padding

def crop(inpt: Any, top: int, left: int, height: int, width: int) -> Any:
    """The rectangle from row `top` and column `left` on; beyond the picture it is 0."""
    def pixels(x: Tensor, _: bool) -> Tensor:
        h, w = x.shape[-2:]
        inside = x[..., min(max(top, 0), h):max(top + height, 0), min(max(left, 0), w):max(left + width, 0)]
        missing = (max(min(-left, width), 0), max(min(left + width - w, width), 0),
                   max(min(-top, height), 0), max(min(top + height - h, height), 0))
        return F.pad(inside, missing) if any(missing) else inside
    return _moved(inpt, pixels, lambda at, *_: at - np.array([left, top], at.dtype), lambda h, w: (height, width))


def center_crop(inpt: Any, output_size: int | Sequence[int]) -> Any:
    """The rectangle in the middle; where the picture is smaller, with 0 around it."""
    height, width = pair(output_size)
    h, w = get_size(inpt)
    if not isinstance(inpt, (BoundingBoxes, KeyPoints)) and (h < height or w < width):
        rows, columns = max(height - h, 0), max(width - w, 0)
        inpt = pad(inpt, [columns // 2, rows // 2, (columns + 1) // 2, (rows + 1) // 2])
        h, w = h + rows, w + columns
    return crop(inpt, round((h - height) / 2), round((w - width) / 2), height, width)


def resized_crop(inpt: Any, top: int, left: int, height: int, width: int, size: int | Sequence[int],
                 interpolation: str | int = InterpolationMode.BILINEAR, antialias: bool | None = True) -> Any:
    """The rectangle from row `top` and column `left` on, scaled to a size."""
    return resize(crop(inpt, top, left, height, width), size, interpolation, antialias=antialias)


@on_images
def five_crop(image: Tensor, size: int | Sequence[int]) -> tuple[Tensor, ...]:
    """The rectangles of this size in the corners (top left, top right, bottom left, bottom right) and the middle."""
    (height, width), (h, w) = pair(size), image.shape[-2:]
    if height > h or width > w:
        raise ValueError(f"a crop of {height} × {width} doesn't fit into a picture of {h} × {w}")
    corners = [crop(image, top, left, height, width) for top in (0, h - height) for left in (0, w - width)]
    return (*corners, center_crop(image, (height, width)))


@on_images
def ten_crop(image: Tensor, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Tensor, ...]:
    """`five_crop` of the picture, and of the picture flipped (left to right, or top to bottom)."""
    return (*five_crop(image, size), *five_crop(image.flip(-2 if vertical_flip else -1), size))


PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


def pad(inpt: Any, padding: int | Sequence[int], fill: Fill = None, padding_mode: str = "constant") -> Any:
    """With more pixels around.

    Args:
        inpt: a picture, mask, boxes or points.
        padding: how many: a number, (left and right, top and bottom) or (left, top, right, bottom).
        fill: what they are, of each channel or one for all; default 0.
        padding_mode: "constant"; "edge", "reflect" (without the edge), "symmetric" (with it): what is inside.
    """
    left, top, right, bottom = sides_of(padding)
    if padding_mode not in PADDING_MODES:
        raise ValueError(f"padding_mode must be one of {', '.join(map(repr, PADDING_MODES))}, not {padding_mode!r}")
    if isinstance(inpt, (BoundingBoxes, KeyPoints)) and padding_mode != "constant":
        raise ValueError(f"padding_mode {padding_mode!r} shows objects twice, so boxes and points need 'constant'")

    def pixels(x: Tensor, _: bool) -> Tensor:
        if padding_mode != "constant":
            rows, columns = (np.pad(np.arange(n), sides, padding_mode)  # type: ignore[call-overload]
                             for n, sides in zip(x.shape[-2:], ((top, bottom), (left, right)), strict=True))
            return x[..., rows[:, None], columns]
        fills = _listed(fill)
        if len(fills) == 1:
            return F.pad(x, (left, right, top, bottom), value=fills[0])
        _check_fill(x, fills)
        return autograd.stack([F.pad(x[..., c, :, :], (left, right, top, bottom), value=value)
                               for c, value in enumerate(fills)], dim=-3)
    return _moved(inpt, pixels, lambda at, *_: at + np.array([left, top], at.dtype),
                  lambda h, w: (h + top + bottom, w + left + right))


def sides_of(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom)."""
    sides: tuple[Any, ...] = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,)
    if len(sides) not in (1, 2, 4) or not all(isinstance(n, (int, np.integer)) for n in sides):
        raise ValueError(f"padding must be a whole number, or 1, 2 or 4 of them, not {padding!r}")
    return tuple(int(n) for n in sides * (4 // len(sides)))  # type: ignore[return-value]


def _listed(fill: Any) -> list[float]:
    return list(fill) if isinstance(fill, (list, tuple)) else [fill or 0]


def _check_fill(x: Tensor, fills: Sequence[float]) -> None:
    if len(fills) not in (1, x.shape[-3]):
        raise ValueError(f"fill must be a number, or one for each of the {x.shape[-3]} channels, not {list(fills)}")


# Rotating and bending

def _affine_matrix(center: Sequence[float], angle: float, translate: Sequence[float], scale: float,
                   shear: Sequence[float], inverted: bool = True) -> np.ndarray:
    """(2, 3): from where a pixel comes, or (not `inverted`) where a point goes; angles are in degrees."""
    rotation, shear_x, shear_y = (math.radians(x) for x in (angle, *shear))
    a, c = (f(rotation - shear_y) / math.cos(shear_y) for f in (math.cos, math.sin))
    b, d = -(a * math.tan(shear_x) + math.sin(rotation)), math.cos(rotation) - c * math.tan(shear_x)
    there, back = np.array(center), np.array(center) + translate
    if inverted:
        linear = np.array([[d, -b], [-c, a]]) / scale
        there, back = back, there
    else:
        linear = np.array([[a, b], [c, d]]) * scale
    return np.concatenate([linear, (back - linear @ there)[:, None]], 1)


def affine(inpt: Any, angle: float, translate: Sequence[float], scale: float, shear: float | Sequence[float],
           interpolation: str | int = InterpolationMode.NEAREST, fill: Fill = None,
           center: Sequence[float] | None = None) -> Any:
    """Rotated, moved, scaled and sheared, in a frame of the same size.

    Args:
        inpt: a picture, mask, boxes or points.
        angle: in degrees, clockwise.
        translate: pixels to the right and down.
        scale: by how much.
        shear: in degrees, along x, or along x and y.
        interpolation: "nearest" or "bilinear".
        fill: what comes in, of each channel or one for all; None: 0, which "bilinear" mixes with the edge.
        center: x and y of what stays in place; default the middle.
    """
    if scale <= 0:
        raise ValueError(f"scale must be above 0, not {scale}")
    shears = (shear, 0.0) if isinstance(shear, numbers.Real) else tuple(shear) * (2 // len(shear))  # type: ignore[arg-type]
    return _affine(inpt, center, (angle, translate, scale, shears), interpolation, fill, False)


def _affine(inpt: Any, center: Sequence[float] | None, how: Any, interpolation: str | int, fill: Fill,
            expand: bool) -> Any:
    def matrix(height: int, width: int, inverted: bool = True, origin: float = 0.0) -> np.ndarray:
        middle = [0.5 * width, 0.5 * height]
        about = [c - m * (1 - origin) for c, m in zip(middle if center is None else center, middle, strict=True)]
        angle, translate, scale, shear = how
        return _affine_matrix(about, angle, translate, scale, shear, inverted)

    def size(height: int, width: int) -> Size:
        return _expanded(matrix(height, width), height, width) if expand else (height, width)

    def pixels(x: Tensor, is_mask: bool) -> Tensor:
        dtype = x.dtype if x.is_floating_point() else np.dtype(np.float32)
        h, w = x.shape[-2:]
        height, width = size(h, w)
        rows, columns = (np.linspace(-0.5 * (n - 1), 0.5 * (n - 1), n, dtype=np.float32) for n in (height, width))
        base = np.ones((height, width, 3), dtype)
        base[..., 0], base[..., 1] = columns, rows[:, None]
        scaled = matrix(h, w).astype(dtype).T / np.array([0.5 * w, 0.5 * h], dtype)
        return _sampled(x, base @ scaled, "nearest" if is_mask else interpolation, fill)

    def points(at: np.ndarray, before: Size, _: Size, edge: int) -> np.ndarray:
        m = matrix(*before, inverted=False, origin=1.0).astype(at.dtype)
        moved = at @ m[:, :2].T + m[:, 2]
        if expand:
            h, w = before
            moved -= (np.array([[0, 0], [0, h], [w, h], [w, 0]], at.dtype) @ m[:, :2].T + m[:, 2]).min(0)
        return moved
    return _moved(inpt, pixels, points, size)


def _expanded(matrix: np.ndarray, height: int, width: int) -> Size:
    """(height, width) of the frame that holds the whole picture."""
    half = np.array([0.5 * width, 0.5 * height], np.float32)
    corners = np.array([[-1, -1, 1], [-1, 1, 1], [1, 1, 1], [1, -1, 1]], np.float32) * [*half, 1]
    reached = corners.astype(np.float32) @ matrix.astype(np.float32).T + half
    tolerance = np.float32(1e-4)
    ends = [np.trunc(limit * np.float32(1 / 1e-4)) * tolerance for limit in (reached.max(0), reached.min(0))]
    wide, high = np.ceil(ends[0]) - np.floor(ends[1])
    return int(high), int(wide)


def _sampled(x: Tensor, grid: np.ndarray, interpolation: str | int, fill: Fill) -> Tensor:
    """What is at each place of a grid (H, W, 2) from -1 to 1."""
    mode = _interpolation(interpolation, ("nearest", "bilinear"))
    size = (*x.shape[:-2], *grid.shape[:2])
    if not x.numel():
        return x.new_zeros(size)
    images = x.reshape(-1, *x.shape[-3:]).to(grid.dtype)
    if fill is not None:
        fills = _listed(fill)
        _check_fill(x, fills)
        images = autograd.cat([images, images.new_ones((len(images), 1, *images.shape[2:]))], dim=1)
    out = F.grid_sample(images, Tensor(np.broadcast_to(grid, (len(images), *grid.shape))), mode, "zeros", False)
    if fill is not None:
        out, inside = out[:, :-1], out[:, -1:]
        filled = Tensor(np.asarray(fills, grid.dtype).reshape(-1, 1, 1))
        out = autograd.where(inside < 0.5, filled, out) if mode == "nearest" else (out - filled) * inside + filled
    return (out if x.is_floating_point() else out.round().to(x.dtype)).reshape(size)


def rotate(inpt: Any, angle: float, interpolation: str | int = InterpolationMode.NEAREST, expand: bool = False,
           center: Sequence[float] | None = None, fill: Fill = None) -> Any:
    """Rotated.

    Args:
        inpt: a picture, mask, boxes or points.
        angle: in degrees, counter-clockwise.
        interpolation: "nearest" or "bilinear".
        expand: enlarge the frame, so that the whole picture is in it.
        center: x and y of what stays in place; default the middle.
        fill: what comes in, of each channel or one for all; None: 0, which "bilinear" mixes with the edge.
    """
    angle = angle % 360
    if angle % 90 == 0 and center is None and not isinstance(inpt, (BoundingBoxes, KeyPoints)):
        x, back = opened(inpt)
        if angle % 180 == 0 or expand or x.shape[-1] == x.shape[-2]:
            return back(autograd.rot90(x, int(angle // 90), (-2, -1)))
    return _affine(inpt, center, (-angle, (0.0, 0.0), 1.0, (0.0, 0.0)), interpolation, fill, expand)


def perspective(inpt: Any, startpoints: Sequence[Sequence[int]] | None, endpoints: Sequence[Sequence[int]] | None,
                interpolation: str | int = InterpolationMode.BILINEAR, fill: Fill = None,
                coefficients: Sequence[float] | None = None) -> Any:
    """As seen from elsewhere: four points of the picture come to four others.

    Args:
        inpt: a picture, mask, boxes or points.
        startpoints: four, as (x, y).
        endpoints: where they come.
        interpolation: "nearest" or "bilinear".
        fill: what comes in, of each channel or one for all; None: 0.
        coefficients: a, …, h, instead of points: a pixel (x, y) comes from (ax + by + c, dx + ey + f) / (gx + hy + 1).
    """
    if coefficients is None:
        if startpoints is None or endpoints is None:
            raise ValueError("give startpoints and endpoints, or coefficients")
        coefficients = perspective_coefficients(startpoints, endpoints)
    elif startpoints is not None or endpoints is not None or len(coefficients) != 8:
        raise ValueError("give startpoints and endpoints, or eight coefficients")
    matrix = np.append(np.asarray(coefficients, np.float64), 1).reshape(3, 3)

    def pixels(x: Tensor, is_mask: bool) -> Tensor:
        dtype = x.dtype if x.is_floating_point() else np.dtype(np.float32)
        h, w = x.shape[-2:]
        base = np.ones((h, w, 3), dtype)
        base[..., 0], base[..., 1] = np.arange(w) + 0.5, (np.arange(h) + 0.5)[:, None]
        above = matrix[:2].astype(dtype).T / np.array([0.5 * w, 0.5 * h], dtype)
        grid = base @ above / (base @ matrix[2:].astype(dtype).T) - 1
        return _sampled(x, grid, "nearest" if is_mask else interpolation, fill)

    def points(at: np.ndarray, *_: Any) -> np.ndarray:
        determinant = matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]
        if not determinant:
            raise ValueError(f"the coefficients {list(coefficients)} can't be inverted, which boxes and points need")
        back = np.linalg.inv(matrix)
        homogeneous = np.concatenate([at, np.ones_like(at[:, :1])], 1) @ (back / back[2, 2]).astype(at.dtype).T
        return homogeneous[:, :2] / homogeneous[:, 2:]
    return _moved(inpt, pixels, points)


def perspective_coefficients(startpoints: Sequence[Sequence[int]], endpoints: Sequence[Sequence[int]]) -> list[float]:
    """What `perspective` computes of its points: the a, …, h by which each endpoint comes from its startpoint."""
    rows = [row for (x, y), (u, v) in zip(endpoints, startpoints, strict=True)
            for row in ([x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y])]
    if len(rows) != 8:
        raise ValueError(f"a perspective needs four points, not {len(startpoints)}")
    solution = np.linalg.lstsq(np.array(rows, np.float64), np.array(startpoints, np.float64).reshape(8), rcond=None)[0]
    return [float(one) for one in solution.astype(np.float32)]


def elastic(inpt: Any, displacement: Tensor, interpolation: str | int = InterpolationMode.BILINEAR,
            fill: Fill = None) -> Any:
    """Bent: each pixel comes from where `displacement` (1, H, W, 2), in units of half the size, says."""
    h, w = get_size(inpt)
    moves = np.asarray(displacement.detach().numpy())
    if moves.shape != (1, h, w, 2):
        raise ShapeError(f"displacement must have shape {(1, h, w, 2)}, not {moves.shape}")

    def places(dtype: np.dtype) -> np.ndarray:
        base = np.empty((h, w, 2), dtype)
        base[..., 0] = np.linspace((1 - w) / w, (w - 1) / w, w, dtype=dtype)
        base[..., 1] = np.linspace((1 - h) / h, (h - 1) / h, h, dtype=dtype)[:, None]
        return base

    def pixels(x: Tensor, is_mask: bool) -> Tensor:
        dtype = x.dtype if x.is_floating_point() else np.dtype(np.float32)
        return _sampled(x, places(dtype) + moves[0].astype(dtype), "nearest" if is_mask else interpolation, fill)

    def points(at: np.ndarray, _: Size, __: Size, edge: int) -> np.ndarray:
        x, y = (np.trunc(at) if edge else np.ceil(at)).astype(np.int64).T
        back = places(at.dtype) - moves[0].astype(at.dtype)
        found = back[np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)]
        return (found + 1) * np.array([0.5 * w, 0.5 * h], at.dtype) - at.dtype.type(0.5)
    return _moved(inpt, pixels, points)


elastic_transform = elastic
