"""Watching a training: it changes nothing, what it says is so, and it sees every optimizer."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
import optim
import viz
from autograd import checkpoint, randint, randn
from viz.training import moments, watching
from viz.training.moments import DEAD, GRADIENT, LOSS, RATIO, SATURATED, WEIGHT

RULES = [name for name in optim.__all__ if inspect.isclass(getattr(optim, name))
         and issubclass(getattr(optim, name), optim.Optimizer) and name not in ("Optimizer", "Newton")]


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.LSTMCell(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        state = None
        for t in range(3):
            state = self.cell(x[:, :6] * (t + 1), state)
        return self.out(state[0].tanh())


class Recomputed(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.out = nn.Sequential(nn.Linear(12, 8), nn.ReLU()), nn.Linear(8, 3)

    def forward(self, x):
        return self.out(checkpoint(self.inner, x).relu())


MODELS = {
    "perceptron": lambda: nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3)),
    "batch norm and dropout": lambda: nn.Sequential(
        nn.Unflatten(1, (3, 2, 2)), nn.Conv2d(3, 4, 2, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3),
        nn.Flatten(), nn.Linear(4, 3)),
    "attention": lambda: nn.Sequential(
        nn.Unflatten(1, (3, 4)), nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), nn.Flatten(), nn.Linear(12, 3)),
    "recurrent": Recurrent,
    "checkpointed": Recomputed,
}


def train(make, rule, steps, every):
    """What is left of a training: parameters, buffers, gradients, losses, and the next random number."""
    autograd.manual_seed(3)
    model = make()
    parameters = [p for p in model.parameters() if rule != "Muon" or p.ndim == 2]
    optimizer = getattr(optim, rule)(parameters, lr=0.01)
    x, y = randn(16, 12), randint(3, (16,))

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        return loss

    def run():
        return [optimizer.step(closure).item() for _ in range(steps)] if rule == "LBFGS" else [
            (closure().item(), optimizer.step())[0] for _ in range(steps)]
    if every is None:
        record, losses = None, run()
    else:
        with viz.watch(model, every=every, show=False) as record:
            losses = run()
    state = [value.array.copy() for value in [*model.parameters(), *model.buffers()]]
    gradients = [p.grad.array.copy() for p in model.parameters()]
    return record, losses, [*state, *gradients, randn(3).array]


@settings(max_examples=25)
@given(st.sampled_from(list(MODELS)), st.sampled_from(RULES), st.integers(1, 5), st.integers(1, 3))
def test_watching_changes_no_bit_of_a_training(model, rule, steps, every):
    _, losses, left = train(MODELS[model], rule, steps, None)
    record, same_losses, same_left = train(MODELS[model], rule, steps, every)
    assert losses == same_losses
    for a, b in zip(left, same_left, strict=True):
        np.testing.assert_array_equal(a, b)
    assert [moment.step for moment in record.moments] == list(range(0, steps, every))
    assert record.step == steps
    assert autograd.watching.watchers == autograd.watching.of_steps == ()


@pytest.mark.parametrize("rule", RULES)
def test_losses_and_updates_of_every_optimizer_are_those_of_the_program(rule):
    """The losses as the program prints them; the last update as the difference of a run and one without that step."""
    record, losses, after = train(MODELS["perceptron"], rule, 3, 1)
    if rule != "LBFGS":  # its first evaluation of a step counts
        assert record.series(LOSS)[""] == ([0, 1, 2], pytest.approx(losses))
    _, _, before = train(MODELS["perceptron"], rule, 2, None)
    names = [name for name, _ in MODELS["perceptron"]().named_parameters()]
    for name, new, old in zip(names, after, before, strict=False):
        ratio = record.series(RATIO).get(name, ([], [0.0]))[1][-1]  # Muon has matrices only
        assert ratio == pytest.approx(np.linalg.norm(new - old) / np.linalg.norm(old), rel=1e-4)


def test_gradients_weights_and_activations_are_those_of_numpy():
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    x = randn(50, 40)
    with viz.watch(model, every=1, show=False) as record:
        weights = {name: p.array.copy() for name, p in model.named_parameters()}
        hidden = model[1](model[0](x))
        model[2](hidden).square().sum().backward()
        gradients = {name: p.grad.array.copy() for name, p in model.named_parameters()}
        optimizer.step()
    [moment] = record.moments
    for quantity, arrays in ((WEIGHT, weights), (GRADIENT, gradients)):
        for name, array in arrays.items():
            assert moment.of(quantity)[name] == pytest.approx(np.sqrt(np.mean(array ** 2)), rel=1e-5)
    seen = moment.distributions["activation"]["1"]
    assert seen.low == 0 and seen.high <= hidden.array.max()
    assert seen.mean == pytest.approx(hidden.array.mean(), rel=0.2)
    assert moment.of(DEAD)["1"] == (hidden.array == 0).all(axis=0).mean()


@pytest.mark.parametrize(("shape", "layers", "dead"), [
    ((5, 4), lambda: [nn.Linear(4, 6)], lambda out: (out == 0).all(axis=0)),
    ((5, 7, 4), lambda: [nn.Linear(4, 6)], lambda out: (out == 0).all(axis=(0, 1))),
    ((5, 3, 6, 6), lambda: [nn.Conv2d(3, 6, 3)], lambda out: (out == 0).all(axis=(0, 2, 3))),
    ((5, 3, 9), lambda: [nn.Conv1d(3, 6, 3)], lambda out: (out == 0).all(axis=(0, 2)))])
def test_a_unit_is_a_feature_or_a_channel(shape, layers, dead):
    model = nn.Sequential(*layers(), nn.ReLU())
    with autograd.no_grad():
        model[0].bias[:] = autograd.tensor([9.0, -9.0, 9.0, -9.0, -9.0, 9.0])
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, every=1, show=False) as record:
        out = model(randn(*shape))
        out.sum().backward()
        optimizer.step()
    assert record.moments[0].of(DEAD) == {"1": dead(out.array).mean()} == {"1": 0.5}


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 6), nn.Linear(6, 2)

    def forward(self, x):
        return self.b((100 * self.a(x).relu()).tanh()).tanh()


def test_functions_within_a_module_are_seen_too():
    model = nn.Sequential(Functional())
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, every=1, show=False) as record:
        model(randn(8, 4)).sum().backward()
        optimizer.step()
    [moment] = record.moments
    assert list(moment.of(DEAD)) == ["0.relu"] and list(moment.of(SATURATED)) == ["0.tanh", "0.tanh 2"]


def sick(name):
    """A model, its loss and where the alarm belongs."""
    relu, sigmoid = (lambda k: [nn.Linear(8, 8), k()]), nn.Sigmoid
    if name == "exploding learning rate":
        model = nn.Sequential(nn.Linear(8, 1))
        return model, 3.0, lambda: (model(randn(8, 8)) ** 2).mean(), "0.weight"
    if name == "dead units":
        model = nn.Sequential(*relu(nn.ReLU), nn.Linear(8, 1))
        model[0].bias.data -= 50
        return model, 1e-3, lambda: (model(randn(8, 8)) ** 2).mean(), "1"
    if name == "vanishing":
        model = nn.Sequential(*[layer for _ in range(14) for layer in relu(sigmoid)], nn.Linear(8, 1))
        return model, 1e-3, lambda: (model(randn(8, 8)) ** 2).mean(), "0"
    if name == "saturated":
        model = nn.Sequential(*relu(nn.Tanh), nn.Linear(8, 1))
        model[0].weight.data *= 1e4
        return model, 1e-3, lambda: (model(randn(8, 8)) ** 2).mean(), "1"
    if name == "unused":
        model = nn.ModuleDict({"used": nn.Linear(8, 1), "idle": nn.Linear(8, 1)})
        return model, 1e-3, lambda: (model["used"](randn(8, 8)) ** 2).mean(), "idle.weight"
    if name == "NaN in the forward pass":
        model = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.Linear(8, 1))
        model[1].weight.data[0] = np.nan
        return model, 1e-3, lambda: (model(randn(8, 8)) ** 2).mean(), "1"
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))  # NaN in the backward pass: 0 times infinity
    return model, 1e-3, lambda: ((model[0](randn(8, 8)) * 0.0).sqrt().sum() + model(randn(8, 8)).mean()), "0.bias"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["exploding learning rate", "dead units", "vanishing", "saturated", "unused",
                                  "NaN in the forward pass", "NaN in the backward pass"])
def test_what_is_wrong_has_an_alarm_at_its_place(name):
    autograd.manual_seed(1)
    model, rate, loss, place = sick(name)
    optimizer = optim.SGD(model.parameters(), lr=rate)
    alarms = {}
    with viz.watch(model, every=1, show=False) as record:
        for _ in range(4):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
            alarms.update(record.alarms)
    assert place in alarms, alarms


@pytest.mark.parametrize("model", MODELS)
def test_a_healthy_training_is_silent(model):
    record, _, _ = train(MODELS[model], "Adam", 12, 1)
    assert [moment.alarms for moment in record.moments] == [{}] * 12


def test_the_bias_before_a_normalization_is_no_alarm():
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    with viz.watch(model, every=1, show=False) as record:
        for _ in range(4):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(randn(16, 1, 6, 6)), randint(2, (16,))).backward()
            optimizer.step()
    assert record.series(GRADIENT)["0.bias"][1][0] < 1e-6 and not record.alarms


def test_half_precision_does_not_overflow():
    model = nn.Linear(600, 600).half()
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    with viz.watch(model, every=1, show=False) as record:
        (model(randn(4, 600).half()).float() * 200).sum().backward()
        optimizer.step()
    assert np.isfinite([*record.moments[0].of(GRADIENT).values(), *record.moments[0].of(WEIGHT).values()]).all()


def test_validation_and_other_models_are_not_recorded():
    """Nor is a step of an optimizer that has none of its parameters, as that of a GAN's other half."""
    model, other = nn.Linear(3, 2), nn.Linear(3, 2)
    mine, others = (optim.SGD(m.parameters(), lr=0.1) for m in (model, other))
    with viz.watch(model, every=1, show=False) as record:
        with autograd.no_grad():
            model(1000 * autograd.ones(5, 3))
        other(randn(5, 3)).sum().backward()
        others.step()
        model(randn(5, 3)).sum().backward()
        mine.step()
    [moment] = record.moments
    assert moment.distributions["activation"]["Linear"].high < 100


@pytest.mark.parametrize("every", [1, 2, 5])
def test_each_of_several_optimizers_has_its_own_steps(every):
    """As those of a GAN, which take turns: whatever `every` is, both are recorded, each with its own parameters."""
    model = nn.ModuleDict({"generator": nn.Linear(4, 3), "judge": nn.Sequential(nn.Linear(3, 8), nn.ReLU(),
                                                                                nn.Linear(8, 1))})
    with autograd.no_grad():
        model["judge"][0].bias -= 100
    mine, its = (optim.SGD(model[name].parameters(), lr=0.01) for name in ("generator", "judge"))
    losses: list[list[float]] = [[], []]
    with viz.watch(model, every=every, show=False) as record:
        for _ in range(20):
            for k, optimizer in enumerate((mine, its)):
                model.zero_grad()
                loss = model["judge"](model["generator"](randn(5, 4))).mean() * (1, -1)[k]
                losses[k].append(loss.item())
                loss.backward()
                optimizer.step()
    assert record.step == 20
    for k, place in enumerate(("", "optimizer 2")):
        steps, numbers = record.series(LOSS)[place]
        assert len(steps) >= 20 // every - 1 and numbers == [losses[k][step] for step in steps]
    assert all(name.startswith(("generator", "judge")[moment.optimizer])
               for moment in record.moments for name in moment.of(RATIO))
    assert all(number > 0 for number in record.series(RATIO)["judge.2.bias"][1])
    assert set(record.alarms) >= {"generator", "judge.0", "judge.1"} and "⚠ generator: gradient is zero" in str(record)


def test_of_several_optimizers_every_second_moment_is_kept(monkeypatch):
    monkeypatch.setattr(watching, "LIMIT", 8)
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    optimizers = [optim.SGD(layer.parameters(), lr=1e-3) for layer in model]
    with viz.watch(model, every=1, show=False) as record:
        for _ in range(40):
            for optimizer in optimizers:
                model(randn(4, 2)).sum().backward()
                optimizer.step()
    counts = [len(moments.of_one(record.moments, k)) for k in range(2)]
    assert sum(counts) <= 8 and min(counts) >= 2


def test_a_long_training_keeps_every_second_moment(monkeypatch):
    monkeypatch.setattr(watching, "LIMIT", 8)
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    with viz.watch(model, every=1, show=False) as record:
        for _ in range(40):
            model(randn(4, 2)).sum().backward()
            optimizer.step()
    assert [moment.step for moment in record.moments] == list(range(0, 40, 8)) and record.every == 8


def test_what_has_been_logged_belongs_to_the_step():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    with viz.watch(model, every=2, show=False) as record:
        for _ in range(3):
            model(randn(4, 2)).sum().backward()
            optimizer.step()
            record.log(accuracy=autograd.tensor(0.5))
    assert record.logged == {"accuracy": ([1, 2, 3], [0.5, 0.5, 0.5])}


@pytest.mark.parametrize(("call", "message"), [
    (lambda: viz.watch(nn.Linear(2, 1), every=0), "every=0.*1 or more"),
    (lambda: viz.watch(nn.ReLU()), "this ReLU has no parameters")])
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_error_in_the_training_ends_the_watching():
    model = nn.Linear(2, 1)
    with pytest.raises(KeyError), viz.watch(model, show=False):
        raise KeyError
    assert autograd.watching.watchers == autograd.watching.of_steps == ()
