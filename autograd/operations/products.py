"""Matrix products and every other sum of products."""

import math
import string
from collections.abc import Sequence

import numpy as np

from autograd.notation import Notation
from autograd.operations.shaping import axes, axis, diag_embed
from autograd.runtime import products
from autograd.samples import call
from autograd.table import NUMPY, operation
from autograd.tensor import Tensor
from autograd.typing import Dims, TensorLike

# matmul: NumPy's and PyTorch's rules for any number of axes. A vector is a row on the left, a column on the right.

def _product(x, y):
    """x @ y; a stack of matrices times one matrix is one product of all its rows."""
    if y.ndim == 2 and x.ndim > 2 and isinstance(x, np.ndarray) and x.flags.c_contiguous:
        return products.matmul(x.reshape(math.prod(x.shape[:-1]), x.shape[-1]), y).reshape(*x.shape[:-1], y.shape[1])
    return products.matmul(x, y)


def packed(x):
    """x; a copy of one that was broadcast, with which NumPy would multiply without BLAS, ten times as slowly."""
    return np.ascontiguousarray(x) if type(x) is np.ndarray and 0 in x.strides else x


def _matmul_vjp_x(g, out, x, y):
    g = packed(g)
    if y.ndim == 1:
        return g[..., None] * y
    if x.ndim == 1:
        return (y @ g[..., None])[..., 0]
    return _product(g, np.swapaxes(y, -1, -2))


def _matmul_vjp_y(g, out, x, y):
    g = packed(g)
    if x.ndim == 1:
        return g * x if y.ndim == 1 else x[:, None] * g[..., None, :]
    if y.ndim == 1:
        return (np.swapaxes(x, -1, -2) @ g[..., None])[..., 0]
    if y.ndim == 2 and x.ndim > 2:  # one product instead of a stack of them to be summed
        rows = math.prod(x.shape[:-1])
        x, g = x.reshape(rows, x.shape[-1]), g.reshape(rows, g.shape[-1])
    return products.matmul(np.swapaxes(x, -1, -2), g)


matmul = operation(
    _product, vjps=(_matmul_vjp_x, _matmul_vjp_y), samples=lambda draw: call(*draw.matmul_operands()), names="matmul",
    operators="__matmul__ __rmatmul__", numpy=np.matmul, doc="The matrix product; stacks of matrices broadcast.",
    multiply_adds=lambda shapes, out, options: math.prod(out) * shapes[0][-1],
    notation=Notation("@", "{x} @ {y}", ("{y}", "{x}"), elementwise=False,
                      back=("{g} @ {y}ᵀ", "{x}ᵀ @ {g}")))


# einsum

def _explicit(equation, ndims):
    """The subscripts of each operand and of the output, with letters in place of `...`."""
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    inputs = inputs.split(",")
    free = [letter for letter in string.ascii_letters if letter not in equation]
    longest = max([n - len(s) + 3 for s, n in zip(inputs, ndims, strict=True) if "..." in s], default=0)
    dots = "".join(free[:longest])
    full = [s.replace("...", dots[longest - (n - len(s) + 3):]) for s, n in zip(inputs, ndims, strict=True)]
    if arrow:
        return full, output.replace("...", dots)
    letters = sorted(set("".join(full)) - set(dots))
    return full, dots + "".join(c for c in letters if "".join(full).count(c) == 1)


def _einsum_vjp(g, out, *tensors, equation, needs_input_grad):
    inputs, output = _explicit(equation, [x.ndim for x in tensors])
    return [_einsum_vjp_of(i, g, tensors, inputs, output) if needed else None
            for i, needed in enumerate(needs_input_grad)]


def _einsum_vjp_of(i, g, tensors, inputs, output):
    """The gradient of operand i: the same sum of products, with g in its place."""
    x = tensors[i]
    operands = [g, *(t for j, t in enumerate(tensors) if j != i)]
    subscripts = [output, *(s for j, s in enumerate(inputs) if j != i)]
    target = ""
    for letter in inputs[i]:
        target += letter
    # A letter that stands nowhere else was summed over: g is the same for all its values.
    letters = "".join(dict.fromkeys(target))
    present = "".join(c for c in letters if any(c in s for s in subscripts))
    result = _einsum(*operands, equation=f"{','.join(subscripts)}->{present}")
    lengths = dict(zip(present, result.shape, strict=True))
    sizes = {c: lengths.get(c, n) for c, n in zip(target, x.shape, strict=True)}
    if present != letters:
        result = np.broadcast_to(result.reshape([lengths.get(c, 1) for c in letters]), [sizes[c] for c in letters])
    for place, c in enumerate(target):  # a diagonal was read: the gradient is zero beside it
        if c in target[:place]:
            result = diag_embed(np.moveaxis(result, target.index(c), -1), 0, target.index(c), place)
    return result


def _contract(*tensors, equation):
    """np.einsum, but two operands by one matrix product where they have letters in common."""
    inputs, output = _explicit(equation, [x.ndim for x in tensors])
    if "..." in equation:  # NumPy wants them in the output too
        equation = f"{','.join(inputs)}->{output}"
    if len(tensors) != 2:
        out = np.einsum(equation, *tensors, optimize=len(tensors) > 2)
        return out.copy() if len(tensors) == 1 else out
    left, right = inputs
    shared = [c for c in left if c in right]
    sizes = dict(zip(left + right, tensors[0].shape + tensors[1].shape, strict=True))
    summed = [c for c in shared if c not in output]
    repeated = any(len(set(letters)) < len(letters) for letters in (left, right, output))
    alone = [c for c in left + right if c not in shared and c not in output]
    stretched = [sizes[c] for c in left] != list(tensors[0].shape)
    if not summed or repeated or alone or stretched:
        return np.einsum(equation, *tensors)
    batch = [c for c in shared if c in output]
    rows, columns = ([c for c in s if c not in shared] for s in (left, right))

    def matrices(x, letters, *groups):
        order = [letters.index(c) for group in groups for c in group]
        lengths = [math.prod(sizes[c] for c in group) for group in groups[1:]]
        return x.transpose(order).reshape(*(sizes[c] for c in batch), *lengths)
    product = products.matmul(matrices(tensors[0], left, batch, rows, summed),
                              matrices(tensors[1], right, batch, summed, columns))
    found = [*batch, *rows, *columns]
    return product.reshape([sizes[c] for c in found]).transpose([found.index(c) for c in output])


def _multiply_adds(shapes, out, options):
    """Of two operands: one for each value of all letters together."""
    if len(shapes) != 2:
        return 0
    inputs, sizes = _explicit(options["equation"], list(map(len, shapes)))[0], {}
    for letters, shape in zip(inputs, shapes, strict=True):
        for letter, n in zip(letters, shape, strict=True):
            sizes[letter] = max(n, sizes.get(letter, 1))
    return math.prod(sizes.values())


def _flops(shapes, out, options):
    return 2 * _multiply_adds(shapes, out, options) if len(shapes) == 2 else max(map(math.prod, (*shapes, out)))


_einsum = operation(_contract, joint_vjp=_einsum_vjp, names="_einsum", samples=lambda draw: draw.einsum(),
                    multiply_adds=_multiply_adds, flops=_flops)


def _in_letters(operands):
    """An equation and its operands, from NumPy's other form: x, [0, 1], y, [1, 2], [0, 2]."""
    tensors, lists = operands[0:len(operands) // 2 * 2:2], operands[1::2]
    output = operands[-1] if len(operands) % 2 else None

    def text(subscripts):
        return "".join("..." if i is Ellipsis else string.ascii_letters[i] for i in subscripts)
    return ",".join(map(text, lists)) + ("" if output is None else "->" + text(output)), tensors


@operation(methods="", numpy={np.einsum: lambda *operands, **_: einsum(*operands)})
def einsum(equation: str, *operands: TensorLike | Sequence[TensorLike]) -> Tensor:
    """Sums of products by Einstein's convention, e.g. einsum("bij,bjk->bik", x, y), with `...` and repeated letters."""
    if not isinstance(equation, str):
        equation, operands = _in_letters((equation, *operands))
    tensors = operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    if equation.count(",") + 1 != len(tensors):
        raise ValueError(f"the equation '{equation}' has {equation.count(',') + 1} operands, {len(tensors)} were given")
    return _einsum(*tensors, equation=equation)


# Products under their own names


def _dimensions(*tensors):
    """Check how many axes each of several (tensor, count) has."""
    for x, ndim in tensors:
        if x.ndim != ndim:
            kind = ("scalar", "vector (1 axis)", "matrix (2 axes)", "stack of matrices (3 axes)")[ndim]
            raise RuntimeError(f"it takes a {kind}, this tensor has shape {x.shape}; matmul() takes any")


def _matrices(draw, *shapes):
    sizes = {letter: draw.integer(1, 3) for letter in "bnmk"}
    return call(*[draw.array(tuple(sizes[letter] for letter in shape)) for shape in shapes])


@operation(samples=lambda draw: _matrices(draw, "nk", "km"))
def mm(x: TensorLike, mat2: TensorLike) -> Tensor:
    """The product of two matrices."""
    _dimensions((x, 2), (mat2, 2))
    return matmul(x, mat2)


@operation(samples=lambda draw: _matrices(draw, "bnk", "bkm"))
def bmm(x: TensorLike, mat2: TensorLike) -> Tensor:
    """The products of two stacks of matrices: (b, n, k) and (b, k, m) give (b, n, m)."""
    _dimensions((x, 3), (mat2, 3))
    if x.shape[0] != mat2.shape[0]:
        raise RuntimeError(f"it takes two stacks of as many matrices, these have shapes {x.shape} and {mat2.shape}; "
                           "matmul() broadcasts")
    return matmul(x, mat2)


@operation(samples=lambda draw: _matrices(draw, "nk", "k"))
def mv(x: TensorLike, vec: TensorLike) -> Tensor:
    """The product of a matrix and a vector."""
    _dimensions((x, 2), (vec, 1))
    return matmul(x, vec)


def _weighted(input, product, beta, alpha):
    if alpha != 1:
        product = product * alpha
    if not beta:  # whatever input holds, NaN included, is to be ignored
        return product.expand(np.broadcast_shapes(input.shape, product.shape))
    return product + (input if beta == 1 else input * beta)


@operation(inplace=True, samples=lambda draw: _matrices(draw, "nm", "nk", "km"))
def addmm(input: TensorLike, mat1: TensorLike, mat2: TensorLike, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2), for matrices; `input` broadcasts."""
    _dimensions((mat1, 2), (mat2, 2))
    return _weighted(input, matmul(mat1, mat2), beta, alpha)


@operation(inplace=True, samples=lambda draw: _matrices(draw, "bnm", "bnk", "bkm"))
def baddbmm(input: TensorLike, batch1: TensorLike, batch2: TensorLike, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (batch1 @ batch2), for stacks of matrices; `input` broadcasts."""
    _dimensions((batch1, 3), (batch2, 3))
    return _weighted(input, matmul(batch1, batch2), beta, alpha)


@operation(names="dot vdot", numpy={np.vdot: lambda a, b: dot(a.reshape(-1), b.reshape(-1))},
           samples=lambda draw: _matrices(draw, "k", "k"))
def dot(x: TensorLike, tensor: TensorLike) -> Tensor:
    """The sum of the products of two vectors' elements."""
    _dimensions((x, 1), (tensor, 1))
    return matmul(x, tensor)


def _np_dot(a, b):
    if not np.ndim(a) or not np.ndim(b):
        return a * b
    return matmul(a, b) if b.ndim <= 2 else tensordot(a, b, ([-1], [-2]))


NUMPY[np.dot] = _np_dot


@operation(numpy=np.inner, samples=lambda draw: _matrices(draw, *draw.choice([("k", "k"), ("nk", "bmk"), ("", "nk")])))
def inner(x: TensorLike, other: TensorLike) -> Tensor:
    """Sums of products over the last axes of both, for all pairs of the other axes."""
    return x * other if not x.ndim or not other.ndim else tensordot(x, other, ([-1], [-1]))


@operation(names="outer ger", numpy={np.outer: lambda a, b: outer(a.reshape(-1), b.reshape(-1))},
           samples=lambda draw: _matrices(draw, "n", "m"))
def outer(x: TensorLike, vec2: TensorLike) -> Tensor:
    """The products of all pairs of elements of two vectors: out[i][j] = x[i] * vec2[j]."""
    _dimensions((x, 1), (vec2, 1))
    return x[:, None] * vec2


@operation(methods="", samples=lambda draw: call(
    *_matrices(draw, "nmk", "kmb")[0], dims=draw.choice([([2], [0]), ([1, 2], [1, 0]), ([-1, 1], [0, 1]), 0])),
    numpy={np.tensordot: lambda a, b, axes=2: tensordot(a, b, axes)})
def tensordot(a: TensorLike, b: TensorLike, dims: int | Sequence[Dims] = 2) -> Tensor:
    """Sums of products over pairs of axes: the last `dims` of a with the first of b, or the axes in two lists."""
    if isinstance(dims, int):
        dims = (range(a.ndim - dims, a.ndim), range(dims))
    ours, theirs = (axes(list(given) if isinstance(given, range) else given, x.ndim)
                    for given, x in zip(dims, (a, b), strict=True))
    if [a.shape[d] for d in ours] != [b.shape[d] for d in theirs]:
        raise ValueError(f"cannot sum over axes {tuple(ours)} of shape {a.shape} with axes {tuple(theirs)} "
                         f"of shape {b.shape}; their lengths must be equal in pairs")
    rows, columns = ([d for d in range(x.ndim) if d not in taken] for x, taken in ((a, ours), (b, theirs)))
    length = math.prod(a.shape[d] for d in ours)
    left = a.permute([*rows, *ours]).reshape(math.prod(a.shape[d] for d in rows), length)
    right = b.permute([*theirs, *columns]).reshape(length, math.prod(b.shape[d] for d in columns))
    return matmul(left, right).reshape([*(a.shape[d] for d in rows), *(b.shape[d] for d in columns)])


@operation(numpy={np.trace: lambda a, offset=0, axis1=0, axis2=1: a.diagonal(offset, axis1, axis2).sum(-1)},
           samples=lambda draw: _matrices(draw, "nm"))
def trace(x: TensorLike) -> Tensor:
    """The sum of a matrix's diagonal."""
    _dimensions((x, 2))
    return x.diagonal().sum()


def _vector_product(x, y, *, dim):
    x, y = (np.moveaxis(a, axis(dim, a.ndim), -1) for a in (x, y))
    out = np.empty(np.broadcast_shapes(x.shape, y.shape), np.result_type(x, y))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.multiply(x[..., j], y[..., k], out=out[..., i])
        out[..., i] -= x[..., k] * y[..., j]
    return np.moveaxis(out, -1, dim)


_cross = operation(
    _vector_product, names="_cross", flops=lambda shapes, out, options: 3 * math.prod(out),
    vjps=(lambda g, out, x, y, dim: _cross(y, g, dim=dim), lambda g, out, x, y, dim: _cross(g, x, dim=dim)),
    samples=lambda draw: call(draw.array((2, 3)), draw.array(draw.choice([(2, 3), (1, 3)])), dim=-1))


@operation(numpy={np.cross: lambda a, b, axis=-1: cross(a, b, axis)}, samples=lambda draw: call(
    draw.array((2, 3)), draw.array(draw.choice([(2, 3), (1, 3)])), -1))
def cross(x: TensorLike, other: TensorLike, dim: int | None = None) -> Tensor:
    """The vector product along `dim`, which has length 3; by default the first axis that has."""
    if dim is None:
        dim = next((i for i, n in enumerate(x.shape) if n == 3), -1)
    for a in (x, other):
        axis(dim, a.ndim)
    if not x.ndim or not other.ndim or x.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(f"it takes vectors of 3 elements along axis {dim}, the shapes are {x.shape} and "
                           f"{other.shape}")
    return _cross(x, other, dim=axis(dim, x.ndim) - x.ndim)


@operation(numpy=np.kron, samples=lambda draw: _matrices(draw, *draw.choice([("nm", "mk"), ("n", "bmk")])))
def kron(x: TensorLike, other: TensorLike) -> Tensor:
    """Kronecker's product: every element of x times all of `other`, in blocks."""
    ndim = max(x.ndim, other.ndim)
    ours, theirs = ((1,) * (ndim - a.ndim) + a.shape for a in (x, other))
    blocks = (x.reshape([side for n in ours for side in (n, 1)])
              * other.reshape([side for n in theirs for side in (1, n)]))
    return blocks.reshape([n * m for n, m in zip(ours, theirs, strict=True)])


@operation(inplace=True, samples=lambda draw: _matrices(draw, "nm", "n", "m"))
def addr(input: TensorLike, vec1: TensorLike, vec2: TensorLike, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (vec1 ⊗ vec2), for vectors; `input` broadcasts."""
    return _weighted(input, outer(vec1, vec2), beta, alpha)


@operation(inplace=True, samples=lambda draw: _matrices(draw, "n", "nm", "m"))
def addmv(input: TensorLike, mat: TensorLike, vec: TensorLike, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (mat @ vec); `input` broadcasts."""
    return _weighted(input, mv(mat, vec), beta, alpha)


@operation(inplace=True, samples=lambda draw: _matrices(draw, "nm", "bnk", "bkm"))
def addbmm(input: TensorLike, batch1: TensorLike, batch2: TensorLike, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * the sum of batch1 @ batch2 over the stack; `input` broadcasts."""
    return _weighted(input, bmm(batch1, batch2).sum(0), beta, alpha)


def _cheapest_order(sizes):
    """Where to split a chain of matrices of sizes[i] x sizes[i + 1], for each part (i, j) of it: the least products.

    Source: Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms, chapter 15.2.
    """
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    split = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            cost[i, j], split[i, j] = min((cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                                          for k in range(i, j))
    return split


@operation(methods="", numpy=np.linalg.multi_dot,
           samples=lambda draw: call(
               list(_matrices(draw, *draw.choice([("nk", "km", "mn"), ("k", "kb", "bm", "m")]))[0])))
def multi_dot(tensors: Sequence[TensorLike]) -> Tensor:
    """The product of several matrices in the cheapest order; the first and the last may be vectors."""
    tensors = list(tensors)
    first, last = tensors[0], tensors[-1]
    ends = [*first.shape[:-1], *last.shape[1:]]
    if first.ndim == 1:
        tensors[0] = first.reshape(1, -1)
    if last.ndim == 1:
        tensors[-1] = last.reshape(-1, 1)
    split = _cheapest_order([tensors[0].shape[0], *(x.shape[1] for x in tensors)])

    def product(i, j):
        return tensors[i] if i == j else matmul(product(i, split[i, j]), product(split[i, j] + 1, j))
    return product(0, len(tensors) - 1).reshape(ends)
