"""Compiled loops are kept on disk, for the next process; see `autograd.set_compiled`.

numba does that: beside the file of a function (in `__pycache__`), else in the user's cache, or where `NUMBA_CACHE_DIR`
says. Three things are added. What cannot be kept or read again is compiled, with one warning and no error. A loop is
compiled again when anything has changed that is compiled into it; numba looks at its own file only, not at the loops
that it calls and the numbers that it reads from other files. And several processes may compile at the same time.
"""

import contextlib
import functools
import hashlib
import pickle
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.dispatcher import Dispatcher
from numba.core.runtime import nrt

from autograd.runtime import compiled


def compiler(**options: Any) -> Callable[[Callable], Dispatcher]:
    """numba.njit with these options, for functions whose compiled forms are kept."""
    def decorate(function: Callable) -> Dispatcher:
        loop = numba.njit(**{"no_cfunc_wrapper": True, **options})(function)  # few are called by address
        try:
            loop._cache = _Cache(function)  # what numba's enable_caching() does, with its own
        except Exception as error:  # numba finds no directory that it may write to
            _warn(error)
        return loop
    return decorate


class _Files(IndexDataCacheFile):
    """A file for each compiled form of a function; its name says which it is. numba numbers them, and of two processes
    that compile at the same time one may then call the other's form."""

    def __init__(self, folder: str, function: str) -> None:
        super().__init__(folder, function, None)
        self._function = f"{function}."

    def load(self, key: tuple) -> Any:
        with contextlib.suppress(FileNotFoundError):
            return self._load_data("".join(self._names(key)))
        return None

    def save(self, key: tuple, data: Any) -> None:
        sources, form = self._names(key)
        self._save_data(sources + form, data)
        for file in Path(self._cache_path).iterdir():
            if file.name.startswith(self._function) and not file.name.startswith(sources):  # as the function was before
                with contextlib.suppress(OSError):
                    file.unlink()

    def _names(self, key: tuple) -> tuple[str, str]:
        """How the names of all forms begin that were made of the same sources, and how this one's ends."""
        *form, sources, read = key
        made_of, which = [hashlib.sha256(repr(part).encode()).hexdigest()[:16]
                          for part in ((self._version, sources, read), form)]
        return f"{self._function}{made_of}.", f"{which}.nbc"


class _Cache(FunctionCache):
    """Where the compiled forms of one function are kept."""

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        self._cache_file = _Files(self._cache_path, self._impl.filename_base)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled; without waking the compiler, which would take .2 s and 45 MiB."""
        kept = None
        with contextlib.suppress(Exception):  # it may be damaged, or another user's
            _let_it_find_numbas_functions()
            kept = self._load_overload(sig, target_context)
        if kept is None and compiled.automatic:
            raise compiled.NotKeptError
        return kept

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except Exception as error:  # the disk is full, or the directory has gone
            _warn(error)

    def _index_key(self, sig: Any, codegen: Any) -> tuple:
        folder = Path(self._py_func.__code__.co_filename).parent
        read = hashlib.sha256(b"".join(_read_by(self._py_func))).digest()
        return *super()._index_key(sig, codegen), _sources(folder), read


@functools.cache
def _let_it_find_numbas_functions() -> None:
    """What a loop calls of numba's runtime, by name."""
    for name, address in nrt._nrt.c_helpers.items():  # type: ignore[attr-defined]
        llvmlite.binding.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


@functools.cache
def _sources(folder: Path) -> bytes:
    files = [Path(__file__), *sorted(folder.glob("*.py"))]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).digest()


def _read_by(function: Callable) -> Iterator[bytes]:
    """What a loop, and the loops that it calls, read of their modules: loops, numbers, arrays, types of C functions."""
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, Dispatcher) and value.py_func is not function:
            code = value.py_func.__code__
            yield code.co_code + repr(code.co_consts).encode()
            yield _sources(Path(code.co_filename).parent)  # another folder, maybe, and what writes instructions there
            yield from _read_by(value.py_func)
        elif isinstance(value, bool | int | float | tuple | np.generic | np.ndarray):
            yield pickle.dumps((name, value))
        elif isinstance(value, numba.types.ExternalFunction):
            yield str(value.sig).encode()


refused: Exception | None = None
"""Why something could not be kept."""


def _warn(error: Exception) -> None:
    global refused
    if refused is None:  # once, not for each loop
        refused = error
        then = "NumPy does their work" if compiled.automatic else "each process compiles them anew, which takes seconds"
        warnings.warn(f"compiled loops cannot be kept on disk ({error}), so {then}; set NUMBA_CACHE_DIR in the "
                      "environment to a directory that can be written to", RuntimeWarning, stacklevel=2)
