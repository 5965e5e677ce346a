"""Grids, drawings and flows are torchvision's, pixel for pixel."""

import io

import numpy as np
import pytest

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from nn.vision import utils
from tests.nn.vision.transforms.samples import PHOTO, same, torchvision

rng = np.random.default_rng(0)
FLOATING = (PHOTO / 255).astype(np.float32)
MASKS = rng.random((3, 48, 64)) < 0.3
BOXES = np.array([[5.0, 6, 30, 40], [10, 10, 11, 30], [20, 2, 60, 47]])
POINTS = rng.integers(0, 48, (2, 4, 2))


def compare(name, *args, few=0.0, **options):
    torch, vision = torchvision()
    there = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    here = [Tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    kept = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    options = {k: Tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    same(getattr(utils, name)(*here, **options), getattr(vision.utils, name)(*there, **kept), few)


@pytest.mark.parametrize("shape", [(5, 3, 6, 7), (9, 1, 4, 4), (1, 3, 4, 5), (1, 5, 6), (5, 6)])
def test_grids(shape):
    images = rng.standard_normal(shape).astype(np.float32)
    for options in ({}, {"nrow": 3, "padding": 1, "pad_value": 0.5}, {"normalize": True}, {"padding": 0},
                    {"normalize": True, "scale_each": True, "value_range": (-1, 1)}):
        compare("make_grid", images, **options)


def test_drawings():
    for image in (PHOTO, FLOATING):
        compare("draw_bounding_boxes", image, BOXES, labels=["a", None, "cat"], width=2)
        compare("draw_bounding_boxes", image, BOXES, colors=["red", (1, 2, 3), "#00ff00"], fill=True)
        compare("draw_segmentation_masks", image, MASKS, alpha=0.5)
        compare("draw_segmentation_masks", image, MASKS[0], colors="blue")
        compare("draw_keypoints", image, POINTS, connectivity=[(0, 1), (1, 3)], colors="yellow",
                visibility=rng.random((2, 4)) < 0.7)
    compare("draw_bounding_boxes", PHOTO[:1], BOXES)


def test_flows():
    for flow in (rng.standard_normal((2, 2, 20, 30)), rng.standard_normal((2, 9, 9)) * 100, np.zeros((2, 3, 3))):
        compare("flow_to_image", flow.astype(np.float32), few=0.01)


def test_a_flow_without_torchvision():
    """To the right it is red, and no motion is white."""
    right = np.zeros((2, 1, 2), np.float32)
    right[0, 0, 1] = 5
    assert utils.flow_to_image(right)[:, 0, 0].tolist() == [255, 255, 255]
    assert utils.flow_to_image(right)[:, 0, 1].tolist() in ([255, 0, 0], [254, 0, 0], [255, 0, 43])


def test_files():
    image = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    utils.save_image(autograd.tensor(FLOATING), file, "PNG")
    read = np.moveaxis(np.array(image.open(io.BytesIO(file.getvalue()))), 2, 0)
    assert (read == PHOTO).all()


def test_what_cannot_be_drawn_is_refused():
    x = Tensor(PHOTO)
    for call, error, message in [
            (lambda: utils.make_grid(autograd.zeros(3)), ShapeError, r"\(3,\)"),
            (lambda: utils.draw_bounding_boxes(x, Tensor(BOXES[:1, ::-1].copy())), ShapeError, "box_convert"),
            (lambda: utils.draw_bounding_boxes(x, Tensor(BOXES), ["a"]), ValueError, "3 boxes, not 1"),
            (lambda: utils.draw_bounding_boxes(x[None], Tensor(BOXES)), ShapeError, r"\(C, H, W\)"),
            (lambda: utils.draw_segmentation_masks(x, Tensor(MASKS * 1)), ShapeError, "booleans"),
            (lambda: utils.draw_segmentation_masks(x, Tensor(MASKS), colors=["red"]), ValueError, "3 objects"),
            (lambda: utils.draw_keypoints(x, Tensor(POINTS[0])), ShapeError, r"\(N, K, 2\)"),
            (lambda: utils.flow_to_image(autograd.zeros(3, 4, 4)), ShapeError, r"\(2, H, W\)")]:
        with pytest.raises(error, match=message):
            call()
