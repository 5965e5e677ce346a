"""Where a NaN came from: the operation whose derivative gave it, and the line of the program that called it.

Nothing here is asked while it is off: switching it on replaces the constructor of Node by one that notes the line, and
the traversal by one that looks at every gradient.
"""

import functools
import linecache
import sys
from types import FrameType
from typing import Any

import numpy as np

from autograd import graph
from autograd.tensor import Node, Tensor

_LIBRARY = {__name__.partition(".")[0], "nn", "optim"}
_MOST = 1_000_000
"""How many lines are remembered; the oldest half is forgotten when there are more."""

_lines: dict[int, tuple[str, int, str]] = {}
_plain_init, _plain_traversal = Node.__init__, graph.backpropagate
_enabled, _check_nan = False, True


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return _enabled


class set_detect_anomaly:
    """Switch anomaly detection on or off: at once when called, until the end of a `with` block if used in one.

    Args:
        mode: on or off.
        check_nan: raise when a gradient holds a NaN; otherwise only the lines are noted.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._previous = _enabled, _check_nan
        _switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        _switch(*self._previous)


class detect_anomaly(set_detect_anomaly):
    """In this block, a backward pass that meets a NaN raises, and says which operation gave it, and which line of the
    program had called that. The forward pass must be in the block, too. Slow: for debugging only.

    >>> with detect_anomaly():
    ...     loss = model(x)
    ...     loss.backward()
    RuntimeError: the derivative of `sqrt` ... recorded at train.py, line 12, in loss: return (x - y).sqrt()
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)


def _switch(mode: bool, check_nan: bool) -> None:
    global _enabled, _check_nan
    _enabled, _check_nan = mode, check_nan
    Node.__init__ = _noting_init if mode else _plain_init
    graph.backpropagate = _watching_traversal if mode and check_nan else _plain_traversal
    if not mode:
        _lines.clear()


@functools.wraps(_plain_init)
def _noting_init(self: Node, *args: Any) -> None:
    _plain_init(self, *args)
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_library(frame):
        frame = frame.f_back
    if len(_lines) >= _MOST:
        for birth in list(_lines)[:_MOST // 2]:
            del _lines[birth]
    _lines[self.birth] = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name


def _is_library(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARY


@functools.wraps(_plain_traversal)
def _watching_traversal(*args: Any, watch: Any = None, **kwargs: Any) -> Any:
    def look(node: Node, argument: int, contribution: Any) -> None:
        if any(map(_has_nan, contribution.values() if isinstance(contribution, dict) else (contribution,))):
            raise RuntimeError(_report(node, argument))
        if watch is not None:
            watch(node, argument, contribution)
    return _plain_traversal(*args, watch=look, **kwargs)


def _has_nan(g: Any) -> bool:
    return bool(np.isnan(g.array if isinstance(g, Tensor) else g).any())


def _report(node: Node, argument: int) -> str:
    already = [f"argument {i}" for i, a in enumerate(node.args)
               if isinstance(a, (np.ndarray, np.floating)) and a.dtype.kind == "f" and np.isnan(a).any()]
    cause = f"; {' and '.join(already)} held a NaN in the forward pass already" if already else ""
    what = f"the derivative of `{node.name}` with respect to its argument {argument} holds a NaN{cause}"
    if node.birth not in _lines:
        return f"{what}; to learn which line called it, put the forward pass into detect_anomaly(), too"
    file, line, function = _lines[node.birth]
    return f"{what}; recorded at {file}, line {line}, in {function}: {linecache.getline(file, line).strip()}"
