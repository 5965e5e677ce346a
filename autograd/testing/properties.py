"""What must hold for a function and its gradient, on one example."""

import contextlib
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.graph import Graph, grad
from autograd.operation import Operation
from autograd.table import TABLE
from autograd.tensor import Tensor
from autograd.testing.diagnosis import GradientError
from autograd.testing.gradcheck import STEP, check_derivatives
from autograd.testing.layouts import LAYOUTS, read_only

ROUNDING = 1e-9
"""By how much two ways to compute the same may differ, relative to the largest number."""


def check_function(function: Callable[..., Any], args: Sequence[Any], options: dict[str, Any] | None = None, *,
                   reference: Callable[..., Any] | None = None, order: int = 2, seed: int = 0,
                   broadcasts: bool = False) -> bool:
    """Check everything that must hold for `function` at these arguments.

    - Two runs give the same; the value is that of the reference.
    - Derivatives up to `order` agree with central differences.
    - J'u is linear in u; two backward passes add up; <u, J v> = <J'u, v>.
    - Neither inputs nor cotangents are written to; their memory layout does not matter.
    - float32 stays float32, in the results and in the gradients.
    - A function that broadcasts gives the same for arguments that are stretched beforehand.
    - For operations: the recorded graph gives the same when it is run again; a fused operation equals its composition.

    Args:
        function: Tensors to a Tensor or several; or an operation of the table.
        args: arrays, lists of arrays, and anything else. Floating arrays become Tensors to differentiate by; other
            arrays become Tensors too, but remain arrays for an operation, which takes them as options.
        options: keyword arguments.
        reference: the same function in NumPy or SciPy, on arrays.
        order: the highest order of derivatives.
        seed: of the random directions and memory layouts.
        broadcasts: whether the arguments broadcast.

    Returns:
        Whether the function is differentiable there; False on a kink, where derivatives have not been compared.

    Raises:
        GradientError: what does not hold, and a program that shows it.
    """
    options = options or {}
    op = getattr(function, "operation", None)
    try:
        example = Example(function, args, options, seed, as_tensors=op is None)
        example.check_repeatable()
        if reference is not None:
            example.check_value(reference, args, options)
        errors = check_derivatives(example.function, example.arrays, order, seed)
        if op is not None and not errors:
            example.check_ties()
        example.check_cotangents()
        example.check_layouts()
        if broadcasts:
            example.check_broadcasting()
        if "dtype" not in options:
            example.check_float32()
        if op is not None:
            example.check_graph()
            if op.composition:
                example.check_composition(op, args, options)
    except Exception as error:
        error.add_note(snippet(function, args, options, reference=reference, order=order, seed=seed,
                               broadcasts=broadcasts))
        raise
    return len(errors) == order


def check_operation(op: Operation, draw: Any) -> None:
    """Draw one example for an operation of the table and check all that must hold on it: see `check_function`."""
    args, options = op.samples(draw)
    check_function(op.call, args, options, seed=draw.integer(0, 99))


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
    """A function of Tensors at one point, with its results and its gradients there."""

    def __init__(self, function: Callable, args: Sequence[Any], options: dict[str, Any], seed: int,
                 as_tensors: bool) -> None:
        self.rng = np.random.default_rng(seed)
        self.arrays, rebuild = flatten(args)

        def call(*tensors: Any) -> Any:
            full = rebuild(tensors)
            if as_tensors:
                full = [Tensor(a) if isinstance(a, np.ndarray) else a for a in full]
            return function(*full, **options)
        self.function = call
        self.results = self.run(self.arrays)

    def run(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The results for other arrays, nothing being recorded."""
        return [out.array for out in outputs_of(self.function(*map(Tensor, arrays)))]

    def record(self, arrays: Sequence[np.ndarray]) -> tuple[list[Tensor], list[Tensor]]:
        """The leaves, and those results that depend on them."""
        leaves = [Tensor(x, requires_grad=True) for x in arrays]
        return leaves, [out for out in outputs_of(self.function(*leaves)) if out.requires_grad]

    def check_repeatable(self) -> None:
        """Two runs give exactly the same."""
        for a, b in zip(self.results, self.run(self.arrays), strict=True):
            if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                raise GradientError(f"two runs on the same inputs give different results:\n{a}\nand\n{b}\nseed what is "
                                    "random inside the function, or switch it off")

    def check_value(self, reference: Callable, args: Sequence[Any], options: dict[str, Any]) -> None:
        """The results are those of the reference."""
        expected = reference(*args, **options)
        several = expected if isinstance(expected, (tuple, list)) else (expected,)
        _same(self.results, [np.asarray(x) for x in several], "not that of the reference", 1e-7)

    def check_ties(self) -> None:
        """At a kink: where all inputs move alike, ties remain, and if the function is smooth so is its slope.

        max(x, y) at x = y has no derivative in x or in y, but along (1, 1) it has, which the gradients must add up to.
        """
        leaves, outputs = self.record(self.arrays)
        us = [self._random(out) for out in outputs]
        found = sum(float(g.sum()) for g in _pull_back(outputs, leaves, us))
        here, ahead, behind = (
            sum(float(np.vdot(u, out.array)) for u, out in zip(us, self.record([x + step for x in self.arrays])[1],
                                                               strict=True)) for step in (0, STEP, -STEP))
        if abs(ahead + behind - 2 * here) < 1e-4 * STEP and abs(found - (ahead - behind) / (2 * STEP)) > 1e-5 * (
                1 + abs(found)):
            raise GradientError(f"along the direction in which all inputs grow alike the derivative is {found:.9g} by "
                                f"the rules and {(ahead - behind) / (2 * STEP):.9g} by central differences\n"
                                "likely cause: a wrong branch at a tie: what is shared must be shared out, not doubled "
                                "or dropped")

    def check_cotangents(self) -> None:
        """J'u is linear in u, passes add up, saved values survive, nothing is written to; <u, J v> = <J'u, v>."""
        with _during("with read-only inputs and cotangents (somebody writes to them)"):
            leaves, outputs = self.record([read_only(x) for x in self.arrays])
            self.cotangents = [(read_only(self._random(out)), read_only(self._random(out))) for out in outputs]
            us, vs = ([pair[i] for pair in self.cotangents] for i in (0, 1))
            self.gradients = first = _pull_back(outputs, leaves, us)
            if not outputs:
                return
            self.run([x + self.rng.uniform(-1e-3, 1e-3, x.shape) for x in self.arrays])
            _same(_pull_back(outputs, leaves, us), first, "as gradient after the function has run elsewhere and the "
                  "graph has been gone through once, is another (a value kept outside the graph, or written to)")
            second = _pull_back(outputs, leaves, vs)
            _same(_pull_back(outputs, leaves, [2 * u - v for u, v in zip(us, vs, strict=True)]),
                  [2 * a - b for a, b in zip(first, second, strict=True)], "J'(2u - v), is not 2 J'u - J'v")
            for cotangents in (us, vs):
                for out, u in zip(outputs, cotangents, strict=True):
                    out.backward(u, retain_graph=True)
            _same([np.zeros(x.shape) if x.grad is None else x.grad.array for x in leaves],
                  [a + b for a, b in zip(first, second, strict=True)],
                  "accumulated in .grad by several backward passes, is not the sum of their gradients")
        self._check_adjoint(us)

    def _check_adjoint(self, us: list[np.ndarray]) -> None:
        leaves, outputs = self.record(self.arrays)
        cotangents = [Tensor(u, requires_grad=True) for u in us]
        found = grad(outputs, leaves, cotangents, create_graph=True, allow_unused=True)
        pairs = [(g, self.rng.standard_normal(g.shape)) for g in found if g is not None and g.requires_grad]
        pushed = grad([g for g, _ in pairs], cotangents, [v for _, v in pairs], allow_unused=True) if pairs else []
        forward = sum(float(np.vdot(u, jv.array)) for u, jv in zip(us, pushed, strict=False) if jv is not None)
        backward = sum(float(np.vdot(g.array, v)) for g, v in pairs)
        scale = 1 + sum(float(np.abs(g.array * v).sum()) for g, v in pairs)
        if abs(forward - backward) > ROUNDING * scale:
            raise GradientError(f"<u, J v> is {forward:.12g} (the gradient, differentiated by its cotangent) but "
                                f"<J'u, v> is {backward:.12g} (the gradient): the rule is not linear in g, or computes "
                                "with a value of g that is not recorded")

    def check_layouts(self) -> None:
        """Arrays of another memory layout give the same."""
        names = [str(self.rng.choice(list(LAYOUTS))) for _ in range(len(self.arrays) + len(self.cotangents))]
        with _during(f"with inputs and cotangents laid out in memory as {names}"):
            arrays = [LAYOUTS[name](x) for name, x in zip(names, self.arrays, strict=False)]
            _same(self.run(arrays), self.results, f"with inputs laid out in memory as {names}, is another")
            leaves, outputs = self.record(arrays)
            us = [LAYOUTS[name](u) for name, (u, _) in zip(names[len(arrays):], self.cotangents, strict=True)]
            _same(_pull_back(outputs, leaves, us), self.gradients,
                  f"as gradient, with inputs and cotangents laid out in memory as {names}, is another")

    def check_broadcasting(self) -> None:
        """Stretching the arguments beforehand changes nothing, and their gradients add up to those of the arguments."""
        shape = np.broadcast_shapes(*[x.shape for x in self.arrays])
        stretched = [np.broadcast_to(x, shape) for x in self.arrays]
        _same(self.run(stretched), self.results, "for arguments stretched beforehand, is another")
        leaves, outputs = self.record(stretched)
        gradients = _pull_back(outputs, leaves, [u for u, _ in self.cotangents])
        lead = [len(shape) - x.ndim for x in self.arrays]
        summed = [g.sum(axis=(*range(n), *(n + i for i, side in enumerate(x.shape) if side == 1))).reshape(x.shape)
                  for g, n, x in zip(gradients, lead, self.arrays, strict=True)]
        _same(summed, self.gradients, "as gradient of arguments stretched beforehand and summed, is another")

    def check_float32(self) -> None:
        """float32 arguments give float32 results and gradients."""
        leaves = [Tensor(x.astype(np.float32), requires_grad=True) for x in self.arrays]
        if not leaves:
            return
        results = outputs_of(self.function(*leaves))
        for out, expected in zip(results, self.results, strict=True):
            wanted = np.dtype(np.float32) if expected.dtype.kind == "f" else expected.dtype
            if out.dtype != wanted:
                raise GradientError(f"float32 arguments give a result of {out.dtype}, not {wanted}")
        outputs = [out for out in results if out.requires_grad]
        with _during("with float32 arguments"):
            for i, g in enumerate(_pull_back(outputs, leaves, [u.astype(np.float32) for u, _ in self.cotangents])):
                if g.dtype != np.float32:
                    raise GradientError(f"the gradient of float32 argument {i} is {g.dtype}")

    def check_graph(self) -> None:
        """The recorded graph, run again, gives the same."""
        for out in self.record(self.arrays)[1]:
            if out.node is not None:
                _same([Graph(out).forward()[out.node]], [out.array], "when the recorded graph runs again, is another")

    def check_composition(self, op: Operation, args: Sequence[Any], options: dict[str, Any]) -> None:
        """A fused operation and its composition agree, in value and gradient."""
        _, rebuild = flatten(args)
        _, bound = op.bind(tuple(args), options)
        composed = Example(lambda *t: op.composition(*op.bind(tuple(rebuild(t)), options)[0], **bound), self.arrays, {},
                           0, as_tensors=False)
        _same(composed.results, self.results, "by the composition, is another")
        leaves, outputs = composed.record(self.arrays)
        _same(_pull_back(outputs, leaves, [u for u, _ in self.cotangents]), self.gradients,
              "as gradient by the composition, is another")

    def _random(self, out: Tensor) -> np.ndarray:
        return self.rng.standard_normal(out.shape).astype(out.dtype)


def outputs_of(result: Any) -> list[Tensor]:
    """One output or several, as a list."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def _pull_back(outputs: list[Tensor], leaves: list[Tensor], cotangents: Sequence[np.ndarray]) -> list[np.ndarray]:
    if not outputs:
        return [np.zeros(x.shape, x.dtype) for x in leaves]
    found = grad(outputs, leaves, list(cotangents), retain_graph=True, allow_unused=True)
    return [np.zeros(x.shape, x.dtype) if g is None else g.array for g, x in zip(found, leaves, strict=True)]


def _same(found: Sequence[np.ndarray], expected: Sequence[np.ndarray], what: str, tolerance: float = ROUNDING) -> None:
    if len(found) != len(expected):
        raise GradientError(f"there are {len(found)} results and not {len(expected)}")
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
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
        raise GradientError(f"it fails {circumstance}: {type(error).__name__}: {error}") from error


# A program that shows it again

def snippet(function: Callable, args: Sequence[Any], options: dict[str, Any], **settings: Any) -> str:
    """Python that runs `check_function` once more on this example."""
    imports, name = _reference_to(function, "function")
    lines = ["import numpy as np", "from autograd.testing import check_function", *imports, ""]
    call = [name, f"[{', '.join(literal(a) for a in args)}]"]
    if options:
        call.append(literal(options))
    defaults = {p.name: p.default for p in inspect.signature(check_function).parameters.values()}
    for key, value in settings.items():
        if value is not defaults[key]:
            if callable(value):
                more, value = _reference_to(value, key)
                lines[-1:-1] = more
            call.append(f"{key}={value}")
    return "To see it again, run:\n\n" + "\n".join([*lines, f"check_function({', '.join(call)})"]) + "\n"


def _reference_to(function: Callable, otherwise: str) -> tuple[list[str], str]:
    """Lines that import a function, and its name."""
    op = getattr(function, "operation", None)
    key = next((key for key, declared in TABLE.items() if declared is op), None)
    if key is not None:
        room = op.forward.__module__ if isinstance(getattr(op.forward, "__module__", None), str) else "autograd"
        room = room.split(".")[0] if room.startswith(("autograd", "nn.")) else room
        room = "autograd" if room in ("_operator", "numpy") else room
        table = [] if room == "__main__" else [f"import {room}  # declares the operation"]
        return [*table, "from autograd.table import TABLE"], f"TABLE[{key!r}].call"
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "<")
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type):  # a class method, perhaps inherited
        module, name = owner.__module__, f"{owner.__qualname__}.{function.__name__}"
    if module and "<" not in name:
        top, _, rest = name.partition(".")
        return [f"from {module} import {top}"], f"{top}.{rest}" if rest else top
    code = getattr(function, "__code__", None)
    place = f", {code.co_filename}:{code.co_firstlineno}" if code else ""
    return [f"{otherwise} = ...  # {name}{place}"], otherwise


def literal(value: Any) -> str:
    """A value as Python writes it, with NumPy as np."""
    if isinstance(value, np.ndarray):
        if not value.size:
            return f"np.zeros({value.shape}, np.{value.dtype})"
        numbers = re.sub(r"\b(inf|nan)\b", r"np.\1", repr(value.tolist()))
        usual = np.array(value.tolist()).dtype == value.dtype
        return f"np.array({numbers})" if usual else f"np.array({numbers}, np.{value.dtype})"
    if isinstance(value, Tensor):
        return f"Tensor({literal(value.array)})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {literal(part)}" for key, part in value.items()) + "}"
    return re.sub(r"(?<![.\w])(inf|nan)\b", r"np.\1", repr(value))
