"""Losses as layers."""

from typing import Any

from autograd import Tensor
from nn import functional as F
from nn.module import Module


class CrossEntropyLoss(Module):
    """-log softmax(input)[target]; see `nn.functional.cross_entropy`."""

    def __init__(self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean",
                 label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.options: dict[str, Any] = {"ignore_index": ignore_index, "reduction": reduction,
                                        "label_smoothing": label_smoothing}

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(input, target, self.weight, **self.options)
