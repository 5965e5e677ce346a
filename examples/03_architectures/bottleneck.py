"""Bottlenecks make residual blocks cheap, and pre-activation lets them be stacked a hundred layers high.

A bottleneck block reduces the channels by a 1 x 1 convolution, filters, and restores them (He et al. 2015). In the
first residual networks a ReLU follows each addition, so that nothing negative gets past a block; with pre-activation
normalization and ReLU come before the convolutions, and x goes through from end to end unchanged (He et al. 2016). The
picture shows costs, and how two networks of 102 layers learn that differ in this alone. Try 20 blocks.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, networks
from nn import functional as F
from nn.vision.models.preact_resnet import PreActBlock
from nn.vision.models.resnet import BasicBlock, Bottleneck

SYSTEMS = ("bottleneck", "pre-activation", "ResNet")
CLAIM = ("Bottlenecks read at most 3 % fewer of the held-out digits than full blocks, with less than a tenth of their "
         "multiply-adds. 102 layers learn faster with pre-activation: the mean training loss of steps 10 to 40 is at "
         "least 20 % lower.")

DEEP, WIDTH = 50, 8


def stem(channels):
    """Images of 8 x 8 to maps of 4 x 4."""
    return nn.Sequential(nn.Conv2d(1, channels, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(channels),
                         nn.ReLU())


def train(run, model, x, y, label):
    """The loss at each step."""
    optimizer, losses = optim.Adam(model.parameters(), 5e-3), []
    for _ in run.progress(50, label=label):
        batch = run.rng.integers(0, len(x), 32)
        loss = F.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def example(run):
    train_set, held_out = data.digits(run.seed)
    accuracy, costs = {}, {}
    for name, block in (("full", lambda: BasicBlock(64, 64)), ("bottleneck", lambda: Bottleneck(64, 16))):
        blocks = nn.Sequential(*[block() for _ in range(4)])
        model = nn.Sequential(stem(64), blocks, nn.Flatten(), nn.Linear(1024, 10))
        networks.fit(run, model, *train_set, steps=150, label=name)
        accuracy[name] = networks.accuracy(model, *held_out)
        costs[name] = nn.summary(blocks, autograd.zeros(1, 64, 4, 4))
        run.result(name, 100 * accuracy[name], "%")
        run.result(f"{name}: multiply-adds of the blocks", costs[name].multiply_adds / 1e6, "M")
    run.holds(accuracy["bottleneck"] > accuracy["full"] - 0.03)
    run.holds(costs["bottleneck"].multiply_adds < costs["full"].multiply_adds / 10)

    x, y = map(autograd.tensor, train_set)
    losses = {}
    for name, block in (("ReLU after the addition", BasicBlock), ("pre-activation", PreActBlock)):
        model = nn.Sequential(stem(WIDTH), *[block(WIDTH, WIDTH) for _ in range(run.pick(DEEP, 4))],
                              nn.BatchNorm2d(WIDTH), nn.ReLU(), nn.Flatten(), nn.Linear(16 * WIDTH, 10))
        losses[name] = train(run, model, x, y, name)
        run.result(f"102 layers, {name}: loss of steps 10 to 40", np.mean(losses[name][10:40] or losses[name]))
    late, early = (np.mean(curve[10:40] or curve) for curve in losses.values())
    run.holds(early < 0.8 * late)

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
    bars = left.bar(list(costs), [summary.multiply_adds / 1e6 for summary in costs.values()], color=("C0", "C1"))
    left.bar_label(bars, [f"{100 * share:.1f} % of held-out digits" for share in accuracy.values()], padding=3)
    left.set(ylabel="million multiply-adds for an image", title="Four blocks of 64 channels")
    left.margins(y=0.15)
    for name, curve in losses.items():
        right.plot(curve, label=name)
    right.set(xlabel="step", ylabel="training loss", title="102 layers", ylim=0)
    right.legend()
    run.save(figure)
