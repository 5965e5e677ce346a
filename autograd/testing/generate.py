"""From a function, or a model, to a Hypothesis test in one line."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st

from autograd.samples import Call, call
from autograd.testing import strategies
from autograd.testing.diagnosis import GradientError
from autograd.testing.draw import Draw
from autograd.testing.modules import check_module
from autograd.testing.properties import check_function

EXAMPLES = 100
"""How many examples a test draws by default, of which Hypothesis makes the first ten as small as it can."""


def gradient_test(function: Callable[..., Any], *arguments: Any, reference: Callable[..., Any] | None = None,
                  order: int = 2, kinks: Callable[..., Any] | None = None, broadcasts: bool = False,
                  max_examples: int = EXAMPLES, settings: hypothesis.settings | None = None, **domain: Any
                  ) -> Callable[[], None]:
    """A test of everything that must hold for a function and its gradient: see `check_function`.

    Args:
        function: Tensors to a Tensor or several; or an operation of the table.
        arguments: a strategy for each argument; one of tuples stands for several, one of `call(...)` for options too.
            Without any, arrays are drawn for the parameters that have no default: several broadcast.
        reference: the same function in NumPy or SciPy, on arrays.
        order: the highest order of derivatives.
        kinks: a function of the arguments (arrays) that is 0 where `function` has a kink or a pole; examples within
            1e-3 of it are drawn again. Kinks that are not declared are found, and only cost the example.
        broadcasts: whether the arguments broadcast.
        max_examples: how many examples to draw.
        settings: Hypothesis's other settings.
        domain: without `arguments`: see `strategies.arrays`.

    Returns:
        A function for pytest to collect. It raises GradientError with a program that shows the smallest failing case.

    >>> test_softplus = gradient_test(softplus)
    >>> test_log1p = gradient_test(log1p, reference=np.log1p, low=-0.5)
    >>> test_linear = gradient_test(linear, strategies.arrays((2, 3)), strategies.arrays((4, 3)))
    """
    def check(args: tuple, options: dict[str, Any], seed: int) -> bool:
        if kinks is not None:
            distances = kinks(*args, **options)
            hypothesis.assume(all((np.abs(part) > 1e-3).all() for part in _several(distances)))
        return check_function(function, args, options, reference=reference, order=order, seed=seed,
                              broadcasts=broadcasts)
    return _test(check, calls(function, arguments, domain), max_examples, settings,
                 getattr(function, "__name__", "function"))


def module_test(make: Callable[[], Any], *arguments: Any, order: int = 2, unused: Sequence[str] = (),
                max_examples: int = EXAMPLES, settings: hypothesis.settings | None = None) -> Callable[[], None]:
    """A test of a layer or a model, freshly made for each example: see `check_module`.

    Args:
        make: returns a new module; its class, if it needs no arguments.
        arguments: a strategy for each argument of its forward, as for `gradient_test`.
        order: the highest order of derivatives.
        unused: names of parameters that get no gradient.
        max_examples: how many examples to draw.
        settings: Hypothesis's other settings.

    >>> test_perceptron = module_test(lambda: Perceptron(3), strategies.arrays((2, 3)))
    """
    def check(args: tuple, options: dict[str, Any], seed: int) -> bool:
        return check_module(make, args, options, order=order, seed=seed, unused=unused)
    return _test(check, calls(make, arguments, {}), max_examples, settings, getattr(make, "__name__", "module"))


def calls(function: Callable, arguments: Sequence[Any] = (), domain: dict[str, Any] | None = None
          ) -> strategies.Strategy[Call]:
    """A strategy for calls of a function, from one for each argument; or from its declaration or signature."""
    op = getattr(function, "operation", None)
    if not arguments and not domain and op is not None and op.samples:
        return st.composite(lambda draw: op.samples(Draw(draw)))()
    if not arguments:
        if op is None and any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(function).parameters.values()):
            raise ValueError(f"{getattr(function, '__name__', function)} takes any number of arguments; say with a "
                             "strategy for each what to give it")
        count = len(op.arguments) if op is not None else sum(
            p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            for p in inspect.signature(function).parameters.values())
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


def _test(check: Callable[[tuple, dict, int], bool], drawn: strategies.Strategy[Call], max_examples: int,
          given_settings: hypothesis.settings | None, name: str) -> Callable[[], None]:
    smooth = []

    @hypothesis.settings(given_settings, max_examples=max_examples, deadline=None,
                         suppress_health_check=list(hypothesis.HealthCheck), print_blob=False)
    @hypothesis.given(call=drawn, seed=st.integers(0, 99))
    def examples(call: Call, seed: int) -> None:
        smooth.append(check(*call, seed))

    def test() -> None:
        smooth.clear()
        examples()
        if not any(smooth):
            raise GradientError(f"each of the {len(smooth)} examples lies on a kink, so no derivative was compared; "
                                "draw arguments that keep away from it (away_from=...), or say where it is (kinks=...)")
    test.__name__ = test.__qualname__ = f"test_{name}"
    test.__doc__ = f"Gradients of {name}."
    test.hypothesis_test = examples  # type: ignore[attr-defined] - for its settings, seeds and statistics
    return test
