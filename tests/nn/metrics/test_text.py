"""Measures of texts are torchmetrics'."""

import numpy as np
import pytest

from nn import metrics

rng = np.random.default_rng(0)
TEXTS = ["the cat is on the mat", "there is a cat on the mat", "a cat sat", "", "on the mat the cat is there"]


def reference():
    return pytest.importorskip("torch"), pytest.importorskip("torchmetrics.functional.text")


def test_edit_distances_are_torchmetrics():
    _, theirs = reference()
    texts = ["".join(rng.choice(list("abc"), n)) for n in (0, 1, 5, 9, 9)]
    for preds in (texts, texts[::-1]):
        for cost in (1, 2):
            np.testing.assert_array_equal(metrics.edit_distance(preds, texts, cost, "none").numpy(),
                                          theirs.edit_distance(preds, texts, cost, "none").numpy())


def test_sequences_are_of_anything():
    assert float(metrics.edit_distance([[1, 2, 3]], [np.array([1, 3])])) == 1
    assert float(metrics.edit_distance("rain", "shine")) == 3
    assert metrics.edit_distance([], [], reduction="sum").item() == 0
    with pytest.raises(TypeError, match=r"\[preds\]"):
        metrics.edit_distance([1, 2], [1, 3])
    with pytest.raises(ValueError, match="1 and 2"):
        metrics.edit_distance(["a"], ["a", "b"])


@pytest.mark.parametrize("smooth", [True, False])
def test_bleu_is_torchmetrics(smooth):
    _, theirs = reference()
    targets = [TEXTS[1:3], TEXTS[:1], TEXTS[2:], TEXTS[:2], TEXTS[:1]]
    for n in range(1, 5):
        for count in range(1, 6):
            np.testing.assert_allclose(
                float(metrics.bleu_score(TEXTS[:count], targets[:count], n, smooth)),
                theirs.bleu_score(TEXTS[:count], targets[:count], n, smooth).item(), rtol=1e-6)
    assert float(metrics.bleu_score(["dog"], [["cat"]])) == 0
    assert float(metrics.bleu_score([""], [["cat"]])) == 0


def test_perplexity_is_torchmetrics():
    torch, theirs = reference()
    logits, tokens = rng.standard_normal((3, 7, 5)), rng.integers(0, 5, (3, 7))
    tokens[1, 4:] = -1
    np.testing.assert_allclose(float(metrics.perplexity(logits, tokens, ignore_index=-1)),
                               theirs.perplexity(torch.tensor(logits), torch.tensor(tokens), -1).item(), rtol=1e-6)
    assert np.isnan(float(metrics.perplexity(logits[:0], tokens[:0])))
