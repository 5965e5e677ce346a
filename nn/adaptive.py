"""A softmax over very many classes, the rare ones in clusters."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import DTypeLike
from nn import functional as F
from nn.container import ModuleList, Sequential
from nn.linear import Linear
from nn.module import Module


class _ASMoutput(NamedTuple):
    """The log probability of each target, and their mean with the sign turned."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """The log probabilities of classes sorted by frequency, most frequent first (Grave et al. 2017).

    The head chooses among the classes below the first cutoff and the clusters; each cluster, of the classes between
    two cutoffs, has a smaller matrix of its own, which only examples of that cluster use.

    Called with an input (N, in_features) and classes (N,), or (in_features,) and a class (), it returns the log
    probabilities of these classes, `output` (N,), and the `loss`, their mean times -1.

    Args:
        in_features: the width of the input.
        n_classes: how many classes there are.
        cutoffs: the first class of each cluster, rising.
        div_value: cluster i works in a width of in_features / div_value^i, rounded down.
        head_bias: whether the head has one.
        device: "cpu" or None.
        dtype: of the parameters.

    >>> layer = AdaptiveLogSoftmaxWithLoss(8, 1000, cutoffs=[20, 200])
    >>> layer(autograd.randn(4, 8), autograd.tensor([3, 0, 300, 20])).output.shape
    (4,)
    """

    def __init__(self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
                 head_bias: bool = False, device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        ends = [0, *cutoffs, n_classes]
        if len(ends) < 3 or any(int(end) != end for end in ends) or any(a >= b for a, b in itertools.pairwise(ends)):
            raise ValueError(f"cutoffs must be whole numbers that rise between 1 and n_classes - 1 = {n_classes - 1}, "
                             f"not {list(cutoffs)}")
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, ends[1:]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = ends[1], len(ends) - 2
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, dtype=dtype)
        self.tail = ModuleList()
        for i, (start, end) in enumerate(itertools.pairwise(self.cutoffs), 1):
            width = int(in_features // div_value ** i)
            self.tail.append(Sequential(Linear(in_features, width, bias=False, dtype=dtype),
                                        Linear(width, end - start, bias=False, dtype=dtype)))

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        for layer in (self.head, *itertools.chain(*self.tail)):
            layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        """The log probabilities of the classes `target_`, and their mean times -1."""
        input_, target_ = autograd.as_tensor(input_), autograd.as_tensor(target_)
        single = target_.ndim == 0
        if target_.ndim > 1 or input_.shape[:-1] != target_.shape or input_.shape[-1:] != (self.in_features,):
            raise ShapeError(f"the input must have shape (N, {self.in_features}) beside classes (N,), or "
                             f"({self.in_features},) beside one (), not {input_.shape} beside {target_.shape}")
        x, target = (input_.unsqueeze(0) if single else input_), target_.detach().numpy().reshape(-1)
        if target.size and not 0 <= target.min() <= target.max() < self.n_classes:
            raise RuntimeError(f"the classes must lie between 0 and {self.n_classes - 1}, and are {target.min()} to "
                               f"{target.max()}")
        cluster = np.searchsorted(self.cutoffs, target, side="right")  # 0: no cluster, but the shortlist
        chosen = np.where(cluster == 0, target, self.shortlist_size + cluster - 1)
        output = F.log_softmax(self.head(x), 1).gather(1, chosen[:, None]).squeeze(1)
        for i, layers in enumerate(self.tail):
            rows = np.flatnonzero(cluster == i + 1)
            if len(rows):
                within = F.log_softmax(layers(x[rows]), 1).gather(1, (target[rows] - self.cutoffs[i])[:, None])
                output = output.index_add(0, rows, within.squeeze(1))
        loss = -output.mean()
        return _ASMoutput(output.squeeze(0) if single else output, loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log probabilities of all classes: (N, in_features) -> (N, n_classes)."""
        head = F.log_softmax(self.head(input), 1)
        first = self.shortlist_size
        clusters = [F.log_softmax(layers(input), 1) + head[:, first + i, None] for i, layers in enumerate(self.tail)]
        return autograd.cat([head[:, :first], *clusters], 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each example: (N, in_features) -> (N,)."""
        return self.log_prob(input).argmax(1)
