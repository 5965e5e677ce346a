"""Classical features: gradients as scikit-image counts them, colors, words of a codebook."""

import colorsys

import numpy as np
import pytest

import autograd
from autograd.errors import ShapeError
from nn.vision.features import BagOfVisualWords, color_histogram, hog
from tests.nn.vision.transforms.samples import PHOTO

rng = np.random.default_rng(0)


@pytest.mark.parametrize("norm", ["L1", "L1-sqrt", "L2", "L2-Hys"])
def test_histograms_of_gradients_are_scikit_images(norm):
    feature = pytest.importorskip("skimage.feature")
    for options in ({}, {"orientations": 6, "pixels_per_cell": (6, 5), "cells_per_block": (2, 3)}):
        there = {"pixels_per_cell": (8, 8), "cells_per_block": (3, 3), "orientations": 9} | options
        expected = feature.hog(PHOTO, block_norm=norm, channel_axis=0, **there)
        np.testing.assert_allclose(hog(PHOTO.astype(np.float64), block_norm=norm, **options).numpy(), expected,
                                   rtol=1e-6, atol=1e-8)  # it adds up in single precision
        expected = feature.hog(PHOTO[1], block_norm=norm, feature_vector=False, **there)
        np.testing.assert_allclose(hog(PHOTO[1:2], block_norm=norm, feature_vector=False, **options).numpy(), expected,
                                   rtol=1e-5, atol=1e-7)


def test_histograms_of_gradients_of_an_edge():
    """One cell in a block: all gradients of a vertical edge point to the right, into the first bin."""
    edge = np.zeros((1, 1, 8, 8))
    edge[..., 4:] = 1
    assert hog(edge, cells_per_block=1, block_norm="L2").numpy()[0] == pytest.approx([1] + [0] * 8, abs=1e-8)
    assert hog(edge.swapaxes(2, 3), cells_per_block=1, block_norm="L2").numpy()[0].argmax() == 4
    both = hog(np.concatenate([edge, edge.swapaxes(2, 3)]), cells_per_block=1)
    assert (both[1] == hog(edge[0].swapaxes(1, 2), cells_per_block=1)).all()
    with pytest.raises(ShapeError, match="1 × 1 cells"):
        hog(edge)


@pytest.mark.parametrize("space", ["hue", "hsv", "rgb"])
def test_histograms_of_colors_are_those_of_single_pixels(space):
    expected = np.zeros((3, 10))
    for pixel in PHOTO.reshape(3, -1).T / np.float32(255):
        values = pixel if space == "rgb" else colorsys.rgb_to_hsv(*map(float, pixel))
        for channel, value in enumerate(values):
            expected[channel, min(int(np.float32(value) * 10), 9)] += 1 / (48 * 64)
    expected = expected[:1] if space == "hue" else expected
    found = color_histogram(np.stack([PHOTO, PHOTO[::-1]]), space=space).numpy()
    np.testing.assert_allclose(found[0], expected.reshape(-1), atol=0.002)  # a hue on a border may fall on either side
    np.testing.assert_allclose(found.sum(1), 1 if space == "hue" else 3, rtol=1e-6)
    with pytest.raises(ValueError, match="255"):
        color_histogram(PHOTO.astype(np.float32))


def test_words_tell_pictures_apart():
    kinds = [np.concatenate([rng.standard_normal((30, 2)) + 10 * np.eye(2)[k], rng.standard_normal((10, 2)) - 20])
             for k in (0, 1)]
    bag = BagOfVisualWords(3, autograd.Generator().manual_seed(0)).fit(kinds)
    shares = bag(kinds).numpy()
    assert sorted(shares[0].tolist()) == pytest.approx([0, 0.25, 0.75])
    assert shares[0].argmax() != shares[1].argmax()
    assert bag([np.zeros((0, 2))]).tolist() == [[0, 0, 0]]
