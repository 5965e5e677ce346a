"""One step of an LSTM or a GRU."""

import numpy as np
import pytest

import autograd
import nn.functional as F
from nn.functional.linear import linear
from nn.functional.recurrent import _gru_gates_composition, _lstm_gates_composition

rng = np.random.default_rng(0)


def tensors(*shapes):
    return [autograd.tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("gates", [4, 3])
@pytest.mark.parametrize(("x", "h", "c"), [
    ((5, 2), (5, 3), (5, 3)), ((2,), (3,), (3,)), ((5, 2), (3,), (3,)), ((2,), (5, 3), (3,)), ((2,), (3,), (5, 3)),
    ((4, 5, 2), (5, 3), (1, 3)), ((0, 2), (0, 3), (0, 3))])
def test_states_of_any_batch(gates, x, h, c):
    """As the formula in elementary operations, whose gradients the engine adds up where a state is broadcast."""
    x, h, c, *weights = tensors(x, h, c, (gates * 3, 2), (gates * 3, 3), (gates * 3,), (gates * 3,))
    w_ih, w_hh, b_ih, b_hh = weights
    given = [x, h, *([c] if gates == 4 else []), *weights]
    ours, theirs = linear(x, w_ih, b_ih), linear(h, w_hh, b_hh)
    expected = _lstm_gates_composition(ours + theirs, c) if gates == 4 else _gru_gates_composition(ours, theirs, h)
    found = F.lstm_cell(x, h, c, *weights) if gates == 4 else (F.gru_cell(x, h, *weights),)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), rtol=1e-12)
    gradients = [autograd.grad(sum((out * out).sum() for out in outs), given) for outs in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cell", [
    lambda x, h, weights: F.lstm_cell(x, h, autograd.zeros(4, 3), *weights),
    lambda x, h, weights: F.gru_cell(x, autograd.zeros(4, 3), *[weight[:9] for weight in weights])])
def test_states_of_another_batch_are_refused(cell):
    x, h, *weights = tensors((5, 2), (5, 3), (12, 2), (12, 3), (12,), (12,))
    with pytest.raises(autograd.ShapeError, match=r"_cell\(float64\[5, 2\].*\(5,\).*\(4,\) cannot be broadcast"):
        cell(x, h, weights)


@pytest.mark.parametrize("reset", [lambda state: state.zero_(), lambda state: state.detach().mul_(0),
                                   lambda state: state.__setitem__(0, 0)])
def test_a_new_state_may_be_changed_after_the_step(reset):
    """As at the end of an episode: no rule reads it. The state before the step is read."""
    x, h, c, *weights = tensors((5, 2), (5, 3), (5, 3), (12, 2), (12, 3), (12,), (12,))
    new = F.lstm_cell(x, h, c, *weights)
    loss = sum((state * 1).sum() for state in new)
    expected = autograd.grad(loss, weights, retain_graph=True)
    with autograd.no_grad():
        for state in new:
            reset(state)
    for one, other in zip(autograd.grad(loss, weights, retain_graph=True), expected, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    with autograd.no_grad():
        reset(c)
    with pytest.raises(RuntimeError, match=r"`lstm_gates` needs for its derivative \(its argument 1"):
        autograd.grad(loss, weights)
