"""Sliding window: a classifier of small windows, at all places at once, finds digits on a large canvas.

A network is trained on windows: which digit is in the middle, if any, and where its box ends. Cutting a canvas into
windows and looking at each by itself computes what they share again and again. Without padding, and with its last
layers written as convolutions, the same network takes the whole canvas and gives the same scores for all windows
(OverFeat: Sermanet et al. 2014). Many windows see the same digit: non-maximum suppression (NMS) keeps the surest box
of those that overlap. The picture shows boxes before and after. Try a threshold of 0.9 for NMS.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F
from nn.metrics import mean_average_precision
from nn.vision.ops import nms

SYSTEMS = ("sliding window", "NMS", "mAP")
CLAIM = ("The scores on a canvas are those of its windows, to 1e-4, for less than a third of the multiply-adds. The "
         "mAP at IoU 0.5 is more than 0.75. Without NMS a digit has more than three boxes instead of less than 1.5, "
         "and the mAP is lower by 0.03.")
SIDE, WINDOW, STRIDE, NOTHING = 48, 20, 4, 10


class Window(nn.Module):
    """Windows (N, 1, 20, 20) to scores (N, 11, 1, 1) and boxes (N, 4, 1, 1), or canvases to those of all windows."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 4), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 128, 3), nn.BatchNorm2d(128), nn.ReLU())  # of a window, the last one is a linear layer
        self.scores, self.box = nn.Conv2d(128, 11, 1), nn.Conv2d(128, 4, 1)

    def forward(self, x):
        features = self.features(x)
        code = self.box(features)
        middle, half = WINDOW * (0.5 + code[:, :2]), WINDOW / 3 * code[:, 2:].exp()
        return self.scores(features), autograd.cat([middle - half, middle + half], 1)


def training_windows(scenes, rng):
    """Windows with a digit within 2 pixels of the middle, others with none within 4; their labels, boxes in them."""
    found = []
    canvases = np.pad(scenes.images, ((0, 0), (0, 0), *[(WINDOW, WINDOW)] * 2))
    for canvas, of_scene, names in zip(canvases, scenes.boxes, scenes.labels, strict=True):
        middles = (of_scene[:, :2] + of_scene[:, 2:]) / 2
        for box, name, middle in zip(of_scene, names, middles, strict=True):
            corner = (middle + rng.uniform(-2, 2, 2)).round().astype(int) - WINDOW // 2
            found.append((corner, canvas, name, box - np.tile(corner, 2)))
            corner = rng.integers(0, SIDE, 2) - WINDOW // 2
            if (abs(corner + WINDOW // 2 - middles).max(1) > 4).all():
                found.append((corner, canvas, NOTHING, np.zeros(4, np.float32)))
    cut = [canvas[:, y + WINDOW:y + 2 * WINDOW, x + WINDOW:x + 2 * WINDOW] for (x, y), canvas, _, _ in found]
    _, _, labels, boxes = zip(*found, strict=True)
    return map(autograd.tensor, (np.stack(cut), np.array(labels), np.stack(boxes).astype(np.float32)))


def fit(run, model, windows, labels, boxes):
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=run.pick(600, 2))
    for _ in run.progress(600, quick=2):
        batch = run.rng.integers(0, len(windows), 64)
        scores, found = model(windows[batch])
        digit = labels[batch] != NOTHING
        loss = (F.cross_entropy(scores.flatten(1), labels[batch])
                + F.smooth_l1_loss(found.flatten(1)[digit], boxes[batch][digit]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def boxes_of_windows(scores, boxes):
    """For each canvas, of the windows that see a digit: "boxes" on it, "labels" and "scores"."""
    rows, columns = scores.shape[2:]
    corner = STRIDE * np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).reshape(-1, 2) - WINDOW // 2
    found = []
    for of_canvas, inside in zip(F.softmax(scores, 1).flatten(2).numpy(), boxes.flatten(2).numpy(), strict=True):
        sure = of_canvas[:NOTHING].max(0) > 0.1
        found.append({"boxes": autograd.tensor(inside.T[sure] + np.tile(corner[sure], 2).astype(np.float32)),
                      "labels": autograd.tensor(of_canvas[:NOTHING, sure].argmax(0)),
                      "scores": autograd.tensor(of_canvas[:NOTHING, sure].max(0))})
    return found


def suppressed(of_canvas):
    """What NMS leaves."""
    kept = nms(of_canvas["boxes"], of_canvas["scores"], iou_threshold=0.3)
    return {name: each[kept] for name, each in of_canvas.items()}


def example(run):
    digits, unseen = data.digits(run.seed)
    scenes = data.digit_scenes(digits, run.pick(3000, 16), run.rng, SIDE)
    held_out = data.digit_scenes(unseen, run.pick(200, 4), run.rng, SIDE)
    model = fit(run, Window(), *training_windows(scenes, run.rng))

    canvases = autograd.tensor(np.pad(held_out.images, ((0, 0), (0, 0), *[(WINDOW // 2, WINDOW // 2)] * 2)))
    with autograd.no_grad():
        scores, boxes = model(canvases)
        places = [(i, j) for i in range(scores.shape[2]) for j in range(scores.shape[3])]
        cut = autograd.stack([canvases[0, :, STRIDE * i:STRIDE * i + WINDOW, STRIDE * j:STRIDE * j + WINDOW]
                              for i, j in places])
        difference = abs(model(cut)[0].flatten(1) - scores[0].flatten(1).T).max().item()
        cost = nn.summary(model, cut).multiply_adds / nn.summary(model, canvases[:1]).multiply_adds
    everything = boxes_of_windows(scores, boxes)
    kept = [suppressed(of_canvas) for of_canvas in everything]
    precision, without = (mean_average_precision(found, data.targets(held_out))["map_50"].item()
                          for found in (kept, everything))
    counts = [sum(len(of_canvas["boxes"]) for of_canvas in found) / sum(map(len, held_out.boxes))
              for found in (kept, everything)]
    run.result("mAP at IoU 0.5", precision)
    run.result("mAP without NMS", without)
    run.result("boxes a digit", counts[0])
    run.result("boxes a digit without NMS", counts[1])
    run.result("multiply-adds of single windows, relative", cost)
    run.result("largest difference of scores", difference)
    run.holds(difference < 1e-4)
    run.holds(cost > 3)
    run.holds(precision > 0.75)
    run.holds(without < precision - 0.03)
    run.holds(counts[1] > 3 > 2 * counts[0])

    figure, axes = plt.subplots(2, 5, figsize=(10, 4.6))
    for row, found, name in zip(axes, (everything, kept), ("all windows", "after NMS"), strict=True):
        row[0].set_ylabel(name)
        for axis, image, of_canvas in zip(row, held_out.images, found, strict=False):
            names = [str(label) for label in of_canvas["labels"].tolist()] if found is kept else ()
            data.outline(axis, image, of_canvas["boxes"].numpy(), names, "C1", linewidth=1)
    figure.suptitle("Boxes of the windows that see a digit with more than 10 %")
    run.save(figure)
