"""Linear algebra under PyTorch's names: `autograd.linalg.solve(A, b)`, `autograd.linalg.norm(x)`, …"""

from numpy.linalg import LinAlgError

from autograd.operations.linalg import (
    cholesky,
    det,
    eigh,
    eigvalsh,
    inv,
    matrix_power,
    pinv,
    qr,
    slogdet,
    solve,
    solve_triangular,
    svd,
    svdvals,
)
from autograd.operations.matrix_functions import (
    cond,
    eig,
    eigvals,
    householder_product,
    matrix_exp,
    matrix_rank,
    vander,
    vecdot,
)
from autograd.operations.norms import matrix_norm, norm, vector_norm
from autograd.operations.products import cross, matmul, multi_dot
from autograd.operations.shaping import diagonal
from autograd.operations.systems import (
    cholesky_ex,
    inv_ex,
    lstsq,
    lu,
    lu_factor,
    lu_factor_ex,
    lu_solve,
    solve_ex,
    tensorinv,
    tensorsolve,
)

__all__ = ["LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals",
           "eigvalsh", "householder_product", "inv", "inv_ex", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve",
           "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr",
           "slogdet", "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander",
           "vecdot", "vector_norm"]
