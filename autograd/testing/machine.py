"""Random programs on a recorded graph, beside a naive reference that does the same with values and Jacobians.

The reference has no graph: every value carries its Jacobian by all leaf elements, and each step applies the chain rule
forward. Both are plain NumPy arrays of which views are views, so what an in-place change does to aliases comes out by
itself. The engine must give the same values and gradients, or, once something was changed in place, refuse.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from autograd.grad_mode import no_grad
from autograd.tensor import Tensor
from autograd.testing import strategies
from autograd.testing.diagnosis import GradientError

LEAVES, SIDE = 3, 2
"""Leaves are matrices of this side."""
SIZE = LEAVES * SIDE * SIDE
TOLERANCE = 1e-9


class Dual:
    """A value and its Jacobian by all leaf elements, in a last axis of its own."""

    def __init__(self, value: np.ndarray, jacobian: np.ndarray) -> None:
        self.value, self.jacobian = np.asarray(value), np.asarray(jacobian)

    def through(self, f: Callable) -> "Dual":
        """A linear function that only moves elements, of both."""
        return Dual(f(self.value), f(self.jacobian))


UNARY: dict[str, tuple[Callable, Callable]] = {
    "sin": (np.sin, np.cos),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "square": (np.square, lambda x: 2 * x),
    "neg": (np.negative, lambda x: -np.ones_like(x)),
    "sigmoid": (lambda x: (1 + np.tanh(x / 2)) / 2, lambda x: (1 - np.tanh(x / 2) ** 2) / 4),
}
BINARY: dict[str, tuple[Callable, Callable, Callable]] = {
    "add": (np.add, lambda x, y: np.ones_like(x + y), lambda x, y: np.ones_like(x + y)),
    "sub": (np.subtract, lambda x, y: np.ones_like(x + y), lambda x, y: -np.ones_like(x + y)),
    "mul": (np.multiply, lambda x, y: y + 0 * x, lambda x, y: x + 0 * y),
}
VIEWS: dict[str, Callable] = {
    "x[0]": lambda x: x[0, ...], "x[:1]": lambda x: x[:1], "x[1:]": lambda x: x[1:], "x[::-1]": lambda x: x[::-1],
    "x.T": lambda x: x.swapaxes(0, 1),
}
PLACES: dict[str, Any] = {"x[0]": 0, "x[:1]": slice(1), "x[1:]": slice(1, None)}


def unary(name: str, x: Dual) -> Dual:
    """A function of each element."""
    f, derivative = UNARY[name]
    return Dual(f(x.value), derivative(x.value)[..., None] * x.jacobian)


def binary(name: str, x: Dual, y: Dual) -> Dual:
    """A function of pairs of elements that broadcast."""
    f, by_x, by_y = BINARY[name]
    value = f(x.value, y.value)
    return Dual(value, by_x(x.value, y.value)[..., None] * _padded(x, value) + by_y(x.value, y.value)[..., None]
                * _padded(y, value))


def _padded(x: Dual, value: np.ndarray) -> np.ndarray:
    return x.jacobian.reshape((1,) * (value.ndim - x.value.ndim) + x.jacobian.shape)


class GraphMachine(RuleBasedStateMachine):
    """Builds and differentiates random graphs. `GraphMachine.TestCase` is a test; its `settings` can be set.

    Forks and reuse, views, in-place changes of tensors and of views, recorded or not, detach and no_grad, backward
    passes from any tensor to all or some leaves, with and without retain_graph.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[Tensor, Dual]] = []
        self.leaves: list[Tensor] = []
        self.expected: list[np.ndarray | None] = []
        self.changed = self.released = False

    @initialize(values=st.lists(strategies.arrays((SIDE, SIDE)), min_size=LEAVES, max_size=LEAVES))
    def start(self, values: list[np.ndarray]) -> None:
        """The leaves."""
        for i, value in enumerate(values):
            jacobian = np.zeros((SIDE, SIDE, SIZE))
            jacobian.reshape(SIDE * SIDE, SIZE)[:, i * SIDE * SIDE:(i + 1) * SIDE * SIDE] = np.eye(SIDE * SIDE)
            self.leaves.append(Tensor(value.copy(), requires_grad=True))
            self.pairs.append((self.leaves[-1], Dual(value.copy(), jacobian)))
        self.expected = [None] * LEAVES

    def pick(self, data: Any) -> tuple[Tensor, Dual]:
        """One of the tensors so far; the latest are simplest."""
        return self.pairs[-1 - data.draw(st.integers(0, min(len(self.pairs), 8) - 1))]

    def attempt(self, step: Callable[[], Any], may_refuse: bool = False) -> tuple[bool, Any]:
        """Run a step of the engine; it may refuse once something was changed in place or released."""
        try:
            return True, step()
        except RuntimeError as error:
            if may_refuse or self.changed or self.released:
                return False, None
            raise GradientError(f"refused, although nothing was changed in place or released: {error}") from error

    def add(self, step: Callable[[], Tensor], dual: Callable[[], Dual]) -> None:
        """A new tensor by the engine and by the reference."""
        done, tensor = self.attempt(step)
        if done:
            self.pairs.append((tensor, dual()))
            self.compare(tensor, self.pairs[-1][1])

    def compare(self, tensor: Tensor, dual: Dual) -> None:
        """The values are equal, unless the engine refuses to show them."""
        done, value = self.attempt(lambda: tensor.detach().numpy())
        if done and (value.shape != dual.value.shape or not np.allclose(value, dual.value, rtol=TOLERANCE,
                                                                        atol=TOLERANCE)):
            raise GradientError(f"the value is\n{value}\nand should be\n{dual.value}")

    @rule(data=st.data(), name=st.sampled_from(list(UNARY)))
    def apply_unary(self, data: Any, name: str) -> None:
        """y = f(x)."""
        x, dual = self.pick(data)
        self.add(getattr(x, name), lambda: unary(name, dual))

    @rule(data=st.data(), name=st.sampled_from(list(BINARY)))
    def apply_binary(self, data: Any, name: str) -> None:
        """z = f(x, y), which may be the same."""
        (x, p), (y, q) = self.pick(data), self.pick(data)
        self.add(lambda: getattr(x, name)(y), lambda: binary(name, p, q))

    @rule(data=st.data())
    def multiply_matrices(self, data: Any) -> None:
        """z = x @ y."""
        (x, p), (y, q) = self.pick(data), self.pick(data)
        if p.value.shape == q.value.shape == (SIDE, SIDE):
            self.add(lambda: x @ y, lambda: Dual(p.value @ q.value, np.einsum("ijn,jk->ikn", p.jacobian, q.value)
                                                 + np.einsum("ij,jkn->ikn", p.value, q.jacobian)))

    @rule(data=st.data())
    def sum_rows(self, data: Any) -> None:
        """y = x.sum(0)."""
        x, dual = self.pick(data)
        if dual.value.ndim:
            self.add(lambda: x.sum(0), lambda: dual.through(lambda a: a.sum(0)))

    @rule(data=st.data(), name=st.sampled_from(list(VIEWS)))
    def view(self, data: Any, name: str) -> None:
        """A view: it shares memory, with the engine and with the reference."""
        x, dual = self.pick(data)
        if dual.value.ndim > (name == "x.T") and len(dual.value) > 1:
            self.add(lambda: VIEWS[name](x), lambda: dual.through(VIEWS[name]))

    @rule(data=st.data())
    def detach(self, data: Any) -> None:
        """The same memory without history; a computed number has no memory to share."""
        x, dual = self.pick(data)
        if dual.value.ndim:
            self.add(x.detach, lambda: Dual(dual.value, np.zeros_like(dual.jacobian)))

    @rule(data=st.data(), name=st.sampled_from(list(UNARY)))
    def apply_unrecorded(self, data: Any, name: str) -> None:
        """y = f(x) under no_grad."""
        x, dual = self.pick(data)

        def step() -> Tensor:
            with no_grad():
                return getattr(x, name)()
        self.add(step, lambda: Dual(UNARY[name][0](dual.value), np.zeros_like(dual.jacobian)))

    def change(self, step: Callable[[], Any], x: Tensor, dual: Dual, result: Callable[[], Dual],
               recorded: bool) -> None:
        """Change x in place, by the engine and by the reference."""
        done, _ = self.attempt(step, may_refuse=True)
        if done:
            self.changed = True
            new = result()
            np.copyto(dual.value, new.value)
            if recorded:
                np.copyto(dual.jacobian, new.jacobian)
        self.compare(x, dual)

    @rule(data=st.data(), name=st.sampled_from(["add", "mul"]))
    def change_in_place(self, data: Any, name: str) -> None:
        """x += y, x *= y."""
        (x, p), (y, q) = self.pick(data), self.pick(data)
        if np.broadcast_shapes(p.value.shape, q.value.shape) == p.value.shape:
            self.change(lambda: getattr(x, name + "_")(y), x, p, lambda: binary(name, p, q), recorded=True)

    @rule(data=st.data(), name=st.sampled_from(list(PLACES)))
    def write_a_part(self, data: Any, name: str) -> None:
        """x[index] = y."""
        (x, p), (y, q) = self.pick(data), self.pick(data)
        if p.value.ndim and len(p.value) > 1 and q.value.shape in ((), VIEWS[name](p.value).shape):
            def result() -> Dual:
                new = Dual(p.value.copy(), p.jacobian.copy())
                VIEWS[name](new.value)[...] = q.value
                VIEWS[name](new.jacobian)[...] = q.jacobian
                return new
            self.change(lambda: x.__setitem__(PLACES[name], y), x, p, result, recorded=True)

    @rule(data=st.data(), factor=st.sampled_from([2.0, 0.5, -1.0]))
    def change_unrecorded(self, data: Any, factor: float) -> None:
        """x *= factor under no_grad, as an optimizer does: the value changes, the history does not."""
        x, dual = self.pick(data)

        def step() -> None:
            with no_grad():
                x.mul_(factor)
        self.change(step, x, dual, lambda: Dual(dual.value * factor, dual.jacobian), recorded=False)

    @rule(data=st.data(), retain=st.booleans())
    def backward(self, data: Any, retain: bool) -> None:
        """Gradients add up in .grad of all leaves."""
        self.go_back(data, retain, None)

    @rule(data=st.data(), retain=st.booleans(),
          some=st.lists(st.integers(0, LEAVES - 1), min_size=1, unique=True))
    def backward_to_some(self, data: Any, retain: bool, some: list[int]) -> None:
        """Gradients add up in .grad of some leaves."""
        self.go_back(data, retain, some)

    def go_back(self, data: Any, retain: bool, some: list[int] | None) -> None:
        """A backward pass of the engine, and J'u of the reference."""
        y, dual = self.pick(data)
        if not y.requires_grad:
            if dual.jacobian.any():
                raise GradientError("the result depends on the leaves, but does not require gradients")
            return
        u = data.draw(strategies.arrays(dual.value.shape))
        inputs = None if some is None else [self.leaves[i] for i in some]
        done, _ = self.attempt(lambda: y.backward(u, retain_graph=retain, inputs=inputs))
        self.released |= not retain
        if done:
            g = np.tensordot(u, dual.jacobian, u.ndim).reshape(LEAVES, SIDE, SIDE)
            for i in range(LEAVES) if some is None else some:
                old = self.expected[i]
                if old is not None or g[i].any() or self.leaves[i].grad is not None:
                    self.expected[i] = g[i] if old is None else old + g[i]

    @invariant()
    def gradients_agree(self) -> None:
        """Every leaf has the gradient that it should have."""
        for leaf, expected in zip(self.leaves, self.expected, strict=True):
            found = leaf.grad
            if expected is None and found is None:
                continue
            value = 0 if found is None else found.array
            if expected is None or not np.allclose(value, expected, rtol=1e-7, atol=1e-7):
                raise GradientError(f"the gradient is\n{value}\nand should be\n{expected}")
