"""Instance segmentation: which pixels belong to which object, by a mask for each box.

Mask R-CNN (He et al. 2017) is a two-stage detector with a third head. RoI align cuts the features of each box that was
found out of the pyramid, a few convolutions and a transposed one draw a mask for each class in it, and the mask of the
class that was found is pasted into the image. Each object keeps its own mask, also where two of the same class are
neighbors, which a class for each pixel can't tell apart. A box alone is a poor mask. The picture shows masks in colors.
Try masks of 10 x 10 instead of 20 x 20 cells.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
from examples import data, detectors, gallery
from nn.metrics import mean_average_precision
from nn.vision.models.detection import MaskRCNN
from nn.vision.models.detection.anchor_utils import AnchorGenerator
from nn.vision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from nn.vision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from nn.vision.ops import MultiScaleRoIAlign
from nn.vision.utils import draw_segmentation_masks

SYSTEMS = ("instance segmentation", "two-stage detector", "RoI align", "mAP")
CLAIM = ("The mAP of masks is more than 0.8 at IoU 0.5 and more than 0.5 at IoU 0.7, where that of the same boxes, "
         "filled, is less than 0.2.")
SIDE = 48


def detector(backbone):
    pool, fine = (MultiScaleRoIAlign(maps, size, sampling_ratio=2, canonical_scale=16, canonical_level=2)
                  for maps, size in ((["0", "1"], 5), (["0"], 10)))
    return MaskRCNN(
        backbone, min_size=SIDE, max_size=SIDE, image_mean=[0.0], image_std=[1.0], size_divisible=8,
        rpn_anchor_generator=AnchorGenerator(((12,), (17,)), (1.0, 2.0)), rpn_batch_size_per_image=64,
        rpn_pre_nms_top_n_train=100, rpn_pre_nms_top_n_test=100, rpn_post_nms_top_n_train=30,
        rpn_post_nms_top_n_test=20, box_roi_pool=pool, box_head=TwoMLPHead(32 * 5 * 5, 128),
        box_predictor=FastRCNNPredictor(128, 11), box_batch_size_per_image=16, box_detections_per_img=10,
        mask_roi_pool=fine, mask_head=MaskRCNNHeads(32, (32, 32), 1), mask_predictor=MaskRCNNPredictor(32, 32, 11))


def filled(of_image):
    """The same boxes, all of whose pixels are said to belong to the object."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    left, top, right, bottom = of_image["boxes"].numpy().T[:, :, None, None]
    return of_image | {"masks": autograd.tensor((left < x) & (x < right) & (top < y) & (y < bottom))}


def example(run):
    digits, unseen = data.digits(run.seed)
    scenes = data.digit_scenes(digits, run.pick(1000, 8), run.rng)
    held_out = data.digit_scenes(unseen, run.pick(200, 4), run.rng)
    model = detector(detectors.reading_pyramid(run, digits))
    detectors.fit_detector(run, model, scenes.images, data.targets(scenes, 1), 170, lr=4e-3)

    with autograd.no_grad():
        found = model(list(autograd.tensor(held_out.images)))
    found = [of_image | {"masks": of_image["masks"][:, 0] > 0.5} for of_image in found]
    wanted, reached = data.targets(held_out, 1), {}
    for name, each in (("masks", found), ("filled boxes", list(map(filled, found)))):
        for level in (0.5, 0.7):
            reached[name, level] = mean_average_precision(each, wanted, iou_type="segm", iou_thresholds=[level])["map"]
            run.result(f"mAP at IoU {level}, {name}", reached[name, level].item())
    run.holds(reached["masks", 0.5] > 0.8)
    run.holds(reached["masks", 0.7] > 0.5)
    run.holds(reached["filled boxes", 0.7] < 0.2)

    figure, axes = plt.subplots(2, 5, figsize=(10, 4.6))
    colors = [tuple(int(color[i:i + 2], 16) for i in (1, 3, 5)) for color in gallery.COLORS]
    for axis, image, of_image in zip(axes.flat, held_out.images, found, strict=False):
        sure = (of_image["scores"] > 0.5).numpy()
        picture = draw_segmentation_masks(autograd.tensor(image).expand(3, -1, -1), of_image["masks"][sure], 0.6,
                                          colors[:sure.sum()])
        names = [str(label - 1) for label in of_image["labels"][sure].tolist()]
        data.outline(axis, picture.numpy(), of_image["boxes"][sure].numpy(), names, "w", linewidth=0.8)
    figure.suptitle("Masks, boxes and digits that were found with a probability of more than 50 %")
    run.save(figure)
