"""For PyTorch alone: behind the door it is nn.vision.ops."""

import torch


def nms(boxes, scores, iou_threshold):
    """The boxes that no better one overlaps by more, best first."""
    order, kept = scores.argsort(descending=True, stable=True), []
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        sides = (torch.minimum(boxes[best, 2:], boxes[order, 2:]) - torch.maximum(boxes[best, :2], boxes[order, :2]))
        overlap = sides.clamp(min=0).prod(1)
        order = order[overlap / (area[best] + area[order] - overlap) <= iou_threshold]
    return torch.stack(kept)
