"""Measures of images are torchmetrics', and differentiable; those of features are SciPy's and scikit-learn's."""

import numpy as np
import pytest

import autograd
from autograd.errors import ShapeError
from autograd.testing import gradcheck
from nn import metrics

rng = np.random.default_rng(0)
images = rng.random((2, 3, 2, 19, 23))


def reference():
    return pytest.importorskip("torch"), pytest.importorskip("torchmetrics.functional.image")


@pytest.mark.parametrize("options", [
    {"data_range": 1.0}, {"data_range": (0.2, 0.8)}, {"data_range": 2.0, "dim": (1, 2, 3), "reduction": "none"},
    {"data_range": 1.0, "dim": 0}])
def test_peak_signal_noise_ratio_is_torchmetrics(options):
    torch, theirs = reference()
    np.testing.assert_allclose(metrics.peak_signal_noise_ratio(*images, **options).numpy(),
                               theirs.peak_signal_noise_ratio(*torch.tensor(images), **options).numpy(), rtol=1e-6)


@pytest.mark.parametrize("options", [
    {}, {"data_range": 1.0, "reduction": "none"}, {"data_range": (0.1, 0.9), "sigma": 0.8},
    {"gaussian_kernel": False, "kernel_size": 5, "data_range": 1.0}, {"k1": 0.1, "k2": 0.2, "data_range": 255}])
def test_structural_similarity_is_torchmetrics(options):
    torch, theirs = reference()
    np.testing.assert_allclose(
        metrics.structural_similarity_index_measure(*images, **options).numpy(),
        theirs.structural_similarity_index_measure(*torch.tensor(images), **options).numpy(), rtol=1e-6)


def test_they_are_losses_too():
    small = autograd.tensor(images[0, :1, :1, :7, :8], requires_grad=True)
    target = images[1, :1, :1, :7, :8]
    assert gradcheck(lambda x: metrics.structural_similarity_index_measure(x, target, sigma=0.8, data_range=1.0), small)
    assert gradcheck(lambda x: metrics.peak_signal_noise_ratio(x, target, data_range=1.0), small)


def test_images_too_small_for_the_window_are_refused():
    with pytest.raises(ShapeError, match="4 × 9 are too small"):
        metrics.structural_similarity_index_measure(images[0, ..., :4, :9], images[1, ..., :4, :9])


def test_the_distance_of_gaussians_is_the_formula_with_matrix_roots():
    linalg = pytest.importorskip("scipy.linalg")
    a, b = rng.standard_normal((40, 5)), rng.standard_normal((30, 5)) @ rng.standard_normal((5, 5)) + 1
    one, two = np.cov(a.T), np.cov(b.T)
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(one + two - 2 * linalg.sqrtm(one @ two).real)
    np.testing.assert_allclose(float(metrics.frechet_distance(a, b)), expected, rtol=1e-6)
    metric = metrics.FrechetDistance()
    for real, x in ((True, a[:9]), (False, b), (True, a[9:])):
        metric.update(x, real=real)
    np.testing.assert_allclose(float(metric.compute()), expected, rtol=1e-6)
    with pytest.raises(RuntimeError, match="40 and 1"):
        metrics.frechet_distance(b[:1], a)


@pytest.mark.parametrize("k", [1, 5])
def test_coverage_is_that_of_scikit_learns_neighbors(k):
    neighbors = pytest.importorskip("sklearn.neighbors")
    real, generated = rng.standard_normal((60, 4)), rng.standard_normal((25, 4)) * [3, 1, 1, 0.1]
    reach = neighbors.NearestNeighbors().fit(real).kneighbors(n_neighbors=k)[0][:, -1]  # itself is left out
    there = neighbors.NearestNeighbors().fit(generated).kneighbors(real, 1)[0][:, 0]
    covered = metrics.coverage(generated, real, nearest_k=k)
    np.testing.assert_allclose(covered.item(), (there <= reach).mean(), rtol=1e-6)
    assert 0 < covered.item() < 1


def test_coverage_falls_with_the_kinds_that_are_left_out():
    kinds = np.repeat(np.eye(4), 20, 0) * 100 + rng.standard_normal((80, 4))
    others = np.repeat(np.eye(4), 20, 0) * 100 + rng.standard_normal((80, 4))
    shares = [metrics.coverage(others[:20 * count], kinds).item() for count in (1, 2, 4)]
    np.testing.assert_allclose(shares, [0.25, 0.5, 1], atol=0.08)


def test_coverage_says_what_it_needs():
    with pytest.raises(ShapeError, match=r"\(2, 3\) and \(4, 5\); write features.flatten"):
        metrics.coverage(np.ones((2, 3)), np.ones((4, 5)))
    with pytest.raises(ValueError, match=r"nearest_k must be from 1 to 3, .* not 4"):
        metrics.coverage(np.ones((2, 3)), np.ones((4, 3)), nearest_k=4)
