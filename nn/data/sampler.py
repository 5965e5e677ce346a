"""Samplers: in which order a DataLoader takes the examples of a data set. Their random orders are PyTorch's."""

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np

import autograd
from autograd import Generator, Tensor
from nn import distributed


class Sampler:
    """Base of samplers: an iteration gives the numbers of the examples, `len()` says how many."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} needs a method __iter__(self)")


class _Orders(Sampler):
    """A sampler whose numbers come as arrays."""

    def arrays(self) -> Iterator[np.ndarray]:
        """The numbers, each array drawn when it is asked for."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        for array in self.arrays():
            numbers: Any = array.tolist()
            yield from numbers


class SequentialSampler(_Orders):
    """0, 1, 2, … up to the length of `data_source`."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def arrays(self) -> Iterator[np.ndarray]:
        yield np.arange(len(self.data_source))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(_Orders):
    """The numbers of all examples in random order, or numbers drawn at random.

    Args:
        data_source: what has the length.
        replacement: draw each number anew, so that it may come again.
        num_samples: how many numbers there are; default as many as examples. More of them, without replacement, are one
            order after the other.
        generator: of the random numbers. Without one, each pass has its own, whose seed the default one gives.
    """

    def __init__(self, data_source: Sized, replacement: bool = False, num_samples: int | None = None,
                 generator: Generator | None = None) -> None:
        if num_samples is not None and not (isinstance(num_samples, (int, np.integer)) and num_samples > 0):
            raise ValueError(f"RandomSampler: num_samples must be a whole number, at least 1, not {num_samples!r}")
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples

    @property
    def num_samples(self) -> int:
        """How many numbers a pass has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def arrays(self) -> Iterator[np.ndarray]:
        generator = self.generator or Generator().manual_seed(drawn_seed())
        examples, left = len(self.data_source), self.num_samples
        if self.replacement:
            for start in range(0, left, 32):
                yield autograd.randint(examples, (min(32, left - start),), generator=generator).numpy()
            return
        for _ in range(left // examples if examples else 0):
            yield generator.permutation(examples)
        yield generator.permutation(examples)[:left % examples if examples else 0]  # drawn even if it is not needed

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(_Orders):
    """Given numbers in random order."""

    def __init__(self, indices: Sequence[int] | np.ndarray, generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def arrays(self) -> Iterator[np.ndarray]:
        yield np.asarray(self.indices)[autograd.randperm(len(self.indices), generator=self.generator).numpy()]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(_Orders):
    """Numbers drawn in proportion to weights, one weight for each example.

    Args:
        weights: at least 0; they need not add up to 1.
        num_samples: how many numbers are drawn.
        replacement: whether a number may come again.
        generator: of the random numbers.

    >>> labels = np.array([0, 0, 0, 1])
    >>> sampler = WeightedRandomSampler(1 / np.bincount(labels)[labels], num_samples=4)  # each class as often
    """

    def __init__(self, weights: Sequence[float] | Tensor | np.ndarray, num_samples: int, replacement: bool = True,
                 generator: Generator | None = None) -> None:
        if not isinstance(num_samples, (int, np.integer)) or isinstance(num_samples, bool) or num_samples < 1:
            raise ValueError(f"WeightedRandomSampler: num_samples must be a whole number, at least 1, not "
                             f"{num_samples!r}")
        self.weights = autograd.as_tensor(weights, np.float64)
        if self.weights.ndim != 1:
            raise ValueError("WeightedRandomSampler: weights must be one number for each example, of shape (N,), not "
                             f"{self.weights.shape}")
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def arrays(self) -> Iterator[np.ndarray]:
        yield autograd.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator).numpy()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of numbers for batches, of the numbers that another sampler gives.

    Args:
        sampler: any iterable.
        batch_size: how many numbers a list has.
        drop_last: leave out a last list that is shorter.

    >>> list(BatchSampler(SequentialSampler(range(5)), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, (int, np.integer)) or isinstance(batch_size, bool) or batch_size < 1:
            raise ValueError(f"batch_size must be a whole number, at least 1, not {batch_size!r}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def arrays(self) -> Iterator[Any]:
        """The batches, as arrays if the sampler's numbers come so."""
        batches = self._parts() if isinstance(self.sampler, _Orders) else self._lists()
        return (batch for batch in batches if len(batch) == self.batch_size or not self.drop_last)

    def _parts(self) -> Iterator[np.ndarray]:
        left = np.empty(0, np.int64)
        for array in self.sampler.arrays():  # type: ignore[attr-defined]
            left = np.concatenate([left, array]) if len(left) else array
            while len(left) >= self.batch_size:
                yield left[:self.batch_size]
                left = left[self.batch_size:]
        if len(left):
            yield left

    def _lists(self) -> Iterator[list]:
        numbers = iter(self.sampler)
        return iter(lambda: list(itertools.islice(numbers, self.batch_size)), [])

    def __iter__(self) -> Iterator[list]:
        return (batch if isinstance(batch, list) else batch.tolist() for batch in self.arrays())

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


class DistributedSampler(_Orders):
    """The part of a data set that one of several processes trains on; `set_epoch` before each pass gives a new order.

    The examples are dealt out in turn. So the processes' batches number k are together those that one process would
    take, and however many processes there are, training goes through the data in the same order.

    Args:
        dataset: what has the length.
        num_replicas: how many processes there are; default those of `nn.distributed`.
        rank: which of them this is, from 0; likewise.
        shuffle: in random order, the same in all processes.
        seed: of that order; the same in all processes.
        drop_last: leave out the last examples if they can't be divided evenly; otherwise some come twice.
        pad: whether they do. False: each example comes once, and some processes have one fewer, as for evaluation.

    Raises:
        ValueError: the rank is none of them, or `drop_last` and `pad=False` are both wanted.
        RuntimeError: their number or the rank isn't given, and `nn.distributed.init_process_group` was not called.
    """

    def __init__(self, dataset: Sized, num_replicas: int | None = None, rank: int | None = None, shuffle: bool = True,
                 seed: int = 0, drop_last: bool = False, *, pad: bool = True) -> None:
        num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
        rank = distributed.get_rank() if rank is None else rank
        if drop_last and not pad:
            raise ValueError("DistributedSampler: drop_last=True leaves examples out, pad=False keeps each once; "
                             "choose one of them")
        if not 0 <= rank < num_replicas:
            raise ValueError(f"DistributedSampler: rank must be at least 0 and below num_replicas={num_replicas}, not "
                             f"{rank}")
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.shuffle, self.seed, self.drop_last, self.pad = shuffle, seed, drop_last, pad
        self.epoch = self.start = 0

    @property
    def num_samples(self) -> int:
        """How many examples this process takes."""
        count = max(0, len(self.dataset) - self.start)
        if not self.pad:
            return len(range(self.rank, count, self.num_replicas))
        return count // self.num_replicas if self.drop_last else -(-count // self.num_replicas)

    def arrays(self) -> Iterator[np.ndarray]:
        count = len(self.dataset)
        order = Generator().manual_seed(self.seed + self.epoch).permutation(count) if self.shuffle else np.arange(count)
        order = order[self.start:]
        if self.pad and len(order):
            order = np.resize(order, self.num_samples * self.num_replicas)
        yield order[self.rank::self.num_replicas]

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int, start: int = 0) -> None:
        """Say which pass comes next.

        Args:
            epoch: its number.
            start: how many examples all processes together have taken of it already, in a run that was interrupted.
        """
        self.epoch, self.start = epoch, start


def drawn_seed(generator: Generator | None = None) -> int:
    """A seed for another generator, drawn as PyTorch draws it."""
    return int((generator or autograd.default_generator).long_words(1)[0]) % 2 ** 63
