"""Tests of models in one line, and what they find."""

import numpy as np
import pytest
from hypothesis import Phase, settings

import autograd
import nn
from autograd.testing import GradientError, module_test, strategies

QUIET = settings(database=None, derandomize=True, phases=[Phase.generate])
ROWS = strategies.arrays((3, 3))


@pytest.mark.parametrize("make", [
    lambda: nn.Linear(3, 2),
    lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2)),
    lambda: nn.LayerNorm(3),
])
def test_right_modules_pass(make):
    module_test(make, ROWS, max_examples=5, settings=QUIET)()


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.other = nn.Linear(3, 2), nn.Linear(3, 2)
        self.register_buffer("count", autograd.zeros(1))

    def forward(self, x):
        return self.inner(x) + self.other(x)


class Unused(Layer):
    def forward(self, x):
        return self.inner(x)


class Detached(Layer):
    def forward(self, x):
        return self.inner(x) + x @ self.other.weight.detach().T + 0 * self.other(x)


class Counting(Layer):
    def forward(self, x):
        with autograd.no_grad():
            self.count.add_(1)
        return super().forward(x)


class Random(Layer):
    def forward(self, x):
        return super().forward(x) * np.random.random()


class NotInTheState(Layer):
    def __init__(self):
        super().__init__()
        self.scale = autograd.randn(2)

    def forward(self, x):
        return super().forward(x) * self.scale


class WrongInEval(Layer):
    def forward(self, x):
        return super().forward(x) if self.training else super().forward(x).detach() + 0 * super().forward(x)


@pytest.mark.parametrize(("layer", "message"), [
    (Unused, r"parameter other\.weight gets no gradient"),
    (Detached, r"d other\.\w+"),
    (Counting, "buffer count changes in eval mode"),
    (Random, "two runs from the same state and seed"),
    (NotInTheState, "loads the state_dict gives another output"),
    (WrongInEval, "by central differences"),
])
def test_each_property_can_fail(layer, message):
    with pytest.raises(GradientError, match=message):
        module_test(layer, ROWS, max_examples=3, settings=QUIET)()


def test_unused_parameters_can_be_declared():
    module_test(Unused, ROWS, unused=("other.weight", "other.bias"), max_examples=2, settings=QUIET)()
    with pytest.raises(GradientError, match=r"parameter other\.weight gets a gradient, although"):
        module_test(Layer, ROWS, unused=("other.weight",), max_examples=2, settings=QUIET)()
