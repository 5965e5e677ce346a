"""Augmentations: every image is a changed one of the given, by the rule that it names."""

import numpy as np
import pytest

from autograd import Generator
from nn import data

images = np.random.default_rng(0).uniform(1, 2, (40, 3, 5, 6)).astype(np.float32)


def test_flips_mirror_some():
    out = data.random_flip(images, generator=Generator().manual_seed(0)).numpy()
    mirrored = [np.array_equal(a, b[..., ::-1]) for a, b in zip(out, images, strict=True)]
    assert 5 < sum(mirrored) < 35
    assert all(m or np.array_equal(a, b) for m, a, b in zip(mirrored, out, images, strict=True))


def test_crops_are_windows_of_the_padded_image():
    out = data.random_crop(images, 2, Generator().manual_seed(0)).numpy()
    assert out.shape == images.shape
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))
    places = [[(i, j) for i in range(5) for j in range(5) if np.array_equal(a, b[:, i:i + 5, j:j + 6])]
              for a, b in zip(out, padded, strict=True)]
    assert all(places)
    assert len({p[0] for p in places}) > 10
    np.testing.assert_array_equal(data.random_crop(images, 0).numpy(), images)


@pytest.mark.parametrize("size", [(3, 3), (9, 4), (5, 6)])
def test_resized_crops_are_rectangles_of_the_image_scaled(size):
    torch = pytest.importorskip("torch")
    out = data.random_resized_crop(images, size, (0.2, 1), generator=Generator().manual_seed(0)).numpy()
    assert out.shape == (40, 3, *size) and out.dtype == np.float32
    crops = []
    for before, after in zip(torch.from_numpy(images), out, strict=True):
        crops.append([(h, w, i, j) for h in range(1, 6) for w in range(1, 7) for i in range(6 - h) for j in range(7 - w)
                      if h * w >= 3 and np.allclose(after, torch.nn.functional.interpolate(
                          before[None, :, i:i + h, j:j + w], size, mode="bilinear", antialias=True)[0], atol=1e-5)])
    assert all(crops)
    h, w, i, j = np.transpose([found[0] for found in crops])
    assert min(len(set(h)), len(set(w)), len(set(i)), len(set(j))) > 1
    assert (w / h < 2.1).all() and (h / w < 2.1).all()  # rounded to pixels


def test_resized_crops_of_everything_are_the_images():
    out = data.random_resized_crop(images, (5, 6), (1, 1), (6 / 5, 6 / 5)).numpy()
    np.testing.assert_allclose(out, images, rtol=1e-6)
    whole = data.random_resized_crop(images, (5, 6), (1, 1), (4, 5)).numpy()  # no such rectangle fits
    np.testing.assert_allclose(whole, images, rtol=1e-6)


def test_jitter_is_an_affine_map_within_its_bounds():
    out = data.color_jitter(images, 0.3, 0.5, Generator().manual_seed(0)).numpy()
    assert out.dtype == np.float32
    scale = out.mean((1, 2, 3)) / images.mean((1, 2, 3))
    assert (np.abs(scale - 1) <= 0.3 + 1e-5).all() and scale.std() > 0.05
    spread = out.std((1, 2, 3)) / images.std((1, 2, 3)) / scale
    assert (np.abs(spread - 1) <= 0.5 + 1e-4).all() and spread.std() > 0.05


def test_cutout_clears_one_square_in_all_channels():
    for before, after in zip(images, data.cutout(images, 3, Generator().manual_seed(0)).numpy(), strict=True):
        cleared = after == 0
        assert (cleared == cleared[:1]).all()
        rows, columns = cleared[0].any(1).sum(), cleared[0].any(0).sum()
        assert 1 <= rows <= 3 and 1 <= columns <= 3 and cleared[0].sum() == rows * columns
        np.testing.assert_array_equal(after[~cleared], before[~cleared])


def test_mixup_mixes_images_and_targets_alike():
    labels = np.eye(40, dtype=np.float32)
    x, y = data.mixup(images, labels, 1.0, Generator().manual_seed(0))
    np.testing.assert_allclose(y.numpy().sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(x.numpy(), np.tensordot(y.numpy(), images, 1), rtol=1e-5)
    assert (y.numpy() > 0).sum(1).max() == 2


def test_misuse_is_refused():
    with pytest.raises(ValueError, match=r"\(N, C, H, W\), not \(3, 5, 6\)"):
        data.cutout(images[0], 2)
    with pytest.raises(ValueError, match="one_hot"):
        data.mixup(images, np.zeros(40, np.int64))
    with pytest.raises(ValueError, match=r"not \(4, 4\), \(0\.5, 2\)"):
        data.random_resized_crop(images, 4, (0.5, 2))
    with pytest.raises(TypeError, match="random_resized_crop: images must be floating"):
        data.random_resized_crop(images.astype(int), 4)
    with pytest.raises(TypeError, match="floating"):
        data.color_jitter((images * 9).astype(np.uint8), 0.1)
