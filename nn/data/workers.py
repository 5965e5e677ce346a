"""Processes that make batches for a DataLoader, each while the others and the training go on.

Batch k is made by worker k mod n, and the workers' answers are taken in turn, so batches keep their order without any
bookkeeping. A worker has at most `prefetch_factor` batches to make or to hand over. Workers end when their channel
does, which it also does when their parent dies.
"""

import contextlib
import multiprocessing
import os
import random
import select
import signal
import socket
import sys
import traceback
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd
from nn.data import shared_memory

try:
    from multiprocessing import connection, resource_tracker
    AVAILABLE = True
except ImportError:  # in a browser
    AVAILABLE = False
KEPT = 3
"""Batches beyond those prefetched whose memory a worker keeps to use it again: the one it makes, and the two that a
loop holds when the next comes before it has let go of the last."""
GRACE = 1.0
"""Seconds that workers have to finish their batch when they are no longer needed."""


class _End:
    """What a worker answers when its stream of examples has ended."""

    def __reduce__(self) -> str:
        return "END"


END = _End()


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker process knows about itself.

    Attributes:
        id: its number, from 0.
        num_workers: how many there are.
        seed: what its random numbers started at, different in each worker and each pass.
        dataset: its own copy of the data set.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None
_blocks: Any = None  # of this process, if it is a worker


def get_worker_info() -> WorkerInfo | None:
    """What this process knows about itself if it is a DataLoader's worker; None in any other process.

    >>> info = get_worker_info()  # within a data set's __getitem__, or in worker_init_fn
    >>> rng = np.random.default_rng(info.seed if info else 0)
    """
    return _info


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array for a batch, its values not set: in a worker process in memory that the parent will share."""
    return _blocks.empty(shape, dtype) if _blocks else np.empty(shape, dtype)


class WorkerError:
    """An exception on its way from a worker to its parent: its type, and the worker's traceback."""

    def __init__(self, error: BaseException, worker: int) -> None:
        self.type = type(error)
        text = "".join(traceback.format_exception(error))
        self.message = f"Caught {self.type.__name__} in DataLoader worker process {worker}.\nOriginal {text}"

    def exception(self) -> BaseException:
        """An exception of the same type if that takes a message, else a RuntimeError."""
        try:
            if issubclass(self.type, KeyError):
                return self.type(_Verbatim(self.message))
            return self.type(self.message)
        except Exception:  # its parameters are others
            return RuntimeError(self.message)


class _Verbatim(str):
    """Text that a KeyError, which shows the repr of its key, shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _work(channel: socket.socket, job: "_Job | None") -> None:
    """A worker process: make a batch of each list of indices that comes, until the channel is closed.

    Args:
        channel: to the parent.
        job: what to do; None: it comes through the channel.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not what the parent does then
    with contextlib.suppress(EOFError, ConnectionError):
        job = job or shared_memory.receive(channel)
        failed = _begin(job)
        while True:
            _answer(channel, job, failed)


def _begin(job: "_Job") -> WorkerError | None:
    global _info, _blocks
    _info, _blocks = job.info, shared_memory.Blocks(job.keep)
    autograd.set_num_threads(1)  # the processors are shared with the other workers
    random.seed(_info.seed)
    autograd.manual_seed(_info.seed)
    base = _info.seed - _info.id
    np.random.seed(np.random.SeedSequence([_info.id, base % 2 ** 32, base >> 32, 0]).generate_state(4))
    if job.worker_init_fn is not None:
        try:
            job.worker_init_fn(_info.id)
        except Exception as error:
            return WorkerError(error, _info.id)
    return None


def _answer(channel: socket.socket, job: "_Job", failed: WorkerError | None) -> None:
    """Make the next batch and send it; a function, so that nothing of the batch is kept until the next."""
    indices = shared_memory.receive(channel)
    try:
        answer = _blocks.dump(failed or job.make(indices))
    except Exception as error:
        answer = _dumped_error(WorkerError(error, job.info.id))
    shared_memory.send(channel, *answer)
    _blocks.end_message()


def _dumped_error(error: WorkerError) -> tuple[bytes, list[int]]:
    try:
        return _blocks.dump(error)
    except Exception:  # a class that cannot be pickled, such as one made within a function
        error.type = RuntimeError
        return _blocks.dump(error)


@dataclass
class _Job:
    info: WorkerInfo
    keep: int
    make: Callable[[Any], Any]
    worker_init_fn: Callable[[int], Any] | None


class Workers:
    """Worker processes, and what they have been asked for.

    Args:
        make: makes a batch of indices.
        dataset: what `get_worker_info()` shows.
        count: how many processes.
        prefetch_factor: how many batches each may be ahead.
        timeout: seconds to wait for a batch; 0: as long as it takes.
        worker_init_fn: called in each worker with its number, before the first batch.
        context: of multiprocessing: a start method, or what `multiprocessing.get_context` gives.
        seed: of the random numbers: worker i starts at seed + i.
    """

    def __init__(self, make: Callable[[Any], Any], dataset: Any, count: int, prefetch_factor: int, timeout: float,
                 worker_init_fn: Callable[[int], Any] | None, context: Any, seed: int) -> None:
        if not shared_memory.AVAILABLE:
            raise NotImplementedError("DataLoader: worker processes hand over file descriptors, which this system does "
                                      "not do; use num_workers=0")
        self.prefetch_factor, self.timeout = prefetch_factor, timeout
        self.processes: list[Any] = []
        self._blocks = shared_memory.Blocks()
        self.channels: list[socket.socket] = []
        self.asked = self.answered = 0
        context = start_context(context)
        if context.get_start_method() == "spawn":
            resource_tracker.ensure_running()  # started later, it would let Ctrl-C through within _no_interrupt
        _living.add(self)
        try:
            for i in range(count):
                job = _Job(WorkerInfo(i, count, seed + i, dataset), prefetch_factor + KEPT, make, worker_init_fn)
                self._start(context, job)
        except BaseException:
            self.close()
            raise

    def _start(self, context: Any, job: _Job) -> None:
        # A forked process has the job. To another it goes through the channel and not as an argument: start() would
        # wait for ever for a process to read that which has died at once (of no `if __name__ == "__main__":`, say).
        inherited = context.get_start_method() == "fork"
        message = None if inherited else self._dumped_job(job)
        ours, theirs = socket.socketpair()
        self.channels.append(ours)
        with theirs:
            process = context.Process(target=_work, name=f"DataLoader worker {job.info.id}", daemon=True,
                                      args=(theirs, job if inherited else None))
            with _no_interrupt():
                self._begin_process(process)
        self.processes.append(process)
        if message:
            with contextlib.suppress(ConnectionError):  # a worker that is dead is noticed when a batch is asked of it
                shared_memory.send(ours, *message)
            self._blocks.end_message()

    def _begin_process(self, process: Any) -> None:
        try:
            process.start()
        except (ConnectionError, EOFError) as error:
            raise RuntimeError(f"{process.name} was not started: the server that forks it has ended; what it wrote "
                               "above may say why. With num_workers=0 the data set can be debugged in this process"
                               ) from error

    def _dumped_job(self, job: _Job) -> tuple[bytes, list[int]]:
        try:
            return self._blocks.dump(job)
        except Exception as error:
            error.add_note("DataLoader: to workers that are not forked the data set, collate_fn and worker_init_fn go "
                           "by pickle; define them at the top of a module, not as lambdas or within functions")
            raise

    def batches(self, indices: Iterable[Any]) -> Iterator[Any]:
        """The batch of each list of indices, in order."""
        while self.answered < self.asked:  # of a pass that was broken off
            self._next()
        self.asked = self.answered = 0
        indices = iter(indices)
        more, ended = True, set()
        while more or self.answered < self.asked:
            while more and self._may_ask():
                try:
                    batch = next(indices)
                except StopIteration:
                    more = False
                else:
                    self._ask(batch)
            if self.answered < self.asked:
                batch = [self._batch()]
                if batch[0] is END:
                    ended.add((self.answered - 1) % len(self.channels))
                    more = more and len(ended) < len(self.channels)
                else:
                    yield batch.pop()  # nothing here keeps it alive

    def _may_ask(self) -> bool:
        """Whether the next worker has room for another question.

        If questions were sent to a worker that does not read them, because it waits for its answers to be read, both
        would wait for ever. A socket that can be written to has room for a whole message.
        """
        if self.asked - self.answered >= self.prefetch_factor * len(self.channels):
            return False
        poll = select.poll()
        poll.register(self.channels[self.asked % len(self.channels)], select.POLLOUT)
        return bool(poll.poll(None if self.asked == self.answered else 0))

    def _ask(self, indices: Any) -> None:
        worker = self.asked % len(self.channels)
        try:
            shared_memory.send(self.channels[worker], *self._blocks.dump(indices))
            self._blocks.end_message()
        except ConnectionError as error:
            raise self._died(worker) from error
        self.asked += 1

    def _batch(self) -> Any:
        answer = self._next()
        if isinstance(answer, WorkerError):
            raise answer.exception()
        return answer

    def _next(self) -> Any:
        worker = self.answered % len(self.channels)
        channel, process = self.channels[worker], self.processes[worker]
        ready = connection.wait([channel, process.sentinel], self.timeout or None)
        if not ready:
            raise RuntimeError(f"DataLoader timed out after {self.timeout} seconds: worker {worker} "
                               f"(process {process.pid}) has not made its batch; give a longer timeout, "
                               "or 0 to wait as long as it takes")
        try:
            if channel not in ready:
                raise EOFError
            answer = shared_memory.receive(channel)
        except (EOFError, ConnectionError) as error:
            raise self._died(worker) from error
        self.answered += 1
        return answer

    def _died(self, worker: int) -> RuntimeError:
        process = self.processes[worker]
        process.join(GRACE)
        code = process.exitcode
        if code is not None and code < 0:
            reason = f"was killed by {signal.Signals(-code).name}"
            if code in (-signal.SIGKILL, -signal.SIGBUS):
                reason += "; if nobody did that, memory ran out: use fewer workers or smaller batches"
        else:
            reason = f"exited with status {code}; what it wrote above may say why"
        return RuntimeError(f"DataLoader worker {worker} (process {process.pid}) {reason}. With num_workers=0 the data "
                            "set can be debugged in this process")

    def close(self) -> None:
        """End the processes; those in the middle of a batch have a second for it."""
        for channel in self.channels:
            with contextlib.suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)  # also where another process holds a copy of the channel
            channel.close()
        for process in self.processes:
            if not connection.wait([process.sentinel], GRACE / len(self.processes)):
                process.kill()
        for process in self.processes:
            process.join()
        self.channels, self.processes = [], []
        self._blocks.end_message()  # one that broke off, of something that cannot be pickled, say

    def __del__(self) -> None:
        self.close()


_living: "weakref.WeakSet[Workers]" = weakref.WeakSet()


def _leave_to_parent() -> None:
    for workers in list(_living):
        for channel in workers.channels:
            channel.close()  # a copy of the parent's end: it would keep the channel open when the parent has gone
        workers.channels, workers.processes = [], []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def start_context(context: Any = None) -> Any:
    """How worker processes start: by the user's choice, or else by "fork" on Linux and "spawn" elsewhere.

    A fork takes milliseconds, shares the data set's memory and needs nothing that can be pickled. What makes it unsafe
    is another thread that holds a lock at that moment. The threads of this engine and of OpenBLAS do not: they are idle
    between operations, and a child starts its own. Apple's libraries and some others (GNU OpenMP, JAX) do not bear
    it: there, use "spawn".

    Python's own default (since 3.14 "forkserver" on Linux) is not the user's choice, and any use of `multiprocessing`,
    by a progress bar for instance, sets it. Who means it gives it to the DataLoader.
    """
    if not AVAILABLE:
        raise RuntimeError("DataLoader: this system cannot start processes; leave out num_workers")
    if context is None:
        context = multiprocessing.get_start_method(allow_none=True)
        if sys.platform == "linux" and context in (None, multiprocessing.get_all_start_methods()[0]):  # the default
            context = "fork"
        context = context or "spawn"
    if isinstance(context, str):
        if context not in multiprocessing.get_all_start_methods():
            raise ValueError("DataLoader: multiprocessing_context must be one of "
                             f"{', '.join(map(repr, multiprocessing.get_all_start_methods()))}, not {context!r}")
        return multiprocessing.get_context(context)
    if not hasattr(context, "Process"):
        raise TypeError("DataLoader: multiprocessing_context must be a start method or what "
                        f"multiprocessing.get_context(method) gives, not {context!r}")
    return context


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """Hold Ctrl-C back while a process starts, which inherits that: it never sees one, even before it runs our code."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
