"""The settings of the process are made by the first backward pass or step, unless somebody says otherwise."""

import os
import platform
import subprocess
import sys

import pytest

from autograd.runtime import blas

PROGRAM = """
import resource
import autograd
def step():
    for _ in range(20):
        x = autograd.ones(1 << 20)
        x = x * 2 + 1
autograd.ones(1, requires_grad=True).sum().backward()
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")
@pytest.mark.parametrize(("setting", "kept"), [
    ({}, True), ({"GRADCIRCUIT_PROCESS": "0"}, False), ({"MALLOC_TOP_PAD_": "0"}, False)])
def test_page_faults_of_a_repeated_step(setting, kept):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    result = subprocess.run([sys.executable, "-c", PROGRAM], env=clean | setting, capture_output=True, text=True,
                            check=True)
    blocks = 20 * 2 * (1 << 22) // 4096  # pages of the blocks that the step makes
    assert (int(result.stdout) < blocks / 20) == kept


@pytest.mark.parametrize(("before", "setting", "threshold"), [
    ("", {}, 20_000), ("gc.set_threshold(123)", {}, 123), ("gc.set_threshold(0)", {}, 0),
    ("gc.set_threshold(700)", {"GRADCIRCUIT_PROCESS": "0"}, 700)])
@pytest.mark.parametrize("first", ["x.sum().backward()", "x.grad = x.detach(); optim.SGD([x], lr=0.1).step()"])
def test_the_collectors_threshold(before, setting, threshold, first):
    program = f"""import gc
{before}
usual = gc.get_threshold()
import autograd, nn, optim, viz
x = autograd.ones(1, requires_grad=True)
assert gc.get_threshold() == usual
{first}
print(gc.get_threshold()[0])"""
    result = subprocess.run([sys.executable, "-c", program], env=os.environ | setting, capture_output=True, text=True,
                            check=True)
    assert int(result.stdout) == threshold


WATCHED = """
import importlib.abc, os, sys
class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "numpy":
            print(os.environ.get("OPENBLAS_THREAD_TIMEOUT"))
sys.meta_path.insert(0, Watch())
environment = dict(os.environ)
"""
DONE = """
from autograd.runtime import blas
threads = blas.get_num_threads()
print(blas.sleep_between_products())
assert dict(os.environ) == environment and blas.get_num_threads() == threads
import numpy as np
a = np.random.default_rng(0).standard_normal((300, 300))
np.testing.assert_allclose(a @ a, np.einsum("ij,jk->ik", a, a))
"""
with_openblas = pytest.mark.skipif(blas.set_num_threads is None, reason="NumPy uses another BLAS than OpenBLAS")


def said(program, setting):
    clean = {name: value for name, value in os.environ.items()
             if name not in ("OPENBLAS_THREAD_TIMEOUT", "GRADCIRCUIT_PROCESS")}
    return subprocess.run([sys.executable, "-c", program], env=clean | setting, capture_output=True, text=True,
                          check=True).stdout.split()


@with_openblas
@pytest.mark.parametrize("package", ["autograd", "nn", "nn.data", "optim", "viz"])
def test_blas_finds_what_it_is_told_while_numpy_is_imported(package):
    assert said(f"{WATCHED}\nimport {package}\n{DONE}", {}) == ["16", "True"]


@with_openblas
@pytest.mark.parametrize("setting", [{"OPENBLAS_THREAD_TIMEOUT": "20"}, {"GRADCIRCUIT_PROCESS": "0"}], ids=str)
def test_blas_is_left_as_the_environment_says(setting):
    seen = str(setting.get("OPENBLAS_THREAD_TIMEOUT"))
    assert said(f"{WATCHED}\nimport autograd\n{DONE}", setting) == [seen, "False"]


@with_openblas
@pytest.mark.parametrize(("then", "alone"), [
    ("", True), ("import threading, time; threading.Thread(target=time.sleep, args=(5,), daemon=True).start()", False)])
def test_blas_that_runs_is_told_if_it_can_be(then, alone):
    can = hasattr(blas._library, "openblas_read_env")
    assert said(f"{WATCHED}\nimport numpy\n{then}\nimport autograd\n{DONE}", {}) == ["None", str(can and alone)]
