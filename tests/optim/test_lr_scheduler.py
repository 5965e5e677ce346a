"""Every schedule gives PyTorch's learning rates (and momenta); those that PyTorch lacks give their formula."""

import copy
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optim
from autograd import Tensor
from optim import lr_scheduler

EPOCHS = 50

share, epochs = st.floats(0.1, 0.99), st.integers(1, 30)
SCHEDULES = {
    "StepLR": st.fixed_dictionaries({"step_size": epochs}, optional={"gamma": share}),
    "MultiStepLR": st.fixed_dictionaries({"milestones": st.lists(epochs, max_size=4)}, optional={"gamma": share}),
    "ConstantLR": st.fixed_dictionaries({}, optional={"factor": share, "total_iters": epochs}),
    "LinearLR": st.fixed_dictionaries({}, optional={"start_factor": share, "end_factor": st.floats(0, 1),
                                                    "total_iters": epochs}),
    "ExponentialLR": st.fixed_dictionaries({"gamma": share}),
    "PolynomialLR": st.fixed_dictionaries({}, optional={"total_iters": epochs, "power": st.floats(0.5, 3)}),
    "CosineAnnealingLR": st.fixed_dictionaries({"T_max": epochs}, optional={"eta_min": st.floats(0, 0.01)}),
    "CosineAnnealingWarmRestarts": st.fixed_dictionaries(
        {"T_0": epochs}, optional={"T_mult": st.integers(1, 3), "eta_min": st.floats(0, 0.01)}),
    "LambdaLR": st.fixed_dictionaries({"lr_lambda": st.sampled_from([lambda t: 1 / (1 + t), [lambda t: 1, math.exp]])}),
    "MultiplicativeLR": st.fixed_dictionaries({"lr_lambda": st.sampled_from([lambda t: 0.9, lambda t: t / (1 + t)])}),
    "CyclicLR": st.fixed_dictionaries(
        {"base_lr": st.sampled_from([0.01, [0.01, 0.02]]), "max_lr": st.just(0.3), "step_size_up": epochs,
         "mode": st.sampled_from(["triangular", "triangular2", "exp_range"])},
        optional={"step_size_down": epochs, "gamma": share, "cycle_momentum": st.booleans(),
                  "scale_fn": st.just(lambda x: 1 / (1 + x)), "scale_mode": st.sampled_from(["cycle", "iterations"])}),
    "OneCycleLR": st.fixed_dictionaries(
        {"max_lr": st.sampled_from([0.3, [0.3, 0.1]]), "total_steps": st.integers(EPOCHS, 80)},
        optional={"pct_start": st.floats(0.1, 0.45), "anneal_strategy": st.sampled_from(["cos", "linear"]),
                  "cycle_momentum": st.booleans(), "three_phase": st.booleans()}),
}


def ours(rule="SGD", **options):
    params = [Tensor(np.ones(2), requires_grad=True) for _ in range(2)]
    return getattr(optim, rule)([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}], lr=0.1, **options)


def rates(optimizer, scheduler, count, step=lambda scheduler, t: scheduler.step()):
    """The learning rates and momenta of every group over `count` epochs."""
    seen = []
    for t in range(count):
        seen.append([(group["lr"], group.get("momentum"), group.get("betas")) for group in optimizer.param_groups])
        optimizer.step()
        step(scheduler, t)
        assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
    return seen


def same(a, b):
    flat = lambda rows: np.array([[x for _, *xs in [(0, lr, m or 0, *(betas or ()))] for x in xs]  # noqa: E731
                                  for row in rows for lr, m, betas in row])
    np.testing.assert_allclose(flat(a), flat(b), rtol=1e-9, atol=1e-12)


class TestAgainstPyTorch:
    torch = pytest.importorskip("torch")

    def theirs(self, rule="SGD", **options):
        params = [self.torch.ones(2, requires_grad=True) for _ in range(2)]
        return getattr(self.torch.optim, rule)([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}], lr=0.1,
                                               **options)

    def both(self, make, rule="SGD", **options):
        for optimizer, module in ((ours(rule, **options), lr_scheduler),
                                  (self.theirs(rule, **options), self.torch.optim.lr_scheduler)):
            yield optimizer, make(optimizer, module)

    @pytest.mark.parametrize("name", SCHEDULES)
    @settings(max_examples=20)
    @given(data=st.data())
    def test_rates(self, name, data):
        options = data.draw(SCHEDULES[name])
        rule = data.draw(st.sampled_from(["SGD", "Adam"]))
        same(*(rates(optimizer, scheduler, EPOCHS) for optimizer, scheduler in self.both(
            lambda optimizer, module: getattr(module, name)(optimizer, **options), rule)))

    @settings(max_examples=20)
    @given(data=st.data())
    def test_reduce_on_plateau(self, data):
        options = data.draw(st.fixed_dictionaries({}, optional={
            "mode": st.sampled_from(["min", "max"]), "factor": share, "patience": st.integers(0, 4),
            "threshold": st.floats(0, 0.3), "threshold_mode": st.sampled_from(["rel", "abs"]),
            "cooldown": st.integers(0, 3), "min_lr": st.sampled_from([0, 0.01, [0.01, 0.2]])}))
        losses = data.draw(st.lists(st.floats(-1, 1), min_size=EPOCHS, max_size=EPOCHS))
        same(*(rates(optimizer, scheduler, EPOCHS, lambda scheduler, t: scheduler.step(losses[t]))
               for optimizer, scheduler in self.both(
                   lambda optimizer, module: module.ReduceLROnPlateau(optimizer, **options))))

    @pytest.mark.parametrize("make", [
        lambda o, m: m.ChainedScheduler([m.ConstantLR(o, 0.1, 7), m.ExponentialLR(o, 0.9), m.CosineAnnealingLR(o, 20)]),
        lambda o, m: m.SequentialLR(o, [m.LinearLR(o, 0.01, total_iters=9), m.CosineAnnealingLR(o, 31)], [10]),
        lambda o, m: m.SequentialLR(o, [m.StepLR(o, 3), m.ExponentialLR(o, 0.9), m.CosineAnnealingWarmRestarts(o, 5)],
                                    [10, 17]),
    ], ids=["at once", "warm-up, then cosine", "three in turn"])
    def test_schedules_of_schedules(self, make):
        same(*(rates(optimizer, scheduler, EPOCHS) for optimizer, scheduler in self.both(make)))

    @pytest.mark.parametrize("name", [
        "StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "LambdaLR", "MultiplicativeLR", "CyclicLR",
        "OneCycleLR"])
    @settings(max_examples=10)
    @given(data=st.data(), begun=st.integers(0, 20), to_nothing=st.booleans())
    def test_going_on_after_any_epoch(self, name, data, begun, to_nothing):
        """With `last_epoch=`, which needs the optimizer's state alone; exactly before and at a milestone, too."""
        options = data.draw(SCHEDULES[name])
        if name == "LinearLR" and to_nothing:
            options["end_factor"] = 0.0
        if name == "MultiStepLR":
            options["milestones"] = [begun, begun + 1, begun + 1, begun + 4]
        seen = []
        for module, fresh in ((lr_scheduler, ours), (self.torch.optim.lr_scheduler, self.theirs)):
            optimizer = fresh("SGD", momentum=0.9)
            scheduler = getattr(module, name)(optimizer, **options)
            rates(optimizer, scheduler, begun)
            resumed = fresh("SGD", momentum=0.9)
            resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
            scheduler = getattr(module, name)(resumed, **options, last_epoch=scheduler.last_epoch)
            seen.append(rates(resumed, scheduler, 20))
        same(*seen)

    def test_swa(self):
        from optim import swa_utils
        for strategy in ("cos", "linear"):
            a, b = ours(), self.theirs()
            same(rates(a, swa_utils.SWALR(a, 0.05, 7, strategy), 20),
                 rates(b, self.torch.optim.swa_utils.SWALR(b, 0.05, 7, strategy), 20))


@pytest.mark.parametrize("name", SCHEDULES)
@settings(max_examples=3)
@given(data=st.data())
def test_saved_and_resumed_in_the_middle(name, data):
    options = data.draw(SCHEDULES[name])
    whole = ours(rule="SGD", momentum=0.9)
    expected = rates(whole, getattr(lr_scheduler, name)(whole, **options), EPOCHS)

    first = ours(rule="SGD", momentum=0.9)
    scheduler = getattr(lr_scheduler, name)(first, **options)
    begun = rates(first, scheduler, 20)
    saved, optimizer_saved = copy.deepcopy((scheduler.state_dict(), first.state_dict()))
    second = ours(rule="SGD", momentum=0.9)
    scheduler = getattr(lr_scheduler, name)(second, **options)
    scheduler.load_state_dict(saved)
    second.load_state_dict(optimizer_saved)
    same(begun + rates(second, scheduler, EPOCHS - 20), expected)


def test_chained_and_sequential_are_saved_with_their_parts():
    def make(o):
        return lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o, 0.1, total_iters=3), lr_scheduler.LambdaLR(o, lambda t: 0.9**t)], [5])
    a, b = ours(), ours()
    scheduler, resumed = make(a), make(b)
    rates(a, scheduler, 8)
    resumed.load_state_dict(scheduler.state_dict())
    b.load_state_dict(a.state_dict())
    same(rates(a, scheduler, 8), rates(b, resumed, 8))


@pytest.mark.parametrize("make, formula", [
    (lambda o: lr_scheduler.InverseTimeLR(o, k=0.3), lambda t: 1 / (1 + 0.3 * t)),
    (lr_scheduler.InverseSquareRootLR, lambda t: 1 / math.sqrt(t + 1)),
    (lambda o: lr_scheduler.InverseSquareRootLR(o, warmup=5),
     lambda t: (t + 1) / 5 if t < 5 else math.sqrt(5 / (t + 1))),
    (lambda o: lr_scheduler.LinearLR(o, 1, 0, EPOCHS), lambda t: 1 - t / EPOCHS),
    (lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS), lambda t: (1 + math.cos(math.pi * t / EPOCHS)) / 2),
], ids=["1/t", "inverse square root", "with warm-up", "linear", "cosine"])
def test_forms_of_the_notes(make, formula):
    optimizer = ours()
    seen = rates(optimizer, make(optimizer), EPOCHS)
    np.testing.assert_allclose([row[0][0] for row in seen], [0.1 * formula(t) for t in range(EPOCHS)], rtol=1e-9)


def test_going_back_to_an_epoch():
    optimizer = ours()
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    rates(optimizer, scheduler, 5)
    scheduler.step(2)
    assert scheduler.get_last_lr() == [0.025, 0.125]


def test_warns_when_the_first_rate_would_be_skipped():
    scheduler = lr_scheduler.ExponentialLR(ours(), 0.5)
    with pytest.warns(UserWarning, match="before optimizer.step"):
        scheduler.step()
    optimizer = ours()
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("make, message", [
    (lambda o: lr_scheduler.StepLR(3, 1), "^StepLR.*optimizer belongs in the place of this int"),
    (lambda o: lr_scheduler.LambdaLR(o, [abs] * 3), "3 values, but the optimizer has 2"),
    (lambda o: lr_scheduler.LinearLR(o, 0), "start_factor is 0"),
    (lambda o: lr_scheduler.ConstantLR(o, 2), "factor is 2"),
    (lambda o: lr_scheduler.OneCycleLR(o, 0.1), "total_steps"),
    (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 0), "T_0 is 0"),
    (lambda o: lr_scheduler.ReduceLROnPlateau(o, "least"), "mode is 'least'"),
    (lambda o: lr_scheduler.CyclicLR(ours("Adagrad"), 0.1, 1), "cycle_momentum=False"),
    (lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(o, 1)], [3]), "give 0"),
    (lambda o: lr_scheduler.ChainedScheduler([]), "at least one"),
    (lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(o, 1), lr_scheduler.StepLR(ours(), 1)]), "another"),
    (lambda o: lr_scheduler.StepLR(o, 1, last_epoch=4), "initial_lr"),
])
def test_errors_say_what_was_given(make, message):
    with pytest.raises((ValueError, TypeError, KeyError), match=message):
        make(ours())
