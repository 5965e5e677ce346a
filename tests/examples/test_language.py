"""What language models are compared with, and on."""

import numpy as np
import pytest

from examples import data, language


def test_a_trigram_has_a_probability_for_everything_and_mixes_as_the_formula_says():
    trigram = language.Trigram(np.array([0, 1, 2, 0, 1, 0]), 4)
    np.testing.assert_allclose(trigram.probabilities.sum(-1), 1)
    assert trigram.probabilities.min() > 0
    alone = (np.array([3, 2, 1, 0]) + 3 * 0.25) / (6 + 3)  # N(c) and T of the six tokens
    after_b = (np.array([1, 0, 1, 0]) + 2 * alone) / (2 + 2)
    after_ab = (np.array([1, 0, 1, 0]) + 2 * after_b) / (2 + 2)
    np.testing.assert_allclose(trigram.probabilities[0, 1], after_ab)
    np.testing.assert_allclose(trigram.probabilities[3, 1], after_b)  # 3 1 was never seen
    assert trigram.bits(np.array([0, 1, 2])) == pytest.approx(-np.log2(after_ab[2]))


def test_no_paragraph_of_the_manual_is_both_read_and_held_out():
    text = data.manual()
    read, held_out = (set(part.split("\n\n")) for part in (text[:len(text) * 9 // 10], text[len(text) * 9 // 10:]))
    assert len(text) > 200_000
    assert not {paragraph for paragraph in read & held_out if len(paragraph) > 60}
