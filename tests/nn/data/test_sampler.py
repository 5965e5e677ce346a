"""Samplers: what they give, how much of it, and in PyTorch's order."""

import itertools

import numpy as np
import pytest

import autograd
from autograd import Generator
from nn import data, distributed
from nn.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    RandomSampler,
    SequentialSampler,
    WeightedRandomSampler,
)

PASSES = """
data.RandomSampler(range(10), generator=g)
data.RandomSampler(range(10), True, 70, g)
data.RandomSampler(range(10), False, 25, g)
data.RandomSampler(range(10), False, 20, g)
data.SubsetRandomSampler([1, 5, 7], g)
data.WeightedRandomSampler([1.0, 2.0, 0.0, 4.0], 20, generator=g)
data.WeightedRandomSampler([1.0, 2.0, 3.0, 4.0], 3, False, g)
data.BatchSampler(data.RandomSampler(range(10), generator=g), 5, False)
data.BatchSampler(data.RandomSampler(range(10), generator=g), 3, True)
data.DataLoader(list(range(10)), 4, shuffle=True, generator=g)
data.DataLoader(list(range(10)), 5, shuffle=True, drop_last=True, generator=g)
data.DataLoader(list(range(10)), None, shuffle=True, generator=g)
data.DataLoader(list(range(10)), 4, shuffle=True, num_workers=2, generator=g)
data.DataLoader(list(range(10)), 4, shuffle=True, num_workers=2, persistent_workers=True, generator=g)
data.DataLoader(list(range(10)), 3, sampler=data.SubsetRandomSampler([1, 5, 7, 9], g))
""".strip().splitlines()


@pytest.mark.parametrize("own", [False, True], ids=["default generator", "own generator"])
@pytest.mark.parametrize("expression", PASSES)
@pytest.mark.filterwarnings("ignore")
def test_three_passes_are_pytorchs_and_so_is_what_follows(expression, own):
    torch = pytest.importorskip("torch")

    def passes(library, data):
        library.manual_seed(4)
        generator = library.Generator().manual_seed(9) if own else None
        source = eval(expression, {"data": data, "g": generator})
        taken = [[np.asarray(numbers).tolist() for numbers in source] for _ in range(3)]
        return taken, library.rand(()).item(), library.rand((), generator=generator).item()
    assert passes(autograd, data) == passes(torch, torch.utils.data)


def test_lengths_are_those_of_a_pass():
    for sampler in (SequentialSampler(range(5)), RandomSampler(range(5)), RandomSampler(range(5), num_samples=12),
                    RandomSampler(range(5), True, 70), data.SubsetRandomSampler([3, 1]),
                    WeightedRandomSampler([1, 2], 7), BatchSampler(range(7), 3, True), BatchSampler(range(7), 3, False),
                    DistributedSampler(range(7), 3, 1), DistributedSampler(range(7), 3, 1, drop_last=True)):
        assert len(list(sampler)) == len(sampler)
    assert list(RandomSampler(range(0))) == []


def test_processes_share_all_examples():
    def parts(**options):
        return [list(DistributedSampler(range(10), 4, rank, **options)) for rank in range(4)]
    assert sorted(set(itertools.chain(*parts()))) == list(range(10))
    assert {len(part) for part in parts()} == {3}
    assert len(set(itertools.chain(*parts(drop_last=True)))) == 8
    assert parts(shuffle=False)[1] == [1, 5, 9]
    sampler = DistributedSampler(range(10), 2, 0)
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first


@pytest.mark.parametrize("count", [1, 10, 13])
def test_for_evaluation_each_example_comes_once(count):
    samplers = [DistributedSampler(range(count), 4, rank, pad=False) for rank in range(4)]
    assert sorted(itertools.chain(*samplers)) == list(range(count))
    assert [len(sampler) for sampler in samplers] == [len(list(sampler)) for sampler in samplers]


def test_however_many_processes_there_are_their_batches_are_together_the_same_also_after_an_interruption():
    def batches(replicas, epoch, start=0, size=6):
        samplers = [DistributedSampler(range(30), replicas, rank) for rank in range(replicas)]
        for sampler in samplers:
            sampler.set_epoch(epoch, start)
        parts = [list(BatchSampler(sampler, size // replicas, False)) for sampler in samplers]
        return [sorted(itertools.chain(*of_all)) for of_all in zip(*parts, strict=True)]
    for replicas in (2, 3, 6):
        assert batches(replicas, 3) == batches(1, 3) != batches(1, 4)
        assert batches(replicas, 3, start=12) == batches(1, 3)[2:]
    assert list(DistributedSampler(range(0), 2, 1)) == []


def test_without_numbers_the_processes_are_those_of_the_group():
    with pytest.raises(RuntimeError, match="init_process_group"):
        DistributedSampler(range(3))
    distributed.init_process_group()
    try:
        assert sorted(DistributedSampler(range(3))) == [0, 1, 2]
    finally:
        distributed.destroy_process_group()


@pytest.mark.parametrize("count", [3, 12])
@pytest.mark.parametrize("drop_last", [False, True])
def test_a_distributed_part_is_pytorchs(count, drop_last):
    torch = pytest.importorskip("torch")
    for rank in range(5):
        args = (range(count), 5, rank, True, 3, drop_last)
        assert list(DistributedSampler(*args)) == list(torch.utils.data.DistributedSampler(*args))


def test_batches_of_any_iterable_are_lists():
    assert list(BatchSampler(iter("abcde"), 2, False)) == [["a", "b"], ["c", "d"], ["e"]]
    assert next(iter(BatchSampler(itertools.count(), 3, False))) == [0, 1, 2]
    assert list(BatchSampler(SequentialSampler(range(3)), 2, True)) == [[0, 1]]


def test_a_sampler_of_ones_own():
    class Backwards(data.Sampler):
        def __iter__(self):
            return iter(range(4, -1, -1))

        def __len__(self):
            return 5
    loader = DataLoader(range(5), 2, sampler=Backwards())
    assert [batch.tolist() for batch in loader] == [[4, 3], [2, 1], [0]]
    assert len(loader) == 3


def test_weights_count():
    labels = autograd.tensor([0] * 90 + [1] * 10)
    weights = 1 / np.bincount(labels.numpy())[labels.numpy()]
    taken = list(WeightedRandomSampler(weights, 4000, generator=Generator().manual_seed(0)))
    assert abs(labels.numpy()[taken].mean() - 0.5) < 0.04


@pytest.mark.parametrize(("call", "part"), [
    (lambda: RandomSampler(range(3), num_samples=0), "at least 1, not 0"),
    (lambda: WeightedRandomSampler([1.0], 0), "at least 1, not 0"),
    (lambda: WeightedRandomSampler([[1.0]], 1), "of shape (N,), not (1, 1)"),
    (lambda: BatchSampler(range(3), 0, False), "at least 1, not 0"),
    (lambda: DistributedSampler(range(3), 2, 1, drop_last=True, pad=False), "choose one of them"),
    (lambda: DistributedSampler(range(3), 2, 2), "below num_replicas=2, not 2"),
    (lambda: iter(data.Sampler()), "needs a method __iter__"),
])
def test_mistakes_are_refused(call, part):
    with pytest.raises((ValueError, NotImplementedError)) as info:
        call()
    assert part in str(info.value)
