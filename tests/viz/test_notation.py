"""How operations are written: signs, formulas, and derivatives that are true."""

import re

import numpy as np
import pytest

import autograd
from autograd import Graph, Tensor
from autograd.notation import Notation
from autograd.table import TABLE
from viz import notation

OPERATIONS = {op.name: op for op in TABLE.values() if op.differentiable}
NUMBERS = {**vars(np), "σ": lambda x: 1 / (1 + np.exp(-x)), "Σ": np.sum}
IN_PYTHON = {"^": "**", "²": "**2", "√": "sqrt ", "ln ": "log ", "the sign of": "sign", "max(": "maximum(",
             "min(": "minimum("}


def worth(formula: str) -> float:
    """What a formula with numbers in it comes to."""
    for sign, python in IN_PYTHON.items():
        formula = formula.replace(sign, python)
    return eval(re.sub(r"\|(.*)\|", r"abs(\1)", formula), NUMBERS)


@pytest.mark.parametrize("name", [name for name, op in OPERATIONS.items() if op.notation and name not in (
    "matmul", "getitem", "to", "checkpoint", "amax", "amin", "max_along", "min_along")])
@pytest.mark.parametrize("numbers", [(0.7, 1.3), (1.9, 0.4)])
def test_formulas_and_derivatives_come_to_what_the_engine_computes(name, numbers):
    operation = OPERATIONS[name]
    inputs = [Tensor(np.array(x), requires_grad=True) for x in numbers[:len(operation.arguments)]]
    y = operation.call(*inputs, **({"exponent": 3.0} if name == "power_of_number" else {}))
    graph, written = Graph(y), [f"({x.item()!r})" for x in inputs]
    graph.backward()
    assert worth(notation.formula(y.node, written)) == pytest.approx(y.item())
    assert len(notation.of(y.node).derivatives) == len(inputs)
    for i, x in enumerate(inputs):
        found = notation.derivative(y.node, written, i, f"({y.item()!r})")
        assert worth(found) == pytest.approx(graph.gradients[x].item())


@pytest.mark.parametrize(("function", "sign", "title"), [
    (lambda x: x + 1, "+1", "add +1"), (lambda x: 1 + x, "+1", "add +1"), (lambda x: x + -2, "-2", "add -2"),
    (lambda x: x - 0.5, "-0.5", "sub -0.5"), (lambda x: x - -3, "+3", "sub +3"), (lambda x: 3 - x, "3-x", "sub 3-x"),
    (lambda x: x * 2, "*2", "mul *2"), (lambda x: x / 4, "/4", "div /4"), (lambda x: 1 / x, "1/x", "div 1/x"),
    (lambda x: x ** 2, "^2", "power ^2"), (lambda x: 2 ** x, "2^x", "exp2"),
    (lambda x: autograd.maximum(x, 0), "max 0", "maximum max 0"), (lambda x: x[0, ..., 1:], "[0, …, 1:]", None),
    (lambda x: x[None, ::2], "[None, ::2]", None), (autograd.exp, "exp", "exp"), (autograd.erf, "erf", "erf")])
def test_signs_hold_numbers_and_indices(function, sign, title):
    node = function(Tensor(np.ones((2, 3)), requires_grad=True)).node
    constants = {i: float(arg) for i, (arg, parent) in enumerate(zip(node.args, node.parents, strict=True))
                 if parent is None}
    assert notation.sign(node, constants) == sign
    assert notation.title(node, constants) == (title or f"getitem {sign}")


def test_the_declaration_says_how_an_operation_is_written():
    x = Tensor(2.0, requires_grad=True)
    try:
        node = autograd.operation(lambda x: x ** 3, vjps=lambda g, out, x: 3 * g * x * x, names="_cube", methods="",
                                  notation=Notation("^3", "{x}³", ("3{x}²",)))(x).node
    finally:
        del TABLE["_cube"]
    assert (notation.sign(node, {}), notation.formula(node, ["a"]), notation.derivative(node, ["a"], 0, "")) == (
        "^3", "a³", "3a²")


def test_what_has_no_notation_is_written_by_its_name():
    node = autograd.atan2(*(Tensor(1.0, requires_grad=True) for _ in "xy")).node
    assert notation.formula(node, ["a", "b"]) == f"{node.name}(a, b)"
    assert notation.derivative(node, ["a", "b"], 1, "") == ""
    assert not notation.of(node).elementwise
