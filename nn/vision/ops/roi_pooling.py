"""Regions of interest: what a feature map has within boxes, each divided into as many bins, whatever its size."""

import math
from collections.abc import Sequence

import numpy as np

import autograd
from autograd import Tensor, as_tensor
from autograd.errors import ShapeError
from autograd.typing import Shape, TensorLike
from nn.functional.geometry import layout, tuple_of, wide
from nn.functional.regions import Weights, pooled
from nn.layer import FunctionLayer
from nn.vision.ops.boxes import checked

# What is given

def _regions(input: TensorLike, boxes: TensorLike | Sequence[TensorLike], output_size: Shape,
             by_position: bool) -> tuple[Tensor, np.ndarray, np.ndarray, tuple[int, int]]:
    """The map, the image of each box, the boxes (K, 4) in the map's dtype, and how many bins there are of each.

    Raises:
        ShapeError: these don't fit each other.
        IndexError: a box belongs to no image.
        ValueError: a box has a nan or an infinity.
    """
    x, bins = as_tensor(input), tuple_of(output_size, 2, "output_size")
    if x.ndim != 4:
        raise ShapeError(f"the input must have shape {layout(2)}, not {x.shape}")
    if 0 in x.shape[2:]:
        raise ShapeError(f"an input of shape {x.shape} has no pixels")
    if min(bins) < 1:
        raise ValueError(f"output_size must be at least 1 in each dimension, not {bins}")
    if by_position and x.shape[1] % (bins[0] * bins[1]):
        raise ShapeError(f"{bins[0]} x {bins[1]} bins that read different channels need a multiple of "
                         f"{bins[0] * bins[1]} channels, not {x.shape[1]}")
    rois = as_rois(boxes).detach().numpy()
    image, corners = rois[:, 0], wide(rois[:, 1:].astype(x.dtype))
    if not np.isfinite(corners).all():
        raise ValueError(f"boxes must be finite, and {(~np.isfinite(corners).all(1)).sum()} of {len(rois)} are not")
    if len(image) and not (image.min() >= 0 and image.max() < x.shape[0]):
        raise IndexError(f"the boxes belong to images {image.min():g} to {image.max():g}, and the input has "
                         f"{x.shape[0]}: 0 to {x.shape[0] - 1}")
    return x, image.astype(np.int64), corners, bins


def as_rois(boxes: TensorLike | Sequence[TensorLike]) -> Tensor:
    """Boxes (K, 5), each with the index of its image before it, from these or from a list of boxes (L, 4) per image."""
    if not isinstance(boxes, Sequence):
        rois = checked(boxes, 5)
        if rois.ndim != 2:
            raise ShapeError(f"boxes must have shape (K, 5), not {rois.shape}")
        return rois
    each = [checked(of_image) for of_image in boxes]
    if not each:
        return autograd.zeros(0, 5)
    image = np.repeat(np.arange(len(each)), [len(of_image) for of_image in each])
    together = autograd.cat(each)
    return autograd.cat([autograd.from_numpy(image[:, None].astype(together.dtype)), together], 1)


# Means of samples

def _sampled(start: np.ndarray, end: np.ndarray, bins: int, size: int, sampling_ratio: int) -> Weights:
    """Bins from `start` to `end` (K,), in pixels: the mean of samples, each interpolated between two pixels.

    Samples beyond the pixels' outer edges (-1 and size) count as 0, those nearer have the value of the last pixel.
    """
    length = (end - start) / bins
    ratio = np.ceil(length) if sampling_ratio <= 0 else np.full_like(length, sampling_ratio)
    sample = np.arange(max(1, int(ratio.max(initial=1))), dtype=length.dtype)
    at = start[:, None, None] + np.arange(bins, dtype=length.dtype)[:, None] * length[:, None, None] + (
        (sample + length.dtype.type(0.5)) * length[:, None, None] / np.maximum(ratio, 1)[:, None, None])
    counted = (sample < ratio[:, None, None]) & (at >= -1) & (at <= size)
    at = at.clip(0, size - 1)
    low = np.minimum(at.astype(np.int64), max(size - 2, 0))
    share = np.where(counted, 1 / np.maximum(ratio, 1)[:, None, None], 0)
    return _weights(low, counted, [share * (1 - (at - low)), share * (at - low)][:size], size)


def _weights(pixel: np.ndarray, counted: np.ndarray, shares: Sequence[np.ndarray], size: int) -> Weights:
    """From the samples (K, P, S), of which some count: the pixel below each, and what that and those after it get."""
    first = np.where(counted, pixel, size).min(-1, initial=size)
    length = int((np.where(counted, pixel, 0).max(-1, initial=0) + len(shares) - first).max(initial=1))
    first = np.minimum(first, size - length)
    weight = np.zeros((*first.shape, length))
    place = (np.arange(first.size).reshape(first.shape) * length - first)[..., None] + pixel
    for i, share in enumerate(shares):
        weight += np.bincount((place + i)[counted], share[counted], weight.size).reshape(weight.shape)
    return Weights(first, weight.astype(shares[0].dtype))


def _bins_of_samples(input: TensorLike, boxes: TensorLike | Sequence[TensorLike], output_size: Shape, scale: float,
                     sampling_ratio: int, aligned: bool, by_position: bool) -> Tensor:
    x, image, corners, bins = _regions(input, boxes, output_size, by_position)
    corners = corners * corners.dtype.type(scale) - corners.dtype.type(0.5 if aligned else 0)
    start, end = corners[:, :2], corners[:, 2:]
    if not aligned:
        end = np.maximum(end, start + 1)
    columns, rows = (_sampled(start[:, i], end[:, i], bins[1 - i], x.shape[3 - i], sampling_ratio) for i in (0, 1))
    result = pooled(x, image=image, rows=rows, columns=columns, by_position=by_position)
    if not by_position or sampling_ratio > 0:
        return result
    sides = np.ceil((end - start) / np.array(bins[::-1], corners.dtype))
    no_sample = (sides == 0).any(1)[:, None, None, None]
    return autograd.where(no_sample, math.nan, result)


def roi_align(input: TensorLike, boxes: TensorLike | Sequence[TensorLike], output_size: Shape,
              spatial_scale: float = 1.0, sampling_ratio: int = -1, aligned: bool = False) -> Tensor:
    """What a map (N, C, H, W) holds within K boxes: (K, C, P, Q), each bin the mean of samples (He et al. 2017).

    Differentiable in the map. A bin without samples, as of a box that ends before it begins, is 0.

    Args:
        input: (N, C, H, W).
        boxes: (K, 5), each the index of its image and x1, y1, x2, y2; or for each image its boxes (L, 4).
        output_size: the number of bins, P = Q or (P, Q).
        spatial_scale: from what the boxes refer to, to the map, such as 1/16.
        sampling_ratio: how many samples a bin has in each direction; -1: as many as it has pixels, rounded up.
        aligned: the middle of the first pixel is 0.5, as it should be. Otherwise it is 0, as in older models, and boxes
            are at least one pixel wide and high.

    >>> roi_align(arange(16.0).reshape(1, 1, 4, 4), [tensor([[0.0, 0.0, 2.0, 4.0]])], (2, 1), aligned=True).tolist()
    [[[[2.5], [10.5]]]]
    """
    return _bins_of_samples(input, boxes, output_size, spatial_scale, sampling_ratio, aligned, by_position=False)


def ps_roi_align(input: TensorLike, boxes: TensorLike | Sequence[TensorLike], output_size: Shape,
                 spatial_scale: float = 1.0, sampling_ratio: int = -1) -> Tensor:
    """`roi_align`, aligned, whose bins read different channels (Li et al., "Light-Head R-CNN", 2017).

    Differentiable in the map. The mean of no samples, as of an empty box, is nan.

    Args:
        input: (N, C · P · Q, H, W), of which bin (p, q) reads the channels c · P · Q + p · Q + q.
        boxes: (K, 5), each the index of its image and x1, y1, x2, y2; or for each image its boxes (L, 4).
        output_size: the number of bins, P = Q or (P, Q).
        spatial_scale: from what the boxes refer to, to the map, such as 1/16.
        sampling_ratio: how many samples a bin has in each direction; -1: as many as it has pixels, rounded up.

    Returns:
        (K, C, P, Q).
    """
    return _bins_of_samples(input, boxes, output_size, spatial_scale, sampling_ratio, aligned=True, by_position=True)


# Whole pixels

def _rounded(x: np.ndarray) -> np.ndarray:
    """To the nearest whole number, of two the one farther from 0."""
    whole = np.trunc(x)
    return whole + np.sign(x) * (np.abs(x - whole) >= 0.5)


def _pixels(corners: np.ndarray, scale: float, bins: int, axis: int, beyond: int,
            size: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixels, from the first up to the second, of each bin (K, bins), along x (axis 0) or y (1).

    Bins may share pixels. A box reaches `beyond` its last pixel.
    """
    corners = _rounded(corners * corners.dtype.type(scale))
    start, each = corners[:, [axis]], np.maximum(corners[:, [axis + 2]] - corners[:, [axis]] + beyond, 1) / bins
    edges = np.arange(bins + 1, dtype=corners.dtype) * each
    low, high = np.floor(edges[:, :-1]) + start, np.ceil(edges[:, 1:]) + start
    return low.clip(0, size).astype(np.int64), high.clip(0, size).astype(np.int64)


def ps_roi_pool(input: TensorLike, boxes: TensorLike | Sequence[TensorLike], output_size: Shape,
                spatial_scale: float = 1.0) -> Tensor:
    """The mean of the pixels in each bin of K boxes, whose bins read different channels (Dai et al., "R-FCN", 2016).

    Differentiable in the map, whose last row and column aren't read, as in torchvision. A bin without pixels is 0.

    Args:
        input: (N, C · P · Q, H, W), of which bin (p, q) reads the channels c · P · Q + p · Q + q.
        boxes: (K, 5), each the index of its image and x1, y1, x2, y2; or for each image its boxes (L, 4).
        output_size: the number of bins, P = Q or (P, Q).
        spatial_scale: from what the boxes refer to, to the map, such as 1/16.

    Returns:
        (K, C, P, Q).
    """
    x, image, corners, bins = _regions(input, boxes, output_size, by_position=True)

    def means(axis: int) -> Weights:
        size = x.shape[3 - axis]
        low, high = _pixels(corners, spatial_scale, bins[1 - axis], axis, 0, size - 1)
        length = max(1, (high - low).max(initial=1))
        first = np.minimum(low, size - length)
        pixel = first[..., None] + np.arange(length)
        counted = (pixel >= low[..., None]) & (pixel < high[..., None])
        return Weights(first, (counted / np.maximum(high - low, 1)[..., None]).astype(corners.dtype))
    return pooled(x, image=image, rows=means(1), columns=means(0), by_position=True)


def roi_pool(input: TensorLike, boxes: TensorLike | Sequence[TensorLike], output_size: Shape,
             spatial_scale: float = 1.0) -> Tensor:
    """The largest pixel in each bin of K boxes, (K, C, P, Q) (Girshick, "Fast R-CNN", 2015).

    Differentiable in the map: the first of the largest pixels gets the gradient. A bin without pixels is 0; one with a
    nan is nan.

    Args:
        input: (N, C, H, W).
        boxes: (K, 5), each the index of its image and x1, y1, x2, y2, all included; or for each image its boxes (L, 4).
        output_size: the number of bins, P = Q or (P, Q).
        spatial_scale: from what the boxes refer to, to the map, such as 1/16.

    >>> roi_pool(arange(16.0).reshape(1, 1, 4, 4), [tensor([[0.0, 0.0, 1.0, 3.0]])], (2, 1)).tolist()
    [[[[5.0], [13.0]]]]
    """
    x, image, corners, bins = _regions(input, boxes, output_size, by_position=False)
    maps, (width, height) = x.detach().numpy(), x.shape[:1:-1]
    columns, rows = (np.stack(_pixels(corners, spatial_scale, bins[1 - i], i, 1, (width, height)[i]), -1)
                     for i in (0, 1))
    place = np.full((len(image), x.shape[1], *bins), -1)
    for k, of in enumerate(image):
        _find_largest(maps[of], rows[k].tolist(), columns[k].tolist(), place[k])
    at = (image[:, None] * x.shape[1] + np.arange(x.shape[1]))[:, :, None, None] * (height * width) + place
    return autograd.where(place < 0, 0.0, x.flatten()[np.where(place < 0, 0, at)])


def _find_largest(maps: np.ndarray, rows: list[list[int]], columns: list[list[int]], place: np.ndarray) -> None:
    """Write where the largest pixel of each bin lies in maps (C, H, W), as row · W + column, to `place` (C, P, Q)."""
    start, end = min(low for low, _ in rows), max(high for _, high in rows)
    maps, width = maps[:, start:end], maps.shape[2]
    found = [q for q, (low, high) in enumerate(columns) if low < high]
    if not found:
        return
    column = np.stack([maps[:, :, slice(*columns[q])].argmax(2) + columns[q][0] for q in found], 2)  # of each row
    value = np.take_along_axis(maps, column, 2)
    for p, (low, high) in enumerate(rows):
        if low < high:
            row = value[:, low - start:high - start].argmax(1) + low
            place[:, p, found] = row * width + np.take_along_axis(column, row[:, None] - start, 1)[:, 0]


class RoIAlign(FunctionLayer, function=roi_align, inputs=2):
    """`roi_align` as a layer; called with a map and boxes."""


class PSRoIAlign(FunctionLayer, function=ps_roi_align, inputs=2):
    """`ps_roi_align` as a layer; called with a map and boxes."""


class RoIPool(FunctionLayer, function=roi_pool, inputs=2):
    """`roi_pool` as a layer; called with a map and boxes."""


class PSRoIPool(FunctionLayer, function=ps_roi_pool, inputs=2):
    """`ps_roi_pool` as a layer; called with a map and boxes."""
