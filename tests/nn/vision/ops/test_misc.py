"""The blocks are torchvision's: the same layers in the same order, the same numbers."""

import numpy as np
import pytest

import autograd
import nn
from nn.vision import ops

LAYERS = {
    "Conv2dNormActivation": [
        ((3, 8), {}, (2, 3, 9, 9)),
        ((3, 8, 5, 2), {"dilation": 2, "activation_layer": "GELU", "inplace": None}, (1, 3, 20, 20)),
        ((4, 8, (3, 5)), {"groups": 2, "norm_layer": None, "activation_layer": None}, (1, 4, 9, 9)),
        ((4, 8, 2, 2, 0), {"bias": True}, (1, 4, 9, 9))],
    "Conv3dNormActivation": [((3, 4), {"stride": (1, 2, 2)}, (2, 3, 4, 9, 9))],
    "SqueezeExcitation": [((6, 2), {}, (2, 6, 5, 4)),
                          ((6, 2), {"activation": "SiLU", "scale_activation": "Hardsigmoid"}, (2, 6, 5, 4))],
    "MLP": [((6, [8, 4]), {"dropout": 0.3}, (5, 6)),
            ((6, [8, 8, 4]), {"norm_layer": "LayerNorm", "activation_layer": "GELU", "bias": False}, (5, 6))],
    "Permute": [(([0, 2, 3, 1],), {}, (2, 3, 4, 5))],
    "StochasticDepth": [((0.5, "row"), {}, (6, 3)), ((0.5, "batch"), {}, (6, 3))],
}
CASES = [(name, *case) for name, cases in LAYERS.items() for case in cases]


@pytest.mark.parametrize(("name", "args", "options", "shape"), CASES)
def test_they_are_torchvisions(name, args, options, shape):
    torch = pytest.importorskip("torch")
    theirs = getattr(pytest.importorskip("torchvision.ops.misc" if name != "StochasticDepth" else "torchvision.ops"),
                     name)

    def made(layer, layers):
        return layer(*args, **{option: getattr(layers, value) if isinstance(value, str) else value
                               for option, value in options.items()})
    autograd.manual_seed(0)
    torch.manual_seed(0)
    ours, theirs = made(getattr(ops, name), nn), made(theirs, torch.nn)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()}
    for (key, a), b in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=key)
    x = np.random.default_rng(0).normal(size=shape)
    result = ours.double()(autograd.tensor(x)).detach().numpy()
    np.testing.assert_allclose(result, theirs.double()(torch.tensor(x)).detach().numpy(), rtol=1e-12, atol=1e-14)


def test_the_size_stays_at_stride_1():
    for kernel, dilation in ((3, 1), (5, 2), ((1, 7), 1)):
        block = ops.Conv2dNormActivation(2, 2, kernel, dilation=dilation)
        assert block(autograd.zeros(1, 2, 17, 18)).shape == (1, 2, 17, 18)
        assert block.out_channels == 2


def test_a_normalization_takes_the_place_of_the_bias():
    assert ops.Conv2dNormActivation(2, 2)[0].bias is None
    assert ops.Conv2dNormActivation(2, 2, norm_layer=None)[0].bias is not None


def test_a_frozen_normalization_is_one_in_eval_mode():
    normalization = nn.BatchNorm2d(3).double().eval()
    for i, value in enumerate([*normalization.parameters(), normalization.running_mean, normalization.running_var]):
        value.data = autograd.arange(3, dtype="float64") + i + 1
    frozen = ops.FrozenBatchNorm2d(3).double()
    frozen.load_state_dict(normalization.state_dict())
    assert not list(frozen.parameters())
    x = autograd.randn(2, 3, 4, 5, dtype="float64")
    assert frozen(x).allclose(normalization(x))
    assert repr(frozen) == "FrozenBatchNorm2d(3, eps=1e-05)"
    theirs = pytest.importorskip("torchvision.ops").FrozenBatchNorm2d(3)
    assert repr(theirs) == repr(frozen)
    assert list(theirs.state_dict()) == list(frozen.state_dict())
