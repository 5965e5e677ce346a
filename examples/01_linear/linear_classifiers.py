"""Two losses on the same scores W x + b, the SVM's and softmax's, and what L1, L2 and elastic net do to W.

The multiclass SVM asks that the right score exceed the others by a margin, Σ_j max(0, s_j - s_y + 1); softmax takes
scores for log probabilities (Weston and Watkins 1999). Of all W with equal scores regularization prefers small ones:
L2 spreads a score over many pixels, L1 sets most weights to nearly 0, elastic net (Zou and Hastie 2005) is between.
The picture: the rows of W are templates, red where ink speaks for a digit. Try reg = 0.1, which is too much.
"""

import math

import numpy as np
from matplotlib import pyplot as plt

import autograd
import optim
from examples import data
from nn import functional as F

SYSTEMS = ("SVM", "softmax", "L1 regularization", "L2 regularization", "elastic net")
CLAIM = ("Losses begin at chance (9 and log 10); all eight read over 88 % of held-out digits; L1 leaves at least "
         "twice as many weights near 0 as L2, and elastic net is between.")

LOSSES = {  # multi_margin_loss divides by the number of classes, the notes do not
    "SVM": lambda scores, labels: 10 * F.multi_margin_loss(scores, labels),
    "softmax": F.cross_entropy,
}
PENALTIES = {
    "none": lambda weight: 0.0,
    "L2": lambda weight: 5e-3 * F.l2_penalty([weight]),
    "elastic net": lambda weight: 5e-3 * F.elastic_net_penalty([weight], l1_ratio=0.5),
    "L1": lambda weight: 5e-3 * F.l1_penalty([weight]),
}


def train(run, x, y, loss, penalty, label):
    """W and b, and the loss they began with."""
    weight = (1e-3 * autograd.randn(10, x.shape[1])).requires_grad_()
    bias = autograd.zeros(10, requires_grad=True)
    optimizer = optim.SGD([weight, bias], lr=0.05, momentum=0.9)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=run.pick(400, 3))
    first = loss(F.linear(x, weight, bias), y).item()
    for _ in run.progress(400, quick=3, label=label):
        objective = loss(F.linear(x, weight, bias), y) + penalty(weight)
        optimizer.zero_grad()
        objective.backward()
        optimizer.step()
        schedule.step()
    return weight.detach(), bias.detach(), first


def example(run):
    train_set, held_out = data.digits(run.seed)
    mean = train_set.images.mean(0)
    x, test = (autograd.tensor(part.images - mean).flatten(1) for part in (train_set, held_out))
    y, labels = autograd.tensor(train_set.labels), held_out.labels

    figure, axes = plt.subplots(8, 10, figsize=(9, 7.6), subplot_kw={"xticks": [], "yticks": []})
    rows = iter(axes)
    for name, loss in LOSSES.items():
        sparse = {}
        for kind, penalty in PENALTIES.items():
            weight, bias, first = train(run, x, y, loss, penalty, f"{name}, {kind}")
            accuracy = (F.linear(test, weight, bias).argmax(1).numpy() == labels).mean()
            sizes = np.abs(weight.numpy())
            sparse[kind] = (sizes < 0.02 * sizes.max()).mean()
            run.result(f"{name}, {kind}", 100 * accuracy, "%")
            run.holds(accuracy > 0.88)
            for digit, (ax, template) in enumerate(zip(next(rows), weight.numpy().reshape(10, 8, 8), strict=True)):
                ax.imshow(template, cmap="RdBu_r", vmin=-sizes.max(), vmax=sizes.max())
                ax.set_ylabel(f"{name}\n{kind}" if digit == 0 else "", fontsize=8)
        run.result(f"{name}, near 0 with L2", 100 * sparse["L2"], "%")
        run.result(f"{name}, near 0 with L1", 100 * sparse["L1"], "%")
        run.holds(abs(first / {"SVM": 9, "softmax": math.log(10)}[name] - 1) < 0.01)
        run.holds(sparse["L1"] > 2 * sparse["L2"])
        run.holds(sparse["L2"] < sparse["elastic net"] < sparse["L1"])
    for digit, ax in enumerate(axes[0]):
        ax.set_title(digit)
    figure.suptitle("Rows of W as images; red speaks for the digit, blue against it")
    run.save(figure)
