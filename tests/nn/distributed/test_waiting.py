"""Whatever one process does, all end within seconds, and it is said why."""

import os
import signal
import time

import pytest

import nn.distributed as dist
from nn.distributed import waiting
from tests.nn.distributed.processes import output_of, started

FAULTS = {  # what the last of two processes does: what is said, and the exit status
    "raises": ("rank 1 of 2 raised, and ends all:\nTraceback (most recent call last):\n  File", 1),
    "exits": ("rank 1 of 2 exits with 3, and ends all", 3),
    "ends": ("which needs rank 1: the program has ended there", 1),
    "is killed": ("Killed", 9),
    "hangs": ("rank 1 is late; it is here", 1),
    "waits elsewhere": ("rank 1 itself waits in barrier (", 1),
    "has another shape": ("rank 0: all_reduce(float32[3], SUM) at ", 1),
    "calls another": ("rank 1: broadcast(float64[3], of rank 0) at ", 1),
}


def ended(process):
    """Whether a process ends soon."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_one_that_fails_ends_all():
    options = ["--timeout", "2", "--debug"]
    begun, processes = time.monotonic(), {how: started(2, "fail.py", how, options=options) for how in FAULTS}
    try:
        outputs = {how: output_of(process, 60) for how, process in processes.items()}
    finally:
        for process in processes.values():
            process.kill()
    assert time.monotonic() - begun < 60
    for how, (said, status) in FAULTS.items():
        assert said in outputs[how], (how, outputs[how])
        assert processes[how].returncode == status, (how, outputs[how])
        other = next(int(line) for line in outputs[how].splitlines() if line.isdigit())
        assert ended(other), how
    assert "ValueError: this is why" in outputs["raises"] and "runpy" not in outputs["raises"]
    assert "time.sleep(1000)" in outputs["hangs"] and "has waited 2 seconds in all_reduce" in outputs["hangs"]


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_ctrl_c_and_the_end_of_the_launcher_end_all(number, status):
    process = started(2, "fail.py", "is interrupted")
    pids = []
    try:
        for line in process.stdout:
            pids += [int(line)] if line.strip().isdigit() else []
            if line.strip() == "waiting" and pids:
                break
        process.send_signal(number)
        output_of(process, 30)
    finally:
        process.kill()
    assert process.returncode == status
    assert ended(pids[0])


def test_the_time_to_wait_for_is_that_of_the_group(monkeypatch):
    class World:
        rank = 0

        def Iprobe(self, *args):  # noqa: N802 - mpi4py's name
            return False
    pytest.importorskip("mpi4py")
    monkeypatch.setattr(waiting, "GRACE", 0.0)
    with pytest.raises(RuntimeError, match=r"rank 0 has waited 0\.05 seconds in a test for rank 1, 2;"):
        waiting.wait_until(lambda: False, "a test", World(), [0, 1, 2], 0.05)
    monkeypatch.setitem(waiting._left, 2, time.monotonic())
    with pytest.raises(RuntimeError, match="which needs rank 2: the program has ended there"):
        waiting.wait_until(lambda: False, "a test", World(), [0, 1, 2], 5)
    waiting.wait_until(lambda: True, "a test", World(), [0, 1, 2], 0)


def test_the_environment_says_how_long_and_whether_to_compare(monkeypatch):
    monkeypatch.setenv("GRADCIRCUIT_DISTRIBUTED_TIMEOUT", "7.5")
    monkeypatch.setenv("GRADCIRCUIT_DISTRIBUTED_DEBUG", "1")
    dist.init_process_group()
    try:
        assert (dist.group.WORLD.timeout, dist.group.WORLD.debug) == (7.5, True)
    finally:
        dist.destroy_process_group()
