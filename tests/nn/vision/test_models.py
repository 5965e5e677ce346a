"""Every constructor of torchvision's: the same keys, shapes, outputs and gradients; and what the papers say of others.

published.json holds torchvision's numbers where it isn't installed.
"""

import importlib
import json

import numpy as np
import pytest

import autograd
import nn
from nn.vision import models
from nn.vision.models import feature_extraction, preact_resnet, resnet, senet
from nn.vision.models._utils import IntermediateLayerGetter
from nn.vision.models.lenet5 import CONNECTIONS
from tests.nn.vision.published import (
    EXPECTED,
    MARK,
    PAGE,
    arguments,
    described,
    detects,
    image,
    is_filled,
    made,
    nothing_drawn,
    our_numbers,
    outputs,
    run,
    table,
    theirs,
    with_numbers,
)

PUBLISHED = json.loads(EXPECTED.read_text())
QUICK = ["convnext_tiny", "deeplabv3_mobilenet_v3_large", "densenet121", "efficientnet_b0",
         "fasterrcnn_mobilenet_v3_large_320_fpn", "googlenet", "lraspp_mobilenet_v3_large", "mc3_18", "mnasnet0_5",
         "mobilenet_v2", "mobilenet_v3_small", "regnet_y_400mf", "resnet18", "shufflenet_v2_x0_5", "squeezenet1_1",
         "ssdlite320_mobilenet_v3_large", "swin_t"]
OTHERS = ["efficientnet_v2_s", "fcn_resnet50", "fcos_resnet50_fpn", "inception_v3", "maskrcnn_resnet50_fpn",
          "r2plus1d_18", "resnext50_32x4d", "retinanet_resnet50_fpn_v2", "swin_v2_t", "vit_b_32"]
"""With these, each family and each kind of block, but for AlexNet and VGG, which have none."""
COMPARED = [name for name, entry in PUBLISHED.items() if "eval" in entry]
"""Those that torchvision has."""
RUN = [name for name in COMPARED
       if (name != "ssd300_vgg16" and PUBLISHED[name]["parameters"] < 90e6) or name == "vgg11_bn"]
"""The others, or their images, are so large that only `python -m tests.nn.vision.published` runs them."""


def slow(name, quick=QUICK):
    return name if name in quick else pytest.param(name, marks=pytest.mark.slow)


def test_there_are_all_of_torchvisions_families():
    assert len(COMPARED) == 100
    assert sorted(PUBLISHED) == models.list_models()


def test_parameters_keys_and_shapes():
    """Those of all constructors, by a hash of their names and shapes."""
    for name, expected in PUBLISHED.items():
        assert described(made(name)).items() <= expected.items(), name


@pytest.mark.parametrize("name", [slow(name) for name in RUN])
def test_outputs(name):
    """In evaluation and, with dropout from the same seed, in training."""
    for mode, numbers in our_numbers(name):
        expected = PUBLISHED[name][mode]
        np.testing.assert_allclose(numbers, expected, rtol=0, atol=1e-7 * expected[1], err_msg=mode)


@pytest.mark.parametrize("name", [slow(name, set(QUICK) - {"convnext_tiny"}) for name in [*QUICK, *OTHERS]])
def test_each_output_and_gradient_is_torchvisions(name):
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision")
    ours = with_numbers(name)
    with nothing_drawn(torch.nn.init):
        peer = theirs(name)(**arguments(name, small=True))
    state = peer.state_dict()
    for key, value in ours.state_dict().items():
        if not is_filled(key):
            np.testing.assert_allclose(value.numpy(), state[key].numpy(), rtol=1e-6, atol=1e-7, err_msg=key)
        state[key] = torch.tensor(value.numpy())
    peer.load_state_dict(state, assign=True)
    for training in (False, True):
        autograd.manual_seed(0)
        torch.manual_seed(0)
        a, b = run(name, ours, training, autograd.tensor), run(name, peer, training, torch.tensor)
        for mine, other in zip(outputs(a), outputs(b), strict=True):
            np.testing.assert_allclose(mine, other, rtol=0, atol=1e-7 * np.abs(other).max())
    total(a).backward()
    total(b).backward()
    gradients = {key: parameter.grad.numpy() for key, parameter in peer.named_parameters()}
    scale = max(np.abs(gradient).max() for gradient in gradients.values())
    for key, parameter in ours.named_parameters():
        np.testing.assert_allclose(parameter.grad.numpy(), gradients[key], rtol=0, err_msg=key,
                                   atol=1e-7 * max(np.abs(gradients[key]).max(), 1e-4 * scale))
    for key, buffer in ours.named_buffers():
        np.testing.assert_allclose(buffer.numpy(), dict(peer.named_buffers())[key].numpy(), rtol=1e-9, atol=1e-9)


def total(result):
    """A sum of all outputs, so that each has its gradient."""
    parts = result.values() if isinstance(result, dict) else result if isinstance(result, tuple) else [result]
    return sum((part * part.detach() ** 2).sum() for part in parts)


SMALL = {
    "convnext.ConvNeXt": ("[CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 2)]", {"num_classes": 5}),
    "densenet.DenseNet": ("8, (2, 3), 16", {"num_classes": 5}),
    "detection.faster_rcnn.FastRCNNConvFCHead": ("(4, 3, 3), [8], [5], nn.BatchNorm2d", {}),
    "detection.fcos.FCOSHead": ("32, 1, 4", {}),
    "detection.keypoint_rcnn.KeypointRCNNHeads": ("4, (8, 8)", {}),
    "detection.keypoint_rcnn.KeypointRCNNPredictor": ("4, 5", {}),
    "detection.mask_rcnn.MaskRCNNHeads": ("4, (8, 8), 1", {}),
    "detection.mask_rcnn.MaskRCNNPredictor": ("4, 8, 3", {}),
    "detection.retinanet.RetinaNetHead": ("8, 3, 4", {}),
    "detection.rpn.RPNHead": ("8, 3, 2", {}),
    "detection.ssd.SSDHead": ("[8, 4], [4, 6], 3", {}),
    "detection.ssdlite.SSDLiteHead": ("[8, 4], [4, 6], 3, nn.BatchNorm2d", {}),
    "efficientnet.EfficientNet": ("[FusedMBConvConfig(1, 3, 1, 16, 16, 1), FusedMBConvConfig(4, 3, 2, 16, 24, 2), "
                                  "MBConvConfig(4, 3, 2, 24, 32, 2, 1.1, 1.2)], 0.2", {"num_classes": 5}),
    "googlenet.GoogLeNet": ("", {"num_classes": 5, "init_weights": True}),
    "mnasnet.MNASNet": ("0.35", {}),
    "mobilenetv2.MobileNetV2": ("", {"width_mult": 0.5}),
    "mobilenetv3.MobileNetV3": ("[InvertedResidualConfig(16, 3, 24, 24, True, 'HS', 2, 1, 1.0)], 32", {}),
    "regnet.RegNet": ("BlockParams.from_init_params(4, 24, 24.5, 2.5, 8, se_ratio=0.25)", {}),
    "resnet.ResNet": ("Bottleneck, [1, 2, 1, 1]", {"groups": 4, "width_per_group": 8, "zero_init_residual": True}),
    "segmentation.deeplabv3.DeepLabHead": ("32, 3", {}),
    "segmentation.fcn.FCNHead": ("32, 3", {}),
    "segmentation.lraspp.LRASPPHead": ("8, 16, 3, 32", {}),
    "shufflenetv2.ShuffleNetV2": ("[1, 2, 1], [8, 16, 32, 64, 128]", {}),
    "squeezenet.SqueezeNet": ("'1_1'", {"num_classes": 7}),
    "swin_transformer.SwinTransformer": ("[4, 4], 12, [2, 2], [2, 4], [3, 5]", {"num_classes": 5}),
    "swin_transformer.SwinTransformer in V2": (
        "[4, 4], 12, [2, 2], [2, 4], [4, 4]",
        {"block": "SwinTransformerBlockV2", "downsample_layer": "PatchMergingV2", "num_classes": 5}),
    "video.VideoResNet": ("Bottleneck, [Conv2Plus1D] * 4, [1, 1, 1, 1], R2Plus1dStem", {"num_classes": 5}),
    "vision_transformer.VisionTransformer": ("32, 16, 2, 2, 24, 48", {"representation_size": 12}),
    "vision_transformer.VisionTransformer with a stem": (
        "32, 16, 1, 2, 24, 48", {"conv_stem_configs": "[ConvStemConfig(8, 3, 2), ConvStemConfig(12, 3, 2)]"}),
}
"""Constructors of classes, small ones, as both libraries read them."""


@pytest.mark.parametrize("name", SMALL)
def test_the_same_seed_gives_the_same_weights(name):
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision")
    path, (args, options) = name.split()[0], SMALL[name]
    module, cls = path.rsplit(".", 1)

    def weights(library, package):
        place = vars(importlib.import_module(f"{package}.models.{module}"))
        if package == "torchvision" and module == "video":
            place = vars(importlib.import_module("torchvision.models.video.resnet"))
        library.manual_seed(3)
        given = {key: eval(value, dict(place)) if isinstance(value, str) else value for key, value in options.items()}
        state = eval(f"{cls}(*[{args}], **given)", {**place, "given": given}).state_dict()
        return {key: value.numpy() for key, value in state.items()}, float(library.rand(1))
    ours, next_number = weights(autograd, "nn.vision")
    expected, their_next = weights(torch, "torchvision")
    assert list(ours) == list(expected)
    for key, value in ours.items():
        np.testing.assert_allclose(value, expected[key], rtol=3e-6, atol=1e-8, err_msg=key)
    assert next_number == their_next


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name != "shufflenet_v2_x0_5"))
                                  for name, entry in PUBLISHED.items()
                                  if entry["multiply-adds"] < 2 and not detects(name)])
def test_multiply_adds(name):
    """As published, in billions."""
    counted = nn.summary(made(name).eval(), image(name)).multiply_adds / 1e9
    assert counted == pytest.approx(PUBLISHED[name]["multiply-adds"], rel=2e-3, abs=1e-3)


def test_the_table_is_that_of_the_numbers():
    written, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)[2].partition("\n## ")
    assert written.strip() == table(PUBLISHED).strip()


# Weights

def test_weights_come_from_files_and_states(tmp_path):
    autograd.manual_seed(1)
    model = models.squeezenet1_1(num_classes=3).eval()
    x = autograd.randn(1, 3, 32, 32)
    for suffix in (".pth", ".safetensors"):
        nn.save(model.state_dict(), path := tmp_path / f"weights{suffix}")
        for weights in (path, str(path), model.state_dict()):
            again = models.squeezenet1_1(weights=weights, num_classes=3).eval()
            np.testing.assert_array_equal(again(x).detach().numpy(), model(x).detach().numpy())


@pytest.mark.parametrize("given", [{"weights": True}, {"weights": "IMAGENET1K_V1"}, {"pretrained": True},
                                   {"weights": models.ResNet18_Weights.DEFAULT}, {"weights": "missing.pth"}])
def test_nothing_is_downloaded(given):
    for make in (models.resnet18, models.vgg11, models.googlenet, models.vit_b_32, models.densenet121,
                 models.video.r3d_18, models.segmentation.lraspp_mobilenet_v3_large,
                 models.detection.fasterrcnn_mobilenet_v3_large_fpn, models.detection.ssdlite320_mobilenet_v3_large,
                 models.segmentation.deeplabv3_mobilenet_v3_large):
        with nothing_drawn(nn.init), pytest.raises(ValueError, match=r"nothing is downloaded. Write weights=None"):
            make(**given)


def test_models_without_weights_may_be_asked_for_in_the_old_way():
    assert models.squeezenet1_1(pretrained=False, num_classes=3).classifier[1].out_channels == 3


@pytest.mark.parametrize("use", [lambda: models.ResNet18_Weights.DEFAULT.transforms(),
                                 lambda: models.segmentation.FCN_ResNet50_Weights.DEFAULT.meta["categories"],
                                 lambda: models.segmentation.fcn_resnet50(pretrained_backbone=True),
                                 lambda: models.detection.ssdlite320_mobilenet_v3_large(pretrained_backbone=True),
                                 lambda: models.segmentation.fcn_resnet50(weights_backbone="IMAGENET1K_V1"),
                                 lambda: models.segmentation.lraspp_mobilenet_v3_large(weights="DEFAULT")])
def test_what_is_asked_of_published_weights_is_told_the_same(use):
    with pytest.raises(ValueError, match="nothing is downloaded"):
        use()


def test_no_other_names_are_made_up():
    with pytest.raises(AttributeError, match="no 'resnet19'"):
        models.resnet19  # noqa: B018


def test_googlenet_asks_what_its_weights_were_trained_with():
    with nothing_drawn(nn.init):
        model = models.googlenet()
        state = model.state_dict()
        with pytest.raises(ValueError, match="transform_input=True for torchvision's published weights"):
            models.googlenet(weights=state)
        assert models.googlenet(weights=state, transform_input=True).aux1 is None
        assert models.googlenet(weights=state, transform_input=False, aux_logits=True).aux1 is not None


def test_older_files_have_other_names():
    """Those that torchvision publishes of DenseNets and Vision Transformers."""
    with nothing_drawn(nn.init):
        for make, new, old in ((models.densenet121, "norm1", "norm.1"), (models.vit_b_32, "mlp.3", "mlp.linear_2")):
            state = make().state_dict()
            make(weights={key.replace(f".{new}.", f".{old}."): value for key, value in state.items()})


def test_auxiliary_heads_are_made_if_the_weights_have_one():
    with nothing_drawn(nn.init):
        for aux in (True, False):
            state = models.segmentation.deeplabv3_mobilenet_v3_large(aux_loss=aux).state_dict()
            model = models.segmentation.deeplabv3_mobilenet_v3_large(weights=state)
            assert (model.aux_classifier is not None) == aux


# Models that torchvision hasn't

def parameters(model):
    return sum(p.numel() for p in model.parameters())


def test_lenet5_is_the_papers():
    """It "contains 340,908 connections, but only 60,000 trainable free parameters"; its last layer has none."""
    model = models.lenet5()
    assert parameters(model) - parameters(model.output) == 60_000
    sizes = {"c1": 28 * 28, "s2": 14 * 14, "c3": 10 * 10, "s4": 5 * 5, "c5": 1, "f6": 1}
    connections = sum(sizes[name] * parameters(layer) for name, layer in model.named_children() if name in sizes)
    of_squares = 14 * 14 * 6 * 3 + 5 * 5 * 16 * 3  # four inputs are connected by one weight
    assert connections + of_squares + 84 * 10 == 340_908
    x = autograd.randn(2, 1, 32, 32)
    model(x)[0].sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_a_map_of_lenet5_reads_what_the_table_says():
    model = models.lenet5()
    for channel, readers in enumerate(CONNECTIONS):
        x = autograd.zeros(1, 6, 14, 14)
        x[0, channel] = 1
        changed = (model.c3(x) - model.c3(x * 0)).detach().numpy().any((0, 2, 3))
        np.testing.assert_array_equal(np.flatnonzero(changed), readers)


@pytest.mark.parametrize(("name", "millions", "giga", "size"), [
    ("zfnet", 62.4, None, 224), pytest.param("se_resnet50", 28.1, 3.87, 224, marks=pytest.mark.slow),
    ("mobilenet_v1", 4.2, 0.569, 224), ("preact_resnet110", 1.7, None, 32), ("preact_resnet164", 1.7, None, 32),
    ("preact_resnet1001", 10.2, None, 32), pytest.param("preact_resnet200", 64.7, None, 64, marks=pytest.mark.slow)])
def test_sizes_of_the_papers(name, millions, giga, size):
    """Parameters and multiply-adds; of SENet with the stride where torchvision's ResNet has it."""
    model = made(name)
    assert parameters(model) / 1e6 == pytest.approx(millions, rel=0.015, abs=0.05)
    if giga:
        assert PUBLISHED[name]["multiply-adds"] == pytest.approx(giga, rel=0.07)
    if name != "preact_resnet1001":
        with autograd.no_grad():
            assert model.eval()(autograd.zeros(1, 3, size, size)).shape == (1, 10 if size == 32 else 1000)


def test_se_resnet_without_its_weighting_is_a_resnet():
    block = senet.SEBottleneck(64, 16)
    with autograd.no_grad():
        block.se.fc2.weight.zero_()
        block.se.fc2.bias[:] = 100.0  # σ gives 1
    plain = resnet.Bottleneck(64, 16)
    plain.load_state_dict({key: value for key, value in block.state_dict().items() if not key.startswith("se.")})
    x = autograd.randn(2, 64, 5, 5)
    np.testing.assert_allclose(block(x).detach().numpy(), plain(x).detach().numpy(), rtol=1e-6)


def test_x_passes_through_blocks_with_preactivation():
    """With the last convolution 0, a block that keeps the shape is the identity."""
    block = preact_resnet.PreActBottleneck(64, 16)
    with autograd.no_grad():
        block.conv3.weight.zero_()
    x = autograd.randn(2, 64, 5, 5)
    np.testing.assert_array_equal(block(x).detach().numpy(), x.numpy())


# Features

def test_features_of_layers():
    model = models.resnet18(num_classes=3).eval()
    x = autograd.randn(1, 3, 32, 32)
    extractor = feature_extraction.create_feature_extractor(model, ["layer2", "fc"])
    assert list(extractor.state_dict()) == list(model.state_dict())
    found = extractor(x)
    np.testing.assert_array_equal(found["fc"].detach().numpy(), model(x).detach().numpy())
    body = IntermediateLayerGetter(model, {"layer2": "features"})
    assert "layer3" not in dict(body.named_children())
    np.testing.assert_array_equal(body(x)["features"].detach().numpy(), found["layer2"].detach().numpy())


def test_unknown_layers():
    model = models.squeezenet1_1(num_classes=3)
    with pytest.raises(ValueError, match=r"no layer 'features\.99'; near are features"):
        feature_extraction.create_feature_extractor(model, ["features.99"])
    with pytest.raises(ValueError, match="'head': the model has no such child; it has features, classifier"):
        IntermediateLayerGetter(model, {"head": "out"})


def test_an_extractor_is_in_the_mode_of_its_model():
    extractor = feature_extraction.create_feature_extractor(model := models.googlenet(), ["inception3a"])
    extractor.eval()
    assert not model.training
    assert not model.aux1.training
