"""How far an update moves the parameters."""

import math
from collections.abc import Mapping

import numpy as np

from autograd.hooks import RemovableHandle
from optim.optimizer import Optimizer


class UpdateRatio:
    """Measures ‖Δp‖/‖p‖ of every parameter in every step of an optimizer.

    The notes' rule of thumb is about 1e-3: much more, and the learning rate is too high; much less, too low. It copies
    the parameters before each step, so use it to look at a run rather than in all of them.

    >>> with UpdateRatio(optimizer) as ratios:
    ...     optimizer.step()
    >>> ratios.last                             # by name if the optimizer knows names
    {'0': 0.0..., '1': 0.0...}

    Attributes:
        history: for each step the ratio of each parameter; NaN for a parameter that is all zeros.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.history: list[dict[str, float]] = []
        self._before: dict[str, np.ndarray] = {}
        self._handles: list[RemovableHandle] = [
            optimizer.register_step_pre_hook(lambda optimizer, args, kwargs: self._remember(optimizer)),
            optimizer.register_step_post_hook(lambda optimizer, args, kwargs: self._measure(optimizer))]

    @property
    def last(self) -> Mapping[str, float]:
        """The ratios of the last step."""
        return self.history[-1]

    def remove(self) -> None:
        """Stop measuring."""
        for handle in self._handles:
            handle.remove()

    def __enter__(self) -> "UpdateRatio":
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()

    def _remember(self, optimizer: Optimizer) -> None:
        self._before = {name: p.array.copy() for name, p in _named(optimizer)}

    def _measure(self, optimizer: Optimizer) -> None:
        ratios = {}
        for name, p in _named(optimizer):
            before = self._before[name]
            size = float(np.linalg.norm(before))
            ratios[name] = float(np.linalg.norm(p.array - before)) / size if size else math.nan
        self.history.append(ratios)


def _named(optimizer: Optimizer) -> list:
    names: list[str] = []
    params = []
    for group in optimizer.param_groups:
        names += group.get("param_names") or [str(len(names) + i) for i in range(len(group["params"]))]
        params += group["params"]
    return list(zip(names, params, strict=True))
