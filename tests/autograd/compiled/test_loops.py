"""Threads share a compiled loop: each item is done once, whoever calls, sleeps, comes late or has forked."""

import importlib.util
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import autograd
from autograd.runtime import threads

if not importlib.util.find_spec("numba"):
    pytest.skip("numba is not installed", allow_module_level=True)

from autograd.compiled.loops import parallel
from autograd.compiled.team import Board

MUCH = 1 << 30


@parallel
def _count(first, last, seen, rounds):
    for i in range(first, last):
        for _ in range(rounds):
            seen[i] += 1


@pytest.fixture(autouse=True)
def three_threads():
    before = autograd.get_num_threads()
    autograd.set_compiled(True)
    autograd.set_num_threads(3)
    yield
    autograd.set_compiled(False)
    autograd.set_num_threads(before)


def asleep():
    return threads._board.asleep(2)


def wait_until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(1e-3)


@pytest.mark.parametrize("items", [0, 1, 2, 3, 100, 4096])
@pytest.mark.parametrize("work", [1, threads.SHARED, 2 * threads.SHARED, MUCH])
def test_each_item_is_done_once(items, work):
    seen = np.zeros(items, np.int64)
    for _ in range(50):
        _count(items, work, seen, 1)
    assert (seen == 50).all()


def test_they_sleep_when_there_is_nothing_to_do_and_wake_for_what_is_large_enough():
    seen = np.zeros(1000, np.int64)
    _count(1000, MUCH, seen, 1)
    wait_until(lambda: asleep() == 2)
    begin = time.process_time()
    time.sleep(0.1)
    assert time.process_time() - begin < 0.05
    wait_until(lambda: asleep() == 2)
    assert threads.helpers(threads.WAKING - 1, Board)[1] <= 2 - asleep()
    wait_until(lambda: _count(1000, MUCH, seen, 100) or asleep() < 2)


def test_calls_of_many_threads_at_once():
    seen = np.zeros((8, 500), np.int64)

    def call(row):
        for _ in range(300):
            _count(500, MUCH, row, 1)

    callers = [threading.Thread(target=call, args=(row,)) for row in seen]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert (seen == 300).all()


def test_loops_and_python_share_the_threads():
    seen, parts = np.zeros(500, np.int64), []
    for _ in range(100):
        _count(500, MUCH, seen, 1)
        parts += threads.in_parallel(lambda part: _count(100, MUCH, seen[part], 0) or part.stop - part.start, 500, MUCH)
    assert (seen == 100).all()
    assert sum(parts) == 50_000


def test_a_busy_neighbor_delays_but_does_not_hang_them():
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        seen = np.zeros(5000, np.int64)
        for _ in range(200):
            _count(5000, MUCH, seen, 10)
        assert (seen == 2000).all()
    finally:
        for process in busy:
            process.kill()
            process.wait()


def test_another_number_of_threads():
    seen = np.zeros(500, np.int64)
    for count in (1, 2, 5, 1, 3):
        autograd.set_num_threads(count)
        _count(500, MUCH, seen, 1)
        names = [thread.name for thread in threading.enumerate() if thread.name.startswith("gradcircuit")]
        assert len(names) == count - 1
    assert (seen == 5).all()


def test_the_number_of_threads_may_change_while_others_compute():
    wrong = []

    def compute(row):
        for i in range(400):
            autograd.set_num_threads(2 + (i + len(row)) % 2)
            row[:] = 0
            _count(len(row), MUCH, row, 1)
            threads.in_parallel(lambda part: _count(part.stop - part.start, 1, row[part], 1), len(row), MUCH)
            if (row != 2).any():
                wrong.append(row.copy())
    rows = [np.zeros(20_000 + i, np.int64) for i in range(4)]
    callers = [threading.Thread(target=compute, args=(row,)) for row in rows]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
        assert not caller.is_alive()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_has_threads_of_its_own():
    program = """
import os
import autograd
autograd.set_num_threads(3)
autograd.set_compiled(True)
x = autograd.linspace(-3, 3, 1 << 20)
import nn.functional as F
expected = F.silu(x).numpy()
child = os.fork()
if not child:
    os._exit(0 if all((F.silu(x).numpy() == expected).all() for _ in range(50)) else 1)
assert all((F.silu(x).numpy() == expected).all() for _ in range(50))
print(os.waitpid(child, 0)[1])
"""
    result = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True,
                            check=True, timeout=120)
    assert result.stdout.split() == ["0"]


def test_a_process_ends_while_they_look_for_work():
    program = "import autograd, nn.functional as F; autograd.set_num_threads(3); autograd.set_compiled(True); " \
              "F.silu(autograd.ones(1 << 20)); print('done')"
    for _ in range(3):
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False,
                                timeout=120)
        assert (result.returncode, result.stdout.split(), result.stderr) == (0, ["done"], "")


@pytest.mark.slow
def test_where_threads_cannot_give_way_they_take_parts(tmp_path):
    """As on Windows."""
    program = """
import numpy as np
from autograd.compiled import team
team.GIVES_WAY = False
import autograd, nn.functional as F
from autograd.runtime import threads
threads.WORTHWHILE = 1
autograd.set_num_threads(2)
x, results = np.linspace(-3, 3, 1 << 16, dtype=np.float32).reshape(64, -1), []
for mode in (False, True):
    autograd.set_compiled(mode)
    t = autograd.tensor(x, requires_grad=True)
    out = F.silu(t) * t[:, :1] + t.softmax(-1)
    out.sum().backward()
    results.append((out.detach().numpy(), t.grad.numpy()))
for one, other in zip(*results):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
print('done')
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300,
                            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)})
    assert (result.returncode, result.stdout.split(), result.stderr) == (0, ["done"], "")
