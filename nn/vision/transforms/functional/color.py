"""Colors: brightness, contrast, saturation, hue, and the like, of pictures of one or three channels."""

import numpy as np

import autograd
from autograd import Tensor, float32, uint8
from autograd.errors import ShapeError
from nn import functional as F
from nn.vision.transforms.functional.conversion import BITS, max_value, on_images, to_dtype


def _channels(image: Tensor) -> int:
    if image.shape[-3] not in (1, 3):
        raise ShapeError(f"colors are those of 1 or 3 channels, not of {image.shape[-3]}: {image.shape}")
    return image.shape[-3]


def _not_negative(name: str, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"{name} must be at least 0, not {factor}")


def _plus(a: Tensor, b: Tensor, factor: float) -> Tensor:
    """a + factor · b, rounded once, as PyTorch does it: what is cut off to a whole number depends on the last digit."""
    if a.dtype != float32:
        return a + b * factor
    return (a.double() + b.double() * float(np.float32(factor))).float()


def _luminance(image: Tensor) -> Tensor:
    """(*, 1, H, W), floating, as ITU-R 601-2 has it."""
    red, green, blue = image.unbind(-3)
    return _plus(_plus(red * 0.2989, green, 0.587), blue, 0.114).unsqueeze(-3)


def _blend(image: Tensor, other: Tensor, ratio: float) -> Tensor:
    mixed = _plus(image * ratio, other, 1 - ratio).clamp(0, max_value(image.dtype))
    return mixed.to(image.dtype)


@on_images
def rgb_to_grayscale(image: Tensor, num_output_channels: int = 1) -> Tensor:
    """The luminance, in 1 channel or in 3 equal ones."""
    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels must be 1 or 3, not {num_output_channels}")
    gray = image if _channels(image) == 1 else _luminance(image).to(image.dtype)
    return gray.expand(*image.shape[:-3], num_output_channels, *image.shape[-2:]).clone()


to_grayscale = rgb_to_grayscale


@on_images
def grayscale_to_rgb(image: Tensor) -> Tensor:
    """One channel as three equal ones; three as they are."""
    return image if image.shape[-3] >= 3 else image.expand(*image.shape[:-3], 3, *image.shape[-2:]).clone()


@on_images
def adjust_brightness(image: Tensor, brightness_factor: float) -> Tensor:
    """Times a factor: 0 is black, 1 the picture."""
    _not_negative("brightness_factor", brightness_factor)
    _channels(image)
    return (image * brightness_factor).clamp(0, max_value(image.dtype)).to(image.dtype)


@on_images
def adjust_contrast(image: Tensor, contrast_factor: float) -> Tensor:
    """The distance from the mean luminance times a factor: 0 is gray, 1 the picture."""
    _not_negative("contrast_factor", contrast_factor)
    gray = _luminance(image) if _channels(image) == 3 else image
    gray = gray if image.is_floating_point() else gray.to(float32).floor()
    return _blend(image, gray.mean(dim=(-3, -2, -1), keepdim=True), contrast_factor)


@on_images
def adjust_saturation(image: Tensor, saturation_factor: float) -> Tensor:
    """The distance from gray times a factor: 0 is without color, 1 the picture."""
    _not_negative("saturation_factor", saturation_factor)
    if _channels(image) == 1:
        return image
    gray = _luminance(image)
    return _blend(image, gray if image.is_floating_point() else gray.floor(), saturation_factor)


@on_images
def adjust_sharpness(image: Tensor, sharpness_factor: float) -> Tensor:
    """The distance from a blurred picture times a factor: 0 is blurred, 1 the picture; the edge stays as it is."""
    _not_negative("sharpness_factor", sharpness_factor)
    channels = _channels(image)
    if not image.numel() or min(image.shape[-2:]) <= 2:
        return image
    x = image if image.is_floating_point() else image.float()
    kernel = np.full((3, 3), 1 / 13)
    kernel[1, 1] = 5 / 13
    kernels = Tensor(np.broadcast_to(kernel.astype(x.dtype), (channels, 1, 3, 3)).copy())
    images = x.reshape(-1, *x.shape[-3:])
    blurred = F.conv2d(images, kernels, groups=channels)
    blurred = blurred if image.is_floating_point() else blurred.round()
    inner, out = images[..., 1:-1, 1:-1], images.clone()
    out[..., 1:-1, 1:-1] = _plus(inner, blurred - inner, 1 - sharpness_factor)
    return out.clamp(0, max_value(image.dtype)).to(image.dtype).reshape(image.shape)


@on_images
def adjust_hue(image: Tensor, hue_factor: float) -> Tensor:
    """The hue turned by `hue_factor` of the circle, from -0.5 to 0.5."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor must be from -0.5 to 0.5, not {hue_factor}")
    if _channels(image) == 1 or not image.numel():
        return image
    hue, saturation, value = hue_saturation_value(to_dtype(image, float32, scale=True).detach().numpy())
    hue = np.remainder(hue + np.float32(hue_factor), np.float32(1))
    return to_dtype(Tensor(_colors(hue, saturation, value)), image.dtype, scale=True)


def hue_saturation_value(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of floating colors (*, 3, H, W): each (*, H, W), within [0, 1]."""
    red, green, _ = np.moveaxis(x, -3, 0)
    most, least = x.max(-3), x.min(-3)
    gray, span = most == least, most - least
    saturation = span / np.where(gray, np.float32(1), most)
    r, g, b = np.moveaxis((most[..., None, :, :] - x) / np.where(gray, np.float32(1), span)[..., None, :, :], -3, 0)
    hue = np.where(most == red, b - g, np.where(most == green, r + 2 - b, g + 4 - r))
    return np.fmod(hue * np.float32(1 / 6) + 1, np.float32(1)), saturation, most


def _colors(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    sixth = np.floor(hue * 6)
    part = saturation * (hue * 6 - sixth)
    levels = [np.clip(level * value, 0, 1) for level in (1 - part, part + (1 - saturation), 1 - saturation)]
    falling, rising, low = levels
    which = sixth.astype(np.int64) % 6
    v = value
    return np.stack([np.choose(which, channel) for channel in (
        (v, falling, low, low, rising, v), (rising, v, v, falling, low, low), (low, low, rising, v, v, falling))], -3)


@on_images
def adjust_gamma(image: Tensor, gamma: float, gain: float = 1) -> Tensor:
    """gain · image ** gamma, of a range of [0, 1]."""
    _not_negative("gamma", gamma)
    out = to_dtype(image, float32 if not image.is_floating_point() else image.dtype, scale=True) ** gamma
    return to_dtype((out * gain).clamp(0, 1) if gain != 1 else out, image.dtype, scale=True)


@on_images
def posterize(image: Tensor, bits: int) -> Tensor:
    """With `bits` bits for each channel."""
    if not 0 <= bits <= 8:
        raise ValueError(f"bits must be from 0 to 8, not {bits}")
    if image.is_floating_point():
        levels = 1 << bits
        return (image * levels).floor().clamp(0, levels - 1) * (1 / levels)
    every = BITS[image.dtype]
    return image if bits >= every else image & (((1 << bits) - 1) << (every - bits))


@on_images
def solarize(image: Tensor, threshold: float) -> Tensor:
    """Inverted from the threshold on."""
    if threshold > max_value(image.dtype):
        raise ValueError(f"threshold must be at most {max_value(image.dtype)}, white in {image.dtype}, not {threshold}")
    return autograd.where(image >= threshold, invert(image), image)


@on_images
def invert(image: Tensor) -> Tensor:
    """White for black."""
    return max_value(image.dtype) - image


@on_images
def autocontrast(image: Tensor) -> Tensor:
    """Each channel stretched from black to white."""
    _channels(image)
    if not image.numel():
        return image
    x, white = image if image.is_floating_point() else image.float(), max_value(image.dtype)
    least, most = x.amin(dim=(-2, -1), keepdim=True), x.amax(dim=(-2, -1), keepdim=True)
    flat = least == most
    scale = autograd.where(flat, 1.0, (most - least) * (1 / white)).to(x.dtype)
    return ((x - autograd.where(flat, 0.0, least).to(x.dtype)) / scale).clamp(0, white).to(image.dtype)


@on_images
def equalize(image: Tensor) -> Tensor:
    """Each channel with all brightnesses about equally often."""
    if not image.numel():
        return image
    x = to_dtype(image, uint8, scale=True).detach().numpy()
    flat = x.reshape(-1, x.shape[-2] * x.shape[-1])
    out = np.empty_like(flat)
    for channel, made in zip(flat, out, strict=True):
        counts = np.bincount(channel, minlength=256)
        step = (len(channel) - counts[np.nonzero(counts)[0][-1]]) // 255
        table = np.minimum((np.cumsum(counts) - counts + step // 2) // max(step, 1), 255)
        made[:] = table[channel] if step else channel
    return to_dtype(Tensor(out.reshape(x.shape)), image.dtype, scale=True)


@on_images
def permute_channels(image: Tensor, permutation: list[int]) -> Tensor:
    """Channels in another order."""
    order = np.asarray(permutation)
    if np.sort(order).tolist() != list(range(image.shape[-3])):
        raise ValueError(f"permutation must name each of the {image.shape[-3]} channels once, not {permutation}")
    return image[..., order, :, :]
