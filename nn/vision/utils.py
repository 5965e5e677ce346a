"""Pictures to look at: grids of them, files, boxes, masks and points drawn into them, and the colors of a flow.

Names, arguments and pixels are torchvision's. Drawing and saving need PIL (`pip install pillow`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, as_tensor, no_grad
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn.vision.transforms.functional.conversion import pil, pil_to_tensor, to_dtype, to_pil_image

Color = str | tuple[int, int, int]


@no_grad()
def make_grid(tensor: TensorLike | list[Tensor], nrow: int = 8, padding: int = 2, normalize: bool = False,
              value_range: tuple[float, float] | None = None, scale_each: bool = False,
              pad_value: float = 0.0) -> Tensor:
    """Pictures side by side, as one picture (C, H, W).

    Args:
        tensor: (N, C, H, W), a list of (C, H, W), or one picture; one channel becomes three.
        nrow: how many there are in a row.
        padding: pixels between and around them.
        normalize: bring the values to [0, 1].
        value_range: from these, (least, greatest); default what is there.
        scale_each: each picture by itself.
        pad_value: what is between them.

    >>> make_grid(autograd.rand(6, 1, 8, 8), nrow=3).shape
    (3, 22, 32)
    """
    images = autograd.stack(list(tensor)) if isinstance(tensor, (list, tuple)) else as_tensor(tensor)
    if not 2 <= images.ndim <= 4:
        raise ShapeError(f"pictures have shape (N, C, H, W), (C, H, W) or (H, W), not {images.shape}")
    images = images.reshape(*(1,) * (4 - images.ndim), *images.shape)
    images = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
    if normalize:
        axes = (1, 2, 3) if scale_each else (0, 1, 2, 3)
        low, high = value_range or (images.amin(dim=axes, keepdim=True), images.amax(dim=axes, keepdim=True))
        span = (high - low).clamp(min=1e-5) if isinstance(high, Tensor) else max(high - low, 1e-5)
        images = (images.clamp(low, high) - low) / span
    count, channels, height, width = images.shape
    if count == 1:
        return images[0].clone()
    columns = min(nrow, count)
    rows = -(-count // columns)
    cells = autograd.full((rows * columns, channels, height + padding, width + padding), pad_value, dtype=images.dtype)
    cells[:count, :, padding:, padding:] = images
    grid = cells.reshape(rows, columns, *cells.shape[1:]).permute(2, 0, 3, 1, 4)
    out = autograd.full((channels, rows * (height + padding) + padding, columns * (width + padding) + padding),
                        pad_value, dtype=images.dtype)
    out[:, :rows * (height + padding), :columns * (width + padding)] = grid.reshape(
        channels, rows * (height + padding), columns * (width + padding))
    return out


def save_image(tensor: TensorLike | list[Tensor], fp: Any, format: str | None = None, **options: Any) -> None:
    """Write a picture, or a grid of pictures, of values in [0, 1], to a file.

    Args:
        tensor: as of `make_grid`.
        fp: the name of the file, or one that is open.
        format: of the file; default as its name says.
        options: of `make_grid`.
    """
    grid = make_grid(tensor, **options)
    to_pil_image((grid * 255 + 0.5).clamp(0, 255).to(np.uint8)).save(fp, format=format)


def _checked(image: Tensor, channels: tuple[int, ...]) -> None:
    if image.ndim != 3 or image.shape[0] not in channels or not (image.dtype == np.uint8 or image.is_floating_point()):
        raise ShapeError(f"one picture is drawn into, (C, H, W) with C = {' or '.join(map(str, channels))}, of uint8 "
                         f"or floating, not {image.dtype} of shape {image.shape}")


def _colors(colors: Color | Sequence[Color] | None, count: int) -> list[tuple[int, int, int]]:
    """One for each object; default colors that differ."""
    if colors is None:
        return [tuple(int(i * part % 255) for part in (2 ** 25 - 1, 2 ** 15 - 1, 2 ** 21 - 1))  # type: ignore[misc]
                for i in range(count)]
    listed = list(colors) if isinstance(colors, list) else [colors] * count
    if len(listed) < count:
        raise ValueError(f"colors must be one, or one for each of the {count} objects, not {len(listed)}")
    pil()
    from PIL import ImageColor
    return [ImageColor.getrgb(one) if isinstance(one, str) else one for one in listed]  # type: ignore[misc]


def draw_bounding_boxes(image: Tensor, boxes: Tensor, labels: Sequence[str | None] | None = None,
                        colors: Color | Sequence[Color] | None = None, fill: bool = False, width: int = 1,
                        font: str | None = None, font_size: int | None = None,
                        label_colors: Color | Sequence[Color] | None = None) -> Tensor:
    """A picture with boxes drawn into it.

    Args:
        image: (C, H, W) with 1 or 3 channels, uint8, or floating within [0, 1].
        boxes: (N, 4), as (left, top, right, bottom).
        labels: what is written into each.
        colors: one for all or a list of them, as text or (r, g, b); default different ones.
        fill: fill the boxes, half transparent.
        width: of the lines.
        font: a file with a TrueType font.
        font_size: of it.
        label_colors: of what is written; default those of the boxes.

    >>> draw_bounding_boxes(zeros(3, 20, 20), tensor([[2, 2, 9, 9]]), colors="red").amax(dim=(1, 2))
    tensor([1., 0., 0.])
    """
    _checked(image, (1, 3))
    places = as_tensor(boxes).detach().numpy()
    if places.ndim != 2 or places.shape[1] != 4 or (places[:, :2] > places[:, 2:]).any():
        raise ShapeError("boxes have shape (N, 4), as (left, top, right, bottom), which nn.vision.ops.box_convert "
                         f"makes, not {places.tolist() if places.size < 9 else places.shape}")
    if labels is not None and len(labels) != len(places):
        raise ValueError(f"labels must be one for each of the {len(places)} boxes, not {len(labels)}")
    made = to_pil_image(_bytes(image.expand(3, -1, -1)))
    from PIL import ImageDraw, ImageFont
    lettering = ImageFont.truetype(font, font_size or 10) if font else ImageFont.load_default()
    draw = ImageDraw.Draw(made, "RGBA" if fill else None)
    own = _colors(colors, len(places))
    of_labels = _colors(label_colors, len(places)) if label_colors else own
    corners: Any = places.astype(np.int64).tolist()
    for i, box in enumerate(corners):
        draw.rectangle(box, width=width, outline=own[i], fill=(*own[i], 100) if fill else None)
        text = labels[i] if labels is not None else None
        if text is not None:
            draw.text((box[0] + width + 1, box[1] + width + 1), text, fill=of_labels[i], font=lettering)
    return _like(pil_to_tensor(made), image)


def draw_segmentation_masks(image: Tensor, masks: Tensor, alpha: float = 0.8,
                            colors: Color | Sequence[Color] | None = None) -> Tensor:
    """A picture with masks in color laid over it; where several overlap it is darkened.

    Args:
        image: (3, H, W), uint8, or floating within [0, 1].
        masks: booleans, (H, W) or (N, H, W).
        alpha: how little shines through.
        colors: one for all or a list of them, as text or (r, g, b); default different ones.
    """
    _checked(image, (3,))
    inside = as_tensor(masks).numpy()
    inside = inside[None] if inside.ndim == 2 else inside
    if inside.dtype != np.bool_ or inside.ndim != 3 or inside.shape[1:] != image.shape[1:]:
        raise ShapeError(f"masks must be booleans of shape (N, {image.shape[1]}, {image.shape[2]}), not "
                         f"{inside.dtype} of {inside.shape}; of scores write masks > 0.5")
    x = image.detach().numpy()
    painted = x.copy()
    for mask, color in zip(inside, _colors(colors, len(inside)), strict=True):
        painted[:, mask] = np.array(color)[:, None] / (255 if x.dtype.kind == "f" else 1)
    painted[:, inside.sum(0) > 1] = 0
    out = as_tensor(x) * (1 - alpha) + as_tensor(painted) * alpha
    return out.to(image.dtype) if len(inside) else image


def draw_keypoints(image: Tensor, keypoints: Tensor, connectivity: Iterable[tuple[int, int]] | None = None,
                   colors: Color | None = None, radius: int = 2, width: int = 3,
                   visibility: Tensor | None = None) -> Tensor:
    """A picture with points, and lines between them.

    Args:
        image: (3, H, W), uint8, or floating within [0, 1].
        keypoints: (N, K, 2), as x and y, of N objects.
        connectivity: pairs of numbers of points between which there are lines.
        colors: of the points.
        radius: of the points.
        width: of the lines.
        visibility: (N, K), which points are drawn.
    """
    _checked(image, (3,))
    points = as_tensor(keypoints).detach().numpy()
    if points.ndim != 3 or points.shape[2] != 2:
        raise ShapeError(f"keypoints have shape (N, K, 2), not {points.shape}; write keypoints[..., :2]")
    seen = np.ones(points.shape[:2], np.bool_) if visibility is None else as_tensor(visibility).numpy() != 0
    seen = seen[..., 0] if seen.ndim == 3 else seen
    if seen.shape != points.shape[:2]:
        raise ShapeError(f"visibility must have shape {points.shape[:2]}, not {seen.shape}")
    made = to_pil_image(_bytes(image))
    from PIL import ImageDraw
    draw = ImageDraw.Draw(made)
    pixels: Any = points.astype(np.int64).tolist()
    for places, visible in zip(pixels, seen, strict=True):
        for x, y in (place for place, shown in zip(places, visible, strict=True) if shown):
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colors, outline=None, width=0)
        for a, b in connectivity or ():
            if visible[a] and visible[b]:
                draw.line((tuple(places[a]), tuple(places[b])), width=width)
    return _like(pil_to_tensor(made), image)


def _bytes(image: Tensor) -> Tensor:
    return to_dtype(image.detach(), np.uint8, scale=True)


def _like(out: Tensor, image: Tensor) -> Tensor:
    return to_dtype(out, image.dtype, scale=True)


def flow_to_image(flow: TensorLike) -> Tensor:
    """The motion of each pixel as a color, its direction as hue, its length as strength (Baker et al. 2011).

    Args:
        flow: (2, H, W) or (N, 2, H, W), in x and y.

    Returns uint8, (3, H, W) or (N, 3, H, W).
    """
    x = as_tensor(flow).detach().numpy()
    if x.ndim not in (3, 4) or x.shape[-3] != 2 or x.dtype.kind != "f":
        raise ShapeError(f"a flow is floating, of shape (2, H, W) or (N, 2, H, W), not {x.dtype} of {x.shape}")
    x = x / (np.sqrt((x ** 2).sum(-3)).max(initial=0) + np.finfo(x.dtype).eps)
    wheel = _color_wheel().astype(x.dtype)
    place = (np.arctan2(-x[..., 1, :, :], -x[..., 0, :, :]) / x.dtype.type(np.pi) + 1) / 2 * (len(wheel) - 1)
    first = np.floor(place).astype(np.int64)
    part = (place - first)[..., None]
    color = (1 - part) * wheel[first] + part * wheel[(first + 1) % len(wheel)]
    strength = np.sqrt((x ** 2).sum(-3))[..., None]
    levels = np.floor(255 * (1 - strength * (1 - color)))
    return Tensor(np.ascontiguousarray(np.moveaxis(levels, -1, -3)).astype(np.uint8))


def _color_wheel() -> np.ndarray:
    """(55, 3): from red over yellow, green, cyan, blue and magenta to red, in steps that look alike."""
    parts = []
    for count, full, changing, grows in ((15, 0, 1, True), (6, 1, 0, False), (4, 1, 2, True), (11, 2, 1, False),
                                         (13, 2, 0, True), (6, 0, 2, False)):
        part = np.zeros((count, 3))
        ramp = np.floor(255 * np.arange(count) / count)
        part[:, full], part[:, changing] = 255, ramp if grows else 255 - ramp
        parts.append(part)
    return np.concatenate(parts) / 255
