"""Who takes part."""

import io
import subprocess
import sys
import time
from datetime import timedelta

import pytest

import nn.distributed as dist
from nn.distributed import groups, waiting
from tests.nn.distributed.processes import ROOT


@pytest.fixture(autouse=True)
def no_group():
    yield
    dist.destroy_process_group()


def test_a_process_alone_is_a_world_of_one():
    assert not dist.is_initialized() and dist.is_available()
    dist.init_process_group(timeout=timedelta(seconds=5), world_size=1, rank=0)
    assert dist.is_initialized() and (dist.get_rank(), dist.get_world_size(), dist.get_backend()) == (0, 1, "mpi")
    group = dist.new_group()
    assert (group.rank, group.size(), group.timeout) == (0, 1, 5) and dist.get_group_rank(group, 0) == 0
    dist.destroy_process_group(group)
    assert dist.is_initialized() and dist.group.WORLD is not None


@pytest.mark.parametrize("mistake, said", [
    (dist.get_rank, r"call nn\.distributed\.init_process_group\(\) first"),
    (lambda: dist.init_process_group(world_size=4), "python -m nn.distributed -n 4"),
    (lambda: dist.init_process_group(timeout=0), "more than 0 seconds, not 0"),
    (lambda: dist.init_process_group() or dist.init_process_group(), "called already"),
    (lambda: dist.init_process_group() or dist.new_group([0, 1]), r"from 0 to 0, not \[0, 1\]"),
    (lambda: dist.init_process_group() or dist.barrier(3), "new_group"),
])
def test_what_cannot_be_is_said(mistake, said):
    with pytest.raises((RuntimeError, ValueError, TypeError), match=said):
        mistake()


def test_another_backend_gets_a_word():
    with pytest.warns(UserWarning, match="'nccl' is not here: MPI is used"):
        dist.init_process_group("nccl")


@pytest.mark.parametrize("installed", [True, False])
def test_one_of_several_that_cannot_speak_with_the_others_does_not_work_on_alone(installed, monkeypatch):
    if installed:
        pytest.importorskip("mpi4py")
    program = (f"import sys, nn.distributed as d; {'' if installed else 'sys.modules[`mpi4py`] = None;'}"
               "d.init_process_group()").replace("`", "'")
    monkeypatch.setenv("WORLD_SIZE", "3")
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1 and "WORLD_SIZE=3" in result.stderr
    assert ("-n 3" if installed else groups.INSTALL) in result.stderr


def test_what_an_exception_says_gets_out_in_one_piece_before_the_end(monkeypatch):
    class World:
        rank, size = 1, 2

        def Abort(self, code):  # noqa: N802 - mpi4py's name
            done.append(("ended", code))

    class Stream(io.StringIO):
        def write(self, text):
            done.append(("written", text))
            return len(text)
    done = []
    monkeypatch.setattr(groups, "world_of_mpi", World)
    monkeypatch.setattr(sys, "stderr", Stream())
    monkeypatch.setattr(time, "sleep", lambda seconds: done.append(("heard", seconds)))
    error = ValueError("this is why")
    groups._end_all(sys.__excepthook__, ValueError, error, None)
    assert done == [("written", "rank 1 of 2 raised, and ends all:\nValueError: this is why\n"),
                    ("heard", waiting.HEARD), ("ended", 1)]
