"""Models that classify each pixel: {"out": logits (N, classes, H, W)} of images (N, 3, H, W)."""

from nn.vision.models._utils import published as __getattr__
from nn.vision.models.segmentation.deeplabv3 import (
    DeepLabV3,
    deeplabv3_mobilenet_v3_large,
    deeplabv3_resnet50,
    deeplabv3_resnet101,
)
from nn.vision.models.segmentation.fcn import FCN, fcn_resnet50, fcn_resnet101
from nn.vision.models.segmentation.lraspp import LRASPP, lraspp_mobilenet_v3_large

__all__ = ["FCN", "LRASPP", "DeepLabV3", "deeplabv3_mobilenet_v3_large", "deeplabv3_resnet50", "deeplabv3_resnet101",
           "fcn_resnet50", "fcn_resnet101", "lraspp_mobilenet_v3_large"]
