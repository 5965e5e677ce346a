"""Affine maps."""

import math

import numpy as np

from autograd import Tensor, einsum, operation
from autograd.errors import ShapeError
from autograd.operations.products import packed
from autograd.runtime.products import matmul
from autograd.runtime.sums import added
from autograd.samples import call
from autograd.typing import TensorLike


def rows(x):
    """All axes but the last as one."""
    x = packed(x)
    return x if x.ndim == 2 else x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


def _samples(draw):
    lead, n_in, n_out = draw.array(), draw.integer(0, 3), draw.integer(1, 3)
    return call(draw.array(shape=(*lead.shape, n_in)), draw.array(shape=(n_out, n_in)),
                draw.array(shape=(n_out,)) if draw.boolean() else None)


def with_bias(multiply_adds):
    """The FLOPs of a product to whose result a bias is added, if there is a third argument."""
    return lambda shapes, out, options: 2 * multiply_adds(shapes, out, options) + (
        math.prod(out) if len(shapes) > 2 and shapes[2] is not None else 0)


def _multiply_adds(shapes, out, options):
    return math.prod(out) * shapes[0][-1]


@operation(vjps=(lambda g, out, x, weight, bias: matmul(rows(g), weight).reshape(x.shape),
                 lambda g, out, x, weight, bias: matmul(np.swapaxes(rows(g), 0, 1), rows(x)),
                 lambda g, out, x, weight, bias: added(rows(g), 0)),
           methods="", samples=_samples, multiply_adds=_multiply_adds, flops=with_bias(_multiply_adds))
def linear(input, weight, bias=None):
    """x Wᵀ + b on the last axis: input (*, in), weight (out, in), bias (out,) -> (*, out)."""
    if weight.ndim != 2 or not input.ndim or input.shape[-1] != weight.shape[1]:
        raise ShapeError("the input must have shape (*, in_features) and the weight (out_features, in_features), but "
                         f"they have {input.shape} and {weight.shape}")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(f"bias has shape {bias.shape}; for a weight of shape {weight.shape} it must be "
                         f"{weight.shape[:1]}")
    out = matmul(rows(input), weight.T)
    if bias is not None:
        out += bias
    return out.reshape((*input.shape[:-1], weight.shape[0]))


def bilinear(input1: TensorLike, input2: TensorLike, weight: TensorLike, bias: TensorLike | None = None) -> Tensor:
    """x1ᵀ W_k x2 + b_k for each output k: input1 (*, in1), input2 (*, in2), weight (out, in1, in2), bias (out,)."""
    if weight.ndim != 3 or (input1.shape[-1], input2.shape[-1]) != weight.shape[1:]:
        raise ShapeError(f"inputs of shapes {input1.shape} and {input2.shape} do not fit a weight of shape "
                         f"{weight.shape}; they must be (*, in1), (*, in2) and (out, in1, in2)")
    out = einsum("...i,oij,...j->...o", input1, weight, input2)
    return out if bias is None else out + bias
