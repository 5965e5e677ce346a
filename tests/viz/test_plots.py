"""Curves, images, heat maps and surfaces: what the Figure holds, and what is refused."""

import sys

import numpy as np
import pytest

import autograd
import viz
from autograd import Tensor

pytest.importorskip("matplotlib")


def test_curves_have_a_panel_a_quantity_and_a_line_a_series(tmp_path):
    figure = viz.curves({"loss": {"training": [3.0, 2.0, 1.0], "validation": Tensor([3.0, 2.5, 2.0])},
                         "rate": [0.1, 0.01]}, log=["rate"])
    loss, rate = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    np.testing.assert_array_equal(loss.lines[1].get_xydata(), [[1, 3.0], [2, 2.5], [3, 2.0]])
    assert rate.get_yscale() == "log" and rate.get_title() == "rate"
    figure.savefig(tmp_path / "curves.png")


@pytest.mark.parametrize("shape", [(7, 4, 5), (7, 1, 4, 5), (7, 3, 4, 5)])
def test_images_are_drawn_one_by_one_each_from_black_to_white(shape):
    batch = autograd.randn(*shape)
    figure = viz.images(batch, titles=[str(i) for i in range(7)])
    shown = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(shown) == 7 and all(np.min(s) == 0 and np.max(s) == 1 for s in shown)
    assert shown[0].shape[:2] == (4, 5)


@pytest.mark.parametrize(("shape", "count", "shown"), [
    ((4, 5), 1, (4, 5)), ((1, 4, 5), 1, (4, 5)), ((3, 4, 5), 1, (4, 5, 3)), ((2, 4, 5), 2, (4, 5)),
    ((3, 1, 4, 5), 3, (4, 5))])
def test_a_single_image_may_come_without_a_batch(shape, count, shown):
    drawn = [axes.images[0].get_array().shape for axes in viz.images(autograd.rand(*shape)).axes if axes.images]
    assert drawn == [shown] * count


def test_images_on_one_scale_keep_their_proportions():
    figure = viz.images(np.array([[[0.0, 1.0]], [[0.0, 4.0]]]), scale="all")
    assert [axes.images[0].get_array().max() for axes in figure.axes] == [0.25, 1.0]


def test_heatmaps_of_several_heads_share_their_colors():
    figure = viz.heatmap(autograd.randn(4, 3, 5), rows=list("abc"), columns=list("vwxyz"))
    limits = {axes.images[0].get_clim() for axes in figure.axes if axes.images}
    [(low, high)] = limits
    assert low == -high


def test_a_surface_with_a_path_shows_where_it_ends():
    path = np.array([[1.0, 1.0], [0.5, 0.2], [0.0, 0.0]])
    figure = viz.surface(lambda x, y: x * x + 3 * y * y, (-1, 1), (-1, 1), paths={"sgd": path})
    np.testing.assert_array_equal(figure.axes[0].lines[-1].get_xydata(), [[0.0, 0.0]])


@pytest.mark.parametrize(("call", "message"), [
    (lambda: viz.curves({}), "at least one panel"),
    (lambda: viz.images(np.zeros((2, 5, 4, 4))), r"\(2, 5, 4, 4\).*weight\[:, 0\]"),
    (lambda: viz.images(np.zeros((2, 4, 4)), titles=["a"]), "2 images need as many titles, not 1"),
    (lambda: viz.images(np.zeros((2, 4, 4)), scale="none"), "'each' or 'all'"),
    (lambda: viz.heatmap(np.zeros(3)), r"not shape \(3,\)")])
def test_what_does_not_fit_says_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "viz.figure", None)
    with pytest.raises(ImportError, match=r"gradcircuit\[plots\]"):
        viz.curves({"loss": [1.0]})
