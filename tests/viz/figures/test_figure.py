"""Plots in a notebook."""

import pickle

import pytest

import viz

pytest.importorskip("matplotlib")


def test_a_notebook_shows_a_plot_that_ends_a_cell():
    figure = viz.curves({"loss": [2.3, 0.9]})
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert [axes.get_title() for axes in pickle.loads(pickle.dumps(figure)).axes] == ["loss"]
