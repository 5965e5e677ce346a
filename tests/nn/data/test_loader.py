"""Loaders: every example once, in the order that was asked for."""

import itertools
import random
from typing import NamedTuple

import numpy as np
import pytest

import autograd
import nn
from autograd import Generator
from nn.data import DataLoader, Subset, TensorDataset, default_collate
from tests.nn.data.test_dataset import Squares


@pytest.mark.parametrize("dataset", [
    Squares(10), TensorDataset(np.arange(10, dtype=np.float32), np.arange(10) ** 2),
    Squares(4) + Subset(Squares(10), range(4, 10))],
    ids=["by number", "tensors", "joined"])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
def test_each_pass_has_every_example_once(dataset, shuffle, drop_last):
    loader = DataLoader(dataset, batch_size=4, shuffle=shuffle, drop_last=drop_last)
    for _ in range(2):
        batches = [(x.tolist(), y.tolist()) for x, y in loader]
        assert [len(x) for x, _ in batches] == ([4, 4] if drop_last else [4, 4, 2])
        assert len(batches) == len(loader)
        pairs = [pair for x, y in batches for pair in zip(x, y, strict=True)]
        assert all(y == x * x for x, y in pairs)
        assert len({x for x, _ in pairs}) == len(pairs)


def test_samplers_say_what_is_taken():
    def taken(**options):
        return [x.tolist() for x, _ in DataLoader(Squares(10), **options)]
    assert taken(batch_size=2, sampler=(i for i in (5, 1, 9))) == [[5, 1], [9]]
    assert taken(batch_size=2, sampler=[5, 1, 9], drop_last=True) == [[5, 1]]
    assert taken(batch_sampler=[[3], [4, 4, 0]]) == [[3], [4, 4, 0]]
    assert next(iter(DataLoader(Squares(10), 2, sampler=itertools.count())))[0].tolist() == [0, 1]


def test_a_data_set_that_changes_its_rows_is_asked_for_each():
    class Doubled(TensorDataset):
        def __getitem__(self, index):
            assert isinstance(index, int)
            return 2 * super().__getitem__(index)[0]
    assert next(iter(DataLoader(Subset(Doubled(np.arange(5)), [1, 3]), 2))).tolist() == [2, 6]


def test_shuffling_is_repeated_by_the_seed_and_differs_between_passes():
    def passes():
        loader = DataLoader(TensorDataset(np.arange(50)), 50, shuffle=True, generator=Generator().manual_seed(1))
        return [next(iter(loader))[0].tolist() for _ in range(2)]
    assert passes() == passes()
    assert passes()[0] != passes()[1]


def test_collate_goes_into_nested_examples():
    class Point(NamedTuple):
        x: float
        y: np.ndarray
    batch = default_collate([{"p": Point(float(i), np.ones(2)), "t": autograd.ones(3), "s": "ab"} for i in range(2)])
    assert batch["p"].x.tolist() == [0.0, 1.0]
    assert batch["p"].y.shape == (2, 2)
    assert batch["t"].shape == (2, 3)
    assert batch["s"] == ["ab", "ab"]


@pytest.mark.parametrize(("call", "part"), [
    (lambda: DataLoader(Squares(5), 0), "not 0"),
    (lambda: DataLoader(Squares(5), shuffle=True, sampler=[1]), "not both"),
    (lambda: DataLoader(Squares(5), batch_size=2, batch_sampler=[[1]]), "leave out batch_size"),
    (lambda: DataLoader(Squares(5), num_workers=-1), "not -1"),
    (lambda: DataLoader(Squares(5), num_workers=1, timeout=-2), "not -2"),
    (lambda: DataLoader(Squares(5), num_workers=1, prefetch_factor=0), "not 0"),
    (lambda: DataLoader(Squares(5), prefetch_factor=3), "prefetch_factor=3 is about worker processes"),
    (lambda: DataLoader(Squares(5), persistent_workers=True), "give num_workers"),
    (lambda: DataLoader(Squares(5), num_workers=1, multiprocessing_context="thread"), "not 'thread'"),
    (lambda: DataLoader(Squares(5), None, drop_last=True), "leave out drop_last"),
    (lambda: DataLoader(counting(nn.data)(3), shuffle=True), "shuffle in its __iter__"),
    (lambda: default_collate([object()]), "object"),
])
def test_mistakes_are_refused(call, part):
    with pytest.raises(Exception) as info:
        call()
    assert part in str(info.value)


def counting(data):
    """A stream of numbers in which a worker gives its share, the first one five fewer."""
    class Counting(data.IterableDataset):
        def __init__(self, n):
            self.n = n

        def __iter__(self):
            info = data.get_worker_info()
            first, step = (info.id, info.num_workers) if info else (0, 1)
            yield from range(first, self.n - 5 * (first == 0), step)

        def __len__(self):
            return self.n
    return Counting


class Noise:
    """Examples that draw random numbers of all kinds."""

    def __init__(self, library):
        self.library = library

    def __len__(self):
        return 12

    def __getitem__(self, index):
        return [index, random.random(), float(np.random.rand()), float(self.library.rand(()))]


@pytest.mark.parametrize("options", [
    {}, {"batch_size": 4}, {"batch_size": 4, "drop_last": True}, {"batch_size": None},
    {"batch_size": 2, "num_workers": 2}, {"batch_size": 2, "num_workers": 3, "drop_last": True},
    {"batch_size": None, "num_workers": 2, "persistent_workers": True}], ids=str)
@pytest.mark.parametrize("make", [
    lambda data, library: counting(data)(23), lambda data, library: counting(data)(9) + counting(data)(7),
    lambda data, library: Noise(library)], ids=["stream", "chain", "noise"])
@pytest.mark.filterwarnings("ignore")
def test_passes_are_pytorchs(make, options):
    torch = pytest.importorskip("torch")

    def passes(library, data):
        library.manual_seed(4)
        if "num_workers" not in options:
            random.seed(0), np.random.seed(0)
        loader = data.DataLoader(make(data, library), **options)
        return [[flat(batch) for batch in loader] for _ in range(2)], float(library.rand(())), len(loader)

    def flat(batch):
        return np.asarray([np.asarray(part) for part in batch] if isinstance(batch, list) else batch,
                          np.float32).tolist()
    found, expected = passes(autograd, nn.data), passes(torch, torch.utils.data)
    assert found[1:] == expected[1:]
    for ours, theirs in zip(found[0], expected[0], strict=True):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_pass_of_a_stream_that_is_broken_off_begins_anew():
    loader = DataLoader(counting(nn.data)(23), 4, num_workers=1, persistent_workers=True)
    assert next(iter(loader)).tolist() == [0, 1, 2, 3]
    assert [batch.tolist()[0] for batch in loader] == [0, 4, 8, 12, 16]


def test_examples_by_themselves_become_tensors():
    examples = [(np.ones(2), 3, "a"), {"x": [np.float32(2)]}]
    first, second = DataLoader(examples, batch_size=None)
    assert first[0].tolist() == [1, 1]
    assert first[1:] == [3, "a"]
    assert second["x"][0].dtype == np.float32
    assert list(DataLoader([1, 2], batch_size=None, collate_fn=lambda x: -x)) == [-1, -2]
    assert len(DataLoader([1, 2], batch_size=None)) == 2


def test_a_data_set_may_give_many_at_once():
    class Many(Squares):
        def __getitems__(self, indices):
            return [-i for i in indices]
    assert next(iter(DataLoader(Many(4), 3))).tolist() == [0, -1, -2]
