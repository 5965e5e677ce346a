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
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = _row(padding_idx, num_embeddings)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self.weight = _table(num_embeddings, embedding_dim, _weight, dtype).requires_grad_(not _freeze)
        if _weight is None:
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
        return cls(rows, width, **options, _weight=embeddings, _freeze=freeze)

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
                           self.scale_grad_by_freq)

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        parts += [f"{name}={getattr(self, name)}" for name in ("padding_idx", "max_norm")
                  if getattr(self, name) is not None]
        return ", ".join(parts)


class EmbeddingBag(Module):
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
        super().__init__()
        self.num_embeddings, self.embedding_dim, self.max_norm = num_embeddings, embedding_dim, max_norm
        self.norm_type, self.scale_grad_by_freq, self.mode, self.sparse = norm_type, scale_grad_by_freq, mode, sparse
        self.include_last_offset, self.padding_idx = include_last_offset, _row(padding_idx, num_embeddings)
        self.weight = _table(num_embeddings, embedding_dim, _weight, dtype)
        if _weight is None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

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


def _row(index: int | None, count: int) -> int | None:
    """The number of a row, counted from the first."""
    if index is not None and not -count <= index < count:
        raise ValueError(f"padding_idx={index} is out of range for {count} rows")
    return index if index is None else index % count


def _table(count: int, width: int, values: Tensor | None, dtype: DTypeLike | None) -> Parameter:
    """A table of given values, or of values that are yet to be written."""
    if values is None:
        return Parameter(autograd.empty(count, width, dtype=dtype))
    if values.shape != (count, width):
        raise ShapeError(f"a table of {count} rows of {width} numbers cannot have the values given, of shape "
                         f"{values.shape}")
    return Parameter(values.detach())
