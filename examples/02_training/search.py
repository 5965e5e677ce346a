"""Hyper-parameters by chance beat a grid, and the second, finer look beats the first.

Of several hyper-parameters one matters most, and nobody knows which. A grid of 27 trials tries 3 learning rates, nine
times each; 27 random trials try 27 (Bergstra and Bengio 2012). All three multiply, so logarithms are drawn evenly.
Then the search goes on around the best, coarse to fine. Where the grid lies is drawn, too, since nobody knows where it
should; all is done ten times. The picture shows the trials of the last time. Try more trials in the grid: how many
does it take?
"""

import itertools
import warnings

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F
from optim.search import log_uniform, search

SYSTEMS = ("random search", "grid search", "coarse to fine", "hyper-parameters")
CLAIM = ("Over ten repetitions the best of 27 random trials is better by 3 % of validation than the best of a grid "
         "of 27, and the mean of 27 finer ones better by 20 % than that of the coarse ones; what they choose trains "
         "to over 90 % of held-out digits.")

RANGES = {"lr": (1e-5, 1e2), "weight_decay": (1e-6, 1e-2), "dropout": (1e-3, 1e-1)}
SPACE = {name: log_uniform(*ends) for name, ends in RANGES.items()}


@np.errstate(over="ignore", invalid="ignore")  # of rates that are too high
def train(x, y, lr, weight_decay, dropout, steps, rng):
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 10))
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)
    for _ in range(steps):
        batch = rng.integers(0, len(x), 64)
        loss = F.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def accuracy(model, x, y):
    with autograd.no_grad():
        return (model(x).argmax(1) == y).numpy().mean()


def example(run):
    train_set, held_out = data.digits(run.seed)
    x, test = (autograd.tensor(part.images).flatten(1) for part in (train_set, held_out))
    y, labels = autograd.tensor(train_set.labels), autograd.tensor(held_out.labels)
    rest, validation = slice(0, len(x) * 3 // 4), slice(len(x) * 3 // 4, None)
    steps = run.pick(30, 2)

    def score(**options):
        return accuracy(train(x[rest], y[rest], **options, steps=steps, rng=run.rng), x[validation], y[validation])

    searches = {}
    bests, means = ({"grid": [], "random": [], "random, then finer": []} for _ in range(2))
    warnings.simplefilter("ignore", UserWarning)  # the best of a random search may well lie at an edge
    for k in run.progress(10, quick=1):
        axes = [10 ** (low + (high - low) * (np.arange(3) + run.rng.random()) / 3)
                for low, high in np.log10(list(RANGES.values()))]
        points = [dict(zip(RANGES, point, strict=True)) for point in itertools.product(*axes)]
        coarse = search(score, SPACE, 27, seed=100 * run.seed + k)
        fine = search(score, coarse.refined(), 27, seed=100 * run.seed + k)
        searches = {"grid": [(point, score(**point)) for point in points],
                    "random": [(trial.options, trial.score) for trial in coarse.trials],
                    "random, then finer": [(trial.options, trial.score) for trial in fine.trials]}
        for name, trials in searches.items():
            bests[name].append(max(score for _, score in trials))
            means[name].append(np.mean([score for _, score in trials]))
    for name, scores in bests.items():
        run.result(f"{name}: best validation", 100 * np.mean(scores), "%")
        run.result(f"{name}: mean trial", 100 * np.mean(means[name]), "%")
    chosen, _ = max(searches["random, then finer"], key=lambda trial: trial[1])
    tested = accuracy(train(x, y, **chosen, steps=run.pick(600, 2), rng=run.rng), test, labels)
    run.result("trained with the last one's choice: held-out", 100 * tested, "%")
    run.holds(np.mean(bests["random"]) > np.mean(bests["grid"]) + 0.03)
    run.holds(np.mean(means["random, then finer"]) > np.mean(means["random"]) + 0.2)
    run.holds(tested > 0.9)

    figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), sharey=True, sharex=True)
    for ax, (name, trials) in zip(axes, searches.items(), strict=True):
        lr, decay, scores = np.transpose([(point["lr"], point["weight_decay"], score) for point, score in trials])
        shown = ax.scatter(lr, decay, c=100 * scores, s=60, cmap="viridis", vmin=0, vmax=100, edgecolors="0.5")
        ax.set(xscale="log", yscale="log", xlabel="learning rate", title=f"{name}: best {100 * scores.max():.1f} %")
    axes[0].set_ylabel("weight decay")
    figure.colorbar(shown, ax=axes, label="validation accuracy, %")
    run.save(figure)
