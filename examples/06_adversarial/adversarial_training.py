"""Adversarial training: a network that has seen attacks withstands them.

Each batch is replaced by what an attack makes of it, so that the network minimizes the loss of the worst image within
eps of each (Madry et al. 2018). It costs some accuracy on clean images, and as many passes as the attack has steps. The
picture shows accuracy under attack by eps, and gradients of the loss by the image: those of the robust network lie
where a person would look. Try training against FGSM (steps=1).
"""

import importlib

from matplotlib import pyplot as plt

import autograd
from examples import data, networks

SYSTEMS = ("adversarial training",)
CLAIM = ("Under PGD with changes of a pixel by at most 0.2, a network that was trained on such attacks is right on "
         "more than 35 % of held-out digits, where the same network without them is right on less than 10 %.")

attacks = importlib.import_module("examples.06_adversarial.attacks")
EPS = 0.2


def example(run):
    train_set, held_out = data.digits(run.seed)
    x, y = map(autograd.tensor, held_out)
    plain = networks.fit(run, networks.digit_network(32), *train_set, label="plain")
    robust = networks.digit_network(32)
    networks.fit(run, robust, *train_set, steps=400, label="robust",
                 prepare=lambda x, y: attacks.pgd(robust, x, y, EPS, steps=4))
    figure = plt.figure(figsize=(10, 4))
    curves, images = figure.subfigures(1, 2)
    axes = curves.subplots()
    sizes = [0, 0.05, 0.1, 0.15, 0.2, 0.25]
    reached = {}
    for name, model in (("plain", plain), ("robust", robust)):
        reached[name] = {eps: networks.accuracy(model, attacks.pgd(model, x, y, eps), y) for eps in sizes}
        axes.plot(sizes, [100 * value for value in reached[name].values()], "o-", label=name)
        run.result(f"{name}, clean", 100 * reached[name][0], "%")
        run.result(f"{name}, attacked", 100 * reached[name][EPS], "%")
    axes.set(xlabel="eps: largest change of a pixel (from 0 to 1)", ylabel="held-out accuracy in %", ylim=(0, 100),
             title="Accuracy under PGD")
    axes.legend()
    run.holds(reached["robust"][EPS] > 0.35)
    run.holds(reached["plain"][EPS] < 0.1)
    rows = (x, attacks.gradient(plain, x, y), attacks.gradient(robust, x, y))
    for row, batch in zip(images.subplots(3, 5), rows, strict=True):
        for axis, image in zip(row, batch, strict=False):
            values, most = image[0].numpy(), abs(image.numpy()).max() + 1e-12
            axis.imshow(values, cmap="gray" if batch is x else "PuOr", vmin=0 if batch is x else -most, vmax=most)
            axis.set(xticks=[], yticks=[])
    images.suptitle("Images; the loss's gradient, plain; robust")
    run.save(figure)
