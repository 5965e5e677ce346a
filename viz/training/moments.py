"""What was seen in a model at one step of its training, and what is wrong with it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from viz.diagnosis import MOSTLY
from viz.training.sampling import Distribution

LOSS, RATE, GRADIENT, RATIO, WEIGHT = "loss", "learning rate", "gradient", "update/weight", "weight"
DEAD, SATURATED = "dead units", "saturated"
VANISHING, EXPLODING = 1e-4, 1e4
"""Root mean square of a module's gradient, relative to the median over all modules."""
PATIENCE = 3
"""An alarm is given for what was so in the last three moments: a zero gradient of one batch is nothing."""

Series = dict[str, tuple[list[int], list[float]]]
"""Name -> steps and numbers."""


@dataclass
class Moment:
    """What was seen at one step of an optimizer.

    Attributes:
        step: its number, from 0.
        optimizer: the number of the optimizer, from 0.
        numbers: quantity -> place -> number. Places are paths of modules, or names of parameters; "" is the whole.
        distributions: "activation", "weight" or "gradient" -> place -> what its elements are like.
        bad: place -> how many of its activations are NaN or infinite, in the order of the forward pass.
        waiting: parameters that want a gradient and got none.
        symptoms: (place, kind) -> what may be wrong.
        alarms: place -> what is wrong there.
    """

    step: int
    optimizer: int = 0
    numbers: dict[str, dict[str, float]] = field(default_factory=dict)
    distributions: dict[str, dict[str, Distribution]] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    symptoms: dict[tuple[str, str], str] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)

    def note(self, quantity: str, place: str, number: float) -> None:
        """Keep a number."""
        self.numbers.setdefault(quantity, {})[place] = float(number)

    def of(self, quantity: str) -> Mapping[str, float]:
        """Place -> number."""
        return self.numbers.get(quantity, {})


def series(moments: Sequence[Moment], quantity: str) -> Series:
    """Place -> (steps, numbers), of one quantity."""
    found: Series = {}
    for moment in moments:
        for place, number in moment.of(quantity).items():
            steps, numbers = found.setdefault(place, ([], []))
            steps.append(moment.step)
            numbers.append(number)
    return found


def of_one(moments: Sequence[Moment], optimizer: int) -> list[Moment]:
    """The moments of one optimizer."""
    return [moment for moment in moments if moment.optimizer == optimizer]


def standing(moments: Sequence[Moment]) -> dict[str, str]:
    """Place -> what is wrong there at the last moment of each optimizer."""
    last = {moment.optimizer: moment.alarms for moment in moments}
    return {place: text for found in last.values() for place, text in found.items()}


def alarms(moments: Sequence[Moment]) -> dict[str, str]:
    """Place -> what is wrong there at the last moment: what isn't finite at once, anything else if it lasts."""
    now = moments[-1]
    now.symptoms = _symptoms(now)
    if found := _not_finite(now):
        return found
    recent = of_one(moments, now.optimizer)[-PATIENCE:]
    if len(recent) < PATIENCE:
        return {}
    return {place: text for (place, kind), text in now.symptoms.items()
            if all((place, kind) in earlier.symptoms for earlier in recent)}


def _not_finite(moment: Moment) -> dict[str, str]:
    """Where NaN or infinity came up first: what follows from it has no alarm of its own."""
    for place, what in moment.bad.items():
        return {place: f"activations: {what}"}
    bad = [place for place, number in moment.of(GRADIENT).items() if not math.isfinite(number)]
    if bad:  # the last in the forward pass is the first in the backward pass
        return {bad[-1]: "gradient is not finite"}
    for place, number in moment.of(WEIGHT).items():
        if not math.isfinite(number):
            return {place: "weights are not finite"}
    return next(({LOSS: f"is {loss}"} for loss in moment.of(LOSS).values() if not math.isfinite(loss)), {})


def _symptoms(moment: Moment) -> dict[tuple[str, str], str]:
    """(Place, kind) -> what may be wrong."""
    found = {(place, "unused"): "no gradient: the loss does not depend on it" for place in moment.waiting}
    sizes: dict[str, float] = {}  # of modules: the bias before a normalization alone has none but its rounding
    for place, size in moment.of(GRADIENT).items():
        owner = place.rpartition(".")[0] or place
        sizes[owner] = max(sizes.get(owner, 0.0), size)
    usual = float(np.median([size for size in sizes.values() if size] or [0.0]))
    for owner, size in sizes.items():
        if size == 0:
            found[owner, GRADIENT] = "gradient is zero"
        elif size < VANISHING * usual:
            found[owner, GRADIENT] = f"gradient vanishes: {size / usual:.1e} of the median"
        elif size > EXPLODING * usual:
            found[owner, GRADIENT] = f"gradient explodes: {size / usual:.1e} times the median"
    for quantity, text in ((DEAD, "of the units are dead"), (SATURATED, "saturated")):
        for place, share in moment.of(quantity).items():
            if share >= MOSTLY:
                found[place, quantity] = f"{share:.0%} {text}"
    for place, ratio in moment.of(RATIO).items():
        if ratio > 1:
            found[place, RATIO] = f"updates are {ratio:.1f} times as large as the weights"
    return found
