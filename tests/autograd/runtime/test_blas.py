"""BLAS: found when NumPy has loaded it, told how its threads are to wait."""

import os
import subprocess
import sys

import pytest

from autograd.runtime import blas

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


@with_openblas
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_there_may_be_more_threads_than_at_the_start():
    """Also after a fork while products had one thread."""
    program = """
import os, numpy as np, autograd
from autograd.runtime import threads
a = np.ones((600, 600))
autograd.set_num_threads(4)
assert (a @ a == 600).all()
with threads.one_blas_thread():
    child = os.fork()
assert (a @ a == 600).all()
if not child:
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""
    assert said(program, {"OPENBLAS_NUM_THREADS": "1"}) == ["0"]
