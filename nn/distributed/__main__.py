"""Start a program several times on this machine, as processes that know of each other.

    python -m nn.distributed -n 4 train.py --epochs 3          four processes, by MPI's mpiexec
    python -m nn.distributed -n 4 --label -m package.train     a module; each line of output begins with its rank
    python -m nn.distributed -n 4 -m nn.as_torch train.py      what torchrun would start
    srun python -m nn.distributed train.py                     on many machines: without -n this is one of the processes

A process that raises, exits with an error, or is killed ends them all; one that others wait for says where it is.
Its place is in the environment: RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE.
"""

import argparse
import io
import os
import runpy
import shutil
import sys
import sysconfig
from typing import Any

from autograd.runtime import threads
from nn.distributed import groups


def main(arguments: list[str] | None = None) -> None:
    """The command `python -m nn.distributed`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser("python -m nn.distributed", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--nproc-per-node", "--nproc_per_node", dest="n", type=int, metavar="N",
                        help="how many processes to start on this machine")
    parser.add_argument("--label", action="store_true", help="begin each line of output with its rank")
    parser.add_argument("--debug", action="store_true", help="compare each call with those of the other processes")
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds that a process may keep others waiting")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module, as `python -m` does")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="PROGRAM ...")
    given = parser.parse_args(arguments)
    if not given.module and not given.arguments:
        parser.error("which program? Give a script, or -m and a module")
    if given.n is not None and given.n < 1:
        parser.error(f"-n must be at least 1, not {given.n}")
    if given.timeout is not None and not given.timeout > 0:
        parser.error(f"--timeout must be more than 0 seconds, not {given.timeout:g}")
    if not given.module and not os.path.exists(given.arguments[0]):
        parser.error(f"there is no program {given.arguments[0]!r}; for a module write -m {given.arguments[0]}")
    if given.debug:
        os.environ["GRADCIRCUIT_DISTRIBUTED_DEBUG"] = "1"
    if given.timeout is not None:
        os.environ["GRADCIRCUIT_DISTRIBUTED_TIMEOUT"] = str(given.timeout)
    rest = (["-m", given.module] if given.module else []) + given.arguments
    if given.n is None or given.n == 1:
        run(given.module, given.arguments, given.label)
    else:
        start(given.n, (["--label"] if given.label else []) + rest)


def start(count: int, arguments: list[str]) -> None:
    """Become the mpiexec that starts `count` processes, each with its share of the processors."""
    beside = os.path.join(sysconfig.get_path("scripts"), "mpiexec")  # that of the package mpich
    mpiexec = shutil.which(beside) or shutil.which("mpiexec")
    if mpiexec is None or not groups.is_mpi_available():
        sys.exit(f"to start {count} processes, MPI is needed: {groups.INSTALL}")
    share = str(max(1, threads.get_num_threads() // count))
    environment = {"OPENBLAS_NUM_THREADS": share, "OMP_NUM_THREADS": share, **os.environ}
    command = [mpiexec, "-n", str(count), sys.executable, "-m", "nn.distributed", *arguments]
    os.execve(mpiexec, command, environment)


def run(module: str | None, arguments: list[str], label: bool) -> None:
    """Run the program in this process, which is one of those that MPI has started."""
    world = groups.world_of_mpi()
    rank, size = (world.rank, world.size) if world else (0, 1)
    local_rank, local_size = groups.place_on_this_machine()
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(size), LOCAL_RANK=str(local_rank),
                      LOCAL_WORLD_SIZE=str(local_size))
    os.environ.setdefault("MASTER_ADDR", "localhost")  # a program may ask; MPI knows how to reach the others
    os.environ.setdefault("MASTER_PORT", "29500")
    if world and isinstance(sys.stdout, io.TextIOWrapper):  # lines as soon as they are complete, each in one piece
        sys.stdout.reconfigure(line_buffering=True, write_through=False)
    if label:
        sys.stdout, sys.stderr = _Labeled(sys.stdout, rank), _Labeled(sys.stderr, rank)
    try:
        if module:
            sys.argv = [module, *arguments]
            sys.path.insert(0, os.getcwd())
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            sys.path.insert(0, os.path.dirname(os.path.abspath(arguments[0])))
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        if end.code and world:
            print(f"rank {rank} of {size} exits with {end.code}, and ends all", file=sys.stderr)
            groups.abort(end.code if isinstance(end.code, int) else 1)
        raise


class _Labeled:
    """A stream of text that begins each line with a rank."""

    def __init__(self, stream: Any, rank: int) -> None:
        self._stream, self._label, self._begun = stream, f"[{rank}] ", ""

    def write(self, text: str) -> int:
        """Write the lines that are complete, each at once."""
        *lines, self._begun = (self._begun + text).split("\n")
        if lines:
            self._stream.write("".join([f"{self._label}{line}\n" for line in lines]))
            self._stream.flush()
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write several texts."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Write what is left of a line, and end it."""
        if self._begun:
            self.write("\n")
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


if __name__ == "__main__":
    main()
