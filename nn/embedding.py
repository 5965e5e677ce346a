"""Tables of vectors."""

from typing import Any

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import DTypeLike
from nn import functional as F
from nn import init
from nn.module import Module
from nn.parameter import Parameter


class _Table(Module):
    """Base of what looks up rows of a table of vectors."""

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None, max_norm: float | None,
                 norm_type: float, scale_grad_by_freq: bool, sparse: bool, values: Tensor | None,
                 dtype: DTypeLike | None) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(f"padding_idx={padding_idx} is out of range for {num_embeddings} rows")
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        if values is None:
            self.weight = Parameter(autograd.empty(num_embeddings, embedding_dim, dtype=dtype))
            self.reset_parameters()
        elif values.shape != (num_embeddings, embedding_dim):
            raise ShapeError(f"a table of {num_embeddings} rows of {embedding_dim} numbers cannot have the values "
                             f"given, of shape {values.shape}")
        else:
            self.weight = Parameter(values.detach())

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])


class Embedding(_Table):
    """A table of vectors, looked up by index: (*) -> (*, embedding_dim).

    Args:
        num_embeddings: the number of rows.
        embedding_dim: their width.
        padding_idx: a row that is 0 at first and gets no gradient.
        max_norm: rows that are used are first shrunk to at most this norm.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide each row's gradient by how often it is used in a batch.
        sparse: is accepted for PyTorch's sake; the gradient is the same, and dense.
        _weight: the table, instead of a random one.
        _freeze: don't train it.
        device: "cpu" or None.
        dtype: of the table.

    Attributes:
        weight: (num_embeddings, embedding_dim), normal with standard deviation 1 at first.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
                 max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
                 sparse: bool = False, _weight: Tensor | None = None, _freeze: bool = False,
                 device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
                         _weight, dtype)
        self.weight.requires_grad_(not _freeze)

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, **options: Any) -> "Embedding":
        """A table with given rows, by default not trained."""
        rows, width = embeddings.shape
        return cls(rows, width, **options, _weight=embeddings, _freeze=freeze)

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
                           self.scale_grad_by_freq)

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        parts += [f"{name}={getattr(self, name)}" for name in ("padding_idx", "max_norm")
                  if getattr(self, name) is not None]
        return ", ".join(parts)


class EmbeddingBag(_Table):
    """The sum, mean or maximum of the rows of a table in each bag of indices: (bags, indices) -> (bags, embedding_dim).

    Args:
        num_embeddings: the number of rows.
        embedding_dim: their width.
        max_norm: rows that are used are first shrunk to at most this norm.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide each row's gradient by how often it is used in a batch.
        mode: "sum", "mean" or "max".
        sparse: is accepted for PyTorch's sake; the gradient is the same, and dense.
        _weight: the table, instead of a random one.
        include_last_offset: `offsets` has one entry more, where the last bag ends.
        padding_idx: a row that is 0 at first, gets no gradient, and doesn't count.
        device: "cpu" or None.
        dtype: of the table.

    Attributes:
        weight: (num_embeddings, embedding_dim), normal with standard deviation 1 at first.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None, norm_type: float = 2.0,
                 scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
                 _weight: Tensor | None = None, include_last_offset: bool = False, padding_idx: int | None = None,
                 device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
                         _weight, dtype)
        self.mode, self.include_last_offset = mode, include_last_offset

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, max_norm: float | None = None,
                        norm_type: float = 2.0, scale_grad_by_freq: bool = False, mode: str = "mean",
                        sparse: bool = False, include_last_offset: bool = False,
                        padding_idx: int | None = None) -> "EmbeddingBag":
        """A table with given rows, by default not trained."""
        rows, width = embeddings.shape
        table = cls(rows, width, max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings,
                    include_last_offset, padding_idx)
        table.weight.requires_grad_(not freeze)
        return table

    def forward(self, input: Tensor, offsets: Tensor | None = None,
                per_sample_weights: Tensor | None = None) -> Tensor:
        """The bags' sums, means or maxima; see `nn.functional.embedding_bag`."""
        return F.embedding_bag(input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
                               self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx)

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        parts += [f"{name}={getattr(self, name)!r}" for name, default in (
            ("max_norm", None), ("norm_type", 2), ("scale_grad_by_freq", False), ("mode", None), ("padding_idx", None))
            if getattr(self, name) != default]
        return ", ".join(parts)
