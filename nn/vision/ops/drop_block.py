"""DropBlock: in training, blocks of a feature map are set to zero, since neighbors know what a single pixel says."""

import math

import autograd
from autograd import Tensor, as_tensor, default_generator
from autograd.errors import ShapeError
from autograd.inplace import assign
from autograd.typing import TensorLike
from nn import functional as F
from nn.functional.geometry import layout
from nn.functional.weighted import weighted
from nn.layer import FunctionLayer


def _drop_block(input: TensorLike, ndim: int, p: float, block_size: int, inplace: bool, eps: float,
                training: bool) -> Tensor:
    if not 0 <= p <= 1:
        raise ValueError(f"a probability must be between 0 and 1, not {p}")
    x = as_tensor(input)
    if x.ndim != ndim + 2:
        raise ShapeError(f"the input must have shape {layout(ndim)}, not {x.shape}")
    if not training or not p:
        return x
    block = min(block_size, *x.shape[2:])
    if block % 2 == 0:
        raise ValueError(f"a block has a center, so its size must be odd, not {block}" +
                         f" (which is all of an input of shape {x.shape})" * (block < block_size))
    centers = [n - block + 1 for n in x.shape[2:]]
    chance = p * math.prod(x.shape[2:]) / (block ** ndim * math.prod(centers))
    shape = (*x.shape[:2], *centers)
    drawn = default_generator.chances(chance, math.prod(shape)).reshape(shape).astype(x.dtype)
    dropped = F.pad(autograd.from_numpy(drawn), [block // 2] * 2 * ndim)
    kept = 1 - (F.max_pool2d if ndim == 2 else F.max_pool3d)(dropped, block, 1, block // 2)
    result = weighted(x, kept * (kept.numel() / (eps + kept.sum())))
    return assign(x, result) if inplace else result


def drop_block2d(input: TensorLike, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6,
                 training: bool = True) -> Tensor:
    """(N, C, H, W) with square blocks of zeros, and the rest made larger (Ghiasi et al. 2018).

    Args:
        input: (N, C, H, W).
        p: about which part of the elements is dropped.
        block_size: the side of a block, odd.
        inplace: whether the input itself gets the result's values.
        eps: is added to the number of elements that are kept.
        training: whether anything is dropped at all.
    """
    return _drop_block(input, 2, p, block_size, inplace, eps, training)


def drop_block3d(input: TensorLike, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6,
                 training: bool = True) -> Tensor:
    """`drop_block2d` of (N, C, D, H, W), with cubes."""
    return _drop_block(input, 3, p, block_size, inplace, eps, training)


class DropBlock2d(FunctionLayer, function=drop_block2d):
    """Square blocks of zeros in (N, C, H, W), in training (Ghiasi et al. 2018)."""


class DropBlock3d(FunctionLayer, function=drop_block3d):
    """Cubes of zeros in (N, C, D, H, W), in training (Ghiasi et al. 2018)."""
