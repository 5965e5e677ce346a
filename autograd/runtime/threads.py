"""Work side by side, for the few operations that take long.

NumPy lets go of the interpreter while it computes, so threads that each take a part of the batch compute at the same
time, in Python code that reads like any other. Within such a call BLAS has one thread for each of ours; outside of it
nothing is changed.
"""

import contextlib
import contextvars
import os
import queue
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from autograd.runtime import blas

WORTHWHILE = 1 << 21
"""Numbers to compute below which handing work over (some 50 microseconds) costs more than it gains."""
CACHED = 1 << 18
"""Numbers to work on at a time, so that they are still in the cache when the next function reads them."""


def _from_environment() -> int:
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(variable, "").isdigit():
            return max(1, int(os.environ[variable]))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_count = _from_environment() if blas.set_num_threads else 1
_working = threading.local()
_lock = threading.Lock()
_calls, _blas_threads = 0, 1
_waiting: Any = None


def get_num_threads() -> int:
    """How many threads an operation may use: at first `OPENBLAS_NUM_THREADS`, or one per processor."""
    return _count


def set_num_threads(count: int) -> None:
    """Let operations, and matrix products, use this many threads.

    Raises:
        ValueError: it is less than 1.

    >>> autograd.set_num_threads(1)
    >>> autograd.get_num_threads()
    1
    """
    global _count
    if count < 1:
        raise ValueError(f"set_num_threads({count}): there must be at least one thread")
    if blas.set_num_threads:
        _stop_threads()
        blas.set_num_threads(count)
        _count = count  # with another BLAS the threads of its own would meet ours


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let matrix products use one thread within the block."""
    global _calls, _blas_threads
    with _lock:
        if not _calls:
            _blas_threads = blas.get_num_threads()
            blas.set_num_threads(1)
        _calls += 1
    try:
        yield
    finally:
        with _lock:
            _calls -= 1
            if not _calls:
                blas.set_num_threads(_blas_threads)


def in_parallel(work: Callable[[slice], Any], count: int, numbers: int) -> list:
    """`work(part)` for slices that make up range(count): one per thread, or a single one if that is not worthwhile.

    Args:
        work: computes and writes its part of a result, or returns it; must not use what another part writes.
        count: how many items (images, rows) there are.
        numbers: about how many numbers are to be computed.

    Returns:
        What `work` returned, in order.
    """
    parts = min(_count, count, 1 + numbers // WORTHWHILE)
    if parts < 2 or getattr(_working, "now", False):
        return [work(slice(0, count))]
    # np.errstate and the like live in the context
    tasks = [_Task(partial(contextvars.copy_context().run, work, slice(count * i // parts, count * (i + 1) // parts)))
             for i in range(parts)]
    waiting = _queue_of_threads()
    with one_blas_thread():
        for task in tasks[1:]:
            waiting.put(task)
        tasks[0].run()
        return _results(tasks, waiting)


def in_turn(first: Callable[[slice], Any], second: Callable[[slice, Any], Any], parts: list[slice]) -> None:
    """`second(part, first(part))` for each part: `first` here, in order, and `second` meanwhile on other threads."""
    if _count < 2 or len(parts) < 3 or getattr(_working, "now", False):
        for part in parts:
            second(part, first(part))
        return
    waiting, tasks = _queue_of_threads(), []
    for part in parts:
        tasks.append(_Task(partial(contextvars.copy_context().run, second, part, first(part))))
        waiting.put(tasks[-1])
        if waiting.qsize() > _count:  # the other threads don't keep up
            _help(waiting)
    _results(tasks, waiting)


def _help(waiting: queue.SimpleQueue) -> bool:
    """Do here what no thread has begun yet; says whether there was anything."""
    with contextlib.suppress(queue.Empty):
        if task := waiting.get_nowait():
            task.run()
            return True
        waiting.put(None)  # it was meant for a thread
    return False


def _results(tasks: list["_Task"], waiting: queue.SimpleQueue) -> list:
    while _help(waiting):
        pass
    for task in tasks:
        task.done.acquire()  # all of them: nobody may write to the result after an error
    for task in tasks:
        if task.error:
            raise task.error
    return [task.result for task in tasks]


class _Task:
    """A part of the work, for the thread that takes it first."""

    def __init__(self, work: Callable[[], Any]):
        self.work, self.done = work, threading.Lock()
        self.result: Any = None
        self.error: BaseException | None = None
        self.done.acquire()

    def run(self) -> None:
        _working.now = True
        try:
            self.result = self.work()
        except BaseException as error:  # raised in the thread that waits for it
            self.error = error
        _working.now = False
        self.done.release()


def _queue_of_threads() -> queue.SimpleQueue:
    """The queue that the threads take tasks from; they are started when the first one comes."""
    global _waiting
    with _lock:
        if _waiting is None:
            _waiting = queue.SimpleQueue()
            for i in range(1, _count):
                threading.Thread(target=_serve, args=(_waiting,), name=f"gradcircuit {i}", daemon=True).start()
        return _waiting


def _serve(waiting: queue.SimpleQueue) -> None:
    while True:
        task = waiting.get()
        if task is None:
            return
        task.run()
        del task  # and with it the arrays


def _stop_threads() -> None:
    global _waiting
    with _lock:
        if _waiting is not None:
            for _ in range(1, _count):
                _waiting.put(None)
        _waiting = None


def _forget_threads() -> None:
    global _waiting, _lock, _calls
    _waiting, _lock, _calls = None, threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)  # the parent's threads are not in the child


def pieces(part: slice, each: int, fitting: int | None = None) -> list[slice]:
    """A part cut into pieces that stay in the cache: of `fitting` numbers (CACHED), where an item has `each`."""
    step = max(1, (CACHED if fitting is None else fitting) // max(each, 1))
    return [slice(start, min(start + step, part.stop)) for start in range(part.start, part.stop, step)]
