"""Attention layers and positions."""

import math

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import DTypeLike
from nn import functional as F
from nn import init
from nn.functional.attention import attended, multihead
from nn.linear import Linear
from nn.module import Module
from nn.parameter import Parameter


class MultiheadAttention(Module):
    """Several attentions side by side: concat(head_i) W_o, head_i = attention(Q W_q, K W_k, V W_v) (Vaswani 2017).

    Args:
        embed_dim: E, of queries and outputs.
        num_heads: must divide E.
        dropout: the probability with which attention weights are dropped in training.
        bias: whether the projections have one.
        add_bias_kv: append a learned key and value to those given, which any query may look at.
        add_zero_attn: append a key and a value of zeros, so that a query may look at nothing.
        kdim: width of the keys, default E.
        vdim: width of the values, default E.
        batch_first: tensors are (B, L, E) and not (L, B, E).
        device: "cpu" or None.
        dtype: of the parameters.

    Attributes:
        in_proj_weight: W_q, W_k and W_v above each other, (3E, E); with other widths, q_proj_weight and so on.
        in_proj_bias: (3E,) or None.
        bias_k: (1, 1, E), the appended key, or None.
        bias_v: (1, 1, E), the appended value, or None.
        out_proj: the linear layer W_o.
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
                 add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
                 vdim: int | None = None, batch_first: bool = False, device: str | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError(f"embed_dim={embed_dim} must be divisible by num_heads={num_heads}")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.head_dim, self._qkv_same_embed_dim = embed_dim // num_heads, self.kdim == self.vdim == embed_dim
        self.in_proj_weight: Parameter | None = None
        self.q_proj_weight: Parameter | None = None
        self.k_proj_weight: Parameter | None = None
        self.v_proj_weight: Parameter | None = None
        if self._qkv_same_embed_dim:
            self.in_proj_weight = Parameter(autograd.empty(3 * embed_dim, embed_dim, dtype=dtype))
        else:
            self.q_proj_weight = Parameter(autograd.empty(embed_dim, embed_dim, dtype=dtype))
            self.k_proj_weight = Parameter(autograd.empty(embed_dim, self.kdim, dtype=dtype))
            self.v_proj_weight = Parameter(autograd.empty(embed_dim, self.vdim, dtype=dtype))
        self.in_proj_bias = Parameter(autograd.empty(3 * embed_dim, dtype=dtype)) if bias else None
        self.bias_k, self.bias_v = (
            Parameter(autograd.empty(1, 1, embed_dim, dtype=dtype)) if add_bias_kv else None for _ in range(2))
        self.add_zero_attn = add_zero_attn
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype)
        for name, parameter in self.named_parameters(recurse=False):
            initialize = (init.xavier_uniform_ if name.endswith("weight") else
                          init.zeros_ if name == "in_proj_bias" else init.xavier_normal_)
            initialize(parameter)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
                need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
                is_causal: bool = False) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            query: (L, B, E), or (B, L, E) if batch_first, or (L, E).
            key: (S, B, kdim), likewise.
            value: (S, B, vdim), likewise.
            key_padding_mask: (B, S) or (S,): True where a key is to be ignored; or floating, added to the scores.
            need_weights: whether to return the attention weights.
            attn_mask: (L, S), or (B · heads, L, S): True where a query must not look; or floating, added to the scores.
            average_attn_weights: return the weights averaged over heads.
            is_causal: with no attn_mask, let query i look at keys 0 to i only.

        Returns:
            The output, of the query's shape; the weights (B, L, S), or (B, heads, L, S) if not averaged, or None. What
            `add_bias_kv` and `add_zero_attn` append counts in the S of the weights, but not in that of the masks.
        """
        weights = ([self.in_proj_weight] if self.in_proj_weight is not None else
                   [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight])
        return multihead(
            query, key, value, self.num_heads, weights, self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn,
            self.dropout if self.training else 0.0, self.out_proj.weight, self.out_proj.bias, key_padding_mask,
            need_weights, attn_mask, average_attn_weights, is_causal, self.batch_first)


class AdditiveAttention(Module):
    """Attention by a small network: scores vᵀ tanh(W_q q + W_k k) (Bahdanau et al. 2014).

    Called with query (B, L, query_dim), key (B, S, key_dim), value (B, S, V) and, if wanted, a boolean mask that
    broadcasts to (B, L, S), True where a query may look, it returns (B, L, V) and the weights (B, L, S).
    """

    def __init__(self, query_dim: int, key_dim: int, hidden_dim: int, device: str | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.query_proj = Linear(query_dim, hidden_dim, bias=False, dtype=dtype)
        self.key_proj = Linear(key_dim, hidden_dim, dtype=dtype)
        self.score_proj = Linear(hidden_dim, 1, bias=False, dtype=dtype)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        sums = self.query_proj(query).unsqueeze(-2) + self.key_proj(key).unsqueeze(-3)  # (B, L, S, H)
        seen = None
        if mask is not None:  # what is masked is not looked at, even if it is no number
            seen = autograd.as_tensor(mask).detach().broadcast_to(sums.shape[:-1])
            sums = autograd.where(seen[..., None], sums, 0.0)
        scores = self.score_proj(autograd.tanh(sums)).squeeze(-1)
        weights = autograd.softmax(scores if seen is None else autograd.where(seen, scores, -np.inf), -1)
        return attended(weights, value, seen), weights


class SinusoidalPositions(Module):
    """x plus sines and cosines of its positions (Vaswani et al. 2017): (B, L, E), or (L, B, E) if not batch_first.

    Args:
        embed_dim: E.
        max_len: the longest sequence.
        dropout: applied to the sum in training.
        batch_first: the order of the axes.
    """

    table: Tensor

    def __init__(self, embed_dim: int, max_len: int = 5000, dropout: float = 0.0, batch_first: bool = True) -> None:
        super().__init__()
        angles = np.arange(max_len)[:, None] * np.exp(np.arange(0, embed_dim, 2) * (-math.log(10000.0) / embed_dim))
        table = np.zeros((max_len, embed_dim), np.float32)
        table[:, 0::2], table[:, 1::2] = np.sin(angles), np.cos(angles)[:, :embed_dim // 2]
        self.max_len, self.dropout, self.batch_first = max_len, dropout, batch_first
        self.register_buffer("table", autograd.as_tensor(table), persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        positions = _positions(input, self.table.shape[1], self.max_len, self.batch_first)
        added = self.table[:positions]
        return F.dropout(input + (added if self.batch_first else added.unsqueeze(1)), self.dropout, self.training)


class LearnedPositions(Module):
    """x plus a learned vector for each position: (B, L, E), or (L, B, E) if not batch_first."""

    def __init__(self, embed_dim: int, max_len: int, batch_first: bool = True, device: str | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.max_len, self.batch_first = max_len, batch_first
        self.weight = Parameter(autograd.empty(max_len, embed_dim, dtype=dtype))
        init.normal_(self.weight, std=0.02)

    def forward(self, input: Tensor) -> Tensor:
        added = self.weight[:_positions(input, self.weight.shape[1], self.max_len, self.batch_first)]
        return input + (added if self.batch_first else added.unsqueeze(1))


def _positions(input: Tensor, embed_dim: int, max_len: int, batch_first: bool) -> int:
    if input.ndim != 3 or input.shape[-1] != embed_dim:
        order = "B, L" if batch_first else "L, B"
        raise ShapeError(f"the input must have shape ({order}, {embed_dim}), not {input.shape}: the layer was "
                         f"made with embed_dim={embed_dim}, which comes first, and max_len={max_len}")
    count = input.shape[1 if batch_first else 0]
    if count > max_len:
        raise ShapeError(f"a sequence of {count} steps (shape {input.shape}) is longer than max_len={max_len}")
    return count
