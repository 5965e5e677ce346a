"""Black-box attacks: against a network whose gradients nobody can see.

What leads one network astray often leads another one astray, too, so an attack on a network of one's own transfers
(Papernot et al. 2017). And a gradient can be estimated from answers alone: probabilities at x + σu and x - σu, for
many normally distributed u (Ilyas et al. 2018). The picture shows accuracy by the number of questions asked. Try
fewer questions a step, or a linear classifier as the network of one's own.
"""

import importlib

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
from examples import data, networks
from nn import functional as F

SYSTEMS = ("black-box attack",)
CLAIM = ("Without a gradient of the attacked network, changes of a pixel by at most 0.2 take it from over 90 % to "
         "below 60 % by an attack on another network, to below 30 % by estimated gradients; random changes leave "
         "over 75 %.")

attacks = importlib.import_module("examples.06_adversarial.attacks")
EPS, SIGMA = 0.2, 0.05


def loss_of(answer, x, y):
    """The cross entropy of each image, from probabilities alone."""
    return -np.log(np.take_along_axis(answer(x), y[:, None], 1)[:, 0] + 1e-12)


def estimated(answer, x, y, rng, pairs):
    """The gradient of the loss, from 2 · pairs questions about each image."""
    total = np.zeros_like(x)
    for _ in range(pairs):
        u = rng.standard_normal(x.shape).astype(np.float32)
        change = loss_of(answer, x + SIGMA * u, y) - loss_of(answer, x - SIGMA * u, y)
        total += change[:, None, None, None] * u
    return total / (2 * SIGMA * pairs)


def example(run):
    train_set, held_out = data.digits(run.seed)
    half = len(train_set.images) // 2
    victim = networks.fit(run, networks.digit_network(), train_set.images[:half], train_set.labels[:half])
    own = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    networks.fit(run, own, train_set.images[half:], train_set.labels[half:], label="one's own")  # other images, too
    x, y = map(autograd.tensor, held_out)

    @autograd.no_grad()
    def answer(images):
        return F.softmax(victim(autograd.tensor(images)), -1).numpy()

    right = {"as they are": networks.accuracy(victim, x, y)}
    noise = EPS * autograd.tensor(run.rng.choice([-1, 1], x.shape)).float()
    right["random"] = networks.accuracy(victim, (x + noise).clamp(0, 1), y)
    right["transferred"] = networks.accuracy(victim, attacks.pgd(own, x, y, EPS), y)
    clean, pairs = held_out.images, run.pick(25, 1)
    attacked, curve = clean, [right["as they are"]]
    for _ in run.progress(12, quick=1, label="questions"):
        gradient = estimated(answer, attacked, held_out.labels, run.rng, pairs)
        attacked = np.clip(attacked + 0.05 * np.sign(gradient), clean - EPS, clean + EPS).clip(0, 1)
        curve.append(networks.accuracy(victim, attacked, y))
    right["estimated"] = curve[-1]
    for name, value in right.items():
        run.result(name, 100 * value, "%")
    run.holds(right["as they are"] > 0.9)
    run.holds(right["random"] > 0.75)
    run.holds(right["transferred"] < 0.6)
    run.holds(right["estimated"] < 0.3)

    figure, (left, axes) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(3, 2))
    left.plot(2 * pairs * np.arange(len(curve)), 100 * np.array(curve), "o-", label="estimated gradients")
    for k, name in enumerate(("random", "transferred"), start=1):
        left.axhline(100 * right[name], color=f"C{k}", linestyle="--", label=f"{name}, no question")
    left.set(xlabel="questions asked about each image", ylabel="held-out accuracy in %", ylim=(0, 100),
             title="Attacks on a network that only answers")
    left.legend()
    axes.imshow(np.concatenate([data.in_a_row(batch[:6]) for batch in (clean, attacked)]), vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[], title="Before; after estimated gradients")
    run.save(figure)
