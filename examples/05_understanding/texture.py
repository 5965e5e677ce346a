"""Texture synthesis: noise becomes a new piece of a texture, by the Gram matrices of a network's features.

Which features occur together, averaged over all places, says what a texture is, and nothing of what is where (Gatys et
al. 2015): change noise until its Gram matrices are those of a photograph, in all layers and at two scales. With the
means of the features alone colors and strokes are right, but not how they belong together. A network that was not
trained measures both: for that, random filters are good enough (Ustyuzhaninov et al. 2017). Try one scale only.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
from examples import data, networks

SYSTEMS = ("texture synthesis",)
CLAIM = ("By features that had no part in it, what is made of Gram matrices is, on average over four textures, at "
         "least a quarter closer to them than what is made of means, and for each less than a third as far as noise.")

TEXTURES = ("brick", "grass", "gravel", "immunohistochemistry")


def synthesize(run, model, wanted, noise, part, steps=150):
    """Images whose Gram matrices are those wanted, or agree in a part of their columns."""
    def loss(x):
        distance = networks.style_distance(*([gram[..., slice(*part)] for gram in grams]
                                             for grams in (networks.style(model, x), wanted)))
        return distance + 3 * networks.roughness(x)
    return networks.optimized(run, noise, loss, steps, 0.05, label="means" if part else "Gram matrices")[0]


def example(run):
    model, judge = networks.trained(run), networks.untrained(data.pieces(256, run.rng).images)
    side = run.pick(96, 24)
    corners = run.rng.integers(0, 512 - side, (len(TEXTURES), 2))
    pieces = [np.broadcast_to(data.photograph(name)[:, i:i + side, j:j + side], (3, side, side))
              for name, (i, j) in zip(TEXTURES, corners, strict=True)]
    x = autograd.tensor(np.stack(pieces))
    noise = (x.mean((2, 3), keepdim=True) + x.std((2, 3), keepdim=True) * autograd.randn(*x.shape)).clamp(0, 1)
    wanted = networks.style(model, x)
    made = {"noise": noise, "of means": synthesize(run, model, wanted, noise, (-1, None)),
            "of Gram matrices": synthesize(run, model, wanted, noise, (None,))}
    right = [networks.style(judge, image[None]) for image in x]
    far = {name: np.array([networks.style_distance(networks.style(judge, image[None]), grams).item()
                           for image, grams in zip(images, right, strict=True)]) for name, images in made.items()}
    for name, distances in far.items():
        for texture, distance in zip(TEXTURES, distances, strict=True):
            run.result(f"{texture} {name}, distance", distance)
    run.result("Gram matrices over means, on average", (far["of Gram matrices"] / far["of means"]).mean())
    run.holds((far["of Gram matrices"] / far["of means"]).mean() < 3 / 4)
    run.holds((far["of Gram matrices"] < far["noise"] / 3).all())

    figure, axes = plt.subplots(3, len(TEXTURES), figsize=(9, 6.8))
    rows = {"photograph": x, "of Gram matrices": made["of Gram matrices"], "of means": made["of means"]}
    for row, (name, images) in zip(axes, rows.items(), strict=True):
        row[0].set_ylabel(name)
        for axis, image, texture in zip(row, images.numpy(), TEXTURES, strict=True):
            axis.imshow(image.transpose(1, 2, 0))
            axis.set(xticks=[], yticks=[], title=texture[:16] if row is axes[0] else "")
            axis.spines[:].set_visible(False)
    run.save(figure)
