"""Gradient ascent: images that a network takes for a class, from nothing.

Change an image, not the network, until the network is sure of a class (Simonyan et al. 2014). Without more than that
the image is noise, and another network, trained from another seed, does not see in it what this one does. Priors of
what images look like help: neighbors are alike, most of an image is dark, and it shows the same if it is shifted a
little (Yosinski et al. 2015; Mordvintsev et al. 2015). Then digits appear, which the other network reads. Try each
prior alone.
"""

from matplotlib import pyplot as plt

import autograd
import optim
from examples import data, networks
from nn import functional as F

SYSTEMS = ("gradient ascent",)
CLAIM = ("Of the images that gradient ascent makes of digits, another network reads at least 80 % with priors and less "
         "than 65 % without. With them neighboring pixels differ less than in held-out images, without them at least "
         "twice as much.")


def ascend(run, model, digits, priors, steps=300):
    """An image that the model takes for each of the digits."""
    x = (0.3 + 0.03 * autograd.randn(len(digits), 3, 24, 24)).requires_grad_()
    optimizer = optim.Adam([x], lr=0.03)
    for _ in run.progress(steps, quick=2, label="with priors" if priors else "without"):
        down, right = run.rng.integers(-4, 5, 2).tolist() if priors else (0, 0)
        loss = F.cross_entropy(model(x.roll((down, right), (2, 3)))[:, :10], digits)
        if priors:
            loss = loss + 30 * networks.roughness(x) + 3 * (x - 0.2).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with autograd.no_grad():
            x.clamp_(0, 1)
    return x.detach()


def example(run):
    model, other = networks.trained(run), networks.trained(run, 1000)
    digits = autograd.arange(10).repeat(run.pick(4, 1))
    made = {"without priors": ascend(run, model, digits, False), "with priors": ascend(run, model, digits, True)}
    read, rough = {}, {}
    for name, x in made.items():
        read[name] = (other(x)[:, :10].argmax(1) == digits).float().mean().item()
        itself = (model(x)[:, :10].argmax(1) == digits).float().mean().item()
        rough[name] = networks.roughness(x).item() ** 0.5
        run.result(f"{name}, read by itself", 100 * itself, "%")
        run.result(f"{name}, read by another", 100 * read[name], "%")
        run.result(f"{name}, neighbors differ by", rough[name])
    held_out = data.on_photographs(data.digits(run.seed)[1], 100, run.rng, held_out=True)
    usual = networks.roughness(autograd.tensor(held_out.images)).item() ** 0.5
    run.result("held-out images, neighbors differ by", usual)
    run.holds(read["with priors"] >= 0.8)
    run.holds(read["without priors"] < 0.65)
    run.holds(rough["with priors"] < usual)
    run.holds(rough["without priors"] > 2 * usual)

    figure, axes = plt.subplots(2, 10, figsize=(11, 2.8))
    for row, (name, images) in zip(axes, made.items(), strict=True):
        row[0].set_ylabel(name)
        for digit, (axis, image) in enumerate(zip(row, images.numpy(), strict=False)):
            axis.imshow((image / image.max()).transpose(1, 2, 0))
            axis.set(xticks=[], yticks=[], title=str(digit))
            axis.spines[:].set_visible(False)
    figure.suptitle("What a network takes for each digit (as bright as possible)")
    run.save(figure)
