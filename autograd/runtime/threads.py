"""Work side by side, for the few operations that take long.

NumPy lets go of the interpreter while it computes, so threads that each take a part of the batch compute at the same
time, in Python code that reads like any other. Within such a call BLAS has one thread for each of ours; outside of it
nothing is changed.
"""

import atexit
import contextlib
import contextvars
import os
import queue
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from autograd.runtime import blas, settings

WORTHWHILE = 1 << 21
"""Numbers to compute below which handing work over (some 50 microseconds) costs more than it gains."""
SHARED = 1 << 15
"""Work of a compiled loop (in additions of numbers) for which another thread is called."""
WAKING = 1 << 18
"""Work of a compiled loop for which threads that sleep are woken."""
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
_team: "_Team | None" = None
_teams = 0  # so many have been dismissed
_board: Any = None  # there is one for all teams: a loop may be under way on it when another thread changes their number
MOST = 255
"""Helpers that fit on it."""
_AWAKE = object()  # tells a thread to look for compiled loops


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
        if count != _count:
            _dismiss()
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
    team = _the_team()
    with one_blas_thread():
        team.give(tasks[1:])
        tasks[0].run()
        return _results(tasks)


def helpers(work: int, make_board: Callable[[int], Any]) -> tuple[int, int]:
    """The address of the board, and how many threads of the team are to share a compiled loop of so much work."""
    global _board
    if work < SHARED or _count == 1 or getattr(_working, "now", False):
        return 0, 0
    team = _team or _the_team()
    count = min(len(team.threads), work // SHARED, MOST)
    if _board is None:
        with _lock:
            if _board is None:
                board = make_board(MOST)
                board.belongs_to(_teams)
                _board = board
    asleep = _board.asleep(count)
    if asleep and work < WAKING:
        count -= asleep
    elif asleep and team.waiting.empty():
        for _ in range(asleep):
            team.waiting.put(_AWAKE)
    return _board.address, count


def in_turn(first: Callable[[slice], Any], second: Callable[[slice, Any], Any], parts: list[slice]) -> None:
    """`second(part, first(part))` for each part: `first` here, in order, and `second` meanwhile on other threads."""
    if _count < 2 or len(parts) < 3 or getattr(_working, "now", False):
        for part in parts:
            second(part, first(part))
        return
    team, tasks = _the_team(), []
    for part in parts:
        tasks.append(_Task(partial(contextvars.copy_context().run, second, part, first(part))))
        team.give(tasks[-1:])
        if team.waiting.qsize() > _count:  # the other threads don't keep up
            tasks[-1].run()
    _results(tasks)


def _results(tasks: list["_Task"]) -> list:
    for task in tasks:
        task.run()  # what no thread has begun
    for task in tasks:
        task.done.acquire()  # all of them: nobody may write to the result after an error
    for task in tasks:
        if task.error:
            raise task.error
    return [task.result for task in tasks]


class _Task:
    """A part of the work, for the thread that takes it first."""

    def __init__(self, work: Callable[[], Any]):
        self.work, self.begun, self.done = work, threading.Lock(), threading.Lock()
        self.result: Any = None
        self.error: BaseException | None = None
        self.done.acquire()

    def run(self) -> None:
        """Do it, unless somebody has begun."""
        if not self.begun.acquire(blocking=False):
            return
        _working.now = True
        try:
            self.result = self.work()
        except BaseException as error:  # raised in the thread that waits for it
            self.error = error
        _working.now = False
        self.done.release()


class _Team:
    """Threads that help the one that calls, and the tasks that wait for them."""

    def __init__(self, helpers: int, number: int) -> None:
        self.number = number
        self.waiting: queue.SimpleQueue = queue.SimpleQueue()
        self.threads = [threading.Thread(target=self._serve, args=(i,), name=f"gradcircuit {i + 1}", daemon=True)
                        for i in range(helpers)]
        for thread in self.threads:
            thread.start()

    def give(self, tasks: list) -> None:
        """Put tasks where a thread finds them."""
        if _board:
            _board.call_back()
        for task in tasks:
            self.waiting.put(task)

    def _serve(self, helper: int) -> None:
        while True:
            task = self.waiting.get()
            if task is None:
                return
            if task is not _AWAKE:
                task.run()
            del task  # and with it the arrays
            if _board and helper < MOST:
                _board.watch(helper, self.number)


def _the_team() -> _Team:
    """The threads are started when there is something to do for the first time."""
    global _team
    settings.make()  # while OpenBLAS can still be told: it cannot once other threads run
    with _lock:
        _team = _team or _Team(_count - 1, _teams)
        return _team


def _dismiss() -> None:
    """Let the threads end: compiled code must not run any more when the interpreter has gone."""
    global _team, _teams
    with _lock:
        team, _team, _teams = _team, None, _teams + 1
        if _board:
            _board.belongs_to(_teams)
    if team:
        team.give([None] * len(team.threads))
        for thread in team.threads:
            if thread is not threading.current_thread():
                thread.join(10)


def _forget_threads() -> None:
    global _team, _board, _lock, _calls
    _team, _board, _lock, _calls = None, None, threading.Lock(), 0


atexit.register(_dismiss)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)  # the parent's threads are not in the child


def pieces(part: slice, each: int, fitting: int | None = None) -> list[slice]:
    """A part cut into pieces that stay in the cache: of `fitting` numbers (CACHED), where an item has `each`."""
    step = max(1, (CACHED if fitting is None else fitting) // max(each, 1))
    return [slice(start, min(start + step, part.stop)) for start in range(part.start, part.stop, step)]
