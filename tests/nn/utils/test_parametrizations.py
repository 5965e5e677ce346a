"""Weight and spectral normalization: PyTorch's values, gradients and state_dict."""

import copy
import operator
import pickle

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


@pytest.mark.parametrize("trivialized", [True, False])
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 4, 3), (1, 1)], ids=str)
@pytest.mark.parametrize("orthogonal_map", [None, "matrix_exp", "cayley", "householder"])
def test_orthogonal_weights_are_pytorchs(orthogonal_map, shape, trivialized):
    torch = pytest.importorskip("torch")
    results, values = [], np.random.default_rng(0).standard_normal(shape)
    theirs = torch.nn.Module()
    theirs.register_parameter("weight", torch.nn.Parameter(torch.tensor(values)))
    own = nn.Module()
    own.weight = nn.Parameter(values.copy())
    for layer, library in ((theirs, torch.nn), (own, nn)):
        library.utils.parametrizations.orthogonal(layer, "weight", orthogonal_map, use_trivialization=trivialized)
    columns = own.weight.detach().numpy()
    columns = columns.swapaxes(-1, -2) if shape[-2] < shape[-1] else columns
    np.testing.assert_allclose(columns.swapaxes(-1, -2) @ columns, np.broadcast_to(
        np.eye(columns.shape[-1]), (*shape[:-2], columns.shape[-1], columns.shape[-1])), atol=1e-12)
    np.testing.assert_allclose(own.weight.detach(), theirs.weight.detach(), rtol=1e-8, atol=1e-10)  # at first
    with torch.no_grad():
        theirs.parametrizations.weight.original.add_(torch.tensor(values) * 0.7)
    assert list(own.state_dict()) == list(theirs.state_dict())
    own.load_state_dict(theirs.state_dict())
    for layer, tensor in ((own, autograd.tensor), (theirs, torch.tensor)):
        weight = layer.weight
        (weight * tensor(np.cos(np.arange(values.size)).reshape(shape))).sum().backward()
        results.append([weight.detach().numpy(), layer.parametrizations.weight.original.grad.numpy()])
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-10)


def test_a_large_step_keeps_a_weight_orthogonal_and_what_cannot_be_is_refused():
    layer = ours.orthogonal(nn.Linear(6, 6))
    assert type(layer).__name__ == "ParametrizedLinear"
    with autograd.no_grad():
        layer.parametrizations.weight.original += autograd.randn(6, 6) * 20
    weight = layer.weight.detach().numpy()
    np.testing.assert_allclose(weight.T @ weight, np.eye(6), atol=2e-5)
    target = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))[0].astype(np.float32)
    layer.weight = autograd.tensor(target)
    np.testing.assert_allclose(layer.weight.detach(), target, atol=1e-5)
    with pytest.raises(ValueError, match="shape"):
        layer.weight = autograd.ones(2, 2)
    with pytest.raises(ValueError, match="matrix"):
        ours.orthogonal(nn.Linear(3, 2), "bias")
    with pytest.raises(ValueError, match="'fastest'"):
        ours.orthogonal(nn.Linear(3, 2), orthogonal_map="fastest")
    layer = ours.orthogonal(nn.Linear(3, 3), use_trivialization=False)
    with pytest.raises(NotImplementedError, match="use_trivialization"):
        layer.weight = autograd.eye(3)


# Parametrizations of one's own: the same program under both

def program(nn, tensor, no_grad):
    parametrize, out = nn.utils.parametrize, []

    class Symmetric(nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).T

        def right_inverse(self, x):
            return x.triu()

    class Double(nn.Module):
        def forward(self, x):
            calls.append("double")
            return x * 2

        def right_inverse(self, x):
            return x / 2

    class Product(nn.Module):
        def forward(self, a, b):
            return a @ b

        def right_inverse(self, x):
            return x[:, :1] * 1, x[:1] * 1

    class OneWay(nn.Module):
        def forward(self, x):
            return x ** 3

    class Wider(nn.Module):
        def forward(self, x):
            return x[:, :2]
    calls, layer = [], nn.Linear(3, 3)
    layer.weight.data, layer.bias.data = tensor([[1., 2., 3.], [4., 5., 6.], [7., 8., 9.]]), tensor([1., 2., 3.])
    original = layer.weight
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    out += [layer.weight, list(layer.state_dict()), layer.parametrizations.weight.original is original,
            type(layer).__name__, parametrize.type_before_parametrizations(layer) is nn.Linear,
            isinstance(layer, nn.Linear), parametrize.is_parametrized(layer),
            parametrize.is_parametrized(layer, "weight"),
            parametrize.is_parametrized(layer, "bias"), [k for k, _ in layer.named_parameters()]]
    parametrize.register_parametrization(layer, "weight", Double())
    layer.weight = tensor([[2., 4., 6.], [4., 8., 10.], [6., 10., 12.]])
    out += [layer.weight, layer.parametrizations.weight.original, len(layer.parametrizations.weight)]
    (layer(tensor([[1., 2., 3.]])) ** 2).sum().backward()
    out += [original.grad]
    calls.clear()
    with parametrize.cached():
        layer(tensor([[1., 2., 3.]])), layer(tensor([[1., 2., 3.]]))
        out.append(len(calls))
    out.append([layer.weight is layer.weight, len(calls)])
    twin = copy.deepcopy(layer)
    with no_grad():
        twin.parametrizations.weight.original.zero_()
    out += [layer.weight, twin.weight]
    parametrize.register_parametrization(layer, "bias", OneWay())
    with pytest.raises(RuntimeError, match="right_inverse"):
        layer.bias = tensor([1., 2., 3.])
    out += [layer.bias, sorted(layer.state_dict())]
    parametrize.remove_parametrizations(layer, "bias", leave_parametrized=False)
    parametrize.remove_parametrizations(layer, "weight")
    out += [layer.bias, layer.weight, layer.weight is original, type(layer) is nn.Linear, sorted(layer.state_dict()),
            hasattr(layer, "parametrizations")]
    with pytest.raises(ValueError):
        parametrize.register_parametrization(layer, "weight", Wider())
    with pytest.raises(ValueError):
        parametrize.register_parametrization(layer, "nothing", Double())
    with pytest.raises(ValueError):
        parametrize.remove_parametrizations(layer, "weight")
    out += [type(layer) is nn.Linear, sorted(layer.state_dict())]
    parametrize.register_parametrization(layer, "weight", Wider(), unsafe=True)
    out.append(tuple(layer.weight.shape))
    low = nn.Linear(2, 2)
    low.weight.data = tensor([[2., 4.], [1., 3.]])
    parametrize.register_parametrization(low, "weight", Product())
    out += [low.weight, sorted(low.state_dict()), low.parametrizations.weight.is_tensor,
            low.parametrizations.weight.ntensors]
    low.weight = tensor([[1., 0.], [0., 1.]])
    out += [low.parametrizations.weight.original0, low.parametrizations.weight.original1]
    with pytest.raises(ValueError):
        parametrize.remove_parametrizations(low, "weight", leave_parametrized=False)
    out += [parametrize.remove_parametrizations(low, "weight").weight, type(low.weight).__name__]
    norm = nn.BatchNorm1d(2)
    parametrize.register_parametrization(norm, "running_var", Double())
    out += [norm.running_var, sorted(norm.state_dict()), [k for k, _ in norm.named_buffers()]]
    parametrize.remove_parametrizations(norm, "running_var")
    out += [norm.running_var, sorted(norm.state_dict())]
    return [part.tolist() if hasattr(part, "tolist") else part for part in out]


def test_a_program_of_parametrizations_does_what_it_does_in_pytorch():
    torch = pytest.importorskip("torch")
    assert program(nn, autograd.tensor, autograd.no_grad) == program(torch.nn, torch.tensor, torch.no_grad)


def test_what_is_computed_cannot_be_pickled():
    with pytest.raises(RuntimeError, match="state_dict"):
        pickle.dumps(ours.weight_norm(nn.Linear(3, 2)))
