"""Optical flow: the motion of every pixel from one frame to the next, found by gradient descent on the flow itself.

A pixel keeps its brightness where it goes, and neighbors go nearly the same way: the flow minimizes what both of these
are off by (Horn, Schunck 1981), in absolute values rather than squares, which leaves edges of motion sharp, and first
in small versions of the frames, where motions are small (Brox et al. 2004). The frame is sampled where the flow points
to, and the gradient goes through the sampling. Without smoothness each pixel goes to any place that is as bright. The
picture shows flows as colors: the hue is the direction. Try levels=(1,).
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import optim
from autograd import Tensor
from examples import data
from nn import functional as F
from nn.vision import utils

SYSTEMS = ("optical flow",)
CLAIM = ("Of photographs in front of others that turn, the motion of a pixel is found with less than a third of the "
         "error of saying that nothing moves; without smoothness the error is more than twice as large. With squares "
         "in place of absolute values it is at least a tenth larger close to the edges of what moves.")

SIDE = 96
SCENES = (("gravel", "chelsea"), ("chelsea", "immunohistochemistry"), ("coins", "grass"))


def sample(image, flow):
    """An image (N, C, H, W) at the place of each pixel plus its flow (N, 2, H, W), in pixels right and down."""
    height, width = image.shape[2:]
    y, x = autograd.meshgrid(autograd.arange(height), autograd.arange(width), indexing="ij")
    places = autograd.stack([(x + flow[:, 0]) * 2 / (width - 1) - 1, (y + flow[:, 1]) * 2 / (height - 1) - 1], 3)
    return F.grid_sample(image, places, padding_mode="border", align_corners=True)


def piece(name, rng):
    """A piece of a photograph, in gray, at a third of its size."""
    photograph = autograd.tensor(data.photograph(name).mean(0))
    i, j = (int(rng.integers(0, size - 3 * SIDE)) for size in photograph.shape)
    return F.avg_pool2d(photograph[None, None, i:i + 3 * SIDE, j:j + 3 * SIDE], 3)


def scene(behind, front, rng):
    """Two frames (1, 1, H, W) and the flow (1, 2, H, W): a disk moves by four pixels, the rest turns and zooms."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    zoom, turn, direction = rng.uniform(-0.03, 0.03), rng.uniform(-0.05, 0.05), rng.uniform(0, 2 * np.pi)
    turning = np.array([[1 + zoom, -turn], [turn, 1 + zoom]])
    onward, back = (np.tensordot(matrix - np.eye(2), [x, y], 1) for matrix in (turning, np.linalg.inv(turning)))
    shift = 4 * np.array([np.cos(direction), np.sin(direction)])[:, None, None] + 0 * onward
    disk = np.hypot(x - rng.uniform(-12, 12), y - rng.uniform(-12, 12)) < 20
    disk, onward, back, shift = (autograd.tensor(part[None].astype(np.float32)) for part in (disk, onward, back, shift))
    disk, behind, front = disk[None], piece(behind, rng), piece(front, rng)
    cover = sample(disk, -shift)
    return (disk * front + (1 - disk) * behind, cover * sample(front, -shift) + (1 - cover) * sample(behind, back),
            disk * shift + (1 - disk) * onward)


def absolute(x):
    """|x|, but smooth (Charbonnier et al. 1994)."""
    return (x.square() + 1e-4).sqrt()


def flow_between(run, first, second, smoothness=0.1, penalty=absolute, levels=(4, 2, 1)):
    flow = autograd.zeros(1, 2, SIDE // levels[0], SIDE // levels[0])
    for level in levels:
        a, b = F.avg_pool2d(first, level), F.avg_pool2d(second, level)
        bigger = len(a[0, 0]) / flow.shape[2]
        flow = (bigger * F.interpolate(flow, size=a.shape[2:], mode="bilinear")).detach().requires_grad_()
        optimizer = optim.Adam([flow], 0.05)
        for _ in run.progress(150, quick=2):
            rough = penalty(flow.diff(dim=2)).mean() + penalty(flow.diff(dim=3)).mean()
            loss = penalty(sample(b, flow) - a).mean() + smoothness * rough
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return flow.detach()


def example(run):
    figure, axes = plt.subplots(3, 6, figsize=(11, 5.8))
    errors, at_edges = [], []
    for row, (behind, front) in zip(axes, SCENES, strict=True):
        first, second, truth = scene(behind, front, run.rng)
        flows = {"nothing moves": autograd.zeros_like(truth), "true flow": truth,
                 "found": flow_between(run, first, second),
                 "squares": flow_between(run, first, second, penalty=Tensor.square),
                 "not smooth": flow_between(run, first, second, smoothness=0)}
        lengths = {name: (flow - truth).square().sum(1).sqrt() for name, flow in flows.items()}
        edge = (F.max_pool2d(truth, 7, 1, 3) + F.max_pool2d(-truth, 7, 1, 3)).max(1).values > 2  # it jumps close by
        errors.append({name: length.mean().item() for name, length in lengths.items()})
        at_edges.append([lengths[name][edge].mean().item() for name in ("found", "squares")])
        shown = {"first frame": first[0, 0].numpy(), "second frame": second[0, 0].numpy()}
        for name, flow in list(flows.items())[1:]:
            title = name + (f", error {errors[-1][name]:.2f}" if name != "true flow" else "")
            shown[title] = utils.flow_to_image(flow[0].clamp(-5, 5)).permute(1, 2, 0).numpy()
        for axis, (title, image) in zip(row, shown.items(), strict=True):
            axis.imshow(image)
            axis.set(xticks=[], yticks=[], title=title)
            axis.grid(visible=False)
    mean = {name: np.mean([error[name] for error in errors]) for name in errors[0]}
    for name in ("nothing moves", "found", "squares", "not smooth"):
        run.result(f"end-point error, {name}", mean[name], "pixels")
    run.holds(mean["found"] < mean["nothing moves"] / 3)
    run.holds(mean["not smooth"] > 2 * mean["found"])
    found, squares = np.mean(at_edges, 0)
    run.result("at edges, found", found, "pixels")
    run.result("at edges, squares", squares, "pixels")
    run.holds(squares > 1.1 * found)
    run.save(figure)
