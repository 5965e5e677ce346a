"""A box is read in the map that fits its size."""

import numpy as np
import pytest

import autograd
from autograd import tensor
from nn.vision.ops import MultiScaleRoIAlign, roi_align

MAPS = {str(i): np.random.default_rng(i).normal(size=(2, 3, 64 >> i, 64 >> i)) for i in range(4)}
SIDES = [3.0, 20.0, 111.9, 112.0, 113.0, 223.0, 224.0, 230.0]
BOXES = [np.array([[2.0, 3.0, 2 + side, 3 + side] for side in SIDES]), np.array([[5.0, 7, 200, 30], [1, 1, 1, 1]])]


def test_each_box_is_read_where_it_fits():
    pooler = MultiScaleRoIAlign(["0", "1", "2"], (2, 3), 2)
    result = pooler({name: tensor(x) for name, x in MAPS.items()}, [tensor(b) for b in BOXES], [(256, 250), (200, 256)])
    level = [0, 0, 0, 1, 1, 1, 2, 2, 0, 0]  # 224 pixels belong where a pixel is 16 wide, 112 where it is 8
    rois = np.concatenate([np.concatenate([np.full((len(b), 1), i), b], 1) for i, b in enumerate(BOXES)])
    for k, of in enumerate(level):
        expected = roi_align(tensor(MAPS[str(of)]), tensor(rois[k:k + 1]), (2, 3), 1 / (4 << of), 2)
        np.testing.assert_allclose(result[k].numpy(), expected[0].numpy())


def test_it_is_torchvisions():
    torch, theirs = pytest.importorskip("torch"), pytest.importorskip("torchvision.ops")
    random = np.random.default_rng(0)
    corners = random.uniform(0, 200, (40, 2))
    boxes = [np.concatenate([corners, corners + np.exp(random.uniform(0, 6, (40, 2)))], 1), np.zeros((0, 4))]
    for names in (["0", "1", "2", "3"], ["1", "3"], ["2"]):
        results = []
        for library, module in ((autograd, MultiScaleRoIAlign), (torch, theirs.MultiScaleRoIAlign)):
            maps = {name: library.tensor(x, requires_grad=True) for name, x in MAPS.items()}
            pooled = module(names, 3, -1)(maps, [library.tensor(b) for b in boxes], [(256, 256), (250, 240)])
            (pooled ** 2).sum().backward()
            results.append([pooled.detach().numpy(), *(maps[name].grad.numpy() for name in names)])
        for ours, their in zip(*results, strict=True):
            np.testing.assert_allclose(ours, their, atol=1e-9)


def test_of_no_boxes_nothing():
    pooler = MultiScaleRoIAlign(["0", "1"], 2, 2)
    maps = {name: tensor(x) for name, x in MAPS.items()}
    assert pooler(maps, [autograd.zeros(0, 4)] * 2, [(256, 256)] * 2).shape == (0, 3, 2, 2)
    with pytest.raises(ValueError, match="none of the maps '0', '1', '2', '3' is among those to be read, 'a'"):
        MultiScaleRoIAlign(["a"], 2, 2)(maps, [autograd.zeros(0, 4)], [(256, 256)])
