"""Measures of classification are torchmetrics' and scikit-learn's, with classes absent, ties and what is ignored."""

import warnings

import numpy as np
import pytest

from autograd.errors import ShapeError
from nn import metrics

rng = np.random.default_rng(0)
COUNTED = ("accuracy", "precision", "recall", "f1_score", "jaccard_index")
AVERAGES = ("micro", "macro", "weighted", "none")
multiclass = [(rng.integers(0, 4, 30), rng.integers(1, 4, 30)), (rng.random((30, 6)).round(1), rng.integers(0, 5, 30)),
              (rng.standard_normal((5, 4, 3, 2)), rng.integers(0, 3, (5, 3, 2))), (np.ones(3, int), np.ones(3, int))]
binary = [(rng.random(20), rng.integers(0, 2, 20)), (rng.standard_normal(20), rng.integers(0, 2, 20)),
          (rng.integers(0, 2, (4, 5)), rng.integers(0, 2, (4, 5))), (np.array([0.2, 0.7]), np.zeros(2, int))]
multilabel = [(rng.random((20, 3)), rng.integers(0, 2, (20, 3))), (rng.integers(0, 2, (4, 3, 5)),
                                                                  rng.integers(0, 2, (4, 3, 5)))]
CASES = [("multiclass", *case) for case in multiclass] + [("binary", *case) for case in binary] + [
    ("multilabel", *case) for case in multilabel]


def theirs(name, task, preds, target, **options):
    torch, functional = pytest.importorskip("torch"), pytest.importorskip("torchmetrics.functional")
    if task == "multiclass":
        options["num_classes"] = preds.shape[1] if preds.dtype.kind == "f" else int(max(preds.max(), target.max())) + 1
    elif task == "multilabel":
        options["num_labels"] = preds.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = getattr(functional, name)(torch.tensor(preds), torch.tensor(target), task=task, **options)
    return value.numpy()


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("average", AVERAGES)
def test_counted_measures_are_torchmetrics(name, average):
    for task, preds, target in CASES:
        for ignored in (None, 1, -1):
            held = target.copy()
            if ignored == -1:
                held.reshape(-1)[::3] = -1
            ours = getattr(metrics, name)(preds, held, task, average=average, ignore_index=ignored)
            expected = theirs(name, task, preds, held, average=average, ignore_index=ignored)
            np.testing.assert_allclose(ours.numpy(), np.nan_to_num(expected), rtol=1e-6, err_msg=f"{task} {ignored}")


@pytest.mark.parametrize("average", AVERAGES)
def test_the_best_k_are_torchmetrics(average):
    preds, target = rng.permuted(np.tile(np.arange(6.0), (40, 1)), axis=1) / 6, rng.integers(0, 5, 40)
    for name in COUNTED[:4]:
        for k in (2, 3, 6):
            np.testing.assert_allclose(getattr(metrics, name)(preds, target, top_k=k, average=average).numpy(),
                                       theirs(name, "multiclass", preds, target, top_k=k, average=average), rtol=1e-6)


def test_of_equal_scores_the_first_k_count():
    tied = np.ones((4, 4))
    assert [float(metrics.accuracy(tied, np.arange(4), top_k=k)) for k in range(1, 5)] == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("normalize", [None, "true", "pred", "all"])
def test_confusion_matrices_are_torchmetrics(normalize):
    for task, preds, target in CASES:
        ours = metrics.confusion_matrix(preds, target, task, normalize=normalize)
        np.testing.assert_allclose(ours.numpy(), theirs("confusion_matrix", task, preds, target, normalize=normalize),
                                   rtol=1e-6)


@pytest.mark.parametrize("average", ["macro", "weighted", "none"])
def test_average_precision_is_torchmetrics(average):
    for task, preds, target in CASES:
        if preds.dtype.kind == "f":
            options = {} if task == "binary" else {"average": average}
            np.testing.assert_allclose(metrics.average_precision(preds, target, task, **options).numpy(),
                                       theirs("average_precision", task, preds, target, **options), rtol=1e-6)


def test_measures_are_scikit_learns():
    reference = pytest.importorskip("sklearn.metrics")
    preds, target = multiclass[0]
    for name in ("precision", "recall", "f1"):
        for average in ("micro", "macro", "weighted"):
            ours = getattr(metrics, name if name != "f1" else "f1_score")(preds, target, average=average)
            theirs = getattr(reference, f"{name}_score")(target, preds, average=average, zero_division=0)
            np.testing.assert_allclose(float(ours), theirs, rtol=1e-6)
    assert (metrics.confusion_matrix(preds, target).numpy() == reference.confusion_matrix(target, preds)).all()
    tied, true = rng.integers(0, 4, 50) / 4, rng.integers(0, 2, 50)
    np.testing.assert_allclose(float(metrics.average_precision(tied, true, "binary")),
                               reference.average_precision_score(true, tied), rtol=1e-6)


def test_what_cannot_be_counted_is_refused():
    two = np.array([0, 1])
    for preds, target, options, error, message in [
            (two, np.array([0, 5]), {"num_classes": 3}, ValueError, "target holds the label 5, but the 3 classes"),
            (np.array([0, -1]), two, {}, ValueError, "preds holds the label -1"),
            (np.array([[0.5, np.nan], [0.1, 0.2]]), two, {}, ValueError, "NaN, 1 of 4"),
            (np.array([0.5, 0.1]), two, {}, ShapeError, "task='binary'"),
            (two, np.array([0.0, 1.0]), {}, TypeError, r"target.long\(\)"),
            (two, np.array([0, 1, 1]), {}, ShapeError, "one shape"),
            (two, two, {"top_k": 2}, ValueError, "needs scores"),
            (np.ones((2, 3)), two, {"top_k": 4}, ValueError, "of 3 classes"),
            (np.array([0.5, 0.1]), np.array([0, 2]), {"task": "binary"}, ValueError, "label 2"),
            (two, two, {"average": "mean"}, ValueError, "'macro'"),
            (two, two, {"task": "regression"}, ValueError, "'multilabel'")]:
        with pytest.raises(error, match=message):
            metrics.accuracy(preds, target, **options)
    with pytest.raises(ValueError, match="give num_classes"):
        metrics.Accuracy().update(two, two)
