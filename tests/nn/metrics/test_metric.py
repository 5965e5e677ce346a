"""All measures: batches gathered are all examples at once, and a function is its object called once."""

import numpy as np
import pytest

import autograd
from nn import metrics

rng = np.random.default_rng(0)
scores, labels = rng.random((12, 3)), rng.integers(0, 3, 12)
masks = rng.integers(0, 3, (2, 12, 6, 6))
images = rng.random((2, 12, 3, 14, 14))
found = [{"boxes": box, "scores": rng.random(5), "labels": rng.integers(0, 2, 5)}
         for box in np.cumsum(rng.random((12, 5, 2, 2)) * 50, 2).reshape(12, 5, 4)]
there = [{"boxes": image["boxes"] - rng.random((5, 4)) * [9, 9, 0, 0], "labels": image["labels"]} for image in found]
words = [" ".join(rng.choice(["a", "cat", "on", "the", "mat"], 9)) for _ in range(24)]

CASES = {
    "accuracy": (metrics.Accuracy(), scores, labels),
    "precision": (metrics.Precision(average="macro"), scores, labels),
    "recall": (metrics.Recall(average="macro"), scores, labels),
    "f1_score": (metrics.F1Score(average="weighted"), scores, labels),
    "jaccard_index": (metrics.JaccardIndex(), scores, labels),
    "confusion_matrix": (metrics.ConfusionMatrix(normalize="true"), scores, labels),
    "average_precision": (metrics.AveragePrecision(), scores, labels),
    "mean_iou": (metrics.MeanIoU(3, per_class=True, input_format="index"), *masks),
    "dice_score": (metrics.DiceScore(3, input_format="index"), *masks),
    "mean_average_precision": (metrics.MeanAveragePrecision(), found, there),
    "bleu_score": (metrics.BLEUScore(n_gram=2), words[:12], [[text] for text in words[12:]]),
    "edit_distance": (metrics.EditDistance(), words[:12], words[12:]),
    "perplexity": (metrics.Perplexity(), scores[:, None], labels[:, None]),
    "peak_signal_noise_ratio": (metrics.PeakSignalNoiseRatio(1.0), *images),
    "structural_similarity_index_measure": (metrics.StructuralSimilarityIndexMeasure(data_range=1.0), *images)}


def close(a, b):
    for x, y in zip(*[m.values() if isinstance(m, dict) else [m] for m in (a, b)], strict=True):
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_batches_add_up(name):
    metric, preds, target = CASES[name]
    whole = metric.reset()(preds, target)
    metric.reset()
    for part in (slice(0, 5), slice(5, 6), slice(6, 12)):
        metric.update(preds[part], target[part])
    close(metric.compute(), whole)
    close(metric(preds, target), whole)  # calling tells of this batch alone
    metric.reset()
    with pytest.raises(RuntimeError, match="call update"):
        metric.compute()


def test_a_batch_of_nothing_changes_nothing():
    for metric, preds, target in CASES.values():
        metric.reset().update(preds, target)
        before = metric.compute()
        metric.update(preds[:0], target[:0])
        close(metric.compute(), before)


def test_each_is_a_function_too():
    assert set(CASES) <= set(metrics.__all__)
    assert {name for name in metrics.__all__ if name.islower()} - set(CASES) == {
        "chamfer_distance", "coverage", "f1_at_distance", "frechet_distance"}


def test_what_was_gathered_keeps_no_graph():
    metric = metrics.PeakSignalNoiseRatio(1.0)
    metric.update(autograd.rand(4, requires_grad=True), autograd.rand(4))
    assert not metric.compute().requires_grad


def test_measures_are_of_the_default_dtype_and_computed_in_double_precision():
    many = np.tile([0, 1, 1], 10 ** 5)
    assert metrics.accuracy(many, np.ones_like(many)).dtype == autograd.float32
    assert float(metrics.accuracy(many, np.ones_like(many))) == np.float32(2 / 3)
