"""PointNet: a set of points has no order, so neither must the network that reads it, nor the loss of one that draws it.

PointNet computes features of each point by itself, and takes the largest over all points: whatever their order, it says
the same (Qi et al. 2017). A network that reads the coordinates in a row, from the topmost point to the lowest, is lost
when they are shuffled. To learn to draw a set, the Chamfer distance compares each point with the nearest of the other
set (Fan et al. 2017); comparing points one by one, as they happen to be numbered, teaches only their mean. The clouds
are surfaces of solid digits, turned. The picture shows clouds, the points that decided, and what is drawn of the clouds
with either loss. Try the mean in place of the maximum.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, networks
from nn import functional as F
from nn.metrics import chamfer_distance

SYSTEMS = ("PointNet", "Chamfer distance")
CLAIM = ("PointNet reads more than 90 % of held-out digits from 128 points, and gives the same scores when they are "
         "shuffled; a network that reads them in a row, from top to bottom, then falls below 30 %. Clouds drawn from "
         "32 numbers are at most a quarter as far off, by Chamfer distance, if that was the loss and not mean squares.")

POINTS = 128


class PointNet(nn.Module):
    """Points (N, P, 3) to features (N, 128), and to what is wanted of these."""

    def __init__(self, *head):
        super().__init__()
        self.each = nn.Sequential(nn.Conv1d(3, 64, 1), nn.BatchNorm1d(64), nn.ReLU(), nn.Conv1d(64, 64, 1),
                                  nn.BatchNorm1d(64), nn.ReLU(), nn.Conv1d(64, 128, 1), nn.BatchNorm1d(128))
        self.head = nn.Sequential(nn.ReLU(), *head)

    def forward(self, points):
        return self.head(self.each(points.transpose(1, 2)).max(2).values)

    def deciding(self, points):
        """The positions of the points that have the largest of some feature, which alone decide (the critical set)."""
        return np.unique(self.each(points.transpose(1, 2)).argmax(2).numpy())


def drawing(run, clouds, loss):
    """An autoencoder: clouds to 32 numbers to clouds."""
    model = PointNet(nn.Linear(128, 32), nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 3 * POINTS),
                     nn.Unflatten(1, (POINTS, 3)))
    optimizer = optim.Adam(model.parameters(), 2e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, run.pick(200, 2))
    for _ in run.progress(200, quick=2, label=loss.__name__):
        batch = autograd.tensor(clouds[run.rng.integers(0, len(clouds), 32)])
        distance = loss(model(batch), batch)
        optimizer.zero_grad()
        distance.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def show(axis, cloud, title, **style):
    axis.scatter(cloud[:, 0], cloud[:, 2], -cloud[:, 1], s=8, **style or {"c": cloud[:, 2], "cmap": "viridis"})
    axis.set(xlim=(-0.7, 0.7), ylim=(-0.7, 0.7), zlim=(-0.8, 0.8), title=title)
    axis.view_init(8, -80)
    axis.axis("off")


def example(run):
    train_set, held_out = data.digits(run.seed)
    times = run.pick(6, 1)
    x = np.concatenate([data.point_clouds(train_set, POINTS, run.rng).images for _ in range(times)])
    y, test = np.tile(train_set.labels, times), data.point_clouds(held_out, POINTS, run.rng)
    x, clouds = (np.take_along_axis(part, part[:, :, 1:2].argsort(1), 1) for part in (x, test.images))  # by height
    shuffled = np.stack([run.rng.permutation(cloud) for cloud in clouds])

    set_model = PointNet(nn.Linear(128, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10))
    row_model = nn.Sequential(nn.Flatten(), nn.Linear(3 * POINTS, 128), nn.BatchNorm1d(128), nn.ReLU(),
                              nn.Linear(128, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10))
    for name, model in (("PointNet", set_model), ("in a row", row_model)):
        networks.fit(run, model, x, y, 600, 5e-3, size=32, label=name)
        run.result(name, 100 * networks.accuracy(model, clouds, test.labels), "%")
        run.result(f"{name}, shuffled", 100 * networks.accuracy(model, shuffled, test.labels), "%")
    with autograd.no_grad():
        off = (set_model(autograd.tensor(clouds)) - set_model(autograd.tensor(shuffled))).abs().max().item()
    run.holds(networks.accuracy(set_model, clouds, test.labels) > 0.9)
    run.holds(off < 1e-4)
    run.holds(networks.accuracy(row_model, shuffled, test.labels) < 0.3)

    drawn, distance = {}, {}
    for loss in (chamfer_distance, F.mse_loss):
        model = drawing(run, x, loss)
        with autograd.no_grad():
            drawn[loss] = model(autograd.tensor(clouds))
        distance[loss] = chamfer_distance(drawn[loss], clouds).item()
        run.result(f"drawn by {loss.__name__}, Chamfer distance", distance[loss])
    run.holds(distance[chamfer_distance] < distance[F.mse_loss] / 4)

    figure = plt.figure(figsize=(10, 8))
    shown = [int(np.flatnonzero(test.labels == digit)[0]) for digit in (2, 3, 4, 6, 9)]
    axes = figure.subplots(4, len(shown), subplot_kw={"projection": "3d"})
    for column, k in zip(axes.T, shown, strict=True):
        said = set_model(autograd.tensor(clouds[k:k + 1])).argmax(1).item()
        deciding = set_model.deciding(autograd.tensor(clouds[k:k + 1]))
        show(column[0], clouds[k], f"128 points, read as “{said}”")
        show(column[1], clouds[k][deciding], f"the {len(deciding)} that decide", color="C5")
        for axis, loss, name in zip(column[2:], drawn, ("Chamfer distance", "mean squares"), strict=True):
            show(axis, drawn[loss][k].numpy(), f"drawn, {name}")
    run.save(figure)
