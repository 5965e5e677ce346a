"""Data sets: examples by their numbers."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Generator, Tensor
from autograd.errors import ShapeError
from autograd.random import numpy_generator


class Dataset:
    """Base of data sets: an example by its number (`__getitem__`), and how many there are (`__len__`)."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__(self, index)")

    def __add__(self, other: "Dataset") -> "ConcatDataset":
        return ConcatDataset([self, other])


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
    order = numpy_generator(generator).permutation(total)
    ends = np.cumsum(counts)
    return [Subset(dataset, order[end - count:end]) for end, count in zip(ends, counts, strict=True)]


def takes_many(dataset: Any) -> bool:
    """Whether a data set gives a whole batch for an array of indices, so that rows need not be stacked one by one."""
    while type(dataset).__getitem__ is Subset.__getitem__:
        dataset = dataset.dataset
    return type(dataset).__getitem__ is TensorDataset.__getitem__
