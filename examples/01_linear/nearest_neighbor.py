"""Digits by their nearest neighbors, the number of neighbors and the distance chosen by cross-validation.

A nearest-neighbor classifier learns nothing: it remembers all training images, and an image gets the label that most
of its k nearest have (Cover and Hart 1967). k and the distance are hyper-parameters. They are chosen on folds of the
training set that take turns as the validation set, and the held-out digits are looked at once, at the end. The picture
shows the mean of the folds and how far they differ. Try p = 8, which hears the loudest pixels only.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
from examples import data
from nn.data import KFold

SYSTEMS = ("k-nearest neighbor", "L1 distance", "L2 distance", "cross-validation")
CLAIM = ("Cross-validation chooses k and distance: over 96 % of the held-out digits are right, with 80 neighbors "
         "fewer.")

COUNTS = (1, 3, 5, 8, 12, 20, 40, 80)


def predict(train, labels, images, k, p):
    """For each image the label that most of its k nearest have, by the Lp distance; the smallest label of a tie."""
    distances = autograd.cdist(autograd.tensor(images), autograd.tensor(train), p=p)
    nearest = distances.topk(k, largest=False).indices.numpy()
    return np.stack([np.bincount(votes, minlength=10) for votes in labels[nearest]]).argmax(1)


def example(run):
    train, held_out = data.digits(run.seed)
    images = train.images.reshape(len(train.images), -1)
    folds = KFold(5, shuffle=True).split(images)
    accuracies = np.zeros((2, len(COUNTS), 5))
    for fold, (rest, part) in enumerate(run.progress(list(folds), quick=1)):
        for i, k in enumerate(COUNTS):
            for p in (1, 2):
                right = predict(images[rest], train.labels[rest], images[part], k, p) == train.labels[part]
                accuracies[p - 1, i, fold] = right.mean()

    best, i = np.unravel_index(accuracies.mean(-1).argmax(), accuracies.shape[:2])
    k, p = COUNTS[i], best + 1
    test = held_out.images.reshape(len(held_out.images), -1)
    chosen, many = ((predict(images, train.labels, test, k, p) == held_out.labels).mean() for k in (k, 80))
    run.result("k", k)
    run.result("distance L", p)
    run.result("held-out accuracy", 100 * chosen, "%")
    run.result("with k = 80", 100 * many, "%")
    run.holds(chosen > 0.96)
    run.holds(chosen > many + 0.01)

    figure, axes = plt.subplots(figsize=(6, 3.6))
    for name, scores in zip(("L1", "L2"), 100 * accuracies, strict=True):
        axes.errorbar(COUNTS, scores.mean(-1), scores.std(-1), marker="o", capsize=3, label=name)
    axes.set(xscale="log", xticks=COUNTS, xticklabels=COUNTS, xlabel="neighbors, k", ylabel="accuracy, %",
             title="Cross-validation: mean and deviation of five folds")
    axes.minorticks_off()
    axes.legend()
    run.save(figure)
