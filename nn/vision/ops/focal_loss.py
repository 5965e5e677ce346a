"""The focal loss of dense detectors, where nearly all places hold nothing."""

from autograd import Tensor, as_tensor, sigmoid
from autograd.typing import TensorLike
from nn.functional.loss import binary_cross_entropy_with_logits, reduced


def sigmoid_focal_loss(inputs: TensorLike, targets: TensorLike, alpha: float = 0.25, gamma: float = 2,
                       reduction: str = "none") -> Tensor:
    """Binary cross-entropy in which what is easy counts less, by the factor (1 - p)ᵞ (Lin et al. 2017).

    Args:
        inputs: scores of any shape, before the sigmoid.
        targets: of the same shape, 0 or 1.
        alpha: what a target of 1 counts, and 1 - alpha one of 0; -1 for no weights.
        gamma: how much less the easy ones count; 0 is cross-entropy.
        reduction: "none", "mean" or "sum".

    >>> easy, hard = sigmoid_focal_loss(tensor([3.0, -3.0]), tensor([1.0, 1.0]), alpha=-1)
    >>> (hard / easy > 20000).item()
    True
    """
    if not 0 <= alpha <= 1 and alpha != -1:
        raise ValueError(f"alpha must be between 0 and 1, or -1 for no weights, not {alpha}")
    x, y = as_tensor(inputs), as_tensor(targets)
    p = sigmoid(x)
    right = p * y + (1 - p) * (1 - y)
    losses = binary_cross_entropy_with_logits(x, y, reduction="none") * (1 - right) ** gamma
    return reduced(losses if alpha < 0 else (alpha * y + (1 - alpha) * (1 - y)) * losses, reduction)
