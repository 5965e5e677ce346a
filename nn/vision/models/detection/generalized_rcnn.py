"""Detectors in two stages."""

from collections.abc import Mapping, Sequence

import nn
from autograd import Tensor
from nn.vision.models.detection._utils import Detections, Losses, Target
from nn.vision.models.detection.detector import Detector
from nn.vision.models.detection.image_list import ImageList
from nn.vision.models.detection.roi_heads import RoIHeads
from nn.vision.models.detection.transform import GeneralizedRCNNTransform


class GeneralizedRCNN(Detector):
    """A detector in two stages: boxes that may hold something, and what they hold.

    Args:
        backbone: images to feature maps.
        rpn: proposes boxes.
        roi_heads: says what is in them.
        transform: brings images into one size, and what was found back.
    """

    def __init__(self, backbone: nn.Module, rpn: nn.Module, roi_heads: RoIHeads,
                 transform: GeneralizedRCNNTransform) -> None:
        super().__init__()
        self.transform, self.backbone, self.rpn, self.roi_heads = transform, backbone, rpn, roi_heads

    def look(self, images: ImageList, features: Mapping[str, Tensor],
             targets: Sequence[Target] | None) -> tuple[Losses, Detections]:
        proposals, proposal_losses = self.rpn(images, features, targets)
        detections, losses = self.roi_heads(features, proposals, images.image_sizes, targets)
        return losses | proposal_losses, detections
