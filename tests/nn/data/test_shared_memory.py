"""Batches come in shared memory, which goes when nobody sees it any more, and is used again only then."""

import os

import numpy as np
import pytest

import autograd
from nn.data import DataLoader, default_collate, shared_memory
from tests.nn.data.test_workers import LARGE, Rows, blocks, nothing_is_left  # noqa: F401 - a fixture

pytestmark = pytest.mark.skipif(not shared_memory.AVAILABLE, reason="needs file descriptors handed over")


def test_arrays_lie_in_shared_memory_that_dies_with_them():
    before = blocks()
    iterator = iter(DataLoader(Rows(4), 2, num_workers=1))
    x, _ = next(iterator)
    y, _ = next(iterator)
    assert blocks()[0] - before[0] == 2
    view = x.numpy()[1:]
    del x, y
    assert blocks()[0] - before[0] == 1
    view += 1  # it is the reader's
    assert (view == 2).all()
    del view
    assert blocks()[0] == before[0]
    iterator.close()


def test_examples_are_stacked_where_they_are_handed_over(monkeypatch):
    def once(self, *args):
        assert all(block.message < self._message for block in self._blocks), "copied into a second block"
        return block(self, *args)
    block = shared_memory.Blocks._block
    monkeypatch.setattr(shared_memory.Blocks, "_block", once)
    for x, _ in DataLoader(Rows(4), 2, num_workers=1):
        assert x.shape == (2, LARGE)
    with pytest.raises(AssertionError, match="copied"):
        list(DataLoader(Rows(4), 2, num_workers=1, collate_fn=lambda examples: [
            array.numpy() * 2 for array in default_collate(examples)]))


def test_whatever_collate_gives_comes_over():
    fortran, strided = np.asfortranarray(np.random.rand(100, 90)), np.random.rand(200, 100)[::2]
    given = {"fortran": fortran, "strided": strided, "text": "ab" * shared_memory.MESSAGE, "empty": np.zeros((0, 3)),
             "objects": np.array([None] * 5000), "twice": [fortran, fortran], "half": fortran[:, :50],
             "tensor": autograd.as_tensor(strided), "date": np.arange(9000).astype("M8[s]")}
    got, = DataLoader([0], collate_fn=lambda examples: given, num_workers=1)
    assert got["text"] == given["text"] and isinstance(got["tensor"], autograd.Tensor)
    assert got["twice"][0] is got["twice"][1]
    for name in ("fortran", "strided", "empty", "objects", "half", "tensor", "date"):
        np.testing.assert_array_equal(np.asarray(got[name]), np.asarray(given[name]))
        assert np.asarray(got[name]).dtype == np.asarray(given[name]).dtype


def test_memory_that_was_given_up_is_not_mistaken_for_a_batch():
    def collate(examples):
        for _ in range(20):
            batch = default_collate(examples)[0].numpy() + 1  # the shared one is dropped, its address free
        return batch
    for i, x in enumerate(DataLoader(Rows(6), 2, num_workers=1, collate_fn=collate)):
        assert x[:, 0].tolist() == [2 * i + 1, 2 * i + 2]


def test_memory_is_used_again_when_nobody_sees_it(monkeypatch):
    made = []

    class Block(shared_memory._Block):
        def __init__(self, size):
            made.append(size)
            super().__init__(size)

    def collate(examples):
        return default_collate(examples), (len(made), len(os.listdir("/proc/self/fd")))
    monkeypatch.setattr(shared_memory, "_Block", Block)
    counts, kept = [], []
    for i, ((x, _), count) in enumerate(DataLoader(Rows(100), 1, num_workers=1, collate_fn=collate)):
        assert (x == i).all()
        counts.append(count)
        if i % 7 == 0:
            kept.append(x[0, 1:])  # a view
    blocks_made, files = np.transpose(counts)
    assert blocks_made[-1] <= 6 + len(kept)
    assert max(files) - min(files) <= 12  # two of a block
    assert [(x[0].item(), x[-1].item()) for x in kept] == [(i, i) for i in range(0, 100, 7)]


def test_two_arrays_on_the_same_memory_live_on_their_own():
    def collate(examples):
        x = default_collate(examples)[0].numpy()
        return x, x.view(np.int32)
    for i, (x, y) in enumerate(DataLoader(Rows(), 1, num_workers=1, collate_fn=collate)):
        if i == 0:
            first = y
        del x, y
    assert (first.view(np.float32) == 0).all()


def test_memory_that_a_worker_still_sees_is_not_used_again():
    last = []

    def collate(examples):
        last.append(default_collate(examples)[0][0, 1:])
        return default_collate(examples), [x[5].item() for x in last]
    for i, ((x, _), seen) in enumerate(DataLoader(Rows(30), 1, num_workers=1, collate_fn=collate)):
        assert seen == list(range(i + 1)) and (x == i).all()


def test_hoarded_batches_do_not_use_up_file_descriptors(monkeypatch):
    monkeypatch.setattr(shared_memory, "MAPPED", 3)
    before = blocks()
    hoard = [x for x, _ in DataLoader(Rows(), 1, num_workers=2)]
    assert blocks()[0] - before[0] == 3
    assert [x[0, 0].item() for x in hoard] == list(range(12))
