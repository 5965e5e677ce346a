"""What both styles read in a graph: outputs by their names, or by their numbers."""

import viz
from autograd import Tensor, operation
from autograd.table import TABLE
from tests.viz.pictures import Figure, assert_circuit_is_legible


def test_outputs_of_any_number_are_counted():
    x = Tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    left, right = x.chunk(2)
    figure = Figure(viz.draw((left * right).sum()))
    assert_circuit_is_legible(figure)
    assert [t.content for t in figure.of_class("ink")] == ["split", "output 0", "output 1", "*", "Σ"]


def test_an_operation_of_the_users_may_be_called_output():
    try:
        output = operation(lambda x: 2 * x, vjps=lambda g, out, x: 2 * g, names="_output")
    finally:
        del TABLE["_output"]
    figure = Figure(viz.draw(output(Tensor(3.0, requires_grad=True)) * 5))
    assert [t.content for t in figure.of_class("ink")] == ["output", "*5"]
