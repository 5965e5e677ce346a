"""Worker processes give the batches that there would be without them, and leave nothing behind."""

import gc
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import autograd
from autograd import Generator
from nn import functional as F
from nn.data import DataLoader, Dataset, TensorDataset, get_worker_info, shared_memory

pytestmark = pytest.mark.skipif(not shared_memory.AVAILABLE, reason="needs file descriptors handed over")
ROOT = Path(__file__).parents[3]
LARGE = shared_memory.SMALL // 4  # float32 numbers that make a block


class Rows(Dataset):
    """Row i holds i; `act(i)` may do anything before that."""

    def __init__(self, n=12, act=lambda i: None, size=LARGE):
        self.n, self.act, self.size = n, act, size

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        self.act(i)
        return np.full(self.size, i, np.float32), i


def children():
    """The processes that this one has started and that still are, zombies included."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def blocks():
    return Path("/proc/self/maps").read_text().count("memfd:batch"), len(os.listdir("/proc/self/fd"))


@pytest.fixture(autouse=True)
def nothing_is_left():
    _stop_servers()  # which other tests may have left
    before = children(), blocks()
    yield
    gc.collect()
    assert (children(), blocks()) == before


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("options", [{}, {"shuffle": True}, {"persistent_workers": True, "shuffle": True},
                                     {"prefetch_factor": 1, "drop_last": True}], ids=str)
def test_the_batches_are_those_without_workers(workers, options):
    def passes(**also):
        generator = Generator().manual_seed(3)
        loader = DataLoader(Rows(), 5, generator=generator, **also)
        batches = [[(x.tolist(), y.tolist()) for x, y in loader]
                   for _ in range(1 if "persistent_workers" in options else 2)]  # their seed is drawn once, not twice
        return batches, generator.get_state().tolist()
    assert passes(num_workers=workers, **options) == passes(
        **{name: value for name, value in options.items() if name in ("shuffle", "drop_last")})


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_every_start_method_gives_the_same(method):
    x = np.random.default_rng(0).standard_normal((6, LARGE)).astype(np.float32)
    _use_threads()  # they are there before the fork
    loader = DataLoader(TensorDataset(x, np.arange(6)), 3, num_workers=1, multiprocessing_context=method,
                        collate_fn=_use_threads_and_collate if method == "fork" else None)
    batches = list(loader)
    np.testing.assert_array_equal(np.concatenate([b[0].numpy() for b in batches]), x)
    with pytest.raises(IndexError, match=r"(?s)worker process 0.*Traceback.*out of bounds"):
        list(DataLoader(TensorDataset(x), sampler=[17], num_workers=1, multiprocessing_context=method))
    if method != "fork":
        _stop_servers()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere processes are spawned")
@pytest.mark.parametrize(("before", "method"), [
    ("", "fork"), ("multiprocessing.Lock()", "fork"),  # as a progress bar does: since 3.14 that means "forkserver"
    ('multiprocessing.set_start_method("spawn")', "spawn")])
def test_processes_are_forked_unless_somebody_chose_otherwise(before, method):
    assert run(f"""
    import multiprocessing
    from nn.data.workers import start_context
    {before}
    print(start_context().get_start_method())
    """) == (0, f"{method}\n", "")


def _use_threads():
    assert (np.ones((300, 300)) @ np.ones((300, 300)) == 300).all()  # BLAS's
    assert (F.conv2d(autograd.ones(16, 8, 30, 30), autograd.ones(8, 8, 3, 3)) == 72).all()  # the engine's


def _use_threads_and_collate(examples):
    _use_threads()
    return [autograd.stack(parts) for parts in zip(*examples, strict=True)]


def _stop_servers():
    from multiprocessing import forkserver, resource_tracker
    forkserver._forkserver._stop()
    resource_tracker._resource_tracker._stop()


def test_large_questions_and_answers_do_not_wait_for_each_other():
    loader = DataLoader(np.arange(200_000), 10_000, num_workers=1, prefetch_factor=20,
                        collate_fn=lambda examples: [str(i) for i in examples])
    assert [i for batch in loader for i in batch] == [str(i) for i in range(200_000)]


def test_workers_differ_in_their_random_numbers_and_are_repeated_by_the_seed():
    def drawn():
        loader = DataLoader(range(4), num_workers=2, generator=Generator().manual_seed(1),
                            collate_fn=lambda _: (autograd.rand(()).item(), np.random.rand(), random.random()))
        return [*loader, *loader]
    once = drawn()
    assert once == drawn()
    assert all(len({numbers[k] for numbers in once}) == len(once) for k in range(3))


def test_workers_know_who_they_are():
    assert get_worker_info() is None
    data = Rows(4)

    def start(worker):
        get_worker_info().dataset.greeting = f"hello {worker}"

    def collate(examples):
        info = get_worker_info()
        return info.id, info.num_workers, info.seed, info.dataset.greeting, os.getpid()
    got = list(DataLoader(data, num_workers=2, worker_init_fn=start, collate_fn=collate))
    assert [g[:2] for g in got] == [(0, 2), (1, 2), (0, 2), (1, 2)]
    assert [g[3] for g in got] == ["hello 0", "hello 1"] * 2
    assert got[1][2] - got[0][2] == 1
    assert os.getpid() not in {g[4] for g in got} and not hasattr(data, "greeting")


@pytest.mark.parametrize("persistent", [False, True])
def test_persistent_workers_are_the_same_in_each_pass(persistent):
    loader = DataLoader(range(6), num_workers=2, persistent_workers=persistent, collate_fn=lambda _: os.getpid())
    first, second = set(loader), set(loader)
    assert (first == second) == persistent
    next(iter(loader))  # left half way
    assert len(set(loader)) == 2
    assert len(set(loader) & first) == 2 * persistent
    assert set(zip(loader, loader, strict=True)).isdisjoint({(p, p) for p in first})  # two passes side by side


class UnusualError(Exception):
    def __init__(self, a, b):
        super().__init__(a, b)


@pytest.mark.parametrize(("error", "expected"), [
    (ValueError("no such file"), ValueError), (KeyError("no such file"), KeyError),
    (UnusualError("no such file", 2), RuntimeError), (type("Local", (Exception,), {})("no such file"), RuntimeError)],
    ids=lambda e: getattr(e, "__name__", type(e).__name__))
def test_an_exception_comes_with_its_type_and_the_workers_traceback(error, expected):
    def act(i):
        if i == 5:
            raise error
    seen = []
    with pytest.raises(expected) as info:
        for x, _ in DataLoader(Rows(act=act), 2, num_workers=2):
            seen.append(x[0, 0].item())
    assert type(info.value) is expected and seen == [0, 2]
    text = str(info.value)
    assert f"Caught {type(error).__name__} in DataLoader worker process 0" in text
    assert "Traceback" in text and "raise error" in text and "no such file" in text
    assert len(text.splitlines()) > 5


def test_exceptions_at_the_start_and_at_the_end_of_a_batch_are_shown():
    def refuse(worker):
        raise ValueError(f"no worker {worker}")
    with pytest.raises(ValueError, match="no worker 0"):
        next(iter(DataLoader(Rows(), num_workers=2, worker_init_fn=refuse)))
    with pytest.raises(Exception, match=r"(?s)pickle.*lambda"):
        next(iter(DataLoader(Rows(), num_workers=1, collate_fn=lambda examples: lambda: 0)))


@pytest.mark.parametrize(("end", "words"), [
    (lambda: os.kill(os.getpid(), signal.SIGKILL), "was killed by SIGKILL"),
    (lambda: os._exit(3), "exited with status 3")])
def test_a_worker_that_dies_is_noticed(end, words):
    loader = DataLoader(Rows(act=lambda i: end() if i == 5 else None), 2, num_workers=2, persistent_workers=True)
    with pytest.raises(RuntimeError, match=words):
        list(loader)
    with pytest.raises(RuntimeError, match="worker 0"):  # a new pass has new workers
        list(loader)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_worker_that_cannot_begin_is_noticed(method, monkeypatch, capfd):
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "/no/such/program.py", raising=False)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    loader = DataLoader(TensorDataset(np.zeros((4, 100_000))), num_workers=2, multiprocessing_context=method)
    with pytest.raises(RuntimeError, match=r"exited with status 1|the server that forks it has ended"):
        list(loader)
    assert "FileNotFoundError" in capfd.readouterr().err
    _stop_servers()


def test_what_cannot_be_pickled_needs_a_fork():
    data = TensorDataset(np.zeros((4, LARGE)))  # comes first, into a block that may not be left over
    loader = DataLoader(data, num_workers=1, multiprocessing_context="spawn", collate_fn=lambda examples: examples)
    with pytest.raises(Exception, match="lambda") as info:
        list(loader)
    assert any("not as lambdas" in note for note in info.value.__notes__)  # since 3.14 pickle adds some of its own
    _stop_servers()


def test_a_batch_that_takes_too_long_is_an_error():
    before = time.monotonic()
    with pytest.raises(RuntimeError, match=r"timed out after 0\.2 seconds: worker 0"):
        list(DataLoader(Rows(act=lambda i: time.sleep(60)), num_workers=1, timeout=0.2))
    assert time.monotonic() - before < 30


def test_leaving_the_loop_ends_the_workers():
    before = children()
    for _ in DataLoader(Rows(), num_workers=2):
        assert len(children() - before) == 2
        break
    assert children() == before


def run(program, then=lambda process: None):
    """Run a program that prints a line once it goes; its status, and what it wrote after that."""
    program = HEARS_CTRL_C + textwrap.dedent(program)
    process = subprocess.Popen([sys.executable, "-W", "error", "-c", program], text=True, cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    line = process.stdout.readline()
    then(process)
    try:
        out, err = process.communicate(timeout=60)  # workers hold both pipes, so none is left when this returns
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, line + out, err


HEARS_CTRL_C = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"  # also in the background
ENDLESS = """
    import itertools, time, numpy as np
    from nn.data import DataLoader
    def slow(examples):
        time.sleep(0.05)
        return np.zeros(100_000)
    loader = DataLoader(range(10), sampler=itertools.count(), num_workers=2, collate_fn=slow)
    loader.dataset = type("Any", (), {"__getitem__": lambda self, i: i})()
"""


def test_ctrl_c_ends_everything_with_one_traceback():
    status, _, err = run(ENDLESS + """
    for i, batch in enumerate(loader):
        if i == 3:
            print("running", flush=True)
    """, lambda process: os.killpg(process.pid, signal.SIGINT))
    assert status == -signal.SIGINT
    assert err.count("Traceback") == 1 and err.rstrip().endswith("KeyboardInterrupt")


def test_ctrl_c_while_processes_are_spawned_is_no_noise():
    status, _, err = run("""
    import numpy as np
    from nn.data import DataLoader, TensorDataset
    loader = DataLoader(TensorDataset(np.zeros((4, 4))), num_workers=2, multiprocessing_context="spawn")
    print("running", flush=True)
    while True:
        list(loader)
    """, lambda process: (time.sleep(0.3), os.killpg(process.pid, signal.SIGINT)))
    assert status == -signal.SIGINT
    assert err.count("Traceback") == 1 and "KeyboardInterrupt" in err


def test_workers_follow_a_parent_that_is_killed():
    status, _, err = run(ENDLESS + """
    for i, batch in enumerate(loader):
        if i == 3:
            print("running", flush=True)
    """, lambda process: process.kill())
    assert (status, err) == (-signal.SIGKILL, "")


@pytest.mark.parametrize("persistent", [False, True])
def test_a_program_may_end_in_the_middle_of_a_pass(persistent):
    assert run(ENDLESS + f"""
    loader.persistent_workers = {persistent}
    iterator = iter(loader)
    kept = [next(iterator), next(iterator)]
    print("running")
    """) == (0, "running\n", "")
