"""Where a NaN came from: the operation whose derivative gave it, and the line of the program that called it."""

from typing import Any

import numpy as np

from autograd.lines import Lines
from autograd.tensor import Node, Tensor


class _Detection(Lines):
    """Notes the line of the program that each node comes from, and looks for NaN in every gradient."""

    every_thread = True

    def __init__(self) -> None:
        super().__init__()
        self.enabled, self.check_nan = False, True

    def switch(self, enabled: bool, check_nan: bool) -> None:
        if enabled and not self.enabled:
            self.__enter__()
        elif self.enabled and not enabled:
            self.__exit__()
            self.lines.clear()
        self.enabled, self.check_nan = enabled, check_nan

    def sends(self, node: Node, argument: int, gradient: Any) -> None:
        parts = gradient.values() if isinstance(gradient, dict) else (gradient,)
        if self.check_nan and any(map(_has_nan, parts)):
            raise RuntimeError(self.report(node, argument))

    def report(self, node: Node, argument: int) -> str:
        already = [f"argument {i}" for i, a in enumerate(node.args)
                   if isinstance(a, (np.ndarray, np.floating)) and a.dtype.kind == "f" and np.isnan(a).any()]
        cause = f"; {' and '.join(already)} held a NaN in the forward pass already" if already else ""
        what = f"the derivative of `{node.name}` with respect to its argument {argument} holds a NaN{cause}"
        if node.birth not in self.lines:
            return f"{what}; to learn which line called it, put the forward pass into detect_anomaly(), too"
        line = self.lines[node.birth]
        return f"{what}; recorded at {line.file}, line {line.number}, in {line.function}: {line.text}"


_detection = _Detection()


def _has_nan(g: Any) -> bool:
    return bool(np.isnan(g.array if isinstance(g, Tensor) else g).any())


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return _detection.enabled


class set_detect_anomaly:
    """Switch anomaly detection on or off, for all threads: at once when called, until the end of a `with` block if used
    in one.

    Args:
        mode: on or off.
        check_nan: raise when a gradient holds a NaN; otherwise only the lines are noted.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._previous = _detection.enabled, _detection.check_nan
        _detection.switch(bool(mode), check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        _detection.switch(*self._previous)


class detect_anomaly(set_detect_anomaly):
    """In this block, a backward pass that meets a NaN raises, and says which operation gave it, and which line of the
    program had called that. The forward pass must be in the block, too. Slow: for debugging only.

    >>> with detect_anomaly():
    ...     x = tensor(0.0, requires_grad=True)
    ...     (x.sqrt() * x).backward()
    Traceback (most recent call last):
        ...
    RuntimeError: the derivative of `sqrt` ... recorded at ...: (x.sqrt() * x).backward()
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)
