"""Tensors that say what they are keep saying it: copied, pickled, and to other processes."""

import copy
import pickle

import numpy as np
import pytest

from autograd import Tensor
from autograd.errors import ShapeError
from nn.data import DataLoader
from nn.vision.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, wrap

BOXES = BoundingBoxes([[1, 2, 3, 4]], format="xywh", canvas_size=(10, 20))


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy, lambda boxes: pickle.loads(pickle.dumps(boxes)),
                                  lambda boxes: wrap(Tensor(boxes.array), like=boxes)])
def test_they_are_copied_with_what_is_known(made):
    boxes = made(BOXES)
    assert type(boxes) is BoundingBoxes and boxes.tolist() == [[1, 2, 3, 4]]
    assert boxes.format.value == "XYWH" and boxes.canvas_size == (10, 20)


def test_workers_hand_them_over():
    samples = [(Image(np.zeros((1, 2, 2))), BOXES)] * 4
    for (image, boxes), *_ in DataLoader(samples, batch_size=2, num_workers=1, collate_fn=list):
        assert type(image) is Image and type(boxes) is BoundingBoxes and boxes.canvas_size == (10, 20)


def test_what_is_computed_of_them_is_a_tensor_and_memory_is_shared():
    assert type(BOXES * 2) is type(BOXES[0]) is Tensor
    array = np.zeros((3, 4, 4))
    image = Image(array)
    array[:] = 1
    assert image.sum().item() == 48


def test_shapes_are_checked():
    assert Image(np.zeros((2, 3))).shape == (1, 2, 3)
    assert BoundingBoxes([1, 2, 3, 4], format="XYXY", canvas_size=(5, 5)).shape == (1, 4)
    assert Mask(np.zeros((2, 3), bool)).dtype == bool
    with pytest.raises(ShapeError, match=r"\(N, 4\), not \(2, 3\)"):
        BoundingBoxes(np.zeros((2, 3)), format="XYXY", canvas_size=(5, 5))
    with pytest.raises(ValueError, match="XYXY, XYWH, CXCYWH, not 'XYAB'"):
        BoundingBoxes(np.zeros((2, 4)), format="XYAB", canvas_size=(5, 5))
    with pytest.raises(ShapeError, match=r"\(\*, 2\)"):
        KeyPoints(np.zeros((2, 3)), canvas_size=(5, 5))
