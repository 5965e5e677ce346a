"""Pretrained: three small networks find faces in a photograph, one after the other, and we look at what they look at.

The cascade of Zhang et al. (2016): P-Net is slid over the photograph at all sizes, and proposes; R-Net refuses most of
it; O-Net decides, and places eyes, nose and mouth. The weights are those of facenet-pytorch. Saliency shows which
pixels the decision depends on (Simonyan et al. 2014), averaged over noisy copies (Smilkov et al. 2017). The picture
shows what each stage leaves, and what the last one looks at. Try another photograph: data.photograph("...").
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
from autograd import Tensor
from examples import data, networks
from nn import functional as F
from nn.vision import ops

SYSTEMS = ("pretrained networks", "MTCNN", "face detection")
CLAIM = ("Of all windows of the photograph the first network leaves less than a hundredth, the last exactly one, the "
         "face, with its nose between eyes and mouth; what it looks at lies within the face, more than by chance.")

MEMBERS = {"pnet": (12, 0.6), "rnet": (24, 0.7), "onet": (48, 0.7)}  # size of the input, threshold


def moved(boxes, offsets, one=1.0):
    """Boxes whose edges are moved by shares of their width and height."""
    size = (boxes[:, 2:] - boxes[:, :2] + one).repeat(1, 2)
    return boxes + offsets * size


def squares(boxes):
    """As large as their longer side, around the same middle."""
    size = boxes[:, 2:] - boxes[:, :2]
    side = size.max(1, keepdim=True).values
    corner = boxes[:, :2] + size * 0.5 - side * 0.5
    return autograd.cat([corner, corner + side], 1)


def outermost(boxes, score, threshold=0.7):
    """The best of boxes that hold one another: NMS by the share of the smaller one that overlaps."""
    kept = []
    for k in score.numpy().argsort()[::-1].tolist():
        low, high = np.maximum(boxes[k, :2], boxes[kept, :2]), np.minimum(boxes[k, 2:], boxes[kept, 2:])
        areas = [(b[..., 2:] - b[..., :2] + 1).prod(-1) for b in (boxes[k], boxes[kept])]
        if ((high - low + 1).clamp(0).prod(-1) <= threshold * np.minimum(*areas)).all():
            kept.append(k)
    return kept


def crops(image, boxes, size):
    """What is in the boxes, (n, 3, size, size), by means over areas."""
    height, width = image.shape[1:]
    edges = np.trunc(boxes.numpy()).astype(int)
    pieces = [image[None, :, max(y, 1) - 1:min(below, height), max(x, 1) - 1:min(right, width)]
              for x, y, right, below in edges]
    return autograd.cat([autograd.zeros(0, 3, size, size),
                         *[F.interpolate(piece, (size, size), mode="area") for piece in pieces]])


def propose(net, image, smallest=20, factor=0.709):
    """P-Net at all sizes: boxes, scores, and how many windows there were."""
    found, windows, scale = [], 0, 12 / smallest
    while min(image.shape[1:]) * scale >= 12:
        size = [int(side * scale + 1) for side in image.shape[1:]]
        logits, offsets = net(F.interpolate(image[None], size, mode="area"))
        score = F.softmax(logits, 1)[0, 1]
        y, x = (score >= MEMBERS["pnet"][1]).nonzero(as_tuple=True)
        corner = autograd.stack([x, y], 1).float() * 2
        boxes = autograd.cat([((corner + 1) / scale).floor(), ((corner + 12) / scale).floor()], 1)
        keep = ops.nms(boxes, score[y, x], 0.5)
        found.append((boxes[keep], score[y, x][keep], offsets[0, :, y, x].T[keep]))
        windows += score.numel()
        scale *= factor
    boxes, score, offsets = (autograd.cat(part) for part in zip(*found, strict=True))
    keep = ops.nms(boxes, score, 0.7)
    return moved(boxes[keep], offsets[keep], 0.0), score[keep], windows


def detect(nets, image):
    """Boxes after each stage, and the landmarks (n, 5, 2) of the last; of an image (3, H, W) from -1 to 1."""
    boxes, _, windows = propose(nets["pnet"], image)
    stages = [boxes]
    for name in ("rnet", "onet"):
        size, threshold = MEMBERS[name]
        boxes = squares(boxes)
        logits, offsets, *landmarks = nets[name](crops(image, boxes, size))
        score = F.softmax(logits, 1)[:, 1]
        kept = score > threshold
        boxes, score, offsets = boxes[kept], score[kept], offsets[kept]
        if landmarks:
            extent = boxes[:, 2:] - boxes[:, :2] + 1
            points = landmarks[0][kept].reshape(-1, 2, 5).transpose(1, 2) * extent[:, None] + boxes[:, None, :2] - 1
        better = moved(boxes, offsets)
        keep = ops.nms(boxes, score, 0.7) if name == "rnet" else outermost(better, score)
        boxes = better[keep]
        stages.append(boxes)
    return stages, points[keep], windows


def saliency(net, window):
    """How much the score of "face" depends on each pixel of a window (3, 48, 48): a mean over noisy copies."""
    x = (window + 0.1 * autograd.randn(50, *window.shape)).requires_grad_()
    logits = net(x)[0]
    (logits[:, 1] - logits[:, 0]).sum().backward()
    return np.abs(x.grad.numpy().mean(0)).max(0)


def example(run):
    nets = networks.mtcnn()
    photograph = data.photograph("astronaut")
    if run.quick:
        photograph = photograph[:, :200, 120:320]
    image = Tensor((photograph * 255 - 127.5) / 128)
    with autograd.no_grad():
        stages, landmarks, windows = detect(nets, image)
        window = crops(image, squares(stages[-1]), 48)
    looked = saliency(nets["onet"], window[0])
    left, right, nose, *mouth = landmarks[0].numpy()
    inner = looked[12:36, 12:36].sum() / looked.sum()  # a quarter of the window
    run.result("windows", windows)
    for name, boxes in zip(nets, stages, strict=True):
        run.result(f"left by {name}", len(boxes))
    run.result("saliency in the middle quarter", 100 * inner, "%")
    run.holds(len(stages[0]) < windows / 100 and len(stages[-1]) == 1)
    run.holds(max(left[1], right[1]) < nose[1] < min(mouth[0][1], mouth[1][1]) and left[0] < nose[0] < right[0])
    run.holds(inner > 0.35)

    figure, axes = plt.subplots(1, 4, figsize=(13, 3.6))
    for axis, name, boxes in zip(axes, nets, stages, strict=False):
        axis.imshow(photograph.transpose(1, 2, 0))
        for x, y, far, below in boxes.numpy():
            axis.add_patch(plt.Rectangle((x, y), far - x, below - y, fill=False, color="#e69f00", linewidth=1))
        axis.set_title(f"{len(boxes)} left by {name[0].upper()}-Net")
    axes[2].scatter(*landmarks[0].numpy().T, color="#56b4e9", s=8)
    axes[3].imshow(window[0].numpy().transpose(1, 2, 0) / 2 + 0.5)
    axes[3].imshow(looked, cmap="inferno", alpha=0.65)
    axes[3].set_title("what O-Net looks at")
    for axis in axes:
        axis.set(xticks=[], yticks=[])
        axis.grid(visible=False)
    run.save(figure)
