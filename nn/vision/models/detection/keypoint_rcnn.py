"""Keypoint R-CNN: Faster R-CNN of people that also says where their joints are."""

from collections.abc import Sequence
from typing import Any

import nn
from autograd import Tensor
from nn import functional as F
from nn.vision.models._utils import Weights, build, he_normal, initialize, zero_bias
from nn.vision.models.detection._utils import out_channels
from nn.vision.models.detection.backbone_utils import _resnet_fpn_extractor, resnet50_of
from nn.vision.models.detection.faster_rcnn import FasterRCNN, pyramid_pool
from nn.vision.ops import MultiScaleRoIAlign


class KeypointRCNN(FasterRCNN):
    """Faster R-CNN with heat maps of keypoints (He et al. 2017, arXiv:1703.06870).

    Args:
        backbone: images to feature maps of `backbone.out_channels` channels each.
        num_classes: with the background, which is class 0; None if there is a `box_predictor`.
        min_size: the length of the shorter side of images; of several one is drawn in training.
        *args: further arguments of `FasterRCNN`.
        keypoint_roi_pool: what the maps have within boxes; default `MultiScaleRoIAlign` of the maps "0" to "3".
        keypoint_head: features for keypoints.
        keypoint_predictor: makes heat maps (N, K, S, S).
        num_keypoints: K, by default 17; None if there is a predictor.
        **kwargs: further arguments of `FasterRCNN`.
    """

    def __init__(self, backbone: Any, num_classes: int | None = None,
                 min_size: int | Sequence[int] | None = None, *args: Any,
                 keypoint_roi_pool: MultiScaleRoIAlign | None = None, keypoint_head: nn.Module | None = None,
                 keypoint_predictor: nn.Module | None = None, num_keypoints: int | None = None, **kwargs: Any) -> None:
        if num_keypoints is not None and keypoint_predictor is not None:
            raise ValueError(f"give either num_keypoints={num_keypoints} or a keypoint_predictor, which knows them")
        if keypoint_head is None:
            keypoint_head = KeypointRCNNHeads(out_channels(backbone), (512,) * 8)
        if keypoint_predictor is None:
            keypoint_predictor = KeypointRCNNPredictor(512, num_keypoints or 17)
        super().__init__(backbone, num_classes, min_size or (640, 672, 704, 736, 768, 800), *args, **kwargs)
        self.roi_heads.keypoint_roi_pool = pyramid_pool(14) if keypoint_roi_pool is None else keypoint_roi_pool
        self.roi_heads.keypoint_head, self.roi_heads.keypoint_predictor = keypoint_head, keypoint_predictor


class KeypointRCNNHeads(nn.Sequential):
    """3 × 3 convolutions of what is in a box, with `layers` channels."""

    def __init__(self, in_channels: int, layers: Sequence[int]) -> None:
        blocks: list[nn.Module] = []
        for out in layers:
            blocks += [nn.Conv2d(in_channels, out, 3, padding=1), nn.ReLU(inplace=True)]
            in_channels = out
        super().__init__(*blocks)
        initialize(self)


class KeypointRCNNPredictor(nn.Module):
    """Heat maps (N, num_keypoints, 4 M, 4 M) of features (N, in_channels, M, M)."""

    def __init__(self, in_channels: int, num_keypoints: int) -> None:
        super().__init__()
        self.kps_score_lowres = nn.ConvTranspose2d(in_channels, num_keypoints, 4, 2, 1)
        he_normal(self.kps_score_lowres.weight)
        zero_bias(self.kps_score_lowres)
        self.out_channels = num_keypoints

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(self.kps_score_lowres(x), scale_factor=2.0, mode="bilinear", align_corners=False)


def keypointrcnn_resnet50_fpn(*, weights: Weights = None, progress: bool = True, num_classes: int = 2,
                              num_keypoints: int = 17, weights_backbone: Weights = None,
                              trainable_backbone_layers: int | None = None, **kwargs: Any) -> KeypointRCNN:
    """Keypoint R-CNN with a feature pyramid over ResNet-50 (He et al. 2017, arXiv:1703.06870)."""
    backbone = _resnet_fpn_extractor(*resnet50_of(weights, weights_backbone, trainable_backbone_layers))
    return build(KeypointRCNN, weights, backbone, num_classes, num_keypoints=num_keypoints, **kwargs)
