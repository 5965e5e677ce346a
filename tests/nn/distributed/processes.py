"""Running a program in several processes, for the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def needs_mpi():
    """Skip where there is no MPI to try."""
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: pip install 'gradcircuit[distributed]'")
    if os.name == "nt":
        pytest.skip("mpiexec is tried on Linux and macOS")


def started(count, program, *arguments, options=(), **environment):
    """A program of this folder that runs in `count` processes."""
    needs_mpi()
    command = [sys.executable, "-m", "nn.distributed", "-n", str(count), *options, str(HERE / program), *arguments]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={
        **os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1", **environment})


def output_of(process, seconds=120):
    """What it has printed, in the end."""
    try:
        return process.communicate(timeout=seconds)[0]
    finally:
        process.kill()


def run(count, program, *arguments, **options):
    """Run a program of this folder in `count` processes; its output, if it went well."""
    process = started(count, program, *arguments, **options)
    output = output_of(process)
    assert process.returncode == 0, output
    return output
