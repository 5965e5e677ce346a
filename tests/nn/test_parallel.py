"""What is spread over several devices elsewhere: one is enough."""

import pytest

import autograd
import nn


def test_data_parallel_is_the_module_with_pytorchs_names():
    torch = pytest.importorskip("torch")
    for wrap in (nn.DataParallel, nn.parallel.DataParallel):
        layer = nn.Sequential(nn.Linear(3, 2))
        wrapped = wrap(layer, device_ids=[0], dim=0)
        assert wrapped.module is layer
        assert list(wrapped.state_dict()) == list(torch.nn.DataParallel(torch.nn.Sequential(torch.nn.Linear(3, 2)))
                                                  .state_dict())
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
