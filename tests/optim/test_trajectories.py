"""Every rule takes PyTorch's steps: 50 updates in float64, to 1e-9, whatever the options."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optim
from autograd import Tensor

torch = pytest.importorskip("torch")

SHAPES = [(3, 4), (), (5,), (2, 0), (2, 1, 3)]
STEPS = 50


def some(low, high):
    return st.floats(low, high, allow_subnormal=False)


def options(**strategies):
    """Options of a rule, each of which may also be left at its default."""
    return st.fixed_dictionaries({}, optional=strategies)


rate, decay, flag = some(1e-4, 0.1), st.sampled_from([0, 0.01, 0.3]), st.booleans()
betas = st.tuples(some(0, 0.95), some(0.5, 0.999))
eps = st.sampled_from([1e-8, 1e-3])

RULES = {
    "SGD": st.one_of(
        options(lr=rate, momentum=some(0.1, 0.95), dampening=some(0, 0.9), weight_decay=decay, maximize=flag),
        options(lr=rate, weight_decay=decay, maximize=flag).map(lambda o: o | {"momentum": 0.9, "nesterov": True})),
    "Adam": options(lr=rate, betas=betas, eps=eps, weight_decay=decay, amsgrad=flag, maximize=flag,
                    decoupled_weight_decay=flag),
    "AdamW": options(lr=rate, betas=betas, eps=eps, weight_decay=decay, amsgrad=flag, maximize=flag),
    "Adamax": options(lr=rate, betas=betas, eps=eps, weight_decay=decay, maximize=flag),
    "NAdam": options(lr=rate, betas=betas, eps=eps, weight_decay=decay, momentum_decay=some(0, 0.1), maximize=flag,
                     decoupled_weight_decay=flag),
    "RAdam": options(lr=rate, betas=betas, eps=eps, weight_decay=decay, maximize=flag, decoupled_weight_decay=flag),
    "Adagrad": options(lr=rate, lr_decay=some(0, 0.5), weight_decay=decay, initial_accumulator_value=some(0, 1),
                       eps=eps, maximize=flag),
    # centered: the variance of the first gradients is 0 but for rounding, which eps must outweigh
    "RMSprop": st.one_of(options(lr=rate, alpha=some(0.5, 0.99), eps=eps, weight_decay=decay, momentum=some(0.1, 0.95),
                                 maximize=flag),
                         options(momentum=some(0.1, 0.9)).map(lambda o: o | {"centered": True, "eps": 0.01})),
    "Adadelta": options(lr=some(0.1, 2), rho=some(0.5, 0.99), eps=eps, weight_decay=decay, maximize=flag),
    "Rprop": options(lr=rate, etas=st.tuples(some(0.1, 0.9), some(1.1, 2)),
                     step_sizes=st.tuples(some(1e-6, 1e-3), some(0.05, 1)), maximize=flag),
    "ASGD": options(lr=rate, lambd=some(0, 0.1), alpha=some(0.5, 1), t0=st.sampled_from([0, 10, 1e6]),
                    weight_decay=decay, maximize=flag),
    "Adafactor": options(lr=rate, beta2_decay=some(-1, -0.1), eps=st.sampled_from([(None, 1e-3), (1e-5, 1e-2)]),
                         d=some(1, 2), weight_decay=decay, maximize=flag),
}


@pytest.fixture(autouse=True)
def torch_in_float64():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # PyTorch keeps its running numbers in the default dtype
    yield
    torch.set_default_dtype(torch.float32)


class Pair:
    """The same parameters under our rule and under PyTorch's; gradients depend on the parameters, and on chance."""

    def __init__(self, name, options, shapes=SHAPES, dtype=np.float64):
        if name == "Adafactor":  # PyTorch's divides by the number of elements
            shapes = [shape for shape in shapes if 0 not in shape]
        self.rng = np.random.default_rng(0)
        starts = [np.asarray(self.rng.standard_normal(shape), dtype) for shape in shapes]
        self.ours = [Tensor(start.copy(), requires_grad=True) for start in starts]
        self.theirs = [torch.tensor(start, requires_grad=True) for start in starts]
        self.name, self.options = name, options
        self.optimizers = [self.ours_of(), self.theirs_of()]

    def ours_of(self):
        return getattr(optim, self.name)(self.groups(self.ours), **self.options)

    def theirs_of(self):
        return getattr(torch.optim, self.name)(self.groups(self.theirs), **self.options)

    def groups(self, params):
        return [{"params": params[:2]}, {"params": params[2:], "lr": 0.02}]

    def gradients(self):
        for p, q in zip(self.ours, self.theirs, strict=True):
            if self.rng.random() < 0.1:
                p.grad = q.grad = None
                continue
            noise = self.rng.standard_normal(p.shape)
            p.grad = Tensor(np.asarray(p.array + noise, p.dtype))
            q.grad = torch.tensor(np.asarray(q.detach().numpy() + noise, p.dtype))

    def steps(self, count):
        for _ in range(count):
            self.gradients()
            for optimizer in self.optimizers:
                optimizer.step()

    def compare(self, tolerance=1e-9):
        for p, q in zip(self.ours, self.theirs, strict=True):
            np.testing.assert_allclose(p.array, q.detach().numpy(), rtol=tolerance, atol=tolerance)
            for name, value in self.optimizers[0].state[p].items():
                theirs = self.optimizers[1].state[q][name]
                if theirs is not None:
                    np.testing.assert_allclose(np.asarray(value), theirs, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=10)
@given(data=st.data())
def test_steps_are_those_of_pytorch(name, data):
    pair = Pair(name, data.draw(RULES[name]))
    pair.steps(STEPS)
    pair.compare()


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=3)
@given(data=st.data())
def test_saved_and_resumed_in_the_middle(name, data):
    pair = Pair(name, data.draw(RULES[name]))
    pair.steps(STEPS // 2)
    saved = copy.deepcopy(pair.optimizers[0].state_dict())
    pair.optimizers[0].param_groups[0]["lr"] = 7  # comes back with the saved state
    pair.optimizers[0] = pair.ours_of()
    pair.optimizers[0].load_state_dict(saved)
    pair.steps(STEPS // 2)
    pair.compare()


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=3)
@given(data=st.data())
def test_goes_on_from_the_state_that_pytorch_saved(name, data):
    pair = Pair(name, data.draw(RULES[name]))
    pair.steps(5)
    ours, theirs = (optimizer.state_dict() for optimizer in pair.optimizers)
    assert {i: set(state) for i, state in ours["state"].items()} == {
        i: {key for key, value in state.items() if value is not None} for i, state in theirs["state"].items()}
    assert [set(group) for group in ours["param_groups"]] == [set(group) for group in theirs["param_groups"]]
    pair.optimizers[0] = pair.ours_of()
    pair.optimizers[0].load_state_dict(theirs)
    pair.steps(5)
    pair.compare()


@pytest.mark.parametrize("name", RULES)
def test_large_and_small_and_transposed_parameters_take_the_same_steps(name):
    """The block machinery must not show: cut, put together, copied or shared between threads."""
    pair = Pair(name, {}, shapes=[(700, 300), *[(7,)] * 40, (150_000,), (1_000_003,)])
    pair.ours[0].array = np.asfortranarray(pair.ours[0].array)
    pair.steps(3)
    pair.compare()


@pytest.mark.parametrize("name", RULES)
def test_float32_stays_float32(name):
    pair = Pair(name, {"lr": np.float64(0.01)} if name != "LBFGS" else {}, dtype=np.float32)
    pair.steps(10)
    assert all(p.dtype == np.float32 for p in pair.ours)
    buffers = [value for state in pair.optimizers[0].state.values() for value in state.values()
               if isinstance(value, Tensor)]
    assert all(buffer.dtype == np.float32 for buffer in buffers)
    pair.compare(1e-4)
