"""What must hold for a layer or a model: the gradients of its parameters and inputs, in training and in use."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd.testing.cotangents import Kinds, general
from autograd.testing.derivatives import Point, compared
from autograd.testing.diagnosis import GradientError
from autograd.testing.engines import Arrays, Engine, engine_of, floating
from autograd.testing.pasting import snippet
from autograd.testing.properties import beside, flatten


def check_module(make: Callable[[], Any], args: Sequence[Any], options: dict[str, Any] | None = None, *, order: int = 2,
                 seed: int = 0, unused: Sequence[str] = (), engine: str | Engine = "gradcircuit") -> bool:
    """Check everything that must hold for a module at these arguments, in float64.

    - Two runs from the same state and the same seed give the same; eval mode changes no buffer.
    - In train and in eval mode the derivatives in every parameter and every floating input, up to `order`, agree with
      differences, whatever the incoming gradient, and every parameter that requires gradients gets one.
    - A second module, made anew, gives the same results and gradients once it has loaded the state_dict of the first.

    Args:
        make: returns a new module. It needs named_parameters(), state_dict(), load_state_dict(), train() and eval();
            named_buffers() if it has any.
        args: arrays, lists of arrays, and anything else; arrays become Tensors.
        options: keyword arguments of forward.
        order: the highest order of derivatives.
        seed: of `manual_seed` before each run, and of the random directions.
        unused: names of parameters that get no gradient.
        engine: "gradcircuit" or "torch", or an `Engine` that has the methods of these for modules.

    Returns:
        Whether the module is differentiable there; False on a kink.

    Raises:
        GradientError: what does not hold, in which mode, and a program that shows it.
    """
    speaks = engine_of(engine)
    if not hasattr(speaks, "call"):
        raise TypeError(f'engine="{speaks.name}" has no modules; test the function (parameters, inputs) -> outputs '
                        "with gradient_test")
    speaks.seed(seed)
    module = speaks.double(make())
    smooth = True
    mode = "making it"
    try:
        with np.errstate(all="ignore"):
            for mode in ("train", "eval"):
                getattr(module, mode)()
                smooth &= _Run(speaks, module, args, options or {}, seed).check(order, unused)
            mode = "a state_dict round trip"
            _check_round_trip(speaks, module, make, args, options or {}, seed)
    except GradientError as error:
        error.add_note(f"after {mode}, with seed {seed}, of the module\n{module}")
        error.add_note(snippet(check_module, make, args, options or {}, order=order, seed=seed, unused=unused,
                               engine=engine))
        raise
    return smooth


class _Run:
    """A module's forward as a function of its inputs and parameters, always from the same state."""

    def __init__(self, engine: Engine, module: Any, args: Sequence[Any], options: dict[str, Any], seed: int) -> None:
        self.engine, self.module, self.options, self.seed = engine, module, options, seed
        self.inputs, self.rebuild = flatten(args)
        self.parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.arrays = [*self.inputs, *(np.array(engine.array(p)) for p in self.parameters.values())]
        self.names = [*(f"input {i}" for i in range(len(self.inputs))), *self.parameters]

    def __call__(self, *tensors: Any) -> Any:
        count = len(self.inputs)
        args = [self.engine.tensor(a) if isinstance(a, np.ndarray) else a for a in self.rebuild(tensors[:count])]
        with _state_kept(self.engine, self.module):
            self.engine.seed(self.seed)
            return _tensors(self.engine.call(self.module, list(self.parameters), tensors[count:], args, self.options))

    def check(self, order: int, unused: Sequence[str]) -> bool:
        results = self.engine.value(self, self.arrays)
        for a, b in zip(results, self.engine.value(self, self.arrays), strict=False):
            if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                raise GradientError("two runs from the same state and seed give different results; random numbers must "
                                    f"come from {self.engine.name} (manual_seed), or be fixed in eval mode")
        if not getattr(self.module, "training", True):
            self._check_buffers_untouched()
        rng = np.random.default_rng(self.seed)
        point = Point(self.engine, self, self.arrays, self.names)
        self._check_all_used(unused)
        errors = compared(point, order, rng)
        if point.here:
            Kinds(point.pull_back, floating(results), rng, lambda: beside(point, rng), lambda: False).check()
        return None not in errors

    def _check_all_used(self, unused: Sequence[str]) -> None:
        for name, used in zip(self.names, self.engine.reached(self, self.arrays), strict=True):
            if used == (name in unused) and name in self.parameters:
                raise GradientError(f"parameter {name} gets no gradient: forward does not use it, or detaches what it "
                                    f"computes; if that is meant, say unused=({name!r},)" if not used else
                                    f"parameter {name} gets a gradient, although unused={tuple(unused)}")

    def _check_buffers_untouched(self) -> None:
        before = {name: np.array(self.engine.array(b)) for name, b in self.engine.buffers(self.module)}
        self.engine.seed(self.seed)
        args = self.rebuild([self.engine.tensor(x) for x in self.inputs])
        self.module(*[self.engine.tensor(a) if isinstance(a, np.ndarray) else a for a in args], **self.options)
        for name, b in self.engine.buffers(self.module):
            if not np.array_equal(before[name], self.engine.array(b), equal_nan=before[name].dtype.kind == "f"):
                raise GradientError(f"buffer {name} changes in eval mode")

    def results(self) -> tuple[Arrays, Arrays]:
        """The outputs, and the gradients for general cotangents."""
        values, pull_back = self.engine.differentiate(self, self.arrays)
        outputs = floating(values)
        return values, pull_back(general(outputs, np.random.default_rng(self.seed))) if outputs else []


def _tensors(result: Any) -> Any:
    """The tensors of a result that may be nested, as (output, (h, c)) of an LSTM is."""
    if not isinstance(result, (tuple, list)):
        return result
    flat: list = []
    for part in result:
        inner = _tensors(part)
        flat += inner if isinstance(inner, list) else [inner]
    return [part for part in flat if part is not None]


def _check_round_trip(engine: Engine, module: Any, make: Callable[[], Any], args: Sequence[Any], options: dict,
                      seed: int) -> None:
    state = {name: copy.deepcopy(value) for name, value in module.state_dict().items()}
    engine.seed(seed + 1)
    other = engine.double(make())
    for _, p in other.named_parameters():
        engine.write(p, engine.array(p) + 0.25)  # to be overwritten
    other.load_state_dict(state)
    for mode in ("train", "eval"):
        getattr(module, mode)()
        getattr(other, mode)()
        ours, theirs = (_Run(engine, m, args, options, seed).results() for m in (module, other))
        for what, a, b in (("output", ours[0], theirs[0]), ("gradient", ours[1], theirs[1])):
            if len(a) != len(b) or any(not np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
                                       for x, y in zip(a, b, strict=True)):
                raise GradientError(f"a module made anew that loads the state_dict gives another {what} in {mode} "
                                    "mode; what forward depends on must be a Parameter or a buffer, or be the same "
                                    "each time the module is made")


@contextmanager
def _state_kept(engine: Engine, module: Any) -> Iterator[None]:
    """Undo what forward does to the buffers: running statistics."""
    before = [(b, np.array(engine.array(b))) for _, b in engine.buffers(module)]
    try:
        yield
    finally:
        for b, values in before:
            if not np.array_equal(engine.array(b), values, equal_nan=values.dtype.kind == "f"):
                engine.write(b, values)
