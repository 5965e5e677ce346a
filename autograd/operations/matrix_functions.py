"""Functions of whole matrices: rank, condition, exponential, eigenvalues; and matrices built from vectors."""

import math

import numpy as np

from autograd.errors import ShapeError
from autograd.operations.joining import cat
from autograd.operations.linalg import (
    _differences,
    _eye,
    _iterated,
    _mT,
    _regular,
    _stack,
    svdvals,
)
from autograd.operations.norms import matrix_norm
from autograd.operations.pointwise import floating, where
from autograd.operations.products import matmul, multi_dot
from autograd.operations.scans import cumprod
from autograd.operations.shaping import bare, flip, tril
from autograd.operations.systems import _matrices, inv_ex
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import EigenvaluesEigenvectors, TensorLike

# Rank and condition

@operation(names="_matrix_rank", methods="", numpy={
    np.linalg.matrix_rank: lambda A, tol=None, hermitian=False, *, rtol=None: matrix_rank(  # noqa: N803
        A, atol=tol, rtol=rtol, hermitian=hermitian)})
def matrix_rank(A: TensorLike, tol: TensorLike | None = None, hermitian: bool = False, *,  # noqa: N803
                atol: TensorLike | None = None, rtol: TensorLike | None = None) -> Tensor:
    """How many singular values of matrices are larger than max(atol, rtol * the largest of them): int64.

    `atol` and `rtol` may be tensors, a number for each matrix of a stack. By default atol is 0, and rtol the dtype's
    epsilon times max(m, n), or 0 if atol is given. `tol` is an older name of atol. With `hermitian`, A is symmetric,
    and its eigenvalues are taken.

    >>> from autograd import linalg
    >>> linalg.matrix_rank(ones(3, 3))
    tensor(1)
    """
    x = floating(bare(A))
    _matrices(x)
    atol = tol if atol is None else atol
    count, precise = max(x.shape[-2:]), float(np.finfo(x.dtype).eps)
    rtol = rtol if rtol is not None else count * precise if atol is None else 0.0
    if not x.size:
        return Tensor(np.zeros(x.shape[:-2], np.int64))
    if hermitian:
        _matrices(x, square=True)
        x = np.tril(x) + _mT(np.tril(x, -1))
    sizes = np.abs(_iterated(lambda x: (np.linalg.eigvalsh(x) if hermitian else np.linalg.svdvals(x),), x)[0])
    bound = np.maximum(0 if atol is None else bare(atol), bare(rtol) * sizes.max(-1))
    return Tensor((sizes > bound[..., None]).sum(-1))


@operation(names="_cond", methods="", numpy=np.linalg.cond, samples=lambda draw: call(
    _regular(draw), draw.choice([None, 2, -2, 1, -1, math.inf, -math.inf, "fro", "nuc"])))
def cond(A: TensorLike, p: float | str | None = None) -> Tensor:  # noqa: N803
    """The condition number of matrices: how much a solution's relative error may exceed that of what it was made of.

    `p` is the norm, as of `matrix_norm`, in |A| |A⁻¹|; None and 2 are the largest singular value through the smallest,
    and -2 the inverse of that: for matrices of any shape, where the other norms need square ones. Of a singular matrix
    it is infinite. (Golub and Van Loan, Matrix Computations, 2.6.2.)
    """
    _matrices(A)
    if not A.shape[-1] or not A.shape[-2]:
        return where(True, 0.0, floating(A).sum((-2, -1)))
    if p in (None, 2, -2):
        s = svdvals(A)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    _matrices(A, square=True)
    inverse, info = inv_ex(A)
    size = matrix_norm(A, p)
    return where(info == 0, size * matrix_norm(where((info == 0)[..., None, None], inverse, 0.0), p), math.inf)


# The exponential

_PADE = [math.comb(13, k) * math.factorial(26 - k) // math.factorial(13) for k in range(14)]
"""The coefficients of q in exp(x) ~ q(x) / q(-x), of degree 13."""
_AS_GOOD_AS_EXACT = 5.37
"""The norm up to which float64 cannot tell both apart."""


def _scaled_and_squared(x):
    norm = np.abs(x).sum(-2).max(-1, initial=0)[..., None, None]
    halvings = np.maximum(0, np.ceil(np.log2(np.maximum(norm, 1) / _AS_GOOD_AS_EXACT)))
    x = np.ldexp(x, -halvings.astype(int))
    x2 = x @ x
    x4, powers = x2 @ x2, [_eye(x), x2]
    x6 = x4 @ x2
    powers += [x4, x6]

    def half(first):  # every other term of q
        low, high = (sum(_PADE[first + 2 * (start + k)] * power for k, power in enumerate(those))
                     for start, those in ((0, powers), (4, powers[1:])))
        return x6 @ high + low
    even, odd = half(0), x @ half(1)
    out = _eye(x) + np.linalg.solve(even - odd, 2 * odd)
    with np.errstate(over="ignore", invalid="ignore"):
        for i in range(int(halvings.max(initial=0))):
            out = np.where(i < halvings, out @ out, out)
    return out


def _matrix_exp_vjp(g, out, x):
    n, t, size = x.shape[-1], _mT(x), np.abs(bare(g)).max((-2, -1), keepdims=True, initial=0)
    size = np.where((size > 0) & np.isfinite(size), size, 1).astype(g.dtype)  # so that the norm is not that of g
    g = g / size
    above, below = np.concatenate([t, g], axis=-1), np.concatenate([np.zeros_like(x), t], axis=-1)
    return matrix_exp(np.concatenate([above, below], axis=-2))[..., :n, n:] * size


@operation(vjps=_matrix_exp_vjp, samples=lambda draw: call(
    draw.array((*_stack(draw), n := draw.integer(1, 3), n), low=-1, high=1)))
def matrix_exp(x):
    """The exponential of square matrices, the sum of x**k / k!.

    Source: Nicholas Higham, "The scaling and squaring method for the matrix exponential revisited" (2005), computed in
    float64; of the derivative, Roy Mathias, "A chain rule for matrix functions and applications" (1996). For a matrix
    with an infinity or a NaN it is NaN.

    >>> matrix_exp(tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"it takes square matrices, shape (..., n, n), not {x.shape}")
    x = floating(x)
    return _iterated(lambda x: (_scaled_and_squared(x.astype(np.float64, copy=False)).astype(x.dtype),), x)[0]


# Eigenvalues

def _eig_vjp(g, out, x):
    # Without the part of the vectors' change that is along them, since their lengths are 1 (Boeddeker, Hanebrink,
    # Drude, Heymann and Haeb-Umbach, "On the computation of complex-valued gradients with application to statistically
    # optimum beamforming", 2017).
    (gw, gv), (w, v) = g, out
    turned = _mT(v) @ gv
    along = (turned * _eye(x)).sum(-1)
    inner = gw[..., None, :] * _eye(x) + _differences(w) * (turned - _mT(v) @ v * along[..., None, :])
    return np.linalg.solve(_mT(v), inner @ _mT(v))


def _real_eigenvalues(x):
    parts = _iterated(np.linalg.eig, floating(x))
    if any(np.iscomplexobj(part) and part.imag.any() for part in parts):
        raise np.linalg.LinAlgError("a matrix has eigenvalues that are not real, and a Tensor holds real numbers; for "
                                    "symmetric matrices write linalg.eigh(), otherwise "
                                    "np.linalg.eig(x.detach().numpy())")
    return tuple([part.real.astype(floating(x).dtype, copy=False) for part in parts])


def _with_real_eigenvalues(draw):
    n = draw.integer(1, 3)
    return call(draw.array((*_stack(draw), n, n), low=0.0625, high=0.25) + np.diag(3.0 * np.arange(n)))


_eig = operation(_real_eigenvalues, vjps=_eig_vjp, outputs="eigenvalues eigenvectors", names="_eigen",
                 samples=_with_real_eigenvalues)


@operation(names="_eig", methods="", numpy=np.linalg.eig, samples=_with_real_eigenvalues)
def eig(A: TensorLike) -> EigenvaluesEigenvectors:  # noqa: N803
    """Eigenvalues, in no particular order, and eigenvectors (columns of length 1) of square matrices with real
    eigenvalues: (eigenvalues, eigenvectors). Both are real, where PyTorch's are complex always.

    The derivative exists only where all eigenvalues differ; that of the vectors is the one at constant length.

    Raises:
        numpy.linalg.LinAlgError: an eigenvalue is not real.

    >>> from autograd import linalg
    >>> linalg.eig(tensor([[2.0, 1.0], [0.0, 3.0]])).eigenvalues
    tensor([2., 3.])
    """
    _matrices(A, square=True)
    return _eig(A)


@operation(names="_eigvals", methods="", numpy=np.linalg.eigvals, samples=_with_real_eigenvalues)
def eigvals(A: TensorLike) -> Tensor:  # noqa: N803
    """The eigenvalues of square matrices that have real ones; see `eig`."""
    return eig(A).eigenvalues


# Made of vectors

@operation(names="_vecdot", methods="", numpy={np.vecdot: lambda x, y, axis=-1: vecdot(x, y, dim=axis)},
           samples=lambda draw: call(x := draw.array(min_dims=1), draw.array(x.shape), dim=draw.dim(x.ndim)))
def vecdot(x: TensorLike, y: TensorLike, *, dim: int = -1) -> Tensor:
    """The sums of x * y along `dim`; x and y broadcast."""
    return (x * y).sum(dim)


def _powers(x, count):
    """x ** 0, x ** 1, … along a new last axis."""
    x = x[..., None]
    ones = np.ones((*x.shape[:-1], min(count, 1)), x.dtype)
    return cat([Tensor(ones), cumprod(x.expand((*x.shape[:-1], max(count - 1, 0))), -1)], -1)


@operation(names="_linalg_vander", methods="", samples=lambda draw: call(
    draw.array(min_dims=1, min_side=2), N=draw.choice([None, 2, 4])))
def vander(x: TensorLike, *, N: int | None = None) -> Tensor:  # noqa: N803
    """The powers x ** 0 to x ** (N - 1) of each element along a new last axis (Vandermonde's matrix): shape (..., n, N)
    for x of shape (..., n). N is n by default, and at least 2.
    """
    count = (x.shape[-1] if x.ndim else 1) if N is None else N
    if count < 2:
        raise ValueError(f"N, the number of powers, must be greater than 1, not {count}")
    return _powers(x, count)


@operation(names="vander", methods="", numpy=np.vander, samples=lambda draw: call(
    draw.array(draw.shape(1, 3, 1)[:1]), N=draw.choice([None, 1, 4]), increasing=draw.boolean()))
def vander_of(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:  # noqa: N803
    """The powers x ** (N - 1) to x ** 0 of each element of a vector (with `increasing`, in this order reversed), as
    rows of Vandermonde's matrix. N is the length of x by default.
    """
    if x.ndim != 1:
        raise ShapeError(f"x must be a vector, not of shape {x.shape}; linalg.vander() takes stacks of them")
    count = len(x) if N is None else N
    if count < 0:
        raise ValueError(f"N, the number of powers, must not be negative, as {count} is")
    powers = _powers(x, count)
    return powers if increasing else flip(powers, -1)


@operation(methods="")
def chain_matmul(*matrices: TensorLike) -> Tensor:
    """PyTorch's older form of `linalg.multi_dot`: chain_matmul(a, b, c)."""
    return multi_dot(matrices)


@operation(names="_householder_product orgqr", samples=lambda draw: call(
    draw.array((*_stack(draw), m := draw.integer(2, 3), n := draw.integer(1, m))), draw.array((draw.integer(1, n),))))
def householder_product(A: TensorLike, tau: TensorLike) -> Tensor:  # noqa: N803
    """The first n columns of the product of Householder's reflections 1 - tau[i] v v', for A of shape (..., m, n) and
    tau of shape (..., k), k <= n <= m. v is 0 above place i, 1 there, and below it column i of A.

    (Golub and Van Loan, Matrix Computations, 5.1.6.)
    """
    _matrices(A)
    m, n = A.shape[-2:]
    k = tau.shape[-1]
    if not k <= n <= m:
        raise ShapeError(f"A must have at least as many rows as columns, and as many columns as tau has elements, not "
                         f"{m}, {n} and {k}")
    out = where(True, np.eye(m, n, dtype=A.dtype), A)
    below = tril(A, -1) + np.eye(m, n, dtype=A.dtype)
    for i in reversed(range(k)):
        v = below[..., :, i:i + 1]
        out = out - tau[..., i, None, None] * matmul(v, matmul(_mT(v), out))
    return out
