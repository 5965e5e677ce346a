"""Who takes part: the processes that MPI has started, and groups of them."""

import atexit
import contextlib
import functools
import importlib.util
import io
import os
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any

import numpy as np

from autograd.errors import warn
from nn.distributed import waiting

INSTALL = "pip install 'gradcircuit[distributed]'"
_LAUNCHER = os.path.join(os.path.dirname(__file__), "__main__.py")
_COUNTED = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
"""Where torchrun, MPICH, Open MPI and srun say how many processes they have started."""


class ProcessGroup:
    """Some of the processes, or all; made by `init_process_group` and `new_group`.

    Attributes:
        ranks: who they are, by their numbers among all processes.
        rank: the number of this process in the group, from 0; -1 where it is none of them.
        comm: their communicator, of mpi4py; None where this process is alone, or none of them.
        timeout: how many seconds a call may take.
        debug: whether each call is compared with those of the others before it is made.
        calls: how many calls there have been.
    """

    def __init__(self, ranks: Sequence[int], comm: Any, timeout: float, debug: bool) -> None:
        self.ranks, self.comm, self.timeout, self.debug, self.calls = list(ranks), comm, timeout, debug, 0
        self.rank = self.ranks.index(_own_rank()) if _own_rank() in self.ranks else -1

    def size(self) -> int:
        """How many processes are in it, for one of them; else -1."""
        return len(self.ranks) if self.rank >= 0 else -1

    def twin(self) -> "ProcessGroup":
        """The same processes, whose calls don't get mixed up with those of this group."""
        return ProcessGroup(self.ranks, self.comm and self.comm.Dup(), self.timeout, self.debug)

    def __deepcopy__(self, memo: dict) -> "ProcessGroup":
        return self

    def __reduce__(self) -> tuple:
        return resolved, (None,)  # another process has groups of its own

    def index(self, rank: int) -> int:
        """The number in this group of a process, which is given by its number among all.

        Raises:
            ValueError: it is none of them.
        """
        if rank not in self.ranks:
            raise ValueError(f"rank {rank} is not in the group, whose ranks are {', '.join(map(str, self.ranks))}")
        return self.ranks.index(rank)

    def wait_until(self, done: Any, what: str, timeout: float | None = None) -> None:
        """See `waiting.wait_until`."""
        waiting.wait_until(done, what, world_of_mpi(), self.ranks, self.timeout if timeout is None else timeout)

    def __repr__(self) -> str:
        return f"ProcessGroup({self.ranks if len(self.ranks) < 9 else f'{len(self.ranks)} ranks'})"


class GroupMember:
    """Where the group of all is, as `WORLD`; None before `init_process_group`. PyTorch calls it `group`, too."""

    WORLD: ProcessGroup | None = None


group = GroupMember


# MPI

@functools.cache
def world_of_mpi() -> Any:
    """The communicator of all processes; None where there is one process. The first call starts MPI.

    Raises:
        RuntimeError: several processes have been started, but not as MPI's.
    """
    said = {name: int(os.environ[name]) for name in _COUNTED if os.environ.get(name, "").isdigit()}
    many = [f"{name}={count}" for name, count in said.items() if count > 1]
    try:
        mpi = importlib.import_module("mpi4py.MPI")
    except (ImportError, RuntimeError) as error:  # there is no mpi4py, or no MPI for it
        if many:
            raise RuntimeError(f"this is one of several processes ({', '.join(many)}), which need MPI to speak with "
                               f"each other: {INSTALL}") from error
        return None
    world = mpi.COMM_WORLD
    if world.size > 1:
        atexit.register(_leave, os.getpid())
        sys.excepthook = functools.partial(_end_all, sys.excepthook)
        return world
    if many:
        raise RuntimeError(f"this is one of several processes ({', '.join(many)}), but MPI knows of one only: it was "
                           "not mpiexec that started them, or that of another MPI. Write python -m nn.distributed -n "
                           f"{max(said.values())} PROGRAM")
    return None


def place_on_this_machine() -> tuple[int, int]:
    """The number of this process among those on its machine, and how many they are."""
    world = world_of_mpi()
    if world is None:
        return 0, 1
    here = world.Split_type(importlib.import_module("mpi4py.MPI").COMM_TYPE_SHARED)
    return here.rank, here.size


def _own_rank() -> int:
    world = world_of_mpi()
    return world.rank if world else 0


def _end_all(usual: Any, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An exception that nobody handles ends all processes: the others would wait for this one."""
    world = world_of_mpi()
    while trace and trace.tb_next and trace.tb_frame.f_code.co_filename in ("<frozen runpy>", _LAUNCHER):
        trace = trace.tb_next
    with contextlib.redirect_stderr(io.StringIO()) as text:
        usual(kind, error.with_traceback(trace), trace)
    sys.stderr.write(f"rank {world.rank} of {world.size} raised, and ends all:\n{text.getvalue()}")  # in one piece
    abort(130 if issubclass(kind, KeyboardInterrupt) else 1)


def abort(code: int) -> None:
    """End all processes now, without further words."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        time.sleep(waiting.HEARD)
    finally:  # Ctrl-C may come twice, from the terminal and from mpiexec
        world_of_mpi().Abort(code)


def _leave(process: int) -> None:
    if os.getpid() == process:  # and not in a process forked from it
        try:
            waiting.leave(world_of_mpi(), GroupMember.WORLD.timeout if GroupMember.WORLD else _usual_timeout())
        except RuntimeError as error:
            print(error, file=sys.stderr)
            abort(1)


def _usual_timeout() -> float:
    return float(os.environ.get("GRADCIRCUIT_DISTRIBUTED_TIMEOUT", "1800"))


# Starting and ending

def init_process_group(backend: str | None = None, init_method: str | None = None,
                       timeout: timedelta | float | None = None, world_size: int = -1, rank: int = -1,
                       store: object = None, group_name: str = "", pg_options: object = None, *,
                       debug: bool | None = None, **others: object) -> None:
    """Let this process take part; all must call it. A process that was started alone is a world of one.

    Processes are started by `python -m nn.distributed -n 4 PROGRAM`, or by `mpiexec` or `srun`; who they are, and how
    they reach each other, is known to MPI.

    Args:
        backend: is always MPI; another name gets a word of notice.
        init_method: is accepted for PyTorch's sake, as are `store`, `group_name`, `pg_options` and others.
        timeout: how many seconds (or a timedelta) a call may wait for other processes; default 30 minutes, or what
            the environment says in GRADCIRCUIT_DISTRIBUTED_TIMEOUT.
        world_size: how many processes there are, if it is to be checked.
        rank: the number of this one, likewise.
        store: see `init_method`.
        group_name: likewise.
        pg_options: likewise.
        debug: compare each call with those of the other processes before it is made, and raise if they don't agree,
            instead of waiting for ever or giving wrong numbers. Default: GRADCIRCUIT_DISTRIBUTED_DEBUG is 1.
        others: see `init_method`.

    Raises:
        RuntimeError: it was called already, `world_size` or `rank` aren't MPI's, or several processes have been
            started but MPI isn't installed.
        ValueError: the timeout is no positive number.

    >>> nn.distributed.init_process_group()
    >>> nn.distributed.get_rank(), nn.distributed.get_world_size()
    (0, 1)
    >>> nn.distributed.destroy_process_group()
    """
    if GroupMember.WORLD:
        raise RuntimeError("init_process_group() was called already; call destroy_process_group() first")
    mpi = world_of_mpi()
    size, own = (mpi.size, mpi.rank) if mpi else (1, 0)
    if world_size not in (-1, size) or rank not in (-1, own):
        raise RuntimeError(f"world_size={world_size} and rank={rank} were given, but MPI has started {size} "
                           f"process{'es' if size > 1 else ''}, of which this is number {own}; write python -m "
                           f"nn.distributed -n {max(world_size, 1)} PROGRAM, and leave both out")
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    if seconds is None:
        seconds = _usual_timeout()
    if not seconds > 0:
        raise ValueError(f"timeout must be more than 0 seconds, not {seconds:g}")
    if backend is not None and "mpi" not in backend.lower() and own == 0:
        warn(f"backend {backend!r} is not here: MPI is used")
    if debug is None:
        debug = os.environ.get("GRADCIRCUIT_DISTRIBUTED_DEBUG") == "1"
    GroupMember.WORLD = ProcessGroup(range(size), mpi, seconds, debug)
    if mpi:
        _exchange_addresses(GroupMember.WORLD)


def _exchange_addresses(world: ProcessGroup) -> None:
    host, process = waiting.own_address()
    own, all_of_them = np.zeros(256, np.uint8), np.empty((world.size(), 256), np.uint8)
    text = f"{process} {host}".encode()[:256]
    own[:len(text)] = list(text)
    request = world.comm.Iallgather(own, all_of_them)
    world.wait_until(request.Test, "init_process_group")
    texts = [row.tobytes().rstrip(b"\0").decode(errors="replace").split(" ", 1) for row in all_of_them]
    waiting.know_addresses((host, int(process)) for process, host in texts)


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """Take part no longer, in a group or (without one) at all."""
    if group is None or group is GroupMember.WORLD:
        GroupMember.WORLD = None
    elif group.comm is not None:
        group.comm, group.rank = None, -1


def is_available() -> bool:
    """Yes: without MPI there is a world of one."""
    return True


def is_mpi_available() -> bool:
    """Whether mpi4py is installed."""
    return importlib.util.find_spec("mpi4py") is not None


def is_initialized() -> bool:
    """Whether `init_process_group` was called."""
    return GroupMember.WORLD is not None


def get_backend(group: ProcessGroup | None = None) -> str:
    """"mpi"."""
    resolved(group)
    return "mpi"


def resolved(group: ProcessGroup | None) -> ProcessGroup:
    """A group; None is that of all.

    Raises:
        RuntimeError: there is none, because `init_process_group` was not called.
        TypeError: it is something else.
    """
    group = GroupMember.WORLD if group is None else group
    if group is None:
        raise RuntimeError("call nn.distributed.init_process_group() first")
    if not isinstance(group, ProcessGroup):
        raise TypeError(f"a group is what new_group() returns, not a {type(group).__name__}")
    return group


def get_rank(group: ProcessGroup | None = None) -> int:
    """The number of this process, from 0; -1 where it is not in the group."""
    return resolved(group).rank


def get_world_size(group: ProcessGroup | None = None) -> int:
    """How many processes there are (in the group; -1 where this one is not in it)."""
    return resolved(group).size()


def get_process_group_ranks(group: ProcessGroup | None) -> list[int]:
    """The numbers of a group's processes among all."""
    return list(resolved(group).ranks)


def get_group_rank(group: ProcessGroup, global_rank: int) -> int:
    """The number in a group of process `global_rank`."""
    return resolved(group).index(global_rank)


def get_global_rank(group: ProcessGroup, group_rank: int) -> int:
    """The number among all of a group's process `group_rank`."""
    return resolved(group).ranks[group_rank]


def new_group(ranks: Sequence[int] | None = None, timeout: timedelta | float | None = None,
              backend: str | None = None, pg_options: object = None, **others: object) -> ProcessGroup:
    """A group of some of the processes (default: all), to be given as `group=`; all processes must call it alike.

    Args:
        ranks: their numbers.
        timeout: of its calls; default that of `init_process_group`.
        backend: is always MPI.
        pg_options: is accepted for PyTorch's sake, as are others.
        others: see `pg_options`.

    Raises:
        ValueError: a rank twice, or one that isn't there.
    """
    world = resolved(None)
    ranks = sorted(world.ranks if ranks is None else ranks)
    if len(set(ranks)) < len(ranks) or not ranks or not set(ranks) <= set(world.ranks):
        raise ValueError(f"ranks must be different numbers from 0 to {len(world.ranks) - 1}, not {ranks}")
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    comm = None
    if world.comm is not None:
        outside = importlib.import_module("mpi4py.MPI").UNDEFINED
        comm = world.comm.Split(0 if world.rank in ranks else outside, world.rank)
    return ProcessGroup(ranks, comm if world.rank in ranks else None, seconds or world.timeout, world.debug)
