"""Initial values: their distributions, by the formulas of the papers."""

import math

import numpy as np
import pytest

import autograd
from nn import init

SHAPE = (120, 60, 3, 2)  # fan_in 360, fan_out 720


@pytest.mark.parametrize(("fill", "std"), [
    (lambda t: init.uniform_(t, -2, 4), 6 / math.sqrt(12)),
    (lambda t: init.normal_(t, 1, 3), 3),
    (init.xavier_uniform_, math.sqrt(2 / (360 + 720))),
    (lambda t: init.xavier_normal_(t, gain=2), 2 * math.sqrt(2 / (360 + 720))),
    (init.kaiming_uniform_, math.sqrt(2 / 360)),
    (lambda t: init.kaiming_uniform_(t, a=math.sqrt(5)), math.sqrt(1 / 3 / 360)),
    (lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"), math.sqrt(2 / 720)),
    (lambda t: init.kaiming_normal_(t, nonlinearity="tanh"), 5 / 3 / math.sqrt(360)),
])
def test_standard_deviation(fill, std):
    autograd.manual_seed(0)
    t = autograd.empty(SHAPE)
    assert fill(t) is t
    assert abs(t.array.std() / std - 1) < 0.02


def test_truncated_normal_stays_inside():
    t = init.trunc_normal_(autograd.empty(10000), 1, 2, -1, 2)
    assert -1 <= t.array.min() < -0.9
    assert 1.9 < t.array.max() <= 2


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 2)])
def test_orthogonal(shape):
    w = init.orthogonal_(autograd.empty(shape, dtype=autograd.float64), gain=2).numpy().reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_orthogonal_is_pytorchs(as_pytorch, shape):
    def program(library, layers):
        library.manual_seed(0)
        return layers.init.orthogonal_(library.empty(shape, dtype=library.float64))
    as_pytorch(program)


def test_sparse_zeroes_a_fraction_of_each_column():
    w = init.sparse_(autograd.empty(10, 6), 0.25).numpy()
    assert ((w == 0).sum(0) == 3).all()


def test_eye_and_dirac_are_identities():
    assert init.eye_(autograd.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    from nn import functional as F
    x = autograd.randn(1, 4, 5, 5)
    weight = init.dirac_(autograd.empty(4, 2, 3, 3), groups=2)
    np.testing.assert_array_equal(F.conv2d(x, weight, padding=1, groups=2).numpy(), x.numpy())
    for shape, groups in (((4, 2), 1), ((4, 2, 3), 3), ((1,) * 6, 1)):
        with pytest.raises(ValueError, match=r"dirac_.*groups"):
            init.dirac_(autograd.empty(*shape), groups)


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu", "conv2d"])
def test_gains_are_pytorchs(name, as_pytorch):
    as_pytorch(lambda _, layers: layers.init.calculate_gain(name))
