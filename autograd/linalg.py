"""Linear algebra under PyTorch's names: `autograd.linalg.solve(A, b)`, `autograd.linalg.norm(x)`, …"""

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
from autograd.operations.norms import matrix_norm, norm, vector_norm
from autograd.operations.products import cross, matmul, multi_dot
from autograd.operations.shaping import diagonal

__all__ = ["cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power",
           "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd", "svdvals", "vector_norm"]
