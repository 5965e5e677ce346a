"""DeepDream: a photograph in which a network sees more and more of what it knows.

Whatever a layer sees in a picture, strengthen it: change the picture up the gradient of the mean of the squares of that
layer's features (Mordvintsev et al. 2015). Do so from a small picture to a large one, keeping the change, with steps of
one size whatever the gradient's, and shift the picture at random. Layer 2 brings out strokes, later ones the bricks and
spots of the photographs that the network knows. Try a single channel of a layer.
"""

from matplotlib import pyplot as plt

import autograd
from examples import data, networks
from nn import functional as F

SYSTEMS = ("DeepDream",)
CLAIM = ("In the dream of each layer its features are at least 1.5 times as strong (mean square) as in the photograph, "
         "and at least 1.3 times as strong as with the same changes at shuffled places.")


def dream(run, model, photo, layer, octaves=3, steps=12, rate=0.015):
    """The photograph (1, 3, H, W), with more of what the layer sees."""
    sizes = [tuple(round(n / 1.4 ** k) for n in photo.shape[2:]) for k in reversed(range(octaves))]
    change = autograd.zeros(1, 3, *sizes[0])
    for size in sizes:
        base = F.interpolate(photo, size=size, mode="bilinear")
        change = F.interpolate(change, size=size, mode="bilinear")
        for _ in run.progress(steps, quick=1, label=f"{size[1]} × {size[0]}"):
            shift = tuple(run.rng.integers(-8, 9, 2).tolist())
            x = (base + change).roll(shift, (2, 3)).requires_grad_()
            (gradient,) = autograd.grad(networks.activations(model, x)[layer].relu().square().mean(), x)
            step = rate * gradient / gradient.abs().mean()
            change = change + step.roll((-shift[0], -shift[1]), (2, 3))
            change = (base + change).clamp(0, 1) - base
    return base + change


def strength(model, x, layer):
    """The mean square of a layer's features."""
    with autograd.no_grad():
        return networks.activations(model, x)[layer].relu().square().mean().item()


def example(run):
    model = networks.trained(run)
    photo = autograd.tensor(data.photograph("coffee")[None, :, 20:380:2, 100:500:2])
    dreams = {}
    for layer in (1, 2, 3):
        name = f"layer {layer + 1}"
        dreams[name] = dream(run, model, photo, layer)
        change = (dreams[name] - photo).numpy().reshape(3, -1)
        shuffled = (photo + autograd.tensor(run.rng.permutation(change, axis=1).reshape(photo.shape))).clamp(0, 1)
        more = {what: strength(model, x, layer) / strength(model, photo, layer)
                for what, x in (("dream", dreams[name]), ("shuffled", shuffled))}
        for what, factor in more.items():
            run.result(f"{name}, {what}", factor, "times")
        run.holds(more["dream"] > 1.5)
        run.holds(more["dream"] > 1.3 * more["shuffled"])

    figure, axes = plt.subplots(2, 2, figsize=(8, 7.4))
    for axis, (name, x) in zip(axes.flat, {"photograph": photo, **dreams}.items(), strict=True):
        axis.imshow(x[0].numpy().transpose(1, 2, 0))
        axis.set(xticks=[], yticks=[], title=name)
        axis.spines[:].set_visible(False)
    run.save(figure)
