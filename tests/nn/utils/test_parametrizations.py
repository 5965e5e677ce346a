"""Weight and spectral normalization: PyTorch's values, gradients and state_dict."""

import copy
import operator

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.utils import parametrizations as ours
from nn.utils import parametrize

LAYERS = {"linear": ("Linear", (4, 3), (5, 4)), "conv": ("Conv2d", (2, 3, 3), (2, 2, 5, 5)),
          "transposed": ("ConvTranspose2d", (2, 3, 3), (2, 2, 5, 5))}


KINDS = [("weight_norm", {}), ("weight_norm", {"dim": None}), ("weight_norm", {"dim": 1}), ("weight_norm", {"dim": -1}),
         ("spectral_norm", {}), ("spectral_norm", {"n_power_iterations": 3})]


@pytest.mark.filterwarnings("ignore::FutureWarning")  # PyTorch's, about its older functions
@pytest.mark.parametrize("package", ["utils", "utils.parametrizations"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_values_gradients_and_state_are_pytorchs(layer, kind, options, package):
    torch = pytest.importorskip("torch")
    name, args, shape = LAYERS[layer]
    apply, apply_theirs = (operator.attrgetter(f"{package}.{kind}")(library) for library in (nn, torch.nn))
    theirs = apply_theirs(getattr(torch.nn, name)(*args).double(), **options)
    own = apply(getattr(nn, name)(*args).double(), **options)
    expected_shapes = [(k, tuple(v.shape)) for k, v in theirs.state_dict().items()]
    assert [(k, v.shape) for k, v in own.state_dict().items()] == expected_shapes
    own.load_state_dict(theirs.state_dict())
    values = np.random.default_rng(0).standard_normal(shape)
    for training in (True, False):
        out, expected = own.train(training)(autograd.tensor(values)), theirs.train(training)(torch.tensor(values))
        np.testing.assert_allclose(out.detach(), expected.detach(), rtol=1e-7, atol=1e-10)
        own.zero_grad()
        theirs.zero_grad()
        (out ** 2).sum().backward()
        (expected ** 2).sum().backward()
        gradients = dict(theirs.named_parameters())
        for parameter, p in own.named_parameters():
            np.testing.assert_allclose(p.grad.numpy(), gradients[parameter].grad, rtol=1e-6, atol=1e-9)
    for key, value in own.state_dict().items():
        np.testing.assert_allclose(value.numpy(), theirs.state_dict()[key], rtol=1e-7)


def test_spectral_norm_brings_the_largest_singular_value_to_one():
    layer = ours.spectral_norm(nn.Linear(6, 5).double())
    for _ in range(1000):  # two values that lie close together take long to part
        weight = layer.weight
    assert np.linalg.svd(weight.detach().numpy(), compute_uv=False)[0] == pytest.approx(1, rel=1e-4)


def test_weight_norm_starts_at_the_weight_it_was_given_and_trains():
    layer = nn.Linear(3, 2)
    before = layer.weight.numpy().copy() if not layer.weight.requires_grad else layer.weight.detach().numpy().copy()
    ours.weight_norm(layer)
    np.testing.assert_allclose(layer.weight.detach().numpy(), before, rtol=1e-6)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    (layer(autograd.ones(1, 3)) ** 2).sum().backward()
    optimizer.step()
    assert not np.allclose(layer.weight.detach().numpy(), before)


def test_copies_are_apart_and_removing_keeps_the_value():
    layer = ours.weight_norm(ours.weight_norm(nn.Linear(3, 2), "weight"), "bias")
    assert isinstance(layer, nn.Linear)
    other = copy.deepcopy(layer)
    with autograd.no_grad():
        other.parametrizations.weight.original0.zero_()
    assert not other.weight.detach().numpy().any()
    value, bias = layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy()
    assert value.any()
    parametrize.remove_parametrizations(layer, "weight")
    np.testing.assert_array_equal(layer.weight.detach().numpy(), value)
    assert parametrize.is_parametrized(layer, "bias") and not parametrize.is_parametrized(layer, "weight")
    parametrize.remove_parametrizations(layer, "bias")
    np.testing.assert_array_equal(layer.bias.detach().numpy(), bias)
    assert type(layer) is nn.Linear
    assert list(layer.state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
def test_removing_an_older_one_keeps_the_value(kind):
    layer = getattr(nn.utils, kind)(nn.Linear(3, 2))
    value = layer.weight.detach().numpy().copy()
    other = copy.deepcopy(layer)
    assert getattr(nn.utils, f"remove_{kind}")(layer) is layer
    np.testing.assert_array_equal(layer.weight.detach().numpy(), value)
    assert type(layer) is nn.Linear
    assert list(layer.state_dict()) == ["bias", "weight"]
    np.testing.assert_allclose(other.eval().weight.detach().numpy(), value, rtol=1e-6)
    with pytest.raises(ValueError, match=f"nn.utils.{kind} was not applied to Linear.weight"):
        getattr(nn.utils, f"remove_{kind}")(layer)


def test_what_cannot_be_parametrized_is_refused():
    with pytest.raises(ValueError, match=r"weights is no parameter; there are \['weight', 'bias'\]"):
        ours.weight_norm(nn.Linear(2, 2), "weights")
    with pytest.raises(ValueError, match="already"):
        ours.weight_norm(ours.spectral_norm(nn.Linear(2, 2)))
    with pytest.raises(ValueError, match="at least 1"):
        ours.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(ValueError, match="not parametrized"):
        parametrize.remove_parametrizations(nn.Linear(2, 2), "weight")
