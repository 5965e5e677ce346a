"""Maximally activating patches: what a channel looks for, shown by the images that excite it most.

Send many images through the network, and for each channel keep the places where it is largest: the pieces that it
saw there (Zeiler and Fergus 2014). What a channel's pieces have in common is what it looks for: an edge or a color in
the first layer, the stroke of a digit or a texture in the last. The picture shows some channels of each layer, with
their strongest pieces, each from another image. Try the untrained network: its pieces have brightness in common.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
from examples import data, networks

SYSTEMS = ("maximally activating patches",)
CLAIM = ("Of the nine held-out images that excite a channel most, on average at least 60 % show the same digit in the "
         "last layer; in the first one, and in the last of an untrained network, at least 15 % fewer do.")

COUNT = 9


def strongest(model, x):
    """For each convolution: the images, rows and columns where each channel is largest, (channels, COUNT, 3); one place
    an image."""
    found = []
    for layer in model.features:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            value, place = x.flatten(2).max(2)
            images = value.topk(COUNT, 0)[1].T
            place = place.T.gather(1, images)
            found.append(autograd.stack([images, place // x.shape[3], place % x.shape[3]], 2).numpy())
    return found


def in_common(found, digits):
    """The share of the most frequent digit in the images of each channel, on average."""
    return np.mean([np.bincount(digits[images]).max() for images in found[..., 0]]) / COUNT


def piece(images, place, field, stride):
    """What a channel saw at a place: a square of `field` pixels."""
    image, row, column = place
    padded = np.pad(images[image], ((0, 0), (16, 16), (16, 16)), constant_values=1)
    top, left = (int((k + 0.5) * stride + 16 - field / 2) for k in (row, column))
    return padded[:, top:top + field, left:left + field].transpose(1, 2, 0)


def example(run):
    model, untrained = networks.trained(run), networks.photograph_network().eval()
    held_out = data.on_photographs(data.digits(run.seed)[1], run.pick(1500, 40), run.rng, held_out=True)
    x = autograd.tensor(held_out.images)
    with autograd.no_grad():
        places, chance = strongest(model, x), strongest(untrained, x)
    share = {}
    for name, found in (("first layer", places[0]), ("last layer", places[-1]), ("last layer, untrained", chance[-1])):
        share[name] = in_common(found, held_out.digits)
        run.result(f"of one digit, {name}", 100 * share[name], "%")
    run.holds(share["last layer"] > 0.6)
    run.holds(share["last layer"] > 0.15 + max(share["first layer"], share["last layer, untrained"]))

    figure = plt.figure(figsize=(12, 5))
    for part, k, field, stride in zip(figure.subfigures(1, 4), range(4), (7, 12, 22, 30), (1, 2, 4, 4), strict=True):
        part.suptitle(f"layer {k + 1}: {field} × {field} pixels")
        for row, channel in zip(part.subplots(6, 6), places[k], strict=False):
            for axis, place in zip(row, channel, strict=False):
                axis.imshow(piece(held_out.images, place, field, stride))
                axis.set_axis_off()
    run.save(figure)
