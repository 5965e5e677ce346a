"""Depth with and without shortcuts: a plain network gets worse with more layers, a residual one does not.

A deeper network could do what a shallower one does, if its further layers did nothing; but plain ones learn that badly,
and their training loss rises with depth. A residual block computes x + f(x), so that doing nothing is f = 0 (He et al.
2015). The two differ in the shortcut alone, batch normalization is in both. The picture shows training loss and
held-out accuracy by depth, and how the deepest ones learn. Try without batch normalization.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, networks
from nn import functional as F
from nn.vision.models.resnet import BasicBlock

SYSTEMS = ("ResNet",)
CLAIM = ("From 6 to 34 layers the training loss of the plain network becomes at least five times as high, and its "
         "held-out accuracy falls by over 5 %; the residual one stays over 90 %, and 34 layers deep its loss is less "
         "than a fifth of the plain one's.")

BLOCKS, WIDTH = (2, 8, 16), 12


class PlainBlock(BasicBlock):
    """The same two convolutions without the shortcut."""

    def forward(self, x):
        return self.relu(self.residual(x))


def network(block, count):
    """2 count + 2 layers."""
    return nn.Sequential(nn.Conv2d(1, WIDTH, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU(),
                         *[block(WIDTH, WIDTH) for _ in range(count)], nn.Flatten(), nn.Linear(16 * WIDTH, 10))


def train(run, model, x, y, label):
    """The loss at each step."""
    steps, losses = run.pick(150, 2), []
    optimizer = optim.Adam(model.parameters(), 3e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in run.progress(steps, quick=2, label=label):
        batch = run.rng.integers(0, len(x), 32)
        loss = F.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    model.eval()
    return losses


def example(run):
    train_set, held_out = data.digits(run.seed)
    x, y = map(autograd.tensor, train_set)
    reached = {}
    for name, block in (("plain", PlainBlock), ("residual", BasicBlock)):
        for count in run.pick(BLOCKS, BLOCKS[:2]):
            layers = 2 * count + 2
            model = network(block, count)
            losses = train(run, model, x, y, f"{name}, {layers} layers")
            reached[name, layers] = losses, np.mean(losses[-30:]), networks.accuracy(model, *held_out)
            run.result(f"{name}, {layers} layers: training loss", reached[name, layers][1])
            run.result(f"{name}, {layers} layers: held-out", 100 * reached[name, layers][2], "%")
    first, last = 6, layers
    loss = {key: value[1] for key, value in reached.items()}
    accuracy = {key: value[2] for key, value in reached.items()}
    run.holds(loss["plain", last] > 5 * loss["plain", first])
    run.holds(accuracy["plain", last] < accuracy["plain", first] - 0.05)
    run.holds(min(accuracy["residual", 2 * count + 2] for count in run.pick(BLOCKS, BLOCKS[:2])) > 0.9)
    run.holds(loss["residual", last] < loss["plain", last] / 5)

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.8))
    depths = [depth for name, depth in reached if name == "plain"]
    for name in ("plain", "residual"):
        left.plot(depths, [loss[name, depth] for depth in depths], "o-", label=name)
        middle.plot(depths, [100 * accuracy[name, depth] for depth in depths], "o-", label=name)
        losses = reached[name, last][0]
        right.plot(np.convolve(losses, np.ones(10) / 10, "valid"), label=name)
    left.set(xlabel="layers", ylabel="training loss at the end", title="Training", ylim=0)
    middle.set(xlabel="layers", ylabel="% of held-out digits", title="Held-out digits", ylim=(0, 101))
    right.set(xlabel="step", ylabel="training loss, mean of ten", title=f"{last} layers", ylim=0)
    left.legend()
    run.save(figure)
