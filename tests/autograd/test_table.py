"""Declaring an operation: one place, and everything follows. A wrong rule is caught."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import autograd
from autograd import Tensor, costs, tensor
from autograd.operations.reductions import spread
from autograd.samples import call, numbers, pair, reduction
from autograd.table import FUNCTIONS, METHODS, NUMPY, operation
from autograd.testing import Draw, check_operation


@pytest.fixture
def declare(table):
    """`operation`, undone after the test."""
    return operation


def check(function):
    """The property test that the table's operations go through."""
    @settings(max_examples=50, suppress_health_check=list(HealthCheck), derandomize=True, database=None,
              phases=[Phase.generate])  # what is found need not be made small here
    @given(st.data())
    def run(data):
        check_operation(function.operation, Draw(data.draw))
    run()


def test_one_declaration_gives_function_method_operator_and_numpy(declare):
    cube = declare(lambda x: x * x * x, vjps=lambda g, out, x: 3 * g * x * x, names="cube", numpy=np.cbrt,
                   inplace=True, samples=numbers)
    x = tensor([2.0], requires_grad=True)
    for y in (cube(x), x.cube(), np.cbrt(x), (x * 1).cube_()):
        assert y.tolist() == [8]
        assert y.requires_grad
    assert FUNCTIONS["cube"] is cube
    check(cube)


def test_options_by_position_by_name_and_in_numpys_spelling(declare):
    total = declare(lambda x, *, dim, keepdim=False: x.sum(axis=dim, keepdims=keepdim), names="total",
                    vjps=lambda g, out, x, dim, keepdim: spread(g, x.shape, dim))
    x = autograd.ones(2, 3)
    assert not hasattr(Tensor, "total_")  # nobody asked for it
    for y in (total(x, 1, True), total(x, dim=1, keepdim=True), total(x, axis=1, keepdims=True)):
        assert y.shape == (2, 1)
    with pytest.raises(TypeError, match=r"the option 'dim' is missing"):
        total(x)
    with pytest.raises(TypeError, match="'dim' is given twice"):
        total(x, 1, dim=1)
    with pytest.raises(TypeError, match=r"^total\(.*: 4 arguments are too many\. It is called total\(x"):
        total(x, 1, True, 5)


def test_a_name_is_declared_once(declare):
    with pytest.raises(ValueError, match="'exp' is declared already"):
        declare(np.exp, vjps=lambda g, out, x: g * out)


def test_declared_again_at_the_same_place_it_replaces_the_earlier_one(declare):
    for names in ("twice doubled", "twice"):
        twice = declare(lambda x: x * 2, vjps=lambda g, out, x: g * 2, names=names)
    assert FUNCTIONS["twice"] is twice and "doubled" not in FUNCTIONS and not hasattr(Tensor, "doubled")
    assert Tensor.twice is twice and "doubled" not in METHODS
    assert Tensor.exp is FUNCTIONS["exp"] is NUMPY[np.exp] is autograd.exp and "exp" in METHODS
    assert repr(twice.operation) == "<operation twice>"
    with pytest.raises(ValueError, match="'twice' is declared already"):
        declare(lambda x: x, vjps=lambda g, out, x: g, names="twice")


def test_in_a_notebook_it_may_be_declared_again_in_any_line(declare):
    for line, module in [(2, "__main__"), (3, "__main__"), (3, "other")]:
        cell = "\n" * line + f"declare(lambda x: x * {line}, vjps=lambda g, out, x: g, names='again')"
        if module == "other":
            with pytest.raises(ValueError, match="'again' is declared already"):
                exec(cell, {"__name__": module, "declare": declare})
        else:
            exec(cell, {"__name__": module, "declare": declare})
            assert tensor(1.0).again().item() == line


@pytest.mark.parametrize(("names", "message"), [
    ({"names": "new exp"}, r"autograd\.exp is the operation 'exp' already"),
    ({"names": "new", "methods": "shape"}, r"Tensor\.shape is an attribute"),
    ({"names": "new", "methods": "sin"}, r"Tensor\.sin is an attribute"),
    ({"names": "new", "methods": "fill", "inplace": True}, r"Tensor\.fill_ is an attribute"),
    ({"names": "new", "operators": "__add__"}, r"Tensor\.__add__ is an attribute")])
def test_no_name_is_taken_from_anybody(names, message, declare):
    with pytest.raises(ValueError, match=message):
        declare(lambda x: x, vjps=lambda g, out, x: g, **names)
    assert "new" not in FUNCTIONS and not hasattr(Tensor, "new")


@pytest.mark.parametrize(("names", "public", "functions", "methods"), [
    ({"names": "one two _three"}, "one", "one two", "one two"),
    ({"names": "one two", "methods": "four", "inplace": True}, "one", "one two", "four four_"),
    ({"names": "_one", "methods": "four five"}, "four", "", "four five"),
    ({"names": "_linalg_one"}, "one", "", ""),
    ({"names": "_one", "operators": "__divmod__"}, "one", "", "__divmod__"),
    ({"names": "one", "methods": "", "operators": "__divmod__ __rdivmod__", "inplace": True}, "one", "one",
     "__divmod__ __rdivmod__ __idivmod__")])
def test_the_names_of_a_declaration(names, public, functions, methods, declare):
    before = set(FUNCTIONS), set(vars(Tensor))
    call = declare(lambda x, y: x - y, vjps=(lambda g, out, x, y: g, lambda g, out, x, y: -g), **names)
    assert call.__name__ == call.__qualname__ == call.operation.public == public
    assert FUNCTIONS.keys() - before[0] == set(functions.split())
    assert set(vars(Tensor)) - before[1] == set(methods.split())
    for name in methods.split():
        assert getattr(Tensor, name)(tensor(5.0), 3.0).item() == (-2 if name == "__rdivmod__" else 2)


def test_what_is_offered_says_what_it_is(declare):
    for name, method in vars(Tensor).items():
        if name in METHODS and not name.endswith("__"):
            assert method.__name__ == (name if name.endswith("_") else method.operation.public) and method.__doc__
    assert Tensor.__iadd__.__name__ == "__iadd__" and Tensor.backward.__qualname__ == "Tensor.backward"

    def documented(x, y):
        """Of the function."""
    for doc in (None, "Of the declaration."):
        call = declare(documented, vjps=(None, lambda g, out, x, y: g), names=f"_{bool(doc)}", doc=doc)
        assert call.__doc__ == (doc or "Of the function.") and str(call.__signature__) == "(x, y)"
        assert call.__module__ == __name__


def test_numpys_functions_of_another_form(declare):
    call = declare(lambda x: x * 2, vjps=lambda g, out, x: g * 2, names="_two",
                   numpy={np.cbrt: lambda x: call(x) + 1})
    assert np.cbrt(tensor(3.0)).item() == 7


WRONG = {
    "sign": dict(forward=np.cos, vjps=lambda g, out, x: g * np.sin(x), samples=numbers),
    "factor": dict(forward=lambda x: x * x, vjps=lambda g, out, x: g * x, samples=numbers),
    "operand": dict(forward=lambda x, y: x * y, vjps=(lambda g, out, x, y: g * x, lambda g, out, x, y: g * y),
                    samples=pair),
    "one argument only": dict(forward=lambda x, y: x * y, vjps=(lambda g, out, x, y: g * y, lambda g, out, x, y: g * 0),
                              samples=pair),
    "transposed": dict(forward=lambda x: x @ x.T, vjps=lambda g, out, x: (g + g) @ x,
                       samples=lambda draw: call(draw.array(shape=(2, 3)))),
    "only with keepdim": dict(
        forward=lambda x, *, dim, keepdim: x.sum(axis=dim, keepdims=keepdim), samples=reduction,
        vjps=lambda g, out, x, dim, keepdim: spread(g, x.shape, dim) * (2 if keepdim else 1)),
    "only at order two": dict(forward=lambda x: x ** 3, samples=numbers,
                              vjps=lambda g, out, x: g * 3 * np.asarray(getattr(x, "array", x)) ** 2),
    "writes to its input": dict(forward=lambda x: np.multiply(x, 1, out=x), vjps=lambda g, out, x: g, samples=numbers),
    "writes in the rule": dict(
        forward=lambda x: x * x, samples=numbers,
        vjps=lambda g, out, x: g * 2 * (x.__imul__(1) if isinstance(x, np.ndarray) else x)),
    "memory layout": dict(forward=lambda x: x.ravel(order="K").reshape(x.shape), vjps=lambda g, out, x: g,
                          samples=lambda draw: call(draw.array(shape=(2, 3), distinct=True))),
    "composition": dict(forward=lambda x: x + 1, joint_vjp=lambda g, out, x, needs_input_grad: [g],
                        composition=lambda x: x + 2, samples=numbers),
    "composition's gradient": dict(forward=lambda x: x * 3, joint_vjp=lambda g, out, x, needs_input_grad: [g * 2],
                                   composition=lambda x: x * 3, samples=numbers),
    "state": dict(forward=lambda x: x + next(COUNTER), vjps=lambda g, out, x: g, samples=numbers),
}
COUNTER = iter(range(10 ** 9))


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_rule_is_caught(fault, declare):
    wrong = declare(**WRONG[fault], names="_wrong")
    with pytest.raises((AssertionError, ValueError, RuntimeError, BaseExceptionGroup)):
        check(wrong)


@pytest.mark.parametrize(("rule", "reads", "reads_out", "keeps"), [
    (lambda g, out, x, y, n: g, (), False, False), (lambda g, out, x, y, n: g * out, (), True, True),
    (lambda g, out, x, y, n: g * x, (0,), False, True), (lambda g, out, x, y, n: g * y, (1,), False, True),
    (lambda g, out, x, y, n: g * n, (), False, True), (lambda g, out, x, y, n: g.reshape(x.shape), (), False, False)])
def test_what_a_node_keeps_follows_from_the_rules(rule, reads, reads_out, keeps, declare):
    op = declare(lambda x, y, *, n: x * y, vjps=(None, rule), names="_kept").operation
    assert (op.reads, op.reads_out, op.keeps) == (((), reads), (False, reads_out), keeps)
    fused = declare(lambda x: x, joint_vjp=lambda g, out, x, needs_input_grad: [g], composition=lambda x: x,
                    names="_fused").operation
    assert fused.keeps and fused.reads == ((),)


def largest(shapes, out, options):
    return options["n"] * max(map(math.prod, (*shapes, out)))


@pytest.mark.parametrize(("cost", "flops", "multiply_adds"), [
    ({}, 6, 0), ({"flops": 0}, 0, 0), ({"flops": largest}, 30, 0), ({"multiply_adds": largest}, 60, 30),
    ({"view": True}, 0, 0), ({"multiply_adds": lambda *call: 0}, 0, 0),
    ({"multiply_adds": largest, "flops": 7}, 7, 30)])
def test_the_declaration_says_what_a_call_costs(cost, flops, multiply_adds, declare):
    @declare(vjps=lambda g, out, x, n: spread(g, x.shape, None), **cost)
    def summed(x, *, n):
        return x.sum()
    call = summed.operation, [(2, 3)], (), {"n": 5}
    assert (costs.flops(*call), costs.multiply_adds(*call)) == (flops, multiply_adds)
    with autograd.profile() as p:
        summed(autograd.ones(2, 3), n=5)
    assert p.key_averages()[0].flops == flops


def test_a_function_belongs_to_the_module_that_declares_it():
    assert autograd.exp.__module__ == "autograd.operations.pointwise"
    assert pickle.loads(pickle.dumps(autograd.exp)) is autograd.exp
