"""What to look at before training in earnest, and while it runs: the notes' checks of loss, learning rate and updates.

At first the loss is that of chance, log 10; regularization raises it. Twenty examples can be learned by heart: if not,
something is broken. Trials of a few steps at rates over six powers of ten show where the loss falls fastest, which is
near to where it diverges; a tenth of that is a good rate (Smith 2017). While training, an update moves weights by
about a thousandth. The picture shows loss by learning rate, and update ratios. Try lr = 1 in the last training.
"""

import math

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F

SYSTEMS = ("chance loss", "overfitting a small set", "learning rate finding", "update ratio")
CLAIM = ("The first loss is log 10 (to 2 %) and regularization raises it; 20 examples are learned by heart; rates of "
         "1e-5 do nothing and of 10 diverge, and a tenth of the fastest one trains to over 92 % of held-out digits "
         "with updates of 1e-4 to 1e-2 of the weights.")


def network():
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    with autograd.no_grad():
        model[-1].weight *= 0.1  # no opinion at first
    return model


@np.errstate(over="ignore", invalid="ignore")  # of rates that are too high
def train(model, x, y, lr, batches):
    """The losses, and the median update ratio, of SGD with momentum."""
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    losses = []
    with optim.UpdateRatio(optimizer) as ratios:
        for batch in batches:
            loss = F.cross_entropy(model(x[batch]), y[batch])
            if not math.isfinite(loss.item()):
                return [*losses, math.inf], ratios.history
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses, ratios.history


def example(run):
    train_set, held_out = data.digits(run.seed)
    x, test = (autograd.tensor(part.images).flatten(1) for part in (train_set, held_out))
    y = autograd.tensor(train_set.labels)
    draws = lambda steps: [run.rng.integers(0, len(x), 64) for _ in range(steps)]  # noqa: E731

    model = network()
    chance = F.cross_entropy(model(x), y).item()
    penalized = chance + 0.1 * F.l2_penalty(model.parameters()).item()
    run.result("first loss", chance)
    run.holds(abs(chance / math.log(10) - 1) < 0.02 and penalized > chance + 0.1)

    few, _ = train(network(), x[:20], y[:20], 0.1, [slice(None)] * run.pick(200, 2))
    run.result("loss of 20 examples", few[-1])
    run.holds(few[-1] < 0.01)

    rates = 10.0 ** np.arange(-5, 1.5, 0.5)
    trials = [np.mean(train(network(), x, y, lr, draws(run.pick(60, 2)))[0][-10:])
              for lr in run.progress(rates, quick=13)]
    best = rates[np.argmin(trials)] / 10  # at the fastest rate it is about to diverge
    run.result("best learning rate", best)
    run.holds(trials[0] > 0.98 * chance and trials[-1] > chance)

    model = network()
    losses, history = train(model, x, y, best, list(run.progress(draws(600), quick=2, label="the best")))
    ratios = np.array([[ratio for name, ratio in step.items() if np.isfinite(ratio)][::2][:3] for step in history])
    accuracy = (model(test).argmax(1).numpy() == held_out.labels).mean()
    typical = np.median(ratios)
    run.result("update ratio", typical)
    run.result("held-out accuracy", 100 * accuracy, "%")
    run.holds(accuracy > 0.92 and 1e-4 < typical < 1e-2)

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.6))
    left.semilogx(rates, np.minimum(trials, 5), marker="o")
    left.axhline(math.log(10), color="C6", linestyle=":", label="chance, log 10")
    left.axvline(best, color="C2", linestyle="--", label=f"a tenth of the fastest, {best:.2g}")
    left.set(xlabel="learning rate", ylabel="loss after 60 steps (cut off at 5)", title="Finding the learning rate")
    left.legend(loc="upper left", bbox_to_anchor=(0, 0.9))
    middle.semilogy(losses, color="C0")
    middle.set(xlabel="step", ylabel="cross entropy", title=f"Training with it: {accuracy:.1%} held-out")
    right.semilogy(ratios, label=["weights, layer 1", "weights, layer 2", "weights, layer 3"][:ratios.shape[1]])
    right.axhline(1e-3, color="C6", linestyle=":")
    right.set(xlabel="step", ylabel="‖Δw‖ / ‖w‖", title="Size of updates (dotted: the rule of thumb)")
    right.legend()
    run.save(figure)
