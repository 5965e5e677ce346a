"""Anomaly detection: which operation, which line; and no trace of it when it is off."""

import pytest

import autograd
from autograd import detect_anomaly, is_anomaly_enabled, set_detect_anomaly, tensor, watching

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def loss_of(x):
    distance = ((x - x) ** 2).sum()
    return distance.sqrt() * 0  # the culprit


@pytest.mark.parametrize("differentiate", [lambda y, x: y.backward(), lambda y, x: autograd.grad(y, x),
                                           lambda y, x: autograd.grad(y, x, create_graph=True)])
def test_the_operation_and_the_users_line_are_named(differentiate):
    with detect_anomaly():
        x = tensor([1.0, 2.0], requires_grad=True)
        y = loss_of(x)
        with pytest.raises(RuntimeError, match=r"`sqrt`.*test_anomaly\.py, line \d+, in loss_of: .*# the culprit"):
            differentiate(y, x)


def test_lines_within_the_library_are_not_the_users():
    with detect_anomaly():
        x = tensor([[0.0, 1.0]], requires_grad=True)
        y = autograd.addmm(x, x, autograd.ones(2, 2) * float("nan"))
        with pytest.raises(RuntimeError, match=r"`matmul`.*held a NaN in the forward pass already.*autograd\.addmm"):
            y.sum().backward()


def test_a_forward_pass_outside_the_block_has_no_lines():
    y = loss_of(tensor([1.0], requires_grad=True))
    with detect_anomaly(), pytest.raises(RuntimeError, match="put the forward pass into detect_anomaly"):
        y.backward()


def test_right_gradients_pass():
    with detect_anomaly():
        x = tensor([1.0, 2.0], requires_grad=True)
        (a, b) = x.split(1)
        (a * b).sum().backward()
    assert x.grad.tolist() == [2, 1]


def test_check_nan_can_be_left_out():
    with detect_anomaly(check_nan=False):
        x = tensor([1.0], requires_grad=True)
        loss_of(x).backward()
    assert x.grad.isnan().all()


def test_off_it_leaves_no_trace():
    assert not is_anomaly_enabled()
    with set_detect_anomaly(True):
        assert is_anomaly_enabled()
        with set_detect_anomaly(False):
            assert not watching.watchers
        assert is_anomaly_enabled()
    assert not watching.watchers
    set_detect_anomaly(True)
    assert is_anomaly_enabled()
    set_detect_anomaly(False)
    assert not watching.watchers
