"""Region proposals: the boxes in which there may be something."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

import autograd
import nn
from autograd import Tensor, cat
from nn import functional as F
from nn import init
from nn.vision.models._utils import zero_bias
from nn.vision.models.detection._utils import (
    BalancedPositiveNegativeSampler,
    BoxCoder,
    Matcher,
    Target,
    per_anchor,
)
from nn.vision.models.detection.anchor_utils import AnchorGenerator
from nn.vision.models.detection.image_list import ImageList
from nn.vision.ops import Conv2dNormActivation, batched_nms, box_iou, clip_boxes_to_image, remove_small_boxes
from nn.vision.ops.misc import Renamed


class RPNHead(Renamed):
    """For each anchor at each pixel, whether there is something and how the box would be moved.

    Args:
        in_channels: of the feature maps.
        num_anchors: how many there are at each pixel.
        conv_depth: how many 3 × 3 convolutions come before.
    """

    def __init__(self, in_channels: int, num_anchors: int, conv_depth: int = 1) -> None:
        super().__init__()
        self.conv = nn.Sequential(*[Conv2dNormActivation(in_channels, in_channels, 3, norm_layer=None)
                                    for _ in range(conv_depth)])
        self.cls_logits = nn.Conv2d(in_channels, num_anchors, 1)
        self.bbox_pred = nn.Conv2d(in_channels, num_anchors * 4, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                init.normal_(layer.weight, std=0.01)
                zero_bias(layer)

    def forward(self, x: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Scores (N, anchors, H, W) and codes of boxes (N, 4 · anchors, H, W) of each map."""
        seen = [self.conv(features) for features in x]
        return [self.cls_logits(each) for each in seen], [self.bbox_pred(each) for each in seen]

    def former_names(self) -> dict[str, str]:
        return {"conv": "conv.0.0"}  # there was one


class RegionProposalNetwork(nn.Module):
    """Boxes in which there may be something (Ren et al., "Faster R-CNN", 2015).

    Args:
        anchor_generator: makes the boxes to start from.
        head: looks at each of them.
        fg_iou_thresh: from this overlap with an object on, an anchor should be found.
        bg_iou_thresh: below this overlap it should not.
        batch_size_per_image: of how many anchors the loss is made.
        positive_fraction: how many of these are of objects, if there are so many.
        pre_nms_top_n: how many boxes of each map are kept before suppression, in "training" and in "testing".
        post_nms_top_n: how many boxes of an image are kept, likewise.
        nms_thresh: the overlap above which the less sure box goes.
        score_thresh: the least score of a box.
    """

    def __init__(self, anchor_generator: AnchorGenerator, head: nn.Module, fg_iou_thresh: float, bg_iou_thresh: float,
                 batch_size_per_image: int, positive_fraction: float, pre_nms_top_n: Mapping[str, int],
                 post_nms_top_n: Mapping[str, int], nms_thresh: float, score_thresh: float = 0.0) -> None:
        super().__init__()
        self.anchor_generator, self.head = anchor_generator, head
        self.box_coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        self.proposal_matcher = Matcher(fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True)
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)
        self._pre_nms_top_n, self._post_nms_top_n = pre_nms_top_n, post_nms_top_n
        self.nms_thresh, self.score_thresh, self.min_size = nms_thresh, score_thresh, 1e-3

    def forward(self, images: ImageList, features: Mapping[str, Tensor],
                targets: Sequence[Target] | None = None) -> tuple[list[Tensor], dict[str, Tensor]]:
        """The boxes (K, 4) of each image, the surest first, and in training the losses."""
        maps = list(features.values())
        scores, codes = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        counts = [each.numel() // len(each) for each in scores]
        objectness = cat([per_anchor(each, 1)[..., 0] for each in scores], 1)
        codes = cat([per_anchor(each, 4) for each in codes], 1)
        proposals = self.box_coder.decode(codes.detach().flatten(0, 1), anchors).reshape(codes.shape)
        boxes, _ = self.filter_proposals(proposals, objectness.detach(), images.image_sizes, counts)
        if not self.training:
            return boxes, {}
        assert targets is not None
        labels, objects = self.assign_targets_to_anchors(anchors, targets)
        losses = self.compute_loss(objectness, codes, labels, self.box_coder.encode(objects, anchors))
        return boxes, dict(zip(("loss_objectness", "loss_rpn_box_reg"), losses, strict=True))

    def assign_targets_to_anchors(self, anchors: Sequence[Tensor],
                                  targets: Sequence[Target]) -> tuple[list[Tensor], list[Tensor]]:
        """For each image, of each anchor: 1 for an object, 0 for background, -1 for neither; and the object's box."""
        labels, objects = [], []
        for of_image, target in zip(anchors, targets, strict=True):
            if not len(target["boxes"]):
                labels.append(autograd.zeros(len(of_image)))
                objects.append(autograd.zeros_like(of_image))
                continue
            matches = self.proposal_matcher(box_iou(target["boxes"], of_image))
            label = (matches >= 0).float()
            label[matches == Matcher.BETWEEN_THRESHOLDS] = -1
            labels.append(label)
            objects.append(target["boxes"][matches.clamp(min=0)])
        return labels, objects

    def filter_proposals(self, proposals: Tensor, objectness: Tensor, image_shapes: Sequence[tuple[int, int]],
                         num_anchors_per_level: Sequence[int]) -> tuple[list[Tensor], list[Tensor]]:
        """Of proposals (N, A, 4) with logits (N, A), those of each image that are kept, and their scores."""
        mode = "training" if self.training else "testing"
        starts = list(itertools.accumulate(num_anchors_per_level, initial=0))
        kept, kept_scores = [], []
        for boxes, scores, size in zip(proposals, objectness, image_shapes, strict=True):
            top = [scores[start:end].topk(min(self._pre_nms_top_n[mode], end - start))[1].numpy() + start
                   for start, end in itertools.pairwise(starts)]
            level = np.repeat(np.arange(len(top)), [len(each) for each in top])
            index = np.concatenate(top)
            boxes, scores = clip_boxes_to_image(boxes[index], size), scores[index].sigmoid()
            large = remove_small_boxes(boxes, self.min_size).numpy()
            large = large[scores.numpy()[large] >= self.score_thresh]
            keep = large[batched_nms(boxes[large], scores[large], level[large], self.nms_thresh).numpy()]
            keep = keep[:self._post_nms_top_n[mode]]
            kept.append(boxes[keep])
            kept_scores.append(scores[keep])
        return kept, kept_scores

    def compute_loss(self, objectness: Tensor, codes: Tensor, labels: Sequence[Tensor],
                     regression_targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The losses of scores (N, A) and codes (N, A, 4), given labels and codes of the objects for each image."""
        positive, negative = (np.nonzero(cat(masks).numpy())[0] for masks in self.fg_bg_sampler(labels))
        sampled = np.concatenate([positive, negative])
        label = cat(list(labels))[sampled].to(objectness.dtype)
        box = F.smooth_l1_loss(codes.flatten(0, 1)[positive], cat(list(regression_targets))[positive], beta=1 / 9,
                               reduction="sum")
        return F.binary_cross_entropy_with_logits(objectness.flatten()[sampled], label), box / len(sampled)
