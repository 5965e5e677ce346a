"""Data sets: examples by their numbers, and parts of them."""

import numpy as np
import pytest

from autograd import Generator
from nn.data import ChainDataset, ConcatDataset, Dataset, IterableDataset, StackDataset, TensorDataset, random_split


class Squares(Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return np.float32(i), i * i


@pytest.mark.parametrize(("lengths", "counts"), [([7, 4], [7, 4]), ([0.5, 0.5], [6, 5]), ([0.8, 0.1, 0.1], [9, 1, 1]),
                                                ([1 / 3] * 3, [4, 4, 3])])
def test_random_split_parts_everything(lengths, counts):
    parts = random_split(Squares(11), lengths, Generator().manual_seed(0))
    assert [len(part) for part in parts] == counts
    assert sorted(x for part in parts for x, _ in (part[i] for i in range(len(part)))) == list(range(11))


def test_data_sets_side_by_side_and_in_a_row():
    pair = StackDataset(range(3), "abc")
    assert (pair[1], len(pair)) == ((1, "b"), 3)
    named = StackDataset(number=range(3), letter="abc")
    assert (named[2], len(named)) == ({"number": 2, "letter": "c"}, 3)
    assert list(ChainDataset([[1, 2], (3,)])) == [1, 2, 3]
    assert len(ChainDataset([[1, 2], (3,)])) == 3


@pytest.mark.parametrize(("call", "part"), [
    (lambda: TensorDataset(np.zeros(3), np.zeros(4)), "(4,)"),
    (lambda: random_split(Squares(5), [2, 2]), "5 examples"),
    (lambda: ConcatDataset([Squares(2)])[5], "there are 2"),
    (lambda: StackDataset(Squares(2), Squares(3)), "one length, not [2, 3]"),
    (lambda: StackDataset(), "by position or all by name"),
    (lambda: StackDataset(Squares(2), x=Squares(2)), "by position or all by name"),
    (lambda: iter(IterableDataset()), "needs a method __iter__"),
])
def test_mistakes_are_refused(call, part):
    with pytest.raises(Exception) as info:
        call()
    assert part in str(info.value)
