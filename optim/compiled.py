"""A formula's recorded calls as one loop that numba compiles; see `autograd.set_compiled`.

Each number goes through the whole formula at once. The loop is written for the calls, whatever the constants are, and
compiled when they come for the first time, in half a second; unlike other compiled loops it is not kept on disk.
"""

import functools
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from optim.tracing import Recording, assign


def computation(recording: Recording, dtype: np.dtype) -> Any:
    """What carries out the calls on one block."""
    loop = loop_of(recording) if dtype == np.float32 and recording.arrays else None
    if loop is None:
        return NotImplemented
    constants = [np.float32(value) for value in recording.constants.values()]
    return lambda slots: loop(*slots[:recording.arrays], *constants)


def loop_of(recording: Recording) -> Callable | None:
    """The loop of a formula, or None if numba cannot compile one of its functions."""
    calls = tuple([(function, tuple(inputs), out) for function, inputs, out in recording.calls])
    return _compiled(recording.arrays, tuple(recording.constants), tuple(recording.written), calls)


@functools.lru_cache(maxsize=256)
def _compiled(arrays: int, constants: tuple, written: tuple, calls: tuple) -> Callable | None:
    functions = {f"f{i}": function for i, (function, _, _) in enumerate(calls) if function is not assign}
    parameters = [f"a{slot}" for slot in range(arrays)] + [f"v{slot}" for slot in constants]
    lines = [f"def formula({', '.join(parameters)}):", "    for i in range(a0.size):"]
    lines += [f"        v{slot} = a{slot}[i]" for slot in range(arrays)]
    for i, (function, inputs, out) in enumerate(calls):
        values = ", ".join(f"v{slot}" for slot in inputs)
        lines.append(f"        v{out} = " + (values if function is assign else f"float32(f{i}({values}))"))
    lines += [f"        a{slot}[i] = v{slot}" for slot in written]
    names = functions | {"float32": np.float32}
    exec("\n".join(lines), names)
    loop = numba.njit(nogil=True, error_model="numpy", fastmath={"nsz", "contract"})(names["formula"])
    try:
        loop.compile((numba.float32[::1],) * arrays + (numba.float32,) * len(constants))
    except numba.core.errors.TypingError:
        return None
    return loop
