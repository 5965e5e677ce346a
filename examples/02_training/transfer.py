"""Transfer: a network that has learned five digits needs only a few examples of the other five.

What the first layers of a network learn, edges and strokes, serves other tasks, too. With little data keep them, and
train a linear classifier on their features; with more, go on training them with a small learning rate (Yosinski et al.
2014). Here a network learns 0 to 4 on bricks, grass and gravel from many images, then 5 to 9 from a few. What it has
learned of backgrounds it keeps. The picture compares what it reads with what a network can that begins from nothing.
Try features that were not trained.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F

SYSTEMS = ("transfer learning", "fine-tuning", "feature extraction")
CLAIM = ("With ten examples each of 5 to 9, on textures, a network that knows 0 to 4 reads at least 10 % more of the "
         "held-out ones than one that begins from nothing, with its features kept and with fine-tuning.")

COUNTS = (5, 10, 20, 50)


def features():
    """Images to 256 features."""
    def block(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*block(1, 16), *block(16, 32), *block(32, 64), nn.Flatten())


def train(run, groups, model, x, y, steps, label=""):
    """Adam; groups of parameters with a learning rate each."""
    optimizer = optim.Adam(groups)
    for _ in run.progress(steps, quick=2, label=label):
        batch = run.rng.integers(0, len(x), 32)
        loss = F.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def example(run):
    train_set, held_out = data.digits(run.seed)
    x, test = (autograd.tensor(data.on_textures(part, run.rng).images) for part in (train_set, held_out))
    y = autograd.tensor(train_set.labels)
    many = np.tile(np.flatnonzero(train_set.labels < 5), 8)  # each on eight backgrounds
    source = data.Labeled(train_set.images[many], train_set.labels[many])
    high = held_out.labels >= 5
    many_images = autograd.tensor(data.on_textures(source, run.rng).images)
    base = features()
    model = nn.Sequential(base, nn.Linear(256, 5))
    train(run, [{"params": model.parameters(), "lr": 2e-3}], model, many_images,
          autograd.tensor(source.labels), 800, "0 to 4")

    accuracy = {"scratch": [], "features kept": [], "fine-tuned": []}
    for count in COUNTS:
        few = np.concatenate([np.flatnonzero(train_set.labels == digit)[:count] for digit in range(5, 10)])
        for name, shares in accuracy.items():
            below, head = features(), nn.Linear(256, 5)
            if name != "scratch":
                below.load_state_dict(base.state_dict())
            model = nn.Sequential(below, head)
            groups = [{"params": head.parameters(), "lr": 2e-3}]
            if name != "features kept":
                groups.append({"params": below.parameters(), "lr": 2e-3 if name == "scratch" else 3e-4})
            train(run, groups, model, x[few], y[few] - 5, 100, f"{name}, {count} each")
            model.eval()
            right = model(test[high]).argmax(1).numpy() + 5 == held_out.labels[high]
            shares.append(right.mean())
            run.result(f"{name}, {count} each", 100 * right.mean(), "%")
    ten = COUNTS.index(10)
    run.holds(accuracy["features kept"][ten] > accuracy["scratch"][ten] + 0.1)
    run.holds(accuracy["fine-tuned"][ten] > accuracy["scratch"][ten] + 0.1)

    figure, axes = plt.subplots(figsize=(6, 3.8))
    for name, shares in accuracy.items():
        axes.plot(COUNTS, 100 * np.array(shares), marker="o", label=name)
    axes.set(xscale="log", xticks=COUNTS, xticklabels=COUNTS, xlabel="examples of each digit, 5 to 9",
             ylabel="% of held-out 5 to 9", title="What a network gains that knows 0 to 4")
    axes.minorticks_off()
    axes.legend()
    run.save(figure)
