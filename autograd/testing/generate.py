"""From a function, or a model, to a Hypothesis test in one line."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

try:
    import hypothesis
    from hypothesis import strategies as st
except ModuleNotFoundError as missing:  # pragma: no cover
    raise ModuleNotFoundError("gradient_test and module_test draw their examples with Hypothesis; pip install "
                              "'gradcircuit[testing]'") from missing

from autograd.samples import Call, call
from autograd.testing import circumstances, strategies
from autograd.testing.diagnosis import GradientError
from autograd.testing.draw import Draw
from autograd.testing.engines import Engine, engine_of
from autograd.testing.modules import check_module
from autograd.testing.properties import noted

EXAMPLES = 100
"""How many examples a test draws by default."""
SECONDS = 20.0
"""For how long, by default: a slow function gets fewer examples, and the test says so."""
SEEDS = st.characters(min_codepoint=48, max_codepoint=147).map(lambda letter: ord(letter) - 48)
"""Of random directions: 0 to 99. They are letters for Hypothesis's sake, which exchanges numbers that it has drawn."""
FEWEST = 5
"""So many are drawn however long they take."""


def gradient_test(function: Callable[..., Any], *arguments: Any, reference: Callable[..., Any] | None = None,
                  order: int = 2, kinks: Callable[..., Any] | None = None, broadcasts: bool = False,
                  max_examples: int = EXAMPLES, seconds: float | None = SECONDS, engine: str | Engine = "gradcircuit",
                  settings: hypothesis.settings | None = None, watch: Callable[..., None] | None = None, **domain: Any
                  ) -> Callable[[], None]:
    """A test of everything that must hold for a function and its gradient: see `check_function`.

    Args:
        function: Tensors to a Tensor or several; or an operation of the table; or a function of another engine.
        arguments: a strategy for each argument; one of tuples stands for several, one of `call(...)` for options too.
            Without any, arrays are drawn for the parameters that have no default: several broadcast.
        reference: the same function in NumPy or SciPy, on arrays.
        order: the highest order of derivatives.
        kinks: a function of the arguments (arrays) that is 0 where `function` has a kink or a pole; examples within
            1e-3 of it are drawn again. Kinks that are not declared are found, and only cost the example.
        broadcasts: whether the arguments broadcast.
        max_examples: how many examples to draw.
        seconds: how long to go on drawing them, and then how long to make a failing one smaller; None for no limit.
        engine: "gradcircuit", "torch", "jax", "hips", "numpy" for a pair (forward, vjp), or an `Engine`.
        settings: Hypothesis's other settings.
        watch: told of each example: its arguments, its options, the relative error at each order (None: not decided).
        domain: without `arguments`: see `strategies.arrays`.

    Returns:
        A function for pytest to collect. It raises GradientError with a program that shows the smallest failing case,
        and prints what was compared; its attribute `report` is that text.

    >>> test_softplus = gradient_test(F.softplus)
    >>> test_log1p = gradient_test(log1p, reference=np.log1p, low=-0.5)
    >>> test_linear = gradient_test(F.linear, strategies.arrays((None, 3)), strategies.arrays((4, 3)))
    """
    speaks = engine_of(engine)

    def check(args: tuple, options: dict[str, Any], seed: int) -> bool:
        if kinks is not None:
            distances = kinks(*args, **options)
            hypothesis.assume(all((np.abs(part) > 1e-3).all() for part in _several(distances)))
        errors = noted(function, args, options, reference, order, seed, broadcasts, engine)
        if watch is not None:
            watch(args, options, errors)
        return bool(errors) and None not in errors
    return _test(check, calls(function, arguments, domain, speaks), max_examples, seconds, settings, function)


def module_test(make: Callable[[], Any], *arguments: Any, order: int = 2, unused: Sequence[str] = (),
                max_examples: int = EXAMPLES, seconds: float | None = SECONDS, engine: str | Engine = "gradcircuit",
                settings: hypothesis.settings | None = None) -> Callable[[], None]:
    """A test of a layer or a model, freshly made for each example: see `check_module`.

    Args:
        make: returns a new module; its class, if it needs no arguments.
        arguments: a strategy for each argument of its forward, as for `gradient_test`.
        order: the highest order of derivatives.
        unused: names of parameters that get no gradient.
        max_examples: how many examples to draw.
        seconds: as for `gradient_test`.
        engine: "gradcircuit" or "torch".
        settings: Hypothesis's other settings.

    >>> test_layer = module_test(lambda: nn.Linear(3, 2), strategies.arrays((None, 3)))
    """
    engine_of(engine)

    def check(args: tuple, options: dict[str, Any], seed: int) -> bool:
        return check_module(make, args, options, order=order, seed=seed, unused=unused, engine=engine)
    return _test(check, calls(make, arguments, {}), max_examples, seconds, settings, make)


def calls(function: Callable, arguments: Sequence[Any] = (), domain: dict[str, Any] | None = None,
          engine: Engine | None = None) -> strategies.Strategy[Call]:
    """A strategy for calls of a function, from one for each argument; or from its declaration or signature."""
    op = getattr(function, "operation", None)
    if not arguments and not domain and op is not None and op.samples:
        return st.composite(lambda draw: op.samples(Draw(draw)))()
    if not arguments:
        try:
            parameters = (engine_of(engine).parameters(function) if op is None else op.signature).parameters.values()
        except ValueError as error:
            raise ValueError(f"what {_name(function)} takes is not known (it is not written in Python); say with a "
                             "strategy for each argument what to give it, or write lambda x: ...") from error
        if op is None and any(p.kind is p.VAR_POSITIONAL for p in parameters):
            raise ValueError(f"{_name(function)} takes any number of arguments; say with a "
                             "strategy for each what to give it")
        count = len(op.arguments) if op is not None else sum(
            p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
        arguments = ([strategies.arrays(**domain or {})] if count == 1 else
                     [strategies.broadcastable(count, **domain or {})] if count else [])
    return st.tuples(*arguments).map(_as_call)


def _as_call(drawn: tuple) -> Call:
    """Tuples spread, calls too."""
    args: list[Any] = []
    options: dict[str, Any] = {}
    for part in drawn:
        if isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], tuple) and isinstance(part[1], dict):
            args += part[0]
            options.update(part[1])
        elif isinstance(part, tuple):
            args += part
        else:
            args.append(part)
    return call(*args, **options)


def _several(result: Any) -> Sequence[Any]:
    return result if isinstance(result, (tuple, list)) else (np.asarray(result),)


def _name(function: Any) -> str:
    parts = function if isinstance(function, (tuple, list)) else [function]
    owner = getattr(parts[0], "__self__", None)
    return owner.__name__ if isinstance(owner, type) else getattr(parts[0], "__name__", "function")


class _Log:
    """What one run of a test has seen: for how long, which examples passed and which failed, and how."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds, self.start = seconds, time.perf_counter()
        self.smooth: list[bool] = []
        self.passed: list[tuple] = []
        self.failed: list[tuple[str, str, tuple]] = []
        self.skipped = 0

    def skips(self, call: Call, seed: int) -> bool:
        """Whether time is up. An example that has failed is always run again: Hypothesis wants to see it fail."""
        late = self.seconds is not None and time.perf_counter() - self.start > self.seconds
        if not late or (not self.failed and len(self.smooth) < FEWEST):
            return False
        if any(key == repr((call, seed)) for key, _, _ in self.failed):
            return False
        self.skipped += not self.failed
        return True

    @contextlib.contextmanager
    def recording(self, call: Call, seed: int) -> Iterator[None]:
        try:
            yield
        except GradientError as error:
            if not self.failed:
                self.start = time.perf_counter()
            self.failed.append((repr((call, seed)), _kind(error), call[0]))
            raise
        self.passed.append(call[0])

    def circumstance(self, error: GradientError) -> str:
        """What all examples that failed like this one have in common, and none that passed."""
        alike = list({key: args for key, kind, args in self.failed if kind == _kind(error)}.values())
        found = circumstances.difference(*(list(map(circumstances.features, seen)) for seen in (alike, self.passed)))
        return f"\ncircumstance: only {found} ({len(alike)} such examples failed, {len(self.passed)} others passed)" \
            if found else ""

    def report(self, name: str) -> str:
        """What was compared, and what could not be."""
        kinks = self.smooth.count(False)
        return (f"{name}: right on {len(self.smooth)} examples"
                + (f"; on {kinks} of them some derivatives could not be decided (a kink, a jump, a singular point, or "
                   "the function is not finite)" if kinks else "")
                + (f"; {self.skipped} more were not tried, the time being up (seconds={self.seconds:g})"
                   if self.skipped else ""))


def _kind(error: GradientError) -> str:
    if error.order is not None:
        return f"order {error.order}"
    return re.sub(r"[-\d.\[\] ]+", "", str(error).splitlines()[0])[:60]


def _test(check: Callable[[tuple, dict, int], bool], drawn: strategies.Strategy[Call], max_examples: int,
          seconds: float | None, given_settings: hypothesis.settings | None, function: Any) -> Callable[[], None]:
    log = _Log(seconds)
    name = _name(function)

    def examples(call: Call, seed: int) -> None:
        if log.skips(call, seed):
            return
        with log.recording(call, seed):
            log.smooth.append(check(*call, seed))
    identity = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', name)}"
    examples._hypothesis_internal_add_digest = identity.encode()  # type: ignore[attr-defined]  # in the database
    phases = [p for p in (given_settings or hypothesis.settings()).phases if p is not hypothesis.Phase.explain]
    run = hypothesis.settings(given_settings, max_examples=max_examples, deadline=None, print_blob=False, phases=phases,
                              report_multiple_bugs=False, suppress_health_check=list(hypothesis.HealthCheck))(
        hypothesis.given(call=drawn, seed=SEEDS)(examples))

    def test() -> None:
        __tracebackhide__ = True
        log.__init__(seconds)  # type: ignore[misc]  # each run begins anew
        for seed in {getattr(test, "_hypothesis_internal_use_seed", None)} - {None}:  # hypothesis.seed(1)(test)
            hypothesis.seed(seed)(run)
        try:
            run()
        except GradientError as error:
            error.args = (f"{name}: {error}{log.circumstance(error)}",)
            raise error.with_traceback(None) from None  # the message, not how it was found
        if not any(log.smooth):
            raise GradientError(f"{name}: each of the {len(log.smooth)} examples lies on a kink, so no "
                                "derivative was compared; draw arguments that keep away from it "
                                "(away_from=...), or say where it is (kinks=...)")
        test.report = log.report(name)  # type: ignore[attr-defined]
        print(test.report)  # type: ignore[attr-defined]
    test.__name__ = test.__qualname__ = f"test_{name}"
    test.__doc__ = f"Gradients of {name}."
    test.hypothesis_test = run  # type: ignore[attr-defined]  # for its settings, seeds and statistics
    return test
