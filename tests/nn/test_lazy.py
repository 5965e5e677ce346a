"""Lazy layers: PyTorch's, before and after their first input."""

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
from nn.lazy import LazyModuleMixin

CASES = [("LazyLinear", (4,), {}, (2, 5, 3)), ("LazyLinear", (4,), {"bias": False}, (3,)),
         *[(f"Lazy{kind}{n}d", (4, 2), options, (2, 6, *[5, 4, 3][:n])) for n in (1, 2, 3)
           for kind in ("Conv", "ConvTranspose")
           for options in ({}, {"groups": 2, "stride": 2, "bias": False}, {"padding": 1, "dilation": 2})],
         ("LazyConv2d", (4, (2, 3)), {"padding_mode": "reflect", "padding": 1}, (6, 5, 4)),
         ("LazyConvTranspose2d", (4, (2, 3)), {"stride": 2, "output_padding": 1}, (6, 5, 4)),
         *[(f"Lazy{kind}{n}d", (), options, (3, 4, *[5, 4, 3][:n])) for n in (1, 2, 3)
           for kind in ("BatchNorm", "InstanceNorm")
           for options in ({}, {"affine": True, "track_running_stats": True, "momentum": 0.3, "eps": 1e-3},
                           {"affine": False, "track_running_stats": False})],
         ("LazyBatchNorm1d", (), {"affine": False}, (3, 4))]
by_name = pytest.mark.parametrize(("name", "args", "options", "shape"), CASES, ids=lambda part: str(part))


@by_name
def test_it_becomes_what_pytorchs_becomes(name, args, options, shape, as_pytorch):
    def program(library, layers):
        layer = getattr(layers, name)(*args, **options)
        found = [repr(layer), list(layer.state_dict()), layer.has_uninitialized_params()]
        before, x = dict(layer.named_parameters()), library.tensor(np.random.default_rng(0).standard_normal(shape))
        x.requires_grad_()
        library.manual_seed(0)
        layer.double()(x)
        for key, p in layer.named_parameters():
            assert p is before[key] and type(p) is layers.Parameter and p.requires_grad
        out = layer.eval()(x)
        (out * out).sum().backward()
        state = layer.state_dict()  # if there is none, PyTorch's learns no width
        return [*found, type(layer).__name__, repr(layer) if state else "", {k: v.numpy() for k, v in state.items()},
                [str(v.numpy().dtype) for v in state.values()], out, x.grad]
    as_pytorch(program, 1e-8)


@by_name
def test_it_may_be_copied_converted_and_loaded_before(name, args, options, shape):
    make, x = getattr(nn, name), autograd.randn(*shape)
    seen = make(*args, **options)
    seen(x)
    for lazy in (copy.deepcopy(make(*args, **options)), pickle.loads(pickle.dumps(make(*args, **options)))):
        assert type(lazy) is make
        lazy.load_state_dict(make(*args, **options).state_dict())  # nothing to load, and nothing wrong
        lazy.load_state_dict(seen.state_dict())
        assert not lazy.has_uninitialized_params() and type(lazy) is make
        np.testing.assert_array_equal(lazy.eval()(x).detach().numpy(), seen.eval()(x).detach().numpy())
        assert repr(lazy) == repr(seen)
    for dtype in ("float16", "float64"):
        for lazy in (make(*args, **options, device="cpu", dtype=dtype), make(*args, **options).to(dtype)):
            lazy(x.to(dtype))
            assert all(p.dtype == dtype for p in lazy.parameters())


def test_without_a_shape_there_is_nothing_to_look_at():
    layer = nn.LazyLinear(3)
    for look in (lambda p: p.shape, lambda p: p.numel(), lambda p: p + 1, lambda p: p.tolist(), nn.init.zeros_,
                 lambda p: p.detach().clone()):
        with pytest.raises(RuntimeError, match="call the model on an example once"):
            look(layer.weight)
    assert layer.weight.dtype == autograd.float32 and repr(layer.weight) == "<UninitializedParameter>"
    layer.requires_grad_(False)(autograd.ones(1, 2))
    assert not layer.weight.requires_grad


def test_what_was_loaded_in_part_stays():
    layer = nn.LazyLinear(2)
    layer.load_state_dict({"weight": np.ones((2, 3))}, strict=False)
    layer(autograd.ones(1, 3))
    assert layer.weight.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert 0 < abs(layer.bias.array).max() <= 3 ** -0.5


def test_an_optimizer_trains_what_it_was_given_before():
    layer = nn.Sequential(nn.LazyLinear(2), nn.LazyBatchNorm1d())
    parameters = list(layer.parameters())
    layer(autograd.randn(4, 3)).pow(2).sum().backward()
    assert all(p.grad is not None for p in parameters)


def test_a_lazy_layer_of_ones_own():
    class Scale(LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.UninitializedParameter()

        def initialize_parameters(self, x):
            if self.has_uninitialized_params():
                self.weight.materialize(x.shape[-1:])
                nn.init.ones_(self.weight)

        def forward(self, x):
            return x * self.weight

    class Forgetful(Scale):
        def initialize_parameters(self, x):
            pass
    layer = Scale()
    assert layer(autograd.ones(2, 3)).tolist() == layer(autograd.ones(2, 3)).tolist() == [[1, 1, 1], [1, 1, 1]]
    with pytest.raises(RuntimeError, match="materialize"):
        Forgetful()(autograd.ones(2))
    with pytest.raises(NotImplementedError, match="initialize_parameters"):
        type("Bare", (LazyModuleMixin, nn.Module), {"cls_to_become": nn.Linear})()(1)


@pytest.mark.parametrize(("layer", "shape", "reason"), [
    (nn.LazyConv2d(2, 3), (3, 4), r"\(N, C, H, W\)"), (nn.LazyConv1d(2, 3, groups=2), (1, 3, 4), "groups=2"),
    (nn.LazyBatchNorm1d(), (2, 3, 4, 5), r"\(N, C\) or \(N, C, W\)"),
    (nn.LazyInstanceNorm2d(), (3, 4), "must have")])
def test_an_input_that_cannot_be_is_refused(layer, shape, reason):
    with pytest.raises(ValueError, match=f"{type(layer).__name__}.*{reason}"):
        layer(autograd.ones(*shape))
    assert layer.cls_to_become is not None  # it waits for another
