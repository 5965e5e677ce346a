"""Linear algebra on matrices and stacks of matrices: inverses, determinants and decompositions.

The derivatives are those of Mike Giles, "An extended collection of matrix derivative results for forward and reverse
mode algorithmic differentiation" (2008), and, for the decompositions, of Matthias Seeger et al., "Auto-Differentiating
Linear Algebra" (2017).
"""

import numpy as np

from autograd.operations.pointwise import floating, where
from autograd.operations.products import matmul
from autograd.operations.shaping import clone, contiguous
from autograd.runtime.compiled import compilable
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import USV, EigenvaluesEigenvectors, TensorLike


def _mT(x):  # noqa: N802 - mathematics' and PyTorch's name
    return np.swapaxes(x, -1, -2)


def _eye(x):
    return np.eye(x.shape[-1], dtype=x.dtype)


def _stack(draw):
    return draw.shape(0, 1, 1)


def _regular(draw):
    """A matrix, or a stack of them, far from singular."""
    n = draw.integer(1, 3)
    return draw.array((*_stack(draw), n, n), low=-1, high=1) + 4 * np.eye(n)


def _definite(draw):
    """A positive definite matrix, or a stack of them."""
    x = _regular(draw)
    return x @ _mT(x) / 4


def full_rank(draw):
    """A matrix, or a stack of them, whose singular values are well apart from each other and from 0."""
    m, n = draw.choice([(2, 2), (3, 2), (2, 3), (3, 3), (1, 1)])
    return draw.array((*_stack(draw), m, n), low=0.0625, high=0.5) + np.eye(m, n) * (3.0 + 3 * np.arange(n))


def _iterated(decompose, x):
    """What LAPACK finds by iteration. For a matrix with an infinity or a NaN it is NaN: with some of them LAPACK would
    never come to an end, with others it would find numbers.
    """
    regular = np.isfinite(x).all((-2, -1), keepdims=True)
    if regular.all():
        return decompose(x)
    found = decompose(np.where(regular, x, 0))
    return tuple([np.where(regular if part.ndim == x.ndim else regular[..., 0], part, part.dtype.type(np.nan))
                  for part in found])


# Inverses

def _inv_vjp(g, out, x):
    t = _mT(out)
    return -(t @ g @ t)


@compilable("autograd.compiled.linalg", many=True)
def _inverted(a):
    return np.linalg.inv(a)


inv = operation(_inverted, vjps=_inv_vjp, names="_inv inverse", numpy=np.linalg.inv,
                samples=lambda draw: call(_regular(draw)),
                doc="The inverse of square matrices. Raises numpy.linalg.LinAlgError if one is singular.")


@compilable("autograd.compiled.linalg", many=True)
def _solved(a, b):
    return np.linalg.solve(a, b)


def _solve_vjp(g, out, a, b, *, needs_input_grad):
    gb = _solve(_mT(a), g)
    return -(gb @ _mT(out)) if needs_input_grad[0] else None, gb


_solve = operation(_solved, joint_vjp=_solve_vjp, names="_solve",
                   samples=lambda draw: call(a := _regular(draw), draw.array((*a.shape[:-1], draw.integer(1, 3)))),
                   doc="The x of a x = b.")


@operation(names="_linalg_solve", methods="", numpy=np.linalg.solve,
           samples=lambda draw: call(a := _regular(draw), draw.array(draw.choice([a.shape, a.shape[:-1]])),
                                     left=a.ndim < 3 or draw.boolean()))
def solve(A: TensorLike, B: TensorLike, *, left: bool = True) -> Tensor:  # noqa: N803 - PyTorch's names
    """The X with A X = B (with left=False, X A = B) for square matrices A; B may be a vector, or a stack of them.

    Raises:
        numpy.linalg.LinAlgError: A is singular.
    """
    if not left:
        return contiguous(_mT(solve(_mT(A), _mT(B))))
    if B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1]):
        return _solve(A, B[..., None])[..., 0]
    return _solve(A, B)


def _triangle(x, upper, unitriangular):
    half = np.triu(x, int(unitriangular)) if upper else np.tril(x, -int(unitriangular))
    return half + _eye(x) if unitriangular else half


def _substitution(A, B, *, upper, unitriangular):  # noqa: N803
    """Blocks of the unknowns, each solved for once those it depends on are known."""
    n, A, B = A.shape[-1], floating(A), floating(B)  # noqa: N806
    out = np.empty((*np.broadcast_shapes(A.shape[:-2], B.shape[:-2]), *B.shape[-2:]), B.dtype)
    starts = range(0, n, _BLOCK)
    for start in reversed(starts) if upper else starts:
        rows = slice(start, min(start + _BLOCK, n))
        known = slice(rows.stop, n) if upper else slice(0, start)
        right = B[..., rows, :] - A[..., rows, known] @ out[..., known, :]
        out[..., rows, :] = np.linalg.solve(_triangle(A[..., rows, rows], upper, unitriangular), right)
    return out


_BLOCK = 64
"""Rows that are solved for at once."""


def _substitution_vjp(g, out, A, B, *, upper, unitriangular, needs_input_grad):  # noqa: N803
    gb = _solve_triangular(_mT(A), g, upper=not upper, unitriangular=unitriangular)
    if not needs_input_grad[0]:
        return None, gb
    ga = gb @ _mT(out)
    return -(np.triu(ga, int(unitriangular)) if upper else np.tril(ga, -int(unitriangular))), gb


def _triangular_samples(draw):
    a = _regular(draw)
    stack = draw.choice([a.shape[:-2], ()])
    return call(a, draw.array((*stack, a.shape[-1], draw.integer(1, 3))),
                upper=draw.boolean(), unitriangular=draw.boolean())


_solve_triangular = operation(_substitution, joint_vjp=_substitution_vjp, names="_solve_triangular",
                              samples=_triangular_samples)


@operation(names="_linalg_solve_triangular", methods="", samples=lambda draw: call(
    a := _regular(draw), draw.array((*a.shape[:-1], a.shape[-1])), upper=draw.boolean(), left=draw.boolean()))
def solve_triangular(A: TensorLike, B: TensorLike, *, upper: bool, left: bool = True,  # noqa: N803
                     unitriangular: bool = False) -> Tensor:
    """The X with A X = B (with left=False, X A = B) for triangular A: the other triangle is not read.

    B is a matrix or a stack of them. With `unitriangular`, the diagonal counts as 1 and is not read either. Solved by
    substitution in blocks of 64 unknowns: O(n²) operations a column.

    Raises:
        numpy.linalg.LinAlgError: there is a 0 on the diagonal.
    """
    if A.ndim < 2 or B.ndim < 2 or A.shape[-1] != A.shape[-2] or B.shape[-2 if left else -1] != A.shape[-1]:
        raise ValueError(f"solve_triangular(left={left}): A must have shape (..., n, n) and B "
                         f"{'(..., n, k)' if left else '(..., k, n)'}, not {A.shape} and {B.shape}")
    if not left:
        return _mT(_solve_triangular(_mT(A), _mT(B), upper=not upper, unitriangular=unitriangular))
    return _solve_triangular(A, B, upper=upper, unitriangular=unitriangular)


# Determinants. They are polynomials, whose derivatives exist at singular matrices too.

def _turned(x):
    """Singular values, and the orthogonal matrices on both sides, with the sign of the product of their determinants:
    the cofactors of u s vh are sign u (cofactors of s) vh, and those of a diagonal matrix are products.
    """
    u, s, vh = _iterated(np.linalg.svd, x)
    return u, s, vh, (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]


def _cofactors_of(x):
    if x.size > 1024:  # for a few the check takes longer than the singular values
        wide = x.astype(np.float64)
        det, limit = np.linalg.det(wide), 1e8 if x.dtype == np.float32 else 1e4
        if det.all() and np.isfinite(det).all():
            inverse = _inverted(wide)
            if (np.abs(inverse).max((-2, -1)) * np.abs(wide).max((-2, -1)) * x.shape[-1]).max() < limit:
                return (det[..., None, None] * _mT(inverse)).astype(x.dtype)
    u, s, vh, sign = _turned(x)
    others = np.where(np.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]).prod(-1)
    return (u * (sign * others[..., None, :])) @ vh


def _cofactors_vjp(g, out, x):
    if isinstance(x, Tensor):  # the third derivative of a determinant, at regular matrices
        t = _mT(inv(x))
        return ((g * out).sum((-2, -1), keepdim=True) * t - out @ _mT(g) @ t)
    u, s, vh, sign = _turned(x)
    n = s.shape[-1]
    neither = np.eye(n, dtype=bool)[:, None] | np.eye(n, dtype=bool)[None]
    others = np.where(neither, 1, s[..., None, None, :]).prod(-1) * (1 - np.eye(n, dtype=x.dtype))
    turned = _mT(u) @ g @ _mT(vh)
    diagonal = (others @ np.diagonal(turned, 0, -2, -1)[..., None]) * np.eye(n, dtype=x.dtype)
    return u @ (sign * (diagonal - others * _mT(turned))) @ vh


_cofactors = operation(_cofactors_of, vjps=_cofactors_vjp, names="_cofactors",
                       samples=lambda draw: call(_regular(draw)),
                       doc="The matrix of cofactors, which is det(x) inv(x)' where x is regular.")

det = operation(lambda x: np.asarray(np.linalg.det(x)), vjps=lambda g, out, x: g[..., None, None] * _cofactors(x),
                names="det", numpy=np.linalg.det, samples=lambda draw: call(_regular(draw)),
                doc="The determinant of square matrices. Its derivatives are right at singular ones, too.")


def _inverse_transposed(x, out):
    """inv(x)', infinite at singular matrices: the slope of log |det x|."""
    singular = np.isinf(out)
    if not singular.any():
        return _mT(inv(x))
    singular = singular[..., None, None]
    return np.where(singular, _cofactors(x) / 0.0, _mT(inv(np.where(singular, _eye(x), x))))


slogdet = operation(
    lambda x: tuple(map(np.asarray, np.linalg.slogdet(x))), outputs="sign logabsdet", names="slogdet",
    vjps=lambda g, out, x: g[1][..., None, None] * _inverse_transposed(x, out[1]), numpy=np.linalg.slogdet,
    samples=lambda draw: call(_regular(draw)),
    doc="Sign and logarithm of the absolute value of the determinant of square matrices: (sign, logabsdet).")


@operation(samples=lambda draw: call(_definite(draw)))
def logdet(x: TensorLike) -> Tensor:
    """The logarithm of the determinant; NaN where that is negative."""
    sign, logabsdet = slogdet(x)
    return where(sign.detach() >= 0, logabsdet, np.nan)


# Decompositions

def _half_triangle(x):
    """The lower triangle, with half of the diagonal."""
    return np.tril(x) - x * (0.5 * _eye(x))


def _cholesky_vjp(g, out, x):
    inverse = inv(out)
    s = _mT(inverse) @ _half_triangle(_mT(out) @ np.tril(g)) @ inverse
    return (s + _mT(s)) * 0.5


@operation(vjps=_cholesky_vjp, names="_cholesky")
def _lower(x):
    return np.linalg.cholesky(x)


@operation(names="cholesky", numpy=np.linalg.cholesky, samples=lambda draw: call(_definite(draw), upper=draw.boolean()))
def cholesky(x: TensorLike, *, upper: bool = False) -> Tensor:
    """The lower triangular L with x = L L' for symmetric positive definite matrices; with `upper`, L'.

    Raises:
        numpy.linalg.LinAlgError: a matrix is not positive definite.
    """
    lower = _lower((x + _mT(x)) * 0.5)
    return _mT(lower) if upper else lower


def _mirrored(x):
    """The lower triangle, and the same above the diagonal."""
    return np.tril(x) + _mT(np.tril(x, -1))


def _qr_vjp(g, out, x, mode):
    if mode != "reduced" and (mode == "r" or x.shape[-2] > x.shape[-1]):
        raise RuntimeError(f"qr(mode={mode!r}) of shape {x.shape} has no derivative; use mode='reduced'")
    (gq, gr), (q, r), rows = g, out, x.shape[-2]
    gr = np.triu(gr)
    left, beyond = r[..., :, :rows], None
    if rows < x.shape[-1]:  # wide: the columns beyond the square are Q times those of R
        beyond, gr_beyond, gr = x[..., :, rows:], gr[..., :, rows:], gr[..., :, :rows]
        gq = gq + beyond @ _mT(gr_beyond)
    m = left @ _mT(gr) - _mT(gq) @ q
    gx = _mT(np.linalg.solve(left, _mT(gq + q @ _mirrored(m))))
    return gx if beyond is None else np.concatenate([gx, q @ gr_beyond], axis=-1)


@operation(vjps=_qr_vjp, outputs="Q R", methods="qr",
           numpy={np.linalg.qr: lambda a, mode="reduced": qr(a, mode)[1] if mode == "r" else qr(a, mode)},
           samples=lambda draw: call(full_rank(draw)))
def qr(x, *, mode: str = "reduced"):
    """Q with orthonormal columns and upper triangular R, x = Q R, for matrices of full rank: (Q, R)."""
    return (np.zeros((0,), x.dtype), np.linalg.qr(x, "r")) if mode == "r" else tuple(np.linalg.qr(x, mode))


def _differences(values):
    """1 / (values[j] - values[i]) for all pairs i, j: 0 where they are equal, on the diagonal for one."""
    apart = values[..., None, :] - values[..., :, None]
    return np.where(apart == 0, 0, 1 / np.where(apart == 0, 1, apart))


def _svd_vjp(g, out, x, full_matrices):
    (gu, gs, gvh), (u, s, vh) = g, out
    rank = s.shape[-1]
    u, v, gu, gv = u[..., :rank], _mT(vh[..., :rank, :]), gu[..., :rank], _mT(gvh[..., :rank, :])
    apart, inverse = _differences(s * s), np.where(s == 0, 0, 1 / np.where(s == 0, 1, s))
    turn_u, turn_v = _mT(u) @ gu, _mT(v) @ gv
    inner = ((turn_u - _mT(turn_u)) * apart * s[..., None, :] + s[..., :, None] * apart * (turn_v - _mT(turn_v))
             + gs[..., None, :] * _eye(s))
    gx = u @ inner @ _mT(v)
    if x.shape[-2] > rank:
        gx = gx + ((gu - u @ turn_u) * inverse[..., None, :]) @ _mT(v)
    if x.shape[-1] > rank:
        gx = gx + (u * inverse[..., None, :]) @ _mT(gv - v @ turn_v)
    return gx


@operation(vjps=_svd_vjp, outputs="U S Vh", names="_svd", methods="",
           numpy={np.linalg.svd: lambda a, full_matrices=True: svd(a, full_matrices)},
           samples=lambda draw: call(full_rank(draw), full_matrices=False))
def svd(x, *, full_matrices: bool = True):
    """Singular values S in descending order with x = U diag(S) Vh: (U, S, Vh).

    The derivative of U and Vh exists only where all singular values differ; columns beyond min(x.shape[-2:]) have none.
    """
    return tuple(_iterated(lambda x: np.linalg.svd(x, full_matrices), x))


@operation(names="svd")
def svd_of(x: TensorLike, some: bool = True, compute_uv: bool = True) -> USV:
    """PyTorch's older form of `linalg.svd`: x = U diag(S) V'; V, not its transpose: (U, S, V).

    With some=False, U and V are square; without `compute_uv` they are zeros.
    """
    if not compute_uv:
        return USV(*[Tensor(np.zeros((*x.shape[:-2], n, n), floating(x).dtype)) if n is not None else svdvals(x)
                     for n in (x.shape[-2], None, x.shape[-1])])
    u, s, vh = svd(x, full_matrices=not some)
    return USV(u, s, _mT(vh))


@operation(names="_svdvals", methods="", numpy=np.linalg.svdvals, samples=lambda draw: call(full_rank(draw)))
def svdvals(x: TensorLike) -> Tensor:
    """The singular values of matrices, in descending order."""
    return svd(x, full_matrices=False).S


def _eigh_vjp(g, out, x):
    (gw, gv), (w, v) = g, out
    inner = gw[..., None, :] * _eye(x) + _differences(w) * (_mT(v) @ gv)
    return v @ inner @ _mT(v)


_eigh = operation(lambda x: tuple(_iterated(np.linalg.eigh, x)), vjps=_eigh_vjp,
                  outputs="eigenvalues eigenvectors", names="_eigh")


@operation(names="_linalg_eigh", methods="", numpy=np.linalg.eigh, samples=lambda draw: call(
    (x := draw.array((n := draw.integer(1, 3), n), low=0.0625, high=0.25)) + x.T + np.diag(3.0 * np.arange(n))))
def eigh(x: TensorLike) -> EigenvaluesEigenvectors:
    """Eigenvalues in ascending order and eigenvectors (columns) of symmetric matrices: (eigenvalues, eigenvectors).

    The derivative of the vectors exists only where all eigenvalues differ.
    """
    return _eigh((x + _mT(x)) * 0.5)


@operation(names="_eigvalsh", methods="", numpy=np.linalg.eigvalsh)
def eigvalsh(x: TensorLike) -> Tensor:
    """The eigenvalues of symmetric matrices, in ascending order."""
    return eigh(x).eigenvalues


def _pinv_vjp(g, out, x, rtol):
    # Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
    # separate" (1973): right where singular values are equal, which the derivative of their vectors is not.
    left = _mT(g) @ out @ _mT(out)
    right = _mT(out) @ out @ _mT(g)
    return left - x @ (out @ left) + right - (right @ out) @ x - _mT(out) @ g @ _mT(out)


@operation(vjps=_pinv_vjp, names="_pinv", methods="", samples=lambda draw: call(full_rank(draw)),
           numpy={np.linalg.pinv: lambda a, rcond=None: pinv(a, rtol=rcond)})
def pinv(x, *, rtol: float | None = None):
    """Moore and Penrose's inverse; singular values of at most rtol times the largest count as 0."""
    x = floating(x)
    rtol = max(x.shape[-2:]) * np.finfo(x.dtype).eps if rtol is None else rtol
    return _iterated(lambda x: (np.linalg.pinv(x, rcond=rtol),), x)[0]


@operation(samples=lambda draw: call(full_rank(draw)))
def pinverse(x: TensorLike, rcond: float = 1e-15) -> Tensor:
    """Moore and Penrose's inverse; singular values of at most `rcond` times the largest count as 0. See `linalg.pinv`,
    whose default minds the dtype.
    """
    return pinv(x, rtol=rcond)


@operation(samples=lambda draw: call(_regular(draw), draw.integer(-2, 5)))
def matrix_power(x: TensorLike, n: int) -> Tensor:
    """Square matrices multiplied n times; n may be 0 (the identity) or negative (powers of the inverse)."""
    if n < 0:
        return matrix_power(inv(x), -n)
    if n == 0:
        return where(True, _eye(x), x)
    half = matrix_power(x, n // 2) if n > 1 else None
    return clone(x) if n == 1 else matmul(half, half) if n % 2 == 0 else matmul(matmul(half, half), x)
