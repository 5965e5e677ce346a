"""Loops compiled by numba in place of NumPy's functions, where numba is installed.

NumPy computes a formula one function at a time, each a trip through memory, and between two of them a thread waits for
the interpreter. A compiled loop does all of it in one go, without the interpreter. A function that has such a form says
where: the form has the same name, arguments and results, and may return NotImplemented for what it does not do.

    @compilable("nn.compiled.normalization")
    def normalize(x, *, eps): ...              # in NumPy: what is computed

    @loop                                      # in nn/compiled/normalization.py
    def normalize(x, *, eps): ...              # how to do it faster

By itself a process uses the forms that are on disk, once it has computed for a while, and NumPy for everything else:
nobody waits for a compiler, and equal programs have equal bits, however long compiling would have taken.
"""

import contextlib
import functools
import importlib
import importlib.util
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

LEAST = 1 << 13
"""Numbers from which on a loop pays."""
ENOUGH = 1 << 26
"""Numbers of large arrays after which a process has computed for so long that importing numba pays."""
SETTING = "GRADCIRCUIT_COMPILED"

on = os.environ.get(SETTING) != "0"
"""Whether loops are used; see `set_compiled`."""
automatic = on
"""Whether only those are used that are on disk."""
ready = False
"""Whether numba has been imported, so that there may be loops."""


class NotKeptError(Exception):
    """A form is not on disk."""


def set_compiled(mode: bool | None) -> None:
    """Let operations that have a form compiled by numba use it (True), or not (False), or by itself (None).

    By itself, which is how a process starts, numba is imported once a process has worked on large arrays for a while,
    and the forms are used that are on disk: `python -m nn.compiled` compiles the usual ones. With True each is compiled
    when it is first called, which takes seconds, and kept for later processes. `GRADCIRCUIT_COMPILED=1` or `=0` in the
    environment sets it.

    There are forms of random draws, small systems of equations and, for float32, of copies, of what is elementwise, of
    the softmax, losses, sums, products, distances and normalizations, of what goes by positions, running sums,
    convolution, pooling and sampling, attention, the LSTM and the optimizers. Their results differ from NumPy's in the
    last digits; for equal bits on all machines choose False.

    Raises:
        ImportError: numba is not installed.

    >>> autograd.set_compiled(True)
    >>> autograd.is_compiled()
    True
    """
    global on, automatic
    if mode and importlib.util.find_spec("numba") is None:
        raise ImportError("set_compiled(True) needs numba, which is not installed: pip install 'gradcircuit[fast]'")
    on, automatic = mode is not False, mode is None


def is_compiled() -> bool:
    """Whether operations use their compiled forms."""
    return on and (ready or not automatic)


def compilable(module: str, prepares: bool = False, many: bool = False) -> Callable[[Callable], Callable]:
    """Declares that a function has a compiled form of the same name (without a leading _) in a module.

    Args:
        module: where it is.
        prepares: the form itself sees to what has to be compiled.
        many: it is only for many numbers.
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
            if on and (not many or count(args) >= LEAST) and (
                    not automatic or (ready if prepares else _is_compiled(find, known, args, options))):
                # What is missing on disk shows before anything is written: a form that writes to its arguments runs one
                # loop only.
                with contextlib.suppress(NotKeptError):
                    result = find()(*args, **options)
                    if result is not NotImplemented:
                        return result
            return plain(*args, **options)
        return either
    return decorate


def _is_compiled(find: Callable, known: dict[tuple, bool | None], args: tuple, options: dict) -> bool:
    """Whether the form for such arguments is on disk: it is run on copies."""
    numbers = count(args)
    if numbers < LEAST or not worked(numbers):
        return False

    def run() -> bool:
        copies = [_copy(a) if type(a) is np.ndarray else a for a in args]  # forms may write to what they get
        with np.errstate(all="ignore"):
            find()(*copies, **options)
        return True

    return bool(obtained(known, tuple([_kind(value) for value in (*args, *options.values())]), run))


def _kind(value: Any) -> Any:
    """What a form is compiled for: not how large an array is."""
    if type(value) is np.ndarray:
        flags = value.flags
        return value.dtype, value.ndim, flags.c_contiguous, flags.f_contiguous, flags.writeable, any(value.strides)
    return tuple([_kind(v) for v in value]) if isinstance(value, tuple) else type(value)


def _copy(array: np.ndarray) -> np.ndarray:
    """A copy of the same kind: with gaps, or the same everywhere, if the array is."""
    if array.ndim and not any(array.strides):
        return np.broadcast_to(array[(0,) * array.ndim].copy(), array.shape)
    if array.flags.c_contiguous or array.flags.f_contiguous:
        return array.copy(order="K")
    wide = np.zeros((*array.shape[:-1], array.shape[-1] + 1), array.dtype)
    wide[..., :-1] = array
    return wide[..., :-1]


def count(args: tuple) -> int:
    """How many numbers there are in arrays."""
    return sum([a.size for a in args if type(a) is np.ndarray])


def obtained(found: dict, key: tuple, make: Callable[[], Any]) -> Any:
    """`found[key]`, which `make()` gives; None where it needs what is not on disk."""
    key = automatic, *key
    if key not in found:
        try:
            found[key] = make()
        except NotKeptError:
            found[key] = None
    return found[key]


_numbers = 0


def worked(numbers: int) -> bool:
    """Count what large arrays were worked on; says whether there may be loops."""
    global _numbers
    if not ready:
        _numbers += numbers
        if _numbers > ENOUGH:
            _look()
    return ready


def _look() -> None:
    """Import numba, if forms may have been kept; otherwise leave the work to NumPy."""
    global ready, on
    try:
        if _kept() and importlib.import_module("autograd.compiled.elementwise"):
            ready = importlib.import_module("autograd.runtime.caching").refused is None
    except Exception as error:
        warnings.warn(f"compiled loops are not used, because numba cannot be imported ({error})", RuntimeWarning,
                      stacklevel=2)
    on = ready


def _kept() -> bool:
    """Whether numba may find something on disk: where it was told to look, beside the files, or with the user's."""
    folders = [Path(__file__).parents[1] / "compiled" / "__pycache__", Path.home() / ".cache" / "numba"]
    return importlib.util.find_spec("numba") is not None and (
        "NUMBA_CACHE_DIR" in os.environ or any(any(folder.rglob("*.nbc")) for folder in folders))


if os.environ.get(SETTING) == "1":
    set_compiled(True)
