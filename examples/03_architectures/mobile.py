"""MobileNet and ShuffleNet: nearly the accuracy of full convolutions for a fraction of the multiply-adds.

A 3 x 3 convolution of C to C channels takes 9 C² multiply-adds a pixel. MobileNet filters each channel on its own
(depthwise), then mixes channels at each pixel (1 x 1): 9 C + C² (Howard et al. 2017). ShuffleNet divides the mixing
into groups, and shuffles the channels so that the next groups have some of each (Zhang et al. 2018). Without the
shuffle groups never hear of one another: of two images side by side, one a group, such a network cannot tell whether
they show the same. The picture shows what the blocks cost and reach. Try groups=8.
"""

import numpy as np

import autograd
import nn
from examples import data, networks

SYSTEMS = ("MobileNet", "ShuffleNet", "multiply-adds")
CLAIM = ("MobileNet and ShuffleNet read at most 4 % fewer of the held-out digits than full convolutions, with less "
         "than a fifth and a seventh of their multiply-adds. Whether two digits are the same is told in over 80 % of "
         "cases with the shuffle, and in less than 65 % without.")


def conv(inputs, outputs, size=1, groups=1, stride=1, activation=nn.ReLU):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
                         nn.BatchNorm2d(outputs), activation())


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def full(channels):
    return Residual(conv(channels, channels, 3))


def separable(channels):
    """Of MobileNet."""
    return Residual(conv(channels, channels, 3, groups=channels), conv(channels, channels))


def shuffled(channels, groups=4, shuffle=True):
    """Of ShuffleNet."""
    return Residual(conv(channels, channels, groups=groups), nn.ChannelShuffle(groups) if shuffle else nn.Identity(),
                    conv(channels, channels, 3, groups=channels, activation=nn.Identity),
                    conv(channels, channels, groups=groups))


def network(block, channels=64, blocks=4):
    """Images of 8 x 8; the blocks work on maps of 4 x 4."""
    return nn.Sequential(conv(1, channels, 3, stride=2), nn.Sequential(*[block(channels) for _ in range(blocks)]),
                         nn.Flatten(), nn.Linear(16 * channels, 10))


def pairs(digits, count, rng):
    """Two digits as the two channels of an image, the same (1) in half of them, or not (0)."""
    labels = digits.labels
    first, same = rng.integers(0, len(labels), count), rng.integers(0, 2, count)
    second = [rng.choice(np.flatnonzero((labels == labels[k]) == is_same))
              for k, is_same in zip(first, same, strict=True)]
    return data.Labeled(np.concatenate([digits.images[first], digits.images[second]], 1), same)


def comparer(shuffle, channels=64):
    """Pairs to two scores; each channel of an image is a group's alone."""
    return nn.Sequential(conv(2, channels, 3, groups=2, stride=2),
                         *[shuffled(channels, 2, shuffle) for _ in range(3)],
                         nn.Flatten(), nn.Linear(16 * channels, 2))


def example(run):
    train_set, held_out = data.digits(run.seed)
    accuracy, costs = {}, {}
    for name, block in (("full", full), ("MobileNet", separable), ("ShuffleNet", shuffled)):
        model = networks.fit(run, network(block), *train_set, steps=150, label=name)
        accuracy[name] = networks.accuracy(model, *held_out)
        costs[name] = nn.summary(model[1], autograd.zeros(1, 64, 4, 4))
        run.result(name, 100 * accuracy[name], "%")
        run.result(f"{name}: multiply-adds of the blocks", costs[name].multiply_adds / 1e6, "M")
    for name, part in (("MobileNet", 5), ("ShuffleNet", 7)):
        run.holds(accuracy[name] > accuracy["full"] - 0.04)
        run.holds(costs[name].multiply_adds < costs["full"].multiply_adds / part)

    train_pairs, held_out_pairs = pairs(train_set, 8000, run.rng), pairs(held_out, 1000, run.rng)
    told = {}
    for name, shuffle in (("with shuffle", True), ("without", False)):
        model = networks.fit(run, comparer(shuffle), *train_pairs, steps=200, label=name)
        told[name] = networks.accuracy(model, *held_out_pairs)
        run.result(f"same or not, {name}", 100 * told[name], "%")
    run.holds(told["with shuffle"] > 0.8)
    run.holds(told["without"] < 0.65)
    run.save(networks.show_costs({"% of held-out digits": accuracy}, costs))
