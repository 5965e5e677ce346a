"""Images in another size, in any number of dimensions."""

import math
import numbers
from collections.abc import Sequence

from autograd import Tensor, as_tensor, dtypes
from autograd.errors import ShapeError
from autograd.typing import Shape, TensorLike
from nn.functional.geometry import tuple_of
from nn.functional.pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from nn.functional.resampling import resample, resizing

_MODES = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "linear": (1,), "bilinear": (2,), "trilinear": (3,),
          "bicubic": (2,), "lanczos": (2,), "area": (1, 2, 3)}
_AREA = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}
_ALONG_AN_AXIS = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}


def interpolate(input: TensorLike, size: Shape | None = None, scale_factor: float | Sequence[float] | None = None,
                mode: str = "nearest", align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
                antialias: bool = False) -> Tensor:
    """(N, C, ...) in another size.

    An output depends on the neighbors that its mode reads and on no others, so that a NaN stays where it is.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: of the output, a number or one per dimension; or
        scale_factor: by which the size is multiplied.
        mode: "nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area", "lanczos" (with
            antialias).
        align_corners: whether the middle points of the corners (True) or the corners themselves are kept in place.
        recompute_scale_factor: take positions from the sizes, of which scale_factor gives that of the output, rounded
            down, and not from scale_factor itself.
        antialias: with "bilinear", "bicubic" and "lanczos", widen the filter where the size shrinks.
    """
    x = as_tensor(input)
    ndim = x.ndim - 2
    if mode not in _MODES or ndim not in _MODES[mode]:
        fits = [name for name, dims in _MODES.items() if ndim in dims]
        if not fits:
            raise ShapeError(f"the input must have shape (N, C, W), (N, C, H, W) or (N, C, D, H, W), not {x.shape}")
        raise ValueError(f"an input of shape {x.shape} can have mode {fits}, not {mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError("give either size or scale_factor")
    if recompute_scale_factor and size is not None:
        raise ValueError("with an explicit size there is no scale factor to recompute; leave out "
                         "recompute_scale_factor")
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(f"align_corners has no meaning with mode {mode!r}")
    if (antialias and mode not in ("bilinear", "bicubic", "lanczos")) or (mode == "lanczos" and not antialias):
        raise ValueError(f"antialias={antialias} does not go with mode {mode!r}; 'bilinear' and 'bicubic' "
                         "may have it, 'lanczos' must, others cannot")
    if mode == "lanczos" and align_corners:
        raise ValueError("mode 'lanczos' keeps the corners, not their middle points: align_corners must be False")
    if size is not None:
        counts, factors = tuple_of(size, ndim, "size"), (None,) * ndim
    else:
        factors = tuple_of(scale_factor, ndim, "scale_factor", numbers.Real)
        counts = tuple([math.floor(n * f) for n, f in zip(x.shape[2:], factors, strict=True)])
    if min(*counts, *x.shape[2:]) < 1:
        raise ShapeError(f"an input of size {x.shape[2:]} cannot become one of size {tuple(counts)}: both "
                         "need at least 1 in each dimension")
    if mode == "area":
        return _AREA[ndim](x, counts)
    if not mode.startswith("nearest") and not x.is_floating_point():
        raise TypeError(f"mode {mode!r} computes weighted means, which integers cannot hold, and the "
                        f"input is {x.dtype}; write input.float(), or take mode 'nearest'")
    if recompute_scale_factor or align_corners:
        factors = (None,) * ndim
    taps = [resizing(n, count, _ALONG_AN_AXIS.get(mode, mode), bool(align_corners), factor, bool(antialias),
                     dtypes.float64 if x.dtype == dtypes.float64 else dtypes.float32)
            for n, count, factor in zip(x.shape[2:], counts, factors, strict=True)]
    return resample(x, taps=tuple(taps), before=None, after=None)


def upsample(input: TensorLike, size: Shape | None = None, scale_factor: float | Sequence[float] | None = None,
             mode: str = "nearest", align_corners: bool | None = None) -> Tensor:
    """`interpolate` under its older name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: TensorLike, size: Shape | None = None,
                     scale_factor: float | Sequence[float] | None = None) -> Tensor:
    """`interpolate` with the nearest pixels."""
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: TensorLike, size: Shape | None = None,
                      scale_factor: float | Sequence[float] | None = None) -> Tensor:
    """`interpolate` of (N, C, H, W), bilinear, with the middle points of the corners kept in place."""
    return interpolate(input, size, scale_factor, "bilinear", True)
