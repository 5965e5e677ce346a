"""What all rules share: groups, absent gradients, saving, hooks, extension, memory, and errors."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest

import autograd
import optim
from autograd import Tensor

RULES = ["SGD", "ASGD", "Adagrad", "Adadelta", "RMSprop", "Rprop", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Lion",
         "Adafactor", "Muon"]


def parameter(*shape, dtype=np.float64, seed=0):
    return Tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype), requires_grad=True)


def with_gradients(*params, seed=1):
    rng = np.random.default_rng(seed)
    for p in params:
        p.grad = Tensor(rng.standard_normal(p.shape).astype(p.dtype))
    return list(params)


class Momentum(optim.Optimizer):
    """The example of Optimizer's documentation."""

    def __init__(self, params, lr=0.01, momentum=0.9, weight_decay=0.0, maximize=False):
        super().__init__(params, locals())

    def buffers(self, group):
        return ["velocity"]

    def formula(self, p, g, v, *, lr, momentum):
        v *= momentum
        v -= lr * g
        p += v


def test_a_rule_of_ones_own_is_its_formula():
    """With the base's weight decay; as long as lr stays, the velocity form takes the steps of SGD with momentum."""
    p, q = parameter(3, 4), parameter(3, 4)
    own, sgd = Momentum([p], lr=0.05, weight_decay=0.1), optim.SGD([q], lr=0.05, momentum=0.9, weight_decay=0.1)
    for seed in range(20):
        with_gradients(p, seed=seed)
        with_gradients(q, seed=seed)
        own.step()
        sgd.step()
    np.testing.assert_allclose(p.array, q.array, rtol=1e-12)
    np.testing.assert_allclose(own.state[p]["velocity"].array, -0.05 * sgd.state[q]["momentum_buffer"].array, rtol=1e-9)


def test_the_averaging_form_of_momentum_is_dampening():
    """v ← βv + (1-β)g is momentum=β, dampening=β once v is the same; the first step differs by the factor 1-β."""
    p, beta = parameter(5), 0.9
    x, v = p.array.copy(), None
    optimizer = optim.SGD([p], lr=0.1, momentum=beta, dampening=beta)
    for seed in range(10):
        g = with_gradients(p, seed=seed)[0].grad.array
        v = g if v is None else beta * v + (1 - beta) * g
        x = x - 0.1 * v
        optimizer.step()
    np.testing.assert_allclose(p.array, x, rtol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_parameters_without_gradient_stay_as_they_are(name):
    p, q = with_gradients(parameter(3, 4), parameter(2, 2))
    q.grad = None
    before = q.array.copy()
    optimizer = getattr(optim, name)([p, q])
    optimizer.step()
    assert (q.array == before).all() and q not in optimizer.state
    assert not np.isnan(p.array).any()


@pytest.mark.parametrize("name", RULES)
def test_maximize_climbs(name):
    if name == "Muon":
        pytest.skip("has no maximize")
    p, q = parameter(3, 4), parameter(3, 4)
    with_gradients(p)
    q.grad = Tensor(-p.grad.array)
    getattr(optim, name)([p], maximize=True).step()
    getattr(optim, name)([q]).step()
    np.testing.assert_array_equal(p.array, q.array)


def test_groups_have_their_own_options_and_later_ones_can_be_added():
    p, q, r = with_gradients(parameter(3), parameter(4), parameter(5))
    starts = [t.array.copy() for t in (p, q, r)]
    optimizer = optim.SGD([{"params": [p]}, {"params": q, "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": [("head", r)], "lr": 2})
    assert optimizer.param_groups[2]["param_names"] == ["head"]
    optimizer.step()
    for t, start, lr in zip((p, q, r), starts, (0.1, 0.5, 2), strict=True):
        np.testing.assert_allclose(t.array, start - lr * t.grad.array)


def test_decoupled_decay_is_the_same_for_all_and_coupled_is_not():
    """The parameter with the larger gradients hardly decays when λp passes through Adam's scaling."""
    def decay(**options):
        p = Tensor(np.ones(2), requires_grad=True)
        optimizer = optim.Adam([p], lr=1e-3, weight_decay=0.1, **options)
        rng = np.random.default_rng(0)
        for _ in range(300):
            p.grad = Tensor(rng.choice([-1, 1], 2) * np.array([1e-3, 1e3]))
            optimizer.step()
        return 1 - p.array
    coupled, decoupled = decay(), decay(decoupled_weight_decay=True)
    assert coupled[0] > 5 * abs(coupled[1])
    plain = 1 - (1 - 1e-4) ** 300
    assert (abs(decoupled - plain) < 0.1).all()


def test_step_is_written_in_place_and_noticed_by_the_engine():
    p = parameter(3)
    array, y = p.array, None
    optimizer = optim.Adam(with_gradients(p))
    y = (p * p).sum()
    optimizer.step()
    assert p.array is array
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_step_calls_its_closure_with_recording_on():
    p = parameter(3)
    optimizer = optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss
    with autograd.no_grad():
        first, second = (optimizer.step(closure).item() for _ in range(2))
    assert second < first


def test_zero_grad_forgets_or_zeroes():
    p, q = *with_gradients(parameter(3)), parameter(2)
    optimizer = optim.SGD([p, q], lr=0.1)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0, 0, 0] and q.grad is None
    optimizer.zero_grad()
    assert p.grad is None


def test_gradients_of_micro_batches_add_up_to_that_of_the_batch():
    """Gradient accumulation: losses divided by their number, backward() several times, one step."""
    x = np.random.default_rng(0).standard_normal((8, 3))
    whole, parts = parameter(3), parameter(3)
    for p, batches in ((whole, [x]), (parts, np.split(x, 4))):
        optimizer = optim.Adam([p], lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            for batch in batches:
                (((batch * p).sum(1) - 1) ** 2).mean().__truediv__(len(batches)).backward()
            optimizer.step()
    np.testing.assert_allclose(whole.array, parts.array, rtol=1e-12)


class TestSaving:
    def test_state_goes_over_to_another_dtype(self):
        p, q = parameter(3), parameter(3, dtype=np.float32)
        one, other = optim.Adam(with_gradients(p)), optim.Adam([q])
        one.step()
        other.load_state_dict(one.state_dict())
        assert other.state[q]["exp_avg"].dtype == np.float32 and other.state[q]["step"] == 1

    def test_what_was_loaded_is_a_copy(self):
        p, q = with_gradients(parameter(3)), with_gradients(parameter(3))
        one, other = optim.Adam(p), optim.Adam(q)
        one.step()
        saved = copy.deepcopy(one.state_dict())
        other.load_state_dict(one.state_dict())
        other.step()
        np.testing.assert_array_equal(one.state_dict()["state"][0]["exp_avg"].array, saved["state"][0]["exp_avg"].array)

    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
    def test_copies_go_on_by_themselves(self, duplicate):
        p = parameter(3)
        optimizer = optim.Adam(with_gradients(p))
        optimizer.step()
        other = duplicate(optimizer)
        [q] = other.param_groups[0]["params"]
        for o in (optimizer, other):
            with_gradients(*o.param_groups[0]["params"], seed=5)
            o.step()
        assert q is not p
        np.testing.assert_array_equal(p.array, q.array)

    def test_state_may_be_replaced_by_hand(self):
        p, q = with_gradients(parameter(3), parameter(3, seed=9))
        optimizer = optim.Adam([p, q])
        optimizer.step()
        optimizer.state[p]["exp_avg"] = Tensor(np.zeros(3))
        optimizer.step()
        np.testing.assert_allclose(optimizer.state[p]["exp_avg"].array, 0.1 * p.grad.array)

    @pytest.mark.parametrize("change, message", [
        (lambda saved: saved["param_groups"].append(saved["param_groups"][0]), r"2 parameter groups of \[2, 2\]"),
        (lambda saved: saved["param_groups"][0]["params"].pop(), r"of \[1\] parameters"),
        (lambda saved: saved["state"][0].update(exp_avg=np.zeros(7)), r"\(7,\), but the parameter's is \(3,\)"),
    ])
    def test_refuses_what_does_not_fit(self, change, message):
        optimizer = optim.Adam(with_gradients(parameter(3), parameter(4)))
        optimizer.step()
        saved = copy.deepcopy(optimizer.state_dict())
        change(saved)
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_dict(saved)


def test_hooks_are_called_in_turn_and_can_be_removed():
    seen = []
    [p] = with_gradients(parameter(3))
    optimizer = optim.SGD([p], lr=0.1)
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("before"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("after"))
    optimizer.register_state_dict_post_hook(lambda o, saved: {**saved, "note": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, saved: seen.append(saved.pop("note")))
    optimizer.step()
    before.remove()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    assert seen == ["before", "after", "after", 1]


def test_hooks_are_called_once_when_a_subclass_extends_step():
    class Counting(optim.SGD):
        def step(self, closure=None):
            return super().step(closure)
    seen = []
    optimizer = Counting(with_gradients(parameter(3)), lr=0.1)
    optimizer.register_step_post_hook(lambda *_: seen.append(1))
    optimizer.step()
    assert seen == [1]


@pytest.mark.parametrize("name", [name for name in RULES if name not in ("Adafactor", "Muon")])
def test_a_step_allocates_nothing_after_the_first(name):
    params = with_gradients(*(parameter(size, dtype=np.float32) for size in (300_000, *[100] * 20)))
    optimizer = getattr(optim, name)(params)
    optimizer.step()
    optimizer.step()
    tracemalloc.start()
    try:
        optimizer.step()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000, "the gradients alone are 1.2 million bytes"


class TestErrors:
    @pytest.mark.parametrize("make, message", [
        (lambda p: optim.Adam([]), r"^Adam\(\[\]\): the parameter list is empty"),
        (lambda p: optim.Adam(p), r"^Adam\(float64\[3\]\): .*this one Tensor.*Adam\(\[p\]"),
        (lambda p: optim.Adam([p, p]), "twice, first in the same list, as parameter 0"),
        (lambda p: optim.Adam([{"params": [p]}, {"params": [p]}]), "twice, first in group 0"),
        (lambda p: optim.Adam([p], lr=-1), "lr is -1.*maximize=True"),
        (lambda p: optim.Adam([p], lr=float("nan")), "lr is nan"),
        (lambda p: optim.Adam([p], betas=(0.9, 1.0)), r"betas is \(0.9, 1.0\)"),
        (lambda p: optim.SGD([p], momentum=-0.1), "momentum is -0.1"),
        (lambda p: optim.SGD([p], nesterov=True), "nesterov=True needs a momentum above 0"),
        (lambda p: optim.Adam([{"params": [p], "lr": -1}]), "lr is -1"),
        (lambda p: optim.Adam([{"params": [p], "learning_rate": 1}]), "no option 'learning_rate'.*betas"),
        (lambda p: optim.Adam([{"params": [p], "weightdecay": 1}]), "did you mean 'weight_decay'"),
        (lambda p: optim.Adam([{"lr": 1}]), 'entry "params"'),
        (lambda p: optim.Adam({p}), "set, whose order"),
        (lambda p: optim.Adam([{"params": {p}}]), "set, whose order"),
        (lambda p: optim.Adam([p, np.zeros(3)]), "parameter 1 is of type ndarray"),
        (lambda p: optim.Adam([p * 2]), "is the result of `mul`"),
        (lambda p: optim.Adam([Tensor(np.arange(3))]), "int64"),
        (lambda p: optim.Adam([("a", p), parameter(2)]), "only 1 have names"),
        (lambda p: optim.Adam([p], differentiable=True), "differentiable"),
        (lambda p: optim.Muon([p]), r"shape \(3,\); give it to AdamW"),
        (lambda p: optim.Rprop([p], etas=(1.5, 1.2)), r"etas is \(1.5, 1.2\)"),
        (lambda p: optim.LBFGS([{"params": [p]}, {"params": [parameter(2)]}]), "one group"),
        (lambda p: optim.LBFGS([p]).step(), "needs a closure"),
    ])
    def test_say_what_was_given_and_what_to_write(self, make, message):
        with pytest.raises((ValueError, TypeError), match=message):
            make(parameter(3))

    def test_a_gradient_of_another_shape(self):
        p = parameter(3)
        with pytest.raises(RuntimeError, match=r"\(3,\), float64\), not \(4,\)"):
            p.grad = Tensor(np.zeros(4))
        [p] = with_gradients(p)
        p.data = Tensor(np.zeros(4))
        with pytest.raises(ValueError, match=r"\(3,\) is not that of its parameter, \(4,\)"):
            optim.SGD([p]).step()

    def test_a_parameter_replaced_by_one_of_another_shape(self):
        [p] = with_gradients(parameter(3))
        optimizer = optim.Adam([p])
        optimizer.step()
        p.data = Tensor(np.zeros(4))
        with_gradients(p)
        with pytest.raises(ValueError, match=r"state\.pop"):
            optimizer.step()

    @pytest.mark.parametrize("formula, message", [
        (lambda p, g: p.__setitem__(0, 1), "sees no single elements"),
        (lambda p, g: 1 if g > 0 else 2, "cannot branch"),
        (lambda p, g: np.add.reduce(g), "elementwise = False"),
        (lambda p, g: g * "x", "not with 'x'"),
    ])
    def test_formulas_that_are_not_elementwise(self, formula, message):
        class Own(optim.Optimizer):
            def formula(self, p, g):
                formula(p, g)
        with pytest.raises(TypeError, match=message):
            Own(with_gradients(parameter(3)), {}).step()
