"""Systems of equations: LU factors, solutions from a factor, variants that don't raise, least squares.

The derivative of the LU factors follows from dL and dU being triangular where the matrix is square, and from
L₂ = A₂ U⁻¹ or U₂ = L⁻¹ A₂ for the rows or columns beyond the square.
"""

import bisect
import math

import numpy as np

from autograd.errors import ShapeError
from autograd.operations.linalg import (
    _definite,
    _eye,
    _mT,
    _regular,
    _solve_triangular,
    _stack,
    cholesky,
    full_rank,
    inv,
    pinv,
    solve,
    solve_triangular,
    svdvals,
)
from autograd.operations.pointwise import floating, where
from autograd.operations.products import matmul
from autograd.operations.shaping import axes, bare, contiguous, tril, triu
from autograd.samples import call
from autograd.table import operation
from autograd.tensor import Tensor
from autograd.typing import (
    PLU,
    Dims,
    InverseInfo,
    LeastSquares,
    LInfo,
    LUPivots,
    LUPivotsInfo,
    ResultInfo,
    SolutionCoefficient,
    TensorLike,
)

_BLOCK = 64
"""Columns that are eliminated before the rest of the matrix hears of it."""


def _matrices(*arrays, square=False):
    """The arrays are matrices or stacks of them, with as many columns as rows if they must be.

    Raises:
        ShapeError: one is not.
    """
    for x in arrays:
        if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
            raise ShapeError(f"it takes {'square ' * square}matrices, shape (..., {'n, n' if square else 'm, n'}), "
                             f"not {x.shape}")


# LU

def _eliminated(x):
    """The factors in one matrix, LAPACK's pivots, the number of the first that is 0, and the permutation's matrix."""
    x = floating(x)
    *stack, m, n = x.shape
    lu = x.reshape(int(np.prod(stack)), m, n).astype(np.result_type(x, np.float32), order="C")
    count, k, every = len(lu), min(m, n), np.arange(len(lu))
    pivots, info = np.empty((count, k), np.int32), np.zeros(count, np.int32)
    order = np.tile(np.arange(m), (count, 1))
    for start in range(0, k, _BLOCK):
        stop = min(start + _BLOCK, k)
        for j in range(start, stop):
            chosen = j + np.abs(lu[:, j:, j]).argmax(-1)
            for rows in (lu, order):
                rows[every, chosen], rows[:, j] = rows[:, j].copy(), rows[every, chosen]
            pivot = lu[:, j, j]
            pivots[:, j] = chosen + 1
            info[(info == 0) & (pivot == 0)] = j + 1
            lu[:, j + 1:, j] /= np.where(pivot == 0, 1, pivot)[:, None]
            lu[:, j + 1:, j + 1:stop] -= lu[:, j + 1:, j, None] * lu[:, j, None, j + 1:stop]
        square = np.tril(lu[:, start:stop, start:stop], -1) + np.eye(stop - start, dtype=lu.dtype)
        lu[:, start:stop, stop:] = np.linalg.solve(square, lu[:, start:stop, stop:])
        lu[:, stop:, stop:] -= lu[:, stop:, start:stop] @ lu[:, start:stop, stop:]
    permutation = np.eye(m, dtype=x.dtype)[np.argsort(order)]
    return (lu.astype(x.dtype, copy=False).reshape(x.shape), pivots.reshape(*stack, k), info.reshape(stack),
            permutation.reshape(*stack, m, m))


def _lu_vjp(g, out, x):
    (g, *_), (lu, _, _, permutation), (m, n) = g, out, x.shape[-2:]
    k = min(m, n)
    square, gl, gu = lu[..., :k, :k], np.tril(g[..., :, :k], -1), np.triu(g[..., :k, :])

    def under_l(a):
        """L'⁻¹ a"""
        return _solve_triangular(_mT(square), a, upper=True, unitriangular=True)

    def over_u(a):
        """a U'⁻¹"""
        return _mT(_solve_triangular(square, _mT(a), upper=True, unitriangular=False))
    lower = np.tril(square, -1) + _eye(square)
    in_l, in_u = _mT(lower) @ gl[..., :k, :], gu[..., :k] @ _mT(np.triu(square))
    if m > n:
        in_u = in_u - _mT(lu[..., k:, :]) @ gl[..., k:, :]
    if n > m:
        in_l = in_l - gu[..., k:] @ _mT(lu[..., k:])
    gx = under_l(over_u(np.tril(in_l, -1) + np.triu(in_u)))
    if m > n:
        gx = np.concatenate([gx, over_u(gl[..., k:, :])], axis=-2)
    if n > m:
        gx = np.concatenate([gx, under_l(gu[..., k:])], axis=-1)
    return permutation @ gx


def _rectangle(draw):
    """A matrix, or a stack of them, whose rows no small change would reorder."""
    m, n = draw.choice([(2, 2), (3, 2), (2, 3), (3, 3), (1, 1)])
    return draw.array((*_stack(draw), m, n), low=-1, high=1) + 4 * np.eye(m, n)


_elimination = operation(_eliminated, vjps=_lu_vjp, outputs="LU pivots info", names="_eliminated",
                          samples=lambda draw: call(_rectangle(draw)))


def _pivoting(pivot):
    if not pivot:
        raise RuntimeError("without exchanges of rows (pivot=False) elimination loses its digits; leave pivot=True, as "
                           "PyTorch has to on a CPU")


@operation(names="_lu_factor_ex", methods="", samples=lambda draw: call(_rectangle(draw)))
def lu_factor_ex(A: TensorLike, *, pivot: bool = True, check_errors: bool = False) -> LUPivotsInfo:  # noqa: N803
    """`lu_factor`, and info, for each matrix 0 or the number of its first pivot that is 0, counted from 1:
    (LU, pivots, info).

    Raises:
        numpy.linalg.LinAlgError: a pivot is 0, with `check_errors`.
    """
    _pivoting(pivot)
    _matrices(A)
    result = LUPivotsInfo(*_elimination(A))
    if check_errors and np.any(np.asarray(result.info)):
        raise np.linalg.LinAlgError("a pivot is 0, so that the factors solve no system; lu() and lu_factor_ex() give "
                                    "them all the same")
    return result


@operation(names="_lu_factor", methods="", samples=lambda draw: call(_rectangle(draw)))
def lu_factor(A: TensorLike, *, pivot: bool = True) -> LUPivots:  # noqa: N803
    """The factors of `lu` in one matrix, L below the diagonal (its ones left out) and U above, and the exchanges of
    rows: (LU, pivots). pivots, of shape (..., min(m, n)) and dtype int32, says with which row, counted from 1, each
    was exchanged in turn: what `lu_solve` and `lu_unpack` take.

    Raises:
        numpy.linalg.LinAlgError: a pivot is 0.
    """
    return LUPivots(*lu_factor_ex(A, pivot=pivot, check_errors=True)[:2])


@operation(names="lu", samples=lambda draw: call(_rectangle(draw)))
def lu_compact(A: TensorLike, pivot: bool = True, get_infos: bool = False) -> LUPivots | LUPivotsInfo:  # noqa: N803
    """PyTorch's older form of `linalg.lu_factor`: (LU, pivots), with `get_infos` (LU, pivots, info) as of
    `linalg.lu_factor_ex`. A pivot that is 0 is refused, unless `get_infos` tells of it.
    """
    return (lu_factor_ex if get_infos else lu_factor)(A, pivot=pivot)


def _permutation(pivots, m):
    """P of A = P L U, as a matrix of booleans, from the exchanges of rows."""
    pivots = np.asarray(pivots.array if isinstance(pivots, Tensor) else pivots)
    if pivots.dtype.kind not in "iu" or not pivots.ndim:
        raise TypeError(f"pivots are whole numbers, as of lu_factor(), not {pivots.dtype} of shape {pivots.shape}")
    if pivots.size and not 1 <= pivots.min() <= pivots.max() <= m:
        raise ValueError(f"pivots are numbers of rows, from 1 to {m}; these are {pivots.min()} to {pivots.max()}")
    rows = pivots.reshape(int(np.prod(pivots.shape[:-1])), pivots.shape[-1]).astype(np.int64) - 1
    order, every = np.tile(np.arange(m), (len(rows), 1)), np.arange(len(rows))
    for j, chosen in enumerate(rows.T):
        order[every, chosen], order[:, j] = order[:, j].copy(), order[every, chosen]
    return np.eye(m, dtype=bool)[np.argsort(order)].reshape(*pivots.shape[:-1], m, m)


@operation(methods="")
def lu_unpack(LU_data: TensorLike, LU_pivots: TensorLike, unpack_data: bool = True,  # noqa: N803
              unpack_pivots: bool = True) -> PLU:
    """P, L and U of what `linalg.lu_factor` gives: (P, L, U). What is not to be unpacked is empty."""
    _matrices(LU_data)
    LU_data = LU_data if isinstance(LU_data, Tensor) else Tensor(LU_data)  # noqa: N806
    m, n = LU_data.shape[-2:]
    k, nothing = min(m, n), Tensor(np.zeros(0, LU_data.dtype))
    permutation = Tensor(_permutation(LU_pivots, m).astype(LU_data.dtype)) if unpack_pivots else nothing
    if not unpack_data:
        return PLU(permutation, nothing, nothing)
    lower = tril(LU_data[..., :, :k], -1) + np.eye(m, k, dtype=LU_data.dtype)
    return PLU(permutation, lower, triu(LU_data[..., :k, :]))


@operation(names="_linalg_lu", methods="", samples=lambda draw: call(_rectangle(draw)))
def lu(A: TensorLike, *, pivot: bool = True) -> PLU:  # noqa: N803
    """Matrices as A = P L U, with k = min(m, n) for A of shape (..., m, n): (P, L, U).

    P, (..., m, m), exchanges rows, L, (..., m, k), is lower triangular with ones on the diagonal, and U, (..., k, n),
    upper triangular. The derivative exists where the first k columns and rows of P'A are regular.
    """
    LU, pivots, _ = lu_factor_ex(A, pivot=pivot)  # noqa: N806
    return lu_unpack(LU, pivots)


@operation(names="_linalg_lu_solve", methods="", samples=None)
def lu_solve(LU: TensorLike, pivots: TensorLike, B: TensorLike, *, left: bool = True,  # noqa: N803
             adjoint: bool = False) -> Tensor:
    """The X with A X = B for A of which `lu_factor` has given (LU, pivots).

    With left=False, X A = B; with `adjoint`, the transpose of A in the place of A. B is a matrix or a stack of them.

    >>> from autograd import linalg
    >>> A, B = tensor([[1.0, 2.0], [3.0, 5.0]]), tensor([[4.0], [11.0]])
    >>> linalg.lu_solve(*linalg.lu_factor(A), B)
    tensor([[2.0000],
            [1.0000]])
    """
    if not left:
        return contiguous(_mT(lu_solve(LU, pivots, _mT(B), adjoint=not adjoint)))
    _matrices(B)
    _matrices(LU, square=True)
    dtype = B.dtype if B.dtype.kind == "f" else LU.dtype
    permutation = _permutation(pivots, LU.shape[-1]).astype(dtype)
    if adjoint:
        return matmul(permutation, solve_triangular(
            _mT(LU), solve_triangular(_mT(LU), B, upper=False), upper=True, unitriangular=True))
    return solve_triangular(
        LU, solve_triangular(LU, matmul(_mT(permutation), B), upper=False, unitriangular=True), upper=True)


@operation(names="lu_solve")
def lu_solve_of(b: TensorLike, LU_data: TensorLike, LU_pivots: TensorLike) -> Tensor:  # noqa: N803
    """`linalg.lu_solve` with the right side first."""
    return lu_solve(LU_data, LU_pivots, b)


# What a triangle solves

def _with_triangle(draw):
    a = _regular(draw)
    return call(draw.array((*a.shape[:-1], draw.integer(1, 3))), a, upper=draw.boolean())


@operation(samples=_with_triangle)
def cholesky_solve(B: TensorLike, L: TensorLike, upper: bool = False) -> Tensor:  # noqa: N803
    """The X with L L' X = B for lower triangular L, as of `cholesky`; with `upper`, L'L X = B for upper ones."""
    _matrices(B, L)
    first, second = (_mT(L), L) if upper else (L, _mT(L))
    return solve_triangular(second, solve_triangular(first, B, upper=False), upper=True)


@operation(samples=lambda draw: call(_regular(draw), upper=draw.boolean()))
def cholesky_inverse(L: TensorLike, upper: bool = False) -> Tensor:  # noqa: N803
    """The inverse of L L' for lower triangular L, as of `cholesky`; with `upper`, of L'L for upper triangular L."""
    _matrices(L, square=True)
    return cholesky_solve(_eye(floating(L)), L, upper)


@operation(samples=lambda draw: call(*_with_triangle(draw)[0], upper=draw.boolean(), transpose=draw.boolean(),
                                     unitriangular=draw.boolean()))
def triangular_solve(b: TensorLike, A: TensorLike, upper: bool = True, transpose: bool = False,  # noqa: N803
                     unitriangular: bool = False) -> SolutionCoefficient:
    """PyTorch's older form of `linalg.solve_triangular`: (solution, cloned_coefficient), the second being A."""
    solution = solve_triangular(_mT(A) if transpose else A, b, upper=upper is not transpose,
                                unitriangular=unitriangular)
    return SolutionCoefficient(solution, A.expand((*solution.shape[:-2], *A.shape[-2:])).clone())


# Forms that do not raise

def _first_zero_pivot(A):  # noqa: N803
    x = floating(bare(A))
    info = _eliminated(x)[2]
    singular = np.asarray(np.linalg.slogdet(x)[0]) == 0  # as LAPACK sees it, which rounds in another order
    return np.where(singular, np.where(info == 0, x.shape[-1], info), 0).astype(np.int32)


def _is_definite(x):
    try:
        np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        return False
    return True


def _first_indefinite_minor(A):  # noqa: N803
    x = floating(bare(A))
    x = (x + _mT(x)) * x.dtype.type(0.5)
    info, orders = np.zeros(x.shape[:-2], np.int32), range(1, x.shape[-1] + 1)
    for place in np.ndindex(info.shape):
        if not _is_definite(x[place]):
            info[place] = bisect.bisect_left(
                orders, True, key=lambda k, place=place: not _is_definite(x[place][:k, :k])) + 1
    return info


def _or_nan(function, failing, A, check_errors, is_vector=False):  # noqa: N803
    """The function of each matrix, and what `failing` says of it: where that is not 0, the result is NaN."""
    _matrices(A, square=True)
    try:
        return function(A), Tensor(np.zeros(A.shape[:-2], np.int32))
    except np.linalg.LinAlgError:
        if check_errors:
            raise
    info = failing(A)
    bad = (info != 0)[..., None, None]
    result = function(where(bad, _eye(floating(A)), A))
    return where(bad[..., 0] if is_vector else bad, np.nan, result), Tensor(info)


@operation(names="_inv_ex", methods="", samples=lambda draw: call(_regular(draw)))
def inv_ex(A: TensorLike, *, check_errors: bool = False) -> InverseInfo:  # noqa: N803
    """The inverses of square matrices, NaN for a singular one: (inverse, info).

    info, int32 of shape A.shape[:-2], is 0 or the number of the first pivot that is 0, counted from 1.

    Raises:
        numpy.linalg.LinAlgError: a matrix is singular, with `check_errors`.

    >>> from autograd import linalg
    >>> linalg.inv_ex(ones(2, 2)).info
    tensor(2, dtype=int32)
    """
    return InverseInfo(*_or_nan(inv, _first_zero_pivot, A, check_errors))


@operation(names="_solve_ex", methods="", samples=lambda draw: call(
    a := _regular(draw), draw.array(draw.choice([a.shape, a.shape[:-1]]))))
def solve_ex(A: TensorLike, B: TensorLike, *, left: bool = True, check_errors: bool = False) -> ResultInfo:  # noqa: N803
    """`linalg.solve`, NaN where a matrix is singular: (result, info), info as of `inv_ex`.

    Raises:
        numpy.linalg.LinAlgError: a matrix is singular, with `check_errors`.
    """
    is_vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])
    return ResultInfo(*_or_nan(lambda a: solve(a, B, left=left), _first_zero_pivot, A, check_errors, is_vector))


@operation(names="_cholesky_ex", methods="", samples=lambda draw: call(_definite(draw), upper=draw.boolean()))
def cholesky_ex(A: TensorLike, *, upper: bool = False, check_errors: bool = False) -> LInfo:  # noqa: N803
    """`linalg.cholesky`, NaN where a matrix is not positive definite: (L, info).

    info, int32 of shape A.shape[:-2], is 0 or the order of the first leading minor that is not positive definite.

    Raises:
        numpy.linalg.LinAlgError: a matrix is not positive definite, with `check_errors`.
    """
    return LInfo(*_or_nan(lambda a: cholesky(a, upper=upper), _first_indefinite_minor, A, check_errors))


# Least squares, and systems of tensors

def _fractions(x):
    """A copy in its floating dtype."""
    return floating(x) if isinstance(x, Tensor) else Tensor(floating(np.asarray(x)))


_DRIVERS = ("gelsy", "gels", "gelsd", "gelss")


@operation(names="_lstsq", methods="", samples=lambda draw: call(
    a := full_rank(draw), draw.array(draw.choice([(*a.shape[:-1], 2), a.shape[:-1]])),
    driver=draw.choice([None, "gels"])))
def lstsq(A: TensorLike, B: TensorLike, rcond: float | None = None, *,  # noqa: N803
          driver: str | None = None) -> LeastSquares:
    """The X for which the squares of A X - B sum to the least, and of several the shortest: (solution, residuals, rank,
    singular_values).

    A has shape (..., m, n), B (..., m, k) or (..., m), and the solution (..., n, k) or (..., n). Singular values of at
    most `rcond` times the largest count as 0; by default, the dtype's epsilon times max(m, n). All drivers compute the
    same, by singular values (Golub and Van Loan, Matrix Computations, 5.5); the name says what else is given, as in
    PyTorch: with "gelsy" (the default) the rank, with "gels" the sums of squared residuals, shape (..., k) with k = 1
    for vectors, with "gelsd" and "gelss" both and the singular values. The rest is empty; so are residuals unless m > n
    and every matrix has rank n. The derivative exists where the rank does not change.

    Raises:
        ShapeError: B has not as many rows as A.
        ValueError: there is no such driver.

    >>> from autograd import linalg
    >>> linalg.lstsq(tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), tensor([1.0, 3.0, 5.0])).solution
    tensor([1.0000, 2.0000])
    """
    driver = driver or "gelsy"
    if driver not in _DRIVERS:
        raise ValueError(f"there is no driver {driver!r}; write one of {', '.join(map(repr, _DRIVERS))}")
    _matrices(A)
    A, B = _fractions(A), _fractions(B)  # noqa: N806
    is_vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])
    right = B[..., None] if is_vector else B
    if right.ndim < 2 or right.shape[-2] != A.shape[-2]:
        raise ShapeError(f"A has {A.shape[-2]} rows, shape {A.shape}, and so must B, whose shape is {B.shape}")
    m, n = A.shape[-2:]
    rcond = max(m, n, 1) * float(np.finfo(A.dtype).eps) if rcond is None else rcond
    solution, sizes = matmul(pinv(A, rtol=rcond), right), svdvals(A)
    rank = (sizes > rcond * sizes.amax(-1, True)).sum(-1) if min(m, n) else (
        Tensor(np.zeros(A.shape[:-2], np.int64)))
    empty = Tensor(np.zeros(0, A.dtype))
    residuals = empty
    if m > n and driver != "gelsy" and (rank == n).all():
        residuals = ((matmul(A, solution) - right) ** 2).sum(-2)
    return LeastSquares(solution[..., 0] if is_vector else solution, residuals,
                        Tensor(np.zeros(0, np.int64)) if driver == "gels" else rank,
                        sizes if driver in ("gelsd", "gelss") else empty)


def _folded(draw, *shapes):
    """A regular 4 x 4 matrix in another shape."""
    return (draw.array((4, 4), low=-1, high=1) + 6 * np.eye(4)).reshape(draw.choice(shapes))


@operation(names="_tensorsolve", methods="", samples=lambda draw: call(
    *draw.choice([(_folded(draw, (2, 2, 4), (2, 2, 2, 2)), draw.array((2, 2))), (_folded(draw, (2, 2, 4)),
                                                                                  draw.array((4,)), (0, 1))])),
    numpy={np.linalg.tensorsolve: lambda a, b, axes=None: tensorsolve(a, b, axes)})
def tensorsolve(A: TensorLike, B: TensorLike, dims: Dims | None = None) -> Tensor:  # noqa: N803
    """The X with tensordot(A, X, X.ndim) = B.

    A has shape (*B.shape, *X.shape), both with as many elements; axes `dims` of A are moved to its end first.

    Raises:
        ShapeError: the numbers of elements differ.
        numpy.linalg.LinAlgError: A, as a matrix, is singular.
    """
    if dims is not None:
        dims = axes(dims, A.ndim)
        A = A.permute([*(d for d in range(A.ndim) if d not in dims), *dims])  # noqa: N806
    shape, count = A.shape[B.ndim:], math.prod(A.shape[B.ndim:])
    if count != math.prod(B.shape) or math.prod(A.shape[:B.ndim]) != count:
        raise ShapeError(f"A must have the axes of B and then as many elements again: shape (*{B.shape}, ...), "
                         f"the rest with {math.prod(B.shape)} elements, not {A.shape}")
    return solve(A.reshape(count, count), B.reshape(count)).reshape(shape)


@operation(names="_tensorinv", methods="", numpy={np.linalg.tensorinv: lambda a, ind=2: tensorinv(a, ind)},
           samples=lambda draw: call(_folded(draw, (4, 4), (4, 2, 2)), 1))
def tensorinv(A: TensorLike, ind: int = 2) -> Tensor:  # noqa: N803
    """The inverse of x -> tensordot(A, x, A.ndim - ind), of shape A.shape[ind:] + A.shape[:ind].

    Raises:
        ShapeError: the first `ind` axes of A have not as many elements as the others.
        ValueError: ind is not positive.
        numpy.linalg.LinAlgError: A, as a matrix, is singular.
    """
    if ind <= 0:
        raise ValueError(f"ind, the number of axes in front, must be positive, not {ind}")
    front, back = A.shape[:ind], A.shape[ind:]
    if math.prod(front) != math.prod(back):
        raise ShapeError(f"the first {ind} axes of shape {A.shape} have {math.prod(front)} elements and the others "
                         f"{math.prod(back)}; they must have as many")
    return inv(A.reshape(math.prod(front), math.prod(back))).reshape([*back, *front])
