"""Non-maximum suppression, beside its definition one box after the other."""

import tracemalloc

import numpy as np
import pytest

import autograd
from autograd import tensor
from nn.vision.ops import batched_nms, nms


def by_definition(boxes, scores, threshold):
    order, kept = sorted(range(len(boxes)), key=lambda i: -scores[i] if scores[i] == scores[i] else -np.inf), []
    for i in order:
        for j in kept:
            width = min(boxes[i][2], boxes[j][2]) - max(boxes[i][0], boxes[j][0])
            height = min(boxes[i][3], boxes[j][3]) - max(boxes[i][1], boxes[j][1])
            common = max(width, 0) * max(height, 0)
            areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (boxes[i], boxes[j])]
            union = areas[1] + areas[0] - common
            if union and common / union > threshold:
                break
        else:
            kept.append(i)
    return kept


def drawn(seed, count=200, side=6):
    """Boxes on a grid, so that many are equal, many overlaps are the threshold, and some have no area."""
    random = np.random.default_rng(seed)
    corners = random.integers(0, 12, (count, 2))
    boxes = np.concatenate([corners, corners + random.integers(0, side, (count, 2))], 1).astype(float)
    boxes[random.random(count) < 0.03] = np.nan
    scores = random.integers(0, 20, count) / 20
    scores[random.random(count) < 0.03] = np.nan
    return boxes, scores


@pytest.mark.parametrize("threshold", [0.0, 0.5, 1 / 3, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept(seed, threshold):
    boxes, scores = drawn(seed)
    kept = nms(tensor(boxes), tensor(scores), threshold)
    assert kept.dtype == autograd.int64
    assert kept.tolist() == by_definition(boxes.tolist(), scores.tolist(), threshold)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("side", [2, 6])
def test_it_is_torchvisions(side, dtype):
    torch, theirs = pytest.importorskip("torch"), pytest.importorskip("torchvision.ops")
    for seed in range(10):
        boxes, scores = [array.astype(dtype) for array in drawn(seed, 300, side)]
        categories = np.random.default_rng(seed).integers(0, 4, 300)
        for threshold in (0.1, 0.5):
            assert nms(tensor(boxes), tensor(scores), threshold).tolist() == theirs.nms(
                torch.tensor(boxes), torch.tensor(scores), threshold).tolist()
        there = ~np.isnan(boxes).any(1)  # theirs moves boxes by the largest coordinate
        boxes, scores, categories = boxes[there], scores[there], categories[there]
        assert batched_nms(tensor(boxes), tensor(scores), tensor(categories), 0.45).tolist() == theirs.batched_nms(
            torch.tensor(boxes), torch.tensor(scores), torch.tensor(categories), 0.45).tolist()


def test_categories_do_not_rule_each_other_out():
    boxes, scores = drawn(0)
    categories = np.random.default_rng(0).integers(0, 3, len(boxes))
    kept = batched_nms(tensor(boxes), tensor(scores), tensor(categories), 0.3).numpy()
    for category in range(3):
        members = np.nonzero(categories == category)[0]
        alone = members[by_definition(boxes[members].tolist(), scores[members].tolist(), 0.3)]
        assert [k for k in kept if categories[k] == category] == alone.tolist()
    order = scores[kept]
    assert not (order[1:] > order[:-1]).any()


def test_of_nothing_nothing_is_kept():
    none = autograd.zeros(0, 4), autograd.zeros(0)
    assert nms(*none, 0.5).shape == (0,)
    assert batched_nms(*none, autograd.zeros(0).long(), 0.5).shape == (0,)


def test_pairs_are_not_held_all_at_once():
    random = np.random.default_rng(0)
    corners = random.random((10_000, 2)).astype(np.float32) * 1000
    boxes, scores = tensor(np.concatenate([corners, corners + 5], 1)), tensor(random.random(10_000))
    tracemalloc.start()
    nms(boxes, scores, 0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6  # a bit for each pair would be 12 MB, a number 400


@pytest.mark.parametrize(("boxes", "scores", "idxs"), [((3, 5), (3,), (3,)), ((3, 4), (2,), (2,)), ((3, 4), (3,), (4,)),
                                                       ((4,), (), ()), ((2, 3, 4), (2, 3), (2, 3))])
def test_shapes_that_do_not_fit(boxes, scores, idxs):
    with pytest.raises(ValueError, match="shape"):
        batched_nms(autograd.zeros(boxes), autograd.zeros(scores), autograd.zeros(idxs), 0.5)
