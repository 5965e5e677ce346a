"""Modules called with other parameters, alone and as an ensemble."""

import numpy as np
import pytest

import autograd
import nn
from autograd import func
from nn.utils.stateless import functional_call, stack_module_state


def small():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))


def test_the_call_uses_what_is_given_and_leaves_the_module_alone():
    model, x = small(), autograd.randn(5, 3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    given = {name: p.detach() * 2 for name, p in model.named_parameters()}
    other = small()
    other.load_state_dict({**before, **given})
    expected = other(x)
    np.testing.assert_allclose(functional_call(model, given, (x,)).detach(), expected.detach())
    assert all((value == before[name]).all() for name, value in model.state_dict().items()
               if "running" not in name and "tracked" not in name)
    assert all(isinstance(p, nn.Parameter) for p in model.parameters())


def test_it_is_differentiable_in_what_is_given():
    torch = pytest.importorskip("torch")
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    theirs.load_state_dict({name: torch.tensor(v.numpy()) for name, v in ours.state_dict().items()})
    x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    found = []
    for m, functions, layer, call in ((autograd, func, ours, functional_call), (torch, torch.func, theirs,
                                                                         torch.func.functional_call)):
        params = {name: p.detach() for name, p in layer.named_parameters()}

        def loss(weight, bias, row, call=call, layer=layer):
            return (call(layer, {"weight": weight, "bias": bias}, (row,)) ** 2).sum()
        each = functions.vmap(functions.grad(loss, (0, 1)), (None, None, 0))
        found.append(each(params["weight"], params["bias"], m.tensor(x)))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)


def test_a_tied_parameter_is_exchanged_under_all_its_names():
    model = nn.ModuleList([nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)])
    model[1].weight = model[0].weight
    model.forward = lambda x: model[1](model[0](x))
    new = {"0.weight": autograd.eye(2) * 3}
    assert functional_call(model, new, autograd.ones(2)).tolist() == [9, 9]
    kept = model[0].weight.detach() @ autograd.full((2,), 3.0)
    untied = functional_call(model, new, autograd.ones(2), tie_weights=False)
    np.testing.assert_allclose(untied.detach(), kept, rtol=1e-5)


def test_an_ensemble():
    models, x = [nn.Linear(3, 2) for _ in range(4)], autograd.randn(5, 3)
    parameters, buffers = stack_module_state(models)
    assert buffers == {}
    assert parameters["weight"].shape == (4, 2, 3)
    out = func.vmap(lambda p, x: functional_call(models[0], p, (x,)), (0, None))(parameters, x)
    np.testing.assert_allclose(out.detach(), autograd.stack([m(x) for m in models]).detach(), rtol=1e-6)
    out.sum().backward()
    assert parameters["weight"].grad.shape == (4, 2, 3)


def test_names_that_there_are_not_are_refused():
    layer, x = nn.Linear(2, 1), autograd.ones(2)
    with pytest.raises(RuntimeError, match=r"has no \['heaviness'\], only \['weight', 'bias'\]"):
        functional_call(layer, {"heaviness": x}, (x,))
    with pytest.raises(RuntimeError, match=r"nothing in the place of \['bias'\]"):
        functional_call(layer, {"weight": autograd.ones(1, 2)}, (x,), strict=True)
    with pytest.raises(ZeroDivisionError):  # the module is as before even then
        layer.register_forward_hook(lambda *_: 1 / 0)
        functional_call(layer, {"weight": autograd.ones(1, 2)}, (x,))
    assert isinstance(layer.weight, nn.Parameter)
    with pytest.raises(ValueError, match="at least one"):
        stack_module_state([])
