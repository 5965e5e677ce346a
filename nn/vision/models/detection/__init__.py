"""Models that find objects: {"boxes", "labels", "scores", ...} for each of a list of images (3, H, W)."""

from nn.vision.models._utils import published as __getattr__
from nn.vision.models.detection.faster_rcnn import (
    FasterRCNN,
    fasterrcnn_mobilenet_v3_large_320_fpn,
    fasterrcnn_mobilenet_v3_large_fpn,
    fasterrcnn_resnet50_fpn,
    fasterrcnn_resnet50_fpn_v2,
)
from nn.vision.models.detection.fcos import FCOS, fcos_resnet50_fpn
from nn.vision.models.detection.keypoint_rcnn import KeypointRCNN, keypointrcnn_resnet50_fpn
from nn.vision.models.detection.mask_rcnn import MaskRCNN, maskrcnn_resnet50_fpn, maskrcnn_resnet50_fpn_v2
from nn.vision.models.detection.retinanet import RetinaNet, retinanet_resnet50_fpn, retinanet_resnet50_fpn_v2
from nn.vision.models.detection.ssd import SSD, ssd300_vgg16
from nn.vision.models.detection.ssdlite import ssdlite320_mobilenet_v3_large

__all__ = ["FCOS", "SSD", "FasterRCNN", "KeypointRCNN", "MaskRCNN", "RetinaNet",
           "fasterrcnn_mobilenet_v3_large_320_fpn", "fasterrcnn_mobilenet_v3_large_fpn", "fasterrcnn_resnet50_fpn",
           "fasterrcnn_resnet50_fpn_v2", "fcos_resnet50_fpn", "keypointrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn",
           "maskrcnn_resnet50_fpn_v2", "retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2", "ssd300_vgg16",
           "ssdlite320_mobilenet_v3_large"]
