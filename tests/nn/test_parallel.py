"""Models on several processors."""

import copy
import pickle

import pytest

import autograd
import nn
from nn import distributed
from tests.nn.distributed.processes import run


def test_data_parallel_is_the_module_with_pytorchs_names(as_pytorch):
    as_pytorch(lambda _, nn: list(nn.DataParallel(nn.Sequential(nn.Linear(3, 2))).state_dict()))
    for wrap in (nn.DataParallel, nn.parallel.DataParallel):
        layer = nn.Sequential(nn.Linear(3, 2))
        wrapped = wrap(layer, device_ids=[0], dim=0)
        assert wrapped.module is layer
        x = autograd.randn(4, 3)
        assert wrapped(x).tolist() == layer(x).tolist()


@pytest.mark.parametrize("options", [{}, {"affine": False}, {"momentum": None, "eps": 1e-3}, {"bias": False},
                                     {"track_running_stats": False}])
def test_batch_normalization_over_one_process_is_batch_normalization(options):
    model = nn.Sequential(nn.Conv1d(3, 4, 1), nn.Sequential(nn.BatchNorm1d(4, **options), nn.ReLU()))
    plain = model[1][0].eval()
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert converted is model and isinstance(model[1][0], nn.SyncBatchNorm)
    assert repr(model[1][0]) == repr(plain).replace("BatchNorm1d", "SyncBatchNorm") and not model[1][0].training
    assert model[1][0].weight is plain.weight and list(model[1][0].state_dict()) == list(plain.state_dict())
    x = autograd.randn(2, 4, 5)
    assert model[1][0].train()(x).tolist() == plain.train()(x).tolist()
    assert nn.SyncBatchNorm(4)(autograd.randn(2, 4)).shape == (2, 4)
    assert nn.SyncBatchNorm(4)(autograd.randn(2, 4, 1, 2, 3, 1)).shape == (2, 4, 1, 2, 3, 1)
    with pytest.raises(ValueError, match=r"\(N, 4, \.\.\.\)"):
        nn.SyncBatchNorm(4)(autograd.ones(2, 3))
    assert isinstance(nn.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm2d(2)), nn.SyncBatchNorm)


@pytest.fixture
def alone():
    distributed.init_process_group()
    yield
    distributed.destroy_process_group()


@pytest.mark.parametrize("count", [2, 3])
def test_processes_together_make_the_steps_of_one(count):
    output = run(count, "train_all.py", *(["slow"] if count == 2 else []))
    assert output.count("all is right") == count


def test_a_world_of_one_is_the_module_itself(alone):
    torch = pytest.importorskip("torch")
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 1))
    twin = copy.deepcopy(model)
    for options in ({}, {"gradient_as_bucket_view": True}, {"bucket_cap_mb": 0}, {"find_unused_parameters": True}):
        together, x = nn.parallel.DistributedDataParallel(model, **options), autograd.randn(4, 3)
        twin.load_state_dict(model.state_dict())
        assert list(together.state_dict()) == list(torch.nn.DataParallel(torch.nn.Sequential(
            torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 1))).state_dict())
        for one in (together, twin):
            one.zero_grad()
            one(x).square().sum().backward()
        assert together.module is model
        for p, q in zip(model.parameters(), twin.parameters(), strict=True):
            assert p.grad.tolist() == q.grad.tolist()


def test_a_gradient_is_its_parameters_own_unless_a_view_is_wanted(alone):
    for view in (False, True):
        model = nn.parallel.DistributedDataParallel(nn.Linear(1, 1), gradient_as_bucket_view=view)
        grads = []
        for factor in (1.0, 2.0):
            model.zero_grad()
            (model(autograd.ones(1, 1)) * factor).sum().backward()
            grads.append(model.module.weight.grad)
        assert [g.item() for g in grads] == ([2, 2] if view else [1, 2])


def test_buckets_are_sent_while_the_backward_pass_runs(alone, monkeypatch):
    sent, layers = [], nn.Sequential(*[nn.Linear(2, 2, bias=False) for _ in range(3)])
    model = nn.parallel.DistributedDataParallel(layers, bucket_cap_mb=1e-5)
    reduce = distributed.all_reduce

    def noted(tensor, *args, **options):
        sent.append("sent")
        return reduce(tensor, *args, **options)
    monkeypatch.setattr(distributed, "all_reduce", noted)
    x = autograd.ones(1, 2, requires_grad=True)
    for layer in layers:
        layer.register_full_backward_hook(lambda *args: sent.append("layer"))
    model(x).sum().backward()
    assert sent.count("sent") == 3 and sent.index("sent") < sent.index("layer", 1) and sent[-1] == "layer"


def two_branches():
    return nn.ModuleDict({"used": nn.Linear(2, 1), "unused": nn.Linear(2, 1)})


@pytest.mark.parametrize("mistake, said", [
    (lambda: nn.parallel.DistributedDataParallel(nn.ReLU()), "use the module as it is"),
    (lambda: nn.parallel.DistributedDataParallel(two_branches()).module["used"](autograd.ones(2)).backward(),
     r"2 of 4 parameters got no gradient in this backward pass \(unused\.bias, unused\.weight\).*find_unused"),
    (lambda: (nn.parallel.DistributedDataParallel(nn.Linear(1, 1))(autograd.ones(1)) ** 2).backward(create_graph=True),
     r"differentiate model\.module"),
])
def test_what_cannot_be_averaged_is_said(alone, mistake, said):
    with pytest.raises(RuntimeError, match=said):
        mistake()


def test_what_was_left_by_a_pass_that_failed_does_no_harm(alone):
    model = nn.parallel.DistributedDataParallel(two_branches())
    parts = model.module
    with pytest.raises(RuntimeError, match="got no gradient"):
        parts["used"](autograd.ones(2)).backward()
    model.zero_grad()
    (parts["used"](autograd.ones(2)) + 3 * parts["unused"](autograd.ones(2))).backward()
    assert parts["unused"].weight.grad.tolist() == [[3, 3]] and parts["used"].weight.grad.tolist() == [[1, 1]]


@pytest.mark.parametrize("change", [lambda parts: parts["unused"].requires_grad_(),
                                    lambda parts: parts.update({"unused": nn.Linear(2, 1)})])
def test_parameters_that_came_later_are_told_of(alone, change):
    parts = two_branches()
    parts["unused"].requires_grad_(False)
    model = nn.parallel.DistributedDataParallel(parts)
    change(parts)
    with pytest.raises(RuntimeError, match=r"gradients of unused\.weight, unused\.bias are not averaged.* wrap it"):
        sum(part(autograd.ones(2)) for part in parts.values()).backward()
    model = nn.parallel.DistributedDataParallel(parts)
    sum(part(autograd.ones(2)) for part in model.module.values()).backward()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_averages_its_own_gradients(alone, copied):
    model = nn.parallel.DistributedDataParallel(nn.Linear(2, 1), gradient_as_bucket_view=True)
    twin = copied(model)
    assert twin.state_dict().keys() == model.state_dict().keys()
    twin(autograd.ones(3, 2)).sum().backward()
    assert twin.module.weight.grad.tolist() == [[3, 3]] and model.module.weight.grad is None
    assert twin.module.weight.grad.numpy().base is not None  # it is in its bucket: the copy's hooks were called
