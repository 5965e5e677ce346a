"""One program in both libraries, and how far the numbers that it prints are apart."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.nn.public.programs import Program

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
_NUMBER = re.compile(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?|\bnan\b|\binf\b")


class CannotBeRunError(Exception):
    """PyTorch cannot run it, here."""


@dataclass
class Comparison:
    """How many numbers were printed, and how far the worst is apart, relatively; whether the other text is the same."""

    numbers: int
    apart: float
    same_text: bool


def run(program: Program, folder: Path, work: Path, ours: bool) -> str:
    """What a program prints; work is where its repository is copied to, and where it runs."""
    copy = work / "repository"
    shutil.copytree(folder / program.repository, copy)
    where = copy / program.inside
    program.prepare(where)
    script = HERE / "drivers" / program.script if program.driver else copy / program.script
    paths = [*([str(ROOT)] if ours else []), str(where), str(copy), str(HERE / "standins"),
             *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONWARNINGS": "ignore", "MPLBACKEND": "Agg",
                   "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0",
                   "IMAGES": str(program.images), **({"FLOAT64": "1"} if program.float64 else {})}
    done = subprocess.run([sys.executable, *(["-m", "nn.as_torch"] if ours else []), str(HERE / "seeded.py"),
                           str(script), *shlex.split(program.arguments)], cwd=where, env=environment,
                          capture_output=True, text=True, check=False, timeout=1200)
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if line and not line.startswith(" ")]
        if ours:
            raise AssertionError(done.stderr)
        raise CannotBeRunError(told[-1] if told else f"it ended with {done.returncode}")
    text = done.stdout + done.stderr * program.logs
    return "\n".join(re.findall(program.keep, text)) if program.keep else re.sub(program.drop, "", text)


def compare(program: Program, folder: Path, work: Path) -> Comparison:
    """Run it in both.

    Raises:
        CannotBeRunError: PyTorch fails, too.
        AssertionError: this project fails.
    """
    theirs = run(program, folder, work / "theirs", ours=False)
    ours = run(program, folder, work / "ours", ours=True)
    a, b = (np.array(_NUMBER.findall(text), float) for text in (theirs, ours))
    count = min(len(a), len(b))
    a, b = a[:count], b[:count]
    apart = np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-3)
    apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.nan_to_num(apart, nan=np.inf))
    same = len({_NUMBER.sub("", text).replace(" ", "") for text in (theirs, ours)}) == 1
    return Comparison(count, apart.max(initial=0), same)
