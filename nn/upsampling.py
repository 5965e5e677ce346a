"""Images in another size; see `nn.functional`."""

from typing import Any

from nn import functional as F
from nn.layer import FunctionLayer


class Upsample(FunctionLayer, function=F.interpolate):
    """(N, C, ...) in another size."""

    size: object
    scale_factor: Any
    mode: str

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if self.scale_factor is not None:
            several = isinstance(self.scale_factor, (tuple, list))
            self.scale_factor = tuple(map(float, self.scale_factor)) if several else float(self.scale_factor)

    def extra_repr(self) -> str:
        """What says how large the output is, and the mode, as in PyTorch."""
        given = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{given}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample, function=F.upsample_nearest):
    """(N, C, H, W) in another size, of the nearest pixels."""

    mode = "nearest"


class UpsamplingBilinear2d(Upsample, function=F.upsample_bilinear):
    """(N, C, H, W) in another size, bilinear, with the middle points of the corners kept in place."""

    mode = "bilinear"
