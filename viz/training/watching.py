"""`watch` records what happens in a model in training: activations, gradients, sizes of updates, dead units, alarms."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from autograd import Tensor, is_grad_enabled
from autograd.errors import shown
from autograd.graph import tensors_in
from autograd.watching import Watcher
from viz.live import Display
from viz.training import records
from viz.training.moments import (
    DEAD,
    GRADIENT,
    LOSS,
    RATE,
    RATIO,
    SATURATED,
    WEIGHT,
    Moment,
    Series,
    alarms,
    of_one,
    series,
    standing,
)
from viz.training.sampling import describe, sample

LIMIT = 400
"""So many moments are kept."""


class watch(Watcher):
    """In this block, the training of a model is recorded; nothing else has to be changed.

    Steps are counted by the optimizer; if several have parameters of this model, each has its own. At every so many of
    them is noted: what the modules gave (mean, standard deviation, a histogram, units that are zero for the whole
    batch, saturated elements); the root mean square of every parameter and its gradient as the optimizer got it, and
    that of its update relative to the weights (about 0.001 is usual); the loss; and what is wrong. Means, deviations
    and histograms are those of 512 elements, the other numbers of all. Between these steps the program runs at full
    speed. Nothing changes for it: no random number is drawn, no tensor is written to.

    While it runs, a notebook shows curves below the cell, and a terminal shows them as lines of text.

    Args:
        model: a Module, or anything with `named_parameters`.
        every: steps between two that are recorded. After 400, every second one is dropped and this number doubles.
        show: whether to show the curves while it runs; by default, in a notebook or a terminal.

    Attributes:
        moments: what was recorded.
        logged: what was given to `log`: name -> (steps, numbers).

    Raises:
        TypeError: no model.
        ValueError: `every` is less than 1, or the model has no parameters.

    >>> with watch(model, every=10) as record:
    ...     for _ in range(20):
    ...         optimizer.zero_grad()
    ...         loss(model(x), y).backward()
    ...         optimizer.step()
    >>> record
    <watch: 20 steps, 2 recorded, 0 alarms at the last>
    >>> record.save("training.html").name
    'training.html'
    """

    only_steps = True

    def __init__(self, model: Any, every: int = 50, show: bool | None = None) -> None:
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"every={every!r}, but it is the number of steps between two that are recorded: 1 or more")
        if not hasattr(model, "named_parameters"):
            raise TypeError(f"watch() takes a Module, or what has named_parameters(), not {shown(model)}")
        self.model, self.every = model, every
        self.moments: list[Moment] = []
        self.logged: Series = {}
        self._courses: dict[Any, _Course] = {}
        self.parameters = dict(model.named_parameters())
        if not self.parameters:
            raise ValueError(f"this {type(model).__name__} has no parameters, so that no optimizer steps it")
        self._owned = {id(p) for p in self.parameters.values()}
        self._look: _Look | None = None
        self._display = Display.where_possible() if show is None else Display() if show else None

    def __enter__(self) -> Self:
        super().__enter__()
        self._expect()
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        if self._look is not None:
            self._look.__exit__()
            self._look = None
        if self._display is not None and self.moments:
            self._display.show(self, last=True)

    @property
    def step(self) -> int:
        """How many steps were taken; of several optimizers, as those of a GAN, by the one that took the most."""
        return max((course.taken for course in self._courses.values()), default=0)

    def _expect(self) -> None:
        """If the next step may be one to record, look on from here."""
        if self._look is None and (not self._courses or any(course.is_due for course in self._courses.values())):
            self._look = _Look(self.model)
            self._look.__enter__()

    def begins(self, kind: str, what: Any) -> "_Course | None":
        """A step, if it is one of this model."""
        if what not in self._courses:
            if not _parameters([what]) & self._owned:
                return None
            self._courses[what] = _Course(len(self._courses))
        course = self._courses[what]
        if self._look is not None and course.is_due:
            own, claimed = _parameters([what]), _parameters(self._courses)
            self._look.before({name: p for name, p in self.parameters.items() if id(p) in own}, what)
            self._look.waiting = [name for name, p in self.parameters.items() if id(p) not in claimed
                                  and p.requires_grad and p.grad is None]
        return course

    def ends(self, begun: "_Course | None", result: Any, args: tuple, options: dict) -> None:
        """Keep what was seen, and look on again if the next step is to be recorded."""
        if begun is None:
            return
        if self._look is not None:
            self._look.__exit__()
            if begun.is_due:
                closure = bool(args or options)  # then the gradients that counted were computed during the step
                self._keep(self._look.after(begun, closure))
                begun.due = (begun.taken // self.every + 1) * self.every
            self._look = None
        begun.taken += 1
        self._expect()

    def _keep(self, moment: Moment) -> None:
        self.moments.append(moment)
        moment.alarms = alarms(self.moments)
        if len(self.moments) > LIMIT:
            each = [of_one(self.moments, course.number)[::2] for course in self._courses.values()]
            self.moments = [moment for moment in self.moments if any(moment is kept for some in each for kept in some)]
            self.every *= 2
        if self._display is not None:
            self._display.show(self)

    def log(self, **numbers: float | Tensor) -> None:
        """Record numbers of yours, such as an accuracy, at this step.

        >>> record = watch(model)
        >>> record.log(accuracy=0.9)
        >>> record.logged
        {'accuracy': ([0], [0.9])}
        """
        for name, number in numbers.items():
            steps, kept = self.logged.setdefault(name, ([], []))
            steps.append(self.step)
            kept.append(float(number))

    def series(self, quantity: str) -> Series:
        """Place -> (steps, numbers), of a quantity that was recorded.

        >>> watch(model).series("gradient")
        {}
        """
        return series(self.moments, quantity)

    @property
    def alarms(self) -> dict[str, str]:
        """Place -> what is wrong there, at the last recorded step (of each optimizer)."""
        return standing(self.moments)

    def __str__(self) -> str:
        return records.lines(self.moments, self.logged)

    def __repr__(self) -> str:
        return f"<watch: {self.step:,} steps, {len(self.moments)} recorded, {len(self.alarms)} alarms at the last>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": records.svg(self.moments, self.logged), "text/plain": str(self)}

    def save(self, path: str | Path) -> Path:
        """Write what was recorded, in the format that the suffix says, and return the path.

        `.html`: a page with a slider over the steps, which needs nothing else. `.csv`: a row for each number, with the
        columns step, quantity, place and number. `.svg`: the curves. A name without a suffix is a folder, which
        `tensorboard --logdir` reads.

        Raises:
            ValueError: no such format.
            OSError: the file cannot be written; one that was there is untouched.
        """
        return records.save(self.moments, self.logged, Path(path), type(self.model).__name__)


@dataclass
class _Course:
    """The steps of one optimizer: its number among those of the model, how many it has taken, and which to record."""

    number: int
    taken: int = 0
    due: int = 0

    @property
    def is_due(self) -> bool:
        return self.taken >= self.due


def _parameters(optimizers: Iterable[Any]) -> set[int]:
    return {id(p) for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]}


class _Look(Watcher):
    """All of one step: the forward pass, the backward pass, the update."""

    def __init__(self, model: Any) -> None:
        modules = dict(getattr(model, "named_modules", dict)())
        self.paths = {id(module): path or type(module).__name__ for path, module in modules.items()}
        self.leaves = {id(module) for module in modules.values() if not list(module.children())}
        self.calls: list[tuple[str, bool, dict[str, int]]] = []  # running modules: path, leaf, count of operations
        self.samples: dict[str, list[np.ndarray]] = {}
        self.bad: dict[str, str] = {}
        self.dead: dict[str, np.ndarray] = {}
        self.saturated: dict[str, list[float]] = {}
        self.scalars: dict[int, float] = {}  # birth of a node -> its value
        self.scalar = math.nan
        self.turn = 0
        self.loss: float | None = None
        self.waiting: list[str] = []  # parameters that no optimizer has, and that got no gradient
        self.channels_first = False

    # The forward pass

    def begins(self, kind: str, what: Any) -> Any:
        """A module, an operation, or a turn in the backward pass, of which the first is that of the loss."""
        if kind == "turn":
            self.loss = self.scalars.get(what.birth) if self.loss is None else self.loss
            self.turn += 1
        elif kind == "module" and id(what) in self.paths:
            self.calls.append((self.paths[id(what)], id(what) in self.leaves, {}))
        elif kind != "operation":
            return None
        return kind, what

    def ends(self, begun: Any, result: Any, args: tuple, options: dict) -> None:
        """Note what a module or an operation gave."""
        if begun is None:
            return
        kind, what = begun
        if kind == "turn":
            self.turn -= 1
        elif kind == "module":
            path, leaf, _ = self.calls.pop()
            if leaf and self._counts():
                for tensor in tensors_in(result)[:1]:
                    self._activation(path, tensor.array)
        elif self._counts():
            first = result[0] if isinstance(result, tuple) and result else result
            array = first.array if isinstance(first, Tensor) else first
            if isinstance(array, (np.ndarray, np.generic)) and array.size:
                self._operation(what, array)

    def _counts(self) -> bool:
        """Not what is computed again in the backward pass, nor what is computed for show."""
        return not self.turn and is_grad_enabled()

    def _operation(self, operation: Any, result: np.ndarray | np.generic) -> None:
        if result.size == 1 and result.dtype.kind == "f":
            self.scalar = float(result.item())
        if "conv" in operation.name:
            self.channels_first = True
        elif operation.name in ("linear", "matmul"):
            self.channels_first = False
        flat = operation.notation.flat if operation.notation else None
        if flat is None or not self.calls or result.size < 2:
            return
        path, leaf, counts = self.calls[-1]
        if not leaf:
            counts[operation.name] = count = counts.get(operation.name, 0) + 1
            path = f"{path}.{operation.name}" + (f" {count}" if count > 1 else "")
            self._activation(path, result)
        what, test = flat
        shown = test(np.asarray(result))
        if what == "zero":  # a unit is dead if it is zero everywhere
            axis = 1 if self.channels_first and shown.ndim > 2 else shown.ndim - 1
            dead = shown.all(axis=tuple(i for i in range(shown.ndim) if i != axis))
            earlier = self.dead.get(path)
            self.dead[path] = dead & earlier if earlier is not None and earlier.shape == dead.shape else dead
        else:
            self.saturated.setdefault(path, []).append(float(shown.mean()))

    def born(self, node: Any) -> None:
        """What holds one number may be the loss."""
        if node.shape is not None and math.prod(node.shape) == 1:
            self.scalars[node.birth] = self.scalar

    def _activation(self, place: str, array: Any) -> None:
        if array.dtype.kind != "f" or not array.size:
            return
        self.samples.setdefault(place, []).append(sample(array))
        with np.errstate(all="ignore"):  # one of the two is NaN or infinite if any element is
            low, high = array.min(), array.max()
        if place not in self.bad and not (math.isfinite(low) and math.isfinite(high)):
            wrong, what = int(np.isnan(array).sum()), "NaN"
            if not wrong:
                wrong, what = int(np.isinf(array).sum()), "infinite"
            self.bad[place] = f"{wrong} of {array.size} {what}"

    # The update

    def before(self, parameters: Mapping[str, Tensor], optimizer: Any) -> None:
        """The step begins of an optimizer that has these parameters."""
        self.calls.clear()
        self.parameters = parameters
        self.rates = [group["lr"] for group in optimizer.param_groups if "lr" in group]
        self.old = {name: np.array(p.array) for name, p in parameters.items()}
        self.gradients = {name: self._gradient(name, p) for name, p in parameters.items()}

    def _gradient(self, name: str, parameter: Tensor) -> tuple[float, np.ndarray] | None:
        if parameter.grad is None:
            return None
        return norm(parameter.grad.array), sample(parameter.grad.array)

    def after(self, course: _Course, closure: bool) -> Moment:
        """The optimizer's step has ended."""
        moment = Moment(course.taken, course.number, waiting=self.waiting)
        optimizer = f"optimizer {course.number + 1}" * bool(course.number)
        if self.loss is not None:
            moment.note(LOSS, optimizer, self.loss)
        for i, rate in enumerate(self.rates):
            group = f"group {i}" * (len(self.rates) > 1)
            moment.note(RATE, ", ".join(filter(None, (optimizer, group))), rate)
        names: list[tuple[str, str]] = [("activation", place) for place in self.samples]
        kept = [np.concatenate(parts) for parts in self.samples.values()]
        kept = [sample(part) for part in kept]
        for place, dead in self.dead.items():
            moment.note(DEAD, place, dead.mean())
        for place, shares in self.saturated.items():
            moment.note(SATURATED, place, max(shares))
        for name, p in self.parameters.items():
            gradient = self._gradient(name, p) if closure else self.gradients[name]
            old, now = self.old[name], np.asarray(p.array)
            weight, root = norm(old), math.sqrt(max(1, old.size))
            moment.note(WEIGHT, name, weight / root)
            names.append(("weight", name))
            kept.append(sample(old))
            if gradient is None and p.requires_grad:
                moment.waiting.append(name)
            if gradient:
                moment.note(GRADIENT, name, gradient[0] / root)
                moment.note(RATIO, name, norm(now - old) / weight if weight else math.nan)
                names.append(("gradient", name))
                kept.append(gradient[1])
        for (kind, place), distribution in zip(names, describe(kept), strict=True):
            if distribution is not None:
                moment.distributions.setdefault(kind, {})[place] = distribution
        moment.bad = self.bad
        return moment


def norm(array: Any) -> float:
    """The square root of the sum of squares; in float32 at least, where half precision would overflow."""
    flat = np.asarray(array).ravel(order="K")
    flat = flat if flat.dtype.itemsize > 2 else flat.astype(np.float32)
    with np.errstate(all="ignore"):
        return math.sqrt(float(flat @ flat))
