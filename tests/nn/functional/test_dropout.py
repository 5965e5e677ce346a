"""Dropout: how much, what, when, and repeated by a seed."""

import math

import numpy as np
import pytest

import autograd
import nn
from nn import functional as F


@pytest.mark.parametrize("function", [F.dropout, F.alpha_dropout])
def test_dropout_keeps_the_mean_and_is_off_in_eval(function):
    autograd.manual_seed(0)
    x = autograd.randn(400, 500)
    assert np.array_equal(function(x, 0.3, training=False).numpy(), x.numpy())
    out = function(x, 0.3, training=True).numpy()
    assert abs(out.mean()) < 0.01
    assert abs(out.std() - (1 if function is F.alpha_dropout else 1 / math.sqrt(0.7))) < 0.01


@pytest.mark.parametrize("layer", [nn.Dropout, nn.Dropout1d, nn.AlphaDropout, nn.FeatureAlphaDropout, nn.RReLU])
def test_in_use_nothing_is_drawn(layer):
    state = autograd.get_rng_state()
    layer().eval()(autograd.ones(2, 3, 4))
    assert (autograd.get_rng_state() == state).all()


def test_dropout_drops_with_probability_p_whole_channels_if_asked():
    autograd.manual_seed(0)
    out = F.dropout(autograd.ones(300, 300), 0.3).numpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((out == 0).mean() - 0.3) < 0.01
    for ndim in (1, 2, 3):
        channels = getattr(F, f"dropout{ndim}d")(autograd.ones(50, 40, *(3,) * ndim), 0.5).numpy().reshape(50, 40, -1)
        assert (channels == channels[:, :, :1]).all()
        assert 0.1 < channels[0].mean() < 1.9  # each for itself
    rows = F.stochastic_depth(autograd.ones(50, 4), 0.5, "row").numpy()
    assert (rows == rows[:, :1]).all()
    assert 0 < (rows == 0).mean() < 1


@pytest.mark.parametrize(("shape", "function"), [((40, 30), F.dropout), ((40, 30, 5), F.dropout1d)])
def test_dropout2d_of_fewer_axes_is_that_of_channels_before_them_and_warns(shape, function):
    """As in PyTorch, where programs drop features this way; the numbers drawn are the same."""
    autograd.manual_seed(0)
    with pytest.warns(UserWarning, match=f"as by {function.__name__}: write that"):
        out = F.dropout2d(autograd.ones(shape), 0.4)
    autograd.manual_seed(0)
    assert np.array_equal(out.numpy(), function(autograd.ones(shape), 0.4).numpy())


def test_dropout_is_repeated_by_the_seed():
    def once():
        autograd.manual_seed(3)
        return nn.Dropout(0.5)(autograd.ones(20)).tolist()
    assert once() == once()


def test_drop_connect_drops_weights():
    autograd.manual_seed(0)
    layer = nn.DropConnect(100, 50, p=0.4, bias=False)
    dropped = layer(autograd.eye(100)).detach().numpy() == 0
    assert abs(dropped.mean() - 0.4) < 0.03
    np.testing.assert_allclose(layer.eval()(autograd.eye(100)).detach().numpy(), layer.weight.array.T, rtol=1e-6)
