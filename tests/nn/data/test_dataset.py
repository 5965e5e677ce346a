"""Data sets: examples by their numbers, and parts of them."""

import numpy as np
import pytest

from autograd import Generator
from nn.data import ConcatDataset, Dataset, TensorDataset, random_split


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


@pytest.mark.parametrize(("call", "part"), [
    (lambda: TensorDataset(np.zeros(3), np.zeros(4)), "(4,)"),
    (lambda: random_split(Squares(5), [2, 2]), "5 examples"),
    (lambda: ConcatDataset([Squares(2)])[5], "there are 2"),
])
def test_mistakes_are_refused(call, part):
    with pytest.raises(Exception) as info:
        call()
    assert part in str(info.value)
