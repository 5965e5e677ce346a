"""What must hold for a function and its gradient, on one example."""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.graph import Graph
from autograd.operation import Operation
from autograd.tensor import Tensor
from autograd.testing.cotangents import Kinds, general
from autograd.testing.derivatives import Point, compared, flat, pulled_back
from autograd.testing.diagnosis import GradientError
from autograd.testing.engines import GRADCIRCUIT, Arrays, Engine, Gradcircuit, Numpy, engine_of, floating, several
from autograd.testing.layouts import LAYOUTS, read_only
from autograd.testing.pasting import snippet
from autograd.testing.precision import check_float32, check_float64

ROUNDING = 1e-9
"""By how much two ways to compute the same may differ, relative to the largest number."""

REPEATS = 9
"""So often a backward pass is repeated: what is wrong one time in ten shows."""
READ_ONLY = "with read-only inputs and cotangents (somebody writes to them)"


def check_function(function: Callable[..., Any], args: Sequence[Any], options: dict[str, Any] | None = None, *,
                   reference: Callable[..., Any] | None = None, order: int = 2, seed: int = 0,
                   broadcasts: bool = False, engine: str | Engine = "gradcircuit") -> bool:
    """Check everything that must hold for `function` at these arguments.

    - Two runs give the same, whatever ran between; the value is that of the reference.
    - Derivatives up to `order` agree with differences; what those cannot decide (kinks, jumps) is left out.
    - J'u is linear in u, whatever kind u is: constant, zero, of stride 0, huge, infinite in one place.
    - Neither inputs nor cotangents are written to; their memory layout does not matter.
    - float32 arguments give float32 results and gradients, equal to those of float64; float64 has its digits.
    - Equal arguments may be the same tensor: its gradient is the sum.
    - A function that broadcasts gives the same for arguments that are stretched beforehand.
    - For Tensors: two backward passes add up. For operations: the recorded graph gives the same when it is run again; a
      fused operation equals its composition.

    Args:
        function: Tensors to a Tensor or several; or an operation of the table; or a function of another engine.
        args: arrays, lists of arrays, and anything else. Floating arrays become Tensors to differentiate by; other
            arrays become Tensors too, but remain arrays for an operation, which takes them as options.
        options: keyword arguments.
        reference: the same function in NumPy or SciPy, on arrays.
        order: the highest order of derivatives.
        seed: of the random directions and memory layouts.
        broadcasts: whether the arguments broadcast.
        engine: "gradcircuit", "torch", "jax", "hips", "numpy" for a pair (forward, vjp), or an `Engine`.

    Returns:
        Whether the function is differentiable there; False on a kink, where derivatives could not all be compared.

    Raises:
        GradientError: what does not hold, and a program that shows it.
    """
    errors = noted(function, args, options or {}, reference, order, seed, broadcasts, engine)
    return None not in errors and bool(errors)


def noted(function: Callable, args: Sequence[Any], options: dict[str, Any], reference: Callable | None, order: int,
          seed: int, broadcasts: bool, engine: str | Engine) -> list[float | None]:
    """What `check_function` does; returns the relative error at each order, None where it could not be decided."""
    try:
        return _examine(function, args, options, reference, order, seed, broadcasts, engine)
    except Exception as error:
        if "LinAlgError" in type(error).__name__:  # it refuses this point: a singular matrix, say
            return [None]
        error.add_note(snippet(check_function, function, args, options, reference=reference, order=order, seed=seed,
                               broadcasts=broadcasts, engine=engine))
        raise


def _examine(function: Callable, args: Sequence[Any], options: dict[str, Any], reference: Callable | None, order: int,
             seed: int, broadcasts: bool, engine: str | Engine) -> list[float | None]:
    example = Example(engine_of(engine), function, args, options, seed)
    op = getattr(function, "operation", None)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of means of nothing
        example.check_repeatable()
        if reference is not None:
            example.check_value(reference, args, options)
        point = Point(example.engine, example.function, example.arrays)
        errors = compared(point, order, example.rng)
        example.check_cotangents(point)
        example.check_layouts()
        example.check_same_tensor()
        example.check_twice()
        example.check_empty_batch()
        if broadcasts:
            example.check_broadcasting()
        if "dtype" not in options:
            example.check_precision()
        if isinstance(example.engine, Gradcircuit):
            example.check_accumulation()
            if op is not None:
                example.check_graph()
                if op.composition:
                    example.check_composition(op, args, options)
    return errors


def check_operation(op: Operation, draw: Any) -> None:
    """Draw one example for an operation of the table and check all that must hold on it: see `check_function`."""
    args, options = op.samples(draw)
    check_function(op.call, args, options, seed=draw.integer(0, 99))


def beside(point: Point, rng: np.random.Generator) -> tuple[list, list]:
    """Pull-backs at points that tell how large rounding is: see `Kinds`."""
    return ([point.neighbor(rng) for _ in range(6)],
            [point.elsewhere(lambda x, size=size: size * x / (1 + np.abs(x))) for size in (1, 2.0 ** -6, 2.0 ** -10)])


def flatten(args: Sequence[Any]) -> tuple[list[np.ndarray], Callable[[Sequence[Any]], list]]:
    """The floating arrays among arguments and lists of arguments, and a function that puts others in their places."""
    arrays: list[np.ndarray] = []

    def places(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            arrays.append(value)
            return len(arrays) - 1
        return [places(part) for part in value] if isinstance(value, list) else (value,)

    layout = [places(arg) for arg in args]

    def fill(place: Any, values: Any) -> Any:
        if isinstance(place, int):
            return values[place]
        return [fill(part, values) for part in place] if isinstance(place, list) else place[0]

    return arrays, lambda values: [fill(place, values) for place in layout]


class Example:
    """A function of an engine at one point, with its results and its gradients there."""

    def __init__(self, engine: Engine, function: Callable, args: Sequence[Any], options: dict[str, Any], seed: int
                 ) -> None:
        self.engine, self.rng = engine, np.random.default_rng(seed)
        given, rebuild = flatten(args)
        self.arrays = [np.array(x) for x in given]  # of its own: what writes to them changes no other example
        self.given = given
        self.function = engine.bind(function, rebuild, options)
        self.results: Arrays = []

    def run(self, arrays: Sequence[np.ndarray]) -> Arrays:
        """The results for other arrays, nothing being recorded."""
        return self.engine.value(self.function, arrays)

    def gradients(self, arrays: Sequence[np.ndarray], cotangents: Sequence[np.ndarray] | None = None) -> Arrays:
        """The gradients at other arrays."""
        cotangents = self.cotangents if cotangents is None else cotangents
        return pulled_back(self.engine, self.function, arrays, cotangents)

    def check_unwritten(self, who: str) -> None:
        """The arguments are what they were."""
        for i, (x, old) in enumerate(zip(self.arrays, self.given, strict=True)):
            if not np.array_equal(x, old, equal_nan=True):
                raise GradientError(f"the arguments change (somebody writes to them): after {who} argument {i} is\n{x}"
                                    f"\nand was\n{old}\nwrite to a copy")

    def check_repeatable(self) -> None:
        """Two runs give exactly the same, and leave the arguments alone."""
        self.results = [np.array(out) for out in self.run(self.arrays)]
        self.check_unwritten("the function")
        for a, b in zip(self.results, self.run(self.arrays), strict=True):
            if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                raise GradientError(f"two runs on the same inputs give different results:\n{a}\nand\n{b}\nseed what is "
                                    "random inside the function, or switch it off")

    def check_value(self, reference: Callable, args: Sequence[Any], options: dict[str, Any]) -> None:
        """The results are those of the reference."""
        expected = reference(*args, **options)
        _same(self.results, [np.asarray(x) for x in several(expected)], "not that of the reference", 1e-7)

    def check_cotangents(self, point: Point) -> None:
        """J'u is linear in u, saved values survive, nothing is written to, nothing depends on what ran before."""
        outputs = floating(self.results)
        self.cotangents = [read_only(u) for u in general(outputs, self.rng)]
        if not outputs or not self.arrays:
            self.gradients_here = [np.zeros_like(x) for x in self.arrays]
            return
        _same(point.here, outputs, "recorded for the backward pass, is another", 1e-12)
        writable = [np.array(u) for u in self.cotangents]
        with _during("in the backward pass"):
            self.gradients_here = first = point.pull_back(writable)
        for a, b in zip(writable, self.cotangents, strict=True):
            if not np.array_equal(a, b):
                raise GradientError("the incoming gradients change (somebody writes to them): after the backward pass "
                                    f"one is\n{a}\nand was\n{b}\nwrite to a copy")
        first = self.gradients_here = [np.array(g) for g in first]
        self.check_unwritten("the backward pass")
        near = [x + self.rng.uniform(-1e-3, 1e-3, x.shape) for x in self.arrays]
        for elsewhere in (near, self.longer()):
            with contextlib.suppress(Exception):  # it need not take these
                away, pull_back_there = self.engine.differentiate(self.function, elsewhere)
                pull_back_there([np.ones_like(out) for out in floating(away)])
        with _during(READ_ONLY):
            _same(point.pull_back(self.cotangents), first, "as gradient after the function has run elsewhere and the "
                  "graph has been gone through once, is another (a value kept outside the graph, or written to)", 1e-12)
            for _ in range(REPEATS):
                _same(point.pull_back(self.cotangents), first, "as gradient, is another time another (it is random, or "
                      "counts)", 1e-12)
        again = self.gradients(self.arrays)
        _same(again, first, "as gradient of a second run, is another (it depends "
                            "on what ran before, or is random)", 1e-12)
        Kinds(point.pull_back, outputs, self.rng, lambda: beside(point, self.rng), self.is_local).check()
        self.check_unwritten("the backward pass")

    def longer(self) -> Arrays:
        """Arguments of twice the batch."""
        batch = max((len(x) for x in self.arrays if x.ndim), default=0)
        return [np.concatenate([x, x]) if x.ndim and len(x) == batch else x for x in self.arrays]

    def check_empty_batch(self) -> None:
        """Of an empty batch no gradient arrives: it is zero, if the function takes one at all."""
        batch = max((len(x) for x in self.arrays if x.ndim), default=0)
        fewer = [x[:0] if x.ndim and len(x) == batch else x for x in self.arrays]
        try:
            results, pull_back = self.engine.differentiate(self.function, fewer)
            gradients = pull_back([np.zeros_like(out) for out in floating(results)])
        except Exception:  # it need not
            return
        for i, (g, x) in enumerate(zip(gradients, fewer, strict=True)):
            if g.shape == x.shape and not any(out.size for out in results) and g.any():
                raise GradientError(f"the gradient of input {i}, for an empty batch (arguments of shapes "
                                    f"{[x.shape for x in fewer]}), must be zero, and is\n{g}")

    def check_twice(self) -> None:
        """Two calls in one graph send back the sum of what each would."""
        if isinstance(self.engine, Numpy) or not all(np.isfinite(g).all() for g in self.gradients_here):
            return
        both = self.engine.differentiate(lambda *xs: (*several(self.function(*xs)), *several(self.function(*xs))),
                                         self.arrays)[1]
        _same(both([*self.cotangents, *(-2 * u for u in self.cotangents)]), [-g for g in self.gradients_here],
              "as gradient, when the function is called twice on the same tensors, is another (an array that is kept, "
              "and written to again)")

    def is_local(self) -> bool:
        """Whether each element of the output depends on the element of the input in its place alone."""
        if len(self.arrays) != 1 or len(self.results) != 1 or self.results[0].shape != self.arrays[0].shape:
            return False
        x = self.arrays[0] / (1 + np.abs(self.arrays[0]))  # at a point without zeros, ties and large numbers
        x = x + self.rng.uniform(-0.25, 0.25, x.shape)
        here = self.run([x])[0]
        for k in self.rng.permutation(x.size)[:8]:
            for step in (0.125, -0.375, 8, -64):
                moved = np.array(x)
                moved.reshape(-1)[k] += step
                if set(np.flatnonzero(self.run([moved])[0] != here)) - {k}:
                    return False
        return True

    def check_accumulation(self) -> None:
        """Several backward passes add up in .grad; read-only cotangents and inputs are enough."""
        with _during(READ_ONLY):
            leaves = [Tensor(read_only(x), requires_grad=True) for x in self.arrays]
            results = self.function(*leaves)
            outputs = [out for out in (results if isinstance(results, (tuple, list)) else [results])
                       if isinstance(out, Tensor) and out.dtype.kind == "f"]
            for _ in range(2):
                for out, u in zip(outputs, self.cotangents, strict=True):
                    if out.requires_grad:
                        out.backward(u, retain_graph=True)
        _same([np.zeros(x.shape) if x.grad is None else x.grad.array for x in leaves],
              [2 * g for g in self.gradients_here], "accumulated in .grad by several backward passes, is not the sum "
              "of their gradients")

    def check_layouts(self) -> None:
        """Arrays of another memory layout give the same."""
        if not self.arrays:
            return
        names = [str(self.rng.choice(list(LAYOUTS))) for _ in range(len(self.arrays) + len(self.cotangents))]
        with _during(f"with inputs and cotangents laid out in memory as {names}"):
            arrays = [LAYOUTS[name](x) for name, x in zip(names, self.arrays, strict=False)]
            _same(self.run(arrays), self.results, f"with inputs laid out in memory as {names}, is another")
            us = [LAYOUTS[name](u) for name, u in zip(names[len(arrays):], self.cotangents, strict=True)]
            _same(self.gradients(arrays, us), self.gradients_here,
                  f"as gradient, with inputs and cotangents laid out in memory as {names}, is another")

    def check_same_tensor(self) -> None:
        """Where two arguments are equal they may be one tensor: its gradient is the sum of theirs."""
        pairs = [(i, j) for j in range(len(self.arrays)) for i in range(j)
                 if self.arrays[i].size and np.array_equal(self.arrays[i], self.arrays[j])]
        for i, j in pairs[:1]:
            if isinstance(self.engine, Numpy):
                arrays = list(self.arrays)
                arrays[j] = arrays[i]
                found, expected = self.gradients(arrays), self.gradients_here
            else:
                def call(*tensors: Any, i: int = i, j: int = j) -> Any:
                    return self.function(*tensors[:j], tensors[i], *tensors[j:])
                fewer = self.arrays[:j] + self.arrays[j + 1:]
                found = self.engine.differentiate(call, fewer)[1](self.cotangents)
                expected = [g + self.gradients_here[j] if k == i else g for k, g in enumerate(self.gradients_here)
                            if k != j]
            _same(found, expected, f"as gradient, when arguments {i} and {j} are the same tensor, is another")

    def check_broadcasting(self) -> None:
        """Stretching the arguments beforehand changes nothing, and their gradients add up to those of the arguments."""
        shape = np.broadcast_shapes(*[x.shape for x in self.arrays])
        stretched = [np.broadcast_to(x, shape) for x in self.arrays]
        _same(self.run(stretched), self.results, "for arguments stretched beforehand, is another")
        lead = [len(shape) - x.ndim for x in self.arrays]
        summed = [g.sum(axis=(*range(n), *(n + i for i, side in enumerate(x.shape) if side == 1))).reshape(x.shape)
                  for g, n, x in zip(self.gradients(stretched), lead, self.arrays, strict=True)]
        _same(summed, self.gradients_here, "as gradient of arguments stretched beforehand and summed, is another")

    def check_precision(self) -> None:
        """float32 arguments give float32 results and gradients, the same as in float64, which has its own digits."""
        if not self.arrays or not flat(self.arrays).size:
            return
        if self.engine.float32:
            single = [x.astype(np.float32) for x in self.arrays]
            with _during("with float32 arguments"):
                results, pull_back = self.engine.differentiate(self.function, single)
            for out, expected in zip(results, self.results, strict=True):
                wanted = np.dtype(np.float32) if expected.dtype.kind == "f" else expected.dtype
                if out.dtype != wanted:
                    raise GradientError(f"float32 arguments give a result of {out.dtype}, not {wanted}")
            with _during("with float32 arguments"):
                for i, g in enumerate(pull_back([u.astype(np.float32) for u in self.cotangents])):
                    if g.dtype != np.float32:
                        raise GradientError(f"the gradient of float32 argument {i} is {g.dtype}")

        def gradients(arrays: Sequence[np.ndarray]) -> Arrays:
            return self.gradients(arrays, [u.astype(arrays[0].dtype) for u in self.cotangents])
        overflows = self.engine.float32 and any(not np.array_equal(np.isfinite(a), np.isfinite(b)) for a, b in zip(
            results, self.results, strict=True))
        for check in (check_float32, check_float64) if self.engine.float32 and not overflows else (check_float64,):
            check(self.run, self.arrays, "result", self.rng)
            if floating(self.results):
                check(gradients, self.arrays, "gradient of input", self.rng)

    def check_graph(self) -> None:
        """The recorded graph, run again, gives the same."""
        results = self.function(*[Tensor(x, requires_grad=True) for x in self.arrays])
        for out in results if isinstance(results, (tuple, list)) else [results]:
            if isinstance(out, Tensor) and out.node is not None:
                _same([Graph(out).forward()[out.node]], [out.array], "when the recorded graph runs again, is another")

    def check_composition(self, op: Operation, args: Sequence[Any], options: dict[str, Any]) -> None:
        """A fused operation and its composition agree, in value and gradient."""
        _, rebuild = flatten(args)
        _, bound = op.bind(tuple(args), options)
        composed = Example(GRADCIRCUIT, lambda *t: op.composition(*op.bind(tuple(rebuild(t)), options)[0], **bound),
                           self.arrays, {}, 0)
        _same(composed.run(self.arrays), self.results, "by the composition, is another")
        _same(composed.gradients(self.arrays, self.cotangents), self.gradients_here,
              "as gradient by the composition, is another")


def _same(found: Sequence[np.ndarray], expected: Sequence[np.ndarray], what: str, tolerance: float = ROUNDING) -> None:
    if len(found) != len(expected):
        raise GradientError(f"there are {len(found)} results and not {len(expected)}")
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        if a.shape == b.shape and np.array_equal(a, b):
            continue
        scale = np.abs(b[np.isfinite(b)]).max(initial=1) if b.dtype.kind == "f" else 1
        if a.shape != b.shape or not np.allclose(a, b, rtol=tolerance, atol=tolerance * scale, equal_nan=True):
            which = "" if len(found) == 1 else f" {i}"
            raise GradientError(f"the result{which}, {what}: it is\n{a}\nand should be\n{b}")


@contextlib.contextmanager
def _during(circumstance: str) -> Iterator[None]:
    """Errors that the function raises only in these circumstances are its fault."""
    try:
        yield
    except (ValueError, TypeError, RuntimeError, IndexError, AttributeError, ArithmeticError) as error:
        if "LinAlgError" in type(error).__name__:
            raise
        raise GradientError(f"it fails {circumstance}: {type(error).__name__}: {error}") from error
