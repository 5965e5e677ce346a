"""Seven ways to keep a network from learning its training set by heart, on digits of which 40 % are labeled wrong.

A network that can remember 500 labels remembers the wrong ones, too. Dropout (Srivastava et al. 2014) hides units,
DropConnect (Wan et al. 2013) weights, stochastic depth (Huang et al. 2016) whole layers, cutout (DeVries and Taylor
2017) part of the image, fractional pooling (Graham 2014) moves what is pooled, mixup (Zhang et al. 2018) mixes
examples and labels: noise in training, its average in use. The picture shows who believes the wrong labels. Try them
together.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F
from nn.data.augmentation import cutout, mixup

SYSTEMS = ("dropout", "DropConnect", "stochastic depth", "cutout", "mixup", "fractional pooling", "weight decay")
CLAIM = ("With 40 % of the labels wrong, each of the six (dropout to mixup) reads at least 5 % more of the held-out "
         "digits than the plain network, and learns less than half as many of the wrong labels by heart.")


class Block(nn.Module):
    """A residual block; sometimes, in training, only its shortcut."""

    def __init__(self, drop):
        super().__init__()
        self.conv, self.depth = nn.Conv2d(16, 16, 3, padding=1), nn.StochasticDepth(drop, mode="row")

    def forward(self, x):
        return x + self.depth(self.conv(x).relu())


def network(dropout=0.0, drop_connect=0.0, depth=0.0, fractional=False):
    pools = [nn.FractionalMaxPool2d(2, output_size=side) for side in (6, 4)] if fractional else [nn.MaxPool2d(2)]
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), Block(depth), *pools, Block(depth), Block(depth), nn.Flatten(),
        nn.Dropout(dropout), nn.DropConnect(16 * 4 * 4, 128, p=drop_connect), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(128, 10))


METHODS = {  # options of the network, and what is done to a batch
    "none": ({}, None), "weight decay": ({}, None), "dropout": ({"dropout": 0.6}, None),
    "DropConnect": ({"drop_connect": 0.7}, None), "stochastic depth": ({"depth": 0.5}, None),
    "fractional pooling": ({"fractional": True}, None),
    "cutout": ({}, lambda x, y: (cutout(x, 5), y)),
    "mixup": ({}, lambda x, y: mixup(x, y, alpha=1.0)),
}


def train(run, name, x, y):
    options, change = METHODS[name]
    model = network(**options)
    decay = 1.0 if name == "weight decay" else 0.0
    optimizer = optim.AdamW(model.parameters(), lr=2e-3, weight_decay=decay)
    for _ in run.progress(400, quick=2, label=name):
        batch = run.rng.integers(0, len(x), 64)
        images, targets = x[batch], F.one_hot(y[batch], 10).float()
        if change:
            images, targets = change(images, targets)
        loss = F.cross_entropy(model(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def example(run):
    train_set, held_out = data.digits(run.seed)
    x, truth = autograd.tensor(train_set.images[:500]), train_set.labels[:500]
    wrong = run.rng.random(500) < 0.4
    labels = np.where(wrong, (truth + run.rng.integers(1, 10, 500)) % 10, truth)
    y, test = autograd.tensor(labels), autograd.tensor(held_out.images)
    accuracy, believed = {}, {}
    for name in METHODS:
        model = train(run, name, x, y)
        passes = 20 if name == "fractional pooling" else 1  # it is random in use, too; the paper takes the mean
        with autograd.no_grad():
            seen, new = (sum(model(images).softmax(1) for _ in range(passes)).argmax(1).numpy() for images in (x, test))
        accuracy[name] = (new == held_out.labels).mean()
        believed[name] = (seen == labels)[wrong].mean()
        run.result(name, 100 * accuracy[name], "%")
        run.result(f"{name}: wrong learned", 100 * believed[name], "%")
    for name in set(METHODS) - {"none", "weight decay"}:
        run.holds(accuracy[name] > accuracy["none"] + 0.05)
        run.holds(believed[name] < believed["none"] / 2)
    run.save(picture(accuracy, believed))


def picture(accuracy, believed):
    figure, axes = plt.subplots(figsize=(7, 4))
    places = np.arange(len(accuracy))
    axes.barh(places - 0.2, [100 * a for a in accuracy.values()], 0.4, label="right on held-out digits")
    axes.barh(places + 0.2, [100 * b for b in believed.values()], 0.4, label="wrong labels learned by heart")
    axes.set(yticks=places, yticklabels=list(accuracy), xlabel="%", xlim=(0, 100))
    axes.set_title("40 % of 500 labels are wrong")
    axes.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=2)
    return figure
