"""Batches drawn from a data set, by this process or by others."""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Generator, Tensor
from autograd.errors import explain_constructor
from nn.data.dataset import IterableDataset, takes_many
from nn.data.sampler import BatchSampler, RandomSampler, SequentialSampler, drawn_seed
from nn.data.workers import END, Workers, empty, start_context


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


def default_convert(data: Any) -> Any:
    """An example with its arrays as tensors, within tuples, lists and dicts; for a DataLoader without batches."""
    if isinstance(data, (np.ndarray, np.generic)) and data.dtype.kind in "biuf":
        return autograd.as_tensor(data)
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    return [default_convert(part) for part in data] if isinstance(data, (tuple, list)) else data


def _stack(arrays: Sequence[Any]) -> Tensor:
    dtype = np.result_type(*{a.dtype for a in arrays})
    return autograd.as_tensor(np.stack(arrays, out=empty((len(arrays), *arrays[0].shape), dtype)))


@explain_constructor
class DataLoader:
    """Batches of a data set, in order or shuffled anew in each pass; made by worker processes if there are any.

    The random orders are PyTorch's, whatever the number of workers. (The seed of persistent workers is drawn once, that
    of others in each pass, so orders of later passes differ.) A worker's arrays come in shared memory, which goes back
    with them.

    Args:
        dataset: anything with `len` and `[index]`, or an `IterableDataset`.
        batch_size: how many examples a batch has; None: there are no batches, each example comes by itself.
        shuffle: draw the examples in random order.
        sampler: the indices of the examples in the order in which to take them, instead of `shuffle`.
        batch_sampler: the lists of indices that make up the batches, instead of the four other arguments on that.
        num_workers: how many processes make batches; 0: they are made in this process.
        collate_fn: makes a batch of a list of examples; default `default_collate`. Without batches it is given each
            example; default `default_convert`.
        pin_memory: accepted for PyTorch's sake, without effect.
        drop_last: leave out a last batch that is not full.
        timeout: seconds to wait for a batch from a worker; 0: as long as it takes.
        worker_init_fn: called in each worker with its number, before the first batch.
        multiprocessing_context: how processes start: "fork", "spawn", "forkserver" or a context of multiprocessing;
            default what `multiprocessing.set_start_method` chose if that is not Python's own default, else "fork" on
            Linux and "spawn" elsewhere. All but "fork" need a data set and functions that can be pickled, and
            `if __name__ == "__main__":` in a program.
        generator: of the random order and of the workers' seed, one drawn in each pass; default the one that
            `autograd.manual_seed` seeds.
        prefetch_factor: how many batches each worker may be ahead; default 2.
        persistent_workers: keep the processes, and their data set, from one pass to the next.
        pin_memory_device: accepted for PyTorch's sake, without effect.
        in_order: accepted for PyTorch's sake: the batches come in order.

    Raises:
        RuntimeError: in a pass: a worker was killed, or timed out. An exception in a worker is raised as the same type,
            the worker's traceback in its message.

    >>> for inputs, targets in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
    ...     loss = (model(inputs) - targets).square().mean()
    """

    def __init__(self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
                 sampler: Iterable[Any] | None = None, batch_sampler: Iterable[Sequence[Any]] | None = None,
                 num_workers: int = 0, collate_fn: Callable[[Any], Any] | None = None, pin_memory: bool = False,
                 drop_last: bool = False, timeout: float = 0, worker_init_fn: Callable[[int], Any] | None = None,
                 multiprocessing_context: Any = None, generator: Generator | None = None, *,
                 prefetch_factor: int | None = None, persistent_workers: bool = False, pin_memory_device: str = "",
                 in_order: bool = True) -> None:
        if batch_size is not None and (not isinstance(batch_size, (int, np.integer)) or batch_size < 1):
            raise ValueError(f"batch_size must be a whole number, at least 1, not {batch_size!r}")
        if shuffle and sampler is not None:
            raise ValueError("give shuffle or sampler, not both")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError("batch_sampler says what is in each batch; leave out batch_size, shuffle, "
                             "sampler and drop_last")
        if batch_size is None and drop_last:
            raise ValueError("without batches (batch_size=None) there is no last one to drop; leave out drop_last")
        streamed = isinstance(dataset, IterableDataset)
        if streamed and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError("an IterableDataset gives its examples in its own order; leave out shuffle, sampler and "
                             "batch_sampler, and shuffle in its __iter__")
        if not isinstance(num_workers, (int, np.integer)) or num_workers < 0:
            raise ValueError(f"num_workers must be a whole number, at least 0, not {num_workers!r}")
        if timeout < 0:
            raise ValueError(f"timeout must be at least 0 seconds, not {timeout}")
        if prefetch_factor is not None and prefetch_factor < 1:
            raise ValueError(f"prefetch_factor must be at least 1, not {prefetch_factor}")
        for_workers = {"prefetch_factor": prefetch_factor, "persistent_workers": persistent_workers, "timeout": timeout,
                       "multiprocessing_context": multiprocessing_context}
        if not num_workers and any(for_workers.values()):
            given = ", ".join(f"{name}={value!r}" for name, value in for_workers.items() if value)
            raise ValueError(f"{given} is about worker processes; give num_workers, at least 1")
        if batch_sampler is not None:
            batch_size = None
        elif not streamed:
            if sampler is None:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
            if batch_size is not None:
                batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset, self.batch_size, self.sampler, self.batch_sampler = dataset, batch_size, sampler, batch_sampler
        self.num_workers, self.drop_last, self.generator = num_workers, drop_last, generator
        if collate_fn is None:
            collate_fn = default_convert if batch_size is None and batch_sampler is None else default_collate
        self.collate_fn, self.timeout, self.worker_init_fn = collate_fn, timeout, worker_init_fn
        self.multiprocessing_context = start_context(multiprocessing_context) if num_workers else None
        self.prefetch_factor: Any = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self._idle: Workers | None = None

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        count = len(self.dataset if self.sampler is None else self.sampler)  # type: ignore[arg-type]
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if self._idle is None:
            self._seed = drawn_seed(self.generator)  # also without workers, so that what follows is the same
        if self.num_workers:
            return self._from_workers(self._indices(), self._seed)
        make = self._make()
        return itertools.takewhile(lambda batch: batch is not END, map(make, self._indices()))

    def _make(self) -> Any:
        if isinstance(self.dataset, IterableDataset):
            return _Stream(self.dataset, self.collate_fn, self.batch_size, self.drop_last)
        make = _make_example if self.batch_sampler is None else _make_batch
        return functools.partial(make, self.dataset, self.collate_fn)

    def _indices(self) -> Iterator[Any]:
        """What is asked for each batch: its indices; of a stream, its pass."""
        if isinstance(self.dataset, IterableDataset):
            return itertools.repeat(next(_passes))
        if isinstance(self.batch_sampler, BatchSampler):
            return self.batch_sampler.arrays()
        return iter(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]

    def _from_workers(self, indices: Iterator[Any], seed: int) -> Iterator[Any]:
        workers, self._idle = self._idle, None
        if workers is None:
            workers = Workers(self._make(), self.dataset, self.num_workers, self.prefetch_factor, self.timeout,
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


_passes = itertools.count()


def _make_batch(dataset: Any, collate_fn: Callable[[list], Any], indices: Any) -> Any:
    if collate_fn is default_collate and takes_many(dataset):
        return list(dataset[np.asarray(indices)])
    if isinstance(indices, np.ndarray):
        indices = indices.tolist()
    return collate_fn(dataset.__getitems__(indices) if hasattr(dataset, "__getitems__")
                      else [dataset[i] for i in indices])


def _make_example(dataset: Any, collate_fn: Callable[[Any], Any], index: Any) -> Any:
    return collate_fn(dataset[index])


class _Stream:
    """The batches of an IterableDataset, `END` when there are no more; a new pass begins it again."""

    def __init__(self, dataset: Any, collate_fn: Callable[[Any], Any], batch_size: int | None, drop_last: bool) -> None:
        self.dataset, self.collate_fn, self.batch_size, self.drop_last = dataset, collate_fn, batch_size, drop_last
        self.now: Any = None

    def __call__(self, which: Any) -> Any:
        if which != self.now:
            self.now, self.examples = which, iter(self.dataset)
        if self.batch_size is None:
            return next((self.collate_fn(example) for example in self.examples), END)
        batch = list(itertools.islice(self.examples, self.batch_size))
        if not batch or (len(batch) < self.batch_size and self.drop_last):
            return END
        return self.collate_fn(batch)
