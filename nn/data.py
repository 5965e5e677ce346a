"""Data for training: data sets, and batches drawn from them."""

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Generator, Tensor
from autograd.random import numpy_generator
from nn.augmentation import color_jitter, cutout, mixup, random_crop, random_flip, random_resized_crop  # noqa: F401
from nn.preprocessing import PCA, Normalize, Preprocessing, Whiten, ZeroCenter  # noqa: F401
from nn.workers import WorkerInfo, Workers, empty, get_worker_info, start_context  # noqa: F401


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
        raise ValueError(f"random_split: lengths {list(lengths)} add up to {sum(lengths)}, but there are {total} "
                         "examples")
    order = numpy_generator(generator).permutation(total)
    ends = np.cumsum(counts)
    return [Subset(dataset, order[end - count:end]) for end, count in zip(ends, counts, strict=True)]


def default_collate(examples: Sequence[Any]) -> Any:
    """Examples as one batch: tensors, arrays and numbers are stacked, within tuples, lists and dicts.

    In a worker process they are stacked in the memory that is handed over.
    """
    first = examples[0]
    if isinstance(first, Tensor):
        if any(t.requires_grad for t in examples):
            return autograd.stack(list(examples))
        return _stack([t.numpy() for t in examples])
    if isinstance(first, (np.ndarray, np.generic)):
        return _stack(examples)
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


def _stack(arrays: Sequence[Any]) -> Tensor:
    dtype = np.result_type(*{a.dtype for a in arrays})
    return autograd.as_tensor(np.stack(arrays, out=empty((len(arrays), *arrays[0].shape), dtype)))


class DataLoader:
    """Batches of a data set, in order or shuffled anew in each pass; made by worker processes if there are any.

    The batches are the same whatever the number of workers. A pass begins by drawing the order and a seed for the
    workers' random numbers from the generator. A worker's arrays come in shared memory, which goes back with them.

    Args:
        dataset: anything with `len` and `[index]`.
        batch_size: how many examples a batch has.
        shuffle: draw the examples in random order.
        sampler: the indices of the examples in the order in which to take them, instead of `shuffle`.
        batch_sampler: the lists of indices that make up the batches, instead of the four other arguments on that.
        num_workers: how many processes make batches; 0: they are made in this process.
        collate_fn: makes a batch of a list of examples; default `default_collate`.
        pin_memory: accepted for PyTorch's sake, without effect.
        drop_last: leave out a last batch that is not full.
        timeout: seconds to wait for a batch from a worker; 0: as long as it takes.
        worker_init_fn: called in each worker with its number, before the first batch.
        multiprocessing_context: how processes start: "fork", "spawn", "forkserver" or a context of multiprocessing;
            default what `multiprocessing.set_start_method` chose if that is not Python's own default, else "fork" on
            Linux and "spawn" elsewhere. All but "fork" need a data set and functions that can be pickled, and
            `if __name__ == "__main__":` in a program.
        generator: of the random order; default the one that `autograd.manual_seed` seeds.
        prefetch_factor: how many batches each worker may be ahead; default 2.
        persistent_workers: keep the processes, and their data set, from one pass to the next.

    Raises:
        RuntimeError: in a pass: a worker was killed, or timed out. An exception in a worker is raised as the same type,
            the worker's traceback in its message.

    >>> for inputs, targets in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
    ...     loss = (model(inputs) - targets).square().mean()
    """

    def __init__(self, dataset: Any, batch_size: int = 1, shuffle: bool | None = None,
                 sampler: Iterable[Any] | None = None, batch_sampler: Iterable[Sequence[Any]] | None = None,
                 num_workers: int = 0, collate_fn: Callable[[list], Any] | None = None, pin_memory: bool = False,
                 drop_last: bool = False, timeout: float = 0, worker_init_fn: Callable[[int], Any] | None = None,
                 multiprocessing_context: Any = None, generator: Generator | None = None, *,
                 prefetch_factor: int | None = None, persistent_workers: bool = False) -> None:
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"DataLoader: batch_size must be a whole number, at least 1, not {batch_size!r}")
        if shuffle and sampler is not None:
            raise ValueError("DataLoader: give shuffle or sampler, not both")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError("DataLoader: batch_sampler says what is in each batch; leave out batch_size, shuffle, "
                             "sampler and drop_last")
        if not isinstance(num_workers, (int, np.integer)) or num_workers < 0:
            raise ValueError(f"DataLoader: num_workers must be a whole number, at least 0, not {num_workers!r}")
        if timeout < 0:
            raise ValueError(f"DataLoader: timeout must be at least 0 seconds, not {timeout}")
        if prefetch_factor is not None and prefetch_factor < 1:
            raise ValueError(f"DataLoader: prefetch_factor must be at least 1, not {prefetch_factor}")
        for_workers = {"prefetch_factor": prefetch_factor, "persistent_workers": persistent_workers, "timeout": timeout,
                       "multiprocessing_context": multiprocessing_context}
        if not num_workers and any(for_workers.values()):
            given = ", ".join(f"{name}={value!r}" for name, value in for_workers.items() if value)
            raise ValueError(f"DataLoader: {given} is about worker processes; give num_workers, at least 1")
        self.dataset, self.batch_size, self.shuffle, self.sampler = dataset, batch_size, bool(shuffle), sampler
        self.batch_sampler, self.num_workers, self.collate_fn, self.drop_last = (
            batch_sampler, num_workers, collate_fn, drop_last)
        self.timeout, self.worker_init_fn, self.generator = timeout, worker_init_fn, generator
        self.multiprocessing_context = start_context(multiprocessing_context) if num_workers else None
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self._idle: Workers | None = None

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        count = len(self.dataset) if self.sampler is None else len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        rng = numpy_generator(self.generator)
        order = rng.permutation(len(self.dataset)) if self.shuffle else None
        seed = int(rng.integers(2 ** 62))  # drawn also without workers, so that what follows is the same
        batches = self._indices(order)
        if self.num_workers:
            return self._from_workers(batches, seed)
        return (_make_batch(self.dataset, self.collate_fn, batch) for batch in batches)

    def _indices(self, order: np.ndarray | None) -> Iterator[Any]:
        """The indices of each batch."""
        if self.batch_sampler is not None:
            yield from self.batch_sampler
            return
        if self.sampler is None:
            order = np.arange(len(self.dataset)) if order is None else order
            batches = (order[i:i + self.batch_size] for i in range(0, len(order), self.batch_size))
        else:
            indices = iter(self.sampler)
            batches = iter(lambda: list(itertools.islice(indices, self.batch_size)), [])
        for batch in batches:
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def _from_workers(self, indices: Iterator[Any], seed: int) -> Iterator[Any]:
        workers, self._idle = self._idle, None
        if workers is None:
            make = functools.partial(_make_batch, self.dataset, self.collate_fn)
            workers = Workers(make, self.dataset, self.num_workers, self.prefetch_factor, self.timeout,
                              self.worker_init_fn, self.multiprocessing_context, seed)
        keep = self.persistent_workers
        try:
            yield from workers.batches(indices)
        except BaseException as error:
            keep = keep and isinstance(error, GeneratorExit)  # the loop was left, but the workers are well
            raise
        finally:
            if keep and self._idle is None:
                self._idle = workers
            else:
                workers.close()


def _make_batch(dataset: Any, collate_fn: Callable[[list], Any] | None, indices: Any) -> Any:
    if collate_fn is None and _takes_many(dataset):
        return list(dataset[np.asarray(indices)])
    if isinstance(indices, np.ndarray):
        indices = indices.tolist()
    return (collate_fn or default_collate)([dataset[i] for i in indices])


def _takes_many(dataset: Any) -> bool:
    """Whether a data set gives a whole batch for an array of indices, so that rows need not be stacked one by one."""
    while type(dataset).__getitem__ is Subset.__getitem__:
        dataset = dataset.dataset
    return type(dataset).__getitem__ is TensorDataset.__getitem__
