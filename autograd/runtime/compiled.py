"""Loops compiled by numba in place of NumPy's functions, where numba is installed.

NumPy computes a formula one function at a time, each a trip through memory, and between two of them a thread waits for
the interpreter. A compiled loop does all of it in one go, without the interpreter. A function that has such a form says
where: the form has the same name, arguments and results, and may return NotImplemented for what it does not do.

    @compilable("nn.compiled.normalization")
    def normalize(x, *, eps): ...              # in NumPy: what is computed

    @loop                                      # in nn/compiled/normalization.py
    def normalize(x, *, eps): ...              # how to do it faster

Nobody waits for the compiler. When a process has computed for a while, a thread in the background imports numba, and
compiles what large arrays were given to, or finds it on disk; until a form is there, NumPy does the work.
"""

import atexit
import contextlib
import functools
import importlib
import importlib.util
import os
import queue
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

LEAST = 1 << 13
"""Numbers from which on a loop pays."""
ENOUGH = 1 << 26
"""Numbers of large arrays after which a process has computed for so long that compiling pays."""
SETTING = "GRADCIRCUIT_COMPILED"

on = os.environ.get(SETTING) != "0"
"""Whether loops are used; see `set_compiled`."""
automatic = on
"""Whether they are compiled in the background."""
ready = False
"""Whether numba has been imported, so that there may be loops."""


def set_compiled(mode: bool | None) -> None:
    """Let operations that have a form compiled by numba use it (True), or no longer (False), or by itself (None).

    By itself, which is how a process starts, forms are compiled in the background once a process has worked on large
    arrays for a while, and used when they are there. With True each is compiled when it is first called, which takes
    seconds; later processes find it on disk. `GRADCIRCUIT_COMPILED=1` or `=0` in the environment sets it.

    There are forms of random draws and, for float32, of what is elementwise, convolution, batch and layer
    normalization, attention, the LSTM and the optimizers. Their results differ from NumPy's in the last digits, and so
    do those of one run by itself from another's, since forms may be there earlier or later: for equal bits choose True
    or False.

    Raises:
        ImportError: numba is not installed.

    >>> autograd.set_compiled(True)
    >>> autograd.is_compiled()
    True
    """
    global on, automatic
    if mode and importlib.util.find_spec("numba") is None:
        raise ImportError("set_compiled(True) needs numba, which is not installed: pip install 'gradcircuit[compiled]'")
    on, automatic = mode is not False, mode is None


def is_compiled() -> bool:
    """Whether operations use their compiled forms."""
    return on and (ready or not automatic)


def compilable(module: str, prepares: bool = False) -> Callable[[Callable], Callable]:
    """Declares that a function has a compiled form of the same name (without a leading _) in a module.

    Args:
        module: where it is.
        prepares: the form itself sees to what has to be compiled.
    """
    def decorate(plain: Callable) -> Callable:
        form = None
        known: dict[tuple, bool | None] = {}

        def find() -> Callable:
            nonlocal form
            form = form or getattr(importlib.import_module(module), plain.__name__.lstrip("_"))
            return form

        @functools.wraps(plain)
        def either(*args: Any, **options: Any) -> Any:
            if on and (not automatic or (ready if prepares else _is_compiled(find, known, args, options))):
                result = find()(*args, **options)
                if result is not NotImplemented:
                    return result
            return plain(*args, **options)
        return either
    return decorate


def _is_compiled(find: Callable, known: dict[tuple, bool | None], args: tuple, options: dict) -> bool:
    """Whether a form has been compiled for such arguments; if not, it soon will be: by running it on copies."""
    numbers = count(args)
    if numbers < LEAST or not worked(numbers):
        return False
    key = tuple([_kind(value) for value in (*args, *options.values())])
    if key not in known:
        copies = [_copy(a) if type(a) is np.ndarray else a for a in args]  # forms may write to what they get

        def run() -> bool:
            with np.errstate(all="ignore"):
                find()(*copies, **options)
            return True
        obtained(known, key, run)
    return bool(known[key])


def _kind(value: Any) -> Any:
    """What a form is compiled for: not how large an array is."""
    if type(value) is np.ndarray:
        return value.dtype, value.ndim, value.flags.c_contiguous, value.flags.f_contiguous, value.flags.writeable
    return tuple([_kind(v) for v in value]) if isinstance(value, tuple) else type(value)


def _copy(array: np.ndarray) -> np.ndarray:
    """A copy of the same kind: with gaps, if the array has some."""
    if array.flags.c_contiguous or array.flags.f_contiguous:
        return array.copy(order="K")
    wide = np.zeros((*array.shape[:-1], array.shape[-1] + 1), array.dtype)
    wide[..., :-1] = array
    return wide[..., :-1]


def count(args: tuple) -> int:
    """How many numbers there are in arrays."""
    return sum([a.size for a in args if type(a) is np.ndarray])


def obtained(found: dict, key: tuple, make: Callable[[], Any]) -> Any:
    """`found[key]`, which `make()` gives: at once, or in the background, and then it is None at first."""
    value = found.get(key, ...)
    if value is ...:
        found[key] = None

        def fill() -> None:
            found[key] = make()
        (later if automatic else _now)(fill)
        value = found[key]
    return value


def _now(job: Callable[[], Any]) -> None:
    job()


# In the background

_numbers = 0
_jobs: queue.SimpleQueue | None = None
_thread: threading.Thread | None = None


def worked(numbers: int) -> bool:
    """Count what large arrays were worked on; says whether there may be loops."""
    global _numbers
    if ready or _thread is not None:
        return ready
    _numbers += numbers
    if _numbers > ENOUGH:
        _start()
    return False


def later(job: Callable[[], Any]) -> None:
    """Do this in the background; if it fails, NumPy goes on doing the work."""
    if _jobs is not None:
        _jobs.put(job)


def _start() -> None:
    global _jobs, _thread
    if importlib.util.find_spec("numba") is None:
        _give_up()
        return
    _jobs, _thread = queue.SimpleQueue(), threading.Thread(target=_compile, name="gradcircuit compiler", daemon=True)
    try:
        _thread.start()
    except RuntimeError as error:  # there are no threads here, or no more of them
        _give_up(f"no thread can be started ({error})")


def _give_up(why: str | None = None) -> None:
    global on
    if automatic:
        on = False
        if why:
            warnings.warn(f"loops are not compiled in the background, because {why}; autograd.set_compiled(True) "
                          "compiles each when it is first called", RuntimeWarning, stacklevel=2)


def _compile() -> None:
    global ready
    from autograd.runtime import threads
    threads.alone()
    try:
        caching = importlib.import_module("autograd.runtime.caching")
        importlib.import_module("autograd.compiled.elementwise")
    except Exception as error:
        _give_up(f"numba cannot be imported ({error})")
        return
    if caching.refused:
        _give_up(f"nothing can be kept on disk ({caching.refused}); set NUMBA_CACHE_DIR in the environment to a "
                 "directory that can be written to")
        return
    ready, jobs = True, _jobs
    while jobs is not None and (job := jobs.get()) is not None:
        with contextlib.suppress(Exception):
            job()


@atexit.register
def _finish() -> None:
    """Let the compiler come to an end: it must not run while the process takes itself apart."""
    global _jobs
    jobs, _jobs = _jobs, None
    if jobs is not None and _thread is not None:
        with contextlib.suppress(queue.Empty):
            while True:
                jobs.get_nowait()
        jobs.put(None)
        _thread.join()


def _forget_thread() -> None:
    """In a child process: what is compiled stays, nothing else will be."""
    global _jobs, on
    if _thread is not None:
        _jobs, on = None, on and (ready or not automatic)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_thread)

if os.environ.get(SETTING) == "1":
    set_compiled(True)
