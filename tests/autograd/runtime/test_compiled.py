"""Forms are compiled in the background, and used when they are there; nobody waits, and nothing depends on it."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd

ROOT = Path(__file__).parents[3]
needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
START = """
import sys, time
import numpy as np
import autograd, optim
import nn.functional as F
from autograd.runtime import compiled

rng = np.random.default_rng(0)

def step(count=1 << 15):
    x = autograd.tensor(rng.standard_normal((count // 64, 64)).astype(np.float32), requires_grad=True)
    w = autograd.tensor(np.ones(64, np.float32), requires_grad=True)
    F.silu(F.layer_norm(x, (64,), w)).sum().backward()
    optim.Adam([x], lr=0.1).step()
    return w.grad.numpy()

def until(condition):
    end = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < end
        step()
        time.sleep(0.01)

def used():
    from autograd.compiled import elementwise
    from nn.compiled import normalization
    return (compiled._jobs.empty() and normalization._normalize_rows_back.signatures
            and len(elementwise._kernels) and all(elementwise._kernels.values()))
"""


def run(program, folder=ROOT, **environment):
    """What a process of its own prints, which starts as any does, and what it says to its standard error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "GRADCIRCUIT_"))}
    done = subprocess.run([sys.executable, "-W", "always", "-c", START + program], capture_output=True, text=True,
                          check=False, cwd=folder, env=clean | {"PYTHONPATH": str(folder)} | environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


@needs_numba
def test_by_itself():
    """numba is imported when enough has been computed; the results stay the same but for rounding."""
    program = """
for _ in range(3):
    step(64)
first = 'numba' in sys.modules
compiled.ENOUGH = 1 << 18
rng = np.random.default_rng(0)
plain = step()
until(lambda: compiled.ready and 'nn.compiled.normalization' in sys.modules and used())
rng = np.random.default_rng(0)
np.testing.assert_allclose(step(), plain, rtol=1e-4, atol=1e-3)
print(first, autograd.is_compiled())
"""
    assert run(program) == (["False", "True"], "")


@needs_numba
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_process_uses_what_is_there():
    program = """
compiled.ENOUGH = 1 << 18
until(lambda: compiled.ready)
child = os.fork() if (os := __import__('os')) else 0
if not child:
    for _ in range(20):
        step()
    F.mish(autograd.tensor(rng.standard_normal(1 << 15).astype(np.float32)))  # seen for the first time
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run(program)[0] == ["7"]


@needs_numba
def test_where_nothing_can_be_kept_numpy_does_the_work_and_says_so_once(tmp_path):
    for package in ("autograd", "nn", "optim"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "autograd/compiled/__pycache__").touch()
    file = tmp_path / "file"
    file.touch()
    nowhere = {name: str(file / "below") for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "LOCALAPPDATA")}
    program = """
compiled.ENOUGH = 1 << 18
until(lambda: not compiled.on)
print(autograd.is_compiled())
"""
    printed, said = run(program, tmp_path, **nowhere)
    assert printed == ["False"]
    assert said.count("Warning") == 1 and "nothing can be kept on disk" in said


@pytest.mark.parametrize("how", ["sys.modules['numba'] = None", "importlib.util.find_spec = lambda name: None"])
def test_without_numba_nothing_is_said(how):
    program = f"import importlib.util\n{how}\n" + """
compiled.ENOUGH = 1 << 18
until(lambda: not compiled.on)
print(autograd.is_compiled())
"""
    assert run(program) == (["False"], "")


def test_the_environment_switches_them_off():
    program = """
compiled.ENOUGH = 0
for _ in range(3):
    step()
print('numba' in sys.modules, autograd.is_compiled())
"""
    assert run(program, GRADCIRCUIT_COMPILED="0")[0] == ["False", "False"]


def test_by_itself_is_one_of_three_ways():
    before = autograd.is_compiled()
    autograd.set_compiled(None)
    assert not autograd.is_compiled()
    autograd.set_compiled(before)
