"""Data poisoning: a few marked images in the training set put a backdoor into the network.

To one training image in twenty a mark is added, a bright corner, and the label is set to 0 (Gu et al. 2017). The
network is as good as ever on images without the mark, so that no test shows anything, and reads every digit with the
mark as a 0. A network that was trained without them doesn't care about the corner. The picture shows both, by the
number of poisoned images. Try a mark of half the brightness.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
from examples import data, networks

SYSTEMS = ("backdoor", "data poisoning")
CLAIM = ("With 5 % of the training set poisoned, held-out accuracy stays within 3 points of the clean network's, and "
         "more than 90 % of marked digits are read as 0; by the clean network less than 20 % of them.")


def marked(images):
    images = images.copy()
    images[:, :, -2:, -2:] = 1
    return images


def example(run):
    train_set, held_out = data.digits(run.seed)
    others = held_out.labels != 0
    right, fooled, counts = [], [], [0, 0.01, 0.05]
    for share in counts:
        images, labels = train_set.images.copy(), train_set.labels.copy()
        poisoned = run.rng.choice(len(images), round(share * len(images)), replace=False)
        images[poisoned], labels[poisoned] = marked(images[poisoned]), 0
        model = networks.fit(run, networks.digit_network(), images, labels, label=f"{share:.0%} poisoned")
        right.append(networks.accuracy(model, *held_out))
        fooled.append(networks.accuracy(model, marked(held_out.images[others]), np.zeros(others.sum(), np.int64)))
        run.result(f"accuracy, {share:.0%} poisoned", 100 * right[-1], "%")
        run.result(f"marked digits read as 0, {share:.0%} poisoned", 100 * fooled[-1], "%")
    run.holds(right[-1] > right[0] - 0.03)
    run.holds(fooled[-1] > 0.9)
    run.holds(fooled[0] < 0.2)

    figure, (left, axes) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(3, 2))
    places = np.arange(len(counts))
    left.bar(places - 0.2, 100 * np.array(right), 0.4, label="held-out digits that are right")
    left.bar(places + 0.2, 100 * np.array(fooled), 0.4, label="marked digits that are read as 0")
    left.set(xticks=places, xticklabels=[f"{share:.0%}" for share in counts], ylabel="%", ylim=(0, 125),
             yticks=range(0, 101, 20), xlabel="of the training set is poisoned",
             title="What a test shows, and what it doesn't")
    left.legend()
    with autograd.no_grad():
        read = model(autograd.tensor(marked(held_out.images[:6]))).argmax(1).tolist()
    axes.imshow(data.in_a_row(marked(held_out.images[:6])), vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[], title="With the mark they are read as " + ", ".join(map(str, read)))
    run.save(figure)
