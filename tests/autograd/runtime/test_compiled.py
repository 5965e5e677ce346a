"""By itself a process uses the forms that are on disk; it waits for no compiler, and equal runs have equal bits."""

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
"""


def run(program, folder=ROOT, **environment):
    """What a process of its own prints, which starts as any does, and what it says to its standard error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "GRADCIRCUIT_"))}
    done = subprocess.run([sys.executable, "-W", "always", "-c", START + program], capture_output=True, text=True,
                          check=False, cwd=folder, env=clean | {"PYTHONPATH": str(folder)} | environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with forms of what `step` does."""
    folder = str(tmp_path_factory.mktemp("kept"))
    run("step()", GRADCIRCUIT_COMPILED="1", NUMBA_CACHE_DIR=folder)
    return folder


LONG = """
compiled.ENOUGH = 1 << 20
seen = [(step().tobytes(), autograd.is_compiled()) for _ in range(8)]
print(*[b for _, b in seen])
print(__import__('hashlib').sha256(b''.join([a for a, _ in seen])).hexdigest())
"""


@needs_numba
def test_what_is_on_disk_is_used_after_a_while_and_equal_runs_have_equal_bits(kept):
    program = """
from autograd.runtime import caching
caching._Cache.save_overload = None  # nothing is compiled
load, loaded = caching._Cache.load_overload, []
def noted(cache, *args):
    found = load(cache, *args)
    loaded.append(cache._py_func.__name__)
    return found
caching._Cache.load_overload = noted
rng = np.random.default_rng(0)
""" + LONG + """
print(any(name.endswith("_normalize_rows_back") for name in loaded))
"""
    first, second = [run(program, NUMBA_CACHE_DIR=kept) for _ in range(2)]
    assert first == second and first[1] == ""
    used = first[0][:8]
    assert used[0] == "False" and used[-1] == "True" and first[0][-1] == "True"


@needs_numba
def test_what_is_on_disk_needs_no_compiler(kept):
    """numba would take .2 s and 45 MiB to get ready."""
    program = """
for _ in range(3):
    step()
print(autograd.is_compiled(), *{"numba.core.inline_closurecall", "numba.np.linalg"}.intersection(sys.modules))
"""
    assert run(program, GRADCIRCUIT_COMPILED="1", NUMBA_CACHE_DIR=kept)[0] == ["True"]


@needs_numba
def test_what_is_not_on_disk_is_left_to_numpy(kept, tmp_path):
    """Also where some of it is: the results are NumPy's, to the bit."""
    program = """
F.layer_norm = lambda x, shape, weight: x * weight  # has no forms in this folder
def step(draw=rng):
    x = autograd.tensor(draw.standard_normal((512, 64)).astype(np.float32), requires_grad=True)
    nn_conv(x)
    return x.grad.numpy()
from nn import Conv2d
conv = Conv2d(1, 2, 3)
def nn_conv(x):
    (conv(x.reshape(8, 1, 64, 64)) ** 2).sum().backward()
""" + LONG
    plain, _ = run("autograd.manual_seed(0)\n" + program, GRADCIRCUIT_COMPILED="0")
    before = len(list(Path(kept).rglob("*.nbc")))
    some, said = run("autograd.manual_seed(0)\n" + program, NUMBA_CACHE_DIR=kept)
    assert some[-1] == plain[-1] and some[7] == "True" and said == ""
    assert len(list(Path(kept).rglob("*.nbc"))) == before


@needs_numba
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_process_uses_them_too(kept):
    program = """
compiled.ENOUGH = 1 << 18
for _ in range(8):
    step()
child = os.fork() if (os := __import__('os')) else 0
if not child:
    for _ in range(20):
        step()
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run(program, NUMBA_CACHE_DIR=kept)[0] == ["7"]


@needs_numba
def test_where_nothing_can_be_kept_numpy_does_the_work_and_says_so_once(tmp_path):
    for package in ("autograd", "nn", "optim"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "autograd/compiled/__pycache__").touch()
    file = tmp_path / "file"
    file.touch()
    nowhere = {name: str(file / "below") for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "LOCALAPPDATA")}
    printed, said = run(LONG, tmp_path, **nowhere)
    assert printed[7] == "False"
    assert said.count("Warning") == 1
    assert "cannot be kept on disk" in said and "NumPy does their work" in said


@pytest.mark.parametrize("how", ["sys.modules['numba'] = None", "importlib.util.find_spec = lambda name: None"])
def test_without_numba_nothing_is_said(how):
    printed, said = run(f"import importlib.util\n{how}\n" + LONG)
    assert printed[7] == "False"
    assert said == ""


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
