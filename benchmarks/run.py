"""The workloads in this project and in PyTorch, side by side.

    python benchmarks/run.py [W2 W6 ...] [--seconds 4]

Each library runs in a process of its own, at its own defaults with two threads; the two take turns every 0.4 s, so that
both see the same machine. A turn in which other processes took more than 8 % of a core is thrown away. The table gives
medians, the ratio (above 1: this project is faster) and how the losses agree.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from workloads import LOSSES, WORKLOADS

HERE = Path(__file__).parent
TURN = 0.4
UNITS = {"W1": (2000, 1e6, "µs an operation"), "W7": (1, 1, "s"), "W10": (1, 1, "s")}


class Worker:
    """A process that runs one workload in one library, turn by turn."""

    def __init__(self, library: str, workload: str) -> None:
        plain = {name: value for name, value in os.environ.items()  # what a shell sets is nobody's default
                 if not name.startswith(("OPENBLAS_", "MKL_", "MALLOC_"))}
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2")
        self.process = subprocess.Popen([sys.executable, HERE / "worker.py", library, workload], cwd=HERE.parent,
                                        env=plain | threads | {"PYTHONPATH": str(HERE.parent)}, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.losses = self._answer()
        self.times: list[float] = []
        self.disturbed: list[float] = []

    def _answer(self) -> list[float]:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self.process.args))} ended with status {self.process.wait()}")
        return json.loads(line)

    def turn(self) -> None:
        """Run for a moment; keep the times if the machine was quiet."""
        others, begin = _others(self.process.pid), time.perf_counter()
        self.process.stdin.write(f"{TURN}\n")
        self.process.stdin.flush()
        times = self._answer()
        share = (_others(self.process.pid) - others) / (time.perf_counter() - begin)
        (self.times if share < 0.08 + 0.02 / TURN else self.disturbed).extend(times)

    def median(self) -> float:
        """Of the undisturbed times; of all if there are too few."""
        return statistics.median(self.times if len(self.times) >= 3 else self.times + self.disturbed)

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def _others(pid: int) -> float:
    """Seconds of processor time that all other processes have used; 0 where /proc does not tell."""
    try:
        ticks = Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
        busy = sum(int(n) for i, n in enumerate(ticks) if i not in (3, 4))  # not idle, not waiting
        own = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
    except OSError:
        return 0.0
    return (busy - own) / os.sysconf("SC_CLK_TCK")


def compare(workload: str, libraries: list[str], seconds: float) -> str:
    """One row of the table."""
    workers = [Worker(library, workload) for library in libraries]
    end = time.perf_counter() + seconds * len(workers)
    while time.perf_counter() < end or not all(worker.times or worker.disturbed for worker in workers):
        for worker in workers:
            worker.turn()
    for worker in workers:
        worker.close()
    expected = LOSSES.get(workload, [])
    error = max((abs(a - b) / abs(b) for w in workers for a, b in zip(w.losses, expected, strict=False)), default=0.0)
    per, scale, unit = UNITS.get(workload, (1, 1e3, "ms"))
    title = WORKLOADS[workload].__doc__ or f"{workload}. A convolution alone, forward and both gradients"
    figures = [f"{w.median() / per * scale:.3g}" for w in workers]
    ratio = f"{workers[1].median() / workers[0].median():.2f}" if len(workers) > 1 else "–"
    quiet = sum(len(w.times) for w in workers) / max(1, sum(len(w.times) + len(w.disturbed) for w in workers))
    what = title.split(". ", 1)[-1].splitlines()[0].rstrip(".")
    return f"| {workload} | {what}, {unit} | {' | '.join(figures)} | {ratio} | {error:.0e} | {quiet:.0%} |"


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    parser.add_argument("--seconds", type=float, default=4, help="for each library and workload")
    options = parser.parse_args()
    libraries = ["gradcircuit"]
    if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True, check=False).returncode == 0:
        libraries.append("torch")
    else:
        print("torch is not installed: timing gradcircuit alone\n")
    print(f"| | workload | {' | '.join(libraries)} | ratio | losses differ by | quiet |")
    print("|---|---|" + "---:|" * (len(libraries) + 3))
    for workload in options.workloads or list(WORKLOADS):
        print(compare(workload, libraries, options.seconds), flush=True)


if __name__ == "__main__":
    main()
