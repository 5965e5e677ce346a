"""Measures of sets of points: the chamfer distance, and F1 at a distance."""

from autograd import Tensor
from autograd.typing import TensorLike
from nn.points import knn_points


def chamfer_distance(x: TensorLike, y: TensorLike, batch_reduction: str | None = "mean",
                     point_reduction: str = "mean") -> Tensor:
    """The squared distance of each point from the nearest of the other set, averaged, and summed over both directions.

    Args:
        x: points (N, P1, D), or (P1, D).
        y: points (N, P2, D), or (P2, D).
        batch_reduction: over the N sets: "mean", "sum" or None.
        point_reduction: over the points of a set: "mean" or "sum".

    It is differentiable, and so a loss, too (Fan et al. 2017; the meaning is PyTorch3D's).

    >>> chamfer_distance(tensor([[0.0, 0.0]]), tensor([[3.0, 4.0], [1.0, 0.0]]))
    tensor(14.)
    """
    if batch_reduction not in ("mean", "sum", None) or point_reduction not in ("mean", "sum"):
        raise ValueError("batch_reduction must be 'mean', 'sum' or None, and point_reduction 'mean' or 'sum', not "
                         f"{batch_reduction!r} and {point_reduction!r}")
    there, back = (getattr(knn_points(a, b).dists[..., 0], point_reduction)(-1) for a, b in ((x, y), (y, x)))
    each = there + back
    return each.mean() if batch_reduction == "mean" else each.sum() if batch_reduction == "sum" else each


def f1_at_distance(preds: TensorLike, target: TensorLike, threshold: float) -> Tensor:
    """F1 of points, (N,), or a number for one set: of which share there is one of the other set within the threshold.

    Args:
        preds: points (N, P1, D), or (P1, D); the share of these is the precision.
        target: points (N, P2, D), or (P2, D); the share of these is the recall.
        threshold: the distance, not squared.

    (Knapitsch et al. 2017, who call it the F-score; Mesh R-CNN's F1 at τ.)

    >>> f1_at_distance(tensor([[0.0, 0.0], [9.0, 9.0]]), tensor([[0.0, 0.1]]), threshold=0.2)
    tensor(0.6667)
    """
    if threshold < 0:
        raise ValueError(f"threshold must be at least 0, not {threshold}")
    precision, recall = (
        (knn_points(a, b).dists.detach()[..., 0] <= threshold ** 2).float().mean(-1)
        for a, b in ((preds, target), (target, preds)))
    return 2 * precision * recall / (precision + recall).clamp(min=1e-30)
