"""What is in each proposed box: its class and its exact sides, and for some models a mask or keypoints."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor, cat
from nn import functional as F
from nn.vision.models.detection._utils import (
    BalancedPositiveNegativeSampler,
    BoxCoder,
    Detections,
    Losses,
    Matcher,
    Target,
    surest,
)
from nn.vision.ops import box_iou, clip_boxes_to_image, remove_small_boxes, roi_align


def fastrcnn_loss(class_logits: Tensor, box_regression: Tensor, labels: Sequence[Tensor],
                  regression_targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """The losses of classes (N, classes) and of the codes (N, 4 · classes) of the boxes that hold an object."""
    label = cat(list(labels))
    classes = F.cross_entropy(class_logits, label)
    objects = np.nonzero(label.numpy() > 0)[0]
    codes = box_regression.reshape(len(label), -1, 4)[objects, label[objects]]
    box = F.smooth_l1_loss(codes, cat(list(regression_targets))[objects], beta=1 / 9, reduction="sum")
    return classes, box / len(label)


# Masks

def maskrcnn_inference(x: Tensor, labels: Sequence[Tensor]) -> list[Tensor]:
    """Of mask logits (N, classes, M, M) the probabilities (n, 1, M, M) for the class found, for each image."""
    of_class = x.sigmoid()[np.arange(len(x)), cat(list(labels))].unsqueeze(1)
    return list(of_class.split([len(label) for label in labels]))


def project_masks_on_boxes(gt_masks: Tensor, boxes: Tensor, matched_idxs: Tensor, M: int) -> Tensor:  # noqa: N803
    """What masks (objects, H, W) have within boxes (N, 4), each of one object: (N, M, M)."""
    rois = cat([matched_idxs.to(boxes.dtype).unsqueeze(1), boxes], 1)
    return roi_align(gt_masks.unsqueeze(1).to(boxes.dtype), rois, M)[:, 0]


def maskrcnn_loss(mask_logits: Tensor, proposals: Sequence[Tensor], gt_masks: Sequence[Tensor],
                  gt_labels: Sequence[Tensor], mask_matched_idxs: Sequence[Tensor]) -> Tensor:
    """The loss of mask logits (N, classes, M, M) at the objects' classes."""
    if not len(mask_logits):
        return mask_logits.sum() * 0
    labels, targets = [], []
    for masks, boxes, label, of in zip(gt_masks, proposals, gt_labels, mask_matched_idxs, strict=True):
        if len(of):
            labels.append(label[of])
            targets.append(project_masks_on_boxes(masks, boxes, of, mask_logits.shape[-1]))
    return F.binary_cross_entropy_with_logits(mask_logits[np.arange(len(mask_logits)), cat(labels)], cat(targets))


def paste_masks_in_image(masks: Tensor, boxes: Tensor, img_shape: Sequence[int], padding: int = 1) -> Tensor:
    """Masks (N, 1, M, M) of what is in boxes (N, 4), in the whole image: (N, 1, H, W), with zeros elsewhere."""
    height, width = img_shape
    side = masks.shape[-1]
    masks = F.pad(masks, (padding,) * 4)  # so that what is interpolated falls to 0
    corners = boxes.detach().numpy()
    center, half = (corners[:, 2:] + corners[:, :2]) * 0.5, (corners[:, 2:] - corners[:, :2]) * 0.5
    half = half * ((side + 2 * padding) / side)
    places: Any = np.trunc(np.hstack([center - half, center + half])).astype(int).tolist()
    pasted = []
    for mask, (x1, y1, x2, y2) in zip(masks, places, strict=True):
        mask = F.interpolate(mask.unsqueeze(0), (max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)), mode="bilinear",
                             align_corners=False)[0, 0]
        top, bottom, left, right = max(y1, 0), min(y2 + 1, height), max(x1, 0), min(x2 + 1, width)
        inside = mask[top - y1:bottom - y1, left - x1:right - x1]
        pasted.append(F.pad(inside, (left, width - right, top, height - bottom)))
    return autograd.stack(pasted).unsqueeze(1) if pasted else autograd.zeros(0, 1, height, width, dtype=masks.dtype)


# Keypoints

def keypoints_to_heatmap(keypoints: Tensor, rois: Tensor, heatmap_size: int) -> tuple[Tensor, Tensor]:
    """In which pixel of the map of its box each keypoint (N, K, 3) lies, as row · size + column, and whether in any."""
    boxes, points = rois.numpy()[:, None], keypoints.numpy()
    at = (points[..., :2] - boxes[..., :2]) * (heatmap_size / (boxes[..., 2:] - boxes[..., :2]))
    at = np.where(points[..., :2] == boxes[..., 2:], heatmap_size - 1, np.floor(at)).astype(np.int64)
    valid = ((at >= 0) & (at < heatmap_size)).all(-1) & (points[..., 2] > 0)
    return autograd.tensor((at[..., 1] * heatmap_size + at[..., 0]) * valid), autograd.tensor(valid.astype(np.int64))


def keypointrcnn_loss(keypoint_logits: Tensor, proposals: Sequence[Tensor], gt_keypoints: Sequence[Tensor],
                      keypoint_matched_idxs: Sequence[Tensor]) -> Tensor:
    """The cross-entropy of heat maps (N, K, S, S): in which pixel each keypoint that is visible lies."""
    size = keypoint_logits.shape[-1]
    pixels, visible = [], []
    for points, boxes, of in zip(gt_keypoints, proposals, keypoint_matched_idxs, strict=True):
        if len(of):
            pixel, valid = keypoints_to_heatmap(points[of], boxes, size)
            pixels.append(pixel.flatten())
            visible.append(valid.flatten())
    counted = np.nonzero(cat(visible).numpy())[0] if visible else np.zeros(0, np.int64)
    if not len(counted):
        return keypoint_logits.sum() * 0
    return F.cross_entropy(keypoint_logits.reshape(-1, size * size)[counted], cat(pixels)[counted])


def heatmaps_to_keypoints(maps: Tensor, rois: Tensor) -> tuple[Tensor, Tensor]:
    """Where heat maps (N, K, S, S) of boxes (N, 4) are highest, (N, K, 3) with 1s behind, and how high, (N, K).

    A map is first enlarged to its box's size in pixels.
    """
    boxes, count = rois.detach().numpy(), maps.shape[1]
    points, scores = np.ones((len(boxes), count, 3), np.float32), np.zeros((len(boxes), count), np.float32)
    for i, box in enumerate(boxes):
        sides = np.maximum(box[2:] - box[:2], 1)
        width, height = (int(side) for side in np.ceil(sides))
        heat = F.interpolate(maps[i].detach().unsqueeze(1), (height, width), mode="bicubic", align_corners=False)
        flat = heat.numpy().reshape(count, -1)
        highest = flat.argmax(1)
        scores[i] = flat[np.arange(count), highest]
        at = np.stack([highest % width, highest // width], -1).astype(np.float32) + np.float32(0.5)
        points[i, :, :2] = at * (sides / [width, height]).astype(np.float32) + box[:2].astype(np.float32)
    return autograd.from_numpy(points), autograd.from_numpy(scores)


class RoIHeads(nn.Module):
    """The second stage: what each proposed box holds.

    Args:
        box_roi_pool: called with the feature maps, boxes and sizes of images: what the maps have within the boxes.
        box_head: makes a vector of that.
        box_predictor: makes class logits (N, classes), 0 being the background, and codes of boxes (N, 4 · classes).
        fg_iou_thresh: from this overlap on, a box holds an object.
        bg_iou_thresh: below this overlap it holds none.
        batch_size_per_image: of how many boxes the loss is made.
        positive_fraction: how many of these hold an object, if there are so many.
        bbox_reg_weights: the weights of the `BoxCoder`; default (10, 10, 5, 5).
        score_thresh: the least probability of what is found.
        nms_thresh: the overlap above which the less sure box of a class goes.
        detections_per_img: how much is found in an image at most.
        mask_roi_pool: as `box_roi_pool`, for masks; None, as the next two: there are none.
        mask_head: features for masks.
        mask_predictor: makes mask logits (N, classes, M, M).
        keypoint_roi_pool: as `box_roi_pool`, for keypoints; None, as the next two: there are none.
        keypoint_head: features for keypoints.
        keypoint_predictor: makes heat maps (N, K, S, S).
    """

    mask_roi_pool: nn.Module | None
    mask_head: nn.Module | None
    mask_predictor: nn.Module | None
    keypoint_roi_pool: nn.Module | None
    keypoint_head: nn.Module | None
    keypoint_predictor: nn.Module | None

    def __init__(self, box_roi_pool: nn.Module, box_head: nn.Module, box_predictor: nn.Module, fg_iou_thresh: float,
                 bg_iou_thresh: float, batch_size_per_image: int, positive_fraction: float,
                 bbox_reg_weights: Sequence[float] | None, score_thresh: float, nms_thresh: float,
                 detections_per_img: int, mask_roi_pool: nn.Module | None = None, mask_head: nn.Module | None = None,
                 mask_predictor: nn.Module | None = None, keypoint_roi_pool: nn.Module | None = None,
                 keypoint_head: nn.Module | None = None, keypoint_predictor: nn.Module | None = None) -> None:
        super().__init__()
        self.proposal_matcher = Matcher(fg_iou_thresh, bg_iou_thresh)
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)
        self.box_coder = BoxCoder(bbox_reg_weights or (10.0, 10.0, 5.0, 5.0))
        self.box_roi_pool, self.box_head, self.box_predictor = box_roi_pool, box_head, box_predictor
        self.score_thresh, self.nms_thresh, self.detections_per_img = score_thresh, nms_thresh, detections_per_img
        self.mask_roi_pool, self.mask_head, self.mask_predictor = mask_roi_pool, mask_head, mask_predictor
        self.keypoint_roi_pool, self.keypoint_head = keypoint_roi_pool, keypoint_head
        self.keypoint_predictor = keypoint_predictor

    def forward(self, features: Mapping[str, Tensor], proposals: Sequence[Tensor],
                image_shapes: Sequence[tuple[int, int]],
                targets: Sequence[Target] | None = None) -> tuple[Detections, Losses]:
        """What was found in each image, or in training the losses."""
        matched: Sequence[Tensor] = []
        if self.training:
            assert targets is not None
            proposals, matched, labels, codes = self.select_training_samples(proposals, targets)
        seen = self.box_head(self.box_roi_pool(features, proposals, image_shapes))
        class_logits, regression = self.box_predictor(seen)
        result: Detections = []
        losses: Losses = {}
        if self.training:
            losses["loss_classifier"], losses["loss_box_reg"] = fastrcnn_loss(class_logits, regression, labels, codes)
            inside = [np.nonzero(label.numpy() > 0)[0] for label in labels]  # masks and keypoints are of objects
            boxes = [of_image[objects] for of_image, objects in zip(proposals, inside, strict=True)]
            matched = [of_image[objects] for of_image, objects in zip(matched, inside, strict=True)]
        else:
            boxes, scores, labels = self.postprocess_detections(class_logits, regression, proposals, image_shapes)
            result = [{"boxes": box, "labels": label, "scores": score}
                      for box, label, score in zip(boxes, labels, scores, strict=True)]
        if self.mask_predictor is not None:
            assert self.mask_roi_pool is not None and self.mask_head is not None
            logits = self.mask_predictor(self.mask_head(self.mask_roi_pool(features, boxes, image_shapes)))
            if self.training:
                losses["loss_mask"] = maskrcnn_loss(logits, boxes, [t["masks"] for t in targets or ()],
                                                    [t["labels"] for t in targets or ()], matched)
            else:
                masks = maskrcnn_inference(logits, [found["labels"] for found in result])
                for found, mask in zip(result, masks, strict=True):
                    found["masks"] = mask
        if self.keypoint_predictor is not None:
            assert self.keypoint_roi_pool is not None and self.keypoint_head is not None
            heat = self.keypoint_predictor(self.keypoint_head(self.keypoint_roi_pool(features, boxes, image_shapes)))
            if self.training:
                losses["loss_keypoint"] = keypointrcnn_loss(heat, boxes, [t["keypoints"] for t in targets or ()],
                                                            matched)
            else:
                for found, maps in zip(result, heat.split([len(of_image) for of_image in boxes]), strict=True):
                    found["keypoints"], found["keypoints_scores"] = heatmaps_to_keypoints(maps, found["boxes"])
        return result, losses

    def check_targets(self, targets: Sequence[Target]) -> None:
        """Refuse targets without the masks or keypoints from which the model learns."""
        for name, predictor in (("masks", self.mask_predictor), ("keypoints", self.keypoint_predictor)):
            for i, target in enumerate(targets):
                if predictor is not None and name not in target:
                    raise ValueError(f"target {i} has no {name}, from which this model learns; it has "
                                     f"{', '.join(target)}")

    def assign_targets_to_proposals(self, proposals: Sequence[Tensor], gt_boxes: Sequence[Tensor],
                                    gt_labels: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """For each image, of each box: its object, and its label: 0 for background, -1 for neither."""
        matched, labels = [], []
        for boxes, truth, label in zip(proposals, gt_boxes, gt_labels, strict=True):
            if not len(truth):
                matched.append(autograd.zeros(len(boxes), dtype="int64"))
                labels.append(autograd.zeros(len(boxes), dtype="int64"))
                continue
            match = self.proposal_matcher(box_iou(truth, boxes))
            matched.append(match.clamp(min=0))
            label = label[matched[-1]].long()
            label[match == Matcher.BELOW_LOW_THRESHOLD] = 0
            label[match == Matcher.BETWEEN_THRESHOLDS] = -1  # which the sampler leaves out
            labels.append(label)
        return matched, labels

    def subsample(self, labels: Sequence[Tensor]) -> list[Tensor]:
        """The indices of the boxes of each image that are drawn for the loss."""
        return [(positive | negative).nonzero()[:, 0]
                for positive, negative in zip(*self.fg_bg_sampler(labels), strict=True)]

    def select_training_samples(self, proposals: Sequence[Tensor], targets: Sequence[Target]) -> tuple[
            list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
        """For each image: some of its boxes, the object of each, its label, and the object's box as seen from it."""
        self.check_targets(targets)
        dtype = proposals[0].dtype
        truth = [target["boxes"].to(dtype) for target in targets]
        boxes = [cat(pair) for pair in zip(proposals, truth, strict=True)]
        matched, labels = self.assign_targets_to_proposals(boxes, truth, [target["labels"] for target in targets])
        sampled = self.subsample(labels)
        boxes, matched, labels = ([each[of] for each, of in zip(several, sampled, strict=True)]
                                  for several in (boxes, matched, labels))
        objects = [(of_image if len(of_image) else autograd.zeros(1, 4, dtype=dtype))[of]
                   for of_image, of in zip(truth, matched, strict=True)]
        return boxes, matched, labels, self.box_coder.encode(objects, boxes)

    def postprocess_detections(self, class_logits: Tensor, box_regression: Tensor, proposals: Sequence[Tensor],
                               image_shapes: Sequence[tuple[int, int]]) -> tuple[
                                   list[Tensor], list[Tensor], list[Tensor]]:
        """For each image the boxes, scores and labels of what is sure enough and overlaps nothing surer."""
        counts = [len(of_image) for of_image in proposals]
        decoded = self.box_coder.decode(box_regression, proposals).split(counts)
        found_boxes, found_scores, found_labels = [], [], []
        for boxes, scores, size in zip(decoded, F.softmax(class_logits, -1).split(counts), image_shapes, strict=True):
            box, label = np.nonzero(scores.detach().numpy()[:, 1:] > self.score_thresh)
            label += 1  # 0 is the background
            boxes, scores = clip_boxes_to_image(boxes[box, label], size), scores[box, label]
            large = remove_small_boxes(boxes, 1e-2).numpy()
            found = surest(boxes[large], scores[large], label[large], self.nms_thresh, self.detections_per_img)
            found_boxes.append(found["boxes"])
            found_scores.append(found["scores"])
            found_labels.append(found["labels"])
        return found_boxes, found_scores, found_labels
