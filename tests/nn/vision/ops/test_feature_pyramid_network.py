"""Feature pyramids: torchvision's layers, names and numbers."""

import numpy as np
import pytest

import autograd
import nn
from autograd import tensor
from nn.vision.ops import FeaturePyramidNetwork, feature_pyramid_network
from nn.vision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

SIZES = {"fine": (3, 13, 10), "middle": (4, 7, 5), "coarse": (6, 4, 3)}
MAPS = {name: np.random.default_rng(0).normal(size=(2, *size)) for name, size in SIZES.items()}
EXTRA = {"none": lambda here: None, "pool": lambda here: here.LastLevelMaxPool(),
         "p6p7": lambda here: here.LastLevelP6P7(6, 5), "p6p7 of p5": lambda here: here.LastLevelP6P7(5, 5)}


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("extra", EXTRA)
def test_it_is_torchvisions(extra, norm):
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("torchvision.ops.feature_pyramid_network")
    results = []
    for library, layers, module in ((autograd, nn, feature_pyramid_network), (torch, torch.nn, theirs)):
        library.manual_seed(0)
        pyramid = module.FeaturePyramidNetwork([size[0] for size in SIZES.values()], 5, EXTRA[extra](module),
                                               layers.BatchNorm2d if norm else None)
        maps = pyramid.double()({name: library.tensor(x) for name, x in MAPS.items()})
        results.append(({k: tuple(v.shape) for k, v in pyramid.state_dict().items()}, maps))
    (ours, maps), (keys, their_maps) = results
    assert ours == keys
    assert list(maps) == list(their_maps)
    for name, features in maps.items():
        np.testing.assert_allclose(features.detach().numpy(), their_maps[name].detach().numpy(), atol=1e-12)


def test_sizes_and_names():
    for extra, more in ((None, {}), (LastLevelMaxPool(), {"pool": (2, 5, 2, 2)}),
                        (LastLevelP6P7(6, 5), {"p6": (2, 5, 2, 2), "p7": (2, 5, 1, 1)})):
        pyramid = FeaturePyramidNetwork([3, 4, 6], 5, extra)
        maps = pyramid({name: tensor(x).float() for name, x in MAPS.items()})
        assert {name: x.shape for name, x in maps.items()} == {
            **{name: (2, 5, *size[1:]) for name, size in SIZES.items()}, **more}


def test_a_coarse_pixel_reaches_the_finer_maps_and_not_the_reverse():
    pyramid = FeaturePyramidNetwork([1, 1], 2).double()
    maps = {"fine": autograd.zeros(1, 1, 8, 8, dtype="float64", requires_grad=True),
            "coarse": autograd.zeros(1, 1, 4, 4, dtype="float64", requires_grad=True)}
    out = pyramid(maps)
    assert autograd.grad(out["fine"].sum(), maps["coarse"], retain_graph=True)[0].abs().sum() > 0
    assert autograd.grad(out["coarse"].sum(), maps["fine"], allow_unused=True)[0] is None


def test_states_of_older_versions():
    pyramid = FeaturePyramidNetwork([3, 4], 5)
    state = pyramid.state_dict()
    older = {name.replace(".0.weight", ".weight").replace(".0.bias", ".bias"): value for name, value in state.items()}
    assert not set(older) & set(state)
    other = FeaturePyramidNetwork([3, 4], 5)
    other.load_state_dict(older)
    for name, value in other.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), state[name].numpy())


def test_what_cannot_be():
    with pytest.raises(ValueError, match="each map must have channels"):
        FeaturePyramidNetwork([3, 0], 5)
    with pytest.raises(TypeError, match="an ExtraFPNBlock, not a Conv2d"):
        FeaturePyramidNetwork([3, 4], 5, nn.Conv2d(1, 1, 1))
