"""Adversarial examples: a network is led astray by changes that a person hardly sees.

A step along the sign of the loss's gradient, by eps in every pixel, is the fast gradient sign method (Goodfellow et al.
2015); many small steps, each kept within eps, are projected gradient descent (Madry et al. 2018); down the loss of a
label of one's own choice it is a targeted attack. Random signs of the same size do next to nothing: it is the direction
that counts. The picture shows how accuracy falls with eps, and images before and after. Try steps=1 in `pgd`.
"""

from matplotlib import pyplot as plt

import autograd
from examples import data, networks
from nn import functional as F

SYSTEMS = ("FGSM", "PGD", "targeted attack")
CLAIM = ("Changes of a pixel by at most 0.2 leave right: more than 80 % of held-out digits if random, less than 30 % "
         "by FGSM, less than 10 % by PGD; and most digits can be made to be read as the next one.")


def gradient(model, x, y):
    x = x.detach().requires_grad_()
    return autograd.grad(F.cross_entropy(model(x), y), x)[0]


def fgsm(model, x, y, eps):
    return (x + eps * gradient(model, x, y).sign()).clamp(0, 1)


def pgd(model, x, y, eps, steps=20, towards=None):
    """Steps up the loss of the labels y, or down that of the labels `towards`, inside the cube of eps around x."""
    target, sign = (y, 1) if towards is None else (towards, -1)
    attacked = x
    for _ in range(steps):
        attacked = attacked + sign * 2.5 * eps / steps * gradient(model, attacked, target).sign()
        attacked = (x + (attacked - x).clamp(-eps, eps)).clamp(0, 1)
    return attacked


def example(run):
    train_set, held_out = data.digits(run.seed)
    model = networks.fit(run, networks.digit_network(), train_set.images, train_set.labels)
    x, y = map(autograd.tensor, held_out)
    following = (y + 1) % 10
    eps = 0.2
    attacks = {"random": lambda e: (x + e * autograd.tensor(run.rng.choice([-1, 1], x.shape))).float().clamp(0, 1),
               "FGSM": lambda e: fgsm(model, x, y, e), "PGD": lambda e: pgd(model, x, y, e)}
    reached = {name: networks.accuracy(model, attack(eps), y) for name, attack in attacks.items()}
    targeted = pgd(model, x, y, eps, towards=following)
    hit = networks.accuracy(model, targeted, following)
    run.result("accuracy", 100 * networks.accuracy(model, x, y), "%")
    for name, value in reached.items():
        run.result(f"after {name}", 100 * value, "%")
    run.result("read as the next digit", 100 * hit, "%")
    run.holds(reached["random"] > 0.8)
    run.holds(reached["FGSM"] < 0.3)
    run.holds(reached["PGD"] < 0.1)
    run.holds(hit > 0.5)

    figure = plt.figure(figsize=(10, 4))
    curves, images = figure.subfigures(1, 2)
    axes = curves.subplots()
    sizes = [0, 0.03, 0.06, 0.09, 0.12, 0.15, 0.2, 0.25]
    for name, attack in attacks.items():
        axes.plot(sizes, [100 * networks.accuracy(model, attack(e), y) for e in sizes], "o-", label=name)
    axes.set(xlabel="eps: largest change of a pixel (from 0 to 1)", ylabel="held-out accuracy in %", ylim=(0, 100),
             title="Accuracy after attacks")
    axes.legend()
    for row, batch in zip(images.subplots(3, 5), (x, attacks["PGD"](eps), targeted), strict=True):
        for axis, image, label in zip(row, batch, model(batch).argmax(1).tolist(), strict=False):
            axis.imshow(image[0].numpy(), vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[], title=f"“{label}”")
    images.suptitle("As they are; after PGD; after PGD towards the next digit")
    run.save(figure)
