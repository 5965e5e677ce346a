"""Tables of vectors."""

from typing import Any

import autograd
from autograd import Tensor
from autograd.typing import DTypeLike
from nn import functional as F
from nn import init
from nn.module import Module
from nn.parameter import Parameter


class Embedding(Module):
    """A table of vectors, looked up by index: (*) -> (*, embedding_dim).

    Args:
        num_embeddings: the number of rows.
        embedding_dim: their width.
        padding_idx: a row that is 0 at first and gets no gradient.
        max_norm: rows that are used are first shrunk to at most this norm.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide each row's gradient by how often it is used in a batch.
        sparse: is accepted for PyTorch's sake; the gradient is the same, and dense.
        device: "cpu" or None.
        dtype: of the table.

    Attributes:
        weight: (num_embeddings, embedding_dim), normal with standard deviation 1 at first.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
                 max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
                 sparse: bool = False, device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"padding_idx={padding_idx} is out of range for {num_embeddings} rows")
        self.padding_idx = padding_idx if padding_idx is None else padding_idx % num_embeddings
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self.weight = Parameter(autograd.empty(num_embeddings, embedding_dim, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, **options: Any) -> "Embedding":
        """A table with given rows, by default not trained."""
        rows, width = embeddings.shape
        table = cls(rows, width, **options, dtype=embeddings.dtype)
        table.weight = Parameter(embeddings.detach(), requires_grad=not freeze)
        return table

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
                           self.scale_grad_by_freq)

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        parts += [f"{name}={getattr(self, name)}" for name in ("padding_idx", "max_norm")
                  if getattr(self, name) is not None]
        return ", ".join(parts)
