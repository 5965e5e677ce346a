"""Modules: which calls are framed, closed or folded."""

import pytest

import autograd
import nn
import viz
from tests.viz.pictures import Tower, assert_model_is_legible, boxes, labels, mlp


def test_a_module_and_its_input_are_called_and_every_call_is_framed():
    model, images, _ = mlp()
    drawing = viz.draw(model, images)
    assert_model_is_legible(drawing)
    assert [cluster.title for cluster in drawing.picture.clusters] == ["0 Linear", "1 ReLU", "2 Linear"]
    assert not any(inner._registered_hooks.get("forward") for _, inner in model.named_modules())


@pytest.mark.parametrize("how", ["output", "module"])
def test_repeated_blocks_are_folded(how):
    model, x = Tower(8, 12), autograd.randn(5, 8)
    drawing = viz.draw(model(x).sum(), depth=0) if how == "output" else viz.draw(model, x, depth=0)
    assert_model_is_legible(drawing)
    [blocks, head] = boxes(drawing, "module")
    assert blocks.label == "blocks.0 … blocks.11 × 12" and blocks.lines[0] == "Block"
    assert f"{12 * (8 * 16 + 16 + 16 * 8 + 8):,} parameters" in blocks.lines[1]
    assert head.label == "head"


def test_blocks_with_different_operations_between_them_are_not_folded():
    blocks = nn.ModuleList([nn.Linear(4, 4) for _ in range(10)])
    y = autograd.randn(2, 4)
    for i, block in enumerate(blocks):
        y = block(y).tanh() if i == 4 else block(y).relu()
    drawing = viz.draw(y.sum(), model=blocks, depth=0)
    assert labels(drawing, "module") == ["0 … 4 × 5", "5 … 9 × 5"]  # a relu is between each two
    assert "tanh" in labels(drawing, "operation")


def test_a_few_repeats_are_drawn_one_by_one():
    assert len(boxes(viz.draw(Tower(4, 4), autograd.randn(2, 4), depth=0), "module")) == 5


def test_opening_shows_the_first_of_the_repeats():
    drawing = viz.draw(Tower(8, 12), autograd.randn(5, 8), depth=1)
    assert_model_is_legible(drawing)
    assert labels(drawing, "module") == ["blocks.0.up", "blocks.0.down", "blocks.1 … blocks.11 × 11"]


def test_large_models_are_closed_until_they_can_be_read():
    drawing = viz.draw(Tower(4, 60), autograd.randn(5, 4))
    assert len(drawing.picture.boxes) <= 60
    assert len(str(drawing)) < 300_000
    assert_model_is_legible(drawing)
