"""Regions of interest, beside their definition bin by bin."""

import math
import tracemalloc

import numpy as np
import pytest

import autograd
from autograd import tensor
from nn.vision.ops import ps_roi_align, ps_roi_pool, roi_align, roi_pool

MAP = np.random.default_rng(0).normal(size=(2, 12, 5, 6))
ROIS = np.array([[0, 0, 0, 5, 4], [1, 1.3, 0.7, 4.6, 3.2], [0, -4, -2, 2.5, 9], [1, 5.5, 4.5, 5.9, 4.6],
                 [1, 3, 3, 3, 3], [0, 20, 20, 24, 25], [1, -1, -1, 6, 5]])
"""Whole, between pixels, beyond two edges, tiny, empty, far outside, along the outermost samples that count."""


def interpolated(pixels, y, x):
    """A value (C,) of pixels (C, H, W) between four of them; 0 beyond their outer edges."""
    height, width = pixels.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return np.zeros(len(pixels))
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    i, j = int(y), int(x)
    return sum(pixels[:, min(i + a, height - 1), min(j + b, width - 1)] * abs(1 - a - (y - i)) * abs(1 - b - (x - j))
               for a in range(2) for b in range(2))


def mean_of_samples(x, rois, bins, scale, ratio, aligned, channels):
    out = np.zeros((len(rois), len(channels(0, 0)), *bins))
    for k, (image, *corners) in enumerate(rois):
        x1, y1, x2, y2 = (corner * scale - 0.5 * aligned for corner in corners)
        if not aligned:
            x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
        height, width = (y2 - y1) / bins[0], (x2 - x1) / bins[1]
        down, right = (ratio, ratio) if ratio > 0 else (math.ceil(height), math.ceil(width))
        for p in range(bins[0]):
            for q in range(bins[1]):
                samples = [interpolated(x[int(image)], y1 + p * height + (i + 0.5) * height / down,
                                        x1 + q * width + (j + 0.5) * width / right)[channels(p, q)]
                           for i in range(down) for j in range(right)]
                out[k, :, p, q] = sum(samples) / len(samples) if samples else 0
    return out


@pytest.mark.parametrize("bins", [(1, 1), (2, 3)])
@pytest.mark.parametrize("ratio", [-1, 1, 3])
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("scale", [1.0, 0.6])
def test_a_bin_is_the_mean_of_its_samples(bins, ratio, aligned, scale):
    every = mean_of_samples(MAP, ROIS, bins, scale, ratio, aligned, lambda p, q: np.arange(12))
    np.testing.assert_allclose(roi_align(tensor(MAP), tensor(ROIS), bins, scale, ratio, aligned).numpy(), every,
                               atol=1e-12)
    if aligned:
        own = mean_of_samples(MAP, ROIS, bins, scale, ratio, True,
                              lambda p, q: np.arange(0, 12, bins[0] * bins[1]) + p * bins[1] + q)
        result = ps_roi_align(tensor(MAP), tensor(ROIS), bins, scale, ratio).numpy()
        if ratio < 0:
            assert np.isnan(result[4]).all()
            result[4] = 0
        np.testing.assert_allclose(result, own, atol=1e-12)


def pixels_of(rois, k, bins, p, q, scale, beyond, size):
    """The slices of rows and columns of a bin."""
    ranges = []
    for axis, bin_, count in ((1, p, bins[0]), (0, q, bins[1])):
        start, end = (int(math.copysign(math.floor(abs(rois[k][1 + axis + i] * scale) + 0.5), rois[k][1 + axis + i]))
                      for i in (0, 2))
        each, most = max(end - start + beyond, 1) / count, size[1 - axis]
        ranges.append(slice(*(min(max(edge + start, 0), most)
                              for edge in (math.floor(bin_ * each), math.ceil((bin_ + 1) * each)))))
    return tuple(ranges)


@pytest.mark.parametrize("bins", [(1, 1), (2, 3), (4, 1)])
@pytest.mark.parametrize("scale", [1.0, 0.6])
def test_whole_pixels(bins, scale):
    largest = roi_pool(tensor(MAP), tensor(ROIS), bins, scale).numpy()
    means = ps_roi_pool(tensor(MAP), tensor(ROIS), bins, scale).numpy()
    for k, p, q in np.ndindex(len(ROIS), *bins):
        image = MAP[int(ROIS[k][0])]
        found = image[:, *pixels_of(ROIS, k, bins, p, q, scale, 1, (5, 6))]
        np.testing.assert_array_equal(largest[k, :, p, q], found.max((1, 2)) if found.size else 0)
        found = image[p * bins[1] + q::bins[0] * bins[1], *pixels_of(ROIS, k, bins, p, q, scale, 0, (4, 5))]
        np.testing.assert_allclose(means[k, :, p, q], found.mean((1, 2)) if found.size else 0)


def test_the_first_of_the_largest_pixels_gets_the_gradient():
    x = autograd.ones(1, 1, 4, 4, requires_grad=True)
    roi_pool(x, [tensor([[1.0, 1.0, 3.0, 3.0]])], 1).sum().backward()
    assert x.grad.nonzero().tolist() == [[0, 0, 1, 1]]


FUNCTIONS = [roi_align, ps_roi_align, roi_pool, ps_roi_pool]
by_function = pytest.mark.parametrize("function", FUNCTIONS)


@by_function
def test_lists_of_boxes_belong_to_their_images(function):
    first, second = tensor(ROIS[[0, 2]][:, 1:]), tensor(ROIS[[1]][:, 1:])
    together = np.concatenate([ROIS[[0, 2]], ROIS[[1]]])
    np.testing.assert_array_equal(function(tensor(MAP), [first, second], 2).numpy(),
                                  function(tensor(MAP), tensor(together), 2).numpy())
    assert function(tensor(MAP), [first[:0], second[:0]], 2).shape[0] == 0


@by_function
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_and_gradients_elsewhere_do_no_harm(function, value):
    rois = tensor(np.array([[0, 1.0, 1.0, 3.0, 3.0], [1, 1.0, 1.0, 3.0, 3.0]]))
    x = MAP.copy()
    x[:, :, :, 4:] = value
    given = tensor(x, requires_grad=True)
    result = function(given, rois, 2)
    np.testing.assert_allclose(result.detach().numpy(), function(tensor(MAP), rois, 2).numpy())
    g = np.ones(result.shape)
    g[0] = value
    result.backward(tensor(g))
    assert np.isfinite(given.grad.numpy()[1]).all()
    assert (given.grad.numpy()[0, :, :, 4:] == 0).all()


@by_function
def test_half_precision(function):
    half = function(tensor(MAP).half(), tensor(ROIS[:4]).float(), 2, 0.5)
    assert half.dtype == autograd.float16
    np.testing.assert_allclose(half.numpy(), function(tensor(MAP), tensor(ROIS[:4]), 2, 0.5).numpy(), atol=1e-2)


def test_memory_is_that_of_the_result():
    x = autograd.rand(1, 4, 300, 300, requires_grad=True)
    rois = tensor([[0.0, 0.0, 0.0, 299.0, 299.0]] * 200)
    tracemalloc.start()
    roi_align(x, rois, 7, sampling_ratio=2).sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6  # boxes x pixels would be 70 MB for each channel


@pytest.mark.parametrize(("x", "boxes", "error", "message"), [
    ((12, 5, 6), ROIS, ValueError, r"\(N, C, H, W\)"),
    ((1, 12, 5, 6), ROIS, IndexError, "images 0 to 1, and the input has 1"),
    ((1, 12, 5, 6), ROIS[:, 1:], ValueError, r"\(\.\.\., 5\)"),
    ((1, 12, 5, 6), [ROIS], ValueError, r"\(\.\.\., 4\)"),
    ((1, 12, 0, 6), ROIS[:1], ValueError, "no pixels"),
    ((1, 12, 5, 6), np.array([[0, 1, 1, np.nan, 2]]), ValueError, "1 of 1 are not"),
])
@by_function
def test_what_does_not_fit(function, x, boxes, error, message):
    given = [tensor(b) for b in boxes] if isinstance(boxes, list) else tensor(boxes)
    with pytest.raises(error, match=message):
        function(autograd.zeros(x), given, 2)


def test_channels_are_divided_among_bins():
    with pytest.raises(ValueError, match=r"2 x 4 bins .* need a multiple of 8 channels, not 12"):
        ps_roi_align(tensor(MAP), tensor(ROIS), (2, 4))
