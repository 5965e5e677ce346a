"""Single-stage detector: each place of a feature pyramid says at once what is there and where its box ends.

Of some thousand anchors a handful hold a digit. Each of the others is easy to refuse, but their small losses add up and
drown those of the digits: cross-entropy learns to see nothing anywhere. The focal loss counts by (1 - p)^2 less what is
right already (RetinaNet: Lin et al. 2017). Both runs here begin from the same backbone, which can read digits, and
both give each digit 1 % at first. The picture shows what is found, and how precise it is for how much of it.
Try cross-entropy with three times as many steps: it wakes up late.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
from examples import data, detectors
from nn.metrics import mean_average_precision
from nn.vision.models.detection import RetinaNet
from nn.vision.models.detection._utils import Matcher
from nn.vision.models.detection.anchor_utils import AnchorGenerator
from nn.vision.models.detection.retinanet import RetinaNetClassificationHead, RetinaNetHead
from nn.vision.ops import sigmoid_focal_loss

SYSTEMS = ("single-stage detector", "focal loss", "anchors", "FPN", "mAP")
CLAIM = ("One digit in 64 x 64 pixels: after the same 150 steps the focal loss reaches an mAP at IoU 0.5 of more than "
         "0.76, and plain cross-entropy of less than half of that.")

SIDE = 64


class Classifier(RetinaNetClassificationHead):
    """For each anchor the logits of ten digits, which begin at -4.6: a probability of 1 %."""

    def __init__(self, gamma):
        super().__init__(32, num_anchors=2, num_classes=10, norm_layer=nn.BatchNorm2d)
        self.gamma = gamma

    def compute_loss(self, targets, head_outputs, matched_idxs):
        logits, matched = head_outputs["cls_logits"], np.stack([match.numpy() for match in matched_idxs])
        wanted = np.zeros(logits.shape, np.float32)
        for goal, target, match in zip(wanted, targets, matched, strict=True):
            anchors = np.flatnonzero(match >= 0)
            goal[anchors, target["labels"][match[anchors]].numpy()] = 1
        loss = sigmoid_focal_loss(logits, wanted, alpha=-1, gamma=self.gamma)  # gamma = 0: cross-entropy
        return loss[matched != Matcher.BETWEEN_THRESHOLDS].sum() / wanted.sum()


def detector(backbone, gamma):
    head = RetinaNetHead(32, num_anchors=2, num_classes=10, norm_layer=nn.BatchNorm2d)
    head.classification_head = Classifier(gamma)
    for part in (head.classification_head, head.regression_head):
        del part.conv[2:]  # two layers do for digits
        for layer, _, _ in part.conv:
            nn.init.kaiming_normal_(layer.weight)  # of usual size, as Adam's steps are
    return RetinaNet(backbone, 10, min_size=SIDE, max_size=SIDE, image_mean=[0.0], image_std=[1.0], size_divisible=8,
                     anchor_generator=AnchorGenerator(((12,), (17,)), (1.0, 1.5)), head=head, detections_per_img=10)


def example(run):
    digits, unseen = data.digits(run.seed)
    scenes = data.digit_scenes(digits, run.pick(1000, 8), run.rng, SIDE, most=1)
    held_out = data.digit_scenes(unseen, run.pick(200, 4), run.rng, SIDE, most=1)
    pretrained = detectors.reading_pyramid(run, digits).state_dict()
    targets, wanted = data.targets(scenes), data.targets(held_out)

    found, reached = {}, {}
    for name, gamma in (("focal loss", 2), ("cross-entropy", 0)):
        model = detector(detectors.Pyramid(), gamma)
        model.backbone.load_state_dict(pretrained)
        detectors.fit_detector(run, model, scenes.images, targets, 150, lr=4e-3, label=name)
        with autograd.no_grad():
            found[name] = model(list(autograd.tensor(held_out.images)))
        reached[name] = mean_average_precision(found[name], wanted)["map_50"].item()
        run.result(f"mAP at IoU 0.5, {name}", reached[name])
    run.holds(reached["focal loss"] > 0.76)
    run.holds(reached["cross-entropy"] < reached["focal loss"] / 2)

    figure = plt.figure(figsize=(11, 4.4))
    images, curves = figure.subfigures(1, 2, width_ratios=(3, 2))
    for row, (name, detections) in zip(images.subplots(2, 4), found.items(), strict=True):
        row[0].set_ylabel(name)
        for axis, image, of_image in zip(row, held_out.images, detections, strict=False):
            names = [f"{label} ({score:.0%})" for label, score in zip(of_image["labels"].tolist(),
                                                                      of_image["scores"].tolist(), strict=True)]
            data.outline(axis, image, of_image["boxes"].numpy()[:1], names, "C1")
    images.suptitle("The surest box in held-out scenes, if there is any of more than 5 %")
    p = np.linspace(0.001, 1, 200)
    axis = curves.subplots()
    for name, gamma in (("focal loss", 2), ("cross-entropy", 0)):
        axis.plot(p, -np.log(p) * (1 - p) ** gamma, label=name)
    axis.set(xlabel="probability of what is true", ylabel="loss", ylim=(0, 5),
             title="What is right already costs nothing")
    axis.legend()
    run.save(figure)
