"""The Vision Transformer: an image is a sequence of patches."""

import math
import re
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import autograd
import nn
from autograd import Tensor, cat
from autograd.errors import ShapeError
from nn import init
from nn.vision.models._utils import Weights, build, initialize_mlp, state_of, zero_bias
from nn.vision.ops.misc import MLP, Conv2dNormActivation, Layer

LAYER_NORM = partial(nn.LayerNorm, eps=1e-6)


class ConvStemConfig(NamedTuple):
    """A convolution among those that may take the place of cutting into patches (Xiao et al. 2021)."""

    out_channels: int
    kernel_size: int
    stride: int
    norm_layer: Layer = nn.BatchNorm2d
    activation_layer: Layer = nn.ReLU


class MLPBlock(MLP):
    """The perceptron of a Transformer, with GELU."""

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float) -> None:
        super().__init__(in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU, dropout=dropout)
        initialize_mlp(self)


class EncoderBlock(nn.Module):
    """Attention and a perceptron, each after a normalization and added to what it reads."""

    def __init__(self, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float, attention_dropout: float,
                 norm_layer: Layer = LAYER_NORM) -> None:
        super().__init__()
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, dropout=attention_dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input: Tensor) -> Tensor:
        x = self.ln_1(input)
        x = self.dropout(self.self_attention(x, x, x, need_weights=False)[0]) + input
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Positions are added, then come the blocks, and a normalization."""

    def __init__(self, seq_length: int, num_layers: int, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float,
                 attention_dropout: float, norm_layer: Layer = LAYER_NORM) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(init.normal_(autograd.empty(1, seq_length, hidden_dim), std=0.02))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential({
            f"encoder_layer_{i}": EncoderBlock(num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer)
            for i in range(num_layers)})
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: Tensor) -> Tensor:
        return self.ln(self.layers(self.dropout(input + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """Images (N, 3, image_size, image_size) to logits (N, num_classes).

    Args:
        image_size: height and width of the images.
        patch_size: height and width of the patches, by which `image_size` can be divided.
        num_layers: how many blocks there are.
        num_heads: of each attention.
        hidden_dim: length of the vector of a patch.
        mlp_dim: length of the vectors in the perceptrons.
        dropout: of vectors.
        attention_dropout: of the weights of attentions.
        num_classes: how many logits there are.
        representation_size: length of the vectors of a layer before the last; None: there is none.
        norm_layer: makes the normalizations; default LayerNorm.
        conv_stem_configs: convolutions that take the place of cutting into patches.
    """

    def __init__(self, image_size: int, patch_size: int, num_layers: int, num_heads: int, hidden_dim: int,
                 mlp_dim: int, dropout: float = 0.0, attention_dropout: float = 0.0, num_classes: int = 1000,
                 representation_size: int | None = None, norm_layer: Layer | None = None,
                 conv_stem_configs: Sequence[ConvStemConfig] | None = None) -> None:
        super().__init__()
        if image_size % patch_size:
            raise ValueError(f"image_size {image_size} must be a multiple of patch_size {patch_size}")
        self.image_size, self.patch_size, self.hidden_dim = image_size, patch_size, hidden_dim
        self.conv_proj: nn.Sequential | nn.Conv2d = nn.Sequential() if conv_stem_configs else nn.Conv2d(
            3, hidden_dim, patch_size, stride=patch_size)
        if conv_stem_configs:
            channels = 3
            for i, (out, kernel_size, stride, norm, activation) in enumerate(conv_stem_configs):
                self.conv_proj.add_module(f"conv_bn_relu_{i}", Conv2dNormActivation(
                    channels, out, kernel_size, stride, norm_layer=norm, activation_layer=activation))
                channels = out
            self.conv_proj.add_module("conv_last", nn.Conv2d(channels, hidden_dim, 1))
        self.class_token = nn.Parameter(autograd.zeros(1, 1, hidden_dim))
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.encoder = Encoder(self.seq_length, num_layers, num_heads, hidden_dim, mlp_dim, dropout, attention_dropout,
                               norm_layer or LAYER_NORM)
        self.heads = nn.Sequential({"head": nn.Linear(hidden_dim, num_classes)} if representation_size is None else {
            "pre_logits": nn.Linear(hidden_dim, representation_size), "act": nn.Tanh(),
            "head": nn.Linear(representation_size, num_classes)})
        self._initialize()

    def _initialize(self) -> None:
        """First values: what makes vectors of patches keeps their variance, and the last layer gives 0."""
        if isinstance(self.conv_proj, nn.Conv2d):
            last = self.conv_proj
            init.trunc_normal_(last.weight, std=math.sqrt(1 / init.fans(last.weight)[0]))
        else:
            last = self.conv_proj[-1]
            init.normal_(last.weight, std=math.sqrt(2 / last.out_channels))
        *before, head = [module for module in self.heads if isinstance(module, nn.Linear)]
        for module in before:
            init.trunc_normal_(module.weight, std=math.sqrt(1 / module.in_features))
        init.zeros_(head.weight)
        for module in (last, *before, head):
            zero_bias(module)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-2:] != (self.image_size, self.image_size):
            raise ShapeError(f"the images must be {self.image_size} × {self.image_size}, as many patches as there are "
                             f"positions, not {x.shape[-2]} × {x.shape[-1]}; resize them, or make the model with "
                             "another image_size")
        x = self.conv_proj(x).flatten(2).permute(0, 2, 1)  # (N, patches, hidden_dim)
        x = cat([self.class_token.expand(x.shape[0], -1, -1), x], 1)
        return self.heads(self.encoder(x)[:, 0])


def _vision_transformer(weights: Weights, patch_size: int, num_layers: int, num_heads: int, hidden_dim: int,
                        mlp_dim: int, image_size: int = 224, **kwargs: Any) -> VisionTransformer:
    state = state_of(kwargs.pop("pretrained", False) or weights)
    if state is not None:  # older files name the layers of a perceptron
        state = {re.sub(r"\.mlp\.linear_([12])\.", lambda match: f".mlp.{3 * int(match[1]) - 3}.", key): value
                 for key, value in state.items()}
    return build(VisionTransformer, state, image_size, patch_size, num_layers, num_heads, hidden_dim, mlp_dim,
                 **kwargs)


def vit_b_16(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """ViT-B/16 (Dosovitskiy et al. 2021, arXiv:2010.11929)."""
    return _vision_transformer(weights, 16, 12, 12, 768, 3072, **kwargs)


def vit_b_32(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """ViT-B/32 (Dosovitskiy et al. 2021, arXiv:2010.11929)."""
    return _vision_transformer(weights, 32, 12, 12, 768, 3072, **kwargs)


def vit_l_16(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """ViT-L/16 (Dosovitskiy et al. 2021, arXiv:2010.11929)."""
    return _vision_transformer(weights, 16, 24, 16, 1024, 4096, **kwargs)


def vit_l_32(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """ViT-L/32 (Dosovitskiy et al. 2021, arXiv:2010.11929)."""
    return _vision_transformer(weights, 32, 24, 16, 1024, 4096, **kwargs)


def vit_h_14(*, weights: Weights = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """ViT-H/14 (Dosovitskiy et al. 2021, arXiv:2010.11929)."""
    return _vision_transformer(weights, 14, 32, 16, 1280, 5120, **kwargs)
