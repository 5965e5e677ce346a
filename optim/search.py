"""Random search for hyper-parameters, coarse to fine (Bergstra and Bengio 2012).

    def accuracy(lr, hidden):
        return train(lr, hidden)                       # more is better, unless maximize=False

    result = search(accuracy, {"lr": log_uniform(1e-5, 1e-1), "hidden": choice(32, 64, 128)}, trials=30, seed=0)
    result.best.options                                # {"lr": 0.0031…, "hidden": 64}
    fine = search(accuracy, result.refined(), trials=30, seed=1)
"""

import dataclasses
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers from low to high: uniform in their logarithm (`log`) or in themselves; whole ones if `integer`."""

    low: float
    high: float
    log: bool = False
    integer: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"a range goes from a lower to a higher number, not from {self.low} to {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a log-uniform range begins above 0, not at {self.low}; use uniform({self.low}, "
                             f"{self.high}) or a small positive number")

    def at(self, share: float) -> float | int:
        """The number at this share, between 0 and 1, of the way from low to high."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        value = low + share * (high - low)
        value = math.exp(value) if self.log else value
        return round(value) if self.integer else min(max(value, self.low), self.high)

    def share(self, value: float) -> float:
        """How far `value` is on the way from low to high."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        return (self._scaled(value) - low) / (high - low)

    def draw(self, rng: np.random.Generator) -> float | int:
        """A random number of the range."""
        return self.at(rng.random())

    def around(self, value: float, width: float) -> "Range":
        """A range of `width` times this one's, around `value`: beyond this one, where `value` is at its edge."""
        middle, half = self.share(value), width / 2
        low, high = (dataclasses.replace(self, integer=False)._beyond(middle + side) for side in (-half, half))
        if self.integer:
            low, high = math.floor(low), max(math.ceil(high), math.floor(low) + 1)
        return dataclasses.replace(self, low=low, high=high)

    def _beyond(self, share: float) -> float:
        low, high = self._scaled(self.low), self._scaled(self.high)
        value = low + share * (high - low)
        return math.exp(value) if self.log else value

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of several values."""

    values: tuple

    def draw(self, rng: np.random.Generator) -> Any:
        """A random one of the values."""
        return self.values[rng.integers(len(self.values))]


def uniform(low: float, high: float) -> Range:
    """Numbers between low and high, all equally likely."""
    return Range(low, high)


def log_uniform(low: float, high: float) -> Range:
    """Numbers whose logarithms are equally likely: for what multiplies, such as learning rates and weight decay."""
    return Range(low, high, log=True)


def integers(low: int, high: int, log: bool = False) -> Range:
    """Whole numbers from low to high, both included."""
    return Range(low, high, log, integer=True)


def choice(*values: Any) -> Choice:
    """One of these values."""
    return Choice(values)


@dataclasses.dataclass(frozen=True)
class Trial:
    """One set of options that was tried, and its score."""

    options: dict[str, Any]
    score: float


@dataclasses.dataclass(frozen=True)
class Result:
    """All trials of a search, the best first, and the space they were drawn from."""

    trials: list[Trial]
    space: Mapping[str, Any]

    @property
    def best(self) -> Trial:
        """The best trial."""
        return self.trials[0]

    def edges(self, margin: float = 0.05) -> dict[str, str]:
        """The ranges at whose "lower" or "upper" edge the best value lies: the true best may be outside."""
        shares = {name: space.share(self.best.options[name]) for name, space in self.space.items()
                  if isinstance(space, Range)}
        return {name: "lower" if share < 0.5 else "upper" for name, share in shares.items()
                if min(share, 1 - share) < margin}

    def refined(self, width: float = 0.3) -> dict[str, Any]:
        """A smaller space around the best trial: each range `width` times as wide. For the fine stage of a search."""
        return {name: space.around(self.best.options[name], width) if isinstance(space, Range) else space
                for name, space in self.space.items()}


def search(objective: Callable[..., float], space: Mapping[str, Any], trials: int = 20, *, seed: int | None = None,
           maximize: bool = True, progress: Callable[[Iterable], Iterable] | None = None) -> Result:
    """Try `trials` random options of the space: `objective(**options)` gives each a score.

    Args:
        objective: a score for options given by name. NaN, as of a training that diverged, counts as the worst.
        space: for each option a `uniform`, `log_uniform`, `integers` or `choice`; anything else is passed as it is.
        trials: how many.
        seed: of the random numbers.
        maximize: whether more is better.
        progress: wraps the trials, such as `tqdm.tqdm`.

    Warns:
        UserWarning: the best value lies at the edge of its range, so a better one may lie outside.
    """
    if trials < 1:
        raise ValueError(f"a search needs at least 1 trial, not {trials}")
    if not any(isinstance(s, (Range, Choice)) for s in space.values()):
        raise ValueError(f"nothing to search for: none of {', '.join(space) or 'no options'} is a range; write e.g. "
                         '{"lr": log_uniform(1e-5, 1e-1)}')
    rng = np.random.default_rng(seed)
    results = []
    for _ in progress(range(trials)) if progress else range(trials):
        options = {name: s.draw(rng) if isinstance(s, (Range, Choice)) else s for name, s in space.items()}
        results.append(Trial(options, float(objective(**options))))
    sign = -1 if maximize else 1
    results.sort(key=lambda trial: math.inf if math.isnan(trial.score) else sign * trial.score)
    result = Result(results, dict(space))
    for name, edge in result.edges().items():
        space_of = space[name]
        warnings.warn(f"the best {name}, {result.best.options[name]:.4g}, lies at the {edge} edge of its range "
                      f"{space_of.low:.4g} to {space_of.high:.4g}; a better one may lie outside: widen the range "
                      "and search again", UserWarning, stacklevel=2)
    return result
