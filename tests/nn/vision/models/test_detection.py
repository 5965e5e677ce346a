"""Detectors of small backbones: losses, gradients and detections are torchvision's; the published ones are in
../test_models.py."""

import importlib
from functools import partial

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd.errors import ShapeError
from nn.vision import ops
from nn.vision.models import detection
from nn.vision.models.detection import _utils, roi_heads
from nn.vision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from nn.vision.models.detection.backbone_utils import mobilenet_backbone, resnet_fpn_backbone
from nn.vision.models.detection.image_list import ImageList
from nn.vision.models.detection.retinanet import RetinaNetHead
from nn.vision.models.detection.transform import GeneralizedRCNNTransform
from nn.vision.tv_tensors import BoundingBoxes
from tests.nn.vision.published import filled, number

EXPECTED = {
    "faster": (-1.97987961, 2.5077724, 467.668675, 1323.87334),
    "of one map": (-5.21903193, 5.17753288, -1068.23566, 1093.09099),
    "mask": (-1.34147894, 2.61198879, 1084.24138, 1329.74002),
    "keypoint": (-4.4213565, 6.1541468, 225.80835, 2336.30574),
    "retina": (-367.729055, 395.210559, -84.3199355, 1632.55712),
    "retina, smooth_l1": (-369.401842, 395.169303, -84.3199355, 1632.55712),
    "retina, giou": (-375.366, 395.090279, -84.3199355, 1632.55712),
    "retina, ciou": (-375.583498, 395.089407, -84.3199355, 1632.55712),
    "fcos": (-29.2861328, 31.2105954, 256.464238, 1357.46449),
    "ssd": (14.6401596, 21.0971203, 121.425416, 949.626968),
    "ssd with steps": (14.6085751, 22.562943, 45.5335691, 981.047459),
}
"""Of each model the number and norm of its detections and of its losses, which are torchvision's."""


class Names:
    """What models are made of, of either library: `lib.faster_rcnn` is its module `models.detection.faster_rcnn`."""

    def __init__(self, package, nn, ops):
        self.nn, self.ops, self.package = nn, ops, package

    def __getattr__(self, name):
        return importlib.import_module(f"{self.package}.models.detection.{name}")


OURS = Names("nn.vision", nn, ops)


def body(lib):
    return lib.nn.Sequential(lib.nn.Conv2d(3, 8, 5, 4, 2), lib.nn.ReLU(), lib.nn.Conv2d(8, 16, 3, 2, 1), lib.nn.ReLU())


def pyramid(lib):
    return lib.backbone_utils.BackboneWithFPN(body(lib), {"1": "0", "3": "1"}, [8, 16], 8)


def anchors(lib):
    return lib.anchor_utils.AnchorGenerator(((8, 12), (16, 24), (32, 48)), ((0.5, 1.0, 2.0),) * 3)


def pool(lib, size):
    return lib.ops.MultiScaleRoIAlign(["0", "1"], size, 2, canonical_scale=32)


SCALED = {"min_size": (64, 72), "max_size": 120, "image_mean": [0.5] * 3, "image_std": [0.3] * 3}


def rcnn(lib, model, **options):
    return model(**{
        "backbone": pyramid(lib), "rpn_anchor_generator": anchors(lib), "box_roi_pool": pool(lib, 3),
        "box_head": lib.faster_rcnn.TwoMLPHead(8 * 9, 16), "box_predictor": lib.faster_rcnn.FastRCNNPredictor(16, 4),
        "rpn_batch_size_per_image": 32, "rpn_pre_nms_top_n_train": 100, "rpn_post_nms_top_n_train": 50,
        "rpn_pre_nms_top_n_test": 60, "rpn_post_nms_top_n_test": 30, "box_batch_size_per_image": 24} | SCALED | options)


def one_map(lib):
    backbone = lib.nn.Sequential(body(lib), lib.nn.Conv2d(16, 8, 1))
    backbone.out_channels = 8
    boxes = lib.anchor_utils.AnchorGenerator(((8, 16, 32),), ((0.5, 1.0, 2.0),))
    return rcnn(lib, lib.faster_rcnn.FasterRCNN, backbone=backbone, rpn_anchor_generator=boxes,
                box_roi_pool=lib.ops.MultiScaleRoIAlign(["0"], 3, 2))


def mask(lib):
    return rcnn(lib, lib.mask_rcnn.MaskRCNN, mask_roi_pool=pool(lib, 5),
                mask_head=lib.mask_rcnn.MaskRCNNHeads(8, (8, 8), 1),
                mask_predictor=lib.mask_rcnn.MaskRCNNPredictor(8, 8, 4))


def keypoint(lib):
    return rcnn(lib, lib.keypoint_rcnn.KeypointRCNN, keypoint_roi_pool=pool(lib, 4),
                keypoint_head=lib.keypoint_rcnn.KeypointRCNNHeads(8, (8, 8)),
                keypoint_predictor=lib.keypoint_rcnn.KeypointRCNNPredictor(8, 5))


def retina(lib, loss="l1"):
    model = lib.retinanet.RetinaNet(pyramid(lib), 4, anchor_generator=anchors(lib), topk_candidates=50, **SCALED)
    model.head.regression_head._loss_type = loss
    return model


def fcos(lib):
    head, normalized = lib.fcos.FCOSHead(32, 1, 4, 1), partial(lib.nn.GroupNorm, 4)
    head.classification_head = lib.fcos.FCOSClassificationHead(8, 1, 4, 2, norm_layer=normalized)
    head.regression_head = lib.fcos.FCOSRegressionHead(8, 1, 2, norm_layer=normalized)
    of_pixels = lib.anchor_utils.AnchorGenerator(((4,), (8,), (16,)), ((1.0,),) * 3)
    return lib.fcos.FCOS(pyramid(lib), 4, anchor_generator=of_pixels, head=head, **SCALED)


def ssd(lib, **options):
    boxes = lib.anchor_utils.DefaultBoxGenerator([[2, 3], [2]], **options)
    return lib.ssd.SSD(pyramid(lib).body, boxes, (64, 48), 4, topk_candidates=20)


MODELS = {
    "faster": lambda lib: rcnn(lib, lib.faster_rcnn.FasterRCNN), "of one map": one_map, "mask": mask,
    "keypoint": keypoint,
    "retina": retina, **{f"retina, {loss}": partial(retina, loss=loss) for loss in ("smooth_l1", "giou", "ciou")},
    "fcos": fcos, "ssd": ssd, "ssd with steps": partial(ssd, steps=[4, 8], scales=[0.1, 0.4, 0.9], clip=False),
}


def scenes(empty=False):
    """Three images of different sizes and what is in them; in one there may be nothing."""
    rng = np.random.default_rng(1)
    images, targets = [], []
    for i, (height, width) in enumerate([(60, 80), (90, 50), (64, 64)]):
        images.append(rng.random((3, height, width)))
        count = 0 if i == 1 and empty else 3
        corner, sides = rng.random((count, 2)) * [width * 0.6, height * 0.6], rng.random((count, 2)) * 20 + 5
        targets.append({"boxes": np.concatenate([corner, corner + sides], 1), "labels": rng.integers(1, 4, count),
                        "masks": (rng.random((count, height, width)) > 0.4).astype(np.uint8),
                        "keypoints": np.concatenate([corner[:, None] + rng.random((count, 5, 2)) * sides[:, None] * 1.1,
                                                     rng.integers(0, 3, (count, 5, 1))], 2).astype(np.float32)})
    return images, targets


def made(name, lib, tensor):
    model = MODELS[name](lib)
    state = filled({key: tuple(value.shape) for key, value in model.state_dict().items()})
    model.load_state_dict({key: tensor(value) for key, value in state.items()})
    model.double().load_state_dict({key: tensor(value) for key, value in state.items()})
    return model


def run(name, lib, library, tensor, empty=False):
    """Losses, gradients, the next random number, and detections."""
    model = made(name, lib, tensor)
    images, targets = scenes(empty)
    library.manual_seed(1)
    images = [tensor(image) for image in images]
    losses = model.train()(images, [{key: tensor(value) for key, value in target.items()} for target in targets])
    sum(losses.values()).backward()
    drawn = float(library.rand(1))
    with library.no_grad():
        found = model.eval()(images)
    return losses, {key: p.grad.numpy() for key, p in model.named_parameters() if p.grad is not None}, drawn, found


@pytest.mark.parametrize("empty", [False, True], ids=["", "nothing in one image"])
@pytest.mark.parametrize("name", MODELS)
def test_losses_gradients_and_detections_are_torchvisions(name, empty):
    torch = pytest.importorskip("torch")
    theirs = Names("torchvision", torch.nn, pytest.importorskip("torchvision").ops)
    losses, gradients, drawn, found = run(name, OURS, autograd, autograd.tensor, empty)
    their_losses, their_gradients, their_drawn, their_found = run(name, theirs, torch, torch.tensor, empty)
    assert list(losses) == list(their_losses)
    assert drawn == their_drawn
    for key, loss in losses.items():  # torchvision's labels of anchors are float32, and so is a part of their loss
        assert loss.item() == pytest.approx(their_losses[key].item(), rel=3e-7 if key == "loss_objectness" else 1e-12)
    assert list(gradients) == list(their_gradients)
    scale = max(np.abs(gradient).max() for gradient in their_gradients.values())
    for key, gradient in gradients.items():
        np.testing.assert_allclose(gradient, their_gradients[key], rtol=0, atol=1e-12 * scale, err_msg=key)
    for of_image, their_image in zip(found, their_found, strict=True):
        assert list(of_image) == list(their_image)
        assert len(of_image["boxes"]) > 20
        for key, values in of_image.items():
            assert str(their_image[key].dtype) == f"torch.{values.dtype}"
            np.testing.assert_allclose(values.numpy(), their_image[key].numpy(), rtol=1e-9, atol=1e-9, err_msg=key)


@pytest.mark.parametrize("name", MODELS)
def test_losses_and_detections_are_those_published(name):
    losses, _, _, found = run(name, OURS, autograd, autograd.tensor)
    for numbers, expected in zip((*number(losses), *number(found)), EXPECTED[name], strict=True):
        assert numbers == pytest.approx(expected, rel=1e-7)


# Scenes to learn from

def squares(count, generator):
    """Images with one or two bright squares on noise; the class is whether they are filled."""
    images, targets = [], []
    for _ in range(count):
        image, boxes, labels = 0.2 * generator.random((3, 64, 64)), [], []
        for x in (2, 34)[:generator.integers(1, 3)]:
            side, y, label = generator.integers(16, 26), generator.integers(0, 36), generator.integers(1, 3)
            image[:, y:y + side, x:x + side] = 0.9
            if label == 2:
                image[:, y + 5:y + side - 5, x + 5:x + side - 5] = 0.1
            boxes.append([x, y, x + side, y + side])
            labels.append(label)
        images.append(autograd.tensor(image, dtype=autograd.float32))
        targets.append({"boxes": autograd.tensor(boxes, dtype=autograd.float32), "labels": autograd.tensor(labels)})
    return images, targets


@pytest.mark.parametrize("stages", [1, 2])
def test_losses_fall(stages):
    autograd.manual_seed(0)
    generator = np.random.default_rng(0)
    backbone = nn.Sequential(*[ops.Conv2dNormActivation(before, after, 3, 2)
                               for before, after in ((3, 16), (16, 32), (32, 32))])
    backbone.out_channels = 32
    boxes = AnchorGenerator(((16, 24),), ((1.0,),))
    size = {"min_size": 64, "max_size": 64, "image_mean": [0.0] * 3, "image_std": [1.0] * 3}
    if stages == 1:
        head = RetinaNetHead(32, 2, 3, norm_layer=partial(nn.GroupNorm, 8))
        model = detection.RetinaNet(backbone, 3, anchor_generator=boxes, head=head, **size)
    else:
        model = detection.FasterRCNN(backbone, 3, rpn_anchor_generator=boxes, box_batch_size_per_image=32,
                                     box_roi_pool=ops.MultiScaleRoIAlign(["0"], 3, 2), **size)
    rule = optim.Adam(model.parameters(), lr=2e-3)
    history = []
    for _ in range(30):
        loss = sum(model(*squares(4, generator)).values())
        rule.zero_grad()
        loss.backward()
        rule.step()
        history.append(loss.item())
    assert np.mean(history[-5:]) < 0.6 * np.mean(history[:3])


# What there may be none of

@pytest.mark.parametrize("name", ["mask", "keypoint", "retina", "fcos", "ssd"])
def test_nothing_found_and_nothing_there(name):
    model = made(name, OURS, autograd.tensor)
    images = [autograd.tensor(image) for image in scenes()[0]]
    for part in (model, getattr(model, "roi_heads", model)):
        part.score_thresh = 1.1
    for image, found in zip(images, model.eval()(images), strict=True):
        assert found["boxes"].shape == (0, 4)
        assert found["labels"].shape == found["scores"].shape == (0,)
        assert found.get("masks", autograd.zeros(0, 1, *image.shape[1:])).shape == (0, 1, *image.shape[1:])
        assert found.get("keypoints", autograd.zeros(0, 5, 3)).shape == (0, 5, 3)
    nothing = {"boxes": autograd.zeros(0, 4), "labels": autograd.zeros(0, dtype="int64"),
               "keypoints": autograd.zeros(0, 5, 3)}
    losses = model.train()(images, [nothing | {"masks": autograd.zeros(0, *image.shape[1:])} for image in images])
    sum(losses.values()).backward()
    assert np.isfinite([loss.item() for loss in losses.values()]).all()


BOXES, LABELS, IMAGE = autograd.tensor([[4.0, 4, 20, 20]]), autograd.tensor([1]), autograd.rand(3, 64, 64)
GOOD = {"boxes": BOXES, "labels": LABELS}


@pytest.mark.parametrize(("images", "targets", "kind", "message"), [
    ([IMAGE], None, ValueError, r"needs targets, .* for detections call eval\(\) first"),
    ([IMAGE], [GOOD, GOOD], ValueError, "1 images and 2 targets"),
    ([IMAGE], [{"boxes": BOXES}], ValueError, "target 0 has no labels; it has boxes"),
    ([IMAGE], [GOOD | {"boxes": BOXES.int()}], TypeError, "boxes of target 0 must be floating numbers, not int32"),
    ([IMAGE], [GOOD | {"labels": [1]}], TypeError, "the labels of target 0 must be a Tensor, not list"),
    ([IMAGE], [GOOD | {"boxes": BOXES[0]}], ShapeError, r"shape \(N, 4\), not \(4,\)"),
    ([IMAGE], [GOOD | {"labels": LABELS.float()}], ShapeError, "1 boxes, so its labels must be as many integers"),
    ([IMAGE], [GOOD | {"boxes": BOXES[:, [2, 1, 0, 3]]}], ValueError, r"positive height and width, .* \[20"),
    ([IMAGE], [GOOD | {"labels": LABELS + 3}], IndexError, "label 4"),
    ([IMAGE], [GOOD | {"boxes": BOXES * np.nan}], ValueError, r"positive height and width, .* \[nan"),
    ([IMAGE], [GOOD | {"boxes": BoundingBoxes(BOXES, format="XYWH", canvas_size=(64, 64))}], ValueError,
     "format XYWH instead of XYXY"),
    ([], [], ValueError, "there are no images"),
    ([IMAGE[0]], [GOOD], ShapeError, r"shape \(C, H, W\), not \(64, 64\)"),
    ([(IMAGE * 255).to("uint8")], [GOOD], TypeError, "floating numbers from 0 to 1, and this one uint8"),
    ([IMAGE], [GOOD], ValueError, "target 0 has no masks"),
    ([IMAGE], [GOOD | {"masks": autograd.zeros(1, 32, 32)}], ShapeError, r"masks must have shape \(1, 64, 64\)"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_mistakes(images, targets, kind, message):
    with pytest.raises(kind, match=message):
        MODELS["mask" if "masks" in message else "retina"](OURS)(images, targets)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: detection.FasterRCNN(nn.Sequential(), 2), "give the Sequential an attribute out_channels"),
    (lambda: rcnn(OURS, detection.FasterRCNN, num_classes=4), "either num_classes or a box_predictor"),
    (lambda: rcnn(OURS, detection.FasterRCNN, box_predictor=None), "num_classes"),
    (lambda: detection.FCOS(pyramid(OURS), 4, anchor_generator=anchors(OURS)), r"makes \[6, 6, 6\]"),
    (lambda: detection.SSD(pyramid(OURS).body, DefaultBoxGenerator([[2]] * 3), (64, 48), 4), "2 maps, .* for 3"),
    (lambda: _utils.Matcher(0.3, 0.7), "low_threshold=0.7 must not be above"),
    (lambda: resnet_fpn_backbone(backbone_name="resnet18", returned_layers=[0]), "stages are 1 to 4"),
    (lambda: mobilenet_backbone(backbone_name="mobilenet_v3_small", trainable_layers=9), "between 0 and 6, not 9"),
])
def test_models_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Parts

def test_a_decoded_code_is_the_box():
    boxes = autograd.tensor([[3.0, 5, 20, 11], [0, 0, 9, 30]], dtype=autograd.float64)
    origin = autograd.tensor([[1.0, 2, 13, 22], [4, 4, 8, 8]], dtype=autograd.float64)
    coder, linear = _utils.BoxCoder((10.0, 10.0, 5.0, 5.0)), _utils.BoxLinearCoder()
    for again in (coder.decode_single(coder.encode_single(boxes, origin), origin),
                  coder.decode(*[coder.encode([boxes], [origin])[0], [origin]])[:, 0],
                  linear.decode(linear.encode(origin, boxes), origin)):
        np.testing.assert_allclose(again.numpy(), boxes.numpy(), atol=1e-12)


def test_each_object_has_an_anchor():
    """If low quality is allowed, however little they overlap."""
    overlaps = autograd.tensor([[0.8, 0.4, 0.1, 0.2], [0.1, 0.5, 0.2, 0.2]])
    assert _utils.Matcher(0.7, 0.3)(overlaps).tolist() == [0, -2, -1, -1]
    assert _utils.Matcher(0.7, 0.3, allow_low_quality_matches=True)(overlaps).tolist() == [0, 1, -1, -1]
    assert _utils.SSDMatcher(0.7)(overlaps).tolist() == [0, 1, -1, -1]


def test_as_many_are_drawn_as_wanted():
    labels = autograd.tensor([1] * 10 + [0] * 30 + [-1] * 5)
    for size, fraction, objects in ((16, 0.5, 8), (32, 0.5, 10), (8, 0.0, 0)):
        (positive,), (negative,) = _utils.BalancedPositiveNegativeSampler(size, fraction)([labels])
        assert positive.sum().item() == objects
        assert negative.sum().item() == size - objects
        assert not (positive & (labels != 1)).any()
        assert not (negative & (labels != 0)).any()


def test_anchors_stand_where_pixels_begin():
    images = ImageList(autograd.zeros(2, 3, 32, 48), [(32, 40), (30, 48)])
    each = AnchorGenerator(((8, 16),), ((1.0, 4.0),))(images, [autograd.zeros(2, 5, 2, 3)])
    assert len(each) == 2
    assert each[0][:4].tolist() == [[-4, -4, 4, 4], [-8, -8, 8, 8], [-2, -8, 2, 8], [-4, -16, 4, 16]]
    assert each[0][4].tolist() == [12, -4, 20, 4]
    assert each[0].shape == (2 * 3 * 4, 4)


def test_masks_are_pasted_where_their_boxes_are():
    """To a pixel, as their corners are rounded down."""
    boxes = autograd.tensor([[4.0, 3, 11, 9], [-3, 4, 30, 40]])
    first, second = roi_heads.paste_masks_in_image(autograd.ones(2, 1, 28, 28), boxes, (12, 14)).numpy()[:, 0] > 0.5
    assert first[4:9, 5:11].all()
    assert first.sum() == first[2:10, 3:12].sum()
    np.testing.assert_array_equal(second, np.arange(12)[:, None] >= np.full(14, 3))


def test_sizes_of_images():
    """The shorter side gets its length if the longer one doesn't get too long; a batch is a multiple of 32."""
    transform = GeneralizedRCNNTransform(60, 100, [0.0] * 3, [1.0] * 3).eval()
    batch, _ = transform([autograd.zeros(3, 30, 40), autograd.zeros(3, 20, 80)])
    assert batch.image_sizes == [(60, 80), (25, 100)]
    assert batch.tensors.shape == (2, 3, 64, 128)


def test_states_of_the_first_versions_have_other_names():
    for name, old in (("faster", {"conv.0.0.": "conv.", "_blocks.0.0.": "_blocks.0.", "_blocks.1.0.": "_blocks.1."}),
                      ("mask", {f"mask_head.{i}.0.": f"mask_head.mask_fcn{i + 1}." for i in range(2)}),
                      ("retina", {f"head.conv.{i}.0.": f"head.conv.{2 * i}." for i in range(4)})):
        model = made(name, OURS, autograd.tensor)
        state = model.state_dict()
        state._metadata = {}
        for key in list(state):
            renamed = key
            for new, before in old.items():
                renamed = renamed.replace(new, before)
            state[renamed] = state.pop(key)
        MODELS[name](OURS).double().load_state_dict(state)


def test_backbones():
    resnet = resnet_fpn_backbone(backbone_name="resnet18", norm_layer=nn.BatchNorm2d, trainable_layers=2)
    mobilenet = mobilenet_backbone(backbone_name="mobilenet_v3_small", fpn=False, trainable_layers=0)
    trained = {name.split(".")[1] for name, p in resnet.body.named_parameters(prefix="body") if p.requires_grad}
    assert trained == {"layer3", "layer4"}
    assert {name: x.shape[1:] for name, x in resnet(autograd.zeros(1, 3, 64, 64)).items()} == {
        "0": (256, 16, 16), "1": (256, 8, 8), "2": (256, 4, 4), "3": (256, 2, 2), "pool": (256, 1, 1)}
    assert not any(p.requires_grad for p in mobilenet[0].parameters())
    assert mobilenet.eval()(autograd.zeros(1, 3, 64, 64)).shape == (1, mobilenet.out_channels, 2, 2)


def test_frozen_normalizations_may_have_another_eps():
    model = nn.Sequential(ops.FrozenBatchNorm2d(3), nn.BatchNorm2d(3))
    _utils.overwrite_eps(model, 0.0)
    assert [layer.eps for layer in model] == [0.0, 1e-5]
