"""Work is divided among threads without changing a result, an error, or anything outside of the call."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd.runtime import blas, threads

MUCH = 100 * threads.WORTHWHILE
pytestmark = pytest.mark.skipif(blas.set_num_threads is None, reason="NumPy uses another BLAS than OpenBLAS")


@pytest.fixture(autouse=True)
def three_threads():
    before = autograd.get_num_threads()
    autograd.set_num_threads(3)
    yield
    autograd.set_num_threads(before)


@given(count=st.integers(0, 20), numbers=st.integers(0, MUCH))
def test_the_parts_make_up_the_whole_in_order(count, numbers):
    parts = threads.in_parallel(lambda part: range(20)[part], count, numbers)
    assert [i for part in parts for i in part] == list(range(count))
    assert len(parts) <= 3


@given(start=st.integers(0, 20), count=st.integers(0, 20), each=st.integers(0, 3 * threads.CACHED))
def test_the_pieces_make_up_the_part_and_fit_the_cache(start, count, each):
    pieces = threads.pieces(slice(start, start + count), each)
    assert [i for piece in pieces for i in range(100)[piece]] == list(range(start, start + count))
    assert all((piece.stop - piece.start) * each <= threads.CACHED or piece.stop - piece.start == 1 for piece in pieces)


def test_parts_run_side_by_side_and_blas_has_one_thread_meanwhile():
    meeting = threading.Barrier(3, timeout=30)  # each part waits for the others

    def work(part):
        meeting.wait()
        return blas.get_num_threads()

    assert threads.in_parallel(work, 3, MUCH) == [1, 1, 1]
    assert blas.get_num_threads() == 3


def test_little_work_and_work_within_work_stay_in_their_thread():
    def names(part):
        return threading.current_thread().name

    assert threads.in_parallel(names, 3, 10) == [threading.current_thread().name]
    within = threads.in_parallel(lambda part: ([names(part)], threads.in_parallel(names, 3, MUCH)), 3, MUCH)
    assert all(inner == name for name, inner in within)


def test_an_error_is_raised_when_nobody_writes_any_more():
    result, started = np.zeros(3), threading.Event()

    def work(part):
        if part.start == 0:
            started.wait(30)
            raise ZeroDivisionError("in the first part")
        started.set()
        result[part] = 1

    with pytest.raises(ZeroDivisionError, match="in the first part"):
        threads.in_parallel(work, 3, MUCH)
    np.testing.assert_array_equal(result, [0, 1, 1])
    assert blas.get_num_threads() == 3

    def fail_elsewhere(part):
        if part.start:
            raise KeyError(part.start)

    with pytest.raises(KeyError):
        threads.in_parallel(fail_elsewhere, 3, MUCH)


def test_what_busy_threads_do_not_begin_the_caller_does():
    begun, go_on = threading.Semaphore(0), threading.Event()

    def occupy(part):
        begun.release()
        go_on.wait(30)

    other = threading.Thread(target=threads.in_parallel, args=(occupy, 3, MUCH))
    other.start()
    for _ in range(3):
        begun.acquire(timeout=30)
    caller = threading.current_thread().name
    assert threads.in_parallel(lambda part: threading.current_thread().name, 3, MUCH) == [caller] * 3
    go_on.set()
    other.join()


def test_what_numpy_is_told_about_errors_holds_in_every_part():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        threads.in_parallel(lambda part: part.start and np.ones(3) / 0, 3, MUCH)


def test_a_number_below_one_is_refused():
    with pytest.raises(ValueError, match=r"set_num_threads\(0\)"):
        autograd.set_num_threads(0)


@pytest.mark.parametrize(("setting", "count"), [
    ({"OPENBLAS_NUM_THREADS": "3"}, 3), ({"OMP_NUM_THREADS": "5"}, 5),
    ({"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "7"}, 2)])
def test_the_environment_says_how_many(setting, count):
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    program = "import autograd; print(autograd.get_num_threads())"
    result = subprocess.run([sys.executable, "-c", program], env=clean | setting, capture_output=True, text=True,
                            check=True)
    assert int(result.stdout) == count


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_makes_threads_of_its_own():
    program = """
import os
import autograd
from autograd.runtime import threads
autograd.set_num_threads(2)
work = lambda: threads.in_parallel(lambda part: part.start, 2, 1 << 30)
work()
child = os.fork()
if not child:
    os._exit(0 if work() == [0, 1] else 1)
print(os.waitpid(child, 0)[1])
"""
    result = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True,
                            check=True, timeout=60)
    assert int(result.stdout) == 0


@pytest.mark.parametrize("count", [1, 4])
def test_the_second_step_of_a_part_is_done_while_the_first_of_the_next_is(count):
    autograd.set_num_threads(count)
    order, out = [], np.zeros(100)
    parts = threads.pieces(slice(0, 100), 1, 7)
    threads.in_turn(lambda part: order.append(part) or part.start, lambda part, start: out.__setitem__(part, start),
                    parts)
    with pytest.raises(ZeroDivisionError):
        threads.in_turn(lambda part: part.start, lambda part, start: 1 // (start - 49), parts)
    assert order == parts
    np.testing.assert_array_equal(out, np.arange(100) // 7 * 7)
