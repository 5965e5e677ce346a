"""The settings of the process are made at import, unless somebody says otherwise."""

import os
import platform
import subprocess
import sys

import pytest

from autograd import openblas

PROGRAM = """
import resource
import autograd
def step():
    for _ in range(20):
        x = autograd.ones(1 << 20)
        x = x * 2 + 1
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
def test_the_collectors_threshold(before, setting, threshold):
    program = f"import gc\n{before}\nimport autograd\nprint(gc.get_threshold()[0])"
    result = subprocess.run([sys.executable, "-c", program], env=os.environ | setting, capture_output=True, text=True,
                            check=True)
    assert int(result.stdout) == threshold


@pytest.mark.skipif(openblas.set_num_threads is None, reason="NumPy uses another BLAS than OpenBLAS")
@pytest.mark.parametrize(("before", "setting", "told"), [
    ("", {}, True), ("", {"OPENBLAS_THREAD_TIMEOUT": "20"}, False),
    ("threading.Thread(target=time.sleep, args=(5,), daemon=True).start()", {}, False)])
def test_blas_is_told_to_sleep_and_nothing_else_changes(before, setting, told):
    program = f"""
import os, threading, time
import numpy as np
environment = dict(os.environ)
{before}
from autograd import openblas
threads = openblas.get_num_threads()
print(openblas.sleep_between_products())
assert dict(os.environ) == environment and openblas.get_num_threads() == threads
a = np.random.default_rng(0).standard_normal((300, 300))
np.testing.assert_allclose(a @ a, np.einsum("ij,jk->ik", a, a))
"""
    result = subprocess.run([sys.executable, "-c", program], env=os.environ | setting, capture_output=True, text=True,
                            check=True)
    assert result.stdout.strip() == str(told)
