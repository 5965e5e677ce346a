"""The gallery's data: out of packages, nothing is downloaded. Images are float32 from 0 to 1, (N, channels, H, W)."""

import wave
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

import autograd
from autograd import Tensor


class Labeled(NamedTuple):
    """Images, (N, C, H, W), and their labels, (N,)."""

    images: np.ndarray
    labels: np.ndarray


def split(images: np.ndarray, labels: np.ndarray, seed: int, held_out: float = 0.2) -> tuple[Labeled, Labeled]:
    """A training set, and a part drawn at random that is held out of it."""
    order = np.random.default_rng(seed).permutation(len(images))
    cut = round(held_out * len(images))
    return Labeled(images[order[cut:]], labels[order[cut:]]), Labeled(images[order[:cut]], labels[order[:cut]])


@cache
def digits(seed: int = 0) -> tuple[Labeled, Labeled]:
    """scikit-learn's digits: 1,797 handwritten ones, (N, 1, 8, 8); a training set, and a fifth that is held out."""
    from sklearn.datasets import load_digits
    images, labels = load_digits(return_X_y=True)
    return split((images / 16).astype(np.float32).reshape(-1, 1, 8, 8), labels.astype(np.int64), seed)


@cache
def faces(seed: int = 0) -> tuple[Labeled, Labeled]:
    """scikit-image's faces: 100 (label 1), and 100 pieces of photographs without one, (N, 1, 25, 25)."""
    from skimage.data import lfw_subset
    return split(lfw_subset().astype(np.float32)[:, None], np.repeat([1, 0], 100), seed)


def textures(count: int, size: int, rng: np.random.Generator) -> Labeled:
    """scikit-image's textures: square pieces of brick, grass and gravel, (count, 1, size, size)."""
    from skimage import data
    sources = np.stack([data.brick(), data.grass(), data.gravel()]).astype(np.float32) / 255
    labels, corners = rng.integers(0, 3, count), rng.integers(0, 512 - size, (count, 2))
    pieces = [sources[k, i:i + size, j:j + size] for k, (i, j) in zip(labels, corners, strict=True)]
    return Labeled(np.stack(pieces)[:, None], labels)


def on_textures(digits: Labeled, rng: np.random.Generator, contrast: float = 1.0) -> Labeled:
    """Digits somewhere on a piece of brick, grass or gravel of that contrast, lighter or darker, (N, 1, 20, 20)."""
    images = contrast * textures(len(digits.images), 20, rng).images
    corners = rng.integers(0, 9, (len(images), 2))
    for image, digit, (top, left) in zip(images[:, 0], digits.images[:, 0], corners, strict=True):
        image[top:top + 12, left:left + 12] += rng.choice([-0.8, 0.8]) * enlarged(digit, 12)
    return Labeled(images, digits.labels)


@cache
def photograph(name: str) -> np.ndarray:
    """scikit-image's photographs: astronaut, coffee and more in color (3, H, W), camera and coins in gray (1, H, W);
    and scikit-learn's: flower and china."""
    from skimage import data
    from sklearn.datasets import load_sample_image
    picture = load_sample_image(f"{name}.jpg") if name in ("flower", "china") else np.atleast_3d(getattr(data, name)())
    return (picture / 255).astype(np.float32).transpose(2, 0, 1)


def package_file(package: str, path: str) -> Path:
    """A file of a package, which is not imported: what it stands on (PyTorch, often) need not be there."""
    try:
        return Path(str(metadata.distribution(package).locate_file(path)))
    except metadata.PackageNotFoundError:
        raise ModuleNotFoundError(f"pip install --no-deps {package}", name=package) from None


@cache
def conversation() -> tuple[np.ndarray, list[tuple[str, float, float]]]:
    """pyannote.audio's telephone call: half a minute of sound, 16,000 numbers from -1 to 1 a second, and who speaks,
    from when to when, in seconds."""
    with wave.open(str(package_file("pyannote.audio", "pyannote/audio/sample/sample.wav"))) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(2 ** 15)
    lines = package_file("pyannote.audio", "pyannote/audio/sample/sample.rttm").read_text().splitlines()
    turns = [(words[7], float(words[3]), float(words[4])) for words in map(str.split, lines)]
    return sound, [(name, start, start + length) for name, start, length in turns]


@cache
def manual() -> str:
    """Python's reference manual: the English text of help("while") and its like, each paragraph once, no grammar."""
    from pydoc_data.topics import topics
    paragraphs = dict.fromkeys("\n\n".join(topics.values()).split("\n\n"))  # topics repeat one another
    return "\n\n".join([text for text in paragraphs if "|" not in text and "::=" not in text])


def letters(length: int | None = None) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Python's own manual, letter by letter: which letters there are, and its text in their numbers, the first nine
    tenths and the rest."""
    vocabulary, numbers = np.unique(list(manual()[:length]), return_inverse=True)
    return vocabulary.tolist(), *np.split(numbers, [len(numbers) * 9 // 10])


class Scenes(NamedTuple):
    """Digits on canvases: images (N, 1, side, side), and for each of them the boxes of its digits (n, 4) as x1, y1, x2,
    y2, their labels (n,) and their masks (n, side, side)."""

    images: np.ndarray
    boxes: list[np.ndarray]
    labels: list[np.ndarray]
    masks: list[np.ndarray]


def digit_scenes(digits: Labeled, count: int, rng: np.random.Generator, side: int = 48, most: int = 3) -> Scenes:
    """Scenes of real digits: one to `most` a canvas, of 12 to 20 pixels, nowhere over one another."""
    scenes = [_scene(digits, rng.integers(1, most + 1), rng, side) for _ in range(count)]
    masks = [masks for _, masks, _ in scenes]
    return Scenes(np.stack([image for image, _, _ in scenes])[:, None], [boxes_of(m) for m in masks],
                  [labels for _, _, labels in scenes], masks)


def _scene(digits: Labeled, number: int, rng: np.random.Generator, side: int) -> tuple[np.ndarray, ...]:
    image, masks, labels = np.zeros((side, side), np.float32), [], []
    while len(masks) < number:
        which, size = rng.integers(len(digits.images)), rng.integers(12, 21)
        top, left = rng.integers(0, side - size, 2)
        placed = np.zeros_like(image)
        placed[top:top + size, left:left + size] = enlarged(digits.images[which, 0], size)
        if not (image * placed).any():
            image, labels = image + placed, [*labels, digits.labels[which]]
            masks.append(placed > 0.25)
    return image, np.stack(masks), np.array(labels)


def enlarged(image: np.ndarray, size: int) -> np.ndarray:
    """An image (H, W) with `size` rows and columns, by straight lines between its pixels."""
    for _ in range(2):  # rows, then columns
        places = np.linspace(0, len(image) - 1, size)
        below = np.minimum(places.astype(int), len(image) - 2)
        share = (places - below)[:, None].astype(image.dtype)
        image = ((1 - share) * image[below] + share * image[below + 1]).T
    return image


def boxes_of(masks: np.ndarray) -> np.ndarray:
    """The smallest boxes around masks (n, H, W): (n, 4) of x1, y1, x2, y2."""
    edges = [(np.flatnonzero(mask.any(0))[[0, -1]], np.flatnonzero(mask.any(1))[[0, -1]]) for mask in masks]
    return np.array([(x[0], y[0], x[1] + 1, y[1] + 1) for x, y in edges], np.float32)


def targets(scenes: Scenes, first: int = 0) -> list[dict[str, Tensor]]:
    """What nn.vision's detectors learn from, a dict for each scene; the label of digit 0 is `first`."""
    return [dict(zip(("boxes", "labels", "masks"), map(autograd.tensor, (boxes, labels + first, masks)), strict=True))
            for boxes, labels, masks in zip(scenes.boxes, scenes.labels, scenes.masks, strict=True)]


def classes(scenes: Scenes) -> np.ndarray:
    """The class of each pixel (N, side, side): 0 where nothing is, k + 1 where a digit k is."""
    return np.stack([((labels + 1)[:, None, None] * masks).max(0)
                     for labels, masks in zip(scenes.labels, scenes.masks, strict=True)])


def captions(scenes: Scenes) -> list[str]:
    """What is to be seen in each scene, from left to right: "a three and a five"."""
    words = ["a zero", "a one", "a two", "a three", "a four", "a five", "a six", "a seven", "an eight", "a nine"]
    return [" and ".join([words[label] for label in labels[np.argsort(boxes[:, 0])]])
            for boxes, labels in zip(scenes.boxes, scenes.labels, strict=True)]


def moving_digits(digits: Labeled, count: int, rng: np.random.Generator, frames: int = 8,
                  side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Films of real digits: they move right, left, down or up, labels 0 to 3, around edges; (N, 1, frames, H, W)."""
    directions, which = rng.integers(0, 4, count), rng.integers(0, len(digits.images), count)
    films = np.zeros((count, 1, frames, side, side), np.float32)
    for film, direction, k, start in zip(films, directions, which, rng.integers(0, side, (count, 2)), strict=True):
        film[0, :, :16, :16] = enlarged(digits.images[k, 0], 16)
        step = 2 * np.array([(0, 1), (0, -1), (1, 0), (-1, 0)][direction])
        film[0] = [np.roll(frame, start + t * step, (0, 1)) for t, frame in enumerate(film[0])]
    return films, directions


def thickness(digit: np.ndarray, size: int) -> np.ndarray:
    """A digit (H, W) as a solid that is round as if its line were a tube: half its thickness (size, size), in pixels,
    and 0 outside."""
    from scipy.ndimage import distance_transform_edt
    depth = distance_transform_edt(enlarged(np.pad(digit, 1), size) > 0.4)
    return np.sqrt(depth * (2 * depth.max() - depth)).astype(np.float32)


def solid(digit: np.ndarray, size: int) -> np.ndarray:
    """A digit (H, W) as a solid: the signed distances (size, size, size) from its surface, below 0 inside, at x, y and
    z of `numpy.linspace(-1, 1, size)`."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter
    z = np.abs(np.arange(size) - (size - 1) / 2)
    inside = z < thickness(digit, size).T[..., None]
    distance = np.where(inside, 0.5 - distance_transform_edt(inside), distance_transform_edt(~inside) - 0.5)
    return gaussian_filter(distance, 1).astype(np.float32) * 2 / (size - 1)


def point_clouds(digits: Labeled, count: int, rng: np.random.Generator) -> Labeled:
    """Points on the surface of solid digits, each turned by up to 30 degrees about its upright axis: (N, count, 3),
    x to the right, y down, z away, from -1 to 1."""
    clouds = np.empty((len(digits.images), count, 3), np.float32)
    for cloud, image, angle in zip(clouds, digits.images, rng.uniform(-np.pi / 6, np.pi / 6, len(clouds)), strict=True):
        solid = thickness(image[0], 24)
        y, x = rng.choice(np.argwhere(solid), count).T
        cloud[:] = np.stack([x - 11.5, y - 11.5, rng.choice([-1, 1], count) * solid[y, x]], 1) / 11.5
        cloud[:, :2] += rng.uniform(-0.5, 0.5, (count, 2)) / 11.5  # in the pixel
        cloud[:, ::2] @= np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    return Labeled(clouds, digits.labels)


PHOTOGRAPHS = ("brick", "grass", "gravel", "coins", "chelsea", "hubble_deep_field", "immunohistochemistry", "retina")


class OnPhotographs(NamedTuple):
    """Digits on photographs: images (N, 3, 24, 24), digits and photographs (N,), masks of the digits (N, 24, 24)."""

    images: np.ndarray
    digits: np.ndarray
    photographs: np.ndarray
    masks: np.ndarray


def pieces(count: int, rng: np.random.Generator, held_out: bool = False) -> Labeled:
    """scikit-image's photographs of PHOTOGRAPHS: pieces (N, 3, 24, 24), and which; the right of each is held out."""
    labels, images = rng.integers(0, len(PHOTOGRAPHS), count), np.zeros((count, 3, 24, 24), np.float32)
    for image, label in zip(images, labels, strict=True):
        picture = photograph(PHOTOGRAPHS[label])
        _, height, width = picture.shape
        edge = int(0.7 * width)
        i, j = rng.integers(0, height - 24), rng.integers(edge, width - 24) if held_out else rng.integers(0, edge - 24)
        image[:] = picture[:, i:i + 24, j:j + 24]
    return Labeled(images, labels)


def on_photographs(digits: Labeled, count: int, rng: np.random.Generator, held_out: bool = False) -> OnPhotographs:
    """Digits, bright and of any tint, on darkened pieces of photographs."""
    (images, photographs), which = pieces(count, rng, held_out), rng.integers(0, len(digits.images), count)
    images *= rng.uniform(0.5, 0.9, (count, 3, 1, 1)).astype(np.float32)
    cover = np.zeros((count, 1, 24, 24), np.float32)
    for layer, k, size in zip(cover[:, 0], which, rng.integers(12, 18, count), strict=True):
        top, left = rng.integers(0, 25 - size, 2)
        layer[top:top + size, left:left + size] = enlarged(digits.images[k, 0], size)
    images += cover * (rng.uniform(0.7, 1, (count, 3, 1, 1)).astype(np.float32) - images)
    return OnPhotographs(images, digits.labels[which], photographs, cover[:, 0] > 0.25)


def two_on_photographs(digits: Labeled, count: int, rng: np.random.Generator, held_out: bool = False) -> OnPhotographs:
    """Two different digits beside one another, (N, 3, 24, 48); digits, photographs and masks are those of one of them,
    which is on the left or on the right."""
    one, other = (on_photographs(digits, count, rng, held_out) for _ in range(2))
    images = np.concatenate([one.images, other.images], 3)
    masks = np.concatenate([one.masks, np.zeros_like(other.masks)], 2)
    for pictures in (images, masks):
        pictures[::2] = np.roll(pictures[::2], 24, -1)
    different = one.digits != other.digits
    return OnPhotographs(images[different], one.digits[different], one.photographs[different], masks[different])


def in_a_row(images: np.ndarray) -> np.ndarray:
    """Images (N, 1, H, W) beside one another, with gray edges."""
    return np.concatenate([np.pad(image[0], 1, constant_values=0.5) for image in images], 1)


def outline(axis, image: np.ndarray, boxes: np.ndarray, names=(), color: str = "C0", **style) -> None:
    """Draw an image (1 or 3, H, W) into a Matplotlib axis, and boxes (n, 4) on it, with a name above each."""
    height, width = image.shape[1:]
    axis.imshow(image.transpose(1, 2, 0), vmin=0, vmax=1, extent=(0, width, height, 0))
    axis.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0))
    axis.grid(visible=False)
    for x1, y1, x2, y2 in boxes:
        axis.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], color=color, **style)
    for name, (x1, y1, _, _) in zip(names, boxes, strict=False):
        axis.text(x1, y1 - 1, name, color=color, fontsize="small")


def mistakes(axis, found: np.ndarray, wanted: np.ndarray) -> None:
    """Draw into a Matplotlib axis which pixels (H, W) are given their class, and what is wrong with the others."""
    from matplotlib.colors import ListedColormap
    kind = np.select([found == wanted, (found > 0) & (wanted > 0), wanted > 0], [wanted > 0, 2, 3], 4)
    axis.imshow(kind, ListedColormap(["black", "white", "C5", "C4", "C1"]), vmin=0, vmax=4)
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)


MISTAKES = "white: the digit; red: taken for another one; blue: missed; orange: where nothing is"
