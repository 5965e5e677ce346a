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

from autograd import openblas

WORTHWHILE = 1 << 21
"""Numbers to compute below which handing work over (some 50 microseconds) costs more than it gains."""
CACHED = 1 << 18
"""Numbers to work on at a time, so that they are still in the cache when the next function reads them."""


def _from_environment() -> int:
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(variable, "").isdigit():
            return max(1, int(os.environ[variable]))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_count = _from_environment() if openblas.set_num_threads else 1
_working = threading.local()
_lock = threading.Lock()
_calls, _blas_threads = 0, 1
_tasks = None


def get_num_threads() -> int:
    """How many threads an operation may use: at first `OPENBLAS_NUM_THREADS`, or one a processor."""
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
    if openblas.set_num_threads:
        _stop_threads()
        openblas.set_num_threads(count)
        _count = count  # with another BLAS the threads of its own would meet ours


def _forget_threads() -> None:
    global _tasks
    _tasks = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)  # the parent's threads are not in the child


@contextlib.contextmanager
def _one_blas_thread() -> Iterator[None]:
    global _calls, _blas_threads
    with _lock:
        if not _calls:
            _blas_threads = openblas.get_num_threads()
            openblas.set_num_threads(1)
        _calls += 1
    try:
        yield
    finally:
        with _lock:
            _calls -= 1
            if not _calls:
                openblas.set_num_threads(_blas_threads)


def in_parallel(work: Callable[[slice], Any], count: int, numbers: int) -> list:
    """`work(part)` for slices that make up range(count): one a thread, or a single one if that is not worthwhile.

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
    first, *others = [slice(count * i // parts, count * (i + 1) // parts) for i in range(parts)]
    results, done = [None] * parts, queue.SimpleQueue()
    with _one_blas_thread():
        _start_threads()
        for i, part in enumerate(others, 1):
            # np.errstate and the like live in the context
            _tasks.put((done, i, partial(contextvars.copy_context().run, work, part)))
        try:
            results[0] = work(first)
        finally:
            outcomes = [done.get() for _ in others]  # nobody may write to the result after an error
    for i, result, error in outcomes:
        if error:
            raise error
        results[i] = result
    return results


def _start_threads() -> None:
    global _tasks
    if _tasks is None:
        _tasks = queue.SimpleQueue()
        for i in range(1, _count):
            threading.Thread(target=_serve, args=(_tasks,), name=f"gradcircuit {i}", daemon=True).start()


def _stop_threads() -> None:
    global _tasks
    if _tasks is not None:
        for _ in range(1, _count):
            _tasks.put(None)
    _tasks = None


def _serve(tasks: queue.SimpleQueue) -> None:
    _working.now = True
    while _do(tasks.get()):
        pass


def _do(task: tuple | None) -> bool:
    if task:
        done, i, work = task
        try:
            done.put((i, work(), None))
        except BaseException as error:
            done.put((i, None, error))
    return task is not None


def pieces(part: slice, each: int) -> list[slice]:
    """A part cut into pieces that stay in the cache; an item has `each` numbers."""
    step = max(1, CACHED // max(each, 1))
    return [slice(start, min(start + step, part.stop)) for start in range(part.start, part.stop, step)]
