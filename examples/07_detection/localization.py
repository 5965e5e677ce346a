"""Classification and localization: one network says what is in an image, and where.

On the features of a convolutional network stand two heads: one for the class, trained with cross-entropy, and one for
the four numbers of the box, trained by regression; their losses are added (Sermanet et al. 2014, OverFeat). How well a
box fits is measured by intersection over union (IoU). What is at some place of the last feature map says where the
digit is; averaged over all places, the same features still say what it is, but no longer where. Images here continue on
the other side; zeros around them would show where the edges are, and could be averaged (try padding_mode="zeros"). The
picture shows both boxes.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F
from nn.vision.ops import box_iou

SYSTEMS = ("classification and localization", "IoU")
CLAIM = ("More than 90 % of held-out digits are named, and the boxes overlap theirs by a mean IoU of more than 0.7; "
         "those from averaged features by less than 0.4.")
SIDE = 40


class Locator(nn.Module):
    """Images (N, 1, 40, 40) to scores (N, 10) and boxes (N, 4) in pixels: of all places, and of averaged features."""

    def __init__(self):
        super().__init__()
        sizes = (1, 16, 2), (16, 32, 2), (32, 64, 1), (64, 64, 2), (64, 64, 1)
        self.features = nn.Sequential(*[layer for inputs, outputs, stride in sizes for layer in (
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, padding_mode="circular"), nn.BatchNorm2d(outputs),
            nn.ReLU())])
        self.label = nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(64, 10))
        self.boxes = nn.ModuleList([
            nn.Sequential(pool, nn.Flatten(), nn.Linear(64 * places, 64), nn.ReLU(), nn.Linear(64, 4))
            for pool, places in ((nn.Identity(), 25), (nn.AdaptiveAvgPool2d(1), 1))])

    def forward(self, x):
        features = self.features(x)
        return self.label(features), [SIDE * box(features) for box in self.boxes]


def fit(run, model, x, labels, boxes):
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=run.pick(400, 2))
    for _ in run.progress(400, quick=2):
        batch = run.rng.integers(0, len(x), 64)
        scores, found = model(x[batch])
        loss = F.cross_entropy(scores, labels[batch])
        loss = loss + 0.1 * sum(F.smooth_l1_loss(of_head, boxes[batch]) for of_head in found)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def example(run):
    digits, unseen = data.digits(run.seed)
    scenes = data.digit_scenes(digits, run.pick(4000, 64), run.rng, SIDE, most=1)
    held_out = data.digit_scenes(unseen, run.pick(400, 8), run.rng, SIDE, most=1)
    labels, boxes, answers, wanted = (autograd.tensor(np.concatenate(parts)) for parts in (
        scenes.labels, scenes.boxes, held_out.labels, held_out.boxes))
    model = fit(run, Locator(), autograd.tensor(scenes.images), labels, boxes)

    with autograd.no_grad():
        scores, found = model(autograd.tensor(held_out.images))
    found = dict(zip(("all places", "averaged"), found, strict=True))
    overlaps = {name: box_iou(of_head, wanted).diagonal().numpy() for name, of_head in found.items()}
    right = (scores.argmax(1) == answers).float().mean().item()
    run.result("digits named", 100 * right, "%")
    for name, each in overlaps.items():
        run.result(f"mean IoU, {name}", each.mean())
    run.result("mean IoU, always the mean box", box_iou(boxes.mean(0, keepdim=True), wanted).mean().item())
    run.holds(right > 0.9)
    run.holds(overlaps["all places"].mean() > 0.7)
    run.holds(overlaps["averaged"].mean() < 0.4)

    figure = plt.figure(figsize=(11, 4.4))
    images, histogram = figure.subfigures(1, 2, width_ratios=(3, 2))
    for row, (name, of_all) in zip(images.subplots(2, 4), found.items(), strict=True):
        row[0].set_ylabel(name)
        for axis, image, box, true, overlap in zip(row, held_out.images, of_all.numpy(), held_out.boxes,
                                                   overlaps[name], strict=False):
            data.outline(axis, image, true, color="C2")
            data.outline(axis, image, box[None], [f"IoU {overlap:.2f}"], "C1")
    images.suptitle("Digits' boxes (green) and those found (orange)")
    axis = histogram.subplots()
    axis.hist(list(overlaps.values()), np.linspace(0, 1, 21), label=list(overlaps))
    axis.set(xlabel="IoU", ylabel="held-out images", title="How well the boxes fit")
    axis.legend()
    run.save(figure)
