"""R-CNN: regions that may hold something are looked at one by one, then all on the same features.

A simple method proposes boxes; here, roughly, around what is connected. R-CNN warps the pixels of each box into one
size and gives them to a network, which names them and transforms the box (Girshick et al. 2014). Fast R-CNN computes
the features of the image once and cuts the boxes out of these, by RoI pooling (Girshick 2015): it rounds each box to
whole cells of the map, 8 pixels wide. RoI align interpolates instead (He et al. 2017), and the boxes fit much better.
The picture shows what all make of the same proposals. Try the coarser map, "1" with a scale of 1/8.
"""

from functools import partial

import numpy as np
from matplotlib import pyplot as plt
from scipy import ndimage

import autograd
import nn
from examples import data, detectors
from nn.metrics import mean_average_precision
from nn.vision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from nn.vision.models.detection.generalized_rcnn import GeneralizedRCNN
from nn.vision.models.detection.roi_heads import RoIHeads
from nn.vision.models.detection.transform import GeneralizedRCNNTransform
from nn.vision.ops import Conv2dNormActivation, roi_align, roi_pool

SYSTEMS = ("R-CNN", "RoI pool", "RoI align", "mAP")
CLAIM = ("All three reach an mAP at IoU 0.5 of more than 0.75. That at IoU 0.75 is more than twice as high with RoI "
         "align as with RoI pooling. A region more costs Fast R-CNN less than a quarter of what it costs R-CNN.")
SIDE = 48


class Regions(nn.Module):
    """In the place of a network that proposes: boxes, twelve for each connected part, moved and stretched at random."""

    def __init__(self, rng):
        super().__init__()
        self.rng = rng

    def forward(self, images, features, targets=None):
        proposals = []
        for image in images.tensors.numpy()[:, 0]:
            parts = ndimage.find_objects(ndimage.label(image > 0.25, np.ones((3, 3)))[0])
            boxes = np.array([(x.start, y.start, x.stop, y.stop) for y, x in parts], np.float32).repeat(12, 0)
            sides = boxes[:, 2:] - boxes[:, :2]
            boxes += self.rng.uniform(-0.25, 0.25, boxes.shape) * np.tile(np.maximum(sides, 8), 2)
            proposals.append(autograd.tensor(boxes.clip(0, SIDE).astype(np.float32)))
        return proposals, {}


class Pixels(nn.Module):
    """The backbone of R-CNN: the image itself."""

    def forward(self, x):
        return {"0": x}


class Cut(nn.Module):
    """What a map has within boxes: (boxes, channels, cells, cells)."""

    def __init__(self, operation, cells, scale):
        super().__init__()
        self.operation, self.cells, self.scale = operation, cells, scale

    def forward(self, features, boxes, sizes):
        return self.operation(features["0"], boxes, self.cells, self.scale)


def detector(backbone, cut, head, rng):
    heads = RoIHeads(cut, head, FastRCNNPredictor(128, 11), fg_iou_thresh=0.5, bg_iou_thresh=0.5,
                     batch_size_per_image=8, positive_fraction=0.5, bbox_reg_weights=None, score_thresh=0.05,
                     nms_thresh=0.3, detections_per_img=10)
    return GeneralizedRCNN(backbone, Regions(rng), heads, GeneralizedRCNNTransform(SIDE, SIDE, [0.0], [1.0], 8))


def region_network():
    """What R-CNN does with the 16 x 16 pixels of each region."""
    return nn.Sequential(Conv2dNormActivation(1, 16), Conv2dNormActivation(16, 32, stride=2),
                         Conv2dNormActivation(32, 64, stride=2), TwoMLPHead(64 * 16, 128))


def example(run):
    digits, unseen = data.digits(run.seed)
    scenes = data.digit_scenes(digits, run.pick(1000, 8), run.rng)
    held_out = data.digit_scenes(unseen, run.pick(200, 4), run.rng)
    pretrained = detectors.reading_pyramid(run, digits).state_dict()
    images, targets, wanted = autograd.tensor(held_out.images), data.targets(scenes, 1), data.targets(held_out, 1)

    found, reached = {}, {}
    for name in ("R-CNN", "RoI pool", "RoI align"):
        if name == "R-CNN":
            model = detector(Pixels(), Cut(roi_align, 16, 1.0), region_network(), run.rng)
        else:
            cut = Cut(roi_pool if name == "RoI pool" else partial(roi_align, sampling_ratio=2), 5, 1 / 4)
            model = detector(detectors.Pyramid(), cut, TwoMLPHead(32 * 5 * 5, 128), run.rng)
            model.backbone.load_state_dict(pretrained)
        detectors.fit_detector(run, model, scenes.images, targets, 120, lr=4e-3, label=name)
        with autograd.no_grad():
            found[name] = model(list(images))
        reached[name] = mean_average_precision(found[name], wanted)
        for level in ("50", "75"):
            run.result(f"mAP at IoU 0.{level}, {name}", reached[name][f"map_{level}"].item())
        run.holds(reached[name]["map_50"] > 0.75)
    run.holds(reached["RoI align"]["map_75"] > 2 * reached["RoI pool"]["map_75"])
    costs = [nn.summary(region_network(), autograd.zeros(1, 1, 16, 16)).multiply_adds,
             nn.summary(TwoMLPHead(32 * 5 * 5, 128), autograd.zeros(1, 32 * 5 * 5)).multiply_adds]
    run.result("multiply-adds of a region, R-CNN", costs[0])
    run.result("multiply-adds of a region, Fast R-CNN", costs[1])
    run.holds(costs[1] < costs[0] / 4)

    figure, axes = plt.subplots(4, 5, figsize=(9, 7.6))
    batch, _ = model.transform(list(images[:5]))
    for axis, image, boxes in zip(axes[0], held_out.images, model.rpn(batch, {})[0], strict=False):
        data.outline(axis, image, boxes.numpy(), color="C4", linewidth=0.8)
    axes[0, 0].set_ylabel("regions")
    for row, (name, of_all) in zip(axes[1:], found.items(), strict=True):
        row[0].set_ylabel(name)
        for axis, image, of_image in zip(row, held_out.images, of_all, strict=False):
            sure = of_image["scores"] > 0.3
            names = [str(label - 1) for label in of_image["labels"][sure].tolist()]
            data.outline(axis, image, of_image["boxes"][sure].numpy(), names, "C1")
    figure.suptitle("Regions, and what is found in them with a probability of more than 30 %")
    run.save(figure)
