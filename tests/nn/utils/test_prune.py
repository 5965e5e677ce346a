"""Pruning: what PyTorch prunes, step by step."""

import copy

import numpy as np
import pytest

import autograd
import nn
from nn.utils import prune

rng = np.random.default_rng(0)
WEIGHTS = {"Linear": rng.standard_normal((6, 5)), "Conv2d": rng.standard_normal((4, 3, 2, 2))}
SCORES = {name: rng.standard_normal(values.shape) for name, values in WEIGHTS.items()}
STEPS = [  # what is done one after the other
    [("l1_unstructured", {"amount": 0.3})], [("l1_unstructured", {"amount": 4})],
    [("l1_unstructured", {"amount": 0.3}), ("l1_unstructured", {"amount": 0.5})],
    [("ln_structured", {"amount": 1, "n": 2, "dim": 0})], [("ln_structured", {"amount": 0.5, "n": 1, "dim": -1})],
    [("ln_structured", {"amount": 0.5, "n": float("-inf"), "dim": 1})],
    [("ln_structured", {"amount": 2, "n": 2, "dim": 0}), ("ln_structured", {"amount": 1, "n": 1, "dim": 0})],
    [("l1_unstructured", {"amount": 6}), ("ln_structured", {"amount": 1, "n": 2, "dim": 1}),
     ("l1_unstructured", {"amount": 2})],
    [("l1_unstructured", {"amount": 3, "importance_scores": SCORES})],
    [("ln_structured", {"amount": 1, "n": 2, "dim": 0, "importance_scores": SCORES})],
    [("identity", {})], [("identity", {}), ("l1_unstructured", {"amount": 0.2})], [("l1_unstructured", {"amount": 0})],
    [("l1_unstructured", {"amount": 1.0})],
    [("custom_from_mask", {"mask": {name: (values > 0) * 1.0 for name, values in WEIGHTS.items()}}),
     ("l1_unstructured", {"amount": 2})]]


def made(package, tensor, name):
    layer = getattr(package, name)(*{"Linear": (5, 6), "Conv2d": (3, 4, 2)}[name]).double()
    layer.weight.data = tensor(WEIGHTS[name])
    layer.bias.data = tensor(np.arange(float(len(WEIGHTS[name]))))
    return layer


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: "+".join(step for step, _ in steps))
def test_what_is_pruned_is_what_pytorch_prunes(name, steps):
    torch = pytest.importorskip("torch")
    pytest.importorskip("torch.nn.utils.prune")  # PyTorch doesn't import it by itself
    results = []
    for package, tensor in ((nn, autograd.tensor), (torch.nn, torch.tensor)):
        layer = made(package, tensor, name)
        original = layer.weight
        for step, options in steps:
            given = {k: tensor(v[name]) if isinstance(v, dict) else v for k, v in options.items()}
            assert getattr(package.utils.prune, step)(layer, "weight", **given) is layer
        assert package.utils.prune.is_pruned(layer) and layer.weight_orig is original
        shape = (8, 5) if name == "Linear" else (1, 3, 4, 3)
        x = tensor(np.cos(np.arange(float(np.prod(shape)))).reshape(shape))
        out = layer(x)
        (out * out).sum().backward()
        state = layer.state_dict()
        before = [out.detach().numpy(), layer.weight.detach().numpy(), original.grad.numpy(), list(state),
                  [k for k, _ in layer.named_parameters()], [k for k, _ in layer.named_buffers()], repr(layer),
                  *[state[k].numpy() for k in state]]
        package.utils.prune.remove(layer, "weight")
        assert not package.utils.prune.is_pruned(layer) and isinstance(layer.weight, package.Parameter)
        results.append([*before, sorted(layer.state_dict()), layer.weight.detach().numpy()])
    for got, expected in zip(*results, strict=True):
        if isinstance(got, np.ndarray):
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
        else:
            assert got == expected


def test_global_pruning_compares_all_parameters():
    torch = pytest.importorskip("torch")
    pytest.importorskip("torch.nn.utils.prune")  # PyTorch doesn't import it by itself
    results = []
    for package, tensor in ((nn, autograd.tensor), (torch.nn, torch.tensor)):
        a, b = (made(package, tensor, name) for name in WEIGHTS)
        tools = package.utils.prune
        scores = {(a, "weight"): tensor(SCORES["Linear"])}
        for options in ({"amount": 20}, {"amount": 0.3, "importance_scores": scores}):
            tools.global_unstructured([(a, "weight"), (b, "weight"), (b, "bias")], tools.L1Unstructured, **options)
        with pytest.raises(TypeError):
            tools.global_unstructured([(a, "weight")], tools.RandomStructured, amount=1)
        results.append([t.detach().numpy() for t in (a.weight, b.weight, b.bias, a.weight_mask, b.bias_mask)])
    for got, expected in zip(*results, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(("function", "options", "zeros"), [
    ("random_unstructured", {"amount": 0.3}, 9), ("random_unstructured", {"amount": 7}, 7),
    ("random_structured", {"amount": 2, "dim": 0}, 10), ("random_structured", {"amount": 0.4, "dim": 1}, 12)])
def test_random_pruning_prunes_as_many_as_it_says_and_others_each_time(function, options, zeros):
    masks = []
    for seed in range(5):
        autograd.manual_seed(seed)
        layer = getattr(prune, function)(nn.Linear(5, 6), "weight", **options)
        mask = layer.weight_mask.numpy()
        assert (mask == 0).sum() == zeros
        if "dim" in options:
            assert (np.ptp(mask, axis=1 - options["dim"]) == 0).all()
        again = getattr(prune, function)(layer, "weight", **options).weight_mask.numpy()
        assert (again <= mask).all() and again.sum() < mask.sum()
        masks.append(mask.tobytes())
    assert len(set(masks)) > 1


def test_training_a_pruned_model_leaves_the_zeros_and_copies_are_apart():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    prune.l1_unstructured(model[0], "weight", 0.5)
    prune.random_unstructured(model[0], "bias", 1)
    twin = copy.deepcopy(model)
    zeros = model[0].weight.detach().numpy() == 0
    model(autograd.randn(5, 3)).pow(2).sum().backward()
    with autograd.no_grad():
        for p in model.parameters():
            p -= 0.1 * p.grad
    assert (model[0].weight.detach().numpy()[zeros] == 0).all() and (model[0].weight_orig.array[zeros] != 0).all()
    assert not np.array_equal(twin[0].weight.detach(), model[0].weight.detach())
    twin.load_state_dict(model.state_dict())
    assert np.array_equal(twin[0].weight.detach(), model[0].weight.detach()) and prune.is_pruned(twin)


def test_a_method_of_ones_own():
    class EveryOther(prune.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t, default_mask):
            mask = default_mask.clone()
            mask.reshape(-1)[::2] = 0
            return mask
    layer = nn.Linear(4, 1)
    EveryOther.apply(layer, "weight")
    assert layer.weight_mask.tolist() == [[0, 1, 0, 1]]
    EveryOther.apply(layer, "weight")
    assert layer.weight_mask.tolist() == [[0, 0, 0, 1]]
    assert EveryOther().prune(autograd.ones(3)).tolist() == [0, 1, 0]
    with pytest.raises(NotImplementedError, match="compute_mask"):
        prune.BasePruningMethod.apply(nn.Linear(1, 1), "weight")


@pytest.mark.parametrize(("wrong", "error", "reason"), [
    (lambda layer: prune.l1_unstructured(layer, "weight", -1), ValueError, "at least 0"),
    (lambda layer: prune.l1_unstructured(layer, "weight", 1.5), ValueError, "fraction"),
    (lambda layer: prune.l1_unstructured(layer, "weight", "half"), TypeError, "half"),
    (lambda layer: prune.l1_unstructured(layer, "weight", 99), ValueError, "more than the 6"),
    (lambda layer: prune.l1_unstructured(layer, "nothing", 1), ValueError, "no parameter"),
    (lambda layer: prune.l1_unstructured(layer, "weight", 1, autograd.ones(2)), ValueError, "importance_scores"),
    (lambda layer: prune.ln_structured(layer, "bias", 1, 2, 0), ValueError, "2 axes"),
    (lambda layer: prune.random_structured(layer, "weight", 1, 2), IndexError, "dim=2"),
    (lambda layer: prune.custom_from_mask(layer, "weight", autograd.ones(2)), ValueError, "mask"),
    (lambda layer: prune.remove(layer, "weight"), ValueError, "not pruned"),
    (lambda layer: prune.PruningContainer(3), TypeError, "BasePruningMethods")])
def test_what_cannot_be_pruned_stays_as_it_was(wrong, error, reason):
    layer = nn.Linear(3, 2)
    with pytest.raises(error, match=reason):
        wrong(layer)
    assert list(layer.state_dict()) == ["weight", "bias"] and type(layer) is nn.Linear
