"""What is printed comes out: every product and every sum on a page, with the digits that it is printed with."""

import random
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import autograd
import nn
import viz
from autograd import Tensor
from autograd.table import TABLE
from autograd.testing import Draw, flatten
from viz.arithmetic import Operand, comes_out
from viz.picture import Picture

NUMBER = r"\(?(-?[\d.]+(?:e-?\d+)?|\[[^\]]*\])\)?"
CALCULATION = re.compile(rf"(?<!\w){NUMBER} ([-+*/@^]) {NUMBER} = {NUMBER}")
SHAPE = re.compile(r"\(\d+,[ \d,]*\)")


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of matrices; a single row after a column is written like a vector."""
    return a @ (b[None] if a.shape[-1:] == (1,) and a.ndim == 2 and b.ndim == 1 else b)


OPERATORS = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "@": product, "^": np.power}
SUMMED = re.compile(rf"= {NUMBER}, summed over what broadcasting repeated = {NUMBER}")


def read(printed: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, and half a unit of their last digits."""
    rows = [row.split() for row in printed.replace("∞", "inf").strip("[]").split(";")]
    halves = [[0.5 * 10.0 ** ((int(n.split("e")[1]) if "e" in n else 0) - len(n.split("e")[0].partition(".")[2]))
               for n in row] for row in rows]
    arrays = np.array(rows, float), np.array(halves)
    return arrays if ";" in printed else tuple(a[0] if "[" in printed else a[0, 0] for a in arrays)


def assert_all_comes_out(picture: Picture) -> int:
    """Check what is calculated in the steps; how much that was."""
    count = 0
    for line in [SHAPE.sub("shape", line) for step in picture.steps for line in step.lines]:
        assert "≈" not in line, line
        for a, sign, b, c in CALCULATION.findall(line):
            c, half = read(c)
            found = OPERATORS[sign](read(a)[0], read(b)[0])
            assert np.all((np.abs(found - c) <= half * (1 + 1e-9) + 1e-12) | (found == c)), line
            count += 1
        for a, c in SUMMED.findall(line):
            c, half = read(c)
            total = read(a)[0]
            lead = total.ndim - np.ndim(c)
            total = total.sum(axis=tuple(range(lead))) if lead else total.sum(
                axis=tuple(i for i, n in enumerate(np.shape(c)) if n == 1), keepdims=True)
            assert np.all(np.abs(total - c) <= half * (1 + 1e-9)), line
            count += 1
    return count


def some_output(seed: int) -> Tensor:
    """A result of some ten operations on numbers, vectors and matrices of six elements and fewer."""
    draw = random.Random(seed)
    shape = draw.choice([(), (), (3,), (2, 3), (2, 2)])

    def leaf(of: tuple[int, ...]) -> Tensor:
        size = 10.0 ** draw.randint(-2, 2)
        return Tensor(np.random.default_rng(draw.randrange(10 ** 6)).normal(size=of) * size, requires_grad=True)
    values = [leaf(shape), leaf(draw.choice([shape, shape[1:], ()])), leaf(shape)]
    some: list[Callable[[Tensor, Tensor], Tensor]] = [
        lambda x, y: x + y, lambda x, y: x * y, lambda x, y: x - y, lambda x, y: x / (y * y + 1),
        lambda x, y: x * draw.gauss(0, 1), lambda x, y: x + draw.randint(-3, 3), lambda x, y: x.tanh(),
        lambda x, y: autograd.maximum(x, y), lambda x, y: x.abs() ** 1.5, lambda x, y: (x * 0.1).sigmoid(),
        lambda x, y: x.relu() * y, lambda x, y: -x, lambda x, y: 1 / (x * x + 0.3),
        lambda x, y: x @ y if x.ndim and y.ndim and x.shape[-1] == y.shape[0] else x * 0.3]
    for _ in range(draw.randint(4, 10)):
        values.append(draw.choice(some)(draw.choice(values), draw.choice(values)))
    return sum(value.sum() for value in values[-3:])


@pytest.mark.parametrize("seeds", [range(0, 30), pytest.param(range(30, 300), marks=pytest.mark.slow)])
def test_every_printed_product_and_sum_comes_out(seeds):
    count = sum(assert_all_comes_out(viz.draw(some_output(seed), style="circuit").picture) for seed in seeds)
    assert count > 10 * len(seeds)


@pytest.mark.parametrize("seeds", [range(0, 30), pytest.param(range(30, 200), marks=pytest.mark.slow)])
def test_what_comes_back_along_the_branches_of_a_fork_adds_up(seeds):
    forks = 0
    for seed in seeds:
        picture = viz.draw(some_output(seed), style="circuit").picture
        for i, box in enumerate(picture.boxes):
            shares = [read(wire.contribution)[0] for wire in picture.wires if wire.source == i and wire.contribution]
            if shares:
                total, half = read(box.gradient)
                assert np.all(np.abs(sum(shares) - total) <= half * (1 + 1e-9)), (shares, box)
                forks += 1
    assert forks > len(seeds)


@pytest.mark.filterwarnings("ignore:.*encountered")
@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.samples and op.differentiable], ids=str)
def test_any_operation_is_drawn_and_comes_out(op):
    @settings(max_examples=2, derandomize=True, database=None, phases=[Phase.generate])
    @given(st.data())
    def check(data):
        args, options = op.samples(Draw(data.draw))
        arrays, rebuild = flatten(args)
        out = op.call(*rebuild([Tensor(x, requires_grad=True) for x in arrays]), **options)
        outputs = [t for t in (out if isinstance(out, (tuple, list)) else [out]) if t.requires_grad]
        if outputs:
            assert_all_comes_out(viz.draw(*outputs, style="circuit").picture)
            assert str(viz.draw(*outputs, style="model"))
    check()


@pytest.mark.parametrize(("function", "line"), [
    (lambda x: x.clamp(-0.5, 0.5), "clamp(x, -0.50, 0.50)"), (lambda x: x % 3, "remainder(x, 3"),
    (lambda x: x * Tensor([[2.0]]), "x * 2 ="), (lambda x: x / Tensor([0.501, 0.5]), "= 1 / constant ="),
    (lambda x: x * 2e5, "x * 2e5 ="),
    (lambda x: x.reshape(1, 1, 2).exp(), "= (1, 1, 2); times upstream: (1, 1, 2) *"),
    (lambda x: x.clamp(max=1.5), "clamp(x, None, 1.50)"),
    (lambda x: autograd.where(Tensor([True, False]), x, 3.0), "where([1 0], x, 3.00) ="),
    (lambda x: nn.functional.dropout(x, 1 - 1e-12), "x * [0.00 0.00] ="),
    (lambda x: x @ Tensor([[0.5], [3.0]]) @ Tensor([[2.0]]), "[13.00] @ [2.00] = 26.00")])
def test_numbers_that_are_no_parameters_are_written_as_they_are(function, line):
    x = Tensor([2.0, 4.0], requires_grad=True)
    steps = viz.draw(function(x).sum(), style="circuit").picture.steps
    assert any(line in said for step in steps for said in (step.title + " =", *step.lines)), [
        (step.title, step.lines) for step in steps]


def test_digits_are_added_only_where_rounding_spoils_the_result():
    third, hundred = Operand(1 / 3), Operand(300.0)
    assert comes_out(np.multiply, [third, Operand(0.4)], 0.4 / 3).operands == ["0.33", "0.40"]
    printed = comes_out(np.multiply, [third, hundred], 100.0)
    assert (printed.operands, printed.result) == (["0.33333", "300.00"], "= 100.00")


def test_a_result_between_two_printed_numbers_has_another_digit():
    assert comes_out(np.multiply, [Operand(0.25), Operand(0.5)], 0.125).result == "= 0.125"


def test_what_does_not_come_out_says_so():
    assert comes_out(np.multiply, [Operand(2.0), Operand(3.0)], 6.5).result == "≈ 6.50"


def test_the_parser_finds_what_does_not_come_out():
    picture = viz.draw(some_output(0), style="circuit").picture
    picture.steps[-1].lines.append("0.33 * 300.00 = 100.00")
    with pytest.raises(AssertionError):
        assert_all_comes_out(picture)


def test_matrix_products_are_in_their_order_and_transposed():
    x, w, b = (Tensor(np.array(v), requires_grad=True) for v in ([[1.0, 2.0]], [[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]], 1.0))
    y = (x @ w + b) * Tensor(np.array([1.0, 10.0, 100.0]))
    lines = [line for step in viz.draw(y).picture.steps for line in step.lines]
    assert "To x: upstream @ wᵀ = [1.00 10.00 100.00] @ [3.00 6.00; 4.00 7.00; 5.00 8.00] = [543.00 876.00]" in lines
    assert ("To w: xᵀ @ upstream = [1.00; 2.00] @ [1.00 10.00 100.00] = "
            "[1.00 10.00 100.00; 2.00 20.00 200.00]") in lines
    assert any("* [1.00 10.00 100.00] = [1.00 10.00 100.00], summed over what broadcasting repeated = 111.00" in line
               for line in lines)


@pytest.mark.parametrize(("function", "said"), [
    (lambda x, y: autograd.maximum(x, y), "a tie: both have half"), (lambda x, y: x.relu(), "at 0 the derivative"),
    (lambda x, y: (x - y).abs(), "at 0 the derivative"), (lambda x, y: autograd.stack([x, y]).amax(), "a tie: equal"),
    (lambda x, y: autograd.stack([x, y]).max(0).values, "a tie: the first")])
def test_ties_and_kinks_are_said_and_only_they(function, said):
    def lines(x: float, y: float) -> str:
        given = [Tensor(v, requires_grad=True) for v in (x, y)]
        return str([step.lines for step in viz.draw(function(*given)).picture.steps])
    assert said in lines(0.0, 0.0)
    assert said not in lines(1.0, 2.0)


def test_numbers_and_formulas_can_be_copied_into_python():
    x, w = Tensor(-1.5, requires_grad=True), Tensor(-2.0, requires_grad=True)
    y = w * x - x / 3 - 1
    drawing = viz.draw(y)
    assert not re.search("[−×]", str([drawing.picture.boxes, drawing.picture.steps, str(drawing)]))
    for step in drawing.picture.steps[1:]:
        name, is_call, call = step.title.partition(" = ")
        if step.phase == "forward" and is_call:
            made = {name: eval(call, {"w": -2.0, "x": -1.5, "a": 3.0, "b": -0.5, "c": 3.5})}
            assert step.lines[0].endswith(f"= {made[name]:.2f}")
