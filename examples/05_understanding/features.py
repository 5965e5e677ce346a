"""Features: what a network's first filters look for, and what its last features have in common.

The first layer's filters can be looked at as they are, being small images: edges and spots of color, whatever the task
(Krizhevsky et al. 2012). The last features can be looked at by neighbors: images near one another in feature space mean
the same, while those near one another as pixels have the same background. t-SNE lays them out in a plane, so that near
ones stay near (van der Maaten and Hinton 2008). The network reads digits on photographs. Try the untrained one.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
from examples import data, networks
from nn import functional as F

SYSTEMS = ("first-layer filters", "nearest neighbors in feature space", "t-SNE")
CLAIM = ("Of the five nearest neighbors of held-out images, at least 70 % show the same digit in feature space, and "
         "less than 30 % as pixels or in features that were not trained; t-SNE keeps that in two dimensions. "
         "Neighboring weights of the first layer's filters correlate by more than 0.4, untrained by less than 0.1.")


def neighbors(x, count=5):
    """The nearest others of each, (N, count)."""
    distances = autograd.cdist(x, x)
    distances.fill_diagonal_(float("inf"))
    return distances.topk(count, largest=False)[1].numpy()


def alike(filters):
    """The correlation of neighboring weights."""
    return F.cosine_similarity(filters[..., 1:].flatten(), filters[..., :-1].flatten(), dim=0).item()


def example(run):
    from sklearn.manifold import TSNE
    model, untrained = networks.trained(run), networks.photograph_network().eval()
    held_out = data.on_photographs(data.digits(run.seed)[1], run.pick(600, 60), run.rng, held_out=True)
    x = autograd.tensor(held_out.images)
    with autograd.no_grad():
        spaces = {"pixels": x.flatten(1), "untrained features": untrained[:3](x), "features": model[:3](x)}
    flat = {}
    for name in ("pixels", "features"):
        tsne = TSNE(perplexity=run.pick(30, 5), max_iter=run.pick(500, 250), random_state=run.seed)
        flat[f"t-SNE of {name}"] = autograd.tensor(tsne.fit_transform(spaces[name].numpy()))
    share = {}
    for name, points in (spaces | flat).items():
        same = held_out.digits[neighbors(points)] == held_out.digits[:, None]
        share[name] = same.mean()
        run.result(f"neighbors with the same digit, {name}", 100 * share[name], "%")
    filters = {name: net.features[1].weight.detach() for name, net in (("untrained", untrained), ("trained", model))}
    for name, weights in filters.items():
        run.result(f"correlation of neighboring weights, {name}", alike(weights))
    run.holds(share["features"] > 0.7 and share["t-SNE of features"] > 0.7)
    run.holds(all(share[name] < 0.3 for name in ("pixels", "untrained features", "t-SNE of pixels")))
    run.holds(alike(filters["trained"]) > 0.4)
    run.holds(abs(alike(filters["untrained"])) < 0.1)

    figure = plt.figure(figsize=(11, 7))
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 2))
    left, right = top.subfigures(1, 2)
    for part, (name, weights) in zip((left, right), filters.items(), strict=True):
        part.suptitle(f"First-layer filters, {name}")
        for axis, weight in zip(part.subplots(2, 8).flat, weights.numpy(), strict=True):
            axis.imshow(0.5 + 0.5 * (weight / np.abs(weight).max()).transpose(1, 2, 0))
            axis.set_axis_off()
    left, right = bottom.subfigures(1, 2)
    left.suptitle("An image, and the nearest: as pixels, as features")
    grid = left.subplots(5, 10)
    nearest = [neighbors(spaces[name], 5) for name in ("pixels", "features")]
    for k, row in enumerate(grid):
        for axis, other in zip(row, [k, *nearest[0][k][:4], k, *nearest[1][k][:4]], strict=True):
            axis.imshow(held_out.images[other].transpose(1, 2, 0))
            axis.set_axis_off()
    axes = right.subplots()
    points = flat["t-SNE of features"].numpy()
    for digit in range(10):
        chosen = points[held_out.digits == digit]
        for x, y in chosen:
            axes.text(x, y, str(digit), fontsize=7, color=plt.cm.tab10(digit))
    axes.set(xlim=(points[:, 0].min(), points[:, 0].max()), ylim=(points[:, 1].min(), points[:, 1].max()),
             xticks=[], yticks=[], title="t-SNE of the features")
    run.save(figure)
