"""Differential equations: known solutions, the order of each method, and gradients by both ways."""

import numpy as np
import pytest

import autograd
import nn
from autograd.errors import ShapeError
from autograd.testing import gradcheck
from nn.ode import METHODS, odeint, odeint_adjoint

TIMES = np.array([0.0, 0.4, 1.1, 2.0])
Y0 = np.array([1.0, 0.5])


def spiral(t, y):
    """y1' = t y2 - y1 / 2, y2' = -t y1 - y2 / 2: a turn by t² / 2, shrinking."""
    return autograd.stack([t * y[1] - y[0] / 2, -t * y[0] - y[1] / 2])


def solution(t, y0=Y0):
    c, s = np.cos(t ** 2 / 2), np.sin(t ** 2 / 2)
    return np.exp(-t / 2) * np.array([c * y0[0] + s * y0[1], -s * y0[0] + c * y0[1]])


EXACT = np.stack([solution(t) for t in TIMES])


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("rk4", 4)])
def test_errors_shrink_with_the_order_of_the_method(method, order):
    errors = [abs(odeint(spiral, Y0, TIMES, method=method, options={"step_size": h}).numpy() - EXACT).max()
              for h in (0.02, 0.01)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-10])
def test_the_error_is_about_the_tolerance_and_steps_are_few(tolerance):
    calls = []

    def counted(t, y):
        calls.append(float(t))
        return spiral(t, y)
    found = odeint(counted, Y0, TIMES, rtol=tolerance, atol=tolerance).numpy()
    assert abs(found - EXACT).max() < 20 * tolerance
    assert len(calls) < 60 * tolerance ** -0.2


def test_it_is_scipys_solution():
    integrate = pytest.importorskip("scipy.integrate")

    def predators(t, y):
        return [1.5 * y[0] - y[0] * y[1], y[0] * y[1] - 3 * y[1]]
    times, y0 = np.linspace(0, 15, 30), np.array([10.0, 5.0])
    expected = integrate.solve_ivp(predators, (0, 15), y0, "DOP853", times, rtol=1e-11, atol=1e-11).y.T
    found = odeint(lambda t, y: autograd.stack(predators(t, y)), y0, times, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_it_is_torchdiffeqs():
    torch, reference = pytest.importorskip("torch"), pytest.importorskip("torchdiffeq")
    for method in METHODS:
        expected = reference.odeint(lambda t, y: torch.stack([t * y[1] - y[0] / 2, -t * y[0] - y[1] / 2]),
                                    torch.tensor(Y0), torch.tensor(TIMES), method=method)
        np.testing.assert_allclose(odeint(spiral, Y0, TIMES, method=method).numpy(), expected.numpy(),
                                   rtol=1e-6 if method == "dopri5" else 1e-12)


def test_time_may_go_back_and_single_precision_is_kept():
    there = odeint(spiral, Y0, TIMES)
    np.testing.assert_allclose(odeint(spiral, there[-1], TIMES[::-1].copy()).numpy()[-1], Y0, rtol=1e-6)
    single = odeint(spiral, Y0.astype(np.float32), TIMES.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single.numpy(), EXACT, atol=2e-6)
    assert odeint(spiral, Y0, TIMES[:1]).shape == (1, 2)


@pytest.mark.parametrize("method", METHODS)
def test_the_steps_are_differentiable(method):
    y0, times = (autograd.tensor(a, requires_grad=True) for a in (Y0, TIMES))

    def states(y, t):
        return odeint(spiral, y, t, method=method, rtol=1e-9, atol=1e-9)
    if METHODS[method].error is None:
        assert gradcheck(states, (y0, times))
    else:  # the lengths of the steps, too, depend on the state, which changes the result by the tolerance
        assert gradcheck(states, (y0, times), eps=1e-4, atol=1e-4)


class Net(nn.Module):
    """A derivative with parameters, that depends on time."""

    def __init__(self):
        super().__init__()
        autograd.manual_seed(0)
        self.first, self.second = nn.Linear(3, 8, dtype="float64"), nn.Linear(8, 2, dtype="float64")

    def forward(self, t, y):
        return self.second(self.first(autograd.cat([y, t.expand(len(y), 1)], dim=1)).tanh())


def test_the_adjoint_gives_the_gradient_of_the_steps():
    net, target = Net(), autograd.ones(4, 3, 2, dtype="float64")
    found = []
    for solve in (odeint, odeint_adjoint):
        net.zero_grad()
        y0 = autograd.tensor(np.random.default_rng(0).standard_normal((3, 2)), requires_grad=True)
        times = autograd.tensor(TIMES, requires_grad=True)
        states = solve(net, y0, times, rtol=1e-9, atol=1e-9)
        ((states - target) ** 2).sum().backward()
        found.append([states.detach(), y0.grad, times.grad, *[p.grad for p in net.parameters()]])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-7)


def test_the_adjoint_comes_to_the_gradient_of_the_steps_as_their_order_says():
    net, gaps = Net(), []
    for h in (0.1, 0.05):
        gradients = []
        for solve in (odeint, odeint_adjoint):
            net.zero_grad()
            y0 = autograd.ones(1, 2, dtype="float64")
            solve(net, y0, TIMES, method="rk4", options={"step_size": h})[-1].sum().backward()
            gradients.append(net.first.weight.grad.numpy().copy())
        gaps.append(abs(gradients[0] - gradients[1]).max())
    assert np.log2(gaps[0] / gaps[1]) == pytest.approx(4, abs=0.6)


def test_the_adjoint_records_no_steps():
    net = Net()
    for end in (0.1, 50.0):
        states = odeint_adjoint(net, autograd.ones(1, 2, dtype="float64"), np.array([0.0, end]))
        assert len([parent for parent in states.node.parents if parent is not None]) == len(list(net.parameters()))


def test_misuse_is_refused():
    for call, error, message in [
            (lambda: odeint(spiral, Y0, np.array([0.0, 1.0, 0.5])), ValueError, "all rise, or all fall"),
            (lambda: odeint(spiral, Y0, TIMES, method="rk5"), ValueError, "'dopri5', not 'rk5'"),
            (lambda: odeint(spiral, Y0, TIMES, options={"step_size": 1}), ValueError, "'max_num_steps'"),
            (lambda: odeint(spiral, Y0, TIMES, options={"max_num_steps": 3}), RuntimeError, "3 steps"),
            (lambda: odeint(lambda t, y: y[0], Y0, TIMES), ShapeError, r"shape of y, \(2,\), not \(\)"),
            (lambda: odeint(lambda t, y: y * y, Y0, TIMES), RuntimeError, "t = 0.999|t = 1"),
            (lambda: odeint_adjoint(spiral, Y0, TIMES), ValueError, "adjoint_params")]:
        with pytest.raises(error, match=message):
            call()
