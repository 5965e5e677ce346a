"""Blocks of which many networks are made."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import autograd
import nn
from autograd import Tensor
from autograd.typing import Shape
from nn.functional.geometry import tuple_of

Layer = Callable[..., nn.Module]
"""What makes a layer: a class, or a function."""


class ConvNormActivation(nn.Sequential):
    """Base of `Conv2dNormActivation` and `Conv3dNormActivation`, which say the convolution and the normalization."""

    ndim: ClassVar[int]
    conv_layer: ClassVar[Layer]

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Shape, stride: Shape,
                 padding: Shape | str | None, groups: int, norm_layer: Layer | None, activation_layer: Layer | None,
                 dilation: Shape, inplace: bool | None, bias: bool | None) -> None:
        if padding is None:  # that keeps the size
            padding = tuple((k - 1) // 2 * d for k, d in zip(
                tuple_of(kernel_size, self.ndim, "kernel_size"), tuple_of(dilation, self.ndim, "dilation"),
                strict=True))
        layers = [type(self).conv_layer(in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                                        norm_layer is None if bias is None else bias)]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**_inplace(inplace)))
        super().__init__(*layers)
        self.out_channels = out_channels


def _inplace(inplace: bool | None) -> dict[str, bool]:
    """The option of an activation, which not all of them have."""
    return {} if inplace is None else {"inplace": inplace}


class Conv2dNormActivation(ConvNormActivation):
    """A convolution of images, a normalization and an activation.

    Args:
        in_channels: C_in of the input (N, C_in, H, W).
        out_channels: C_out of the output (N, C_out, H', W').
        kernel_size: a number or (kH, kW).
        stride: how far the kernel moves from place to place.
        padding: rows and columns added on each side; None: as many as keep the size at stride 1.
        groups: into how many independent convolutions the channels are split.
        norm_layer: makes a normalization of `out_channels`; None: there is none.
        activation_layer: makes the activation; None: there is none.
        dilation: the distance between the elements of the kernel.
        inplace: an option of the activation; None: it has none.
        bias: of the convolution; None: where there is no normalization, which has its own.

    >>> Conv2dNormActivation(3, 8, stride=2)(autograd.randn(1, 3, 32, 32)).shape
    (1, 8, 16, 16)
    """

    ndim, conv_layer = 2, nn.Conv2d

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Shape = 3, stride: Shape = 1,
                 padding: Shape | str | None = None, groups: int = 1, norm_layer: Layer | None = nn.BatchNorm2d,
                 activation_layer: Layer | None = nn.ReLU, dilation: Shape = 1, inplace: bool | None = True,
                 bias: bool | None = None) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer, activation_layer,
                         dilation, inplace, bias)


class Conv3dNormActivation(ConvNormActivation):
    """A convolution of videos (N, C_in, D, H, W), a normalization and an activation; see `Conv2dNormActivation`."""

    ndim, conv_layer = 3, nn.Conv3d

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Shape = 3, stride: Shape = 1,
                 padding: Shape | str | None = None, groups: int = 1, norm_layer: Layer | None = nn.BatchNorm3d,
                 activation_layer: Layer | None = nn.ReLU, dilation: Shape = 1, inplace: bool | None = True,
                 bias: bool | None = None) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer, activation_layer,
                         dilation, inplace, bias)


class FrozenBatchNorm2d(nn.Module):
    """Batch normalization that doesn't learn: its statistics and its affine map are buffers, in training, too.

    It takes the state of a `BatchNorm2d`.

    Args:
        num_features: C of the input and output (N, C, H, W).
        eps: is added to the variance.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", autograd.ones(num_features))
        self.register_buffer("bias", autograd.zeros(num_features))
        self.register_buffer("running_mean", autograd.zeros(num_features))
        self.register_buffer("running_var", autograd.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        return x * scale.reshape(1, -1, 1, 1) + (self.bias - self.running_mean * scale).reshape(1, -1, 1, 1)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        state_dict.pop(prefix + "num_batches_tracked", None)
        super()._load_from_state_dict(state_dict, prefix, *others)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}"


class Renamed(nn.Module):
    """Base of modules whose convolutions had other names in states of version 1, which still load."""

    _version = 2

    def former_names(self) -> dict[str, str]:
        """Former name of a convolution -> its name."""
        raise NotImplementedError

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any],
                              *others: Any) -> None:
        if (local_metadata.get("version") or 1) < 2:
            for former, now in self.former_names().items():
                for name in ("weight", "bias"):
                    if f"{prefix}{former}.{name}" in state_dict:
                        state_dict[f"{prefix}{now}.{name}"] = state_dict.pop(f"{prefix}{former}.{name}")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)


class SqueezeExcitation(nn.Module):
    """Channels weighted by what the whole image says: x · σ(W₂ δ(W₁ mean(x))) (Hu et al. 2018).

    Args:
        input_channels: C of the input and output (N, C, H, W).
        squeeze_channels: how many numbers lie between W₁ and W₂.
        activation: makes δ.
        scale_activation: makes σ.

    >>> SqueezeExcitation(16, 4)(autograd.randn(1, 16, 8, 8)).shape
    (1, 16, 8, 8)
    """

    def __init__(self, input_channels: int, squeeze_channels: int, activation: Layer = nn.ReLU,
                 scale_activation: Layer = nn.Sigmoid) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: Tensor) -> Tensor:
        return self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(input))))) * input


class MLP(nn.Sequential):
    """A multilayer perceptron: linear layers with a normalization, an activation and dropout between them.

    Args:
        in_channels: length of the last axis of the input.
        hidden_channels: what the linear layers give, one after the other.
        norm_layer: makes a normalization of so many numbers; None: there is none.
        activation_layer: makes the activation.
        inplace: an option of activation and dropout; None: their default.
        bias: of the linear layers.
        dropout: the probability of each dropout, of which one is at the end.

    >>> MLP(8, [32, 8])(autograd.randn(5, 8)).shape
    (5, 8)
    """

    def __init__(self, in_channels: int, hidden_channels: Sequence[int], norm_layer: Layer | None = None,
                 activation_layer: Layer = nn.ReLU, inplace: bool | None = None, bias: bool = True,
                 dropout: float = 0.0) -> None:
        layers: list[nn.Module] = []
        for i, channels in enumerate(hidden_channels, 1):
            layers.append(nn.Linear(in_channels, channels, bias))
            if i < len(hidden_channels):
                if norm_layer is not None:
                    layers.append(norm_layer(channels))
                layers.append(activation_layer(**_inplace(inplace)))
            layers.append(nn.Dropout(dropout, **_inplace(inplace)))
            in_channels = channels
        super().__init__(*layers)


class Permute(nn.Module):
    """The axes in another order, `dims`.

    >>> Permute([0, 2, 3, 1])(autograd.zeros(1, 3, 4, 5)).shape
    (1, 4, 5, 3)
    """

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        self.dims = tuple(dims)

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.dims)

    def extra_repr(self) -> str:
        return f"dims={self.dims}"
