"""Nearest neighbors in blocks are those of all pairs; points lie evenly on the surface of a mesh."""

import numpy as np
import pytest

import autograd
from autograd.errors import ShapeError
from autograd.testing import gradcheck
from nn import points
from nn.points import knn_points, sample_points_from_meshes

rng = np.random.default_rng(0)


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("count", [1, 4])
def test_neighbors_are_those_of_all_pairs(count, shift, monkeypatch):
    monkeypatch.setattr(points, "BLOCK", 50)  # several blocks
    x, y = rng.standard_normal((2, 30, 3)) + shift, rng.standard_normal((2, 20, 3)) + shift
    y[:, 7] = y[:, 3]  # of equals the first
    pairs = ((x[:, :, None] - y[:, None]) ** 2).sum(-1)
    found = knn_points(x, y, count)
    expected = np.argsort(pairs, 2, kind="stable")[..., :count]
    np.testing.assert_allclose(found.dists.numpy(), np.take_along_axis(pairs, expected, 2))
    np.testing.assert_allclose(((x[:, :, None] - found.knn.numpy()) ** 2).sum(-1), found.dists.numpy())
    if count == 1:
        assert (found.idx.numpy() == expected).all()


def test_distances_are_differentiable():
    x, y = (autograd.tensor(rng.standard_normal((n, 2)), requires_grad=True) for n in (3, 4))
    assert gradcheck(lambda x, y: knn_points(x, y, 2).dists, (x, y))


def test_single_precision_far_from_zero_keeps_its_neighbors():
    y = (1000 + rng.integers(0, 1000, (50, 3)) / 64).astype(np.float32)
    assert (knn_points(y, y).idx.numpy()[:, 0] == np.arange(50)).all()


def test_no_points_have_no_neighbors_and_too_many_are_refused():
    assert knn_points(np.zeros((0, 3)), np.zeros((4, 3)), 2).dists.shape == (0, 2)
    with pytest.raises(ValueError, match="from 1 to 4"):
        knn_points(np.zeros((2, 3)), np.zeros((4, 3)), 5)
    with pytest.raises(ShapeError, match="P1, D"):
        knn_points(np.zeros((2, 3)), np.zeros((4, 2)))


def test_points_lie_evenly_on_a_surface():
    verts = autograd.tensor([[0.0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 1]], requires_grad=True)
    faces = autograd.tensor([[0, 1, 2], [0, 2, 3], [3, 3, 1]])  # of areas 2, 1 and 0
    drawn = sample_points_from_meshes(verts, faces, 6000, autograd.Generator().manual_seed(0))
    x, y, z = drawn.detach().numpy().T
    floor = z < 1e-6
    assert abs(floor.mean() - 2 / 3) < 0.02
    assert (x[floor] + y[floor] <= 2 + 1e-6).all() and (abs(x[~floor]) < 1e-6).all()
    np.testing.assert_allclose([x[floor].mean(), y[floor].mean()], 2 / 3, atol=0.03)
    drawn.sum().backward()
    np.testing.assert_allclose(verts.grad.numpy().sum(), 3 * 6000, rtol=1e-4)
    with pytest.raises(IndexError, match="0 to 3"):
        sample_points_from_meshes(verts, faces + 2)
    with pytest.raises(ValueError, match="area"):
        sample_points_from_meshes(verts, faces[2:])
