import numpy as np
import pytest

from autograd import Tensor, ones
from autograd.runtime.sums import added
from nn import functional as F


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 4), (5000, 4), (4, 5000), (300, 2, 70)])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, -1)])
def test_a_sum_is_that_of_float64_to_the_last_digits(dtype, shape, axis):
    x = np.random.default_rng(0).random(shape).astype(dtype)
    out, exact = added(x, axis, True), x.sum(axis, np.float64, keepdims=True)
    assert out.dtype == dtype and out.shape == exact.shape
    np.testing.assert_allclose(out, exact, rtol=(1 if dtype is np.float16 else 16) * np.finfo(dtype).eps)


def test_what_a_rule_wants_of_a_tensor_is_recorded():
    x = ones(3, 4, requires_grad=True)
    assert isinstance(added(x, 0), Tensor) and added(x, 0, True).shape == (1, 4)
    added(x, 0).sum().backward()
    assert (x.grad == 1).all()


@pytest.mark.parametrize("of", [
    lambda bias: F.linear(ones(5000, 1).half(), ones(2, 1).half(), bias),
    lambda bias: F.conv1d(ones(1, 1, 5000).half(), ones(2, 1, 1).half(), bias),
])
def test_the_gradient_of_a_float16_bias_grows_beyond_2048(of):
    bias = ones(2).half().requires_grad_()
    of(bias).sum().backward()
    assert bias.grad.tolist() == [5000, 5000]
