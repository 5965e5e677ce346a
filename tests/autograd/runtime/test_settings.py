"""The settings of the process are made by the first backward pass, step or large work, unless somebody says no."""

import os
import platform
import subprocess
import sys

import pytest

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
@pytest.mark.parametrize("first", ["x.sum().backward()", "x.grad = x.detach(); optim.SGD([x], lr=0.1).step()",
                                   "autograd.ones(1 << 20) * 2",
                                   "autograd.set_num_threads(2); autograd.runtime.threads.in_parallel(id, 2, 1 << 23)"])
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
