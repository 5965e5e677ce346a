"""Folds are scikit-learn's, and each example validates once."""

import numpy as np
import pytest

import autograd
from nn.data import KFold, TensorDataset, cross_validate


@pytest.mark.parametrize("count", [5, 17, 23])
def test_folds_are_scikit_learns(count):
    reference = pytest.importorskip("sklearn.model_selection").KFold(5)
    for ours, theirs in zip(KFold(5).split(range(count)), reference.split(np.zeros(count)), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert (a.numpy() == b).all()


def test_shuffled_folds_hold_each_example_once_and_are_repeated():
    def folds():
        generator = autograd.Generator().manual_seed(0)
        return [part for _, part in KFold(4, shuffle=True, generator=generator).split(range(10))]
    assert sorted(autograd.cat(folds()).tolist()) == list(range(10))
    once, again = ([fold.tolist() for fold in folds()] for _ in range(2))
    assert once == again != [fold.tolist() for _, fold in KFold(4).split(range(10))]


def test_a_function_is_given_its_parts():
    x, y = np.arange(6.0), np.arange(6.0) * 2
    scores = cross_validate(lambda train, validation: train[0].sum() + 2 * validation[1].max(), x, y, cv=3)
    assert scores.tolist() == [18, 22, 26]
    assert cross_validate(lambda train, validation: len(train), autograd.tensor(x), cv=KFold(2)).tolist() == [3, 3]
    dataset = TensorDataset(autograd.tensor(x))
    assert cross_validate(lambda train, validation: validation[0][0], dataset, cv=3).tolist() == [0, 2, 4]


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        KFold(1)
    with pytest.raises(ValueError, match="3 examples can't be split into 5"):
        list(KFold(5).split(range(3)))
    with pytest.raises(ValueError, match=r"one length, not \[3, 4\]"):
        cross_validate(lambda a, b: 0, np.zeros(3), np.zeros(4))
