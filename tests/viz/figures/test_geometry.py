"""Point clouds and meshes."""

import numpy as np
import pytest

import autograd
import viz

pytest.importorskip("matplotlib")
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 4.0]])
FACES = np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])


def test_one_unit_of_length_for_all_three_axes(tmp_path):
    figure = viz.points(autograd.tensor(CORNERS), values=[0, 1, 2, 3], title="corners")
    axes = figure.axes[0]
    lengths = [np.ptp(getattr(axes, f"get_{name}lim")()) for name in "xyz"]
    np.testing.assert_allclose(np.divide(lengths, lengths[0]), axes._box_aspect / axes._box_aspect[0])
    figure.savefig(tmp_path / "points.png")


@pytest.mark.parametrize("values", [None, [0.0, 1, 2, 3]])
def test_a_mesh_has_all_its_triangles(values, tmp_path):
    figure = viz.mesh(CORNERS, autograd.tensor(FACES), values=values)
    surface, = figure.axes[0].collections
    assert len(surface.get_facecolor() if values is None else surface.get_array()) == 4
    figure.savefig(tmp_path / "mesh.png")


@pytest.mark.parametrize("cloud", [np.zeros((0, 3)), np.zeros((1, 3)), np.ones((5, 3))])
def test_clouds_without_extent(cloud, tmp_path):
    viz.points(cloud).savefig(tmp_path / "points.png")


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: viz.points(np.zeros((4, 2))), ValueError, r"\(P, 3\), x, y and z of each, not \(4, 2\)"),
    (lambda: viz.points(CORNERS, values=[1, 2]), ValueError, r"values must have shape \(4,\).*not \(2,\)"),
    (lambda: viz.mesh(CORNERS, FACES[:, :2]), ValueError, r"faces must have shape \(F, 3\)"),
    (lambda: viz.mesh(CORNERS, FACES + 1), IndexError, "vertices 0 to 3, and these 1 to 4"),
])
def test_what_does_not_fit_says_why(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
