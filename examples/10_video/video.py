"""Video: networks that see motion and networks that don't, on films of real digits that move in one of four directions.

A frame shows the digit, and nothing of where it goes; nor does the mean of what was found in each frame (late fusion).
Who compares frames sees it: in the first layer (early fusion), bit by bit (slow fusion, C3D, inflated 2D filters),
in optical flow (two-stream), in the order of what was found (CNN + RNN), with attention among all places of all frames
(non-local) or at two speeds (SlowFast). Played backwards, a film shows the opposite motion: a network that sees motion
says so. Sources are in examples/videos.py. The picture shows a film, its flow, and what each network reaches and
costs. Try frames in random order.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
from examples import data, networks, videos
from nn.vision import utils

SYSTEMS = ("single-frame CNN", "late fusion", "early fusion", "slow fusion", "C3D", "inflation", "two-stream",
           "optical flow", "CNN + RNN", "non-local block", "SlowFast")
CLAIM = ("Of four directions of held-out digits less than 40 % are right by a single frame, and by late fusion; more "
         "than 90 % by each of the eight others, which say of more than 90 % of films that are played backwards that "
         "they go the other way. Of still films the inflated network says, before training, what the 2D one says.")

DIRECTIONS, FRAMES = ("right", "left", "down", "up"), 8


def of_images(run, digits):
    """The network of single frames, trained to read digits: what is inflated."""
    scenes = data.digit_scenes(digits, run.pick(1000, 32), run.rng, side=32, most=1)
    model = videos.late(10)
    networks.fit(run, model, scenes.images[:, :, None], np.concatenate(scenes.labels), 100, label="reading digits")
    return model


def example(run):
    train_set, held_out = data.digits(run.seed)
    x, y = data.moving_digits(train_set, run.pick(1500, 64), run.rng, FRAMES)
    films, directions = map(autograd.tensor, data.moving_digits(held_out, run.pick(400, 16), run.rng, FRAMES))
    backwards, opposite = films[:, :, list(range(FRAMES))[::-1]], directions ^ 1

    images = of_images(run, train_set)
    same = nn.Sequential(*videos.inflated(images, 10)[:-1], images[-1])
    with autograd.no_grad():
        off = (same(films[:, :, :1].repeat(1, 1, FRAMES, 1, 1)) - images(films[:, :, :1])).abs().max().item()
    run.result("inflated - 2D, of still films", off)
    run.holds(off < 1e-4)

    models = {"single frame": videos.single_frame(4), "late fusion": videos.late(4),
              "early fusion": videos.early(4, FRAMES), "slow fusion": videos.slow(4), "C3D": videos.c3d(4),
              "inflated 2D": videos.inflated(images, 4), "two-stream": videos.TwoStream(4, FRAMES),
              "CNN + RNN": videos.Recurrent(4), "C3D, non-local": videos.non_local(4),
              "SlowFast": videos.SlowFast(4)}
    reached, turned, costs = {}, {}, {}
    for name, model in models.items():
        networks.fit(run, model, x, y, 110, label=name, size=24)
        reached[name] = networks.accuracy(model, films, directions)
        turned[name] = networks.accuracy(model, backwards, opposite)
        costs[name] = nn.summary(model, films[:1])
        run.result(name, 100 * reached[name], "%")
    blind = ("single frame", "late fusion")
    run.result("backwards, at worst", 100 * min(turned[name] for name in models if name not in blind), "%")
    run.holds(all(reached[name] < 0.4 for name in blind))
    run.holds(all(min(reached[name], turned[name]) > 0.9 for name in models if name not in blind))

    figure = plt.figure(figsize=(11, 5.4))
    strip, table = figure.subfigures(2, 1, height_ratios=[1, 1.7])
    flow = utils.flow_to_image(videos.lucas_kanade(films[:1])[0].transpose(0, 1)).numpy().transpose(0, 2, 3, 1)
    for row, pictures in zip(strip.subplots(2, FRAMES), (films[0, 0].numpy(), flow), strict=True):
        for axis, t in zip(row, range(FRAMES), strict=True):
            if t < len(pictures):
                axis.imshow(pictures[t])
            axis.axis("off")
    strip.suptitle(f"A film: “{DIRECTIONS[directions[0].item()]}”; below, the flow from each frame to the next, "
                   "its direction as a color")
    networks.show_costs({"% of held-out films": reached, "% of them, backwards": turned}, costs, table)
    run.save(figure)
