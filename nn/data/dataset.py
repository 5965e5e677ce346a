"""Data sets: examples by their numbers."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Generator, Tensor
from autograd.errors import ShapeError


class Dataset:
    """Base of data sets: an example by its number (`__getitem__`), and how many there are (`__len__`)."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__(self, index)")

    def __add__(self, other: "Dataset") -> "ConcatDataset":
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Base of data sets that give their examples one after the other (`__iter__`), as from a stream.

    A DataLoader takes them as they come. With workers, each has its own copy of the data set, and `__iter__` has to
    choose by `get_worker_info()` what it gives; otherwise every example comes once from each worker.
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} needs a method __iter__(self)")

    def __add__(self, other: Dataset) -> "ChainDataset":  # type: ignore[override]
        return ChainDataset([self, other])


class ChainDataset(IterableDataset):
    """Several data sets that give their examples one after the other, in a row."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            yield from dataset

    def __len__(self) -> int:
        return sum(map(len, self.datasets))


class StackDataset(Dataset):
    """Data sets of one length side by side: an example is a tuple of theirs, or a dict if they were given by name.

    >>> pairs = StackDataset(images=TensorDataset(x), labels=TensorDataset(y))
    >>> sorted(pairs[0])
    ['images', 'labels']
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("a StackDataset is made of data sets, either all by position or all by name")
        self.datasets: Any = args or kwargs
        if len({len(dataset) for dataset in (args or kwargs.values())}) != 1:
            raise ValueError("the data sets of a StackDataset must have one length, not "
                             f"{[len(dataset) for dataset in (args or kwargs.values())]}")

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple([dataset[index] for dataset in self.datasets])

    def __len__(self) -> int:
        return len(next(iter(self.datasets.values())) if isinstance(self.datasets, dict) else self.datasets[0])


class TensorDataset(Dataset):
    """Examples that are rows of tensors or arrays of one length: (images[i], labels[i])."""

    def __init__(self, *tensors: Tensor | np.ndarray) -> None:
        self.tensors = tuple([autograd.as_tensor(t) for t in tensors])
        if len({t.shape[0] for t in self.tensors}) != 1:
            raise ShapeError("the tensors of a TensorDataset must have one length, not "
                             f"{[t.shape for t in self.tensors]}")

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([t[index] for t in self.tensors])

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class Subset(Dataset):
    """Some examples of a data set, by their numbers."""

    def __init__(self, dataset: Any, indices: Sequence[int] | np.ndarray) -> None:
        self.dataset, self.indices = dataset, np.asarray(indices, np.int64)

    def __getitem__(self, index: Any) -> Any:
        chosen = self.indices[index]
        return self.dataset[chosen if isinstance(chosen, np.ndarray) else int(chosen)]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """Several data sets, one after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        self.ends = np.cumsum([len(dataset) for dataset in self.datasets])

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"example {index} is out of range: there are {len(self)}")
        index %= len(self)
        which = int(np.searchsorted(self.ends, index, side="right"))
        return self.datasets[which][index - (int(self.ends[which - 1]) if which else 0)]

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """A data set split at random.

    Args:
        dataset: what to split.
        lengths: of the parts, adding up to the whole; or fractions that add up to 1 (what rounding leaves goes to the
            first parts).
        generator: of the random numbers.

    >>> train, test = random_split(range(10), [0.8, 0.2], Generator().manual_seed(0))
    >>> len(train), len(test)
    (8, 2)
    """
    total = len(dataset)
    if math.isclose(sum(lengths), 1) and all(0 <= n <= 1 for n in lengths):
        counts = [math.floor(total * n) for n in lengths]
        for i in range(total - sum(counts)):
            counts[i % len(counts)] += 1
    else:
        counts = [int(n) for n in lengths]
    if sum(counts) != total:
        raise ValueError(f"random_split: lengths {list(lengths)} add up to "
                         f"{sum(lengths)}, but there are {total} examples")
    order = (generator or autograd.default_generator).permutation(total)
    ends = np.cumsum(counts)
    return [Subset(dataset, order[end - count:end]) for end, count in zip(ends, counts, strict=True)]


def takes_many(dataset: Any) -> bool:
    """Whether a data set gives a whole batch for an array of indices, so that rows need not be stacked one by one."""
    while type(dataset).__getitem__ is Subset.__getitem__:
        dataset = dataset.dataset
    return type(dataset).__getitem__ is TensorDataset.__getitem__
