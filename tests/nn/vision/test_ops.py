"""The functions of boxes and maps are torchvision's: the same numbers, and the same gradients of both orders."""

import inspect

import numpy as np
import pytest

import autograd
from autograd.testing import gradcheck, gradgradcheck
from nn.vision import ops


def boxes(count, seed=0, size=20.0):
    """Of all sizes, some equal, some with a side in common, some that reach beyond the image."""
    random = np.random.default_rng(seed)
    corners = random.uniform(-3, size, (count, 2))
    drawn = np.concatenate([corners, corners + random.uniform(0.5, size, (count, 2))], 1)
    drawn[::3] = np.round(drawn[::3])
    return drawn


def rois(count, images=2):
    return np.concatenate([np.arange(count)[:, None] % images, boxes(count, size=8.0)], 1)


RANDOM = np.random.default_rng(1)
MAP = RANDOM.normal(size=(2, 12, 7, 9))
OFFSET, WEIGHT, BIAS, MASK = (RANDOM.normal(size=shape) for shape in ((2, 72, 4, 5), (6, 6, 3, 3), 6, (2, 36, 4, 5)))
BOTH = boxes(6), boxes(6, 1)
SETS = boxes(5), boxes(4, 1)
ROTATED = np.concatenate([boxes(4), [[30.0], [-75.0], [0.0], [110.0]]], 1)
ANY = {"spatial_scale": 0.5}

CALLS = [
    ("box_area", SETS[:1], {}), ("box_area", SETS[:1], {"fmt": "cxcywh"}), ("box_area", (boxes(4).astype(int),), {}),
    ("box_iou", SETS, {}), ("box_iou", (boxes(6).reshape(2, 3, 4), boxes(8).reshape(2, 4, 4)), {}),
    ("box_iou", SETS, {"fmt": "xywh"}), ("box_iou", SETS, {"fmt": "cxcywh"}),
    ("box_iou", (SETS[0], np.zeros((0, 4))), {}),
    ("box_iou", (SETS[0] + 100, SETS[1]), {}), ("box_iou", (np.ones((2, 4)), SETS[1]), {}),
    ("generalized_box_iou", SETS, {}), ("distance_box_iou", SETS, {}), ("complete_box_iou", SETS, {"eps": 1e-3}),
    *[(f"{kind}_box_iou_loss", BOTH, {"reduction": reduction})
      for kind in ("generalized", "distance", "complete") for reduction in ("none", "mean", "sum")],
    *[(f"{kind}_box_iou_loss", pair, {"eps": 1e-3}) for kind in ("generalized", "distance", "complete")
      for pair in ((BOTH[0][0], BOTH[1][0]), (BOTH[0] + 100, BOTH[1]))],
    *[(f"{kind}_box_iou_loss", (np.zeros((0, 4)), np.zeros((0, 4))), {"reduction": reduction})
      for kind in ("generalized", "distance", "complete") for reduction in ("none", "mean")],
    *[("box_convert", (SETS[0],), {"in_fmt": a, "out_fmt": b}) for a in ("xyxy", "xywh", "cxcywh")
      for b in ("xyxy", "xywh", "cxcywh")],
    *[("box_convert", (ROTATED,), {"in_fmt": a, "out_fmt": b}) for a in ("xywhr", "cxcywhr")
      for b in ("xywhr", "cxcywhr", "xyxyxyxy")],
    ("box_convert", (np.array([[1.0, 2, 4, 1, 5, 6, 2, 7]]),), {"in_fmt": "xyxyxyxy", "out_fmt": "cxcywhr"}),
    ("box_convert", (ROTATED.astype(int),), {"in_fmt": "xywhr", "out_fmt": "xyxyxyxy"}),
    ("clip_boxes_to_image", (boxes(9),), {"size": (7, 9)}),
    ("remove_small_boxes", (boxes(9),), {"min_size": 5.0}),
    ("masks_to_boxes", (np.random.default_rng(0).random((4, 5, 6)) > [[[0.8]], [[0.97]], [[2]], [[0]]],), {}),
    ("masks_to_boxes", (np.zeros((0, 5, 6)),), {}),
    *[("sigmoid_focal_loss", (RANDOM.normal(size=(4, 3)) * 3, (RANDOM.random((4, 3)) > 0.5) * 1.0), options)
      for options in ({}, {"alpha": -1, "gamma": 1.5}, {"reduction": "mean"}, {"alpha": 0.6, "reduction": "sum"})],
    *[("roi_align", (MAP, rois(6)), {"output_size": (3, 2), **options})
      for options in ({}, ANY, {"aligned": True}, {"sampling_ratio": 2}, {"sampling_ratio": 1, "aligned": True})],
    ("roi_align", (MAP[:, :, :1, :1], rois(6)), {"output_size": 2, **ANY}),
    ("roi_align", (MAP, np.zeros((0, 5))), {"output_size": 2}),
    ("roi_align", (MAP, [boxes(2), boxes(3, 1)]), {"output_size": 2}),
    *[("ps_roi_align", (MAP, rois(6)), {"output_size": (3, 2), **options})
      for options in ({}, ANY, {"sampling_ratio": 2})],
    ("ps_roi_align", (MAP, np.array([[0, 2.0, 2, 2, 2]])), {"output_size": 2}),
    *[("roi_pool", (MAP, rois(6)), {"output_size": (3, 2), **options}) for options in ({}, ANY)],
    ("roi_pool", (np.round(MAP), rois(6)), {"output_size": 2}),
    ("ps_roi_pool", (MAP, np.array([[0, 1.0, 1.5, 4, 5], [1, 2.5, 0, 7.4, 4]])), {"output_size": (3, 2)}),
    *[("deform_conv2d", (MAP, OFFSET[:, :18 * groups], WEIGHT, BIAS), {"stride": 2, "padding": 1, **options})
      for groups, options in ((1, {}), (4, {}), (4, {"mask": MASK}))],
    ("deform_conv2d", (MAP, np.ones((2, 18, 3, 5)) / 3, WEIGHT), {"dilation": 2}),
]
"""Function, arrays, options."""
LAYERS = {"RoIAlign": "roi_align", "RoIPool": "roi_pool", "PSRoIAlign": "ps_roi_align", "PSRoIPool": "ps_roi_pool"}
ELSEWHERE = {"MLP", "Conv2dNormActivation", "Conv3dNormActivation", "SqueezeExcitation", "Permute", "StochasticDepth",
             "stochastic_depth", "FrozenBatchNorm2d",  # test_misc
             "nms", "batched_nms", "DeformConv2d", "DropBlock2d", "DropBlock3d", "drop_block2d", "drop_block3d",
             "FeaturePyramidNetwork", "MultiScaleRoIAlign"}
"""What has tests in ops/."""
CONSTANT = {"remove_small_boxes", "masks_to_boxes"}
WITHOUT_SECOND = {"roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d"}
"""Whose gradients cannot be differentiated in torchvision."""


def test_every_function_has_a_call():
    assert {name for name, _, _ in CALLS} | ELSEWHERE | set(LAYERS) == set(ops.__all__)


def test_the_names_are_torchvisions():
    theirs = pytest.importorskip("torchvision.ops")
    assert sorted(ops.__all__) == sorted(theirs.__all__)
    for name in ops.__all__:
        ours = list(inspect.signature(getattr(ops, name)).parameters)
        if name not in LAYERS:  # made from their functions, with their defaults
            assert list(inspect.signature(getattr(theirs, name)).parameters) == ours, name


def called(function, arrays, options, tensor):
    """The result, and the tensors that it may be differentiated in: the first array, and others that aren't boxes."""
    def made(x):
        return [made(one) for one in x] if isinstance(x, list) else tensor(x)
    given = [made(x) for x in arrays]
    options = {key: made(x) if isinstance(x, np.ndarray) else x for key, x in options.items()}
    leaves = [x for x in [*given, *options.values()]
              if hasattr(x, "requires_grad_") and "float" in str(x.dtype)]
    if "roi" in function.__name__:
        leaves = leaves[:1]
    for leaf in leaves:
        leaf.requires_grad_()
    return function(*given, **options), leaves


@pytest.mark.filterwarnings("ignore:.*encountered")
@pytest.mark.parametrize(("name", "arrays", "options"), CALLS, ids=[name for name, _, _ in CALLS])
def test_value_and_gradient_are_torchvisions(name, arrays, options):
    torch = pytest.importorskip("torch")
    theirs, their_leaves = called(getattr(pytest.importorskip("torchvision.ops"), name), arrays, options, torch.tensor)
    ours, leaves = called(getattr(ops, name), arrays, options, autograd.tensor)
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-10, atol=1e-12)
    if name in CONSTANT or not ours.requires_grad:
        return
    cotangent = np.cos(np.arange(ours.numel())).reshape(ours.shape)
    once = name in WITHOUT_SECOND
    gradients = autograd.grad(ours, leaves, autograd.tensor(cotangent), create_graph=not once)
    their_gradients = torch.autograd.grad(theirs, their_leaves, torch.tensor(cotangent), create_graph=not once)
    alike(gradients, their_gradients)
    if not once and their_gradients[0].requires_grad:
        alike(autograd.grad(sum([(g ** 2).sum() for g in gradients]), leaves),
              torch.autograd.grad(sum((g ** 2).sum() for g in their_gradients), their_leaves))


def alike(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-8, atol=1e-10)


_REGIONS = [MAP[:, :6, :5, :4]], [rois(3) / [1, 2, 2, 2, 2]], {"output_size": (3, 2)}
DIFFERENTIATED = {
    **{name: (list(SETS), [], {}) for name in ("box_iou", "generalized_box_iou", "distance_box_iou")},
    **{name: (list(BOTH), [], {}) for name in ("generalized_box_iou_loss", "distance_box_iou_loss")},
    **{name: ([SETS[0]], [], options) for name, options in (
        ("box_area", {}), ("box_convert", {"in_fmt": "xyxy", "out_fmt": "cxcywh"}), ("clip_boxes_to_image",
                                                                                     {"size": (8, 9)}))},
    "sigmoid_focal_loss": ([RANDOM.normal(size=4), RANDOM.random(4)], [], {"gamma": 1.5}),
    **dict.fromkeys(("roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool"), _REGIONS),
}
"""What it is differentiated in, other arguments, options; an entry for each function (the weight in `complete_box_iou`
counts as a constant, so that its rule is not its derivative)."""


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_both_derivatives(name):
    arrays, others, options = DIFFERENTIATED[name]
    inputs = [autograd.tensor(x, requires_grad=True) for x in arrays]

    def call(*inputs):
        return getattr(ops, name)(*inputs, *map(autograd.tensor, others), **options)
    assert gradcheck(call, inputs)
    assert gradgradcheck(call, inputs)


def test_every_differentiable_function_has_its_derivatives_checked():
    assert {name for name, _, _ in CALLS} - CONSTANT == {
        *DIFFERENTIATED, "deform_conv2d", "complete_box_iou", "complete_box_iou_loss"}


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_are_their_functions(layer):
    function = getattr(ops, LAYERS[layer])
    options = {"sampling_ratio": 2} if "Align" in layer else {}
    x, regions = autograd.tensor(MAP), autograd.tensor(rois(4))
    result = getattr(ops, layer)((3, 2), 0.5, **options)(x, regions)
    assert result.allclose(function(x, regions, (3, 2), 0.5, **options))
