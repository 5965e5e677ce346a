"""Contrastive learning: a network learns what digits are from no label, only by finding again what it has seen.

Each image is drawn twice, moved, turned, sheared, larger or smaller, in another strength, and noisy; of all the others
in a batch the network is to find its twin (SimCLR, Chen et al. 2020: the loss NT-Xent is the cross-entropy of their
cosines). What it must ignore for that is what we would have it ignore. Then the network is kept as it is, and a linear
layer on its features, a linear probe, learns from one, two or five labels of each digit, drawn as often. The same
network learned from these labels alone knows less, and a probe of random features much less. The picture shows twins,
what the probes read, and the features of held-out digits, colored by their labels. Try another TEMPERATURE.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from autograd import Tensor
from examples import data, networks
from nn import functional as F

SYSTEMS = ("contrastive learning", "linear probe", "SimCLR", "self-supervision")
CLAIM = ("With one label of each digit a probe of what was learned without labels reads at least 8 % more of held-out "
         "digits than the same network learned from the labels, and at least 20 % more than a probe of random "
         "features; with two it is still ahead of both.")

COUNTS = (1, 2, 5)
TEMPERATURE = 0.7


def encoder():
    """Images (N, 1, 12, 12) to 512 features."""
    def block(inputs, outputs):
        return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    return nn.Sequential(*block(1, 16), nn.MaxPool2d(2), *block(16, 32), nn.MaxPool2d(2), *block(32, 64),
                         *block(64, 128), nn.AdaptiveAvgPool2d(2), nn.Flatten())


def views(x, rng):
    """Digits (N, 1, 8, 8) as they may look: (N, 1, 12, 12)."""
    n = len(x)
    turn, shear, scale = rng.uniform(-0.4, 0.4, n), rng.uniform(-0.3, 0.3, n), 12 / rng.uniform(8.5, 11.5, (n, 1, 1))
    turns = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]).transpose(2, 0, 1)
    shears = np.array([[np.ones(n), shear], [np.zeros(n), np.ones(n)]]).transpose(2, 0, 1)
    maps = scale * shears @ turns
    moves = maps @ rng.uniform(-0.8, 0.8, (n, 2, 1)) * (1 - 1 / scale)
    grid = F.affine_grid(Tensor(np.concatenate([maps, moves], 2).astype(np.float32)), (n, 1, 12, 12))
    drawn = F.grid_sample(x, grid) * Tensor(rng.uniform(0.5, 1, (n, 1, 1, 1)).astype(np.float32))
    return drawn + Tensor(0.1 * rng.standard_normal(drawn.shape).astype(np.float32))


def nt_xent(one, other):
    """The mean cross-entropy of finding each one's twin among all others, by cosines (N, channels)."""
    both = F.normalize(autograd.cat([one, other]), dim=1)
    cosines = (both @ both.T).masked_fill(autograd.eye(len(both)).bool(), -1e9)
    return F.cross_entropy(cosines / TEMPERATURE, (autograd.arange(len(both)) + len(one)) % len(both))


def contrast(run, images, steps=400):
    """An encoder that has learned from images alone."""
    net = encoder()
    head = nn.Sequential(nn.Linear(512, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 32))
    optimizer = optim.Adam([*net.parameters(), *head.parameters()], 3e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, run.pick(steps, 2))
    for _ in run.progress(steps, quick=2, label="without labels"):
        x = images[run.rng.integers(0, len(images), 128)]
        one, other = head(net(autograd.cat([views(x, run.rng), views(x, run.rng)]))).chunk(2)
        loss = nt_xent(one, other)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net


def features(net, *batches):
    """Of batches of images, each as a difference from the first one's mean, in shares of its spread."""
    with autograd.no_grad():
        found = [net.eval()(x) for x in batches]
    return [(x - found[0].mean(0)) / (found[0].std(0) + 1e-5) for x in found]


def example(run):
    training, held_out = data.digits(run.seed)
    x, test = Tensor(training.images), views(Tensor(held_out.images), run.rng)
    learned, random = contrast(run, x), encoder()
    random(views(x, run.rng))  # its batch normalization has seen images
    drawn = views(x.repeat(10, 1, 1, 1), run.rng)
    probed = {"probe, learned without labels": features(learned, drawn, test),
              "probe, random features": features(random, drawn, test)}
    reached = {name: np.zeros((len(COUNTS), 3)) for name in [*probed, "network, learned from the labels"]}
    for i, count in enumerate(COUNTS):
        for draw in range(run.pick(3, 1)):
            order = run.rng.permutation(len(x))
            few = np.concatenate([order[training.labels[order] == digit][:count] for digit in range(10)])
            tenfold = (few + len(x) * np.arange(10)[:, None]).ravel()
            for name, (of_drawn, of_test) in probed.items():
                probe = networks.fit(run, nn.Linear(512, 10), of_drawn[tenfold], np.tile(training.labels[few], 10), 100)
                reached[name][i, draw] = networks.accuracy(probe, of_test, held_out.labels)
            net = networks.fit(run, nn.Sequential(encoder(), nn.Linear(512, 10)), x[few], training.labels[few], 200,
                               prepare=lambda x, y: views(x, run.rng), size=32)
            reached["network, learned from the labels"][i, draw] = networks.accuracy(net, test, held_out.labels)
    contrastive, by_chance, supervised = (shares.mean(1) for shares in reached.values())
    for name, shares in reached.items():
        for count, share in zip(COUNTS, shares.mean(1), strict=True):
            run.result(f"{name}, {count} each", 100 * share, "%")
    run.holds(contrastive[0] > supervised[0] + 0.08 and contrastive[0] > by_chance[0] + 0.2)
    run.holds(contrastive[1] > max(supervised[1], by_chance[1]))

    from sklearn.manifold import TSNE
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), width_ratios=[1, 1.4, 1.2])
    twins = np.stack([views(x[:6], run.rng).numpy()[:, 0] for _ in range(5)])
    axes[0].imshow(np.pad(twins, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=1).transpose(1, 2, 0, 3).reshape(
        6 * 14, 5 * 14), vmin=0, vmax=1)
    axes[0].set(xticks=[], yticks=[], title="a row: the same digit, drawn five times")
    for name, shares in reached.items():
        axes[1].plot(COUNTS, 100 * shares.mean(1), marker="o", label=name)
    axes[1].set(xscale="log", xticks=COUNTS, xticklabels=COUNTS, xlabel="labels of each digit", ylim=(0, 100),
                ylabel="held-out digits read (%)", title="what few labels are enough for")
    axes[1].minorticks_off()
    axes[1].legend(loc="lower right", fontsize="small")
    places = TSNE(random_state=0, perplexity=min(30, len(test) // 4)).fit_transform(
        probed["probe, learned without labels"][1].numpy())
    axes[2].scatter(*places.T, c=held_out.labels, cmap="tab10", s=8)
    for digit in range(10):
        axes[2].text(*np.median(places[held_out.labels == digit], 0), digit, fontsize="large", weight="bold")
    axes[2].set(xticks=[], yticks=[], title="features of held-out digits, learned without labels (t-SNE)")
    run.save(figure)
