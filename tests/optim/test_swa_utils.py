"""Averages of models over training are the averages of their parameters."""

import numpy as np
import pytest

import optim
from autograd import Tensor
from optim.swa_utils import AveragedModel, SnapshotEnsemble, get_ema_avg_fn, get_ema_multi_avg_fn, update_bn


class Model:
    """The least that AveragedModel needs."""

    def __init__(self):
        self.weight = Tensor(np.array([1.0, 2.0]), requires_grad=True)
        self.running = Tensor(np.zeros(2))
        self.training = True

    def parameters(self):
        return [self.weight]

    def buffers(self):
        return [self.running]

    def state_dict(self):
        return {"weight": self.weight, "running": self.running}

    def load_state_dict(self, state):
        self.weight.array[...] = state["weight"].array

    def __call__(self, x):
        return self.weight * x


def trained(averaged, values):
    model = Model()
    for value in values:
        model.weight.array[...] = value
        model.running.array[...] = -value
        averaged.update_parameters(model)
    return averaged


def test_mean_of_all():
    averaged = trained(AveragedModel(Model()), [1, 2, 6])
    assert averaged.module.weight.tolist() == [3, 3] and averaged.n_averaged == 3
    assert averaged.module.running.tolist() == [-6, -6], "buffers are copied"
    assert averaged(Tensor(np.ones(2))).tolist() == [3, 3]


def test_exponential_average_and_buffers():
    averaged = trained(AveragedModel(Model(), avg_fn=get_ema_avg_fn(0.9), use_buffers=True), [1, 2, 6])
    expected = 0.9 * (0.9 * 1 + 0.1 * 2) + 0.1 * 6
    np.testing.assert_allclose(averaged.module.weight.array, expected)
    np.testing.assert_allclose(averaged.module.running.array, -expected)


def test_all_parameters_at_once_is_the_same():
    one, all_at_once = (trained(AveragedModel(Model(), **{name: make(0.9)}), [1, 2, 6]) for name, make in (
        ("avg_fn", get_ema_avg_fn), ("multi_avg_fn", get_ema_multi_avg_fn)))
    assert one.module.weight.tolist() == all_at_once.module.weight.tolist()
    with pytest.raises(ValueError, match="give one of them"):
        AveragedModel(Model(), avg_fn=get_ema_avg_fn(), multi_avg_fn=get_ema_multi_avg_fn())


def test_saved_and_resumed():
    averaged = trained(AveragedModel(Model()), [1, 2])
    saved = averaged.state_dict()
    assert set(saved) == {"n_averaged", "module.weight", "module.running"}
    other = AveragedModel(Model())
    other.load_state_dict(saved)
    assert trained(other, [6]).module.weight.tolist() == [3, 3]


def test_its_parameters_are_not_the_models():
    model = Model()
    averaged = AveragedModel(model)
    averaged.update_parameters(model)
    optimizer = optim.SGD(model.parameters(), lr=1)
    model.weight.grad = Tensor(np.ones(2))
    optimizer.step()
    assert averaged.parameters()[0].tolist() == [1, 2]


def test_update_bn_measures_anew_by_a_plain_mean():
    class Norm:
        momentum = 0.1
        seen = None

        def reset_running_stats(self):
            self.seen = []

    class WithNorm(Model):
        norm = Norm()

        def modules(self):
            return [self, self.norm]

        def train(self, mode=True):
            self.training = mode

        def __call__(self, x):
            assert self.training and self.norm.momentum is None
            self.norm.seen.append(x)
    model = WithNorm()
    model.training = False
    update_bn([1, (2, "label")], model)
    assert model.norm.seen == [1, 2] and model.norm.momentum == 0.1 and not model.training


def test_snapshots_at_the_ends_of_cycles_predict_together():
    model = Model()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    schedule = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=3)
    ensemble, rates, ends = SnapshotEnsemble(size=2, average=lambda out: out ** 2), [], []
    for _ in range(9):
        rates.append(optimizer.param_groups[0]["lr"])
        model.weight.grad = Tensor(np.ones(2))
        optimizer.step()
        schedule.step()
        if schedule.T_cur == 0:
            ensemble.take(model)
            ends.append(model.weight.tolist())
    np.testing.assert_allclose(rates, [1, 0.75, 0.25] * 3)
    assert len(ends) == 3
    np.testing.assert_array_equal([m.weight.tolist() for m in ensemble.models], ends[1:])
    np.testing.assert_allclose(ensemble(Tensor(np.full(2, 3.0))).tolist(), ((3 * np.array(ends[1:])) ** 2).mean(0))


def test_snapshots_are_copies_that_evaluate():
    nn = pytest.importorskip("nn")
    model = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5))
    ensemble = SnapshotEnsemble()
    for _ in range(3):
        ensemble.take(model)
    assert model.training and not any(m.training for m in ensemble.models) and len(ensemble.models) == 3
    x = Tensor(np.ones((4, 2), np.float32))
    np.testing.assert_allclose(ensemble(x).detach().numpy(), model.eval()(x).detach().numpy(), rtol=1e-6)


def test_errors():
    with pytest.raises(RuntimeError, match="no snapshot yet"):
        SnapshotEnsemble()(1)
    with pytest.raises(ValueError, match="size is 0"):
        SnapshotEnsemble(0)

    with pytest.raises(ValueError, match=r"decay of an exponential moving average is 1\.5"):
        get_ema_avg_fn(1.5)
    with pytest.raises(KeyError, match="n_averaged"):
        AveragedModel(Model()).load_state_dict({"weight": 1})
