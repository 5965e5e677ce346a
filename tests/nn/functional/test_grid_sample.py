"""Images read at positions between pixels: PyTorch's values and gradients, and what follows from the definition."""

import itertools
import math

import numpy as np
import pytest

import autograd
from autograd.testing import check_derivatives
from nn import functional as F

MODES = [*itertools.product(["bilinear", "nearest", "bicubic"], ["zeros", "border", "reflection"], [True, False])]
modes = pytest.mark.parametrize(("mode", "padding_mode", "align_corners"), MODES)
pytestmark = pytest.mark.filterwarnings("ignore:Since version:UserWarning")  # PyTorch's, about axes of length 1
SIZES = {2: ((2, 3, 4, 5), (2, 6, 3, 2)), 3: ((2, 3, 4, 1, 3), (2, 2, 3, 2, 3))}


def example(ndim, seed=0, scale=2.7):
    rng = np.random.default_rng(seed)
    image, grid = SIZES[ndim]
    return rng.standard_normal(image), rng.uniform(-scale, scale, grid)


def sampled(image, grid, *options):
    """A program that samples an image, in either library."""
    def program(library, layers):
        inputs = [library.tensor(array, requires_grad=True) for array in (image, grid)]
        out = layers.functional.grid_sample(*inputs, *options)
        (out * library.tensor(np.cos(np.arange(math.prod(out.shape))).reshape(tuple(out.shape)))).sum().backward()
        return [out, *[x.grad for x in inputs]]
    return program


@modes
@pytest.mark.parametrize("ndim", [2, 3])
def test_values_and_gradients_are_pytorchs(ndim, mode, padding_mode, align_corners, as_pytorch):
    if (ndim, mode) != (3, "bicubic"):
        for seed in range(5):
            as_pytorch(sampled(*example(ndim, seed), mode, padding_mode, align_corners))


@modes
def test_pixels_and_edges_are_pytorchs(mode, padding_mode, align_corners, as_pytorch):
    image, _ = example(2)
    ends = np.array([-3.0, -1.25, -1, -0.75, -0.5, 0, 0.25, 0.5, 1, 1.5, 5])
    grid = np.stack(np.meshgrid(ends, ends), -1)
    as_pytorch(sampled(image, np.stack([grid, -grid]), mode, padding_mode, align_corners))


@modes
def test_second_derivatives(mode, padding_mode, align_corners):
    if mode != "nearest":  # linear in the image, and no derivative in the grid
        check_derivatives(lambda x, grid: F.grid_sample(x, grid, mode, padding_mode, align_corners),
                          [*example(2, 1, 0.8)], order=2)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("align_corners", [True, False])
def test_the_grid_of_the_identity_gives_the_image_and_that_of_a_map_is_pytorchs(ndim, align_corners, as_pytorch):
    image, _ = example(ndim)
    identity = autograd.tensor(np.stack([np.eye(ndim, ndim + 1)] * 2))
    grid = F.affine_grid(identity, image.shape, align_corners)
    np.testing.assert_allclose(F.grid_sample(autograd.tensor(image), grid, "bilinear", "border", align_corners).numpy(),
                               image, atol=1e-12)
    theta = np.random.default_rng(0).standard_normal((2, ndim, ndim + 1))
    as_pytorch(lambda library, layers: layers.functional.affine_grid(library.tensor(theta), image.shape, align_corners))
    check_derivatives(lambda theta: F.affine_grid(theta, image.shape, align_corners), [theta], order=2)


@modes
def test_nan_in_nan_out(mode, padding_mode, align_corners):
    """Where a position is NaN the output is, and the image gets no gradient from there; nothing else changes."""
    image, grid = example(2)
    results = []
    for spoilt in (False, True):
        if spoilt:
            grid[0, 1, 1, 0] = grid[1, 5, 0, 1] = math.nan
        x, places = autograd.tensor(image, requires_grad=True), autograd.tensor(grid, requires_grad=True)
        out = F.grid_sample(x, places, mode, padding_mode, align_corners)
        weights = np.ones(out.shape)
        weights[0, :, 1, 1] = weights[1, :, 5, 0] = 0
        if spoilt:
            assert (np.isnan(out.detach().numpy()) == (weights == 0)).all()
        out.backward(autograd.tensor(weights))
        results.append([np.where(weights == 0, 0, out.detach().numpy()), x.grad.numpy(),
                        np.where(weights[:, 0, ..., None] == 0, 0, places.grad.numpy())])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)  # sums of more or fewer


@modes
def test_float32_stays_and_infinite_positions_do_no_harm(mode, padding_mode, align_corners):
    image = autograd.ones(1, 2, 3, 3, requires_grad=True)
    grid = autograd.tensor([[-1e30, 0], [math.inf, 0], [-math.inf, 0.5], [1e30, 0]]).reshape(1, 2, 2, 2)
    grid.requires_grad_()
    out = F.grid_sample(image, grid, mode, padding_mode, align_corners)
    out.sum().backward()
    assert out.dtype == grid.grad.dtype == autograd.float32
    for values in (out, image.grad, grid.grad):
        assert np.isfinite(values.detach().numpy()).all()


def test_empty_grids_and_batches():
    assert F.grid_sample(autograd.ones(2, 3, 4, 4), autograd.ones(2, 0, 5, 2)).shape == (2, 3, 0, 5)
    assert F.grid_sample(autograd.ones(0, 3, 4, 4), autograd.ones(0, 5, 5, 2)).shape == (0, 3, 5, 5)


@pytest.mark.parametrize(("call", "parts"), [
    (lambda: F.grid_sample(autograd.ones(2, 3), autograd.ones(2, 2)), ["(N, C, H, W)", "(2, 3)"]),
    (lambda: F.grid_sample(autograd.ones(2, 3, 4, 4), autograd.ones(2, 4, 4, 3)), ["(2, H', W', 2)", "(2, 4, 4, 3)"]),
    (lambda: F.grid_sample(autograd.ones(2, 3, 4, 4), autograd.ones(1, 4, 4, 2)), ["(2, H', W', 2)", "(1, 4, 4, 2)"]),
    (lambda: F.grid_sample(autograd.ones(2, 3, 0, 4), autograd.ones(2, 4, 4, 2)), ["no pixels", "(2, 3, 0, 4)"]),
    (lambda: F.grid_sample(autograd.ones(1, 1, 4, 4, 4), autograd.ones(1, 4, 4, 4, 3), "bicubic"),
     ["'bicubic'", "bilinear", "(1, 1, 4, 4, 4)"]),
    (lambda: F.grid_sample(autograd.ones(1, 1, 4, 4), autograd.ones(1, 4, 4, 2), padding_mode="mirror"),
     ["'mirror'", "reflection"]),
    (lambda: F.affine_grid(autograd.ones(2, 2, 3), (1, 3, 4, 4)), ["(1, 2, 3)", "(2, 2, 3)"]),
    (lambda: F.affine_grid(autograd.ones(2, 2, 3), (2, 3, 4)), ["(N, C, H, W)", "(2, 3, 4)"]),
])
def test_what_does_not_fit_is_refused(call, parts):
    with pytest.raises(ValueError, match="grid") as info:
        call()
    for part in parts:
        assert part in str(info.value)
