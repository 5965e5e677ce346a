"""Principal components of digits: few directions say nearly all, and whitening makes them all alike.

Centered data are turned to the eigenvectors of their covariance, which decorrelates them (PCA, Pearson 1901); the
first few keep most of the variance. Divided by the roots of the eigenvalues, each direction has variance 1
(whitening). The statistics are the training set's. The picture: the first directions as images, digits put together
again from 2, 8 and 20 of them, and the covariances. Try 2 directions for the classifier, and see which digits it mixes
up.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
from examples import data
from nn.data import PCA, Whiten

SYSTEMS = ("PCA", "whitening")
CLAIM = ("20 of 64 directions keep over 85 % of the held-out variance, and nearest neighbors read digits in them as "
         "well (to 1.5 %); 5 principal directions beat 5 random ones by 15 %; whitened features have unit "
         "covariance.")


def nearest_accuracy(x, labels, test, truth):
    """How many of the test's labels are those of the nearest training example."""
    return (labels[autograd.cdist(test, x).argmin(1).numpy()] == truth).mean()


def example(run):
    train, held_out = data.digits(run.seed)
    x, test = (autograd.tensor(part.images).flatten(1) for part in (train, held_out))
    variances = {}
    for count in run.progress([2, 8, 20, 64], quick=4):
        pca = PCA(count).fit(x)
        variances[count] = (pca(test).numpy() ** 2).sum() / ((test.numpy() - pca.mean) ** 2).sum()
    five, twenty = PCA(5).fit(x), PCA(20).fit(x)
    turned, _ = np.linalg.qr(run.rng.standard_normal((64, 5)))
    turned = autograd.tensor(turned.astype(np.float32))
    accuracy = {name: nearest_accuracy(project(x), train.labels, project(test), held_out.labels) for name, project in {
        "all 64 pixels": lambda x: x, "20 principal": twenty, "5 principal": five,
        "5 random": lambda x: x @ turned}.items()}
    whitened = Whiten(20).fit(x)(x).numpy()
    off = np.abs(whitened.T @ whitened / len(x) - np.eye(20)).max()

    run.result("variance in 20", 100 * variances[20], "%")
    for name, share in accuracy.items():
        run.result(f"accuracy, {name}", 100 * share, "%")
    run.result("covariance after whitening differs from 1 by", off)
    run.holds(variances[20] > 0.85)
    run.holds(accuracy["20 principal"] > accuracy["all 64 pixels"] - 0.015)
    run.holds(accuracy["5 principal"] > accuracy["5 random"] + 0.15)
    run.holds(off < 0.01)
    run.save(picture(x, test, whitened))


def picture(x, test, whitened):
    figure = plt.figure(figsize=(10, 5.2))
    images, matrices = figure.subfigures(1, 2, width_ratios=[2, 1])
    axes = images.subplots(5, 8, subplot_kw={"xticks": [], "yticks": []})
    pca = PCA(64).fit(x)
    directions = pca.components_.reshape(-1, 8, 8)
    for ax, direction in zip(axes[0], directions, strict=False):
        ax.imshow(direction, cmap="RdBu_r")
    for row, count in zip(axes[1:], (64, 20, 8, 2), strict=True):
        kept = pca(test[:8]).numpy()[:, :count] @ pca.components_[:count] + pca.mean
        for ax, image in zip(row, kept.reshape(-1, 8, 8), strict=True):
            ax.imshow(image)
    for ax, label in zip(axes[:, 0], ("directions", "digits", "from 20", "from 8", "from 2"), strict=True):
        ax.set_ylabel(label)
    centered = x.numpy() - x.numpy().mean(0)
    panels = {"pixels": centered, "principal (20)": pca(x).numpy()[:, :20], "whitened (20)": whitened}
    for ax, (name, features) in zip(matrices.subplots(3, 1), panels.items(), strict=True):
        covariance = features.T @ features / len(features)
        limit = np.abs(covariance).max()
        shown = ax.imshow(covariance, cmap="RdBu_r", vmin=-limit, vmax=limit)
        ax.set(title=f"covariance, {name}", xticks=[], yticks=[])
        matrices.colorbar(shown, ax=ax)
    return figure
