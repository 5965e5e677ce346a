"""Swin: attention within windows, which are shifted from layer to layer, on fewer and fewer patches."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor, cat
from nn import functional as F
from nn import init
from nn.vision.models._utils import Weights, build, initialize, initialize_mlp, truncated_normal
from nn.vision.ops import StochasticDepth
from nn.vision.ops.misc import MLP, Layer, Permute


def _neighbors(x: Tensor) -> Tensor:
    """(N, H, W, C) to (N, H/2, W/2, 4C): the four patches of each square beside each other."""
    x = F.pad(x, (0, 0, 0, x.shape[-2] % 2, 0, x.shape[-3] % 2))
    return cat([x[..., i::2, j::2, :] for j in (0, 1) for i in (0, 1)], -1)


class PatchMerging(nn.Module):
    """Each square of four patches becomes one of twice the channels: (N, H, W, C) to (N, H/2, W/2, 2C)."""

    def __init__(self, dim: int, norm_layer: Layer = nn.LayerNorm) -> None:
        super().__init__()
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(4 * dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.reduction(self.norm(_neighbors(x)))


class PatchMergingV2(nn.Module):
    """`PatchMerging` that normalizes at the end."""

    def __init__(self, dim: int, norm_layer: Layer = nn.LayerNorm) -> None:
        super().__init__()
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(2 * dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.reduction(_neighbors(x)))


class ShiftedWindowAttention(nn.Module):
    """Attention among the patches of each window, with a learned bias for each relative position.

    Args:
        dim: C of the input and output (N, H, W, C).
        window_size: height and width of a window.
        shift_size: by how much windows are shifted; what moves out comes in on the other side, but isn't seen there.
        num_heads: how many heads there are.
        qkv_bias: whether queries, keys and values have a bias.
        proj_bias: whether the output has one.
        attention_dropout: of the weights.
        dropout: of the output.
    """

    relative_position_index: Tensor

    def __init__(self, dim: int, window_size: Sequence[int], shift_size: Sequence[int], num_heads: int,
                 qkv_bias: bool = True, proj_bias: bool = True, attention_dropout: float = 0.0,
                 dropout: float = 0.0) -> None:
        super().__init__()
        if len(window_size) != 2 or len(shift_size) != 2:
            raise ValueError(f"window_size and shift_size are a height and a width, not {window_size} and {shift_size}")
        self.window_size, self.shift_size, self.num_heads = tuple(window_size), tuple(shift_size), num_heads
        self.attention_dropout, self.dropout = attention_dropout, dropout
        self.qkv = nn.Linear(dim, dim * 3, qkv_bias)
        self.proj = nn.Linear(dim, dim, proj_bias)
        self.define_relative_position_bias_table()
        places = np.indices(self.window_size).reshape(2, -1)
        rows, columns = places[:, :, None] - places[:, None] + np.reshape(self.window_size, (2, 1, 1)) - 1
        self.register_buffer("relative_position_index",
                             autograd.tensor((rows * (2 * self.window_size[1] - 1) + columns).ravel()))

    def define_relative_position_bias_table(self) -> None:
        """A parameter for each relative position and head."""
        height, width = self.window_size
        self.relative_position_bias_table = nn.Parameter(
            init.trunc_normal_(autograd.zeros((2 * height - 1) * (2 * width - 1), self.num_heads), std=0.02))

    def get_relative_position_bias(self) -> Tensor:
        """(1, heads, patches of a window, patches of a window)."""
        return self._of_pairs(self.relative_position_bias_table)

    def _of_pairs(self, table: Tensor) -> Tensor:
        n = math.prod(self.window_size)
        return table[self.relative_position_index].reshape(n, n, -1).permute(2, 0, 1).unsqueeze(0)

    def _scores(self, q: Tensor, k: Tensor) -> Tensor:
        return (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)

    def _qkv_bias(self) -> Tensor | None:
        return self.qkv.bias

    def forward(self, x: Tensor) -> Tensor:
        n, height, width, c = x.shape
        (h, w), heads = self.window_size, self.num_heads
        x = F.pad(x, (0, 0, 0, -width % w, 0, -height % h))
        rows, columns = x.shape[1] // h, x.shape[2] // w
        shift = [0 if count == 1 else s for count, s in zip((rows, columns), self.shift_size, strict=True)]
        if any(shift):
            x = x.roll((-shift[0], -shift[1]), (1, 2))
        x = x.reshape(n, rows, h, columns, w, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, h * w, c)
        qkv = F.linear(x, self.qkv.weight, self._qkv_bias()).reshape(-1, h * w, 3, heads, c // heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        scores = self._scores(q, k) + self.get_relative_position_bias()
        if any(shift):
            mask = autograd.tensor(_unseen(rows * h, columns * w, (h, w), shift) * -100.0, dtype=x.dtype)
            scores = (scores.reshape(n, -1, heads, h * w, h * w) + mask[:, None]).reshape(scores.shape)
        weights = F.dropout(F.softmax(scores, -1), self.attention_dropout, self.training)
        x = self.proj((weights @ v).transpose(1, 2).reshape(-1, h * w, c))
        x = F.dropout(x, self.dropout, self.training)
        x = x.reshape(n, rows, columns, h, w, c).permute(0, 1, 3, 2, 4, 5).reshape(n, rows * h, columns * w, c)
        if any(shift):
            x = x.roll(tuple(shift), (1, 2))
        return x[:, :height, :width]


def _unseen(height: int, width: int, window: tuple[int, ...], shift: Sequence[int]) -> np.ndarray:
    """(windows, patches, patches): 1 where two patches of a window come from opposite sides of the image."""
    (h, w), parts = window, []
    for size, length, by in zip((height, width), window, shift, strict=True):
        place = np.arange(size)
        parts.append((place >= size - length).astype(int) + (place >= size - by) if by else np.zeros(size, int))
    part = parts[0][:, None] * 3 + parts[1]
    part = part.reshape(height // h, h, width // w, w).transpose(0, 2, 1, 3).reshape(-1, h * w)
    return part[:, :, None] != part[:, None]


class ShiftedWindowAttentionV2(ShiftedWindowAttention):
    """Attention by cosines, whose bias is a function of the relative position, so that windows may change their size.

    Arguments are those of `ShiftedWindowAttention`.
    """

    relative_coords_table: Tensor

    def __init__(self, dim: int, window_size: Sequence[int], shift_size: Sequence[int], num_heads: int,
                 qkv_bias: bool = True, proj_bias: bool = True, attention_dropout: float = 0.0,
                 dropout: float = 0.0) -> None:
        super().__init__(dim, window_size, shift_size, num_heads, qkv_bias, proj_bias, attention_dropout, dropout)
        self.logit_scale = nn.Parameter(autograd.full((num_heads, 1, 1), math.log(10)))
        self.cpb_mlp = nn.Sequential(nn.Linear(2, 512), nn.ReLU(inplace=True), nn.Linear(512, num_heads, bias=False))
        if self.qkv.bias is not None:
            init.zeros_(self.qkv.bias[dim:2 * dim])

    def define_relative_position_bias_table(self) -> None:
        """The logarithms of the relative positions."""
        height, width = (np.arange(1 - n, n) / (n - 1) * 8 for n in self.window_size)
        table = np.stack(np.meshgrid(height, width, indexing="ij"), -1)[None]
        self.register_buffer("relative_coords_table", autograd.tensor(
            np.sign(table) * np.log2(np.abs(table) + 1) / 3, dtype=autograd.get_default_dtype()))

    def get_relative_position_bias(self) -> Tensor:
        """(1, heads, patches of a window, patches of a window)."""
        table = self.cpb_mlp(self.relative_coords_table).reshape(-1, self.num_heads)
        return 16 * self._of_pairs(table).sigmoid()

    def _scores(self, q: Tensor, k: Tensor) -> Tensor:
        cosines = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)
        return cosines * self.logit_scale.clamp(max=math.log(100)).exp()

    def _qkv_bias(self) -> Tensor | None:
        """That of keys stays 0."""
        if self.qkv.bias is None:
            return None
        q, k, v = self.qkv.bias.chunk(3)
        return cat([q, autograd.zeros_like(k), v])


class SwinTransformerBlock(nn.Module):
    """Attention and a perceptron, each after a normalization and added to what it reads.

    Args:
        dim: C of the input and output (N, H, W, C).
        num_heads: of the attention.
        window_size: its windows.
        shift_size: by how much they are shifted.
        mlp_ratio: how much longer the vectors in the perceptron are.
        dropout: of vectors.
        attention_dropout: of the weights of the attention.
        stochastic_depth_prob: how often a branch is dropped in training.
        norm_layer: makes the normalizations.
        attn_layer: makes the attention.
    """

    def __init__(self, dim: int, num_heads: int, window_size: Sequence[int], shift_size: Sequence[int],
                 mlp_ratio: float = 4.0, dropout: float = 0.0, attention_dropout: float = 0.0,
                 stochastic_depth_prob: float = 0.0, norm_layer: Layer = nn.LayerNorm,
                 attn_layer: Layer = ShiftedWindowAttention) -> None:
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = attn_layer(dim, window_size, shift_size, num_heads, attention_dropout=attention_dropout,
                               dropout=dropout)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.norm2 = norm_layer(dim)
        self.mlp = MLP(dim, [int(dim * mlp_ratio), dim], activation_layer=nn.GELU, dropout=dropout)
        initialize_mlp(self.mlp)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.stochastic_depth(self.attn(self.norm1(x)))
        return x + self.stochastic_depth(self.mlp(self.norm2(x)))


class SwinTransformerBlockV2(SwinTransformerBlock):
    """`SwinTransformerBlock` that normalizes what attention and perceptron give, not what they read."""

    def __init__(self, dim: int, num_heads: int, window_size: Sequence[int], shift_size: Sequence[int],
                 mlp_ratio: float = 4.0, dropout: float = 0.0, attention_dropout: float = 0.0,
                 stochastic_depth_prob: float = 0.0, norm_layer: Layer = nn.LayerNorm,
                 attn_layer: Layer = ShiftedWindowAttentionV2) -> None:
        super().__init__(dim, num_heads, window_size, shift_size, mlp_ratio, dropout, attention_dropout,
                         stochastic_depth_prob, norm_layer, attn_layer)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.stochastic_depth(self.norm1(self.attn(x)))
        return x + self.stochastic_depth(self.norm2(self.mlp(x)))


class SwinTransformer(nn.Module):
    """Images (N, 3, H, W) to logits (N, num_classes).

    Args:
        patch_size: height and width of the first patches.
        embed_dim: channels of the first stage; each later one has twice as many.
        depths: how many blocks each stage has.
        num_heads: of the attentions of each stage.
        window_size: height and width of the windows.
        mlp_ratio: how much longer the vectors in the perceptrons are.
        dropout: of vectors.
        attention_dropout: of the weights of attentions.
        stochastic_depth_prob: of the last block; the others have less, in proportion to their depth.
        num_classes: how many logits there are.
        norm_layer: makes the normalizations; default LayerNorm.
        block: makes the blocks; default `SwinTransformerBlock`.
        downsample_layer: makes what lies between stages.
    """

    def __init__(self, patch_size: Sequence[int], embed_dim: int, depths: Sequence[int], num_heads: Sequence[int],
                 window_size: Sequence[int], mlp_ratio: float = 4.0, dropout: float = 0.0,
                 attention_dropout: float = 0.0, stochastic_depth_prob: float = 0.1, num_classes: int = 1000,
                 norm_layer: Layer | None = None, block: Layer | None = None,
                 downsample_layer: Layer = PatchMerging) -> None:
        super().__init__()
        block, norm_layer = block or SwinTransformerBlock, norm_layer or partial(nn.LayerNorm, eps=1e-5)
        patch, dim = tuple(patch_size), embed_dim
        layers: list[nn.Module] = [nn.Sequential(nn.Conv2d(3, dim, patch, stride=patch), Permute([0, 2, 3, 1]),
                                                 norm_layer(dim))]
        drop, shifted = stochastic_depth_prob / (sum(depths) - 1), [size // 2 for size in window_size]
        for i, (depth, heads) in enumerate(zip(depths, num_heads, strict=True)):
            if i:
                layers.append(downsample_layer(dim, norm_layer))
                dim *= 2
            layers.append(nn.Sequential(*[
                block(dim, heads, window_size=window_size, shift_size=shifted if j % 2 else [0, 0],
                      mlp_ratio=mlp_ratio, dropout=dropout, attention_dropout=attention_dropout,
                      stochastic_depth_prob=drop * (sum(depths[:i]) + j), norm_layer=norm_layer)
                for j in range(depth)]))
        self.features = nn.Sequential(*layers)
        self.norm = norm_layer(dim)
        self.permute = Permute([0, 3, 1, 2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten(1)
        self.head = nn.Linear(dim, num_classes)
        initialize(self, None, truncated_normal)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.flatten(self.avgpool(self.permute(self.norm(self.features(x))))))


def _swin(weights: Weights, embed_dim: int, depths: Sequence[int], num_heads: Sequence[int],
          stochastic_depth_prob: float, window_size: Sequence[int] = (7, 7), **kwargs: Any) -> SwinTransformer:
    return build(SwinTransformer, weights, [4, 4], embed_dim, depths, num_heads, window_size,
                 **{"stochastic_depth_prob": stochastic_depth_prob, **kwargs})


V2: dict[str, Any] = {"window_size": (8, 8), "block": SwinTransformerBlockV2, "downsample_layer": PatchMergingV2}


def swin_t(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Swin-T (Liu et al. 2021, arXiv:2103.14030)."""
    return _swin(weights, 96, [2, 2, 6, 2], [3, 6, 12, 24], 0.2, **kwargs)


def swin_s(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Swin-S (Liu et al. 2021, arXiv:2103.14030)."""
    return _swin(weights, 96, [2, 2, 18, 2], [3, 6, 12, 24], 0.3, **kwargs)


def swin_b(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Swin-B (Liu et al. 2021, arXiv:2103.14030)."""
    return _swin(weights, 128, [2, 2, 18, 2], [4, 8, 16, 32], 0.5, **kwargs)


def swin_v2_t(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """SwinV2-T (Liu et al. 2022, arXiv:2111.09883)."""
    return _swin(weights, 96, [2, 2, 6, 2], [3, 6, 12, 24], 0.2, **V2, **kwargs)


def swin_v2_s(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """SwinV2-S (Liu et al. 2022, arXiv:2111.09883)."""
    return _swin(weights, 96, [2, 2, 18, 2], [3, 6, 12, 24], 0.3, **V2, **kwargs)


def swin_v2_b(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """SwinV2-B (Liu et al. 2022, arXiv:2111.09883)."""
    return _swin(weights, 128, [2, 2, 18, 2], [4, 8, 16, 32], 0.5, **V2, **kwargs)
