"""Curves, images, heat maps and surfaces: what the Figure holds, and what is refused."""

import re
import sys

import numpy as np
import pytest

import autograd
import viz
from autograd import Tensor
from tests.viz.test_live import Terminal
from viz import live

pytest.importorskip("matplotlib")


def test_curves_have_a_panel_a_quantity_and_a_line_a_series(tmp_path):
    figure = viz.curves({"loss": {"training": [3.0, 2.0, 1.0], "validation": Tensor([3.0, 2.5, 2.0])},
                         "rate": [0.1, 0.01]}, log=["rate"])
    loss, rate = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    np.testing.assert_array_equal(loss.lines[1].get_xydata(), [[1, 3.0], [2, 2.5], [3, 2.0]])
    assert rate.get_yscale() == "log" and rate.get_title() == "rate"
    figure.savefig(tmp_path / "curves.png")


def test_positions_may_be_given_and_runs_are_a_mean_and_a_band():
    runs = np.array([[4.0, 2.0, 1.0], [2.0, 2.0, 3.0]])
    figure = viz.curves({"loss": {"two runs": ([0, 10, 20], runs), "one": (Tensor([5.0, 6.0]), Tensor([1.0, 2.0]))}},
                        x="step", log=["step"])
    [axes] = figure.axes
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[0, 3.0], [10, 2.0], [20, 2.0]])
    np.testing.assert_array_equal(axes.lines[1].get_xydata(), [[5, 1.0], [6, 2.0]])
    [band] = axes.collections
    corners = band.get_paths()[0].vertices
    assert {(0, 2), (0, 4), (20, 1), (20, 3)} <= {tuple(map(int, corner)) for corner in corners}
    assert axes.get_xscale() == "log" and axes.get_yscale() == "linear"


def test_smoothing_is_the_debiased_average_of_adam():
    """As optim.Adam's first moment is: m ← βm + (1 − β)g, divided by 1 − βᵗ."""
    y, beta, m = np.random.default_rng(0).normal(size=20), 0.8, 0.0
    expected = []
    for t, g in enumerate(y, start=1):
        m = beta * m + (1 - beta) * g
        expected.append(m / (1 - beta ** t))
    faint, line = viz.curves({"loss": y}, smooth=beta).axes[0].lines
    np.testing.assert_allclose(line.get_ydata(), expected)
    np.testing.assert_array_equal(faint.get_ydata(), y)


def test_live_curves_are_shown_in_one_place(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(live, "_last", (None, None))
    monkeypatch.setattr(live, "INTERVAL", 0.0)
    monkeypatch.setattr(live, "SHARE", 1e9)
    for losses in ([3.0, 2.0], [3.0, 2.0, 1.0]):
        viz.curves({"loss": losses, "accuracy": {"training": losses}}, live=True)
    first, second = terminal.getvalue().split("\x1b[2F\x1b[J")
    assert re.fullmatch(r"loss +█▁ 2\naccuracy training +█▁ 2\n", first) and re.match(r"loss +█▅▁ 1", second)


@pytest.mark.parametrize(("matrix", "numbers", "texts"), [
    ([[1, 2], [3, 40]], True, ["1", "2", "3", "40"]), ([[0.5, 1.0]], True, ["0.50", "1.00"]),
    ([[0.5, 1.0]], ".0%", ["50%", "100%"]), ([[True, False]], True, ["True", "False"]), ([[0.5, 1.0]], False, [])])
def test_a_heatmap_may_have_its_numbers_written_into_it(matrix, numbers, texts):
    assert [text.get_text() for text in viz.heatmap(matrix, numbers=numbers).axes[0].texts] == texts


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_surface_marks_its_minimum():
    for x, y in ((0.3, -0.2), (-0.7, 0.5)):
        figure = viz.surface(lambda a, b, x=x, y=y: (a - x) ** 2 + 3 * (b - y) ** 2, (-1, 1), (-1, 1))
        [[found_x, found_y]] = figure.axes[0].lines[0].get_xydata()
        assert abs(found_x - x) < 0.01 and abs(found_y - y) < 0.01
    viz.surface(lambda a, b: a * 0 + (0.5 - b).sqrt() * 0, (-1, 1), (-1, 1))  # flat, and in part not there


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


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("call", "message"), [
    (lambda: viz.curves({}), "at least one panel"),
    (lambda: viz.curves({"loss": ([1, 2], [1.0, 2.0, 3.0])}), "'loss' has 3 numbers at 2 positions"),
    (lambda: viz.curves({"loss": [1.0]}, smooth=1.0), r"smooth=1.0, but it must be in \[0, 1\)"),
    (lambda: viz.curves([1.0]), r"takes a dict such as .* not \[1.0\]"),
    (lambda: viz.curves({"loss": [1.0]}, log=["rate"]), "'rate' is none of 'loss', 'epoch'"),
    (lambda: viz.surface(lambda a, b: a / 0 * 0, (0, 1), (0, 1)), "finite nowhere"),
    (lambda: viz.images(np.zeros((2, 5, 4, 4))), r"\(2, 5, 4, 4\).*weight\[:, 0\]"),
    (lambda: viz.images(np.zeros((2, 4, 4)), titles=["a"]), "2 images need as many titles, not 1"),
    (lambda: viz.images(np.zeros((2, 4, 4)), scale="none"), "'each' or 'all'"),
    (lambda: viz.heatmap(np.zeros((2, 3)), columns=["a", "b"]), "3 columns need as many names, not 2"),
    (lambda: viz.heatmap(np.zeros(3)), r"not shape \(3,\)")])
def test_what_does_not_fit_says_why(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "viz.figures.figure", None)
    with pytest.raises(ImportError, match=r"gradcircuit\[plots\]"):
        viz.curves({"loss": [1.0]})
