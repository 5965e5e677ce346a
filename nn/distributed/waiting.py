"""Waiting for other processes, which may be late, gone, or hang.

MPI's own waiting takes a processor, knows no end and doesn't hear Ctrl-C. Here a process asks again and again whether
it is done, less often the longer it takes, and gives up when another can't come any more: because it has ended, or
because the time is over. Then those that are late say where they are.
"""

import contextlib
import os
import platform
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

CALM = 1e-3
"""Seconds between two questions after a long while."""
GRACE = 1.0
"""Seconds in which what a process sent before it ended may still arrive, and late ones say where they are."""
HEARD = 0.1
"""Seconds in which mpiexec passes on what a process has printed; when all are ended it drops the rest."""
_LATE = getattr(signal, "SIGURG", None)  # whoever doesn't know it ignores it
_FAREWELL = 32_000  # a tag that others hardly use

_waiting: list[str] = []  # for what, the innermost last
_told: set[str] = set()  # of these, what others have asked for
_left: dict[int, float] = {}  # rank -> when this process noticed that it had ended
_addresses: dict[int, tuple[str, int]] = {}  # rank -> host and process id


def wait_until(done: Callable[[], bool], what: str, world: Any, ranks: Iterable[int], timeout: float,
               ending: bool = False) -> None:
    """Return when `done()` is true.

    Args:
        done: asks MPI, which gets on with its work meanwhile.
        what: is waited for, to be said in errors.
        world: the communicator of all processes.
        ranks: whom it depends on.
        timeout: seconds to wait at most.
        ending: whether it is their end that is waited for.

    Raises:
        RuntimeError: one of the ranks has ended, or the time is over.
    """
    begun = time.monotonic()
    _waiting.append(what)
    try:
        while not done():
            now = time.monotonic()
            if now - begun > 10 * CALM:
                _look_who_left(world)
                gone = [rank for rank in ranks if now - _left.get(rank, now) > GRACE]
                if gone and not ending:
                    raise RuntimeError(f"rank {world.rank} waits in {what}, which needs rank {_listed(gone)}: the "
                                       "program has ended there. All processes must make the same calls; are there "
                                       "as many batches on every rank?")
            if now - begun > timeout:
                late = [rank for rank in ranks if rank != world.rank and rank not in _left]
                _ask_where_they_are(late)
                raise RuntimeError(f"rank {world.rank} has waited {timeout:g} seconds in {what} for rank "
                                   f"{_listed(late)}; who is late has said above where it is, unless it is on another "
                                   "machine or does not come back from a function in C. If it only takes long: "
                                   "init_process_group(timeout=seconds)")
            time.sleep(min((now - begun) / 10, CALM))
    finally:
        _waiting.pop()


def _listed(ranks: list[int]) -> str:
    return ", ".join(map(str, ranks[:8])) + (f" … ({len(ranks)} of them)" if len(ranks) > 8 else "")


# Who has ended

def _look_who_left(world: Any) -> None:
    """Receive the farewells that have arrived."""
    from mpi4py import MPI
    status = MPI.Status()
    while world.Iprobe(MPI.ANY_SOURCE, _FAREWELL, status):
        world.Recv([bytearray(1), 0, MPI.BYTE], status.source, _FAREWELL)
        _left[status.source] = time.monotonic()


def leave(world: Any, timeout: float) -> None:
    """Tell the others that this process makes no more calls, and wait until they say so, too."""
    from mpi4py import MPI
    others = [rank for rank in range(world.size) if rank != world.rank]
    sent = [world.Isend([bytearray(1), 0, MPI.BYTE], rank, _FAREWELL) for rank in others]

    def all_have() -> bool:
        _look_who_left(world)
        return len(_left) == len(others) and MPI.Request.Testall(sent)
    if others:
        wait_until(all_have, "the end of the program", world, others, timeout, ending=True)


# Where the late ones are

def know_addresses(addresses: Iterable[tuple[str, int]]) -> None:
    """Keep the host and process id of each rank, and answer when another asks where this one is."""
    _addresses.update(enumerate(addresses))
    if _LATE is not None and threading.current_thread() is threading.main_thread():
        signal.signal(_LATE, _say_where)


def own_address() -> tuple[str, int]:
    """The host and the process id of this process."""
    return platform.node(), os.getpid()


def _say_where(number: int, frame: FrameType | None) -> None:
    rank = next((rank for rank, address in _addresses.items() if address == own_address()), "?")
    if not _waiting:
        stack = "".join(traceback.format_stack(frame))
        sys.stderr.write(f"rank {rank} is late; it is here (most recent call last):\n{stack}")
    elif _waiting[-1] not in _told:  # all may ask
        _told.add(_waiting[-1])
        sys.stderr.write(f"rank {rank} itself waits in {_waiting[-1]}\n")
    sys.stderr.flush()


def _ask_where_they_are(ranks: list[int]) -> None:
    own_host, _ = own_address()
    for host, process in [_addresses[rank] for rank in ranks if rank in _addresses]:
        if host == own_host and _LATE is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, _LATE)
    time.sleep(GRACE)
