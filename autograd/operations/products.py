"""Matrix products and every other sum of products."""

import itertools
import math
import string

import numpy as np

from autograd.table import operation
from autograd.samples import call
from autograd.tensor import Tensor


# matmul: NumPy's and PyTorch's rules for any number of axes. A vector is a row on the left, a column on the right.

def _matmul_vjp_x(g, out, x, y):
    if y.ndim == 1:
        return g[..., None] * y
    if x.ndim == 1:
        return (y @ g[..., None])[..., 0]
    return g @ np.swapaxes(y, -1, -2)


def _matmul_vjp_y(g, out, x, y):
    if x.ndim == 1:
        return g * x if y.ndim == 1 else x[:, None] * g[..., None, :]
    if y.ndim == 1:
        return (np.swapaxes(x, -1, -2) @ g[..., None])[..., 0]
    if y.ndim == 2 and x.ndim > 2:  # one product instead of a stack of them to be summed
        x, g = x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1])
    return np.swapaxes(x, -1, -2) @ g


matmul = operation(
    np.matmul, vjps=(_matmul_vjp_x, _matmul_vjp_y), samples=lambda draw: call(*draw.matmul_operands()),
    operators="__matmul__ __rmatmul__", numpy=np.matmul)


# einsum

def _explicit(equation, ndims):
    """The subscripts of each operand and of the output, with letters in place of `...`."""
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    inputs = inputs.split(",")
    if len(inputs) != len(ndims):
        raise ValueError(f"the equation '{equation}' has {len(inputs)} operands, {len(ndims)} were given")
    free = [letter for letter in string.ascii_letters if letter not in equation]
    longest = max([n - len(s) + 3 for s, n in zip(inputs, ndims, strict=True) if "..." in s], default=0)
    dots = "".join(free[:longest])
    full = [s.replace("...", dots[longest - (n - len(s) + 3):]) for s, n in zip(inputs, ndims, strict=True)]
    if arrow:
        return full, output.replace("...", dots), free[longest:]
    letters = sorted(set("".join(full)) - set(dots))
    return full, dots + "".join(c for c in letters if "".join(full).count(c) == 1), free[longest:]


def _einsum_vjp(g, out, *tensors, equation, needs_input_grad):
    inputs, output, free = _explicit(equation, [x.ndim for x in tensors])
    return [_einsum_vjp_of(i, g, tensors, inputs, output, iter(free)) if needed else None
            for i, needed in enumerate(needs_input_grad)]


def _einsum_vjp_of(i, g, tensors, inputs, output, free):
    """The gradient of operand i: the same sum of products, with g in its place."""
    x = tensors[i]
    operands = [g, *(t for j, t in enumerate(tensors) if j != i)]
    subscripts = [output, *(s for j, s in enumerate(inputs) if j != i)]
    target = ""
    for letter, n in zip(inputs[i], x.shape, strict=True):
        if letter in target:  # a diagonal was read: the gradient is zero beside it
            twin = next(free)
            operands.append(np.eye(n, dtype=x.dtype))
            subscripts.append(letter + twin)
            letter = twin
        target += letter
    # A letter that stands nowhere else was summed over: g is the same for all its values.
    present = "".join(c for c in target if any(c in s for s in subscripts))
    result = np.einsum(f"{','.join(subscripts)}->{present}", *operands)
    if present == target:
        return result
    lengths = dict(zip(present, result.shape, strict=True))
    return np.broadcast_to(result.reshape([lengths.get(c, 1) for c in target]),
                           [lengths.get(c, n) for c, n in zip(target, x.shape, strict=True)])


_einsum = operation(
    lambda *tensors, equation: np.einsum(equation, *tensors, optimize=len(tensors) > 1), joint_vjp=_einsum_vjp,
    names="_einsum", samples=lambda draw: draw.einsum())


def _np_einsum(equation, *operands, **options):
    return einsum(equation, *operands)


@operation(methods="", numpy={np.einsum: _np_einsum})
def einsum(equation, *operands):
    """Sums of products by Einstein's convention, e.g. einsum("bij,bjk->bik", x, y), with `...` and repeated letters."""
    tensors = operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    return _einsum(*tensors, equation=equation)
