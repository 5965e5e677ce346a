"""Mask R-CNN: Faster R-CNN that also says which pixels of a box are the object's."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import nn
from nn.vision.models._utils import Weights, build, he_normal, initialize
from nn.vision.models.detection._utils import out_channels
from nn.vision.models.detection.backbone_utils import _resnet_fpn_extractor, resnet50_of
from nn.vision.models.detection.faster_rcnn import (
    FasterRCNN,
    checked_classes,
    pyramid_pool,
    second_version,
)
from nn.vision.ops import Conv2dNormActivation, MultiScaleRoIAlign
from nn.vision.ops.misc import Layer, Renamed


class MaskRCNN(FasterRCNN):
    """Mask R-CNN (He et al. 2017, arXiv:1703.06870): images to boxes, classes, scores, and masks of probabilities.

    Args:
        backbone: images to feature maps of `backbone.out_channels` channels each.
        num_classes: with the background, which is class 0; None if there are predictors.
        *args: further arguments of `FasterRCNN`.
        mask_roi_pool: what the maps have within boxes; default `MultiScaleRoIAlign` of the maps "0" to "3".
        mask_head: features for masks.
        mask_predictor: makes mask logits (N, num_classes, M, M).
        **kwargs: further arguments of `FasterRCNN`.
    """

    def __init__(self, backbone: Any, num_classes: int | None = None, *args: Any,
                 mask_roi_pool: MultiScaleRoIAlign | None = None, mask_head: nn.Module | None = None,
                 mask_predictor: nn.Module | None = None, **kwargs: Any) -> None:
        classes = checked_classes(num_classes, mask_predictor, "mask_predictor")
        if mask_head is None:
            mask_head = MaskRCNNHeads(out_channels(backbone), (256,) * 4, 1)
        if mask_predictor is None:
            mask_predictor = MaskRCNNPredictor(256, 256, classes)
        super().__init__(backbone, num_classes, *args, **kwargs)
        self.roi_heads.mask_roi_pool = pyramid_pool(14) if mask_roi_pool is None else mask_roi_pool
        self.roi_heads.mask_head, self.roi_heads.mask_predictor = mask_head, mask_predictor


class MaskRCNNHeads(Renamed, nn.Sequential):
    """3 × 3 convolutions of what is in a box.

    Args:
        in_channels: of the feature maps.
        layers: the channels of the convolutions.
        dilation: of the convolutions.
        norm_layer: makes a normalization behind each; None: there is none.
    """

    def __init__(self, in_channels: int, layers: Sequence[int], dilation: int,
                 norm_layer: Layer | None = None) -> None:
        super().__init__(*[Conv2dNormActivation(before, out, 3, padding=dilation, dilation=dilation,
                                                norm_layer=norm_layer)
                           for before, out in zip((in_channels, *layers), layers, strict=False)])
        initialize(self)

    def former_names(self) -> dict[str, str]:
        return {f"mask_fcn{i + 1}": f"{i}.0" for i in range(len(self))}


class MaskRCNNPredictor(nn.Sequential):
    """Mask logits (N, num_classes, 2 M, 2 M) of features (N, in_channels, M, M).

    Args:
        in_channels: of the features.
        dim_reduced: the channels in between.
        num_classes: with the background.
    """

    def __init__(self, in_channels: int, dim_reduced: int, num_classes: int) -> None:
        super().__init__(OrderedDict(conv5_mask=nn.ConvTranspose2d(in_channels, dim_reduced, 2, 2),
                                     relu=nn.ReLU(inplace=True),
                                     mask_fcn_logits=nn.Conv2d(dim_reduced, num_classes, 1)))
        for name, parameter in self.named_parameters():
            if "weight" in name:
                he_normal(parameter)


def maskrcnn_resnet50_fpn(*, weights: Weights = None, progress: bool = True, num_classes: int = 91,
                          weights_backbone: Weights = None, trainable_backbone_layers: int | None = None,
                          **kwargs: Any) -> MaskRCNN:
    """Mask R-CNN with a feature pyramid over ResNet-50 (He et al. 2017, arXiv:1703.06870)."""
    backbone = _resnet_fpn_extractor(*resnet50_of(weights, weights_backbone, trainable_backbone_layers))
    return build(MaskRCNN, weights, backbone, num_classes, **kwargs)


def maskrcnn_resnet50_fpn_v2(*, weights: Weights = None, progress: bool = True, num_classes: int = 91,
                             weights_backbone: Weights = None, trainable_backbone_layers: int | None = None,
                             **kwargs: Any) -> MaskRCNN:
    """Mask R-CNN with deeper heads (Li et al. 2021, arXiv:2111.11429)."""
    backbone = _resnet_fpn_extractor(*resnet50_of(weights, weights_backbone, trainable_backbone_layers, frozen=False),
                                    norm_layer=nn.BatchNorm2d)
    heads = second_version(backbone)
    heads["mask_head"] = MaskRCNNHeads(backbone.out_channels, [256] * 4, 1, nn.BatchNorm2d)
    return build(MaskRCNN, weights, backbone, num_classes, **heads | kwargs)
