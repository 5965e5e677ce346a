"""Data for training: data sets, and batches drawn from them."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Generator, Tensor
from autograd.random import numpy_generator
from nn.augmentation import color_jitter, cutout, mixup, random_crop, random_flip  # noqa: F401
from nn.preprocessing import PCA, Normalize, Preprocessing, Whiten, ZeroCenter  # noqa: F401


class Dataset:
    """Base of data sets: an example by its number (`__getitem__`), and how many there are (`__len__`)."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__(self, index)")

    def __add__(self, other: "Dataset") -> "ConcatDataset":
        return ConcatDataset([self, other])


class TensorDataset(Dataset):
    """Examples that are rows of tensors or arrays of one length: (images[i], labels[i])."""

    def __init__(self, *tensors: Any) -> None:
        self.tensors = tuple([autograd.as_tensor(t) for t in tensors])
        if len({t.shape[0] for t in self.tensors}) != 1:
            raise ValueError("the tensors of a TensorDataset must have one length, not "
                             f"{[t.shape for t in self.tensors]}")

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([t[index] for t in self.tensors])

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class Subset(Dataset):
    """Some examples of a data set, by their numbers."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
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

    >>> train, test = random_split(digits, [0.8, 0.2], Generator().manual_seed(0))
    """
    total = len(dataset)
    if math.isclose(sum(lengths), 1) and all(0 <= n <= 1 for n in lengths):
        counts = [math.floor(total * n) for n in lengths]
        for i in range(total - sum(counts)):
            counts[i % len(counts)] += 1
    else:
        counts = [int(n) for n in lengths]
    if sum(counts) != total:
        raise ValueError(f"random_split: lengths {list(lengths)} add up to {sum(lengths)}, but there are {total} "
                         "examples")
    order = numpy_generator(generator).permutation(total)
    ends = np.cumsum(counts)
    return [Subset(dataset, order[end - count:end]) for end, count in zip(ends, counts, strict=True)]


def default_collate(examples: Sequence[Any]) -> Any:
    """Examples as one batch: tensors, arrays and numbers are stacked, within tuples, lists and dicts."""
    first = examples[0]
    if isinstance(first, Tensor):
        return autograd.stack(list(examples))
    if isinstance(first, (np.ndarray, np.generic)):
        return autograd.as_tensor(np.stack(examples))
    if isinstance(first, (int, float)):
        return autograd.tensor(list(examples))
    if isinstance(first, Mapping):
        return {key: default_collate([example[key] for example in examples]) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*map(default_collate, zip(*examples, strict=True)))
    if isinstance(first, (tuple, list)):
        return [default_collate(parts) for parts in zip(*examples, strict=True)]
    if isinstance(first, (str, bytes)):
        return list(examples)
    raise TypeError(f"examples of type {type(first).__name__} cannot be put into a batch; give DataLoader a collate_fn")


class DataLoader:
    """Batches of a data set, in order or shuffled anew in each pass.

    Args:
        dataset: anything with `len` and `[index]`.
        batch_size: how many examples a batch has.
        shuffle: draw the examples in random order.
        sampler: the numbers of the examples in the order in which to take them, instead of `shuffle`.
        num_workers: 0: batches are made in this process.
        collate_fn: makes a batch of a list of examples; default `default_collate`.
        drop_last: leave out a last batch that is not full.
        generator: of the random order; default the one that `autograd.manual_seed` seeds.

    >>> for images, labels in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
    ...     ...
    """

    def __init__(self, dataset: Any, batch_size: int = 1, shuffle: bool = False, sampler: Iterable[int] | None = None,
                 num_workers: int = 0, collate_fn: Callable[[list], Any] | None = None, drop_last: bool = False,
                 generator: Generator | None = None) -> None:
        if batch_size < 1:
            raise ValueError(f"DataLoader: batch_size must be at least 1, not {batch_size}")
        if shuffle and sampler is not None:
            raise ValueError("DataLoader: give shuffle or sampler, not both")
        if num_workers:
            raise NotImplementedError(f"DataLoader: num_workers={num_workers}: there are no worker processes yet; use "
                                      "0")
        self.dataset, self.batch_size, self.shuffle, self.sampler = dataset, batch_size, shuffle, sampler
        self.collate_fn, self.drop_last, self.generator = collate_fn, drop_last, generator

    def __len__(self) -> int:
        count = len(self.dataset) if self.sampler is None else len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if self.shuffle:
            order = numpy_generator(self.generator).permutation(len(self.dataset))
        else:
            order = np.arange(len(self.dataset)) if self.sampler is None else np.fromiter(self.sampler, np.int64)
        for start in range(0, len(order), self.batch_size):
            batch = order[start:start + self.batch_size]
            if len(batch) == self.batch_size or not self.drop_last:
                yield self._batch(batch)

    def _batch(self, indices: np.ndarray) -> Any:
        if self.collate_fn is None and _takes_many(self.dataset):
            return list(self.dataset[indices])
        return (self.collate_fn or default_collate)([self.dataset[int(i)] for i in indices])


def _takes_many(dataset: Any) -> bool:
    """Whether a data set gives a whole batch for an array of indices, so that rows need not be stacked one by one."""
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    return isinstance(dataset, TensorDataset)
