"""Building blocks of vision models, with torchvision's names and behavior."""

from nn.dropout import StochasticDepth
from nn.functional.dropout import stochastic_depth
from nn.vision.ops.box_losses import complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss
from nn.vision.ops.boxes import (
    box_area,
    box_convert,
    box_iou,
    clip_boxes_to_image,
    complete_box_iou,
    distance_box_iou,
    generalized_box_iou,
    masks_to_boxes,
    remove_small_boxes,
)
from nn.vision.ops.deform_conv import DeformConv2d, deform_conv2d
from nn.vision.ops.drop_block import DropBlock2d, DropBlock3d, drop_block2d, drop_block3d
from nn.vision.ops.feature_pyramid_network import FeaturePyramidNetwork
from nn.vision.ops.focal_loss import sigmoid_focal_loss
from nn.vision.ops.misc import (
    MLP,
    Conv2dNormActivation,
    Conv3dNormActivation,
    FrozenBatchNorm2d,
    Permute,
    SqueezeExcitation,
)
from nn.vision.ops.poolers import MultiScaleRoIAlign
from nn.vision.ops.roi_pooling import (
    PSRoIAlign,
    PSRoIPool,
    RoIAlign,
    RoIPool,
    ps_roi_align,
    ps_roi_pool,
    roi_align,
    roi_pool,
)
from nn.vision.ops.suppression import batched_nms, nms

__all__ = ["MLP", "Conv2dNormActivation", "Conv3dNormActivation", "DeformConv2d", "DropBlock2d", "DropBlock3d",
           "FeaturePyramidNetwork", "FrozenBatchNorm2d", "MultiScaleRoIAlign", "PSRoIAlign", "PSRoIPool", "Permute",
           "RoIAlign", "RoIPool", "SqueezeExcitation", "StochasticDepth", "batched_nms", "box_area", "box_convert",
           "box_iou", "clip_boxes_to_image", "complete_box_iou", "complete_box_iou_loss", "deform_conv2d",
           "distance_box_iou", "distance_box_iou_loss", "drop_block2d", "drop_block3d", "generalized_box_iou",
           "generalized_box_iou_loss", "masks_to_boxes", "nms", "ps_roi_align", "ps_roi_pool", "remove_small_boxes",
           "roi_align", "roi_pool", "sigmoid_focal_loss", "stochastic_depth"]
