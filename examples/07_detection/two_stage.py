"""Two-stage detector: a network proposes boxes, a second one says what is in them and sets them right.

Faster R-CNN (Ren et al. 2015): around each place of the feature maps stand anchors, boxes of a few sizes and shapes.
The region proposal network (RPN) scores and moves each of them; RoI align cuts the features of the best ones out of the
pyramid, all in the same size; two linear layers name them and move them once more. Each stage comes nearer to the
digits. Given random anchors instead of proposals, the second stage, though trained, misses most of them. The picture
shows how close each stage comes, and what it proposes or finds. Try anchors of one size and shape.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
from examples import data, detectors
from nn.metrics import mean_average_precision
from nn.vision.models.detection import FasterRCNN
from nn.vision.models.detection.anchor_utils import AnchorGenerator
from nn.vision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from nn.vision.ops import MultiScaleRoIAlign, box_iou

SYSTEMS = ("two-stage detector", "RPN", "anchors", "RoI align", "mAP", "IoU")
CLAIM = ("The mAP at IoU 0.5 is more than 0.8, and less than half of that with random anchors instead of proposals. "
         "The surest boxes fit better after each stage: their mean IoU grows by more than 0.1 and again by 0.01.")
SIDE, PROPOSALS = 48, 20


def detector(backbone, sizes):
    pool = MultiScaleRoIAlign(["0", "1"], output_size=5, sampling_ratio=2, canonical_scale=16, canonical_level=2)
    return FasterRCNN(
        backbone, min_size=SIDE, max_size=SIDE, image_mean=[0.0], image_std=[1.0], size_divisible=8,
        rpn_anchor_generator=AnchorGenerator(sizes, (1.0, 2.0)), rpn_batch_size_per_image=64,
        rpn_pre_nms_top_n_train=100, rpn_pre_nms_top_n_test=100, rpn_post_nms_top_n_train=30,
        rpn_post_nms_top_n_test=PROPOSALS, box_roi_pool=pool, box_head=TwoMLPHead(32 * 5 * 5, 128),
        box_predictor=FastRCNNPredictor(128, 11), box_batch_size_per_image=16, box_detections_per_img=10)


def overlaps(boxes, wanted):
    """Of each digit, the IoU of the nearest of the surest boxes: of as many as there are digits."""
    pairs = [(each[:len(target["boxes"])], target["boxes"]) for each, target in zip(boxes, wanted, strict=True)]
    return np.concatenate([box_iou(digits, few).numpy().max(1, initial=0) for few, digits in pairs])


def example(run):
    digits, unseen = data.digits(run.seed)
    scenes = data.digit_scenes(digits, run.pick(1000, 8), run.rng)
    held_out = data.digit_scenes(unseen, run.pick(200, 4), run.rng)
    model = detector(detectors.reading_pyramid(run, digits), sizes=((12,), (17,)))
    detectors.fit_detector(run, model, scenes.images, data.targets(scenes, 1), 160, lr=4e-3)

    images, wanted = list(autograd.tensor(held_out.images)), data.targets(held_out, 1)
    with autograd.no_grad():
        found = model(images)
        batch, _ = model.transform(images)
        features = model.backbone(batch.tensors)
        proposals, _ = model.rpn(batch, features)
        anchors = model.rpn.anchor_generator(batch, list(features.values()))
        scores, _ = model.rpn.head(list(features.values()))
        scores = autograd.cat([of_map.permute(0, 2, 3, 1).flatten(1) for of_map in scores], 1)
        at_random = [of_image[run.rng.permutation(len(of_image))[:PROPOSALS]] for of_image in anchors]
        blind, _ = model.roi_heads(features, at_random, batch.image_sizes)
    stages = {"anchors": [of_image[score.topk(PROPOSALS)[1]] for of_image, score in zip(anchors, scores, strict=True)],
              "proposals": proposals, "found": [of_image["boxes"] for of_image in found]}
    reached = {name: overlaps(boxes, wanted) for name, boxes in stages.items()}
    precision, without = (mean_average_precision(each, wanted)["map_50"].item() for each in (found, blind))
    run.result("mAP at IoU 0.5", precision)
    run.result("mAP with random anchors", without)
    for name, each in reached.items():
        run.result(f"mean IoU, {name}", each.mean())
    run.holds(precision > 0.8)
    run.holds(without < precision / 2)
    run.holds(reached["proposals"].mean() > reached["anchors"].mean() + 0.1)
    run.holds(reached["found"].mean() > reached["proposals"].mean() + 0.01)

    figure = plt.figure(figsize=(11, 4.6))
    curve, pictures = figure.subfigures(1, 2, width_ratios=(2, 3))
    axis = curve.subplots()
    for name, each in reached.items():
        axis.plot(np.sort(each), 100 * (1 - np.arange(len(each)) / len(each)), label=name)
    axis.set(xlabel="IoU with the digit", ylabel="% of the digits that reach it", xlim=(0, 1), ylim=(0, 101),
             title="Each stage comes nearer")
    axis.legend()
    for column, (name, boxes) in zip(pictures.subplots(2, 3).T, stages.items(), strict=True):
        column[0].set_title(name if name == "found" else f"the {PROPOSALS} best {name}")
        for axis, image, few, detections in zip(column, held_out.images, boxes, found, strict=False):
            if name == "found":
                sure = detections["scores"] > 0.5
                data.outline(axis, image, few[sure].numpy(), [str(k - 1) for k in detections["labels"][sure].tolist()],
                             "C1")
            else:
                data.outline(axis, image, few.numpy(), color="C4", linewidth=0.8)
    run.save(figure)
