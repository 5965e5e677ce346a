"""Dropout as layers, and what else switches off parts of a network at random in training."""

from typing import Any

from autograd import Tensor
from autograd.typing import DTypeLike
from nn import functional as F
from nn.functional.dropout import keep_mask
from nn.functional.weighted import weighted
from nn.layer import FunctionLayer
from nn.linear import Linear


class _Dropout(FunctionLayer):
    p: float
    inplace: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not 0 <= self.p <= 1:
            raise ValueError(f"p must be a probability between 0 and 1, not {self.p}")

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout, function=F.dropout):
    """In training each element becomes 0 with probability p, the others are multiplied by 1 / (1 - p)."""


class Dropout1d(_Dropout, function=F.dropout1d):
    """Dropout of whole channels of (N, C, L)."""


class Dropout2d(_Dropout, function=F.dropout2d):
    """Dropout of whole channels of (N, C, H, W)."""


class Dropout3d(_Dropout, function=F.dropout3d):
    """Dropout of whole channels of (N, C, D, H, W)."""


class AlphaDropout(_Dropout, function=F.alpha_dropout, p=0.5):
    """Dropout that keeps mean and variance, for networks of SELUs."""


class FeatureAlphaDropout(_Dropout, function=F.feature_alpha_dropout, p=0.5):
    """Alpha dropout of whole channels."""


class StochasticDepth(FunctionLayer, function=F.stochastic_depth):
    """Drops a residual branch: of the whole batch, or of each example ("row"), with probability p."""


class DropConnect(Linear):
    """A linear layer whose weights, instead of its inputs, are dropped with probability p (Wan et al. 2013)."""

    def __init__(self, in_features: int, out_features: int, p: float = 0.5, bias: bool = True,
                 device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(in_features, out_features, bias, dtype=dtype)
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        weight = self.weight
        if self.training and self.p:
            weight = weighted(weight, keep_mask(weight.shape, self.p, weight.dtype))
        return F.linear(input, weight, self.bias)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, p={self.p}"
