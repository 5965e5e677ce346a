"""Processes that take turns, so that every library sees the same machine.

Each library runs in a process and, if need be, an environment of its own. A turn lasts 0.4 s; one in which other
processes took more than 8 % of a core is thrown away.
"""

import json
import math
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
TURN = 0.4  # seconds
SETTLE = 0.05  # seconds in which the threads of the process before fall asleep
STEPS = 10  # undisturbed steps that make a median
LIMIT = 300  # seconds that an answer may take
OURS = ("gradcircuit", "compiled", "products", "pass")  # these import the engine from this checkout

VARIANTS = {"compiled": "gradcircuit", "torch_tuned": "torch"}  # in the same environment


class WorkerError(Exception):
    """A worker ended without an answer; says why."""


@dataclass
class Library:
    """A library, the interpreter that has it, and what its worker says about it."""

    name: str
    python: str = sys.executable
    version: str = ""
    modules: str = ""
    size: float = 0.0
    checkout: Path | None = None
    """For this project as it stands elsewhere: its folder. Its name begins with "before ", then."""
    workloads: list[str] = field(default_factory=list)
    threads: int = 2

    def describe(self) -> "Library":
        """Ask the interpreter; raises WorkerError where the library is not installed."""
        worker = Worker(self)
        worker.close()
        self.version, self.modules = worker.answer["version"], worker.answer["modules"]
        self.size, self.workloads = worker.answer["size"], worker.answer["workloads"]
        return self

    def environment(self) -> dict[str, str]:
        """So many threads, and otherwise defaults: what a shell sets is nobody's."""
        plain = {name: value for name, value in os.environ.items()
                 if not name.startswith(("OPENBLAS_", "MKL_", "MALLOC_", "PYTHON"))}
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
                                str(self.threads))
        ours = {"PYTHONPATH": str(self.checkout or HERE.parent)} if self.checkout or self.name in OURS else {}
        return plain | threads | ours


class Worker:
    """A process that runs one workload in one library, turn by turn; `answer` is the first thing it said.

    `program` may be another one that answers lines of standard input with lines of JSON, told its library.
    """

    def __init__(self, library: Library, workload: str = "", program: str = "worker.py", **size: int) -> None:
        self.library, self.times, self.disturbed = library, [], []
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        arguments = [workload, *(f"{name}={value}" for name, value in size.items())] if workload else []
        name = library.name.removeprefix("before ")
        option = ["--worker"] if program != "worker.py" else []
        self.process = subprocess.Popen([library.python, HERE / program, *option, name, *arguments], cwd=HERE,
                                        env=library.environment(), text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors)
        self.answer = self._read()

    def _read(self):
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.close()
            raise WorkerError(f"no answer within {LIMIT} s" if not ready else self.last_words)
        return json.loads(line)

    def ask(self, line: str):
        """What it answers."""
        time.sleep(SETTLE)
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self._read()

    def turn(self) -> None:
        """Run for a moment; keep the times if the machine was quiet."""
        others, begin = _others(self.process.pid), time.perf_counter()
        times = self.ask(str(TURN))
        wall = time.perf_counter() - begin
        share = (_others(self.process.pid) - others) / wall
        (self.times if share < 0.08 + 0.02 / wall else self.disturbed).extend(times)  # the clock ticks every 10 ms

    def enough(self, seconds: float) -> bool:
        """Whether the undisturbed steps make a median, or so much was tried that more would not help."""
        return ((len(self.times) >= STEPS and sum(self.times) >= seconds)
                or sum(self.times) + sum(self.disturbed) >= 3 * seconds)

    def figures(self) -> dict[str, float]:
        """Median and spread (half the distance of the quartiles, relative) of the undisturbed steps."""
        times = self.times if len(self.times) >= 3 else self.times + self.disturbed
        quartiles = statistics.quantiles(times, n=4) if len(times) > 1 else times * 3
        return {"median": quartiles[1], "spread": (quartiles[2] - quartiles[0]) / 2 / quartiles[1],
                "steps": len(times), "quiet": len(self.times) / len(self.times + self.disturbed)}

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.seek(0)
        self.last_words = (self.errors.read().strip().splitlines() or [f"status {self.process.returncode}"])[-1]
        self.errors.close()


def _others(pid: int) -> float:
    """Seconds of processor time that all other processes have used; 0 where /proc does not tell."""
    try:
        ticks = Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
        busy = sum(int(n) for i, n in enumerate(ticks) if i not in (3, 4))  # not idle, not waiting
        own = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
    except OSError:
        return 0.0
    return (busy - own) / os.sysconf("SC_CLK_TCK")


def measure(libraries: list[Library], workload: str, seconds: float, rounds: int = 1, **size: int) -> dict[str, dict]:
    """Run a workload in all libraries, in turns, until each has `seconds` of undisturbed steps.

    Gives for each library median, spread, steps and quiet (see `Worker.figures`), the results of the first steps and
    the memory they took in MiB; or, where it failed, the reason under "failure". A process may be unlucky with where
    its memory lies for as long as it runs: of several rounds, each in new processes, a library's best is kept.
    """
    best: dict[str, dict] = {}
    for _ in range(rounds):
        for name, cell in _round(libraries, workload, seconds, **size).items():
            if cell.get("median", math.inf) <= best.get(name, {}).get("median", math.inf):
                best[name] = cell
    return best


def _round(libraries: list[Library], workload: str, seconds: float, **size: int) -> dict[str, dict]:
    workers, cells = {}, {}
    for library in libraries:
        try:
            workers[library.name] = Worker(library, workload, **size)
        except WorkerError as error:
            cells[library.name] = {"failure": str(error)}
    while waiting := [worker for worker in workers.values() if not worker.enough(seconds)]:
        for worker in waiting:
            try:
                worker.turn()
            except WorkerError as error:
                cells[worker.library.name] = {"failure": str(error)}
                del workers[worker.library.name]
    for name, worker in workers.items():
        worker.close()
        cells[name] = worker.figures() | worker.answer
    return cells


def find(names: list[str], pythons: dict[str, str]) -> tuple[list[Library], dict[str, str]]:
    """The libraries that are installed, and for the others the reason why they are left out."""
    found, missing = [], {}
    for name in names:
        python = pythons.get(name) or pythons.get(VARIANTS.get(name, name)) or sys.executable
        try:
            found.append(Library(name, python).describe())
        except (WorkerError, OSError) as error:
            missing[name] = str(error)
    return found, missing


def interpreters(settings: list[str]) -> dict[str, str]:
    """The `--python NAME=PATH` of a command line, as a dictionary."""
    for setting in settings:
        if "=" not in setting:
            raise SystemExit(f"--python {setting}: write --python NAME=PATH, such as jax=.venv-jax/bin/python")
    return {name: os.path.abspath(os.path.expanduser(path))  # resolve() would leave the venv
            for name, path in (setting.split("=", 1) for setting in settings)}
