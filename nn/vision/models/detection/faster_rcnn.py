"""Faster R-CNN: one network proposes boxes, a second one says what is in them."""

from collections.abc import Sequence
from typing import Any

import nn
from autograd import Tensor, relu
from nn.vision.models._utils import Weights, build, initialize
from nn.vision.models.detection._utils import out_channels
from nn.vision.models.detection.anchor_utils import AnchorGenerator
from nn.vision.models.detection.backbone_utils import (
    _mobilenet_extractor,
    _resnet_fpn_extractor,
    _validate_trainable_layers,
    resnet50_of,
)
from nn.vision.models.detection.generalized_rcnn import GeneralizedRCNN
from nn.vision.models.detection.roi_heads import RoIHeads
from nn.vision.models.detection.rpn import RegionProposalNetwork, RPNHead
from nn.vision.models.detection.transform import detector_transform
from nn.vision.models.mobilenetv3 import mobilenet_v3_large
from nn.vision.ops import Conv2dNormActivation, FrozenBatchNorm2d, MultiScaleRoIAlign
from nn.vision.ops.misc import Layer


class FasterRCNN(GeneralizedRCNN):
    """Faster R-CNN (Ren et al. 2015, arXiv:1506.01497): images to boxes, their classes and scores.

    Args:
        backbone: images to feature maps of `backbone.out_channels` channels each.
        num_classes: with the background, which is class 0; None if there is a `box_predictor`.
        min_size: the length of the shorter side of images; of several one is drawn in training.
        max_size: the greatest length of the longer side.
        image_mean: of each channel; default ImageNet's.
        image_std: of each channel; default ImageNet's.
        rpn_anchor_generator: makes the anchors; default: of three ratios, one size for each of five maps.
        rpn_head: looks at each anchor.
        rpn_pre_nms_top_n_train: how many boxes of each map are kept before suppression.
        rpn_pre_nms_top_n_test: likewise in eval mode.
        rpn_post_nms_top_n_train: how many boxes of an image are kept.
        rpn_post_nms_top_n_test: likewise in eval mode.
        rpn_nms_thresh: the overlap above which the less sure box goes.
        rpn_fg_iou_thresh: from this overlap with an object on, an anchor should be found.
        rpn_bg_iou_thresh: below this overlap it should not.
        rpn_batch_size_per_image: of how many anchors the loss is made.
        rpn_positive_fraction: how many of these are of objects, if there are so many.
        rpn_score_thresh: the least score of a proposed box.
        box_roi_pool: what the maps have within boxes; default `MultiScaleRoIAlign` of the maps "0" to "3".
        box_head: makes a vector of that.
        box_predictor: makes class logits and codes of boxes of it.
        box_score_thresh: the least probability of what is found.
        box_nms_thresh: the overlap above which the less sure box of a class goes.
        box_detections_per_img: how much is found in an image at most.
        box_fg_iou_thresh: from this overlap on, a box holds an object.
        box_bg_iou_thresh: below this overlap it holds none.
        box_batch_size_per_image: of how many boxes the loss is made.
        box_positive_fraction: how many of these hold an object, if there are so many.
        bbox_reg_weights: what the codes of boxes are multiplied by.
        **transform: further arguments of `GeneralizedRCNNTransform`.
    """

    def __init__(self, backbone: Any, num_classes: int | None = None, min_size: int | Sequence[int] = 800,
                 max_size: int = 1333, image_mean: Sequence[float] | None = None,
                 image_std: Sequence[float] | None = None, rpn_anchor_generator: AnchorGenerator | None = None,
                 rpn_head: nn.Module | None = None, rpn_pre_nms_top_n_train: int = 2000,
                 rpn_pre_nms_top_n_test: int = 1000, rpn_post_nms_top_n_train: int = 2000,
                 rpn_post_nms_top_n_test: int = 1000, rpn_nms_thresh: float = 0.7, rpn_fg_iou_thresh: float = 0.7,
                 rpn_bg_iou_thresh: float = 0.3, rpn_batch_size_per_image: int = 256,
                 rpn_positive_fraction: float = 0.5, rpn_score_thresh: float = 0.0,
                 box_roi_pool: MultiScaleRoIAlign | None = None, box_head: nn.Module | None = None,
                 box_predictor: nn.Module | None = None, box_score_thresh: float = 0.05, box_nms_thresh: float = 0.5,
                 box_detections_per_img: int = 100, box_fg_iou_thresh: float = 0.5, box_bg_iou_thresh: float = 0.5,
                 box_batch_size_per_image: int = 512, box_positive_fraction: float = 0.25,
                 bbox_reg_weights: Sequence[float] | None = None, **transform: Any) -> None:
        channels = out_channels(backbone)
        classes = checked_classes(num_classes, box_predictor, "box_predictor")
        if rpn_anchor_generator is None:
            rpn_anchor_generator = _default_anchorgen()
        if rpn_head is None:
            rpn_head = RPNHead(channels, rpn_anchor_generator.num_anchors_per_location()[0])
        rpn = RegionProposalNetwork(
            rpn_anchor_generator, rpn_head, rpn_fg_iou_thresh, rpn_bg_iou_thresh, rpn_batch_size_per_image,
            rpn_positive_fraction, {"training": rpn_pre_nms_top_n_train, "testing": rpn_pre_nms_top_n_test},
            {"training": rpn_post_nms_top_n_train, "testing": rpn_post_nms_top_n_test}, rpn_nms_thresh,
            rpn_score_thresh)
        if box_roi_pool is None:
            box_roi_pool = pyramid_pool(7)
        if box_head is None:
            box_head = TwoMLPHead(channels * box_roi_pool.output_size[0] ** 2, 1024)
        if box_predictor is None:
            box_predictor = FastRCNNPredictor(1024, classes)
        roi_heads = RoIHeads(
            box_roi_pool, box_head, box_predictor, box_fg_iou_thresh, box_bg_iou_thresh, box_batch_size_per_image,
            box_positive_fraction, bbox_reg_weights, box_score_thresh, box_nms_thresh, box_detections_per_img)
        super().__init__(backbone, rpn, roi_heads,
                         detector_transform(min_size, max_size, image_mean, image_std, **transform))


def checked_classes(num_classes: int | None, predictor: nn.Module | None, name: str) -> int:
    """The number of classes, which is known where there is no predictor.

    Raises:
        ValueError: both are given, or neither.
    """
    if (num_classes is None) == (predictor is None):
        raise ValueError(f"give either num_classes or a {name}, which knows them" +
                         f", not both (num_classes={num_classes})" * (predictor is not None))
    return num_classes or 0


def _default_anchorgen() -> AnchorGenerator:
    """A size for each of five maps, three ratios."""
    return AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), ((0.5, 1.0, 2.0),) * 5)


def pyramid_pool(output_size: int) -> MultiScaleRoIAlign:
    """The pooling of boxes in a pyramid of four maps."""
    return MultiScaleRoIAlign(["0", "1", "2", "3"], output_size, 2)


class TwoMLPHead(nn.Module):
    """What is in a box (N, C, P, P), by two linear layers.

    Args:
        in_channels: C · P · P.
        representation_size: of the result (N, representation_size).
    """

    def __init__(self, in_channels: int, representation_size: int) -> None:
        super().__init__()
        self.fc6 = nn.Linear(in_channels, representation_size)
        self.fc7 = nn.Linear(representation_size, representation_size)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.fc7(relu(self.fc6(x.flatten(1)))))


class FastRCNNConvFCHead(nn.Sequential):
    """What is in a box (N, C, P, P), by convolutions and linear layers.

    Args:
        input_size: (C, P, P).
        conv_layers: the channels of the convolutions.
        fc_layers: what the linear layers give.
        norm_layer: makes a normalization behind each convolution; None: there is none.
    """

    def __init__(self, input_size: tuple[int, int, int], conv_layers: Sequence[int], fc_layers: Sequence[int],
                 norm_layer: Layer | None = None) -> None:
        channels, height, width = input_size
        blocks: list[nn.Module] = []
        for out in conv_layers:
            blocks.append(Conv2dNormActivation(channels, out, norm_layer=norm_layer))
            channels = out
        blocks.append(nn.Flatten())
        channels *= height * width
        for out in fc_layers:
            blocks += [nn.Linear(channels, out), nn.ReLU(inplace=True)]
            channels = out
        super().__init__(*blocks)
        initialize(self)


class FastRCNNPredictor(nn.Module):
    """Class logits (N, num_classes) and codes of boxes (N, 4 · num_classes) of vectors (N, in_channels).

    A new one takes the place of a trained one to find other things:

    >>> model = fasterrcnn_mobilenet_v3_large_320_fpn()
    >>> model.roi_heads.box_predictor = FastRCNNPredictor(model.roi_heads.box_predictor.cls_score.in_features, 3)
    """

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(in_channels, num_classes)
        self.bbox_pred = nn.Linear(in_channels, num_classes * 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.flatten(1)
        return self.cls_score(x), self.bbox_pred(x)


def second_version(backbone: Any) -> dict[str, Any]:
    """The heads of Li et al. 2021, arXiv:2111.11429: deeper, and with normalization."""
    anchors = _default_anchorgen()
    return {"rpn_anchor_generator": anchors,
            "rpn_head": RPNHead(backbone.out_channels, anchors.num_anchors_per_location()[0], conv_depth=2),
            "box_head": FastRCNNConvFCHead((backbone.out_channels, 7, 7), [256] * 4, [1024], nn.BatchNorm2d)}


def fasterrcnn_resnet50_fpn(*, weights: Weights = None, progress: bool = True, num_classes: int = 91,
                            weights_backbone: Weights = None, trainable_backbone_layers: int | None = None,
                            **kwargs: Any) -> FasterRCNN:
    """Faster R-CNN with a feature pyramid over ResNet-50 (Ren et al. 2015, arXiv:1506.01497)."""
    backbone = _resnet_fpn_extractor(*resnet50_of(weights, weights_backbone, trainable_backbone_layers))
    return build(FasterRCNN, weights, backbone, num_classes, **kwargs)


def fasterrcnn_resnet50_fpn_v2(*, weights: Weights = None, progress: bool = True, num_classes: int = 91,
                               weights_backbone: Weights = None, trainable_backbone_layers: int | None = None,
                               **kwargs: Any) -> FasterRCNN:
    """Faster R-CNN with deeper heads (Li et al. 2021, arXiv:2111.11429)."""
    backbone = _resnet_fpn_extractor(*resnet50_of(weights, weights_backbone, trainable_backbone_layers, frozen=False),
                                    norm_layer=nn.BatchNorm2d)
    return build(FasterRCNN, weights, backbone, num_classes, **second_version(backbone) | kwargs)


def fasterrcnn_mobilenet_v3_large_fpn(*, weights: Weights = None, progress: bool = True, num_classes: int = 91,
                                      weights_backbone: Weights = None, trainable_backbone_layers: int | None = None,
                                      rpn_score_thresh: float = 0.05, **kwargs: Any) -> FasterRCNN:
    """Faster R-CNN with a feature pyramid over MobileNetV3-Large (Howard et al. 2019, arXiv:1905.02244)."""
    trained = weights is not None or weights_backbone is not None
    count = _validate_trainable_layers(trained, trainable_backbone_layers, 6, 3)
    backbone = mobilenet_v3_large(weights=weights_backbone if weights is None else None,
                                  norm_layer=FrozenBatchNorm2d if trained else nn.BatchNorm2d)
    anchors = AnchorGenerator(((32, 64, 128, 256, 512),) * 3, ((0.5, 1.0, 2.0),) * 3)
    return build(FasterRCNN, weights, _mobilenet_extractor(backbone, True, count), num_classes,
                 rpn_anchor_generator=anchors, rpn_score_thresh=rpn_score_thresh, **kwargs)


def fasterrcnn_mobilenet_v3_large_320_fpn(*, weights: Weights = None, progress: bool = True, num_classes: int = 91,
                                          weights_backbone: Weights = None,
                                          trainable_backbone_layers: int | None = None, **kwargs: Any) -> FasterRCNN:
    """The same for images of 320 pixels, made for telephones (Howard et al. 2019, arXiv:1905.02244)."""
    small: dict[str, Any] = {"min_size": 320, "max_size": 640, "rpn_pre_nms_top_n_test": 150,
                             "rpn_post_nms_top_n_test": 150}
    return fasterrcnn_mobilenet_v3_large_fpn(
        weights=weights, num_classes=num_classes, weights_backbone=weights_backbone,
        trainable_backbone_layers=trainable_backbone_layers, **small | kwargs)
