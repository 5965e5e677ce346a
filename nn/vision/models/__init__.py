"""Published networks, with torchvision's names, arguments and keys, so that anybody's weights fit.

`weights` is None for new ones, the path of a file, or a state_dict; nothing is downloaded.
"""

import inspect
import sys
from collections.abc import Callable
from typing import Any

import nn
from nn.vision.models import detection, segmentation, video
from nn.vision.models._utils import published as __getattr__
from nn.vision.models.alexnet import AlexNet, alexnet
from nn.vision.models.convnext import ConvNeXt, convnext_base, convnext_large, convnext_small, convnext_tiny
from nn.vision.models.densenet import DenseNet, densenet121, densenet161, densenet169, densenet201
from nn.vision.models.efficientnet import (
    EfficientNet,
    efficientnet_b0,
    efficientnet_b1,
    efficientnet_b2,
    efficientnet_b3,
    efficientnet_b4,
    efficientnet_b5,
    efficientnet_b6,
    efficientnet_b7,
    efficientnet_v2_l,
    efficientnet_v2_m,
    efficientnet_v2_s,
)
from nn.vision.models.googlenet import GoogLeNet, GoogLeNetOutputs, googlenet
from nn.vision.models.inception import Inception3, InceptionOutputs, inception_v3
from nn.vision.models.lenet5 import LeNet5, lenet5
from nn.vision.models.mnasnet import MNASNet, mnasnet0_5, mnasnet0_75, mnasnet1_0, mnasnet1_3
from nn.vision.models.mobilenetv1 import MobileNetV1, mobilenet_v1
from nn.vision.models.mobilenetv2 import MobileNetV2, mobilenet_v2
from nn.vision.models.mobilenetv3 import MobileNetV3, mobilenet_v3_large, mobilenet_v3_small
from nn.vision.models.preact_resnet import (
    PreActResNet,
    preact_resnet18,
    preact_resnet34,
    preact_resnet50,
    preact_resnet101,
    preact_resnet110,
    preact_resnet152,
    preact_resnet164,
    preact_resnet200,
    preact_resnet1001,
)
from nn.vision.models.regnet import (
    RegNet,
    regnet_x_1_6gf,
    regnet_x_3_2gf,
    regnet_x_8gf,
    regnet_x_16gf,
    regnet_x_32gf,
    regnet_x_400mf,
    regnet_x_800mf,
    regnet_y_1_6gf,
    regnet_y_3_2gf,
    regnet_y_8gf,
    regnet_y_16gf,
    regnet_y_32gf,
    regnet_y_128gf,
    regnet_y_400mf,
    regnet_y_800mf,
)
from nn.vision.models.resnet import (
    ResNet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50_32x4d,
    resnext101_32x8d,
    resnext101_64x4d,
    wide_resnet50_2,
    wide_resnet101_2,
)
from nn.vision.models.senet import se_resnet50, se_resnet101
from nn.vision.models.shufflenetv2 import (
    ShuffleNetV2,
    shufflenet_v2_x0_5,
    shufflenet_v2_x1_0,
    shufflenet_v2_x1_5,
    shufflenet_v2_x2_0,
)
from nn.vision.models.squeezenet import SqueezeNet, squeezenet1_0, squeezenet1_1
from nn.vision.models.swin_transformer import SwinTransformer, swin_b, swin_s, swin_t, swin_v2_b, swin_v2_s, swin_v2_t
from nn.vision.models.vgg import VGG, vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn
from nn.vision.models.vision_transformer import VisionTransformer, vit_b_16, vit_b_32, vit_h_14, vit_l_16, vit_l_32
from nn.vision.models.zfnet import ZFNet, zfnet

__all__ = ["VGG", "AlexNet", "ConvNeXt", "DenseNet", "EfficientNet", "GoogLeNet", "GoogLeNetOutputs", "Inception3",
           "InceptionOutputs", "LeNet5", "MNASNet", "MobileNetV1", "MobileNetV2", "MobileNetV3", "PreActResNet",
           "RegNet", "ResNet", "ShuffleNetV2", "SqueezeNet", "SwinTransformer", "VisionTransformer", "ZFNet",
           "alexnet", "convnext_base", "convnext_large", "convnext_small", "convnext_tiny", "densenet121",
           "densenet161", "densenet169", "densenet201", "detection", "efficientnet_b0", "efficientnet_b1",
           "efficientnet_b2", "efficientnet_b3", "efficientnet_b4", "efficientnet_b5", "efficientnet_b6",
           "efficientnet_b7",
           "efficientnet_v2_l", "efficientnet_v2_m", "efficientnet_v2_s", "get_model", "googlenet", "inception_v3",
           "lenet5", "list_models", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3", "mobilenet_v1",
           "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "preact_resnet18", "preact_resnet34",
           "preact_resnet50", "preact_resnet101", "preact_resnet110", "preact_resnet152", "preact_resnet164",
           "preact_resnet200", "preact_resnet1001", "regnet_x_1_6gf", "regnet_x_3_2gf", "regnet_x_8gf",
           "regnet_x_16gf", "regnet_x_32gf", "regnet_x_400mf", "regnet_x_800mf", "regnet_y_1_6gf", "regnet_y_3_2gf",
           "regnet_y_8gf", "regnet_y_16gf", "regnet_y_32gf", "regnet_y_128gf", "regnet_y_400mf", "regnet_y_800mf",
           "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d",
           "resnext101_64x4d", "se_resnet50", "se_resnet101", "segmentation", "shufflenet_v2_x0_5",
           "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "squeezenet1_0", "squeezenet1_1",
           "swin_b", "swin_s", "swin_t", "swin_v2_b", "swin_v2_s", "swin_v2_t", "vgg11", "vgg11_bn", "vgg13",
           "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn", "video", "vit_b_16", "vit_b_32", "vit_h_14",
           "vit_l_16", "vit_l_32", "wide_resnet50_2", "wide_resnet101_2", "zfnet"]


def get_model(name: str, **config: Any) -> nn.Module:
    """The model that the constructor of this name makes of these arguments.

    >>> get_model("squeezenet1_1", num_classes=10)(autograd.zeros(1, 3, 64, 64)).shape
    (1, 10)
    """
    if name not in list_models():
        raise ValueError(f"there is no model {name!r}; nn.vision.models.list_models() has the names")
    make: Callable[..., nn.Module] = next(vars(place)[name] for place in _PLACES if name in place.__all__)
    return make(**config)


def list_models() -> list[str]:
    """The names of all constructors."""
    return sorted(name for place in _PLACES for name in place.__all__
                  if inspect.isfunction(made := vars(place)[name]) and "weights" in inspect.signature(made).parameters)


_PLACES = (sys.modules[__name__], detection, segmentation, video)
