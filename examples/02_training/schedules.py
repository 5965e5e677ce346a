"""Learning rates that change: falling ones end better than constant ones, and a warm-up lets a high one begin.

A high rate moves fast but cannot settle, a low one settles but does not arrive: steps, cosine (Loshchilov and Hutter
2017) and 1/t do both, one after the other. At the very beginning a high rate may break a network for good; raised from
nearly 0 over some steps it does not (Goyal et al. 2017): a Transformer normalized behind its shortcuts needs that. The
picture shows rates and losses. Try a warm-up of ten steps.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import functional as F

SYSTEMS = ("learning rate schedule", "step decay", "cosine", "1/t decay", "warm-up")
CLAIM = ("Three falling rates read at least 1 % more of the held-out digits than the constant one they begin with; "
         "after as many steps a Transformer whose rate is warmed up has a loss lower by 0.3 than one that begins "
         "with the full rate.")

STEPS = 600
SCHEDULES = {  # the rate at step t, of a peak of 1
    "constant": lambda t: 1.0,
    "steps": lambda t: 0.1 ** (3 * t // STEPS),
    "cosine": lambda t: 0.5 * (1 + np.cos(np.pi * t / STEPS)),
    "1/t": lambda t: 1 / (1 + t / 30),
}


def perceptron():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


class Transformer(nn.Module):
    """Six layers over the eight rows of an image, each normalized behind its shortcut (Vaswani et al. 2017)."""

    def __init__(self):
        super().__init__()
        self.embed, self.position = nn.Linear(8, 32), nn.Parameter(0.1 * autograd.randn(8, 32))
        layers = [nn.TransformerEncoderLayer(32, 2, 64, dropout=0, batch_first=True) for _ in range(6)]
        self.layers = nn.Sequential(*layers)
        self.scores = nn.Linear(32, 10)

    def forward(self, x):
        return self.scores(self.layers(self.embed(x.unflatten(1, (8, 8))) + self.position).mean(1))


def train(run, model, optimizer, factor, steps, x, y, label):
    """The loss of each step; the rate is the optimizer's times factor(step)."""
    schedule = optim.lr_scheduler.LambdaLR(optimizer, factor)
    losses = []
    for _ in run.progress(steps, quick=2, label=label):
        batch = run.rng.integers(0, len(x), 32)
        loss = F.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def example(run):
    train_set, held_out = data.digits(run.seed)
    x, test = (autograd.tensor(part.images - 0.3).flatten(1) for part in (train_set, held_out))
    wrong = run.rng.random(len(x)) < 0.2
    noisy = autograd.tensor(np.where(wrong, run.rng.integers(0, 10, len(x)), train_set.labels))
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.8))

    accuracy = {}
    for name, factor in SCHEDULES.items():
        model = perceptron()
        optimizer = optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
        losses = train(run, model, optimizer, factor, STEPS, x, noisy, name)
        accuracy[name] = (model(test).argmax(1).numpy() == held_out.labels).mean()
        run.result(f"{name}: held-out", 100 * accuracy[name], "%")
        left.plot([0.2 * factor(t) for t in range(STEPS)], label=name)
        middle.plot(np.convolve(losses, np.ones(30) / 30, "valid"), label=f"{name}, {accuracy[name]:.0%} held-out")
    run.holds(min(accuracy[name] for name in SCHEDULES if name != "constant") > accuracy["constant"] + 0.01)

    reached = {}
    for name, warm in (("at once", 1), ("warm-up", 150)):
        model = Transformer()
        losses = train(run, model, optim.Adam(model.parameters(), lr=0.01), lambda t, warm=warm: min(1, (t + 1) / warm),
                       300, x, autograd.tensor(train_set.labels), name)
        reached[name] = np.mean(losses[-50:])
        run.result(f"Transformer, {name}: loss", reached[name])
        right.plot(np.convolve(losses, np.ones(20) / 20, "valid"), label=name)
    run.holds(reached["warm-up"] < reached["at once"] - 0.3)

    left.set(xlabel="step", ylabel="learning rate", title="Schedules")
    middle.set(xlabel="step", ylabel="cross entropy", title="A perceptron, a fifth of labels by lot", ylim=(0.5, 2.5))
    right.set(xlabel="step", ylabel="cross entropy", title="A Transformer, Adam's rate 0.01")
    for ax in (left, middle, right):
        ax.legend()
    run.save(figure)
