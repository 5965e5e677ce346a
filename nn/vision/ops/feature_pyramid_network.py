"""Feature pyramids: maps of all resolutions, each of which knows what the coarser ones have seen."""

from collections.abc import Mapping, Sequence

import nn
from autograd import Tensor, relu
from nn import init
from nn.functional.upsampling import interpolate
from nn.vision.ops.misc import Conv2dNormActivation, Layer, Renamed


class ExtraFPNBlock(nn.Module):
    """Base of what adds maps to a pyramid: called with its maps, those it was made of, and their names.

    Returns maps and names.
    """

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, results, x, names)")


class LastLevelMaxPool(ExtraFPNBlock):
    """Adds every other pixel of the coarsest map, as "pool"."""

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        return [*results, results[-1][:, :, ::2, ::2]], [*names, "pool"]


class LastLevelP6P7(ExtraFPNBlock):
    """Adds two coarser maps by convolution, as "p6" and "p7" (RetinaNet).

    Args:
        in_channels: of the coarsest map that the pyramid was made of; if it has as many as the pyramid, p6 is made of
            the coarsest of the pyramid instead.
        out_channels: of the pyramid.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.p6 = nn.Conv2d(in_channels, out_channels, 3, 2, 1)
        self.p7 = nn.Conv2d(out_channels, out_channels, 3, 2, 1)
        _initialize(self)
        self.use_P5 = in_channels == out_channels

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        p6 = self.p6(results[-1] if self.use_P5 else x[-1])
        return [*results, p6, self.p7(relu(p6))], [*names, "p6", "p7"]


def _initialize(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            init.kaiming_uniform_(layer.weight, a=1)
            if layer.bias is not None:
                init.zeros_(layer.bias)


class FeaturePyramidNetwork(Renamed):
    """Maps of falling resolution become as many with equal channels, each knowing the coarser ones (Lin et al. 2017).

    Args:
        in_channels_list: the channels of the maps, finest first.
        out_channels: the channels of the results.
        extra_blocks: adds further maps, such as `LastLevelMaxPool()`.
        norm_layer: makes a normalization behind each convolution; None: there is none.

    >>> pyramid = FeaturePyramidNetwork([10, 20], 5)
    >>> maps = pyramid({"fine": rand(1, 10, 16, 16), "coarse": rand(1, 20, 8, 8)})
    >>> {name: tuple(x.shape) for name, x in maps.items()}
    {'fine': (1, 5, 16, 16), 'coarse': (1, 5, 8, 8)}
    """

    def __init__(self, in_channels_list: Sequence[int], out_channels: int, extra_blocks: ExtraFPNBlock | None = None,
                 norm_layer: Layer | None = None) -> None:
        super().__init__()
        if extra_blocks is not None and not isinstance(extra_blocks, ExtraFPNBlock):
            raise TypeError(f"extra_blocks must be an ExtraFPNBlock, not a {type(extra_blocks).__name__}")
        if 0 in in_channels_list:
            raise ValueError(f"each map must have channels; in_channels_list is {list(in_channels_list)}")
        self.inner_blocks, self.layer_blocks = nn.ModuleList(), nn.ModuleList()
        for channels in in_channels_list:
            self.inner_blocks.append(Conv2dNormActivation(channels, out_channels, 1, padding=0, norm_layer=norm_layer,
                                                          activation_layer=None))
            self.layer_blocks.append(Conv2dNormActivation(out_channels, out_channels, 3, norm_layer=norm_layer,
                                                          activation_layer=None))
        _initialize(self)
        self.extra_blocks = extra_blocks

    def forward(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The maps of the pyramid under the names of x, finest first, and those that `extra_blocks` adds."""
        names, maps = list(x), list(x.values())
        results: list[Tensor] = []
        above = None
        for inner, layer, features in reversed(list(zip(self.inner_blocks, self.layer_blocks, maps, strict=True))):
            lateral = inner(features)
            above = lateral if above is None else lateral + interpolate(above, lateral.shape[-2:])
            results.insert(0, layer(above))
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, maps, names)
        return dict(zip(names, results, strict=True))

    def former_names(self) -> dict[str, str]:
        return {f"{block}.{i}": f"{block}.{i}.0" for block in ("inner_blocks", "layer_blocks")
                for i in range(len(self.inner_blocks))}
