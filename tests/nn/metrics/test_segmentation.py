"""Intersection over union and Dice of each image are torchmetrics'."""

import numpy as np
import pytest

from autograd.errors import ShapeError
from nn import metrics

rng = np.random.default_rng(0)
index = rng.integers(0, 3, (2, 4, 6, 5)) * np.array([0, 1, 1, 1])[:, None, None]  # one image has a single class
one_hot = rng.integers(0, 2, (2, 4, 3, 6, 5))
INPUTS = [(*index, {"input_format": "index", "num_classes": 5}), (*one_hot, {"num_classes": 3}),
          (rng.standard_normal((4, 3, 6, 5)), index[0], {"input_format": "mixed", "num_classes": 3}),
          (np.zeros((2, 3, 3), int), np.ones((2, 3, 3), int), {"input_format": "index", "num_classes": 4})]


@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("case", range(len(INPUTS)))
def test_each_image_is_torchmetrics(case, background):
    torch, theirs = pytest.importorskip("torch"), pytest.importorskip("torchmetrics.functional.segmentation")
    preds, target, options = INPUTS[case]
    options = options | {"include_background": background}
    for name, more in [("mean_iou", {}), ("mean_iou", {"per_class": True}), *[
            ("dice_score", {"average": average, "aggregation_level": level})
            for average in ("macro", "micro", "weighted", "none") for level in ("samplewise", "global")]]:
        expected = getattr(theirs, name)(torch.tensor(preds), torch.tensor(target), **options, **more)
        np.testing.assert_allclose(getattr(metrics, name)(preds, target, **options, **more).numpy(), expected.numpy(),
                                   rtol=1e-6, err_msg=f"{name} {more}")


def test_the_mean_over_images_is_torchmetrics():
    torch, theirs = pytest.importorskip("torch"), pytest.importorskip("torchmetrics.segmentation")
    for name, options in (("MeanIoU", {}), ("MeanIoU", {"per_class": True})):
        ours, reference = (getattr(module, name)(5, input_format="index", **options) for module in (metrics, theirs))
        for part in (slice(0, 3), slice(3, 4)):
            ours.update(index[0, part], index[1, part])
            reference.update(torch.tensor(index[0, part]), torch.tensor(index[1, part]))
        np.testing.assert_allclose(ours.compute().numpy(), reference.compute().numpy(), rtol=1e-6)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="label 2, but the 2 classes"):
        metrics.mean_iou(*index, num_classes=2, input_format="index")
    with pytest.raises(ValueError, match="input_format='index'"):
        metrics.mean_iou(*index)
    with pytest.raises(ShapeError, match="same N images"):
        metrics.mean_iou(one_hot[0], one_hot[1, :, :2])
