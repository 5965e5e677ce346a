"""Voxels: a solid as a grid of what is inside, which 3D convolutions read, and write from a single picture.

A network of 3D convolutions reads digits that are solid, and turned (Maturana, Scherer 2015). The other way round, an
encoder of one picture, shaded and seen from any side within 45 degrees, and a decoder of transposed 3D convolutions
give the solid as it stands when it isn't turned, also the side that is not seen (Girdhar et al. 2016). What such a
network must be measured against is retrieval: the solid of the most similar picture that it was trained on
(Tatarchenko et al. 2019). The picture shows what is seen, the solid, and both answers. Try fewer solids.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, networks
from nn import functional as F
from nn.points import knn_points

SYSTEMS = ("voxels", "IoU")
CLAIM = ("3D convolutions read more than 80 % of held-out digits from voxels. Solids written from one picture overlap "
         "with the true ones by an IoU above 0.8; the solid of the most similar known picture by at least 0.04 less, "
         "the mean of all known ones by at least 0.15 less.")

SIZE, LIGHT = 16, np.array([-0.5, -0.5, -0.7])


def views(digits, rng):
    """Pictures (N, 1, 16, 16), what they show turned, and as it stands: voxels (N, 1, 16, 16, 16) as x, y and z."""
    from scipy.ndimage import rotate
    pictures, turned, solids = [], [], []
    for image, angle in zip(digits.images, rng.uniform(-45, 45, len(digits.images)), strict=True):
        distance = data.solid(image[0], SIZE) - 1.2 / SIZE  # thicker, or thin lines would vanish
        seen = rotate(distance, angle, axes=(0, 2), reshape=False, order=1, mode="nearest")
        normals = np.stack(np.gradient(seen))
        bright = np.tensordot(LIGHT, normals / np.linalg.norm(normals, axis=0).clip(1e-6), 1).clip(0.1)
        first = (seen < 0).argmax(2)[..., None]
        pictures.append(np.take_along_axis(bright * (seen < 0), first, 2)[..., 0].T)
        turned.append(seen < 0)
        solids.append(distance < 0)
    return [np.stack(part)[:, None].astype(np.float32) for part in (pictures, turned, solids)]


def reader():
    """Voxels to the scores of digits."""
    return nn.Sequential(nn.Conv3d(1, 16, 5, stride=2, padding=2), nn.BatchNorm3d(16), nn.ReLU(),
                         nn.Conv3d(16, 16, 3, padding=1), nn.BatchNorm3d(16), nn.ReLU(), nn.MaxPool3d(2),
                         nn.Conv3d(16, 32, 3, padding=1), nn.BatchNorm3d(32), nn.ReLU(), nn.MaxPool3d(2),
                         nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10))


def writer():
    """A picture to voxels, as logits."""
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 64 * 8), nn.Unflatten(1, (64, 2, 2, 2)),
                         nn.BatchNorm3d(64), nn.ReLU(), nn.ConvTranspose3d(64, 32, 4, 2, 1), nn.BatchNorm3d(32),
                         nn.ReLU(), nn.ConvTranspose3d(32, 16, 4, 2, 1), nn.BatchNorm3d(16), nn.ReLU(),
                         nn.ConvTranspose3d(16, 1, 4, 2, 1))


def write(run, pictures, solids):
    model, pictures, solids = writer(), autograd.tensor(pictures), autograd.tensor(solids)
    optimizer = optim.Adam(model.parameters())
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=500)
    for _ in run.progress(500, quick=2, label="writing"):
        batch = run.rng.integers(0, len(pictures), 16)
        loss = F.binary_cross_entropy_with_logits(model(pictures[batch]), solids[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def iou(a, b):
    """Of each pair."""
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1) > 0
    return (a & b).sum(1) / (a | b).sum(1)


def drawn(axis, voxels, title):
    axis.voxels(voxels.transpose(0, 2, 1)[:, :, ::-1], facecolors="#56b4e9", edgecolors="#0072b2", linewidth=0.3)
    axis.set(title=title, xlim=(2, 14), ylim=(2, 14), zlim=(1, 15))
    axis.view_init(20, -60)
    axis.axis("off")


def example(run):
    train_set, held_out = data.digits(run.seed)
    views_each = run.pick(2, 1)
    known = data.Labeled(np.tile(train_set.images, (views_each, 1, 1, 1)), np.tile(train_set.labels, views_each))
    if run.quick:
        known, held_out = (data.Labeled(images[:20], labels[:20]) for images, labels in (known, held_out))
    pictures, turned, solids = views(known, run.rng)
    unseen, unseen_turned, truth = views(held_out, run.rng)
    read = networks.fit(run, reader(), turned, known.labels, 400, size=24, label="reading")
    right = networks.accuracy(read, unseen_turned, held_out.labels)

    writes = write(run, pictures, solids)
    with autograd.no_grad():
        written = writes(autograd.tensor(unseen)).numpy() > 0
    nearest = knn_points(unseen.reshape(len(unseen), -1), pictures.reshape(len(pictures), -1)).idx.numpy()[:, 0]
    answers = {"written": written, "most similar": solids[nearest] > 0,
               "mean": np.broadcast_to(solids.mean(0) > 0.4, truth.shape)}
    overlap = {name: iou(answer, truth) for name, answer in answers.items()}
    run.result("read from voxels", 100 * right, "%")
    for name, values in overlap.items():
        run.result(f"IoU, {name}", values.mean())
    run.holds(right > 0.8)
    run.holds(overlap["written"].mean() > 0.8)
    run.holds(overlap["most similar"].mean() < overlap["written"].mean() - 0.04)
    run.holds(overlap["mean"].mean() < overlap["written"].mean() - 0.15)

    figure = plt.figure(figsize=(10, 7))
    for row, k in enumerate(np.unique(held_out.labels, return_index=True)[1][:run.pick(6, 1):2]):  # 0, 2 and 4
        axis = figure.add_subplot(3, 4, 4 * row + 1)
        axis.imshow(unseen[k, 0], vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[], title="one picture")
        axis.grid(visible=False)
        for column, (name, voxels) in enumerate({"the solid": truth > 0, **answers}.items()):
            if name != "mean":
                title = name + (f", IoU {overlap[name][k]:.2f}" if name in overlap else "")
                drawn(figure.add_subplot(3, 4, 4 * row + 2 + column, projection="3d"), voxels[k, 0], title)
    run.save(figure)
