"""gradcheck and gradgradcheck: PyTorch's verdicts, and what the message says."""

import numpy as np
import pytest

import autograd
from autograd import no_grad, operation, tensor
from autograd.table import TABLE
from autograd.testing import GradientError, check_derivatives, gradcheck, gradgradcheck


@pytest.fixture(autouse=True)
def table():
    before = dict(TABLE)
    yield
    TABLE.clear()
    TABLE.update(before)


def leaf(values, dtype=autograd.float64):
    return tensor(values, dtype=dtype, requires_grad=True)


def wrong(forward, *vjps):
    return operation(forward, vjps=vjps, names="_wrong")


X, SQUARE = [[0.5, -1.5, 2.0]], [[0.5, -1.5], [2.0, 1.0]]


@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize("function", [
    autograd.sin, lambda x: x @ x.T, lambda x: (x.exp(), x.sum(1)), lambda x: x.sum(), lambda x: x[:, [0, 0]]])
def test_right_gradients_pass(function, fast_mode):
    assert gradcheck(function, leaf(X), fast_mode=fast_mode)
    assert gradgradcheck(function, (leaf(X),), fast_mode=fast_mode)


@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize(("function", "inputs", "cause"), [
    (lambda: wrong(np.cos, lambda g, out, x: g * np.sin(x)), [X], "wrong sign"),
    (lambda: wrong(lambda x: x * x, lambda g, out, x: g * x), [X], "a constant factor: every entry is 1/2 times"),
    (lambda: wrong(lambda x: x.mean(1), lambda g, out, x: np.broadcast_to(g[:, None], x.shape)), [X],
     "3 times .* axis 1 of the input has length 3: a sum in the place of a mean"),
    (lambda: wrong(lambda x: x @ np.array([[1.0, 2.0], [3.0, 5.0]]),
                   lambda g, out, x: g @ np.array([[1.0, 2.0], [3.0, 5.0]])), [SQUARE], "transposed: the rule takes"),
    (lambda: wrong(lambda x: (x ** 3 * np.array([[1.0, 2.0], [3.0, 4.0]])).sum(),
                   lambda g, out, x: g * (3 * x * x * np.array([[1.0, 2.0], [3.0, 4.0]])).T), [SQUARE],
     "transposed: with axes 0 and 1 of the gradient exchanged"),
    (lambda: wrong(lambda x, y: x * y, lambda g, out, x, y: g * x, lambda g, out, x, y: g * y), [X, [[2.0, 3.0, 4.0]]],
     "this is the derivative in input 1"),
    (lambda: wrong(lambda x, y: x + y, lambda g, out, x, y: g, lambda g, out, x, y: g[:1]), [SQUARE, [[1.0, 2.0]]],
     "a forgotten sum"),
    (lambda: wrong(lambda x: np.abs(x) ** 3, lambda g, out, x: g * 3 * x * x), [X],
     "wrong exactly where the input is negative"),
    (lambda: lambda x: x.detach() * 2 + 0 * x, [X], "no gradient arrives"),
    (lambda: wrong(np.sqrt, lambda g, out, x: g / (x - x)), [[[1.0, 4.0]]], "divides by zero"),
])
def test_the_message_names_the_cause(function, inputs, cause, fast_mode):
    function, inputs = function(), [leaf(x) for x in inputs]
    with np.errstate(all="ignore"), pytest.raises(GradientError, match=cause):
        gradcheck(function, inputs, fast_mode=fast_mode)
    with np.errstate(all="ignore"):
        assert not gradcheck(function, inputs, fast_mode=fast_mode, raise_exception=False)


def test_the_message_names_the_place_and_both_numbers():
    partly = wrong(lambda x, y: x * y, lambda g, out, x, y: g * y,
                   lambda g, out, x, y: g * x * np.where(x > 3, 1.5, 1))
    with pytest.raises(GradientError) as caught:
        gradcheck(partly, [leaf([1.0, 4.0]), leaf([2.0, 3.0])])
    lines = str(caught.value).splitlines()
    assert lines[0] == "order 1: d output[1] / d input 1[1] is 6 by the rules and 4 by central differences"
    assert lines[1].startswith("relative error 3.3e-01: probably wrong")
    assert lines[2].startswith("1 of 4 entries of this derivative disagree")
    assert (caught.value.order, round(caught.value.error, 3)) == (1, 0.333)


def test_of_several_outputs_and_inputs_the_wrong_ones_are_named():
    wrong_sin = wrong(np.sin, lambda g, out, x: g * np.sin(x))
    with pytest.raises(GradientError, match=r"d output 1 \[0\] / d input 2\[0\]"):
        gradcheck(lambda x, n, y: (x * 2, wrong_sin(y)), [leaf([1.0]), 3, leaf([2.0])])


def test_only_at_order_two():
    detached = wrong(lambda x: x ** 3, lambda g, out, x: g * 3 * np.asarray(getattr(x, "array", x)) ** 2)
    assert gradcheck(detached, leaf(X))
    for fast_mode in (False, True):
        with pytest.raises(GradientError, match=r"order 2.*\n.*\n.*\n.*computes with a value that is not recorded"):
            gradgradcheck(detached, leaf(X), fast_mode=fast_mode)


def test_a_kink_is_told_from_a_wrong_rule():
    for fast_mode in (False, True):
        with pytest.raises(GradientError, match=r"a kink: the difference quotient is 1 ahead .* and 0 behind"):
            gradcheck(autograd.relu, leaf([2.0, 0.0]), fast_mode=fast_mode)
    assert check_derivatives(autograd.relu, [np.array([2.0, 0.0])]) == []
    assert len(check_derivatives(autograd.relu, [np.array([2.0, 1.0])])) == 2
    with pytest.raises(GradientError, match=r"d input 0\[0\] is 6"):  # a kink excuses no other element
        check_derivatives(wrong(lambda x: np.abs(x) * x, lambda g, out, x: 3 * g * np.abs(x)), [np.array([2.0, 0.0])])


def test_a_kink_of_the_derivative_is_a_kink_at_order_two_only():
    assert len(check_derivatives(lambda x: x * x.abs(), [np.array([0.0, 1.0])], 1)) == 1
    assert len(check_derivatives(lambda x: x * x.relu(), [np.array([0.0, 1.0])], 2)) == 1


def test_single_precision_is_named_as_the_cause():
    with pytest.warns(UserWarning, match="float32"), pytest.raises(GradientError, match=r"x\.double\(\)"):
        gradcheck(autograd.sin, leaf([1.0, 2.0], autograd.float32))


def test_changing_an_input_in_place_and_randomness_are_found():
    def changes(x, y):
        with no_grad():
            y += 1
        return x * 1
    with pytest.raises(GradientError, match="changes its input 1 in place"):
        gradcheck(changes, [leaf([1.0]), tensor([1.0])])
    noise = np.random.default_rng(0)
    with pytest.raises(GradientError, match="two runs on the same inputs"):
        gradcheck(lambda x: x * (1 + 1e-7 * noise.random()), leaf([1.0]))
    assert gradcheck(lambda x: x * (1 + 1e-12 * noise.random()), leaf([1.0]), nondet_tol=1e-9)


def test_tensors_that_the_function_knows_otherwise_are_moved_too():
    weight = leaf([[2.0, 3.0]])
    x = tensor([[1.0], [2.0]], dtype=autograd.float64)
    assert gradcheck(lambda _: weight @ x, weight)
    with pytest.raises(GradientError):
        gradcheck(lambda _: weight.detach() @ x + 0 * weight.sum(), weight)
    assert weight.tolist() == [[2, 3]]


def test_what_it_refuses():
    with pytest.raises(ValueError, match="at least one input Tensor that requires gradients"):
        gradcheck(autograd.sin, tensor([1.0]))
    with pytest.raises(ValueError, match="check_forward_ad=True is not offered"):
        gradcheck(autograd.sin, leaf([1.0]), check_forward_ad=True)
    assert gradcheck(autograd.sin, leaf([1.0]), check_batched_grad=False, check_backward_ad=True, masked=None)
    with pytest.raises(TypeError, match="no option 'epsilon'"):
        gradcheck(autograd.sin, leaf([1.0]), epsilon=1)


@pytest.mark.parametrize("scale", [1.0, 1.0005, 1.01])
def test_its_verdicts_are_pytorchs(scale):
    torch = pytest.importorskip("torch")

    class Scaled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 2

        @staticmethod
        def backward(ctx, g):
            return scale * 2 * ctx.saved_tensors[0] * g
    ours = wrong(lambda x: x ** 2, lambda g, out, x: scale * 2 * x * g)
    theirs = torch.tensor([1.0, 3.0], dtype=torch.float64, requires_grad=True)
    for options in ({}, {"rtol": 0.1}, {"atol": 0.0, "rtol": 1e-4}):
        assert gradcheck(ours, leaf([1.0, 3.0]), raise_exception=False, **options) == torch.autograd.gradcheck(
            Scaled.apply, (theirs,), raise_exception=False, **options)
